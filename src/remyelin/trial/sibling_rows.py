"""The rows of a sibling: one number a participant, compared by analysis of covariance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remyelin.tables import MEASURES
from remyelin.trial.case import Case, ResultRow, Study, numbers
from remyelin.trial.fits import without
from remyelin.trial.formula import parse
from remyelin.trial.inference import table
from remyelin.trial.linear import ancova
from remyelin.trial.siblings import Sibling, Slope


def sibling_rows(study: Study, case: Case, sibling: Sibling) -> list[ResultRow]:
    """The rows of a sibling that is one number a participant, by analysis of covariance."""
    endpoint, protocol = case.endpoint, study.protocol
    change = pd.Series(sibling.change.to_numpy(), index=case.long.changes.frame["participant_id"])
    people = case.people[case.people["analysed"]].set_index("participant_id")
    data = people[people.index.isin(case.ids(endpoint.own_set))].assign(change=change)
    data = data[data["change"].notna()]
    data["value"] = data["baseline"] + data["change"]
    data["baseline_mean"] = data["baseline"]
    data["arm"] = pd.Categorical(data["arm"], categories=list(protocol.compared))
    reference = protocol.reference
    left = ["visit", endpoint.site]
    if {"baseline", "baseline_mean"} <= set(parse(endpoint.formula)[2]):
        left.append("baseline_mean")  # of a participant they are one
    fit = ancova(
        without(endpoint.formula, *left), data,
        reference=reference.id if reference else None, alpha=endpoint.alpha,
    )  # fmt: skip
    shared = [fit.contrasts_of(data[name].to_numpy()) for name in sibling.shared_se]
    rows = []
    for k, (contrast, row) in enumerate(fit.contrasts().iterrows()):
        se = float(np.sqrt(row["se"] ** 2 + sum(each[k] ** 2 for each in shared)))
        value, se = _scaled(float(row["estimate"]), se, sibling.slope)
        tested = table([value], [se], fit.df, pd.Index([str(contrast)]), endpoint.alpha)
        rows.append(
            {
                "endpoint": sibling.name,
                "contrast": str(contrast),
                **numbers(tested.iloc[0]),
                "unit": MEASURES[endpoint.measure].unit,
                "n_participants": fit.n,
                "n_sites": int(data["n_used"].sum()),
                "analysis_set": "completers" if endpoint.own_set == "itt" else endpoint.own_set,
                "estimator": "ancova",
                "prespecified": False,
            }
        )
    return rows


def _scaled(value: float, se: float, slope: Slope | None) -> tuple[float, float]:
    """Divided by the calibration slope, whose own error is added."""
    if slope is None:
        return value, se
    scaled = value / slope.value
    return scaled, float(np.hypot(se, scaled * slope.se) / slope.value)
