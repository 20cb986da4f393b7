"""Channels as data: rates through their singular points, Q10, and a leak that keeps rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import conduction
from remyelin.conduction import Rate
from remyelin.errors import InputError

MEMBRANES = {
    "central": conduction.optic_nerve().membrane,
    "mrg": conduction.mrg(10).membrane,
    "auditory": conduction.bushy_cell().membrane,
}
CENTRAL = MEMBRANES["central"]


@pytest.mark.parametrize("slope", [10.3, -9.16])
def test_a_rate_is_smooth_through_its_singular_point(slope):
    rate = Rate("linoid", per_ms=2.0, half_mv=-25.0, slope_mv=slope)
    near = rate(-25 + np.array([-1e-4, -1e-7, 0, 1e-7, 1e-4]))
    assert near[2] == pytest.approx(2.0 * abs(slope))
    assert np.ptp(near) < 1e-3
    assert np.all(np.diff(near) * np.sign(slope) >= 0)


@given(st.floats(-250, 250), st.floats(5, 50))
def test_gates_stay_between_closed_and_open(potential_mv, temperature_c):
    for membrane in MEMBRANES.values():
        for gate in membrane.gates:
            opening, closing = gate.rates(potential_mv, temperature_c)
            assert np.isfinite([opening, closing]).all()
            assert min(opening, closing) >= 0
            assert 0 <= gate.steady(potential_mv, temperature_c) <= 1


def test_ten_degrees_multiply_rates_by_q10():
    for gate in CENTRAL.gates:
        warm, cool = (np.array(gate.rates(-60.0, t)) for t in (37, 27))
        assert warm / cool == pytest.approx([gate.q10] * 2)


@pytest.mark.parametrize("sodium", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("temperature_c", [25, 30, 37, 42])
def test_the_leak_keeps_rest(temperature_c, sodium):
    channels = CENTRAL.resting_current_ua_per_mm2(temperature_c, sodium)
    leak = CENTRAL.leak_ms_per_mm2(temperature_c, sodium)
    assert leak > 0
    assert channels + leak * (CENTRAL.resting_mv - CENTRAL.leak_mv) == pytest.approx(0, abs=1e-15)


def test_a_rest_that_no_leak_keeps_is_named():
    with pytest.raises(InputError) as caught:
        CENTRAL.leak_ms_per_mm2(37, sodium=0, potassium=1e3)
    assert "leak of the node" in str(caught.value)
    assert "0 or more" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Rate("linear", 1, 0, 1), "linoid or sigmoid"),
        (lambda: Rate("linoid", 1, 0, 0), "slope_mv"),
        (lambda: Rate("linoid", -1, 0, 1), "rate per_ms is -1, expected a finite number above 0"),
        (lambda: Rate("linoid", "1", 0, 1), "rate per_ms is '1'"),
        (lambda: Rate("linoid", 1, float("nan"), 1), "rate half_mv is nan"),
        (lambda: Rate("linoid", 1, 0, None), "rate slope_mv is not given"),
        (lambda: replace(CENTRAL, channels=CENTRAL.channels[:2]), "membrane channels"),
        (lambda: CENTRAL.scaled(sodium=-1), "density of"),
    ],
)
def test_what_cannot_be_is_named(make, named):
    with pytest.raises(InputError) as caught:
        make()
    assert named in str(caught.value)


def test_scaling_multiplies_densities():
    before, after = CENTRAL.channels, CENTRAL.scaled(sodium=0.5, potassium=2).channels
    ratio = [b.density_ms_per_mm2 / a.density_ms_per_mm2 for a, b in zip(before, after, strict=True)]
    assert ratio == pytest.approx([0.5, 0.5, 2])
