import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.signal import Delays
from remyelin.signal.grid import times_ms, wave


@given(st.floats(4, 10), st.floats(2, 4), st.floats(0.01, 1), st.floats(0, 1), st.integers(0, 40))
def test_the_spectrum_is_that_of_the_moments(sd, mean_per_sd, conducting, share, late):
    delays = Delays(mean_per_sd * sd, sd, conducting, share, late)
    density = wave(delays.spectrum())
    assert density.sum() == pytest.approx(conducting)
    assert density @ times_ms() / conducting == pytest.approx(delays.total_mean_ms, abs=0.1)


@given(st.floats(0, 40), st.floats(0, 1e-9), st.floats(0, 1))
def test_the_narrowest_spread_is_a_point(mean, sd, conducting):
    if mean > 0:
        found = Delays(mean, sd * mean, conducting).spectrum()
        np.testing.assert_allclose(found, Delays(mean, 0.0, conducting).spectrum())


def test_the_gamma_distribution_has_the_asked_spread():
    density = wave(Delays(mean_ms=20, sd_ms=6).spectrum())
    mean = density @ times_ms()
    assert np.sqrt(density @ (times_ms() - mean) ** 2) == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"mean_ms": -1}, "mean_ms"),
        ({"mean_ms": float("nan")}, "mean_ms"),
        ({"mean_ms": "20"}, "mean_ms"),
        ({"sd_ms": 3}, "sd_ms"),
        ({"conducting": 1.2}, "conducting"),
        ({"late_share": -0.1}, "late_share"),
        ({"late_ms": 500}, "late_ms"),
    ],
)
def test_bad_numbers_are_named(wrong, field):
    with pytest.raises(InputError) as caught:
        Delays(**wrong)
    assert caught.value.field == field
