"""How exact is one P100 latency? MNE's peak, that after a 30 Hz low-pass, and remyelin, on the same sweeps.

    python benchmarks/vep/latency.py --replicates 200 [--only normal 6uV 100 pink]
    python benchmarks/vep/latency.py --table

A condition is form, amplitude, sweeps, noise: `normal-6uV-100-pink`. A response that remyelin gives no
latency for (absent, indeterminate) is counted; methods are then compared on the replicates that have one,
and once more on all, the low-passed peak standing in for the missing (`all`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bench
import numpy as np
import pandas as pd
from estimators import ours_latency, ours_missing, peers_latency
from noise import NOISES, available, noise_sweeps
from waves import FORMS, draw_wave, sweeps

AMPLITUDES_UV, SWEEPS = (3, 6, 10), (50, 100, 200)
CONDITIONS = tuple(
    f"{form}-{uv}uV-{n}-{noise}" for noise in NOISES for form in FORMS for n in SWEEPS for uv in AMPLITUDES_UV
)
HEAD = (
    "form, uV, sweeps, noise", "n", "get_peak", "30 Hz", "remyelin", "get_peak / ours", "ours / 30 Hz",
    "all: ours", "bias", "no value", "covered", "width, ms", "shapes",
)  # fmt: skip


def one(condition: str, rng: np.random.Generator, replicate: int) -> dict[str, Any]:
    """Draw one eye, record it, and ask every method."""
    del replicate
    form, uv, n, noise = condition.split("-")
    wave = draw_wave(rng, form, float(uv.removesuffix("uV")))
    recorded = sweeps(rng, wave, noise_sweeps(rng, noise, int(n)))
    found: dict[str, Any] = {"truth": wave.latency_ms, "kind": wave.kind} | peers_latency(recorded)
    return found if ours_missing() else found | ours_latency(recorded)


def errors(done: pd.DataFrame) -> dict[str, np.ndarray]:
    """Error of every method, ms; ours is NaN where it gave no value."""
    ours = done["ours"] if "ours" in done else pd.Series(np.nan, done.index)
    found = {name: (done[name] - done["truth"]).to_numpy(float) for name in ("get_peak", "lp30")}
    return found | {"ours": (ours - done["truth"]).to_numpy(float)}


def row(name: str, done: pd.DataFrame) -> list[str]:
    error = errors(done)
    if np.isnan(error["ours"]).all():
        return [
            name,
            str(len(done)),
            *(f"{bench.rmse(error[k]):.2f}" for k in ("get_peak", "lp30")),
            *[""] * 9,
        ]
    given = np.isfinite(error["ours"])
    same = {k: e[given] for k, e in error.items()}
    filled = np.where(given, error["ours"], error["lp30"])
    covered = ((done["low"] <= done["truth"]) & (done["truth"] <= done["high"]))[given]
    shapes = done["shape"].fillna("none").value_counts(normalize=True)
    bias, half = bench.mean_interval(same["ours"])
    return [
        name,
        str(len(done)),
        *(f"{bench.rmse(same[k]):.2f}" for k in ("get_peak", "lp30", "ours")),
        bench.cell(bench.ratio(same["get_peak"], same["ours"])),
        bench.cell(bench.ratio(same["ours"], same["lp30"])),
        f"{bench.rmse(filled):.2f}",
        f"{bias:+.2f} ± {half:.2f}",
        bench.percent(~given),
        bench.percent(covered),
        f"{(done['high'] - done['low'])[given].mean():.1f}",
        ", ".join(f"{word} {100 * share:.0f} %" for word, share in shapes.items()),
    ]


def goals(results: dict[str, pd.DataFrame]) -> list[str]:
    """Every goal and whether each condition that it covers meets it."""
    lines = []
    for name, done in results.items():
        form, uv, n, _ = name.split("-")
        error = errors(done)
        if form == "bifid" or n != "100" or np.isnan(error["ours"]).all():
            continue
        given = np.isfinite(error["ours"])
        gained = bench.rmse(error["get_peak"][given]) / bench.rmse(error["ours"][given])
        against = bench.rmse(error["ours"][given]) / bench.rmse(error["lp30"][given])
        wanted = 1.3 if uv == "3uV" else 1.5
        lines.append(f"- {name}: get_peak / ours {gained:.2f} (>= {wanted}) {_met(gained >= wanted)}")
        if uv != "3uV":
            lines.append(f"- {name}: ours / 30 Hz {against:.2f} (<= 1.05) {_met(against <= 1.05)}")
    return lines


def _met(true: bool) -> str:
    return "met" if true else "**NOT MET**"


def table(work: Path) -> str:
    files = [(name, work / "latency" / f"{name}.tsv") for name in CONDITIONS]
    results = {name: bench.load(file) for name, file in files if file.exists()}
    parts = [
        "## Absolute latency\n\nRMSE and bias in ms against the top of the noiseless mean response, on the "
        "replicates with a value; `all`: on every replicate, the 30 Hz peak standing in where there is none.",
        bench.markdown(HEAD, [row(name, done) for name, done in results.items()]),
        *[reason for noise in NOISES if (reason := available(noise))],
        "\n".join(goals(results)),
    ]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    chosen = bench.options(__doc__, replicates=200)
    if not chosen.table:
        possible = [c for c in CONDITIONS if not available(c.split("-")[-1])]
        bench.run("latency", possible, one, chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
