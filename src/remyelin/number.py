"""A number that a user gave, or what draws numbers: as it may be, or an error that says how."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from remyelin.errors import InputError


def check_number(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    whole: bool = False,
    expected: str = "",
    fix: str = "correct it",
) -> None:
    """Refuse what is not a finite number within its bounds: text, true or false, nothing, NaN.

    Parameters
    ----------
    name
        What the user calls it.
    above, least, most
        Bounds: more than `above`, `least` or more, `most` or less.
    whole
        Only whole numbers.
    expected
        In place of the words made from the bounds.

    Raises
    ------
    InputError
        With the name, the value and what is allowed.

    Examples
    --------
    >>> check_number("n_short", "3", least=1, whole=True)
    Traceback (most recent call last):
    remyelin.errors.InputError: n_short is '3', expected a whole number, 1 or more. Fix: correct it.
    """
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if number:
        size = float(value)  # type: ignore[arg-type]
        inside = above < size and least <= size <= most and math.isfinite(size)
        if inside and (not whole or size == int(size)):
            return
    raise InputError("", name, shown(value), expected or _allowed(above, least, most, whole), fix)


def check_generator(rng: object) -> None:
    """Refuse what is no generator of random numbers.

    Examples
    --------
    >>> check_generator(5)
    Traceback (most recent call last):
    remyelin.errors.InputError: rng is 5, expected a generator. Fix: make one with numpy.random.default_rng.
    """
    if not isinstance(rng, np.random.Generator):
        fix = "make one with numpy.random.default_rng"
        raise InputError("", "rng", shown(rng), "a generator", fix)


def shown(value: object) -> str:
    """A value in few words."""
    if value is None:
        return "not given"
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        return f"{value:g}" if float(value) == float(f"{value:g}") else f"{value:.6g}"
    return repr(value) if isinstance(value, str | bool | np.bool_) else f"of type {type(value).__name__}"


def several(given: Any) -> tuple[Any, ...]:
    """What was given, one thing or many; a text is one thing."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _allowed(above: float, least: float, most: float, whole: bool) -> str:
    kind = "a whole number" if whole else "a finite number"
    if above > -math.inf:
        return f"{kind} above {above:g}" + (f" and at most {most:g}" if most < math.inf else "")
    return f"{kind}, {least:g} " + (f"to {most:g}" if most < math.inf else "or more")
