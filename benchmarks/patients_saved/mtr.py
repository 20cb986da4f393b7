"""Patients an arm to see 0.2 pu of lesional MTR: an ordinary script and remyelin on the same recordings.

    python benchmarks/patients_saved/mtr.py [--heads 8]
    python benchmarks/patients_saved/mtr.py --table

Recordings and measurements: `mtr_people.py`. The endpoint is the change in lesions below the person's median
at baseline, picked by each method's own baseline, after regression on it. Drift of the scanner is added to
what was measured, in lesions and in white matter, since it only multiplies: a gain between MT-off and MT-on
(SD 0.1 %) and the transmit field of a session (SD 0.3 %), as the package's virtual scanner has them. Both are
of a phantom, no evidence.

n an arm: `trial.sample_size` at 80 % power, two-sided 0.05, with the SD of a person's measured change, the
effect times what the method shows of a true change. The SD of the persons' true change is the axis. A
lesion's own true change beside its person's is added with the weights that the method gives its lesions.
`ours_se`: persons weigh 1 / (sigma^2 + se^2), as in `trial.ancova(se=...)`; the variance is the one observed,
not the one promised. These n are by formula, and no simulated trial checks them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
from mtr_read import BEST, CONVENTIONAL, SEED, Person, Read, heads_of, people, read  # noqa: E402
from scipy.optimize import brentq  # noqa: E402

from remyelin import trial  # noqa: E402
from remyelin.evidence import parameter  # noqa: E402
from remyelin.files.atomic import atomic_write  # noqa: E402
from remyelin.report.canvas import canvas, markup  # noqa: E402
from remyelin.report.colour import ARMS, INK  # noqa: E402

EFFECT_PU, HALF = 0.2, 2.0
TRUE_SD_PU = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
TICKS = (10, 20, 50, 100, 200)
OWN_SD_PU = (0.0, 0.5)  # of a lesion's own true change; the second is what virtual patients have, unverified
RESAMPLES = 1000
HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "docs/_static"
NAMES = {
    "script": "ordinary script: twice interpolated, unweighted mean",
    "once": "the same, follow-up interpolated once",
    "ours_mean": "remyelin, unweighted mean",
    "ours": "remyelin, lesions weighted by precision",
    "ours_se": "the same, persons weighted too",
}


@cache
def patients(sd: float) -> int:
    """An arm, for an SD of change in units of the true one."""
    return int(trial.sample_size(EFFECT_PU, trial.Spread.of_participant(sd)).n[0])


def interval(everybody: list[Person], statistic: Callable[[np.ndarray], float], heads: np.ndarray) -> tuple:
    """95 %, heads drawn again with all that was recorded of them."""
    rng = np.random.default_rng(SEED)
    each = [np.flatnonzero(heads == h) for h in np.unique(heads)]
    drawn = (rng.integers(len(each), size=len(each)) for _ in range(RESAMPLES))
    return tuple(
        np.quantile([statistic(np.concatenate([each[k] for k in one])) for one in drawn], (0.025, 0.975))
    )


def section(words: str, everybody: list[Person], reads: dict[str, Read]) -> tuple[list[str], dict]:
    """Two tables of one kind of session, and n along `TRUE_SD_PU` for each method."""
    parts = [f"**{words}**", _facts(everybody, reads)]
    curves = {}
    for own in OWN_SD_PU:
        lines = _axis(everybody, reads, own)
        parts.append(f"Own true change of a lesion: SD {own:g} pu.")
        titles = (
            "SD of true change, pu",
            "SD of the script's change, pu",
            *NAMES,
            "script / ours_se",
            "once / ours_se",
        )
        parts.append(markdown((*titles, "half as many"), [line for line, _ in lines]))
        curves[own] = [counts for _, counts in lines[: len(TRUE_SD_PU)]]
    return parts, curves


def _facts(everybody: list[Person], reads: dict[str, Read]) -> str:
    rows = []
    for name, one in reads.items():
        ends = [interval(everybody, f, one.head) for f in (one.bias, one.slope)]
        told = "" if name in CONVENTIONAL else f"{np.sqrt(np.mean(one.se**2)):.3f}"
        sd = one.slope() * one.spread(0, 0, weighted=name == BEST)
        cells = [
            f"{x:{s}} ({a:{s}} to {b:{s}})"
            for x, s, (a, b) in zip((one.bias(), one.slope()), ("+.3f", ".2f"), ends, strict=True)
        ]
        rows.append([f"`{name}`: {NAMES[name]}", *cells, f"{sd:.3f}", told])
    titles = (
        "method",
        "change found where there is none, pu",
        "shown of a true change",
        "SD of error, pu",
        "its own se",
    )
    return markdown(titles, rows)


def published_sd() -> float:
    """SD of a person's change in CCMR One, both arms pooled; nobody has read it in its source."""
    name = "submedian_mtr_change_sd"
    both = [
        parameter(name, trial="ccmr-one", arm=arm, allow_unverified=True).value
        for arm in ("bexarotene", "placebo")
    ]
    return float(np.sqrt(np.mean(np.square(both))))


def _axis(
    everybody: list[Person], reads: dict[str, Read], own: float
) -> list[tuple[list[str], dict[str, int]]]:
    script = reads["script"]

    def seen(sd: float) -> float:
        return script.slope() * script.spread(sd, own, weighted=False)

    reached = round(brentq(lambda sd: seen(sd) - published_sd(), 0, 5), 2)
    lines = []
    for sd in (*TRUE_SD_PU, reached):
        counts = {name: patients(round(one.spread(sd, own, name == BEST), 5)) for name, one in reads.items()}
        cells = [
            f"{sd:g}",
            f"{seen(sd):.2f}" + (" (published)" if sd == reached else ""),
            *map(str, counts.values()),
        ]
        lows = []
        for above in CONVENTIONAL:

            def ratio(rows: np.ndarray, above: str = above, sd: float = sd) -> float:
                return (
                    reads[above].spread(sd, own, False, rows) / reads[BEST].spread(sd, own, True, rows)
                ) ** 2

            low, high = interval(everybody, ratio, script.head)
            lows.append(low)
            cells.append(f"{ratio(slice(None)):.2f} ({low:.2f} to {high:.2f})")
        half = "yes" if min(lows) >= HALF else "against the script" if lows[0] >= HALF else "not shown"
        lines.append(([*cells, half], counts))
    return lines


def table(work: Path, heads: int) -> str:
    files = heads_of(work, heads)
    everybody = people(files)
    if not everybody:
        return "No head is done."
    lesions = sum(len(one.pu) for one in everybody)
    kept = [np.load(file) for file in files]
    ours, script = np.median([one["between_mm"] for one in kept], axis=0)
    spent = np.median([one["cpu_s"] for one in kept], axis=0)
    parts = [
        "## MTR: all tables",
        f"{len(everybody)} people in {len(kept)} heads, {lesions} lesions of at least 10 mm3. In brackets:"
        " 95 % intervals, heads drawn again. Registration between visits, mean error: remyelin"
        f" {ours:.3f} mm, script {script:.3f} mm; {spent[0]:.0f} and {spent[1]:.0f} CPU s a head.",
    ]
    curves = {}
    for words, drift in (
        ("Without drift, remyelin without normalisation", False),
        ("With drift, remyelin normalised by white matter", True),
    ):
        made, curves[words] = section(words, everybody, read(everybody, drift, corrected=drift))
        parts += made
    draw(curves)
    parts += [
        "**With drift, remyelin without normalisation**",
        _facts(everybody, read(everybody, True, False)),
    ]
    return "\n\n".join(parts)


def draw(curves: dict) -> None:
    shown = (("script", INK, "-"), ("once", INK, ":"), ("ours", ARMS[1], "-"), ("ours_se", ARMS[0], "-"))
    with canvas(7.4, 6.6, rows=2, columns=2, sharex=True, sharey=True) as (figure, axes):
        for row, (words, by_own) in zip(axes, curves.items(), strict=True):
            for axis, (own, counts) in zip(row, by_own.items(), strict=True):
                for name, colour, style in shown:
                    needed = [one[name] for one in counts]
                    axis.plot(TRUE_SD_PU, needed, style, color=colour, lw=1.6, label=NAMES[name])
                axis.set_yscale("log")
                axis.set_yticks(TICKS, labels=[str(tick) for tick in TICKS])
                axis.minorticks_off()
                axis.set_title(f"{words.split(',')[0]},\nlesions' own SD {own:g} pu", fontsize=9)
        for axis in axes[-1]:
            axis.set_xlabel("SD of true change between persons, pu")
        for axis in axes[:, 0]:
            axis.set_ylabel("patients an arm")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=2)
        text = "Patients an arm for 0.2 pu of MTR against the SD of true change, by method"
        picture = str(markup(figure, "patients-saved-mtr", text))
        picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(STATIC / "patients-saved-mtr.svg", picture.encode())


def markdown(titles: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--table", action="store_true", help="print the table of the heads that are done")
    options = parser.parse_args()
    if not options.table:
        from mtr_people import measure

        for seed in range(1, options.heads + 1):
            print(measure(options.work, seed), flush=True)
    print(table(options.work, options.heads))


if __name__ == "__main__":
    main()
