"""Which assumption decides an answer: variance-based sensitivity (Sobol), through SALib."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError, RefuseRun
from remyelin.number import check_number
from remyelin.virtual.assumptions import Worlds, assumptions, worlds_at
from remyelin.virtual.published import effective

FloatArray = npt.NDArray[np.float64]
_RESAMPLES = 200
_FIFTHS = 5


@dataclass(frozen=True, slots=True)
class Moved:
    """How one assumption moves the answer.

    Attributes
    ----------
    name
        Of the assumption.
    first, first_half_width
        Part of the answer's variance that goes if this one assumption were known, and its 95 % half-width.
    total, total_half_width
        Part that would be left if all others were known.
    calibrated
        As `first`, among the worlds as calibration weighs them; 0 where that was not asked.
    """

    name: str
    first: float
    first_half_width: float
    total: float
    total_half_width: float
    calibrated: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def sobol(answer: Callable[[Worlds], FloatArray], *, base: int, seed: int) -> list[Moved]:
    """Rank the assumptions by what they do to an answer (Saltelli 2010, 10.1016/j.cpc.2009.09.018).

    Parameters
    ----------
    answer
        From worlds to (world,) numbers.
    base
        Points, a power of 2; the answer is asked for `base` times two more than there are assumptions.
    seed
        Of the points and of the intervals.

    Returns
    -------
    list
        By `Moved.total`, the largest first; empty if no assumption moves the answer.

    Raises
    ------
    InputError
        If `base` is no power of 2.
    RefuseRun
        If SALib is not installed.

    Examples
    --------
    >>> found = sobol(lambda worlds: worlds["severity"] + 0.1 * worlds["age_part"], base=64, seed=1)
    >>> found[0].name, found[0].total > 0.9, found[5].total
    ('severity', True, 0.0)
    """
    check_base(base)
    try:
        from SALib.analyze import sobol as analysed
        from SALib.sample import sobol as sampled
    except ImportError:
        raise RefuseRun(
            "", "SALib", "not installed", "the extra [virtual]", 'pip install "remyelin[virtual]"'
        ) from None
    names = list(assumptions())
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    cube = sampled.sample(problem, base, calc_second_order=False, seed=seed)
    values = answer(worlds_at(np.clip(cube, 0.0, 1.0)))
    if not values.std() > 0:
        return []
    found = analysed.analyze(
        problem, values, calc_second_order=False, num_resamples=_RESAMPLES, seed=seed, print_to_console=False
    )
    columns = (found[key] for key in ("S1", "S1_conf", "ST", "ST_conf"))
    rows = [Moved(name, *map(float, row)) for name, *row in zip(names, *columns, strict=True)]
    return sorted(rows, key=lambda row: -row.total)


def check_base(base: int) -> None:
    """Refuse a number of points that is no power of 2."""
    check_number("sobol base", base, least=2, most=65_536, whole=True)
    if base & (base - 1):
        raise InputError("", "sobol base", f"{base}", "a power of 2, as 64", "give the nearest")


def explained(by: FloatArray, answer: FloatArray, weight: FloatArray) -> float:
    """Part of the variance of a weighted answer that fifths of one assumption explain.

    The correlation ratio, less what chance alone would explain (Kelley 1935, 10.1073/pnas.21.9.554).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, noise = rng.random(2000), rng.random(2000)
    >>> even = np.full(2000, 1 / 2000)
    >>> round(explained(x, x + noise, even), 1), round(explained(noise, x, even), 1)
    (0.5, 0.0)
    """
    order = np.argsort(by, kind="stable")
    fifth = np.empty(len(by), dtype=np.int64)
    fifth[order] = np.minimum(np.cumsum(weight[order]) * _FIFTHS, _FIFTHS - 1e-9).astype(np.int64)
    mass = np.bincount(fifth, weight, _FIFTHS)
    means = np.bincount(fifth, weight * answer, _FIFTHS) / np.maximum(mass, 1e-300)
    overall = float(weight @ answer)
    total = float(weight @ (answer - overall) ** 2)
    if not total > 0:
        return 0.0
    ratio = float(mass @ (means - overall) ** 2) / total
    count = effective(weight)
    if count <= _FIFTHS:
        return 0.0
    return max(0.0, 1 - (1 - ratio) * (count - 1) / (count - _FIFTHS))
