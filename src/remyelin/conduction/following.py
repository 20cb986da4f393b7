"""The highest rate at which an axon passes on every action potential of a train."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.boundary import IntArray, find_boundaries
from remyelin.conduction.cable import listed
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.settled import baseline, pulses, until_settled
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError
from remyelin.number import check_number

WIDE, WIDE_FROM_HZ = 12, 100.0


@dataclass(frozen=True, slots=True, eq=False)
class FollowingRate:
    """The answer of `max_following_rate_hz`.

    Attributes
    ----------
    rate_hz
        (axon,) the highest rate up to which every train that was tried arrived whole; NaN where there is
        none.
    outcome
        (axon,) ``"follows"``; ``"blocked"``: not even a single action potential arrives; ``"slower"``: the
        train at the lowest rate lost some; ``"faster"``: that at the highest rate lost none, and `rate_hz` is
        that.
    broken
        (axon,) whether a train at a higher rate arrived whole again.
    tried_hz, arrived
        (axon,) of (rate,) arrays: every rate that was tried, from low to high, and how many arrived of each
        train.
    pulses
        In each train.
    resolution
        Relative, of the rate, which is never above the truth.
    """

    rate_hz: FloatArray
    outcome: tuple[str, ...]
    broken: npt.NDArray[np.bool_]
    tried_hz: tuple[FloatArray, ...]
    arrived: tuple[IntArray, ...]
    pulses: int
    resolution: float

    def __repr__(self) -> str:
        told = ", ".join(
            f"{rate:.0f} Hz" if word == "follows" else word if word == "blocked" else f"{word} than tried"
            for rate, word in zip(self.rate_hz, self.outcome, strict=True)
        )
        return f"FollowingRate({told}; trains of {self.pulses})"


def max_following_rate_hz(
    axons: Axon | Sequence[Axon],
    *,
    n_pulses: int = 10,
    lowest_hz: float = 10.0,
    highest_hz: float = 2500.0,
    resolution: float = 0.01,
    stimulus: Stimulus | None = None,
    dt_us: float = 4.0,
    threads: int = 1,
) -> FollowingRate:
    """The highest rate at which all action potentials of a train arrive at the last node.

    Rates are tried on a logarithmic scale, first wide apart, then closer around the first failure. That lower
    rates are safe is not assumed: the rate is that up to which every train that was tried arrived whole. Of
    the others, `FollowingRate.arrived` counts what was left (Schauf & Davis 1974, 10.1136/jnnp.37.2.152).
    Trains are short: the sodium pump, whose hyperpolarisation blocks demyelinated axons after long ones, is
    not in the model.

    Parameters
    ----------
    axons
        One or many.
    n_pulses
        Of a train.
    lowest_hz, highest_hz, resolution
        Rates tried, and the relative difference between rates at the end of the search.
    stimulus
        A single pulse, repeated; as in `conduct` if not given: several times threshold.
    dt_us, threads
        As in `conduct`.

    Returns
    -------
    FollowingRate
        Rates, a word for each axon, and what arrived at every rate tried.

    Raises
    ------
    InputError
        If no action potential starts, an axon does not fall silent, one stimulus makes it fire twice, or a
        number cannot be used.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> found = conduction.max_following_rate_hz([axon, axon.demyelinate(20, bare=True)])
    >>> found
    FollowingRate(568 Hz, 280 Hz; trains of 10)
    >>> found.arrived[1][found.tried_hz[1] > 400]
    array([5, 2, 3, 1, 2, 1, 1])
    """
    rows = listed(axons)
    for name, value in {"lowest_hz": lowest_hz, "highest_hz": highest_hz}.items():
        check_number(name, value)
    if not 0 < lowest_hz < highest_hz <= 1e4:
        span = f"{lowest_hz:g} to {highest_hz:g}"
        raise InputError(
            "", "lowest_hz to highest_hz", span, "above 0 and at most 10000, the lower first", "correct it"
        )
    check_number("n_pulses", n_pulses, least=2, whole=True, fix="leave it at 10")
    n_pulses = int(n_pulses)
    expected = "0.001 to 0.5, relative"
    check_number("resolution", resolution, least=1e-3, most=0.5, expected=expected, fix="leave it at 0.01")
    base, wait = baseline(rows, stimulus, once=True, dt_us=dt_us, threads=threads)
    lines = np.flatnonzero(base.conducted)
    count = math.floor(math.log(highest_hz / lowest_hz) / math.log1p(resolution) + 1e-9) + 1
    rates = np.asarray(lowest_hz * (1 + resolution) ** np.arange(count), dtype=np.float64)
    arrived: list[dict[int, int]] = [{} for _ in rows]

    def trial(which: IntArray, place: IntArray) -> npt.NDArray[np.bool_]:
        axon = lines[which]
        run = until_settled(
            [rows[k] for k in axon],
            [pulses(stimulus, np.arange(n_pulses) * 1e3 / rates[p]) for p in place],
            2 * wait[axon],
            dt_us=dt_us,
            threads=threads,
        )
        for k, p, number in zip(axon, place, run.n_spikes, strict=True):
            arrived[k][int(p)] = int(number)
        return np.asarray(run.n_spikes >= n_pulses)

    found = find_boundaries(trial, [count] * len(lines), first=_first(rates))
    rate, broken = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool)
    words = ["blocked"] * len(rows)
    for k, edge in zip(lines, found, strict=True):
        broken[k] = edge.broken
        words[k] = {-1: "slower", count - 1: "faster"}.get(edge.last_success, "follows")
        if edge.last_success >= 0:
            rate[k] = rates[edge.last_success]
    places = [sorted(each) for each in arrived]
    return FollowingRate(
        rate,
        tuple(words),
        broken,
        tuple(np.array([rates[p] for p in tried], dtype=np.float64) for tried in places),
        tuple(
            np.array([each[p] for p in tried], dtype=np.int64)
            for each, tried in zip(arrived, places, strict=True)
        ),
        n_pulses,
        resolution,
    )


def _first(rates: FloatArray) -> IntArray:
    """Places to try first: none below 100 Hz, whose trains are long, unless the lowest of these fails."""
    begin = min(int(np.searchsorted(rates, WIDE_FROM_HZ)), len(rates) - 1)
    return np.linspace(begin, len(rates) - 1, WIDE).round().astype(np.int64)
