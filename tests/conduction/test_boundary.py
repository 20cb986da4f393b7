"""Searches along lines of candidates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remyelin.conduction.boundary import find_boundaries


@given(st.lists(st.tuples(st.integers(1, 3000), st.floats(-0.2, 1.2)), min_size=1, max_size=5))
def test_finds_where_success_ends(lines):
    ends = [round(size * part) for size, part in lines]
    asked = []

    def trial(line, place):
        asked.append(len(line))
        return place < np.array(ends)[line]

    found = find_boundaries(trial, [size for size, _ in lines])
    for (size, _), end, edge in zip(lines, ends, found, strict=True):
        assert edge.last_success == min(max(end, 0), size) - 1
        assert edge.first_failure == min(max(end, 0), size)
        assert not edge.broken
    assert len(asked) <= 6


def test_says_when_success_returns():
    good = {*range(10), *range(40, 50)}
    edge = find_boundaries(lambda _, place: [p in good for p in place], [60], first=range(0, 60, 5))[0]
    assert (edge.last_success, edge.first_failure, edge.broken) == (9, 10, True)


def test_a_line_without_candidates_has_no_boundary():
    assert find_boundaries(lambda line, place: [], []) == []
