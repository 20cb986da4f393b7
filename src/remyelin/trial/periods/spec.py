"""All that a crossover was told, so that other questions can be fitted with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import FloatArray
from remyelin.trial.periods.estimands import QUESTIONS
from remyelin.trial.periods.model import DF_METHODS, DfMethod
from remyelin.trial.periods.roles import Roles

Model = Literal["participant-period", "nested", "grizzle", "gee"]
MODELS = {
    "participant-period": "participant, eye and participant x period",
    "nested": "participant and eye, periods independent",
    "grizzle": "means of the eyes (Grizzle)",
    "gee": "GEE, exchangeable within participants",
}


@dataclass(frozen=True, slots=True)
class Specification:
    """The arguments of `crossover`, its table checked, `se` as an array (row,) of squares."""

    formula: str
    roles: Roles
    baseline: str | None
    reference: str
    model: Model
    df: DfMethod
    alpha: float
    data: pd.DataFrame = field(repr=False)
    known: FloatArray = field(repr=False)


def check_names(estimand: str, model: str, df: str) -> None:
    """InputError for an estimand, model or method that is none."""
    for name, value, options in (
        ("estimand", estimand, QUESTIONS),
        ("model", model, MODELS),
        ("df", df, DF_METHODS),
    ):
        if value not in options:
            raise InputError(
                "", name, repr(value), f"one of {'; '.join(options)}", did_you_mean(value, options)
            )
