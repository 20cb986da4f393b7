"""Simulations that go on until nothing is under way, so that a short time is never taken for a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.cable import check_step, follow
from remyelin.conduction.chain import Chain, Workshop
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.outcome import not_started
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError
from remyelin.lanes import LANES

# A first guess of the time that an action potential takes; too short a one is doubled.
INTACT_MM_PER_MS_AND_UM, BARE_MM_PER_MS = 3.0, 0.7
SLACK_MS = 1.0
LONGEST_MS = 200.0  # after the last pulse: by then an axon falls silent, or it never will
LIKE = 0.8  # times at least so alike are simulated together


@dataclass(frozen=True, slots=True)
class Settled:
    """What arrived.

    Attributes
    ----------
    outcome
        (axon,) as in `Conduction`, and never ``"unfinished"``.
    spikes_ms
        (spike, axon, node) as in `Conduction`.
    n_spikes
        (axon,) arrivals at the last node.
    end_ms
        (axon,) how long it was followed.
    """

    outcome: tuple[str, ...]
    spikes_ms: FloatArray
    n_spikes: npt.NDArray[np.int64]
    end_ms: FloatArray

    @property
    def conducted(self) -> npt.NDArray[np.bool_]:
        """(axon,) whether the last node fired."""
        return np.array([word == "conducted" for word in self.outcome])


def guess_ms(axon: Axon) -> float:
    """How long an action potential may take from end to end, by diameter, length and bare length."""
    bare_mm = axon.bare_um / 1e3
    intact_ms = (axon.length_mm - bare_mm) / (INTACT_MM_PER_MS_AND_UM * axon.diameter_um)
    return float(intact_ms + bare_mm / BARE_MM_PER_MS + SLACK_MS)


def pulses(stimulus: Stimulus | None, times_ms: Sequence[float]) -> Stimulus:
    """The same pulse at these times.

    Raises
    ------
    InputError
        If the stimulus is a train already.
    """
    if stimulus is not None and len(stimulus.times_ms) > 1:
        found = f"{len(stimulus.times_ms)} pulses"
        raise InputError("", "stimulus", found, "a single pulse", "give one: when it comes is chosen here")
    return replace(stimulus or Stimulus(), times_ms=tuple(times_ms))


def until_settled(
    axons: Sequence[Axon],
    stimuli: Sequence[Stimulus],
    after_ms: Sequence[float] | FloatArray,
    *,
    chains: Sequence[Chain] | None = None,
    enough: bool = True,
    dt_us: float = 4.0,
    threads: int = 1,
) -> Settled:
    """Conduct each axon until nothing is under way, in twice the time for those that have not finished.

    Parameters
    ----------
    axons, stimuli
        One stimulus for each axon.
    after_ms
        (axon,) a guess of the time needed after its last pulse.
    chains
        What stands for the axons; made from them if not given.
    enough
        Stop as well once the last node has fired as often as there were pulses.

    Raises
    ------
    InputError
        If an axon is still active 200 ms after its last pulse.
    """
    check_step(dt_us, threads)
    workshop = Workshop()
    made = [workshop.chain(axon) for axon in axons] if chains is None else list(chains)
    last = np.array([max(stimulus.times_ms) for stimulus in stimuli])
    count = np.array([len(stimulus.times_ms) for stimulus in stimuli])
    wait = np.asarray(after_ms, dtype=np.float64).copy()
    words = [""] * len(axons)
    arrived = np.full((int(count.max()), len(axons), max(axon.n_nodes for axon in axons)), np.nan)
    fired = np.zeros(len(axons), dtype=np.int64)
    open_ = list(range(len(axons)))
    while open_:
        unfinished = []
        for batch in _alike(open_, last + wait, LANES * threads):
            run = follow(
                [axons[k] for k in batch],
                [made[k] for k in batch],
                [stimuli[k] for k in batch],
                round(float((last + wait)[batch].max()) * 1e3 / dt_us),
                dt_us,
                threads=threads,
                spikes=int(count[batch].max()),
            )
            for place, k in enumerate(batch):
                wait[k] = run.duration_ms - last[k]
                if run.settled[place] or (enough and run.n_spikes[place] >= count[k]):
                    words[k], fired[k] = run.outcome[place], run.n_spikes[place]
                    shape = run.spikes_ms.shape
                    arrived[: shape[0], k, : shape[2]] = run.spikes_ms[:, place]
                else:
                    unfinished.append(k)
        wait[unfinished] *= 2
        _give_up(axons, unfinished, wait)
        open_ = unfinished
    return Settled(tuple(words), arrived, fired, last + wait)


def baseline(
    axons: Sequence[Axon], stimulus: Stimulus | None, *, once: bool = False, dt_us: float, threads: int
) -> tuple[Settled, FloatArray]:
    """What one stimulus does to each axon, and (axon,) the time that later simulations of it may take.

    Raises
    ------
    InputError
        If the stimulus does not start an action potential; with `once`, if the last node fires again.
    """
    one = [pulses(stimulus, (0.0,))] * len(axons)
    found = until_settled(
        axons, one, [guess_ms(axon) for axon in axons], enough=not once, dt_us=dt_us, threads=threads
    )
    require_start(found.outcome)
    for k, number in enumerate(found.n_spikes):
        if once and number > 1:
            raise InputError(
                "",
                "axons",
                f"axon {k}, whose last node fires {number} times on one stimulus",
                "an axon that answers once",
                "lower its sodium densities, or study it with conduct()",
            )
    times = np.array([found.spikes_ms[0, k, axon.n_nodes - 1] for k, axon in enumerate(axons)])
    return found, np.where(np.isnan(times), found.end_ms, 1.3 * times + SLACK_MS)


def require_start(outcome: Sequence[str]) -> None:
    """Refuse an axon in which no action potential was started.

    Raises
    ------
    InputError
        Naming the axon.
    """
    for k, word in enumerate(outcome):
        if word == "not started":
            raise not_started(k)


def _alike(rows: list[int], times: FloatArray, least: int) -> list[list[int]]:
    """Batches of at least so many, of about the same duration, the longest first."""
    batches: list[list[int]] = []
    for k in sorted(rows, key=lambda k: (-times[k], k)):
        if not batches or (len(batches[-1]) >= least and times[k] < LIKE * times[batches[-1][0]]):
            batches.append([])
        batches[-1].append(k)
    return batches


def _give_up(axons: Sequence[Axon], unfinished: list[int], wait: FloatArray) -> None:
    for k in unfinished:
        if wait[k] > LONGEST_MS:
            raise InputError(
                "",
                "axons",
                f"{axons[k]}, still active {wait[k] / 2:.0f} ms after its last stimulus",
                f"an axon that falls silent within {LONGEST_MS:g} ms",
                "lower its sodium densities: it fires of its own accord",
            )
