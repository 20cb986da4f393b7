"""Rows of latencies as they stand in measurements, for tests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from remyelin.tables import Measurements

DAYS = {"M00": 0.0, "M06": 182.0, "M12": 365.0}


def latency(visit: str, eye: str, value: float, se: float = 0.5, **given: object) -> dict[str, object]:
    """One row of P100 latency."""
    return {
        "participant_id": "sub-01",
        "visit": visit,
        "day": DAYS.get(visit, np.nan),
        "site": f"eye:{eye}",
        "measure": "p100_latency_ms",
        "condition": "check=60;reader=auto",
        "value": value,
        "se": se,
        "unit": "ms",
        "state": "present" if np.isfinite(value) else "missing",
        "quality": "pass",
        "reason": "",
        "source": "a.edf",
    } | given


def frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """The rows, checked as measurements are."""
    return Measurements.from_rows(rows).frame
