"""A small trial with repeated visits, some of them missed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def _trial(n=30, visits=("W04", "W12", "W24"), missing=0.2, seed=1):
    rng = np.random.default_rng(seed)
    m = len(visits)
    root = rng.normal(size=(m, m)) / np.sqrt(m) + np.eye(m)
    base = rng.normal(120, 8, n)
    y = rng.normal(size=(n, m)) @ root.T + 0.2 * base[:, None] + 0.3 * np.arange(m)
    person = np.repeat(np.arange(n), m)
    data = pd.DataFrame(
        {
            "id": [f"S{k:02d}" for k in person],
            "visit": np.tile(visits, n),
            "arm": np.where(person % 2, "drug", "placebo"),
            "base": base[person],
            "y": y.ravel(),
            "se": rng.uniform(0.1, 0.8, n * m),
        }
    )
    data.loc[rng.random(n * m) < missing, "y"] = np.nan
    return data


@pytest.fixture(scope="session")
def trial() -> Callable[..., pd.DataFrame]:
    """Subject, visit, arm, baseline, response and its standard error; each call makes a new table."""
    return _trial
