"""Tissue: fraction and ratio, observed and free T1, oedema, myelin, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import InputError
from remyelin.signal import Tissue, bound_pool_fraction, white_matter

RATIO = st.floats(1e-4, 0.5)
RATE = st.floats(0.3, 3)


def test_fraction_and_ratio():
    tissue = Tissue(bound_fraction=0.2, t1_s=0.8)
    assert float(tissue.bound_ratio) == pytest.approx(0.25)
    assert float(Tissue.of_ratio(0.25, free_r1_per_s=1).bound_fraction) == pytest.approx(0.2)


@given(ratio=RATIO, rate=RATE, exchange=st.floats(1, 100))
def test_free_and_observed_r1_are_inverse(ratio, rate, exchange):
    tissue = Tissue.of_ratio(ratio, free_r1_per_s=rate, exchange_per_s=exchange)
    assert float(tissue.free_r1_per_s) == pytest.approx(rate, rel=1e-9)


@given(ratio=RATIO, rate=RATE)
def test_observed_r1_lies_between_the_pools(ratio, rate):
    observed = 1 / float(Tissue.of_ratio(ratio, free_r1_per_s=rate).t1_s)
    assert min(rate, 1) - 1e-9 <= observed <= max(rate, 1) + 1e-9


def test_oedema_dilutes_and_lengthens():
    dry = Tissue(0.069, 0.6)
    wet = dry.with_water(0.2, fluid_t1_s=4.0)
    assert float(wet.bound_ratio) == pytest.approx(float(dry.bound_ratio) / 1.2)
    assert float(wet.water) == pytest.approx(1.2)
    assert wet.t1_s > dry.t1_s
    assert float(wet.t2_free_s) == float(dry.t2_free_s)


def test_no_water_changes_nothing():
    dry = Tissue(0.069, [0.6, 0.9])
    wet = dry.with_water(0.0, fluid_t1_s=4.0)
    np.testing.assert_allclose(wet.t1_s, dry.t1_s, rtol=1e-12)
    np.testing.assert_allclose(wet.bound_fraction, dry.bound_fraction, rtol=1e-12)


def test_anchors_of_myelin():
    assert bound_pool_fraction([0, 1]) == pytest.approx([0.025, 0.069])
    remyelinated = (np.array([0.040, 0.042]) - 0.025) / (0.069 - 0.025)
    assert bound_pool_fraction(remyelinated) == pytest.approx([0.040, 0.042])


def test_white_matter_follows_sled_and_pike():
    tissue = white_matter([1.0, 0.0])
    assert tissue.free_r1_per_s[0] == pytest.approx(1.78)
    # Their second lesion has 0.627 of the bound ratio and these values; the line goes through it.
    ratio = 0.094 / 0.150 * tissue.bound_ratio[0]
    myelin = (ratio / (1 + ratio) - 0.025) / (0.069 - 0.025)
    lesion = white_matter(myelin)
    assert float(lesion.free_r1_per_s) == pytest.approx(1.26, abs=1e-6)
    assert float(lesion.t2_free_s) == pytest.approx(0.052, abs=1e-9)


def test_white_matter_with_water_and_with_t1():
    assert white_matter(0.5, t1_s=0.9).t1_s == 0.9
    wet = white_matter(0.5, t1_s=0.9, added_water=0.1, fluid_t1_s=4.0)
    assert wet.t1_s > 0.9
    with pytest.raises(InputError, match="fluid_t1_s is not given"):
        white_matter(0.5, added_water=0.1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"bound_fraction": 6.9}, "bound_fraction"),
        ({"bound_fraction": [0.1, np.nan]}, "bound_fraction"),
        ({"bound_fraction": "much"}, "bound_fraction"),
        ({"t1_s": 900}, "t1_s"),
        ({"t2_free_s": 38}, "t2_free_s"),
        ({"t2_bound_us": 11.4e-6}, "t2_bound_us"),
        ({"exchange_per_s": 0}, "exchange_per_s"),
        ({"water": -1}, "water"),
        ({"t1_s": 9.0, "bound_fraction": 0.45}, "t1_s"),
        ({"bound_fraction": [0.1, 0.1], "t1_s": [0.8, 0.9, 1.0]}, "Tissue"),
    ],
)
def test_what_is_refused(options, field):
    with pytest.raises(InputError) as caught:
        Tissue(**({"bound_fraction": 0.07, "t1_s": 0.8} | options))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"bound_ratio": "much"}, "bound_ratio"),
        ({"bound_ratio": -1}, "bound_ratio"),
        ({"free_r1_per_s": 0}, "free_r1_per_s"),
        ({"exchange_per_s": "fast"}, "exchange_per_s"),
        ({"t1_bound_s": 0}, "t1_bound_s"),
    ],
)
def test_what_is_refused_of_a_ratio(options, field):
    with pytest.raises(InputError) as caught:
        Tissue.of_ratio(**({"bound_ratio": 0.15, "free_r1_per_s": 1.0} | options))
    assert caught.value.field == field


def test_water_fits_the_tissue():
    with pytest.raises(InputError, match="added is of shape"):
        white_matter([1.0, 0.0], added_water=[0.1, 0.1, 0.1], fluid_t1_s=4.0)


@pytest.mark.parametrize("myelin", ["a", None, -0.1, 1.01, 40, np.nan, [0.5, np.inf]])
def test_myelin_that_cannot_be(myelin):
    with pytest.raises(InputError, match="myelin_fraction"):
        bound_pool_fraction(myelin)
