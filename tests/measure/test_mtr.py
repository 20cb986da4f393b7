"""Maps: what they must be for every image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from remyelin.errors import InputError
from remyelin.measure.mtr import B1_COEFFICIENT, mtr_map, mtsat_map

TR = (0.030, 0.030, 0.015)
FLIP = (9.0, 9.0, 15.0)
B1 = np.linspace(0.8, 1.2, 9)
signals = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30).map(np.array)


@given(off=signals, kept=st.floats(0, 1.5), gain=st.floats(1e-2, 1e2))
@example(off=np.full(20, 1.0), kept=1.0, gain=0.01)
def test_mtr_ignores_scanner_gain(off, kept, gain):
    assert_allclose(mtr_map(gain * off, gain * kept * off), mtr_map(off, kept * off), rtol=1e-9, atol=1e-9)
    assert_allclose(mtr_map(off, kept * off), 100 * (1 - kept), atol=1e-9)


def test_mtr_is_nan_only_where_it_is_undefined():
    off = np.array([100.0, 0.0, -5.0, np.nan, np.inf, 100.0, 100.0, 10.0])
    on = np.array([60.0, 1.0, 1.0, 1.0, 1.0, np.nan, np.inf, 20.0])
    before = off.copy(), on.copy()
    mtr = mtr_map(off, on)
    assert_array_equal(np.isfinite(mtr), [True, False, False, False, False, False, False, True])
    assert mtr[0] == 40.0
    assert mtr[-1] == -100.0  # a swapped pair stays visible: nothing is clipped
    assert_array_equal(off, before[0])
    assert_array_equal(on, before[1])


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.uint8, np.float32])
def test_integers_do_not_overflow(kind):
    top = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 30000
    off, on = np.array([top, top // 2], kind), np.array([top // 3, top], kind)
    mtr = mtr_map(off, on)
    assert mtr.dtype == np.float64
    assert_allclose(mtr, 100 * (1 - np.array([(top // 3) / top, top / (top // 2)])), rtol=1e-6)


def test_shapes_must_agree():
    with pytest.raises(InputError) as error:
        mtr_map(np.ones((4, 4, 4)), np.ones((4, 4)))
    assert error.value.facts()["found"] == "shape (4, 4)"
    assert error.value.facts()["expected"] == "(4, 4, 4) as in mt_off"


def rational(amplitude, r1, delta, tr, angle):
    return amplitude * angle * r1 * tr / (angle**2 / 2 + delta + r1 * tr)


def steady_state(amplitude, r1, delta, tr, angle):
    """Spoiled gradient echo, saturation just before each excitation, by iteration to the steady state."""
    magnetisation = np.ones_like(np.asarray(delta + angle, dtype=float))
    for _ in range(6000):
        read = magnetisation * (1 - delta)
        magnetisation = 1 - np.exp(-r1 * tr) * (1 - read * np.cos(angle))
    return amplitude * magnetisation * (1 - delta) * np.sin(angle)


def acquire(model, amplitude, r1, delta, b1=1.0, tr=TR, flip=FLIP):
    mt, pd, t1 = (np.deg2rad(angle) * b1 for angle in flip)
    return (
        model(amplitude, r1, delta, tr[0], mt),
        model(amplitude, r1, 0.0, tr[1], pd),
        model(amplitude, r1, 0.0, tr[2], t1),
    )


@given(
    r1=st.floats(0.2, 2.0), delta=st.floats(0, 0.1), amplitude=st.floats(10, 1e5), flip_t1=st.floats(12, 30)
)
def test_mtsat_inverts_its_own_equation(r1, delta, amplitude, flip_t1):
    flip = (6.0, 6.0, flip_t1)
    images = acquire(rational, amplitude, np.array([r1]), delta, flip=flip)
    result = mtsat_map(*images, tr_s=TR, flip_deg=flip)
    assert_allclose(result.mtsat_pu, 100 * delta, atol=1e-7)
    assert_allclose(result.r1_per_s, r1, rtol=1e-8)
    assert_allclose(result.amplitude, amplitude, rtol=1e-8)


@pytest.mark.parametrize("flip", [(9.0, 9.0, 15.0), (6.0, 6.0, 20.0)])
def test_tangent_angles_solve_the_full_steady_state(flip):
    r1, delta = np.meshgrid([0.5, 1.0, 1.5], [0.0, 0.01, 0.03])
    images = acquire(steady_state, 1000.0, r1, delta, flip=flip)
    result = mtsat_map(*images, tr_s=TR, flip_deg=flip, angles="tangent")
    # 2 tanh(R1 TR / 2) stands in the equation for R1 TR: (R1 TR)^2 / 12 = 1.7e-4 at most here.
    assert_allclose(result.r1_per_s, r1, rtol=4e-4)
    assert_allclose(result.amplitude, 1000.0, rtol=2e-4)
    angle = 2 * np.tan(np.deg2rad(flip[0]) / 2)
    expected = 100 * delta / (1 - delta) * (1 + r1 * TR[0] / 2) * (1 + angle**2 / 4)
    assert_allclose(result.mtsat_pu, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("saturation", [0.005, 0.02, 0.04])
@pytest.mark.parametrize("correction", ["helms", "lipp"])
def test_b1_corrections_recover_what_each_assumes(correction, saturation):
    c = B1_COEFFICIENT[correction]
    fall = B1**2 * (1 - c * B1) / (1 - c) if correction == "helms" else 1 + c * (B1 - 1)
    images = acquire(rational, 1000.0, 0.9, saturation * fall, b1=B1)
    result = mtsat_map(*images, tr_s=TR, flip_deg=FLIP, b1=B1, b1_correction=correction)
    assert_allclose(result.mtsat_pu, 100 * saturation, rtol=1e-9)
    assert_allclose(result.r1_per_s, 0.9, rtol=1e-9)
    assert_allclose(result.amplitude, 1000.0, rtol=1e-9)
    plain = mtsat_map(*images, tr_s=TR, flip_deg=FLIP)
    assert np.ptp(plain.r1_per_s) > 0.5  # without B1, R1 goes with B1 squared


@pytest.mark.parametrize("correction", ["helms", "lipp"])
@pytest.mark.parametrize("angles", ["small", "tangent"])
def test_b1_of_one_changes_nothing_and_pulse_coefficient_is_used(correction, angles):
    images = acquire(rational, 1000.0, np.full(3, 0.9), 0.02)
    settings = {"tr_s": TR, "flip_deg": FLIP, "angles": angles}
    plain = mtsat_map(*images, **settings).mtsat_pu
    same = mtsat_map(*images, **settings, b1=np.ones(3), b1_correction=correction).mtsat_pu
    assert_allclose(same, plain, rtol=1e-12)
    local = np.full(3, 1.1)
    mild, steep = (
        mtsat_map(*images, **settings, b1=local, b1_correction=correction, b1_coefficient=c).mtsat_pu
        for c in (0.1, 0.5)
    )
    factor = (0.9 / 0.89) / (0.5 / 0.45) if correction == "helms" else 1.05 / 1.01
    assert_allclose(mild / steep, factor, rtol=1e-9)


def test_mtsat_is_nan_where_no_tissue_fits():
    mt = np.array([1500.0, 0.0, 1500.0, 1500.0, np.nan])
    pd = np.array([2000.0, 2000.0, 2000.0, -1.0, 2000.0])
    t1 = np.array([1500.0, 1500.0, 4000.0, 1500.0, 1500.0])  # the third: more than any T1 allows
    result = mtsat_map(mt, pd, t1, tr_s=TR, flip_deg=FLIP)
    assert_array_equal(np.isfinite(result.mtsat_pu), [True, False, False, False, False])
    b1 = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    dead = mtsat_map(*(np.full(5, v) for v in (1500.0, 2000.0, 1500.0)), tr_s=TR, flip_deg=FLIP, b1=b1,
                     b1_correction="lipp")  # fmt: skip
    assert_array_equal(np.isfinite(dead.mtsat_pu), b1 > 0)


def test_mtsat_ignores_gain_and_keeps_inputs():
    images = acquire(rational, 1000.0, np.full(4, 0.9), 0.02)
    kept = [image.copy() for image in images]
    one = mtsat_map(*images, tr_s=TR, flip_deg=FLIP)
    ten = mtsat_map(*(10 * image for image in images), tr_s=TR, flip_deg=FLIP)
    assert_allclose(one.mtsat_pu, ten.mtsat_pu, rtol=1e-12)
    assert_allclose(10 * one.amplitude, ten.amplitude, rtol=1e-12)
    for image, before in zip(images, kept, strict=True):
        assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tr_s": (30, 30, 15)}, "divide by 1000"),
        ({"tr_s": (5, 5, 5)}, "divide by 1000"),
        ({"tr_s": (3e-5, 3e-5, 1.5e-5)}, "0.001 to 1 s"),
        ({"tr_s": (0.03, 0.03)}, "give all three"),
        ({"tr_s": (0.03, float("nan"), 0.015)}, "tr_s of pd_w"),
        ({"flip_deg": (0.157, 0.157, 0.262)}, "radians"),
        ({"flip_deg": (9, 9, 9), "tr_s": (0.03, 0.03, 0.03)}, "same T1 weighting"),
        ({"b1": np.ones(1)}, "b1_correction is missing"),
        ({"b1_correction": "helms"}, "b1 is missing"),
        ({"b1": np.full(1, 98.0), "b1_correction": "helms"}, "percent"),
        ({"b1": np.full(1, np.nan), "b1_correction": "helms"}, "ratio near 1"),
        ({"b1": np.ones(2), "b1_correction": "lipp"}, "shape (2,)"),
        ({"b1": np.ones(1), "b1_correction": "olsson"}, "helms or lipp"),
        ({"angles": "exact"}, "small or tangent"),
    ],
)
def test_wrong_units_and_options_are_named(change, says):
    with pytest.raises(InputError) as error:
        mtsat_map([1500.0], [2000.0], [1500.0], **({"tr_s": TR, "flip_deg": FLIP} | change))
    assert says in str(error.value)
