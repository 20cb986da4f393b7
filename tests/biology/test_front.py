"""The front of progenitors, as it is measured."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.draws import posterior
from remyelin.errors import InputError


@pytest.mark.parametrize(("name", "published"), [("rat-young", 0.6), ("rat-old", 0.38), ("rat-aged", 0.2)])
def test_the_front_is_as_fast_as_published(name: str, published: float) -> None:
    scenario = biology.scenario(name)
    measured = biology.front_speed_mm_per_week(scenario)
    assert measured == pytest.approx(published, rel=0.10)
    assert measured == pytest.approx(scenario.rates.front_mm_per_week, rel=0.05)


@pytest.mark.parametrize("draw", range(0, 100, 20))
def test_the_front_is_so_fast_by_every_draw(draw: int) -> None:
    scenario = biology.scenario("rat-young")
    scenario = scenario.changed(rates=posterior().rates(0, draw % len(posterior().draws)))
    assert biology.front_speed_mm_per_week(scenario) == pytest.approx(0.6, rel=0.05)


def test_the_front_follows_its_rate() -> None:
    measured = [
        biology.front_speed_mm_per_week(biology.scenario("rat-young", front_mm_per_week=speed))
        for speed in (0.05, 0.6, 6.0)
    ]
    assert np.allclose(np.array(measured) / (0.05, 0.6, 6.0), measured[1] / 0.6, rtol=1e-3)


def test_the_lesion_plays_no_part() -> None:
    plain = biology.scenario("rat-young")
    chronic = plain.changed(
        lesion_radius_mm=9, inhibition=5, smouldering=0.5, debris=3, attacks=(biology.Attack(3),)
    )
    assert biology.front_speed_mm_per_week(chronic) == biology.front_speed_mm_per_week(plain)


@pytest.mark.parametrize("demyelinated", [False, True])
@pytest.mark.parametrize("name", ["rat-young", "rat-aged"])
def test_the_front_is_as_fast_in_a_lesion(name: str, demyelinated: bool) -> None:
    # Foote and Blakemore 2005: demyelinated tissue is repopulated as fast as normal tissue.
    scenario = biology.scenario(name, lesion_radius_mm=5, resident_progenitors=0)
    scenario = scenario.changed(debris=0.0) if demyelinated else scenario
    speed = scenario.rates.front_mm_per_week
    course = biology.simulate_lesion(scenario, days=round(40 / speed))
    day, radius = course.arrival_day(), course.radius_mm
    measured = (radius > 1.5) & (radius < 3.5)
    assert -7 * np.polyfit(day[measured], radius[measured], 1)[0] == pytest.approx(speed, rel=0.05)


@pytest.mark.parametrize(
    ("model", "said"), [("leson", "lesion"), ("ode", "lesion or section"), (None, "model")]
)
def test_an_unknown_model_is_refused_with_the_known(model: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        biology.front_speed_mm_per_week(biology.scenario("rat-young"), model=model)


def test_what_is_no_scenario_is_refused() -> None:
    with pytest.raises(InputError, match=r"make one with biology\.scenario"):
        biology.front_speed_mm_per_week("rat-young")  # type: ignore[arg-type]


@pytest.mark.parametrize("division", [0.0, 0.05, 5.0, 20.0])
def test_the_front_is_so_fast_however_fast_progenitors_divide(division: float) -> None:
    scenario = biology.scenario("rat-young", proliferation_per_day=division)
    assert biology.front_speed_mm_per_week(scenario) == pytest.approx(0.6, rel=0.05)


@pytest.mark.parametrize(("division", "cycle"), [(0.0, 1e6), (100.0, 9.0)])
def test_a_front_that_takes_for_ever_is_refused(division: float, cycle: float) -> None:
    scenario = biology.scenario("rat-young", proliferation_per_day=division, cycle_days=cycle)
    with pytest.raises(InputError, match=r"growth of the first progenitors.*0\.0025 to 50"):
        biology.front_speed_mm_per_week(scenario)
