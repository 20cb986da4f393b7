"""How often eyes are called exchanged: where nothing is, and where they are.

    python benchmarks/vep/exchanged_eyes.py

Fixed seeds, under a minute. The figures of docs/theory/iscev.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from remyelin.measure.norms import Norm, norm_z
from remyelin.measure.swap import swap_signature

PEOPLE = 4000
BETWEEN_EYES_MS = 10.0


def rows(person: str, visit: str, eyes: np.ndarray, se: float, condition: str, source: str) -> Iterator[dict]:
    for eye, value in zip(("OD", "OS"), eyes, strict=True):
        yield {
            "participant_id": person,
            "visit": visit,
            "site": f"eye:{eye}",
            "measure": "p100_latency_ms",
            "condition": condition,
            "value": value,
            "se": se,
            "state": "present",
            "quality": "pass",
            "source": source,
        }


def study(seed: int, se: float, reader_sd: float, change_sd: float, gap: float | None = None) -> pd.DataFrame:
    """Two visits of everyone; with `gap` the eyes differ by so much and the table has them exchanged."""
    rng = np.random.default_rng(seed)
    made: list[dict] = []
    for k in range(PEOPLE):
        eyes = 115 + rng.normal(0, BETWEEN_EYES_MS, 2) if gap is None else np.array([112.0, 112.0 + gap])
        for visit in ("M00", "M06") if gap is None else ("M00",):
            eyes = eyes + (visit == "M06") * rng.normal(0, change_sd, 2)
            recorded, read = eyes + rng.normal(0, se, 2), eyes + rng.normal(0, reader_sd, 2)
            made += rows(f"sub-{k:04d}", visit, recorded, se, "check=60;reader=auto", "a.edf")
            made += rows(f"sub-{k:04d}", visit, read if gap is None else read[::-1], np.nan, "", "vep.tsv")
    return pd.DataFrame(made)


def main() -> None:
    print("nothing exchanged: flagged of visits (table and recording), of participants (between visits)")
    for se, reader_sd, change_sd in ((1, 1.8, 2.5), (1, 3.0, 2.5), (2, 1.8, 4.3), (1, 1.8, 8.0)):
        found = swap_signature(study(5, se, reader_sd, change_sd))
        table = sum("recording shows" in one.flag.found for one in found)
        told = f"se {se} ms, reader {reader_sd} ms, change {change_sd} ms"
        print(f"  {told}: {table / (2 * PEOPLE):.5f}, {(len(found) - table) / PEOPLE:.5f}")
    print("exchanged in the table: found, by the difference of the eyes (se 1 ms, reader 1.8 ms)")
    for gap in (4.0, 6.0, 8.0, 10.0):
        print(f"  {gap:g} ms: {len(swap_signature(study(12, 1.0, 1.8, 0.0, gap))) / PEOPLE:.3f}")
    rng = np.random.default_rng(1)
    samples, new = rng.normal(100, 5, (20_000, 28)), rng.normal(100, 5, 20_000)
    for n in (28, None):
        late = [
            norm_z(x, check_arcmin=60, sex="any", norms=[Norm(60, "any", 18, 90, m, s, None, n)]).is_late
            for x, m, s in zip(new, samples.mean(1), samples.std(1, ddof=1), strict=True)
        ]
        told = "told" if n else "not told"
        print(f"healthy people above the limit of 28 people, n {told}: {np.mean(late):.4f}")


if __name__ == "__main__":
    main()
