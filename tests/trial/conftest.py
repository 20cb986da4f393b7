"""Small trials as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.tables import Measurements

Rows = list[dict[str, Any]]


def person(k: int) -> str:
    return f"sub-{k:02d}"


@pytest.fixture
def protocol() -> Protocol:
    """Two arms, M00 and M06 with a window, the submedian endpoint and the weighted mean of all lesions."""
    return Protocol.read("demo")


@pytest.fixture
def rows() -> Callable[..., Rows]:
    """Rows of a trial: lesion error SD 1 pu, between-lesion SD 3 pu, `effect` in the odd participants."""

    def make(
        n: int = 20,
        lesions: int = 12,
        effect: float = 0.0,
        seed: int = 1,
        visits: tuple[str, ...] = ("M00", "M06"),
    ) -> Rows:
        rng = np.random.default_rng(seed)
        days = {"SCR": -14.0, "M00": 0.0, "M06": 182.0}
        out: Rows = []
        for k in range(n):
            truth = rng.normal(31, 3, lesions)
            for visit in visits:
                values = truth + rng.normal(0, 1, lesions) + effect * (k % 2) * (visit == "M06")
                out += [
                    {"participant_id": person(k), "visit": visit, "day": days[visit],
                     "site": f"lesion:{j:03d}", "measure": "mtr_pu", "condition": "", "value": value,
                     "se": 1.0, "unit": "pu", "state": "present", "quality": "pass", "reason": ""}
                    for j, value in enumerate(values)
                ]  # fmt: skip
        return out

    return make


@pytest.fixture
def allocation() -> pd.DataFrame:
    arms = ["placebo", "treated"]
    return pd.DataFrame(
        {"participant_id": [person(k) for k in range(20)], "arm": [arms[k % 2] for k in range(20)]}
    )


@pytest.fixture
def measurements(rows) -> Measurements:
    return Measurements.from_rows(rows())
