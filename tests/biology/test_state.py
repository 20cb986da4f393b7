"""The myelin state: what biology may hand to conduction and signal, and nothing else."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.biology.state import MyelinState
from remyelin.errors import InputError

GOOD = {
    "day": -3.0,
    "diameter_um": [0.8, 1.2, 0.5],
    "g_ratio": [0.75, 1.0, 0.9],
    "bare_um": [100.0, 300.0, 0.0],
    "internode_um": [90.0, 110.0, 40.0],
    "internode_offset": [0, 2, 2, 3],
    "myelin_fraction": 0.4,
    "axon_survival": 0.9,
    "new_oligodendrocytes": 12.5,
    "surviving_oligodendrocytes": 5,
    "progenitors": 40,
}


@given(
    st.lists(st.lists(st.floats(1, 500), max_size=5), max_size=6),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_each_axon_gets_its_own_internodes_back(axons, fraction, survival):
    state = MyelinState(
        **GOOD
        | {
            "diameter_um": np.ones(len(axons)),
            "g_ratio": np.full(len(axons), 0.7),
            "bare_um": np.zeros(len(axons)),
            "internode_um": [length for axon in axons for length in axon],
            "internode_offset": np.cumsum([0, *map(len, axons)]),
            "myelin_fraction": fraction,
            "axon_survival": survival,
        }
    )
    assert state.n_axons == len(axons)
    assert [state.internodes(k).tolist() for k in range(len(axons))] == axons


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("day", np.nan, "finite"),
        ("diameter_um", [0.8, 0.0, 0.5], "above 0"),
        ("diameter_um", [0.8, np.inf, 0.5], "finite"),
        ("diameter_um", [[0.8, 1.2, 0.5]], "one dimension"),
        ("g_ratio", [0.7, 1.01, 0.9], "at most 1"),
        ("g_ratio", [0.7, 0.0, 0.9], "above 0"),
        ("g_ratio", [0.7, 0.8], "each of 3 axons"),
        ("bare_um", [1.0, -1.0, 0.0], "at least 0"),
        ("bare_um", [1.0], "each of 3 axons"),
        ("internode_um", [90.0, 0.0, 40.0], "above 0"),
        ("internode_offset", [0, 2, 3], "4 numbers that rise from 0 to 3"),
        ("internode_offset", [0, 3, 2, 3], "rise from 0 to 3"),
        ("internode_offset", [1, 2, 2, 3], "rise from 0 to 3"),
        ("internode_offset", [0, 1, 2, 2], "rise from 0 to 3"),
        ("internode_offset", [0, 1.5, 2, 3], "positions"),
        ("internode_offset", [], "4 numbers"),
        ("myelin_fraction", 1.2, "at most 1"),
        ("axon_survival", -0.1, "at least 0"),
        ("new_oligodendrocytes", -1, "at least 0"),
        ("surviving_oligodendrocytes", np.nan, "finite"),
        ("progenitors", np.inf, "finite"),
    ],
)
def test_a_state_that_cannot_be_is_refused_by_name(name, value, expected):
    with pytest.raises(InputError) as caught:
        MyelinState(**GOOD | {name: value})
    assert caught.value.field == f"MyelinState {name}"
    assert expected in caught.value.expected


def test_there_is_no_axon_beyond_the_last():
    state = MyelinState(**GOOD)
    for axon in (-1, 3):
        with pytest.raises(InputError, match="0 to 2"):
            state.internodes(axon)


def test_a_lesion_may_have_lost_all_its_axons():
    nothing = {name: [] for name in ("diameter_um", "g_ratio", "bare_um", "internode_um")}
    state = MyelinState(**GOOD | nothing | {"internode_offset": [0], "axon_survival": 0.0})
    assert state.n_axons == 0


def test_a_state_cannot_be_altered_not_even_through_what_it_was_made_of():
    diameters = np.array([0.8, 1.2, 0.5])
    state = MyelinState(**GOOD | {"diameter_um": diameters})
    diameters[0] = 9.0
    assert state.diameter_um[0] == 0.8
    with pytest.raises(ValueError, match="read-only"):
        state.diameter_um[0] = 9.0
    with pytest.raises(AttributeError):
        state.day = 1.0
    assert diameters.flags.writeable


def test_equal_states_are_equal_also_after_a_worker():
    state = MyelinState(**GOOD)
    assert pickle.loads(pickle.dumps(state)) == state
    assert state != MyelinState(**GOOD | {"g_ratio": [0.75, 1.0, 0.91]})
    assert state != "state"
