"""The re-randomisation test of an endpoint, from the protocol's own procedure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol, Randomisation
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse
from remyelin.trial.procedures import Minimisation, minimise
from remyelin.trial.rerandomisation import rerandomise

from .conftest import person

NAME = "submedian-lesion-mtr"
HOW = Randomisation(
    method="minimisation", factors=("sex", "centre"), order="entry", probability=0.8, replicates=500, seed=4
)


@pytest.fixture
def covariates() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"participant_id": [person(k) for k in range(20)], "sex": rng.choice(["F", "M"], 20),
         "centre": rng.choice(["A", "B"], 20), "entry": rng.permutation(20)}
    )  # fmt: skip


@pytest.fixture
def minimised(covariates) -> pd.DataFrame:
    people = covariates.sort_values("entry", ignore_index=True)
    people["arm"] = minimise(people[["sex", "centre"]], ["placebo", "treated"], probability=0.8, rng=5)
    return people[["participant_id", "arm"]]


def asked(protocol: Protocol, how: Randomisation = HOW) -> Protocol:
    first = protocol.endpoint[0].model_copy(update={"sensitivity": ("re-randomisation",)})
    return protocol.model_copy(update={"endpoint": (first,), "randomisation": how})


def test_the_row_is_the_test_in_order_of_entry(rows, protocol, covariates, minimised):
    measurements = Measurements.from_rows(rows(effect=1.0))
    analysis = analyse(measurements, asked(protocol), minimised, covariates)
    frame = analysis.results.frame.set_index("endpoint")
    row = frame.loc[f"{NAME} (re-randomisation)"]
    people = covariates.merge(minimised, on="participant_id").sort_values("entry", ignore_index=True)
    direct = rerandomise(
        "change ~ arm + baseline", analysis.rows[NAME], Minimisation(("sex", "centre"), 0.8), rng=4,
        reference="placebo", participant="participant_id", randomised=people, replicates=500,
    ).table.iloc[0]  # fmt: skip
    assert row["p"] == direct["p"]
    assert (row["ci_low"], row["ci_high"]) == (direct["ci_low"], direct["ci_high"])
    assert row["estimate"] == pytest.approx(frame.loc[NAME, "estimate"])
    assert not row["prespecified"]
    assert (
        analysis.results == analyse(measurements, asked(protocol), minimised.iloc[::-1], covariates).results
    )


def test_a_factor_that_is_not_there_costs_the_row_and_not_the_answer(
    measurements, protocol, covariates, minimised
):
    analysis = analyse(measurements, asked(protocol), minimised, covariates.drop(columns="centre"))
    assert NAME in set(analysis.results.frame["endpoint"])
    assert any("re-randomisation" in flag.field and "not a column" in flag.found for flag in analysis.flags)
    covariates.loc[3, "sex"] = None
    analysis = analyse(measurements, asked(protocol), minimised, covariates)
    assert any("not given for sub-03" in flag.found for flag in analysis.flags)


def test_simple_randomisation_needs_no_covariates(measurements, protocol, allocation):
    how = Randomisation(method="simple", replicates=500)
    frame = analyse(measurements, asked(protocol, how), allocation).results.frame
    assert f"{NAME} (re-randomisation)" in set(frame["endpoint"])
