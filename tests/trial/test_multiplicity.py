"""Adjusted p values against the closure of all intersections, and against statsmodels."""

from __future__ import annotations

from itertools import combinations
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from statsmodels.stats.multitest import multipletests

from remyelin.errors import InputError
from remyelin.trial.multiplicity import adjust_p

METHODS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
p_values = st.lists(
    st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.03, 0.04, 0.2, 0.7, 1.0]), min_size=1, max_size=6
)


@given(values=p_values)
@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_statsmodels(method, values):
    p = np.array(values)
    # Its Holm collects garbage at each call: a second in a process that has run a thousand tests.
    with mock.patch("gc.collect"):
        theirs = multipletests(p, method=METHODS[method])[1]
    assert_allclose(adjust_p(p, method), theirs, atol=1e-12)


@given(values=p_values)
@pytest.mark.parametrize(
    ("method", "test"),
    [
        ("holm", lambda p: min(1.0, len(p) * min(p))),
        ("hommel", lambda p: min(len(p) * x / (k + 1) for k, x in enumerate(sorted(p)))),
    ],
)
def test_is_the_closure_of_its_test_of_intersections(method, test, values):
    n = len(values)
    sets = [c for size in range(1, n + 1) for c in combinations(range(n), size)]
    closed = [max(test([values[j] for j in c]) for c in sets if i in c) for i in range(n)]
    assert_allclose(adjust_p(np.array(values), method), closed, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_p_value_is_no_test(method):
    p = pd.Series([0.01, np.nan, 0.04], index=["a", "b", "c"])
    found = adjust_p(p, method)
    assert list(found.index) == ["a", "b", "c"]
    assert np.isnan(found["b"])
    assert_allclose(found[["a", "c"]], adjust_p(np.array([0.01, 0.04]), method))
    assert np.isnan(adjust_p(np.array([np.nan]), method)).all()


def test_what_is_no_p_value_is_refused():
    for p in ([1.2], [-0.1], [[0.1]]):
        with pytest.raises(InputError, match="p is"):
            adjust_p(np.array(p), "holm")
    with pytest.raises(InputError, match="bonferroni"):
        adjust_p(np.array([0.1]), "bonferoni")
    with pytest.raises(InputError, match="p is dict"):
        adjust_p({"a": 0.1}, "holm")  # type: ignore[type-var]
