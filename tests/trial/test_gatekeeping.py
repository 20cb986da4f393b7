"""The graphical procedure: its published example, and the procedures that are special graphs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.trial.gatekeeping import Graph
from remyelin.trial.multiplicity import adjust_p

values = st.lists(st.floats(0, 0.2), min_size=4, max_size=4)


@given(p=values)
def test_holm_is_a_graph(p):
    found = Graph.holm("abcd").test(dict(zip("abcd", p, strict=True)))
    np.testing.assert_allclose(found["p_adjusted"], adjust_p(np.array(p), "holm"), atol=1e-12)


def test_a_series_will_do():
    p = {"a": 0.01, "b": 0.04}
    pd.testing.assert_frame_equal(Graph.holm("ab").test(pd.Series(p)), Graph.holm("ab").test(p))


@given(p=values)
def test_a_fixed_sequence_stops_at_the_first_failure(p):
    found = Graph.fixed_sequence("abcd").test(dict(zip("abcd", p, strict=True)))
    np.testing.assert_allclose(found["p_adjusted"], np.maximum.accumulate(p), atol=1e-15)


@given(p=values)
def test_a_gate_opens_when_the_whole_family_is_rejected(p):
    found = Graph.serial(["ab", "cd"]).test(dict(zip("abcd", p, strict=True)))
    first, second = adjust_p(np.array(p[:2]), "holm"), adjust_p(np.array(p[2:]), "holm")
    np.testing.assert_allclose(found["p_adjusted"], [*first, *np.maximum(second, max(first))], atol=1e-12)


@given(p=values, alpha=st.floats(0.01, 0.2))
def test_fallback_by_its_definition(p, alpha):
    """Wiens 2003: an own share of alpha, and all of the one before if that was rejected."""
    shares, carried, rejected = [0.4, 0.3, 0.2, 0.1], 0.0, []
    for share, value in zip(shares, p, strict=True):
        carried = share * alpha + (carried if rejected and rejected[-1] else 0.0)
        rejected.append(value <= carried)
    found = Graph.fallback("abcd", shares).test(dict(zip("abcd", p, strict=True)), alpha)
    close = np.abs(found["p_adjusted"] - alpha) < 1e-9  # ties of rounding
    assert (close | (found["rejected"] == rejected)).all()


def simple(p: dict[str, float], alpha: float) -> set[str]:
    """Algorithm 1 of Bretz 2009 by words: any hypothesis that can be rejected is, in any order."""
    weight = {"A1": 0.5, "A2": 0.5, "B1": 0.0, "B2": 0.0}
    edge = {("A1", "A2"): 0.5, ("A1", "B1"): 0.5, ("A2", "A1"): 0.5, ("A2", "B2"): 0.5,
            ("B1", "A2"): 1.0, ("B2", "A1"): 1.0}  # fmt: skip
    left, out = set(weight), set()
    while found := [h for h in sorted(left, reverse=True) if p[h] <= alpha * weight[h] and weight[h] > 0]:
        j = found[0]
        left.remove(j)
        out.add(j)
        new = {}
        for h in left:
            weight[h] += weight[j] * edge.get((j, h), 0.0)
            for k in left - {h}:
                back = edge.get((h, j), 0.0) * edge.get((j, h), 0.0)
                if back < 1:
                    passed = edge.get((h, k), 0.0) + edge.get((h, j), 0.0) * edge.get((j, k), 0.0)
                    new[h, k] = passed / (1 - back)
        edge = new
    return out


GRAPH = Graph(
    {"A1": 0.5, "A2": 0.5, "B1": 0.0, "B2": 0.0},
    {
        "A1": {"A2": 0.5, "B1": 0.5},
        "A2": {"A1": 0.5, "B2": 0.5},
        "B1": {"A2": 1.0},
        "B2": {"A1": 1.0},
    },
)


@settings(max_examples=300)
@given(p=st.lists(st.floats(0, 0.08), min_size=4, max_size=4))
def test_two_doses_and_two_endpoints_by_the_words_of_the_paper(p):
    """Two primary and two secondary hypotheses (Bretz 2009, figure of two families with descendants)."""
    named = dict(zip(GRAPH.weights, p, strict=True))
    found = GRAPH.test(named, 0.05)
    assume(not (np.abs(found["p_adjusted"] - 0.05) < 1e-9).any())  # ties of rounding
    assert set(found.index[found["rejected"]]) == simple(named, 0.05)


@settings(max_examples=100)
@given(
    p=st.lists(st.floats(0, 0.08), min_size=4, max_size=4), lower=st.integers(0, 3), factor=st.floats(0, 1)
)
def test_a_smaller_p_value_never_costs_a_rejection(p, lower, factor):
    named = dict(zip(GRAPH.weights, p, strict=True))
    before = GRAPH.test(named)["p_adjusted"]
    named[list(named)[lower]] *= factor
    assert (GRAPH.test(named)["p_adjusted"] <= before + 1e-12).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Graph({"a": 0.7, "b": 0.7}),
        lambda: Graph({"a": -0.1, "b": 0.7}),
        lambda: Graph({"a": 0.5, "b": 0.5}, {"a": {"c": 1.0}}),
        lambda: Graph({"a": 0.5, "b": 0.5}, {"c": {"a": 1.0}}),
        lambda: Graph({"a": 0.5, "b": 0.5}, {"a": {"a": 1.0}}),
        lambda: Graph.fixed_sequence(["a", "a"]),
        lambda: Graph.fixed_sequence([]),
        lambda: Graph.serial([["a"], []]),
        lambda: Graph.fallback(["a", "b"], [1.0]),
        lambda: Graph.holm("ab").test({"a": 0.1}),
        lambda: Graph.holm("ab").test({"a": 0.1, "b": np.nan}),
        lambda: Graph.holm("ab").test({"a": 0.1, "b": 0.1, "c": 0.1}),
    ],
)
def test_what_is_no_graph_or_no_p_value_is_refused(make):
    with pytest.raises(InputError):
        make()
