"""Real sweeps and a known shift: half of a person's trials are delayed by up to 10 ms.

    python benchmarks/vep/real.py [--replicates 30]
    python benchmarks/vep/real.py --table

Single trials of the UCI EEG database (visual, picture onset: not a pattern-reversal waveform), mean of OZ,
O1 and O2. People whose average has more than 5 times the variance of their plus-minus average between 50
and 250 ms. Each replicate splits a person's trials at random into two halves.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import bench
import numpy as np
import pandas as pd
from estimators import ours_missing, ours_shift, peers_shift
from noise import available, people
from scipy import interpolate

MAX_SHIFT_MS, MIN_RATIO = 10.0, 5.0
TIMES_MS = np.arange(MAX_SHIFT_MS, 450.0)
METHODS = ("get_peak", "lp30", "xcorr", "ours")
WORDS = {"get_peak": "get_peak", "lp30": "get_peak, 30 Hz", "xcorr": "cross-correlation", "ours": "remyelin"}


@cache
def responders() -> dict[str, interpolate.CubicSpline]:
    """Of each person with a clear response, its trials as functions of time in ms."""
    found = {}
    for name, (trials, _) in people().items():
        trials = trials - trials[:, :10].mean(axis=1, keepdims=True)
        times = np.arange(trials.shape[1]) / 256 * 1000
        inside = (times > 50) & (times < 250)
        sign = np.where(np.arange(len(trials)) % 2, 1, -1)
        noise = (trials * sign[:, None]).mean(axis=0)[inside].var()
        if trials.mean(axis=0)[inside].var() / noise > MIN_RATIO:
            found[name] = interpolate.CubicSpline(times, trials, axis=1)
    return found


def one(condition: str, rng: np.random.Generator, replicate: int) -> dict[str, Any]:
    """One split of one person."""
    del replicate
    trials = responders()[condition]
    order = rng.permutation(trials.c.shape[2])
    half = len(order) // 2
    shift = rng.uniform(-MAX_SHIFT_MS, MAX_SHIFT_MS)
    first = trials(TIMES_MS)[order[:half]]
    last = trials(TIMES_MS - shift)[order[half:]]
    found: dict[str, Any] = {"truth": shift, "sweeps": half} | peers_shift(first, last, TIMES_MS[0])
    return found if ours_missing() else found | ours_shift([first, last], TIMES_MS[0])


def table(work: Path) -> str:
    files = sorted((work / "real").glob("*.tsv"))
    if not files:
        return "## Real sweeps\n\n" + (available("real") or "nothing is done")
    done = pd.concat([bench.load(file).assign(person=file.stem) for file in files], ignore_index=True)
    done = done.assign(ours=done.get("ours", np.nan))
    rows = []
    for name in METHODS:
        error = (done[name] - done["truth"]).to_numpy(float)
        missing = np.isnan(error)
        error = error[~missing]
        rows.append(
            [
                WORDS[name],
                f"{bench.rmse(error):.2f}",
                f"{np.median(np.abs(error)):.2f}" if len(error) else "",
                bench.percent(np.abs(error) > 10, 1),
                f"{error.mean():+.2f}" if len(error) else "",
                bench.percent(missing, 1),
            ]
        )
    parts = [
        f"## Real sweeps, known shift\n\n{len(files)} people, {len(done) // len(files)} splits each, "
        f"{done['sweeps'].min()} to {done['sweeps'].max()} sweeps a half.",
        bench.markdown(("method", "RMSE, ms", "median error", "beyond 10 ms", "bias", "no value"), rows),
        _verdict(done),
    ]
    return "\n\n".join(part for part in parts if part)


def _verdict(done: pd.DataFrame) -> str:
    error = (done["ours"] - done["truth"]).to_numpy(float)
    given = np.isfinite(error)
    if not given.any():
        return ""
    error, known = error[given], done[given]
    covered = (known["low"] <= known["truth"]) & (known["truth"] <= known["high"])
    met = bench.rmse(error) <= 3.5 and (np.abs(error) > 10).mean() <= 0.01
    each = known.assign(error=error).groupby("person")["error"].apply(lambda e: bench.rmse(e.to_numpy()))
    width = (known["high"] - known["low"]).mean()
    return (
        f"- RMSE {bench.rmse(error):.2f} ms (<= 3.5), {bench.percent(np.abs(error) > 10, 1)} beyond 10 ms "
        f"(<= 1 %): {'met' if met else '**NOT MET**'}\n"
        f"- intervals cover {bench.percent(covered, 1)}, mean width {width:.1f} ms\n"
        "- RMSE by person: " + ", ".join(f"{value:.1f}" for value in sorted(each))
    )


def main() -> None:
    chosen = bench.options(__doc__, replicates=30)
    if not chosen.table and not available("real"):
        bench.run("real", sorted(responders()), one, chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
