"""How fast and how exact magnetisation transfer is computed, and what myelin, water and B1 do to MTR.

    python benchmarks/signal/mt.py

Two million voxels (a brain at 1 mm), each with its own bound fraction, T1, water, T2 and B1; one thread,
CPU time, compiled before. Exactness: against Bloch's equations with exchange and all pulses in their
shapes, in 300 of the voxels.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import time  # noqa: E402

import numpy as np  # noqa: E402

from remyelin.signal import (  # noqa: E402
    MTSignals,
    Tissue,
    bloch_signals,
    mt_signals,
    mt_values,
    mtr_pu,
    white_matter,
)
from remyelin.signal.cycle import MODELS  # noqa: E402

SEED, VOXELS, CHECKED = 2026, 2_000_000, 300
FLUID_T1_S = 4.0  # an assumption of the table, no evidence


def main() -> None:
    rng = np.random.default_rng(SEED)
    fraction, t1, water, t2 = (
        rng.uniform(low, high, VOXELS) for low, high in ((0.02, 0.14), (0.5, 1.6), (0.9, 1.2), (0.03, 0.08))
    )
    b1 = rng.uniform(0.75, 1.25, VOXELS)
    tissue = Tissue(fraction, t1, water, t2)
    some = rng.choice(VOXELS, CHECKED, replace=False)
    few = Tissue(fraction[some], t1[some], water[some], t2[some])
    begun = time.process_time()
    exact = _mtr(bloch_signals(few, b1=b1[some]))
    slow = (time.process_time() - begun) / CHECKED
    apart = _mtr(bloch_signals(few, b1=b1[some], excitation_saturates=False))
    alone = np.array([float(mtr_pu(_one(few, k), b1=b1[k_all])) for k, k_all in enumerate(some)])

    print(f"\n{VOXELS / 1e6:g} million voxels; load {os.getloadavg()[0]:.1f}\n")
    titles = (
        "model of the MT pulse",
        "CPU s",
        "MTR less Bloch's, pu: mean",
        "SD",
        "largest",
        "excitation apart",
    )
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for model in MODELS:
        mt_signals(few, model=model)
        begun = time.process_time()
        found = _mtr(mt_signals(tissue, b1=b1, model=model))[some]
        spent = time.process_time() - begun
        if model == "sled-pike":
            worst = np.abs(found - alone).max()
        away, free = found - exact, np.abs(found - apart).max()
        mean, sd, largest = away.mean(), away.std(), np.abs(away).max()
        print(f"| {model} | {spent:.1f} | {mean:+.2f} | {sd:.2f} | {largest:.2f} | {free:.2f} |")
    print(f"\nPolynomials in place of pulse and lineshape: largest error {worst:.0e} pu.")
    print(f"Bloch: {1e3 * slow:.1f} ms a voxel, {slow * VOXELS / 3600:.1f} hours for all.\n")

    print("| | MTR, pu | MTsat, pu | T1, s | MT-off |\n| --- | --- | --- | --- | --- |")
    wet = {"added_water": 0.1, "fluid_t1_s": FLUID_T1_S}
    for name, one, field in (
        ("all its myelin", white_matter(1.0), 1.0),
        ("half of it", white_matter(0.5), 1.0),
        ("remyelinated (f 4.1 %)", white_matter((0.041 - 0.025) / 0.044), 1.0),
        ("bare", white_matter(0.0), 1.0),
        ("all, 10 % more water", white_matter(1.0, **wet), 1.0),
        ("bare, 10 % more water", white_matter(0.0, **wet), 1.0),
        ("bare, T1 as with all myelin", white_matter(0.0, t1_s=white_matter(1.0).t1_s), 1.0),
        ("all, B1 10 % low", white_matter(1.0), 0.9),
        ("bare, B1 10 % low", white_matter(0.0), 0.9),
    ):
        signals = mt_signals(one, b1=field)
        seen = mt_values(signals)
        print(f"| {name} | {seen.mtr_pu:.1f} | {seen.mtsat_pu:.2f} | {seen.t1_s:.2f} | {signals.off:.4f} |")


def _mtr(signals: MTSignals) -> np.ndarray:
    return 100 * (1 - signals.on / signals.off)


def _one(tissue: Tissue, k: int) -> Tissue:
    return Tissue(tissue.bound_fraction[k], tissue.t1_s[k], tissue.water[k], tissue.t2_free_s[k])


if __name__ == "__main__":
    main()
