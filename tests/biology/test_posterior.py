"""The shipped posterior meets what it was calibrated on; a bad one says what is wrong with it."""

import copy

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.ageing import AGEING, aged, factors
from remyelin.biology.calibrate import prior
from remyelin.biology.draws import posterior, read_posterior
from remyelin.biology.experiments import control_days, controls
from remyelin.biology.rates import names
from remyelin.errors import InputError
from remyelin.evidence.load import STATUSES, read_data, source


@pytest.mark.parametrize(("name", "control"), [("rat-young", "young"), ("rat-old", "old")])
def test_scenarios_take_the_days_that_were_seen(name, control):
    row = controls()[control]
    course = biology.simulate(biology.scenario(name), days=110)
    assert course.completion_day() == pytest.approx(row.completion_day, abs=0.1)
    days = course.completion_days()
    assert np.median(days) == pytest.approx(row.completion_day, abs=row.sd)
    assert np.mean(np.abs(days - row.completion_day) <= 2 * row.sd) >= 0.9


def test_the_calibration_sees_what_a_scenario_does():
    days = control_days(posterior().known())
    for name in ("young", "old"):
        course = biology.simulate(biology.scenario(f"rat-{name}"), days=110)
        assert course.completion_days() == pytest.approx(days[name], rel=1e-9)


def test_draws_are_two_hundred_within_the_prior():
    known, believed = posterior(), prior()
    assert known.names == believed.names
    assert known.draws.shape == (200, len(known.names))
    logs = np.log(known.draws)
    assert (logs >= believed.low - 1e-4).all()
    assert (logs <= believed.high + 1e-4).all()
    assert known.fixed == believed.fixed


def test_ages_of_arrays_and_of_rates_agree():
    known = posterior()
    ratios = {key: known.known()[f"ageing.{key}"] for key in AGEING}
    young = known.rates(0.0, 7)
    one = {key: float(value[7]) for key, value in ratios.items()}
    old = aged(young, one, 1.4, 70.0)
    for rate, factor in factors(ratios, 1.4, np.full(200, 70 / young.cycle_days)).items():
        assert getattr(old, rate) == pytest.approx(getattr(young, rate) * factor[7])


def spoilt(change):
    data = copy.deepcopy(read_data("biology_posterior.toml"))
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("draws"), "draws is missing"),
        (lambda d: d.update(names=3), "names is missing"),
        (lambda d: d["names"].__setitem__(0, "recruitment"), "unknown"),
        (lambda d: d["names"].__setitem__(0, "niche"), "twice"),
        (lambda d: d["fixed"].pop("cycle_days"), "without 'cycle_days'"),
        (lambda d: d["draws"].clear(), "empty"),
        (lambda d: d["draws"][3].pop(), "draw 3 is of 23 numbers, expected 24"),
        (lambda d: d["draws"].__setitem__(3, 1.0), "draw 3 is no list"),
        (lambda d: d["draws"][3].__setitem__(0, -1.0), "draw 3 is with -1.0"),
        (lambda d: d["draws"][3].__setitem__(0, "1"), "draw 3 is with '1'"),
        (lambda d: d["draws"][3].__setitem__(0, float("nan")), "draw 3 is with nan"),
        (lambda d: d["draws"][3].__setitem__(d["names"].index("progenitor_peak"), 0.9), "progenitor_peak"),
    ],
)
def test_a_bad_posterior_says_what_is_wrong(change, words):
    with pytest.raises(InputError) as caught:
        read_posterior(spoilt(change))
    assert words in str(caught.value)


@pytest.mark.parametrize("draw", [-1, 200])
def test_no_such_draw(draw):
    with pytest.raises(InputError, match="0 to 199"):
        posterior().rates(0.0, draw)


ROWS = {
    f"{table}.{name}": row
    for table in ("rate", "ageing")
    for name, row in read_data("biology.toml")[table].items()
}


def test_every_rate_has_a_row():
    assert {f"rate.{name}" for name in names()} | {f"ageing.{key}" for key in AGEING} <= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_unit_and_status_and_a_source_unless_unverified_or_off(name):
    row = ROWS[name]
    assert row["unit"]
    assert row["status"] in (*STATUSES, "off")
    if row["status"] == "off":
        assert row["value"] in (0, float("inf"))
    elif row["status"] == "unverified":
        assert row["low"] < row["value"] <= row["high"]
    else:
        assert source(row["source"]).read
        assert "low" not in row
