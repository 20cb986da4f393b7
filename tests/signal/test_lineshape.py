"""Lineshapes: area, scale, known values, what is refused."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from remyelin import InputError
from remyelin.signal import lineshape_s


@pytest.mark.parametrize(("shape", "inside"), [("gaussian", 1.0), ("lorentzian", 0.99941)])
def test_area_is_one(shape, inside):
    offset = np.linspace(-1.5e7, 1.5e7, 600_001)
    area = np.trapezoid(lineshape_s(offset, 11.4, shape), 2 * np.pi * offset)
    assert area == pytest.approx(inside, abs=1e-5)


@pytest.mark.parametrize("offset", [1501, 2000, 6862, 17235, 40000])
@pytest.mark.parametrize("t2", [9.0, 11.4, 13.0])
def test_super_lorentzian_against_quadrature(offset, t2):
    t2_s = t2 * 1e-6

    def integrand(u):
        away = abs(3 * u * u - 1)
        return math.sqrt(2 / math.pi) * t2_s / away * math.exp(-2 * (2 * math.pi * offset * t2_s / away) ** 2)

    expected = quad(integrand, 0, 1, points=[1 / math.sqrt(3)], limit=400, epsabs=0, epsrel=1e-11)[0]
    assert lineshape_s(offset, t2) == pytest.approx(expected, rel=1e-10)


def test_scale():
    """A pool that relaxes twice as fast is twice as wide and half as high."""
    assert lineshape_s(8000, 5.7) == pytest.approx(lineshape_s(4000, 11.4) / 2, rel=1e-12)


def test_near_resonance_is_continued():
    assert lineshape_s(1500, 11.4) == pytest.approx(lineshape_s(1500.001, 11.4), rel=1e-6)
    assert lineshape_s(0, 11.4) == pytest.approx(lineshape_s(-1, 11.4), rel=1e-6)
    assert np.isfinite(lineshape_s(0, 11.4))


def test_far_away_there_is_nothing():
    assert lineshape_s(1e6, 50.0) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((2000, 11.4, "superlorentzian"), "lineshape"),
        ((np.nan, 11.4), "offset_hz"),
        ((2000, 0.0), "t2_bound_us"),
        ((2000, np.inf), "t2_bound_us"),
        ((2000, [11.4, -1]), "t2_bound_us"),
    ],
)
def test_what_is_refused(arguments, field):
    with pytest.raises(InputError) as caught:
        lineshape_s(*arguments)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("offset", "t2", "field"), [("near", 11.4, "offset_hz"), (2000, ["short"], "t2_bound_us")]
)
def test_words_are_no_numbers(offset, t2, field):
    with pytest.raises(InputError) as caught:
        lineshape_s(offset, t2)
    assert caught.value.field == field
