"""Normalisation: it removes a drift, adds its own error, and says what it assumes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from remyelin.errors import InputError
from remyelin.measure.drift import normalise

VISITS = ["M00", "M06", "M12"]
gains = st.lists(st.floats(0.8, 1.25), min_size=3, max_size=3).map(np.array)


@given(gain=gains, change=st.floats(-3, 3))
def test_a_common_factor_is_removed_and_a_change_of_lesions_kept(gain, change):
    truth = np.array([[28.0, 28.0 + change, 28.0 - change], [35.0, 35.0, 35.0]])
    relative = gain / gain[0]
    result = normalise(truth * relative, np.full((2, 3), 0.5), method="nawm", visits=VISITS,
                       reference=40 * relative, reference_se=np.zeros(3))  # fmt: skip
    assert_allclose(result.values, truth, rtol=1e-12)
    assert_allclose(result.se, 0.5 / relative * np.ones((2, 1)), rtol=1e-12)
    assert_allclose(result.factor, 1 / relative)


def test_none_leaves_everything_as_it_is():
    values, se = np.array([[28.0, np.nan, 31.0]]), np.array([[0.5, np.nan, 0.6]])
    result = normalise(values, se, method="none", visits=VISITS)
    assert_array_equal(result.values, values)
    assert_array_equal(result.se, se)
    assert_array_equal(result.factor, 1.0)
    assert "as measured" in result.assumes
    result.values[0, 0] = 0.0
    assert values[0, 0] == 28.0


@pytest.mark.parametrize("method", ["nawm", "phantom"])
def test_standard_errors_are_the_spread_of_repeats(method):
    rng = np.random.default_rng(5)
    truth, reference, se, reference_se = 28.0, np.array([40.0, 42.0, 39.0]), 0.4, np.array([0.3, 0.2, 0.5])
    options = {"method": method, "visits": VISITS, "reference_se": reference_se}
    errors = np.full((1, 3), se)
    each = [
        normalise(rng.normal(truth, errors), errors, reference=rng.normal(reference, reference_se), **options)
        for _ in range(2000)
    ]
    values = np.concatenate([result.values for result in each])
    expected = normalise(np.full((1, 3), truth), errors, reference=reference, **options)
    assert_allclose(values.std(axis=0), expected.se[0], rtol=0.06)
    change = values[:, 1:] - values[:, :1]
    assert_allclose(change.std(axis=0), np.hypot(expected.se[0, 0], expected.se[0, 1:]), rtol=0.06)
    assert_allclose(np.mean([r.factor_se for r in each], axis=0), expected.factor_se, rtol=0.02)


def test_it_says_what_it_assumes():
    settings = {"visits": VISITS, "reference": [40, 41, 40], "reference_se": [0.1] * 3}
    nawm = normalise(np.ones((1, 3)), np.ones((1, 3)), method="nawm", **settings)
    assert "keeps the MTR of M00" in nawm.assumes
    assert "removed together with the drift" in nawm.assumes
    assert "temperature" in normalise(np.ones((1, 3)), np.ones((1, 3)), method="phantom", **settings).assumes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "csf"}, "none, nawm or phantom"),
        ({"reference": None}, "MTR of the nawm reference is missing"),
        ({"reference": [40, np.nan, 40]}, "nawm reference at M06 is nan"),
        ({"reference": [40, 0, 40]}, "above 0 pu"),
        ({"reference": [40, 40]}, "2 values"),
        ({"reference_se": None}, "standard error of the nawm reference is missing"),
        ({"reference_se": [0.1, -1, 0.1]}, "0 or more"),
        ({"visits": ["M00"]}, "(lesion, 1) both"),
    ],
)
def test_mistakes_are_named(change, says):
    right = {"method": "nawm", "visits": VISITS, "reference": [40, 41, 40], "reference_se": [0.1] * 3}
    with pytest.raises(InputError) as error:
        normalise(np.ones((1, 3)), np.ones((1, 3)), **(right | change))
    assert says in str(error.value)
