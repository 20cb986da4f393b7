"""A lesion with an inside: conservation, convergence, size, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from remyelin import biology
from remyelin.biology.equations import STATES, Parameters, State, receptive, turnover
from remyelin.biology.shells import (
    GEOMETRIES,
    Shells,
    diffuse,
    diffusivity_mm2_per_day,
    march,
    replacement,
)
from remyelin.errors import InputError

PROGENITORS = STATES.index("progenitors")


def lesion(name: str = "rat-young", *, days: int = 60, shells: int | None = None, **changes: Any) -> Any:
    scenario = biology.scenario(name, **{"resident_progenitors": 0.0, **changes})
    return biology.simulate_lesion(scenario, days=days, shells=shells)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_shells_fill_the_body(geometry: str) -> None:
    shells = Shells.of(2.0, 25, geometry)
    power = GEOMETRIES[geometry]
    assert shells.volume.sum() == pytest.approx(2.0 ** (power + 1) / (power + 1), rel=1e-12)
    assert shells.area[-1] == pytest.approx(2.0**power)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(GEOMETRIES)),
    st.integers(2, 60),
    st.floats(1e-6, 0.5),
    st.integers(0, 2**32 - 1),
)
def test_diffusion_gains_what_flows_through_the_border(
    geometry: str, count: int, spread: float, seed: int
) -> None:
    shells = Shells.of(1.0, count, geometry)
    before = np.random.default_rng(seed).uniform(0, 2, count)
    after = before.copy()
    diffuse(after, shells.area, shells.volume, shells.width_mm, spread, 1.0, np.empty((2, count)))
    slope = 1.0 - (before[-1] + after[-1]) / 2
    inflow = spread * shells.area[-1] * slope / (shells.width_mm / 2)
    assert (after - before) @ shells.volume == pytest.approx(inflow, abs=1e-12)


def test_normal_density_stays_normal_under_diffusion() -> None:
    shells = Shells.of(1.0, 30, "ball")
    density = np.ones(30)
    diffuse(density, shells.area, shells.volume, shells.width_mm, 0.3, 1.0, np.empty((2, 30)))
    assert np.allclose(density, 1.0, atol=1e-13)


def test_normal_tissue_stays_normal() -> None:
    whole = {"progenitors", "surviving_oligodendrocytes", "survivor_sheaths", "thickness", "axons"}
    start = np.repeat([[float(state in whole) for state in STATES]], 20, axis=0)
    scenario = biology.scenario("rat-young")
    states = march(Shells.of(1.0, 20, "ball"), start, np.array(scenario.parameters()), days=100)
    for state in whole - {"thickness"}:
        assert np.allclose(states[:, :, STATES.index(state)], 1.0, atol=1e-9)


@pytest.mark.parametrize("geometry", ["sheet", "ball"])
def test_diffusion_decays_as_in_the_textbook(geometry: str) -> None:
    # The slowest mode of what is kept at 0 on its border: cos(pi r / 2) of a sheet, sin(pi r) / r of a ball.
    shells, elapsed, steps = Shells.of(1.0, 100, geometry), 0.1, 100
    r = shells.radius_mm
    mode, rate = (
        (np.cos(np.pi * r / 2), (np.pi / 2) ** 2)
        if geometry == "sheet"
        else (np.sin(np.pi * r) / r, np.pi**2)
    )
    density = mode.copy()
    for _ in range(steps):
        diffuse(
            density, shells.area, shells.volume, shells.width_mm, elapsed / steps, 0.0, np.empty((2, len(r)))
        )
    assert np.allclose(density, mode * np.exp(-rate * elapsed), atol=3e-4 * mode.max())


def test_a_general_solver_of_the_same_shells_agrees() -> None:
    scenario = biology.scenario("rat-young", lesion_radius_mm=1, resident_progenitors=0, receptive_days=80)
    count, days = 30, 30
    parameters = np.array(scenario.parameters())
    shells, p = Shells.of(1.0, count, "ball"), Parameters(*scenario.parameters())
    start = np.repeat([scenario.start()], count, axis=0)

    def slopes(t: float, flat: Any) -> Any:
        y = flat.reshape(count, -1)
        change = np.array([turnover(State(*row), p, 0.0, 1.0, receptive(t, p)) for row in y])
        change[:, PROGENITORS] += [replacement(State(*row), p) for row in y]
        density = np.append(y[:, PROGENITORS], 1.0)
        distance = np.append(np.full(count - 1, shells.width_mm), shells.width_mm / 2)
        inflow = diffusivity_mm2_per_day(parameters) * shells.area[1:] * np.diff(density) / distance
        change[:, PROGENITORS] += np.diff(inflow, prepend=0.0) / shells.volume
        return change.ravel()

    found = solve_ivp(slopes, (0, days), start.ravel(), method="RK45", rtol=1e-7, atol=1e-9)
    ours = march(shells, start, parameters, days=days)[-1]
    assert np.abs(found.y[:, -1].reshape(count, -1) - ours).max() < 2e-3


def test_more_shells_converge_with_second_order(capsys: pytest.CaptureFixture[str]) -> None:
    days, counts = 6, (20, 40, 80, 160)
    contents = []
    for count in counts:
        course = lesion(days=days, shells=count)
        contents.append(course.of("progenitors")[-1] @ course.shells.volume)
    coarse, fine, finest = np.abs(np.diff(contents))
    orders = np.log2([coarse / fine, fine / finest])
    with capsys.disabled():
        print(f"\nobserved order of the shells: {orders[0]:.2f}, {orders[1]:.2f}")
    assert (orders > 1.7).all()
    assert orders[1] == pytest.approx(2.0, abs=0.3)


def test_size_matters_where_no_progenitors_are_left() -> None:
    small, large = lesion(days=120, lesion_radius_mm=0.5), lesion(days=120, lesion_radius_mm=5)
    assert small.completion_day() < 32
    assert large.shell_completion_day()[0] > small.shell_completion_day()[0] + 40
    assert large.shell_completion_day()[-1] == pytest.approx(small.shell_completion_day()[-1], abs=1)


@pytest.mark.parametrize("name", ["rat-young", "rat-old", "rat-aged"])
def test_progenitors_are_at_the_centre_when_the_front_should_be(name: str) -> None:
    front = biology.scenario(name).rates.front_mm_per_week / 7
    course = lesion(name, days=round(2.5 / front), lesion_radius_mm=2)
    assert course.arrival_day()[0] == pytest.approx(2 / front, rel=0.05)


def test_size_hardly_matters_where_some_are_left() -> None:
    few = {"resident_progenitors": 0.05, "days": 40}
    small, large = lesion(lesion_radius_mm=0.5, **few), lesion(lesion_radius_mm=5, **few)
    assert large.completion_day() == pytest.approx(small.completion_day(), abs=1)


@pytest.mark.parametrize("name", ["rat-young", "rat-old"])
def test_a_small_lesion_heals_as_one_that_is_well_mixed(name: str) -> None:
    scenario = biology.scenario(name)
    mixed = biology.simulate(scenario, days=90).completion_day()
    assert biology.simulate_lesion(scenario, days=90).completion_day() == pytest.approx(mixed, rel=0.08)


def test_a_closed_window_leaves_the_centre_bare() -> None:
    course = lesion("human", days=600, lesion_radius_mm=5, receptive_days=60)
    assert course.border[-1] > 0.5
    assert course.centre[-1] < 0.2
    assert np.ptp(course.covered[-100:]) < 0.02


def test_an_attack_strikes_every_shell() -> None:
    course = lesion(
        days=41, lesion_radius_mm=1, attacks=(biology.Attack(40, 0.5),), resident_progenitors=0.05
    )
    assert np.allclose(course.remyelinated[41], course.remyelinated[40] / 2, atol=0.06)


def test_a_treatment_acts_and_draws_differ() -> None:
    scenario = biology.scenario("rat-old", lesion_radius_mm=2, resident_progenitors=0)
    faster = biology.Treatment("pull", (biology.Effect("front_mm_per_week", 1.6, 1.4, 1.8),))
    plain = biology.simulate_lesion(scenario, days=80, draws=5)
    treated = biology.simulate_lesion(scenario, days=80, treatment=faster, draws=5)
    assert treated.arrival_day()[0] < 0.75 * plain.arrival_day()[0]
    assert treated.covered_draws.shape == (5, 81)
    low, high = plain.interval()
    assert (low <= high).all()
    assert np.ptp(plain.completion_days(0.5)) > 0
    assert "pull" in repr(treated)


def test_kept_days_are_those_of_the_whole() -> None:
    scenario = biology.scenario("rat-young")
    daily = biology.simulate_lesion(scenario, days=60)
    kept = biology.simulate_lesion(scenario, days=60, every_days=5)
    assert np.array_equal(kept.states, daily.states[::5])
    assert kept.completion_day() == pytest.approx(daily.completion_day(), abs=1.5)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_parts_stay_parts(geometry: str) -> None:
    scenario = biology.scenario("rat-young", lesion_radius_mm=1, resident_progenitors=0, smouldering=0.3)
    course = biology.simulate_lesion(scenario, days=200, geometry=geometry)
    for state in ("phagocytes", "axons", "new_sheaths"):
        assert course.of(state).min() >= 0
        assert course.of(state).max() <= 1
    assert course.of("progenitors").min() >= -1e-9
    assert course.covered == pytest.approx(
        course.remyelinated @ course.shells.volume / course.shells.volume.sum()
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shells": 0}, "shells is 0, expected a whole number, 8 to 2000"),
        ({"shells": 12.5}, "shells is 12.5"),
        ({"days": 0}, "days is 0"),
        ({"days": "many"}, "days is 'many'"),
        ({"geometry": "bal"}, "ball"),
        ({"geometry": 3}, "geometry"),
        ({"every_days": 7}, "a divisor of 60 days"),
        ({"draws": 0}, "draws is 0"),
        ({"treatment": "clemastine"}, r"make one with biology.treat\('clemastine', ...\)"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        biology.simulate_lesion(biology.scenario("rat-young"), **{"days": 60, **options})


@pytest.mark.parametrize("radius", [-1, 0, float("nan"), 80])
def test_a_radius_that_cannot_be_is_refused(radius: float) -> None:
    with pytest.raises(InputError, match="lesion_radius_mm"):
        biology.scenario("rat-young", lesion_radius_mm=radius)


def test_levels_that_cannot_be_are_refused() -> None:
    course = lesion(days=5)
    for ask in (course.completion_day, course.shell_completion_day, course.interval):
        with pytest.raises(InputError, match="level"):
            ask(1.5)
    with pytest.raises(InputError, match="density"):
        course.arrival_day(0)
    assert np.isinf(replace(course).completion_day())


def test_an_unknown_state_is_refused_by_name():
    course = biology.simulate_lesion(biology.scenario("rat-young"), days=2)
    with pytest.raises(InputError, match="state is 'sheath', expected phagocytes"):
        course.of("sheath")
