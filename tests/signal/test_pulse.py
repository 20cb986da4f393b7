"""MT pulses: area, power, direct effect on water, what is refused."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from remyelin import InputError
from remyelin.signal import Pulse
from remyelin.signal.pulse import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_area_is_the_flip_angle(shape):
    pulse = Pulse(500, 10, 2000, shape)
    time_ms = np.linspace(0, 10, 20001)
    area = np.trapezoid(pulse.peak_rad_per_s * pulse.envelope(time_ms), time_ms * 1e-3)
    assert np.degrees(area) == pytest.approx(500, rel=1e-6)
    assert pulse.envelope(-0.1) == pulse.envelope(10.1) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_rectangle_has_the_power(shape):
    pulse = Pulse(500, 10, 2000, shape)
    squared = pulse.envelope(np.array([5 - pulse.width_ms / 2, 5])) ** 2
    assert squared == pytest.approx([0.5, 1], abs=1e-4) or shape == "hard"
    assert pulse.power == pytest.approx(pulse.rms_rad_per_s**2 * 0.01)


def test_hard_pulse_by_hand():
    pulse = Pulse(180, 10, 2000, "hard")
    assert pulse.peak_rad_per_s == pytest.approx(np.pi / 0.01)
    assert pulse.width_ms == 10


def test_power_goes_with_the_square_of_the_field():
    assert Pulse(500, 9, 2000).scaled(0.8).power == pytest.approx(0.64 * Pulse(500, 9, 2000).power)


@pytest.mark.parametrize(("shape", "angle", "offset"), [("gaussian", 500, 2000), ("sinc", 426, 443)])
def test_direct_effect_against_scipy(shape, angle, offset):
    pulse, t2 = Pulse(angle, 9, offset, shape), 0.04

    def slope(t, m):
        x, y, z = m
        w, turn = pulse.peak_rad_per_s * float(pulse.envelope(t * 1e3)), 2 * np.pi * offset
        return [-x / t2 - turn * y, -y / t2 + turn * x + w * z, -w * y]

    end = solve_ivp(slope, (0, 0.009), [0, 0, 1.0], method="DOP853", rtol=1e-10, atol=1e-13).y[2, -1]
    assert float(pulse.left_of_water(t2)) == pytest.approx(end, abs=1e-7)


def test_on_resonance_it_is_a_flip():
    pulse = Pulse(60, 1, 0, "sinc")
    assert float(pulse.left_of_water(1.0)) == pytest.approx(0.5, abs=1e-3)


def test_direct_effect_falls_with_offset_and_grows_with_field():
    left = [float(Pulse(500, 9, offset).left_of_water(0.04)) for offset in (1000, 2000, 4000)]
    assert left == sorted(left)
    by_field = Pulse(500, 9, 2000).left_of_water(0.04, [0.5, 1.0, 1.5])
    assert (np.diff(by_field) < 0).all()
    assert Pulse(500, 9, -2000).left_of_water(0.04) == pytest.approx(by_field[1], abs=1e-12)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"shape": "gauss"}, "shape"),
        ({"duration_ms": 0.009}, "duration_ms"),
        ({"angle_deg": -1}, "angle_deg"),
        ({"offset_hz": "2 kHz"}, "offset_hz"),
        ({"bandwidth_hz": 0}, "bandwidth_hz"),
        ({"lobes": None}, "lobes"),
    ],
)
def test_what_is_refused(options, word):
    given = {"angle_deg": 500, "duration_ms": 9, "offset_hz": 2000} | options
    with pytest.raises(InputError) as caught:
        Pulse(**given)
    assert word in caught.value.field
