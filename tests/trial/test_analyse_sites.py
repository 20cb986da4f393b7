"""Lesions and eyes as rows of their own: mixed models and estimating equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial import gee, mixed_model
from remyelin.trial.analyse import Analysis, analyse

NAME = "submedian-lesion-mtr"


def endpoint_of(protocol: Protocol, **changes: Any) -> Protocol:
    wanted = {"summary": "site-change", "select": "all", "estimator": "mixed", **changes}
    first = protocol.endpoint[0].model_copy(update=wanted)
    return protocol.model_copy(update={"endpoint": (first,)})


def row_of(analysis: Analysis, name: str = NAME, estimator: str = "mixed"):
    frame = analysis.results.frame
    return frame[(frame["endpoint"] == name) & (frame["estimator"] == estimator)].iloc[0]


def same(row, direct) -> None:
    for ours, theirs in (
        ("estimate", "estimate"),
        ("se", "se"),
        ("df", "df"),
        ("p", "p"),
        ("statistic", "t"),
    ):
        assert row[ours] == pytest.approx(direct[theirs], rel=1e-9)


def test_each_lesion_is_a_row_of_the_mixed_model(measurements, protocol, allocation):
    analysis = analyse(measurements, endpoint_of(protocol), allocation)
    table = analysis.rows[NAME]
    assert len(table) == 240
    direct = mixed_model("change ~ arm + baseline", table, "participant_id", arm="arm", reference="placebo")
    row = row_of(analysis)
    same(row, direct.contrasts().iloc[0])
    assert (row["n_participants"], row["n_sites"], row["prespecified"]) == (20, 240, True)
    assert "random intercept of participant" in analysis.methods
    assert "10.2307/2533558" in analysis.methods


def test_each_lesion_is_a_row_of_the_estimating_equations(measurements, protocol, allocation):
    analysis = analyse(measurements, endpoint_of(protocol, estimator="gee"), allocation)
    direct = gee(
        "change ~ arm + baseline", analysis.rows[NAME], "participant_id", arm="arm", reference="placebo"
    )
    same(row_of(analysis, estimator="gee"), direct.contrasts().iloc[0])
    assert "10.1111/j.0006-341X.2001.00126.x" in analysis.methods
    assert "exchangeable working correlation" in analysis.methods


@pytest.mark.parametrize("estimator", ["mixed", "gee"])
def test_weights_and_means_of_participants_stand_beside_it(measurements, protocol, allocation, estimator):
    analysis = analyse(measurements, endpoint_of(protocol, estimator=estimator), allocation)
    names = set(analysis.results.frame["endpoint"])
    assert f"{NAME} (weighted by measurement error)" in names
    assert f"{NAME} (means of participants)" in names
    assert f"{NAME} (mean baseline of the participant added)" in names
    assert f"{NAME} (precision-weighted mean of lesions)" in names
    assert analysis.results.frame["prespecified"].sum() == 1


def test_weights_may_be_prespecified(rows, protocol, allocation):
    rng = np.random.default_rng(3)
    table = [row | {"se": float(rng.uniform(0.3, 2.0))} for row in rows()]
    plan = endpoint_of(protocol, weighting="measurement-error")
    analysis = analyse(Measurements.from_rows(table), plan, allocation)
    direct = mixed_model(
        "change ~ arm + baseline",
        analysis.rows[NAME],
        "participant_id",
        arm="arm",
        reference="placebo",
        se="se",
    )
    same(row_of(analysis), direct.contrasts().iloc[0])
    assert f"{NAME} (measurement error not used)" in set(analysis.results.frame["endpoint"])
    assert "known part of its variance" in analysis.methods


def test_only_lesions_below_the_median_are_rows_where_the_endpoint_selects_them(
    measurements, protocol, allocation
):
    analysis = analyse(measurements, endpoint_of(protocol, select="submedian"), allocation)
    assert len(analysis.rows[NAME]) == 120
    assert f"{NAME} (regression to the mean removed)" in set(analysis.results.frame["endpoint"])


def test_options_reach_the_estimator(measurements, protocol, allocation):
    mixed = analyse(measurements, endpoint_of(protocol, df="satterthwaite"), allocation)
    assert "10.2307/3002019" in mixed.methods
    robust = analyse(measurements, endpoint_of(protocol, estimator="gee", covariance="robust"), allocation)
    corrected = analyse(measurements, endpoint_of(protocol, estimator="gee"), allocation)
    assert row_of(robust, estimator="gee")["se"] < row_of(corrected, estimator="gee")["se"]


def test_a_covariate_may_be_called_site(measurements, protocol, allocation):
    covariates = allocation[["participant_id"]].assign(site=["north", "south"] * 5 + ["south", "north"] * 5)
    plan = endpoint_of(protocol, formula="change ~ arm + baseline + site")
    analysis = analyse(measurements, plan, allocation, covariates)
    assert "site[T.south]" in analysis.fits[NAME].table.index


def test_order_of_rows_changes_nothing(rows, protocol, allocation):
    table = rows()
    plan = endpoint_of(protocol)
    one, other = (analyse(Measurements.from_rows(each), plan, allocation) for each in (table, table[::-1]))
    assert one.results == other.results
    assert one.methods == other.methods


@pytest.mark.parametrize("estimator", ["mixed", "gee"])
def test_the_mean_baseline_of_a_participant_is_a_column_too(measurements, protocol, allocation, estimator):
    plan = endpoint_of(protocol, formula="change ~ arm + baseline_mean + baseline", estimator=estimator)
    analysis = analyse(measurements, plan, allocation)
    table = analysis.rows[NAME]
    means = table.groupby("participant_id")["baseline"].transform("mean")
    np.testing.assert_allclose(table["baseline_mean"], means)
    assert list(analysis.fits[NAME].table.index)[-2:] == ["baseline_mean", "baseline"]
    assert f"{NAME} (means of participants)" in set(analysis.results.frame["endpoint"])
