"""The refractory period of transmission: how close two action potentials may follow each other to the end."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, eq=False)
class RefractoryPeriod:
    """The answer of `refractory_period_ms`.

    Attributes
    ----------
    period_ms
        (axon,) the shortest interval above which every one that was tried was transmitted; NaN where there is
        none.
    outcome
        (axon,) ``"transmits"``; ``"blocked"``: not even a single action potential arrives; ``"longer"``: the
        second did not arrive at the longest interval either.
    broken
        (axon,) whether the second action potential arrived at some shorter interval, and failed between.
    node
        (axon,) where arrival was asked for.
    resolution_ms
        The period is not longer than the truth by more than this.
    """

    period_ms: FloatArray
    outcome: tuple[str, ...]
    broken: npt.NDArray[np.bool_]
    node: IntArray
    resolution_ms: float

    def __repr__(self) -> str:
        told = ", ".join(
            f"{period:.2f} ms" if word == "transmits" else word
            for period, word in zip(self.period_ms, self.outcome, strict=True)
        )
        return f"RefractoryPeriod({told})"


def refractory_period_ms(
    axons: Axon | Sequence[Axon],
    *,
    node: int | None = None,
    longest_ms: float = 50.0,
    resolution_ms: float = 0.02,
    stimulus: Stimulus | None = None,
    dt_us: float = 4.0,
    threads: int = 1,
) -> RefractoryPeriod:
    """The shortest interval between two stimuli at which the second action potential arrives too.

    This is the refractory period of transmission (Felts, Baker & Smith 1997,
    10.1523/JNEUROSCI.17-19-07267.1997), measured by stimuli of equal strength. That a longer interval is safe
    is not assumed: intervals up to the longest are tried, and the period is that above which every one was
    transmitted.

    Parameters
    ----------
    axons
        One or many.
    node
        Where both must arrive, counted from 0; the last if not given. A node before the lesion gives the
        period of the healthy stretch of the same axon. Take one 15 nodes or more from the stimulus and some
        before the lesion: up to there the second action potential may be too small to count, and grow later.
    longest_ms, resolution_ms
        Longest interval that is tried, and the difference between intervals at the end of the search.
    stimulus
        A single pulse, given twice; as in `conduct` if not given: several times threshold.
    dt_us, threads
        As in `conduct`.

    Returns
    -------
    RefractoryPeriod
        Periods, and a word for each axon.

    Raises
    ------
    InputError
        If no action potential starts, an axon does not fall silent, one stimulus makes it fire twice, or a
        number cannot be used.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> lesions = [axon.demyelinate(range(20, 20 + n), bare=True) for n in (1, 3)]
    >>> conduction.refractory_period_ms([axon, *lesions])
    RefractoryPeriod(1.34 ms, 3.10 ms, blocked)
    """
    rows = listed(axons)
    for name, value in {"resolution_ms": resolution_ms, "longest_ms": longest_ms}.items():
        check_number(name, value)
    if not 0.001 <= resolution_ms < longest_ms <= 1000:
        span = f"{resolution_ms:g} with longest_ms {longest_ms:g}"
        raise InputError(
            "",
            "resolution_ms",
            span,
            "0.001 or more, and below longest_ms, itself at most 1000",
            "correct it",
        )
    ends = np.array([_place(axon, node) for axon in rows])
    base, wait = baseline(rows, stimulus, once=True, dt_us=dt_us, threads=threads)
    single = ~np.isnan(base.spikes_ms[0, np.arange(len(rows)), ends])
    lines = np.flatnonzero(single)
    # Candidate p is an interval of (count - p) steps, the longest first, since long ones succeed.
    count = round(longest_ms / resolution_ms)

    def trial(which: IntArray, place: IntArray) -> npt.NDArray[np.bool_]:
        axon = lines[which]
        run = until_settled(
            [rows[k] for k in axon],
            [pulses(stimulus, (0.0, (count - p) * resolution_ms)) for p in place],
            1.5 * wait[axon],
            dt_us=dt_us,
            threads=threads,
        )
        return np.asarray(~np.isnan(run.spikes_ms[1, np.arange(len(axon)), ends[axon]]))

    first = count - np.unique(np.geomspace(min(5, count), count, 16).round().astype(int))
    found = find_boundaries(trial, [count] * len(lines), first=first)
    period, broken = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool)
    words = ["blocked"] * len(rows)
    for k, edge in zip(lines, found, strict=True):
        broken[k] = edge.broken
        words[k] = "transmits" if edge.last_success >= 0 else "longer"
        if edge.last_success >= 0:
            period[k] = (count - edge.last_success) * resolution_ms
    return RefractoryPeriod(period, tuple(words), broken, ends, resolution_ms)


def _place(axon: Axon, node: int | None) -> int:
    last = axon.n_nodes - 1
    if node is not None:
        expected = f"1 to {last}; the first is stimulated"
        check_number("node", node, least=1, most=last, whole=True, expected=expected)
    return last if node is None else int(node)
