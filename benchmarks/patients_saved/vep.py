"""Patients an arm to see 1.2 ms of P100: conventional peaks and remyelin on the same virtual recordings.

    python benchmarks/patients_saved/vep.py [--replicates 400] [--jobs 2]
    python benchmarks/patients_saved/vep.py --table

A replicate is a person of `vep_eyes.py`: the delayed eyes, two visits, two replicates of 100 sweeps each time
(`short`: 50, the least that the standard allows), in EEG noise that is drawn or put together from real single
trials. The true change is the person's own (SD 3 ms, so that what a method makes of a change is seen), with
and without 1.2 ms; noise is the same in both arms.

n an arm: `trial.sample_size` at 80 % power, two-sided 0.05, with the SD of a patient's measured change that
remains after regression on the baseline, the effect times what the method shows of a true change (where the
interval of that slope lies below 1), and more where a method gives no value. The SD of true change is the
axis. Weighted: a patient weighs 1 / (sigma^2 + se^2), sigma^2 by REML, as in `trial.ancova(se=...)`; the
variance of the result is the one observed, not the one that the weights promise. These n are by formula;
`check` tries some of them in trials, and the smallest are too small: docs/theory/patients-saved.md says so
where they stand.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "vep"))
import bench
from noise import available
from vep_eyes import EFFECT_MS, read_person
from vep_trials import CONVENTIONAL, METHODS, Method, Read, by_eye, read, spread

from remyelin import trial
from remyelin.evidence import parameter
from remyelin.files.atomic import atomic_write
from remyelin.report.canvas import canvas, markup
from remyelin.report.colour import ARMS, INK, LOSS, MUTED

NOISES = {
    "drawn": "drawn noise, 2 x 100 sweeps",
    "real": "real noise, 2 x 100 sweeps",
    "short": "drawn noise, 2 x 50 sweeps",
}
TRUE_SD_MS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0)
CLEAR_UV, RESAMPLES = 5.0, 500
CHECKED_SD_MS, TRIALS = (0.0, 1.0, 2.0), 400
HERE = Path(__file__).parent
FACTS = (
    "method",
    "bias, an eye, ms",
    "SD of error, an eye, ms",
    "median error, ms",
    "SD of a patient, ms",
    "slope",
    "patients without a value",
)
TICKS = (10, 30, 100, 300, 1000)
SHORT_SD_MS = (0.0, 1.0, 2.0, 3.0)
SUMMARY = (
    "patients an arm: `lp30`, the best conventional, **remyelin**",
    *(f"true SD {sd:g} ms" for sd in SHORT_SD_MS),
    "half of `lp30`, true SD in ms",
    "half of the best",
)
AXIS = ("SD of true change, ms", "SD of change, `lp30`, ms", "`trimmed`, ms")
RATIOS = ("`lp30` / `shift_se`", "best conventional / `shift_se`", "half as many")
STATIC = HERE.parents[1] / "docs/_static"


@cache
def patients(sd_ms: float) -> int:
    """An arm."""
    found = trial.sample_size(EFFECT_MS, trial.Spread.of_participant(sd_ms))
    return int(found.n[0])


def ratio_interval(
    done: pd.DataFrame, reads: dict[str, Read], above: str, below: str, true_sd_ms: float
) -> tuple[float, float]:
    """95 % interval of the ratio of two n, people drawn again; both methods on the same people."""
    rng = np.random.default_rng(bench.SEED)
    places = {}
    for name in (above, below):
        place = np.full(len(done), -1)
        place[reads[name].people] = np.arange(len(reads[name].people))
        places[name] = place
    found = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(done), len(done))
        sd = {}
        for name in (above, below):
            rows = places[name][drawn]
            sd[name] = spread(reads[name], METHODS[name].weighted, true_sd_ms, rows[rows >= 0])
        found.append((sd[above] / sd[below]) ** 2)
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def section(words: str, done: pd.DataFrame) -> tuple[list[str], dict[str, list[int]], list[str]]:
    """Two tables of one set of people, n of each method along `TRUE_SD_MS`, and a line of the summary."""
    reads = {name: read(done, method) for name, method in METHODS.items()}
    own = {name: spread(reads[name], False, 0.0) for name in ("lp30", "trimmed")}
    axis = dict.fromkeys(TRUE_SD_MS, "")
    for name, error in own.items():
        for of in ("participant", "eye"):
            published = parameter("p100_change_sd", of=of).value
            if error < published:
                reached = round(float(np.sqrt(published**2 - error**2)), 2)
                axis[reached] = axis.get(reached, "") + f" (`{name}` as published)"
    axis = dict(sorted(axis.items()))
    needed = {
        name: {sd: patients(round(spread(one, METHODS[name].weighted, sd), 4)) for sd in axis}
        for name, one in reads.items()
    }
    parts = [f"**{words}**: {len(done)} people.", bench.markdown(FACTS, _facts(done, reads))]
    lines, claimed = [], {"lp30": "nowhere", "best": "nowhere"}
    for sd in axis:
        best = min(CONVENTIONAL, key=lambda name: needed[name][sd])
        totals = [f"{np.hypot(error, sd):.1f}" for error in own.values()]
        cells = [f"{sd:g}{axis[sd]}", *totals, *(str(n[sd]) for n in needed.values())]
        lows = []
        for above in ("lp30", best):
            low, high = ratio_interval(done, reads, above, "shift_se", sd)
            lows.append(low)
            cells.append(f"{needed[above][sd] / needed['shift_se'][sd]:.2f} ({low:.2f} to {high:.2f})")
        claimed |= {name: f"up to {sd:g}" for name, low in zip(claimed, lows, strict=True) if low >= 2}
        half = "yes" if lows[1] >= 2 else "against the 30 Hz peak" if lows[0] >= 2 else "not shown"
        lines.append([*cells, half])
    parts.append(bench.markdown((*AXIS, *METHODS, *RATIOS), lines))
    curve = {name: [n[sd] for sd in TRUE_SD_MS] for name, n in needed.items()}
    return parts, curve, [words, *_short(needed), *claimed.values()]


def _short(needed: dict[str, dict[float, int]]) -> list[str]:
    """n by the 30 Hz peak, by the best conventional way, and by remyelin."""
    cells = []
    for sd in SHORT_SD_MS:
        best = min(needed[name][sd] for name in CONVENTIONAL)
        cells.append(f"{needed['lp30'][sd]}, {best}, **{needed['shift_se'][sd]}**")
    return cells


def _facts(done: pd.DataFrame, reads: dict[str, Read]) -> list[list[str]]:
    return [
        [
            f"`{name}`: {METHODS[name].words}",
            *_of_eyes(done, METHODS[name]),
            f"{spread(one, METHODS[name].weighted, 0.0):.2f}",
            f"{one.slope:.2f} ± {one.slope_half:.2f}",
            f"{100 * (1 - one.kept):.1f} %",
        ]
        for name, one in reads.items()
    ]


def _of_eyes(done: pd.DataFrame, method: Method) -> list[str]:
    change = by_eye(done, f"{method.change}_0")
    error = (
        np.where(np.abs(change) <= method.limit_ms, change, np.nan) - done["change"].to_numpy()[:, None]
    ).ravel()
    error = error[np.isfinite(error)]
    bias, half = bench.mean_interval(error)
    return [f"{bias:+.2f} ± {half:.2f}", f"{error.std(ddof=1):.2f}", f"{np.median(np.abs(error)):.2f}"]


def population(done: pd.DataFrame) -> str:
    latency, uv, bifid = (by_eye(done, name) for name in ("true", "uv", "bifid"))
    known = np.isfinite(latency)
    tall = np.quantile(uv[known], (0.05, 0.25, 0.5, 0.75, 0.95))
    shapes = pd.concat([done[f"state_{k}"].dropna() for k in (0, 1)]).value_counts(normalize=True)
    states = ", ".join(f"{name} {100 * part:.0f} %" for name, part in shapes.items())
    spread_uv = ", ".join(f"{x:.1f}" for x in tall)
    return (
        f"{len(done)} people, {int(known.sum())} delayed eyes: P100 {latency[known].mean():.1f} ms (SD"
        f" {latency[known].std():.1f}); amplitude {spread_uv} uV (5, 25, 50, 75 and 95 % points); bifid"
        f" {100 * bifid[known].mean():.0f} %. At the first visit remyelin finds them {states}."
    )


def check(done: pd.DataFrame) -> str:
    """Power of `trial.ancova` in trials of as many people as the table says, drawn from those recorded."""
    rng = np.random.default_rng([bench.SEED, 1])
    lines = []
    for name in ("lp30", "trimmed", "shift_se"):
        method, one = METHODS[name], read(done, METHODS[name])
        for sd in CHECKED_SD_MS:
            least = patients(round(spread(one, method.weighted, sd), 4))
            for n in (least, round(1.5 * least)):
                found = [_trial(one, method, sd, round(n * one.kept), rng) for _ in range(TRIALS)]
                power = np.mean([p < 0.05 for p, _ in found])
                half = 1.96 * np.sqrt(power * (1 - power) / TRIALS)
                mean = np.mean([estimate for _, estimate in found])
                cells = [f"{100 * power:.0f} ± {100 * half:.0f} %", f"{mean:+.2f}"]
                lines.append([f"`{name}`", f"{sd:g}", str(n), *cells])
    head = ("method", "SD of true change, ms", "n an arm", "power of `trial.ancova`", "mean estimate, ms")
    return bench.markdown(head, lines)


def _trial(
    one: Read, method: Method, true_sd_ms: float, n: int, rng: np.random.Generator
) -> tuple[float, float]:
    """p and estimate of one trial; the effect is what the method shows of it."""
    arm = np.repeat([0, 1], n)
    who = rng.integers(0, len(one.people), 2 * n)
    true = true_sd_ms * rng.standard_normal(2 * n) + EFFECT_MS * arm
    rows = pd.DataFrame(
        {
            "change": one.error[arm, who] + one.seen * true,
            "baseline": one.baseline[arm, who],
            "se": one.se[arm, who],
            "arm": np.where(arm, "drug", "placebo"),
        }
    )
    se = "se" if method.weighted else None
    found = trial.ancova("change ~ arm + baseline", rows, reference="placebo", se=se).contrasts()
    return float(found["p"].iloc[0]), float(found["estimate"].iloc[0])


def clear(done: pd.DataFrame) -> pd.DataFrame:
    """People whose delayed eyes are all of `CLEAR_UV` or more and not bifid."""
    uv, bifid = by_eye(done, "uv"), by_eye(done, "bifid")
    good = ((uv >= CLEAR_UV) & (bifid == 0)) | ~np.isfinite(uv)
    return done[good.all(axis=1)].reset_index(drop=True)


def table(work: Path) -> str:
    parts, curves, short = [], {}, []
    for noise in NOISES:
        done = bench.load(work / "vep" / f"{noise}.tsv")
        if not len(done):
            parts.append(f"{NOISES[noise]}: {available(noise) or 'not done'}")
            continue
        parts.append(population(done))
        for words, people in (
            ("All eyes", done),
            (f"Eyes of {CLEAR_UV:g} uV and more, not bifid", clear(done)),
        ):
            made, needed, line = section(f"{words}, {NOISES[noise]}", people)
            parts += made
            short.append(line)
            if noise == "drawn" and people is done:
                parts += ["The same trials, drawn from these people and analysed:", check(done)]
            curves[words, noise] = needed
    if curves:
        draw(curves)
    return "\n\n".join([bench.markdown(SUMMARY, short), "## VEP: all tables", *parts])


def draw(curves: dict[tuple[str, str], dict[str, list[int]]]) -> None:
    shown = (("raw", MUTED), ("lp30", INK), ("trimmed", LOSS), ("p100_se", ARMS[1]), ("shift_se", ARMS[0]))
    rows = (len(curves) + 1) // 2
    with canvas(7.4, 2.9 * rows, rows=rows, columns=2, sharex=True, sharey=True) as (figure, axes):
        for axis, ((words, noise), needed) in zip(axes.ravel(), curves.items(), strict=False):
            for name, colour in shown:
                axis.plot(TRUE_SD_MS, needed[name], color=colour, lw=1.6, label=name)
            axis.set_yscale("log")
            axis.set_yticks(TICKS, labels=[str(tick) for tick in TICKS])
            axis.minorticks_off()
            axis.set_xlim(0, 5)
            axis.set_ylim(6, 3000)
            axis.set_title(f"{words},\n{NOISES[noise]}", fontsize=9)
        for axis in axes[-1]:
            axis.set_xlabel("SD of true change, ms")
        for axis in axes[:, 0]:
            axis.set_ylabel("patients an arm")
        axes[0, 1].legend(fontsize=8, loc="upper left", ncols=2)
        text = "Patients an arm against the SD of true change, by method"
        picture = str(markup(figure, "patients-saved-vep", text))
        picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(STATIC / "patients-saved-vep.svg", picture.encode())


def one(condition: str, rng: np.random.Generator, replicate: int) -> dict[str, Any]:
    del replicate
    return read_person(condition, rng)


def main() -> None:
    bench.WORK = HERE / "work"
    chosen = bench.options(__doc__, replicates=400)
    if not chosen.table:
        bench.run("vep", [noise for noise in NOISES if not available(noise)], one, chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
