"""Components of variance over readers: a worked table, simulation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.reader_variance import reader_variance
from remyelin.measure.readings import Reading


def readings(table: np.ndarray, repeat: int = 1) -> list[Reading]:
    return [
        Reading(
            f"sub-{i:03d}",
            "M00",
            "OD",
            60.0,
            "",
            f"R{j}",
            "P100",
            value,
            7.0,
            "2026-03-09T10:00",
            "",
            "pass",
            repeat,
        )
        for i, row in enumerate(table)
        for j, value in enumerate(row)
        if np.isfinite(value)
    ]


# Shrout & Fleiss, Psychol Bull 1979;86:420, table 2: 6 targets, 4 judges; mean squares 11.24, 32.49 and 1.02.
SHROUT = (
    np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]) + 100.0
)


def test_the_components_are_those_of_a_published_table():
    found = reader_variance(readings(SHROUT))
    assert found.residual.sd_ms**2 == pytest.approx(1.02, abs=0.005)
    assert found.between.sd_ms**2 == pytest.approx((11.24 - 1.02) / 4, abs=0.005)
    assert found.reader.sd_ms**2 == pytest.approx((32.49 - 1.02) / 6, abs=0.005)
    total = sum(one.sd_ms**2 for one in found.components)
    assert found.between.sd_ms**2 / total == pytest.approx(0.29, abs=0.005)  # ICC(2,1) as printed
    assert found.change_same_ms == pytest.approx(1.96 * np.sqrt(2 * 1.0194), abs=0.01)


def test_it_agrees_with_reml_where_no_component_is_negative():
    statsmodels = pytest.importorskip("statsmodels.api")
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    table = rng.normal(118, 8, 30)[:, None] + rng.normal(0, 3, 4) + rng.normal(0, 2, (30, 4))
    long = pandas.DataFrame(
        [(v, i, j, 1) for (i, j), v in np.ndenumerate(table)], columns=["ms", "trace", "reader", "all"]
    )
    model = statsmodels.MixedLM.from_formula(
        "ms ~ 1", long, groups="all", re_formula="0", vc_formula={"t": "0 + C(trace)", "r": "0 + C(reader)"}
    )
    fit = model.fit(reml=True)
    found = reader_variance(readings(table))
    reader, trace = np.sqrt(fit.vcomp)
    assert found.between.sd_ms == pytest.approx(trace, rel=2e-3)
    assert found.reader.sd_ms == pytest.approx(reader, rel=2e-3)
    assert found.residual.sd_ms == pytest.approx(np.sqrt(fit.scale), rel=2e-3)


@pytest.mark.parametrize("readers", [2, 5])
def test_the_intervals_hold_the_truth_in_95_of_100(readers):
    rng = np.random.default_rng(9)
    truth = {"between": 10.0, "reader": 1.5, "residual": 2.0}
    held = dict.fromkeys(truth, 0)
    n = 400
    for _ in range(n):
        table = (
            118
            + rng.normal(0, 10, 40)[:, None]
            + rng.normal(0, 1.5, readers)
            + rng.normal(0, 2, (40, readers))
        )
        for one in reader_variance(readings(np.clip(table, 55, 290))).components:
            held[one.name] += one.low_ms <= truth[one.name] <= one.high_ms
    for name, count in held.items():
        assert 0.92 <= count / n <= 0.985, name


def test_repeated_readings_give_the_repeatability():
    rng = np.random.default_rng(2)
    true = rng.normal(118, 8, (60, 1)) + np.zeros((1, 2))
    first, second = (true + rng.normal(0, 1.5, true.shape) for _ in range(2))
    found = reader_variance([*readings(first), *readings(second, repeat=2)])
    assert found.repeatability is not None
    pooled = np.sqrt(np.mean((first - second) ** 2) / 2)  # Bland & Altman 1996, two readings each
    assert found.repeatability.sd_ms == pytest.approx(pooled)
    assert found.repeatability.low_ms < 1.5 < found.repeatability.high_ms
    assert reader_variance(readings(first)).repeatability is None


def test_traces_that_a_reader_lacks_and_the_adjudicator_are_left_out():
    table = SHROUT.copy()
    table[0, 1] = np.nan
    judge = [one for one in readings(SHROUT) if one.reader == "R0"]
    judge = [
        Reading(*(one.participant, "M00", "OD", 60.0, "", "adjudicator", "P100", 150.0, 7.0, "", ""))
        for one in judge
    ]
    found = reader_variance([*readings(table), *judge])
    assert (found.n_traces, found.n_readers, found.n_left_out) == (5, 4, 1)
    assert found.residual == reader_variance(readings(SHROUT[1:])).residual


@pytest.mark.parametrize("table", [SHROUT[:, :1], SHROUT[:2]])
def test_too_few_are_refused(table):
    with pytest.raises(InputError, match="2 readers and 3 traces"):
        reader_variance(readings(table))


def test_a_negative_component_is_none_and_its_interval_reaches_up():
    rng = np.random.default_rng(1)
    found = [reader_variance(readings(118 + rng.normal(0, 2, (20, 3)))) for _ in range(20)]
    zero = [one.reader for one in found if one.reader.sd_ms == 0]
    assert zero
    assert all(one.low_ms == 0 < one.high_ms for one in zero)
    assert "SD reader" in str(found[0])
    assert list(found[0].to_frame()["name"]) == ["between", "reader", "residual"]


@given(st.floats(-10, 10), st.permutations(range(4)))
def test_a_shift_of_all_and_the_names_of_readers_change_nothing(shift, order):
    a, b = reader_variance(readings(SHROUT)), reader_variance(readings(SHROUT[:, list(order)] + shift))
    for one, other in zip(a.components, b.components, strict=True):
        assert other.sd_ms == pytest.approx(one.sd_ms)
        assert other.high_ms == pytest.approx(one.high_ms)
