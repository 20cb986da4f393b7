"""What the calibration left of the rates: the draws that every forecast carries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.biology.ageing import AGEING, aged
from remyelin.biology.rates import Rates, names
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data

FloatArray = npt.NDArray[np.float64]
FILE = "evidence/biology_posterior.toml"


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Rates of the young and ratios of ageing that agree with the experiments.

    Attributes
    ----------
    names
        Of what was calibrated: a rate of the young, or ``ageing.`` and the name of a ratio.
    draws
        (draw, name), the first the most probable.
    fixed
        Rates and ratios that were not calibrated.
    """

    names: tuple[str, ...]
    draws: FloatArray
    fixed: dict[str, float]

    def known(self) -> dict[str, FloatArray]:
        """(draw,) of each rate of the young, and of each ratio of ageing as ``ageing.`` and its name."""
        fixed = {name: np.full(len(self.draws), value) for name, value in self.fixed.items()}
        return fixed | dict(zip(self.names, self.draws.T, strict=True))

    def rates(self, index: float, draw: int = 0) -> Rates:
        """The rates at an index of age by one draw.

        Raises
        ------
        InputError
            If there is no such draw.
        """
        if not 0 <= draw < len(self.draws):
            expected = f"0 to {len(self.draws) - 1}"
            raise InputError("", "draw of the posterior", f"{draw}", expected, "correct it")
        known = {**self.fixed, **dict(zip(self.names, self.draws[draw].tolist(), strict=True))}
        young = Rates(**{name: known[name] for name in names()})
        ratios = {key: known[f"ageing.{key}"] for key in AGEING}
        return aged(young, ratios, index, known["ageing.cycle_old_days"])


@cache
def posterior() -> Posterior:
    """The posterior of the evidence base.

    Examples
    --------
    >>> known = posterior()
    >>> known.draws.shape == (200, len(known.names))
    True
    """
    return read_posterior(read_data("biology_posterior.toml"))


def read_posterior(data: Mapping[str, Any]) -> Posterior:
    """A posterior from a table such as `evidence/biology_posterior.toml`.

    Raises
    ------
    InputError
        If a rate is missing, unknown or there twice, or a draw has too few or impossible numbers.
    """
    for key, kind in (("names", list), ("draws", list), ("fixed", dict)):
        if not isinstance(data.get(key), kind):
            raise _wrong(
                key, "missing", "names, draws and [fixed]", "make it with benchmarks/biology/calibrate.py"
            )
    given = [*data["names"], *data["fixed"]]
    needed = [*names(), *(f"ageing.{key}" for key in AGEING), "ageing.cycle_old_days"]
    for name in given:
        if name not in needed:
            raise _wrong("names", f"with '{name}', unknown", "a rate or a ratio", did_you_mean(name, needed))
        if given.count(name) > 1:
            raise _wrong("names", f"with '{name}' twice", "each rate once", "take one out")
    missing = [name for name in needed if name not in given]
    if missing:
        raise _wrong("names", f"without '{missing[0]}'", "every rate and ratio", "add it")
    draws = _draws(data["draws"], len(data["names"]))
    found = Posterior(
        tuple(data["names"]), draws, {key: float(value) for key, value in data["fixed"].items()}
    )
    for draw in range(len(draws)):
        found.rates(0.0, draw)
    return found


def _draws(rows: Sequence[Any], width: int) -> FloatArray:
    if not rows:
        raise _wrong("draws", "empty", "one draw or more", "run the calibration")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            found = f"of {len(row)} numbers" if isinstance(row, list) else "no list"
            raise _wrong(f"draw {number}", found, f"{width} numbers, one for each name", "correct the row")
        for value in row:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise _wrong(f"draw {number}", f"with {value!r}", "finite numbers above 0", "correct the row")
    return np.array(rows, dtype=np.float64)


def _wrong(field: str, found: str, expected: str, fix: str) -> InputError:
    return InputError(FILE, field, found, expected, fix)
