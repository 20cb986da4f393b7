"""What the calibration left of the rates: the draws that every forecast carries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from remyelin.biology.ageing import AGEING, aged
from remyelin.biology.rates import Rates, names
from remyelin.errors import InputError
from remyelin.evidence.load import read_data

FloatArray = npt.NDArray[np.float64]
CYCLE_OLD_DAYS = 70.0


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
        return aged(young, ratios, index, CYCLE_OLD_DAYS)


@cache
def posterior() -> Posterior:
    """The posterior of the evidence base."""
    data = read_data("biology_posterior.toml")
    return Posterior(tuple(data["names"]), np.array(data["draws"], dtype=np.float64), dict(data["fixed"]))
