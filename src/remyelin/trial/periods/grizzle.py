"""One value a participant and period: the mean of the eyes that have both periods.

With it the model of a crossover is that of Grizzle 1965 (Biometrics 21:467): t tests with the number of
participants less two degrees of freedom, on differences for treatment and period, on sums for the sequence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.periods.roles import Roles


def mean_of_eyes(
    frame: pd.DataFrame, known: FloatArray, roles: Roles, columns: list[str], both_periods: bool
) -> tuple[pd.DataFrame, FloatArray]:
    """Average `columns` over the eyes of a participant in a period, and their known variance with them.

    Eyes without the other period are left out if `both_periods`: else a change would be between unlike eyes.

    Raises
    ------
    InputError
        Where no eye has both periods, or a column that is not a number differs between the eyes.
    """
    if both_periods:
        unit = [name for name in (roles.participant, roles.eye) if name is not None]
        complete = (frame.groupby(unit)[roles.period].transform("nunique") == 2).to_numpy()
        if not complete.any():
            raise InputError(
                "", roles.period, "never seen twice in one eye", "eyes with both periods",
                "take model='participant-period', which also uses incomplete eyes",
            )  # fmt: skip
        frame, known = frame[complete].reset_index(drop=True), known[complete]
    groups = frame.groupby([roles.participant, roles.period], sort=False, observed=True)
    first = ~frame.duplicated([roles.participant, roles.period]).to_numpy()
    means = frame[first].reset_index(drop=True)
    code = groups.ngroup().to_numpy()
    count = np.bincount(code)
    for name in columns:
        if pd.api.types.is_numeric_dtype(frame[name].dtype):
            means[name] = np.bincount(code, weights=frame[name].to_numpy(dtype=np.float64)) / count
        elif (groups[name].nunique() > 1).any():
            raise InputError(
                "", name, "different in the two eyes", "a number, or one value a participant",
                "take model='participant-period', which keeps the eyes apart",
            )  # fmt: skip
    return means, np.bincount(code, weights=known) / count**2
