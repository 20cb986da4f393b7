"""What every estimator refuses alike, before a number is printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin import trial
from remyelin.errors import InputError

_RNG = np.random.default_rng(1)
PEOPLE = pd.DataFrame(
    {
        "participant_id": np.repeat(np.arange(12), 2), "visit": np.tile(["M03", "M06"], 12),
        "period": np.tile([1, 2], 12), "arm": np.repeat(np.tile(["drug", "placebo"], 6), 2),
        "dose": np.repeat(np.tile([0, 1, 2], 4), 2), "change": _RNG.normal(0, 1, 24),
    }
)  # fmt: skip
PEOPLE["treatment"] = np.where((PEOPLE["arm"] == "drug") == (PEOPLE["period"] == 1), "drug", "placebo")
ONE = PEOPLE[PEOPLE["visit"] == "M06"].reset_index(drop=True)
CALLS: dict[str, Callable[[Any], Any]] = {
    "ancova": lambda a: trial.ancova("change ~ arm", ONE, alpha=a),
    "gee": lambda a: trial.gee("change ~ arm", PEOPLE, "participant_id", alpha=a),
    "mixed_model": lambda a: trial.mixed_model("change ~ arm", PEOPLE, "participant_id", alpha=a),
    "mmrm": lambda a: trial.mmrm(
        "change ~ arm * visit", PEOPLE, subject="participant_id", visit="visit", alpha=a
    ),
    "crossover": lambda a: trial.crossover("change ~ treatment + period", PEOPLE, alpha=a),
    "dose_trend": lambda a: trial.dose_trend("change ~ dose", ONE, dose="dose", family="gaussian", alpha=a),
    "responders": lambda a: trial.responders(
        ONE, value="change", threshold=0.0, direction="at least", alpha=a
    ),
    "rerandomise": lambda a: trial.rerandomise(
        "change ~ arm", ONE, trial.SimpleRandomisation(), rng=1, replicates=99, alpha=a
    ),
    "meta_analysis": lambda a: trial.meta_analysis([0.1, 0.2, 0.3], [0.1, 0.1, 0.2], alpha=a),
    "rubin": lambda a: trial.rubin([[1.0], [2.0]], [[1.0], [1.0]], [20.0], alpha=a),
    "sample_size": lambda a: trial.sample_size(1.0, trial.Spread.of_participant(2.0), alpha=a),
}


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0, float("nan")])
@pytest.mark.parametrize("name", CALLS)
def test_a_level_that_is_none(name: str, alpha: float) -> None:
    with pytest.raises(InputError, match=r"alpha is .*, expected .*0.* 1"):
        CALLS[name](alpha)


def test_an_sd_without_whose_it_is() -> None:
    with pytest.raises(InputError, match=r"spread is 5, .* Fix: give Spread\.of_participant"):
        trial.sample_size(1.0, 5)  # type: ignore[arg-type]


def test_data_that_are_no_frame() -> None:
    columns = PEOPLE.to_dict("list")
    for call in (
        lambda: trial.ancova("change ~ arm", columns),
        lambda: trial.gee("change ~ arm", columns, "participant_id"),
        lambda: trial.mixed_model("change ~ arm", columns, "participant_id"),
        lambda: trial.mmrm("change ~ arm * visit", columns, subject="participant_id", visit="visit"),
    ):
        with pytest.raises(InputError, match="data is a dict, expected a pandas DataFrame"):
            call()
