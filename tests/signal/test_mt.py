"""MT signals: limits, directions, layouts, accuracy, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import InputError, mtr_map, mtsat_map
from remyelin.signal import (
    Pulse,
    Sequence,
    Tissue,
    bloch_signals,
    mt_signals,
    mt_values,
    mtr_pu,
    white_matter,
)
from remyelin.signal.cycle import MODELS

NAWM = Tissue(bound_fraction=0.069, t1_s=0.58)


def ernst(t1_s, flip_deg, tr_s):
    flip, kept = np.radians(flip_deg), np.exp(-tr_s / t1_s)
    return np.sin(flip) * (1 - kept) / (1 - np.cos(flip) * kept)


def test_without_bound_pool_it_is_one_pool():
    water = Tissue(bound_fraction=0.0, t1_s=1.4, t2_free_s=2.0)
    found = mt_signals(water)
    assert float(found.off) == pytest.approx(ernst(1.4, 5, 0.03), rel=1e-12)
    assert float(found.t1w) == pytest.approx(ernst(1.4, 20, 0.018), rel=1e-12)
    assert float(mtr_pu(water)) < 0.5


def test_without_pulse_there_is_no_transfer():
    silent = Sequence(pulse=Pulse(0, 9, 2000))
    for model in MODELS:
        assert float(mtr_pu(NAWM, silent, model=model)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_more_bound_pool_more_transfer(model):
    found = mtr_pu(Tissue(bound_fraction=np.linspace(0.01, 0.15, 15), t1_s=0.8), model=model)
    assert (np.diff(found) > 0).all()


def test_effects_of_field_and_t1():
    """B1 10 % low costs MTR 2 to 4 pu; a longer T1 at the same bound fraction raises it."""
    assert 2 < float(mtr_pu(NAWM)) - float(mtr_pu(NAWM, b1=0.9)) < 4
    longer = Tissue(bound_fraction=0.069, t1_s=0.9)
    assert float(mtr_pu(longer)) > float(mtr_pu(NAWM)) + 1


def test_oedema_hides_behind_t1():
    """Water dilutes the bound pool and lengthens T1, which act against one another."""
    dry, wet = NAWM, NAWM.with_water(0.1, fluid_t1_s=4.0)
    diluted = Tissue(wet.bound_fraction, t1_s=dry.t1_s)
    assert float(mtr_pu(diluted)) < float(mtr_pu(wet)) < float(mtr_pu(dry))
    seen = mt_values(mt_signals(wet))
    assert float(seen.mtsat_pu) < float(mt_values(mt_signals(dry)).mtsat_pu) * 0.95
    assert float(mt_signals(wet).off) > float(mt_signals(dry).off)


def test_values_are_those_of_measurement():
    sequence = Sequence()
    signals = mt_signals(white_matter(np.linspace(0, 1, 11)), sequence, b1=np.linspace(0.8, 1.2, 11))
    seen = mt_values(signals, sequence)
    measured = mtsat_map(signals.on, signals.off, signals.t1w, tr_s=(0.03, 0.03, 0.018), flip_deg=(5, 5, 20))
    np.testing.assert_allclose(seen.mtsat_pu, measured.mtsat_pu, rtol=1e-10)
    np.testing.assert_allclose(1 / seen.t1_s, measured.r1_per_s, rtol=1e-10)
    np.testing.assert_allclose(seen.mtr_pu, mtr_map(signals.off, signals.on), rtol=1e-12)


def test_measured_t1_is_near_the_tissue_s():
    tissue = white_matter(np.linspace(0, 1, 5))
    seen = mt_values(mt_signals(tissue))
    assert np.abs(seen.t1_s / tissue.t1_s - 1).max() < 0.07


@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (2, 0)])
def test_layout(shape):
    tissue = Tissue(bound_fraction=np.full(shape, 0.05), t1_s=0.8)
    found = mt_signals(tissue, b1=np.full(shape, 0.9))
    assert found.on.shape == found.off.shape == found.t1w.shape == shape


def test_a_voxel_does_not_see_the_others():
    rng = np.random.default_rng(5)
    fraction, t1, t2 = (
        rng.uniform(0.02, 0.15, 70_000),
        rng.uniform(0.5, 1.5, 70_000),
        rng.uniform(0.03, 0.08, 70_000),
    )
    field = rng.uniform(0.7, 1.3, 70_000)
    together = mtr_pu(Tissue(fraction, t1, t2_free_s=t2), b1=field)
    for k in (0, 65_535, 65_536, 69_999):
        alone = mtr_pu(Tissue(fraction[k], t1[k], t2_free_s=t2[k]), b1=field[k])
        assert together[k] == pytest.approx(float(alone), abs=1e-6)


def test_inputs_are_left_alone():
    fraction = np.array([0.05, 0.06])
    before = fraction.copy()
    mt_signals(Tissue(fraction, 0.8))
    assert (fraction == before).all()


@settings(max_examples=25, deadline=None)
@given(
    fraction=st.floats(0.005, 0.15),
    t1=st.floats(0.5, 1.6),
    field=st.floats(0.7, 1.3),
    t2=st.floats(0.03, 0.1),
)
def test_close_to_bloch(fraction, t1, field, t2):
    tissue = Tissue(fraction, t1, t2_free_s=t2)
    exact = bloch_signals(tissue, b1=field, excitation_saturates=False)
    away = float(mtr_pu(tissue, b1=field)) - 100 * float(1 - exact.on / exact.off)
    assert abs(away) < 0.4


def test_bloch_by_pulses_ends_in_its_steady_state():
    many, steady = bloch_signals(NAWM, repetitions=2000), bloch_signals(NAWM)
    for name in ("off", "on", "t1w"):
        assert float(getattr(many, name)) == pytest.approx(float(getattr(steady, name)), rel=1e-9)
    first = bloch_signals(NAWM, repetitions=1)
    assert float(first.off) == pytest.approx(np.sin(np.radians(5)), rel=1e-12)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"model": "sledpike"}, "model"),
        ({"lineshape": "lorentz"}, "lineshape"),
        ({"b1": 100}, "b1"),
        ({"b1": np.nan}, "b1"),
        ({"b1": [1.0, 1.0, 1.0]}, "b1"),
        ({"b1": "full"}, "b1"),
        ({"sequence": "clinical"}, "sequence"),
    ],
)
def test_what_is_refused(options, field):
    with pytest.raises(InputError) as caught:
        mt_signals(Tissue(bound_fraction=[0.05, 0.06], t1_s=0.8), **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"tr_ms": 0.03}, "tr_ms"),
        ({"flip_deg": 0}, "flip_deg"),
        ({"gap_ms": -1}, "gap_ms"),
        ({"tr_ms": 12}, "Sequence"),
        ({"t1w_tr_ms": 18000}, "t1w_tr_ms"),
        ({"t1w_tr_ms": 1.0}, "Sequence"),
        ({"pulse": 500}, "pulse"),
    ],
)
def test_sequence_that_cannot_be(options, field):
    with pytest.raises(InputError) as caught:
        Sequence(**options)
    assert caught.value.field == field


@pytest.mark.parametrize("function", [mtr_pu, mt_signals, bloch_signals])
def test_an_array_is_no_tissue(function):
    with pytest.raises(InputError, match=r"tissue is of type ndarray, expected a Tissue.*white_matter"):
        function(np.array([0.07, 0.05]))


def test_values_are_read_from_signals():
    with pytest.raises(InputError, match="signals is of type ndarray"):
        mt_values(np.ones(3))


def test_bloch_refuses_what_it_cannot_do():
    with pytest.raises(InputError, match="excitation_ms"):
        bloch_signals(NAWM, Sequence(excitation_ms=0))
    with pytest.raises(InputError, match="repetitions"):
        bloch_signals(NAWM, repetitions=0)
