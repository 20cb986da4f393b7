"""Numbers that users give: refused by name, and shown as they were given."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.number import check_number, several, shown


@pytest.mark.parametrize("value", [1, 1.0, np.float64(1), np.int64(1), np.float32(1)])
def test_numbers_of_every_kind_are_taken(value):
    check_number("x", value, least=1, most=1, whole=True)


@pytest.mark.parametrize(
    "value", ["1", True, np.True_, None, float("nan"), float("inf"), [1], 1 + 0j, 1.5, 0]
)
def test_what_is_no_whole_number_above_zero_is_refused(value):
    with pytest.raises(InputError, match=r"^x is .*, expected a whole number above 0"):
        check_number("x", value, above=0, whole=True)


def test_bounds_are_told():
    for bounds, words in (
        ({"above": 0}, "a finite number above 0."),
        ({"above": 0, "most": 2}, "a finite number above 0 and at most 2."),
        ({"least": 0}, "a finite number, 0 or more."),
        ({"least": 5, "most": 50}, "a finite number, 5 to 50."),
    ):
        with pytest.raises(InputError) as caught:
            check_number("x", -1, **bounds)
        assert words in str(caught.value)


def test_a_value_is_shown_in_few_words():
    assert [shown(v) for v in (None, 2.5, "a", True, [1])] == [
        "not given",
        "2.5",
        "'a'",
        "True",
        "of type list",
    ]
    assert several("ab") == ("ab",)
    assert several([1, 2]) == (1, 2)
    assert several(range(2)) == (0, 1)
