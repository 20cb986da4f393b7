"""How many patients must a trial have to see 1.2 ms, with each estimator on the same simulated recordings?

    python benchmarks/vep/patients.py --replicates 600 [--only pink]
    python benchmarks/vep/patients.py --table

A replicate is one eye of the two-visit set of `dataset.py` (delayed; 3, 6 or 10 uV; 0, 2, 4 or 8 ms
earlier; 100 sweeps a visit of 9.6 uV), two replicates a patient. n an arm: two-sided t test of the mean
change, alpha 0.05, power 80 %, noncentral t. The SD of a patient's measured change is that of the true
change (biology, an assumption: 0, 1 or 2 ms) and of the measurement (found here), added as variances; with
both eyes the measurement's is that of their mean, and the true change is one for both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bench
import numpy as np
import pandas as pd
from change import PEERS
from estimators import ours_missing, ours_shift, peers_shift
from noise import NOISES, available, noise_sweeps
from scipy import stats
from waves import draw_wave, sweeps

from dataset import AMPLITUDES_UV, SD_UV, SHIFTS_MS

EFFECT_MS, ALPHA, POWER = 1.2, 0.05, 0.8
BIOLOGY_MS = (0.0, 1.0, 2.0)
SWEEPS = 100
WORDS = {
    "get_peak": "difference of MNE get_peak",
    "lp30": "the same after a 30 Hz low-pass",
    "xcorr": "cross-correlation",
    "ours": "remyelin latency_shift",
    "weighted": "the same, eyes weighted by 1/se²",
}


def one(condition: str, rng: np.random.Generator, replicate: int) -> dict[str, Any]:
    """One eye, two visits, every method."""
    del replicate
    wave = draw_wave(rng, "delayed", float(rng.choice(AMPLITUDES_UV)))
    shift = float(rng.choice(SHIFTS_MS))
    first, last = (
        sweeps(rng, wave, noise_sweeps(rng, condition, SWEEPS, SD_UV), shift_ms=late) for late in (0.0, shift)
    )
    found: dict[str, Any] = {"truth": shift, "uv": wave.mean_uv.max()} | peers_shift(first, last)
    return found if ours_missing() else found | ours_shift([first, last])


def patients_per_arm(sd_ms: float, effect_ms: float = EFFECT_MS) -> int:
    """The smallest n of each arm with the power that is asked for."""
    low, high = 2, 2
    while _power(high, sd_ms, effect_ms) < POWER:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, sd_ms, effect_ms) >= POWER else (middle, high)
    return high


def _power(n: int, sd_ms: float, effect_ms: float) -> float:
    df, centre = 2 * n - 2, effect_ms / (sd_ms * np.sqrt(2 / n))
    cut = stats.t.ppf(1 - ALPHA / 2, df)
    return float(stats.nct.sf(cut, df, centre) + stats.nct.cdf(-cut, df, centre))


def measurement_sd(done: pd.DataFrame) -> dict[str, tuple[float, float, float, float]]:
    """Of each method: SD of one eye's error and of the mean of two eyes, slope on the true shift, its SE."""
    found = {}
    for name in (*PEERS, "ours"):
        if name in done:
            kept = done[np.isfinite(done[name])]
            error = (kept[name] - kept["truth"]).to_numpy()
            line = stats.linregress(kept["truth"], kept[name])
            found[name] = (error.std(ddof=1), error.std(ddof=1) / np.sqrt(2), line.slope, line.stderr)
    if "ours" in done:
        found["weighted"] = (np.nan, _weighted(done), *found["ours"][2:])
    return found


def _weighted(done: pd.DataFrame) -> float:
    """SD of a patient's error where the better eye counts for more; eyes follow one another."""
    kept = done[np.isfinite(done["ours"])]
    kept = kept.iloc[: len(kept) // 2 * 2]
    error = (kept["ours"] - kept["truth"]).to_numpy().reshape(-1, 2)
    weight = 1 / kept["se"].to_numpy().reshape(-1, 2) ** 2
    return float(((error * weight).sum(axis=1) / weight.sum(axis=1)).std(ddof=1))


def row(name: str, sd: tuple[float, float, float, float]) -> list[str]:
    one_eye, two_eyes, slope, se = sd
    seen = slope if abs(slope - 1) > 1.96 * se else 1.0
    cells = [WORDS[name], *("" if np.isnan(x) else f"{x:.2f}" for x in (one_eye, two_eyes))]
    cells.append(f"{slope:.2f} ± {1.96 * se:.2f}")
    for noise in (one_eye, two_eyes):
        for biology in BIOLOGY_MS:
            total = float(np.hypot(biology, noise / seen))
            cells.append("" if np.isnan(total) else str(patients_per_arm(total)))
    return cells


def table(work: Path) -> str:
    from remyelin.evidence import parameter

    published = parameter("p100_change_sd", of="participant")
    eyes = ("one eye", "two eyes")
    head = ("method", *(f"SD, {e}, ms" for e in eyes), "slope")
    head += tuple(f"n, {e}, biology {b:g} ms" for e in eyes for b in BIOLOGY_MS)
    parts = ["## Patients an arm to detect 1.2 ms (power 80 %, two-sided 0.05)"]
    for noise in NOISES:
        done = bench.load(work / "patients" / f"{noise}.tsv")
        if len(done):
            found = measurement_sd(done)
            parts += [
                f"{noise} noise, {len(done)} eyes:",
                bench.markdown(head, [row(k, sd) for k, sd in found.items()]),
            ]
    parts.append(
        "Slope: of the measured on the true shift; n allows for it where its interval leaves out 1. For "
        "scale: the SD of a participant's change in CCMR Two, biology and measurement together, was "
        f"{published.value} ms ({published.source}, {published.status}): {patients_per_arm(published.value)} "
        "patients an arm. How much of it is biology is not known; the columns show what follows if it is "
        "0, 1 or 2 ms."
    )
    return "\n\n".join(parts)


def main() -> None:
    chosen = bench.options(__doc__, replicates=600)
    if not chosen.table:
        bench.run("patients", [noise for noise in NOISES if not available(noise)], one, chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
