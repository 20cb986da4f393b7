"""Real EEG beside the noise that is drawn: the UCI visual single trials, Oz less Fz."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from remyelin.signal import EegNoise

SHARED = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[3] / "shared"))
UCI = SHARED / "data" / "vep" / "uci_visual"
SFREQ_HZ, LIMIT_UV, LEAST_TRIALS = 256.0, 80.0, 20
OZ, FZ = 0, 6


def report() -> str:
    """Size, slope and alpha of 12 real people, and of as many that were drawn."""
    if not (UCI / "uci_visual_trials.npz").exists():
        return "Real EEG: skipped, data/vep/uci_visual is not in REMYELIN_SHARED."
    real = np.array([_facts(sweeps) for sweeps in _people()])
    rng = np.random.default_rng(2026)
    drawn = np.array([_facts(_drawn(EegNoise.person(rng), rng)) for _ in range(200)])
    lines = ["| EEG, Oz less Fz | SD 1 to 100 Hz, uV | slope of power | share of alpha | scatter of sweeps |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, facts in ((f"{len(real)} people", real), ("`EegNoise.person`, 200 drawn", drawn)):
        cells = [
            f"{a:.2f} ± {b:.2f}" for a, b in zip(facts.mean(axis=0), facts.std(axis=0, ddof=1), strict=True)
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def _people() -> list[np.ndarray]:
    """Of each person (trial, sample), the mean response taken off."""
    with np.load(UCI / "uci_visual_trials.npz") as kept:
        uv = (kept["uv_x100"][:, OZ].astype(float) - kept["uv_x100"][:, FZ]) / 100.0
    found = []
    for _, rows in pd.read_csv(UCI / "trials.tsv", sep="\t").groupby("subject"):
        trials = uv[rows.index]
        trials = trials[np.abs(trials - trials.mean(axis=1, keepdims=True)).max(axis=1) < LIMIT_UV]
        if len(trials) >= LEAST_TRIALS:
            found.append(trials - trials.mean(axis=0))
    return found


def _drawn(noise: EegNoise, rng: np.random.Generator) -> np.ndarray:
    return noise.draw(60 * 256, SFREQ_HZ, rng).reshape(60, 256)


def _facts(sweeps: np.ndarray) -> tuple[float, float, float, float]:
    """SD, exponent, share of alpha, and SD of the logarithm of the sweeps' SD."""
    sweeps = sweeps - sweeps.mean(axis=1, keepdims=True)
    window = np.hanning(sweeps.shape[1])
    hz = np.fft.rfftfreq(sweeps.shape[1], 1 / SFREQ_HZ)
    power = (np.abs(np.fft.rfft(sweeps * window, axis=1)) ** 2).mean(axis=0)
    power *= 2 / (window**2).sum() / sweeps.shape[1]
    straight = ((hz >= 2) & (hz < 7)) | ((hz > 14) & (hz <= 45))
    slope, height = np.polyfit(np.log(hz[straight]), np.log(power[straight]), 1)
    band, alpha = (hz >= 1) & (hz <= 100), (hz >= 7) & (hz <= 14)
    above = (power[alpha] - np.exp(height + slope * np.log(hz[alpha]))).sum()
    total = power[band].sum()
    return float(np.sqrt(total)), -slope, max(above, 0.0) / total, float(np.log(sweeps.std(axis=1)).std())
