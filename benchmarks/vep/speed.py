"""CPU time of one eye with two visits, and of a 60-sector multifocal recording.

    python benchmarks/vep/speed.py

One eye: two visits of 100 sweeps at 1 kHz; detection of both, two latencies and one shift, with their
intervals. 60 sectors: two visits of 100 segments at 1 kHz. `cold` is the first call of a process, imports
of scipy included; `warm` the median of the calls after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import bench
import numpy as np
from estimators import ours_missing
from noise import SFREQ_HZ, START_MS, noise_sweeps
from waves import draw_wave, sweeps

LIMIT_S, LIMIT_MULTIFOCAL_S, REPEATS = 1.0, 20.0, 5
SECTORS, SECTOR_MS = 60, np.arange(START_MS, 450.0)


def one_eye(first: np.ndarray, last: np.ndarray) -> None:
    from remyelin.measure.vep import detect, latency_shift, p100

    for visit in (first, last):
        detect(visit, SFREQ_HZ)
        p100(visit, SFREQ_HZ, START_MS)
    latency_shift([first, last], SFREQ_HZ, START_MS)


def multifocal_recording(rng: np.random.Generator) -> list[np.ndarray]:
    """Two visits of 60 sectors, 100 segments each; every other sector is upside down."""
    visits = []
    waves = [draw_wave(rng, "normal", 6.0) for _ in range(SECTORS)]
    for shift in (0.0, -4.0):
        sectors = []
        for k, wave in enumerate(waves):
            noise = np.concatenate([noise_sweeps(rng, "pink", 100), noise_sweeps(rng, "pink", 100)], axis=1)
            recorded = noise[:, : len(SECTOR_MS)]
            recorded += (-1) ** k * wave.at(SECTOR_MS - shift)
            sectors.append(recorded)
        visits.append(np.array(sectors))
    return visits


def sixty_sectors(visits: list[np.ndarray]) -> None:
    from remyelin.measure.vep import multifocal

    multifocal(visits, SFREQ_HZ, START_MS)


def timed(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """CPU seconds of the first call, and the median of those after it."""
    spent = []
    for _ in range(1 + repeats):
        begun = time.process_time()
        call()
        spent.append(time.process_time() - begun)
    return spent[0], float(np.median(spent[1:]))


def main() -> None:
    chosen = bench.options(__doc__, replicates=REPEATS)
    if chosen.table:
        print(table(chosen.work))
        return
    if ours_missing():
        print(f"skipped: {ours_missing()}")
        return
    rng = np.random.default_rng(bench.SEED)
    wave = draw_wave(rng, "delayed", 6.0)
    first, last = (sweeps(rng, wave, noise_sweeps(rng, "pink", 100), shift_ms=s) for s in (0.0, -4.0))
    rows = [_row("one eye, two visits", timed(lambda: one_eye(first, last), REPEATS), LIMIT_S)]
    field = multifocal_recording(rng)
    rows.append(_row("60 sectors, two visits", timed(lambda: sixty_sectors(field), 1), LIMIT_MULTIFOCAL_S))
    chosen.work.mkdir(parents=True, exist_ok=True)
    head = ("what", "cold, CPU s", "warm, CPU s", "goal")
    (chosen.work / "speed.md").write_text(bench.markdown(head, rows))
    print(table(chosen.work))


def table(work: Path) -> str:
    """What was measured last."""
    file = work / "speed.md"
    return "## Speed\n\n" + (file.read_text() if file.exists() else "not measured yet")


def _row(what: str, spent: tuple[float, float], limit: float) -> list[str]:
    met = "met" if max(spent) <= limit else "met warm" if spent[1] <= limit else "**NOT MET**"
    return [what, f"{spent[0]:.2f}", f"{spent[1]:.2f}", f"<= {limit:g} {met}"]


if __name__ == "__main__":
    main()
