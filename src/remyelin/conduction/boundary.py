"""Where trials along a line of candidates cease to succeed: many lines at once, each round one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Trial = Callable[[IntArray, IntArray], Sequence[bool] | npt.NDArray[np.bool_]]
WIDTH = 8  # as many as the solver takes abreast


@dataclass(slots=True)
class Boundary:
    """What was tried on one line of candidates 0 to `size` - 1 and where success ends.

    Attributes
    ----------
    size
        How many candidates there are.
    tried
        Whether each of those that were tried succeeded.
    """

    size: int
    tried: dict[int, bool] = field(default_factory=dict)

    @property
    def first_failure(self) -> int:
        """The lowest candidate that failed; `size` if none did."""
        return min((place for place, success in self.tried.items() if not success), default=self.size)

    @property
    def last_success(self) -> int:
        """The highest candidate up to which every one that was tried succeeded; -1 if there is none."""
        failure = self.first_failure
        return max((place for place in self.tried if place < failure), default=-1)

    @property
    def broken(self) -> bool:
        """Whether one that was tried succeeded beyond a failure."""
        return any(success and place > self.first_failure for place, success in self.tried.items())


def find_boundaries(
    trial: Trial, sizes: Sequence[int], *, first: Sequence[int] | IntArray | None = None
) -> list[Boundary]:
    """Search every line until the last success and the first failure are neighbours.

    Success is expected at the low end. It is not assumed to end once: the boundary is the one below which all
    that were tried succeed, and `Boundary.broken` says if one succeeded beyond it. What lies between two
    candidates that were tried is not seen.

    Parameters
    ----------
    trial
        Takes (candidate,) lines and (candidate,) places on them; tells which succeed. Called once a round.
    sizes
        (line,) candidates on each.
    first
        Places to try first on every line; by default as many as the solver takes abreast, ends included.

    Examples
    --------
    >>> found = find_boundaries(lambda line, place: place < [30, 70, 0][line[0]], [100])
    >>> found[0].last_success, found[0].first_failure, found[0].broken
    (29, 30, False)
    """
    lines = [Boundary(size) for size in sizes]
    while True:
        asked = [
            (k, place)
            for k, line in enumerate(lines)
            for place in (_next(line) if line.tried else _opening(line, first))
        ]
        if not asked:
            return lines
        which, places = np.array(asked).T
        for (k, place), success in zip(asked, trial(which, places), strict=True):
            lines[k].tried[place] = bool(success)


def _opening(line: Boundary, first: Sequence[int] | IntArray | None) -> list[int]:
    if first is None:
        return _whole(np.linspace(0, line.size - 1, WIDTH))
    return [int(place) for place in np.unique(first) if place < line.size]


def _next(line: Boundary) -> list[int]:
    low, high = line.last_success, line.first_failure
    inner = np.linspace(low, high, min(WIDTH, high - low - 1) + 2)[1:-1]
    return _whole(inner)


def _whole(places: npt.NDArray[np.float64]) -> list[int]:
    return sorted({round(place) for place in places.tolist()})
