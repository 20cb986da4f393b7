"""Eight doubles abreast do in each lane what one double does."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.lanes import (
    LANES,
    crossed,
    exp,
    fused,
    greater,
    lesser,
    load,
    rows,
    splat,
    split,
    store,
    transposed,
)


@njit
def _arithmetic(a, b, out):
    x, y = load(a, 0), load(b, 0)
    rows = (x + y, x - y, x * y, x / y, fused(x, y, splat(2.0)), greater(x, y), lesser(x, y))
    for k, row in enumerate(rows):
        store(out, k * LANES, row)


@njit
def _with_numbers(a, out):
    x, y = rows(a, 2)
    found = (2.0 + x, x - 3.0, 0.5 * y, 1.0 / y, max(x, 0.25), max(x, y), exp(x))
    for k, row in enumerate(found):
        store(out, k * LANES, row)


@njit
def _split(a, whole, rest):
    store(rest, 0, split(load(a, 0), whole))


@njit
def _transpose(a, out):
    for k, row in enumerate(transposed(a)):
        store(out, k * LANES, row)


@njit
def _crossed(old, new, level):
    return crossed(load(old, 0), load(new, 0), load(level, 0))


def test_each_lane_is_computed_like_one_double():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, LANES))
    out = np.empty((7, LANES))
    _arithmetic(a, b, out)
    expected = [a + b, a - b, a * b, a / b, a * b + 2, np.maximum(a, b), np.minimum(a, b)]
    np.testing.assert_allclose(out, expected, rtol=1e-15, atol=1e-15)


def test_numbers_go_into_each_lane():
    a = np.random.default_rng(2).normal(size=(2, LANES))
    x, y = a
    out = np.empty((7, LANES))
    _with_numbers(a, out)
    expected = [2 + x, x - 3, y / 2, 1 / y, np.maximum(x, 0.25), np.maximum(x, y), np.exp(x)]
    np.testing.assert_allclose(out, expected, rtol=1e-15, atol=1e-15)


def test_a_lane_is_split_into_its_whole_part_and_the_rest():
    a = np.array([0.0, 0.25, 1.0, 1.999, 7.5, 3999.875, 12.0, 100.5])
    whole, rest = np.empty(LANES, np.int32), np.empty(LANES)
    _split(a, whole, rest)
    assert whole.tolist() == [0, 0, 1, 1, 7, 3999, 12, 100]
    np.testing.assert_array_equal(whole + rest, a)


def test_columns_are_exchanged_for_rows():
    a = np.arange(float(LANES * LANES)).reshape(LANES, LANES)
    out = np.empty_like(a)
    _transpose(a, out)
    np.testing.assert_array_equal(out, a.T)


def test_a_crossing_in_one_lane_is_seen_and_only_upwards():
    level = np.zeros(LANES)
    old, new = np.full(LANES, -1.0), np.full(LANES, -0.5)
    assert not _crossed(old, new, level)
    new[5] = 0.1
    assert _crossed(old, new, level)
    assert not _crossed(new, old, level)
    old[5] = 0.1
    assert not _crossed(old, new, level)
