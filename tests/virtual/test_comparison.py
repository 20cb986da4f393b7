"""Arms, estimands and errors of a forecast."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.protocol import Protocol
from remyelin.virtual import Premises, Response, run_trials
from remyelin.virtual.asked import BESIDE, asked_of
from remyelin.virtual.assumptions import central
from remyelin.virtual.comparison import (
    LATENCY,
    MTR,
    Followed,
    Setting,
    exposures_of,
    follow_arms,
    last_day,
    visit_days,
)
from remyelin.virtual.repair import Exposure
from remyelin.virtual.response import Changes


def changed(name: str, **tables) -> Protocol:
    return Protocol.from_tables({**Protocol.read(name).model_dump(exclude_none=True), **tables})


def arms_with(latency: dict[str, list[float]], day: tuple[int, ...], protocol: Protocol) -> Followed:
    made = {
        name: Changes(np.array([row]), np.zeros((1, len(day))), np.zeros((1, len(day))), np.ones(1))
        for name, row in latency.items()
    }
    return Followed(protocol, Setting(), day, made)


def test_a_crossover_compares_changes_within_periods():
    rebuild = Protocol.read("rebuild")
    rows = {"clemastine-first": [0.0, -0.5, -2.0, -1.5], "placebo-first": [0.0, 0.0, 0.0, -1.0]}
    followed = arms_with(rows, (0, 30, 90, 150), rebuild)
    worlds = central(delayed_part=0.5)
    # Treated: -2.0 and -1.0; placebo: 0, and +0.5 as a gain is lost again. Half of the eyes are delayed.
    expected = 0.5 * ((-2.0 - 1.0) / 2 - (0.0 + 0.5) / 2)
    assert followed.effects(LATENCY, worlds, 0)["clemastine"] == pytest.approx([expected])
    assert followed.effects(LATENCY, worlds, 0, "delayed")["clemastine"] == pytest.approx([2 * expected])


def test_arms_are_compared_with_the_reference():
    two = Protocol.read("ccmr-two")
    followed = arms_with({"clemastine-metformin": [0.0, -3.0], "placebo": [0.0, -1.0]}, (0, 182), two)
    found = followed.effects(LATENCY, central(delayed_part=1.0), 182)
    assert found["clemastine-metformin"] == pytest.approx([-2.0])


def test_all_eyes_change_less_than_delayed_ones():
    two = Protocol.read("ccmr-two")
    worlds = central(lesion_years=2.0, delayed_part=0.6)
    followed = follow_arms(two, worlds, setting=Setting.of(two))
    both, delayed = (followed.effects(LATENCY, worlds, 182, eyes) for eyes in ("both", "delayed"))
    (arm,) = both
    assert both[arm] == pytest.approx(0.6 * delayed[arm])
    assert followed.effects(MTR, worlds, 182)[arm] > 0


def test_what_is_left_washes_into_the_second_period():
    given = exposures_of(Protocol.read("rebuild"))
    assert given["clemastine-first"] == Exposure("clemastine", 0.0, 90.0)
    assert given["placebo-first"] == Exposure("clemastine", 90.0, 150.0)


def test_packaged_settings_are_those_on_record():
    assert Setting.of(Protocol.read("renew")) == Setting("acute", "affected", 10.0)
    assert Setting.of(Protocol.read("ccmr-two")) == Setting("chronic", "both", 1.0)
    assert Setting.of(Protocol.read("ccmr-two"), "acute").lesions == "acute"


def test_the_standard_error_is_that_of_the_plan():
    (primary, shift, delayed, mtr), left_out = asked_of(Protocol.read("ccmr-two"), Setting())
    n = 34 * (1 - 0.043), 36 * (1 - 0.043)
    assert primary.se == pytest.approx(2.4 * np.sqrt(1 / n[0] + 1 / n[1]))
    assert primary.df == pytest.approx(sum(n) - 2)
    assert (shift.se, delayed.se) == (primary.se, primary.se)
    assert mtr.se == pytest.approx(0.94 * np.sqrt(1 / n[0] + 1 / n[1]))
    assert {delayed.role, mtr.role} == {BESIDE}
    assert left_out == ()
    rebuild = asked_of(Protocol.read("rebuild"), Setting())[0]
    assert rebuild[0].se == pytest.approx(4.33 / np.sqrt(50))


def test_the_planned_error_is_that_of_the_virtual_cohort():
    two = Protocol.read("ccmr-two")
    premises = Premises.read("trial")
    found = run_trials(
        two, 400, endpoints=["p100-latency"], rng=np.random.default_rng(1), response=Response.constant(),
        premises=premises,
    )  # fmt: skip
    planned = asked_of(two, Setting())[0][0].se
    # The SD of 400 estimates is known to 3.5 %.
    assert float(found.significant()["sd"].iloc[0]) == pytest.approx(planned, rel=0.09)


def test_after_acute_neuritis_nothing_is_asked_besides():
    renew = Protocol.read("renew")
    asked, _ = asked_of(renew, Setting.of(renew))
    assert [each.role for each in asked] == ["primary", "secondary"]
    assert asked[0].se == pytest.approx(16 * np.sqrt(2 / 41))


def test_power_is_that_of_the_right_direction():
    asked = asked_of(Protocol.read("ccmr-two"), Setting())[0][0]
    faster, none, slower = asked.power(np.array([-3.0, 0.0, 3.0]), asked.se)
    assert faster > 0.99
    assert none == pytest.approx(0.025, abs=1e-3)
    assert slower < 1e-6


def arm(**given):
    return ({"id": "a", "n": 9, **given}, {"id": "placebo", "n": 9})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: exposures_of(Protocol.read("visionary-ms")), "'cnm-au8', whose target is not known"),
        (lambda: asked_of(Protocol.read("synergy"), Setting()), "endpoint measure is edss"),
        (lambda: Setting.of(Protocol.read("renew"), "old"), "chronic or acute"),
        (
            lambda: follow_arms(
                changed("ccmr-two", trial={"id": "x", "design": "parallel", "reference": "placebo"},
                        arm=({"id": "a", "n": 9, "treatment": "placebo"}, {"id": "placebo", "n": 9})),
                central(), setting=Setting(),
            ),
            "placebo in every arm",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_several_treatments_one_after_another_are_refused():
    arms = (
        {"id": "a", "n": 5, "sequence": ("clemastine", "metformin")},
        {"id": "b", "n": 5, "sequence": ("metformin", "clemastine")},
    )
    tables = Protocol.read("rebuild").model_dump(exclude_none=True) | {"arm": arms}
    with pytest.raises(InputError, match="one treatment, in periods that follow"):
        exposures_of(Protocol.from_tables(tables))


def test_a_visit_before_baseline_is_named():
    visits = ({"id": "S00", "day": -30.0}, {"id": "M00", "day": 0.0})
    endpoint = dict(Protocol.read("ccmr-one").model_dump(exclude_none=True)["endpoint"][0])
    endpoint["visits"] = ("S00", "M00")
    protocol = changed("ccmr-one", visit=visits, endpoint=(endpoint,))
    with pytest.raises(InputError, match="a visit after day 0, the baseline"):
        asked_of(protocol, Setting())
    assert visit_days(protocol) == {"M00": 0}
    with pytest.raises(InputError, match="'M00' on day 0"):
        last_day(protocol, protocol.primary)
