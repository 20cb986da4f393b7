"""What a forecast assumes: named numbers with their range and source, and worlds in which they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import STATUSES, read_data, source
from remyelin.number import check_number

FloatArray = npt.NDArray[np.float64]
FILE = "evidence/virtual_assumptions.toml"
SHAPES = ("log", "normal", "even")
# A row's interval holds 95 % of its distribution; the rest is cut off, so that no draw leaves the interval.
_CUT = 0.025
MOST_DRAWS = 100_000

Worlds = Mapping[str, FloatArray]
"""(draw,) values of every assumption by name."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number on the way from a target to a result.

    Attributes
    ----------
    name, words
        Its name, and what it is.
    value, low, high, unit
        What is taken if nothing is varied, and from where to where it is varied.
    shape
        ``"log"`` or ``"normal"`` (each side with its own width), or ``"even"``.
    source, status
        Where it was read, and how surely: ``"seen"``, ``"derived"`` or ``"unverified"``.
    interval
        Whose the interval is.
    """

    name: str
    words: str
    value: float
    low: float
    high: float
    unit: str
    shape: str
    source: str
    status: str
    interval: str

    def __post_init__(self) -> None:
        if self.source:
            source(self.source)
        elif self.status != "unverified":
            raise _wrong(f"{self.name} source", "missing", "the id of a source", "add it, or say unverified")
        for field, found, known in (("status", self.status, STATUSES), ("shape", self.shape, SHAPES)):
            if found not in known:
                raise _wrong(f"{self.name} {field}", found, f"one of {', '.join(known)}", "correct it")
        above = 0.0 if self.shape == "log" else -np.inf
        if not above < self.low <= self.value <= self.high:
            found = f"{self.value:g} ({self.low:g} to {self.high:g})"
            raise _wrong(f"{self.name} value", found, "low <= value <= high", "correct it")

    def at(self, part: npt.ArrayLike) -> FloatArray:
        """The values below which these parts, 0 to 1, of the distribution lie.

        Examples
        --------
        >>> assumptions()["treatment_effect"].at([0, 0.5, 1]).round(2)
        array([1.  , 1.5 , 2.25])
        """
        u = np.asarray(part, dtype=np.float64)
        if self.shape == "even":
            return np.asarray(self.low + (self.high - self.low) * u)
        from scipy.special import ndtri

        z = ndtri(_CUT + (1 - 2 * _CUT) * u) / ndtri(1 - _CUT)
        if self.shape == "normal":
            return np.asarray(
                self.value + np.where(z < 0, z * (self.value - self.low), z * (self.high - self.value))
            )
        below, above = np.log(self.value / self.low), np.log(self.high / self.value)
        return np.asarray(self.value * np.exp(np.where(z < 0, z * below, z * above)))

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        read = f", {self.source}" if self.source else ""
        return f"{self.words}: {self.value:g} ({self.low:g} to {self.high:g}){unit}, {self.status}{read}"


@cache
def assumptions() -> Mapping[str, Assumption]:
    """Every assumption of a forecast, by name.

    Examples
    --------
    >>> print(assumptions()["depleted_part"])
    part of the lesions that fail for want of progenitors; in the others they are there and do not
    differentiate: 0.37 (0.25 to 0.5), seen, boyd2013
    """
    rows = read_data("virtual_assumptions.toml")["assumption"]
    return MappingProxyType({name: Assumption(name=name, **row) for name, row in rows.items()})


def central(**changes: float) -> Worlds:
    """The one world in which every assumption has its `value`, but for `changes`.

    Raises
    ------
    InputError
        For an unknown assumption, or a value outside its interval.

    Examples
    --------
    >>> central(severity=1.0)["severity"]
    array([1.])
    """
    known = assumptions()
    for name, value in changes.items():
        if name not in known:
            raise _wrong(name, "unknown", "an assumption", did_you_mean(name, known))
        check_number(f"assumption {name}", value, least=known[name].low, most=known[name].high)
    return {name: np.array([float(changes.get(name, row.value))]) for name, row in known.items()}


def worlds_at(cube: npt.ArrayLike) -> Worlds:
    """(draw,) of each assumption from (draw, assumption) parts of its distribution, in the file's order."""
    parts = np.asarray(cube, dtype=np.float64)
    return {name: row.at(parts[:, k]) for k, (name, row) in enumerate(assumptions().items())}


def draw_worlds(n_draws: int, rng: np.random.Generator) -> Worlds:
    """Worlds drawn from all the distributions at once, spread evenly over each (a Latin hypercube).

    Examples
    --------
    >>> worlds = draw_worlds(4, np.random.default_rng(1))
    >>> np.sort(worlds["severity"] // 0.125).tolist()
    [4.0, 5.0, 6.0, 7.0]
    """
    check_number("draws", n_draws, least=1, most=MOST_DRAWS, whole=True)
    shape = (int(n_draws), len(assumptions()))
    return worlds_at((rng.permuted(np.indices(shape)[0], axis=0) + rng.random(shape)) / n_draws)


def population(name: str) -> Mapping[str, Any]:
    """What is known of the lesions that a trial treats: ``"chronic"`` or ``"acute"``.

    Raises
    ------
    InputError
        For another name.
    """
    known = read_data("virtual_assumptions.toml")["population"]
    if name not in known:
        raise InputError("", "population", repr(name), " or ".join(known), did_you_mean(str(name), known))
    return MappingProxyType(known[name])


def _wrong(field: str, found: str, expected: str, fix: str) -> InputError:
    return InputError(FILE, field, found, expected, fix)
