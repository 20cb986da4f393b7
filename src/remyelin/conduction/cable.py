"""Conduct action potentials along axons: the double-cable equations, many axons at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np

from remyelin.conduction.axon import Axon
from remyelin.conduction.chain import Chain, Workshop
from remyelin.conduction.group import Results, run_group
from remyelin.conduction.outcome import Conduction
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError, did_you_mean
from remyelin.lanes import LANES
from remyelin.number import check_number, several, shown

THRESHOLD_MV = -20.0
HIGHEST_DT_US = 10.0
REDUCTIONS = ("modes", "full")
# An action potential is over when, for so long, no compartment fired and none is this far above rest.
QUIET_MS, QUIET_MV = 0.5, 2.0


def conduct(
    axons: Axon | Sequence[Axon],
    *,
    duration_ms: float,
    dt_us: float = 4.0,
    stimulus: Stimulus | Sequence[Stimulus] | None = None,
    threads: int = 1,
    spikes: int = 1,
    record_us: float | None = None,
    reduction: str = "modes",
) -> Conduction:
    """Stimulate the first node of each axon and follow what comes of it.

    Crank-Nicolson for the potentials and gates staggered by half a step (Hines 1984,
    10.1016/0020-7101(84)90008-4), second order in `dt_us`. Myelinated internodes are passive and stand as a
    few modes each, with a computed error; nodes and bare stretches are compartments.

    Parameters
    ----------
    axons
        One or many; they may differ in everything.
    duration_ms
        How long. Too short a time is told apart from a block (`Conduction.outcome`).
    dt_us
        Time step, at most 10 us. At 4 us velocities err by 0.05 % as a rule, by 0.26 % at most
        on 100 random axons.
    stimulus
        For all axons or one for each; by default a single pulse several times threshold at time 0.
    threads
        Groups of eight axons run side by side. The result does not depend on it.
    spikes
        How many arrivals at each node are kept.
    record_us
        Keep the potentials of the nodes at this interval.
    reduction
        ``"modes"``, or ``"full"``: every segment of every internode, slower, for checking.

    Returns
    -------
    Conduction
        Arrival times (axon x node), velocity, block, peaks, energy.

    Raises
    ------
    InputError
        For a time step or duration that cannot be used, or an axon that cannot be simulated: parameter, value
        and allowed range.

    Examples
    --------
    >>> from remyelin import conduction
    >>> result = conduction.conduct(conduction.optic_nerve(), duration_ms=4)
    >>> result.velocity_m_per_s.round(2), result.arrival_ms.shape
    (array([2.95]), (1, 51))
    """
    rows = listed(axons)
    steps, every = _check(duration_ms, dt_us, threads, spikes, record_us, reduction)
    stimuli = _stimuli(stimulus, len(rows))
    workshop = Workshop(full=reduction == "full")
    chains = [workshop.chain(axon) for axon in rows]
    return follow(rows, chains, stimuli, steps, dt_us, threads=threads, spikes=spikes, record_every=every)


def follow(
    axons: Sequence[Axon],
    chains: Sequence[Chain],
    stimuli: Sequence[Stimulus],
    steps: int,
    dt_us: float,
    *,
    threads: int = 1,
    spikes: int = 1,
    record_every: int = 0,
) -> Conduction:
    """Conduct along chains that stand for these axons: what `conduct` does once it has made them."""
    # Axons of one kind and like length go together, so that few compartments stand idle.
    order = sorted(range(len(axons)), key=lambda k: (axons[k].membrane.kind, len(chains[k].compartments), k))
    alike = (list(same) for _, same in groupby(order, key=lambda k: axons[k].membrane.kind))
    groups = [same[k : k + LANES] for same in alike for k in range(0, len(same), LANES)]

    def run(group: list[int]) -> Results:
        return run_group(
            [chains[k] for k in group],
            [axons[k] for k in group],
            [stimuli[k] for k in group],
            steps=steps,
            dt_ms=dt_us * 1e-3,
            threshold_mv=THRESHOLD_MV,
            spikes=spikes,
            record_every=record_every,
        )

    if threads == 1 or len(groups) == 1:
        results = [run(group) for group in groups]
    else:
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(run, groups))
    return _gathered(tuple(axons), chains, groups, results, steps, dt_us, record_every)


def listed(axons: Axon | Sequence[Axon]) -> tuple[Axon, ...]:
    """One axon or many as a tuple.

    Raises
    ------
    InputError
        If there is none, or something that is no axon.
    """
    rows = several(axons)
    wrong = [row for row in rows if not isinstance(row, Axon)]
    if wrong or not rows:
        found = f"{shown(wrong[0])}" if wrong else "none"
        raise InputError("", "axons", found, "an Axon, or several", "give one, as conduction.optic_nerve()")
    return rows


def _check(
    duration_ms: float, dt_us: float, threads: int, spikes: int, record_us: float | None, reduction: str
) -> tuple[int, int]:
    """Number of steps, and of steps between two records (0 for none)."""
    check_step(dt_us, threads)
    check_number("duration_ms", duration_ms, least=dt_us * 1e-3, expected="a time step or longer, in ms")
    check_number("spikes", spikes, least=1, whole=True)
    if reduction not in REDUCTIONS:
        fix = did_you_mean(str(reduction), REDUCTIONS)
        raise InputError("", "reduction", shown(reduction), " or ".join(REDUCTIONS), fix)
    if record_us is not None:
        expected = f"from {dt_us:g}, the time step, to the duration"
        check_number("record_us", record_us, least=dt_us, most=duration_ms * 1e3, expected=expected)
    return round(duration_ms * 1e3 / dt_us), 0 if record_us is None else round(record_us / dt_us)


def check_step(dt_us: float, threads: int) -> None:
    """Refuse a time step or a number of threads that cannot be used."""
    expected = f"above 0 and at most {HIGHEST_DT_US:g}, else the internodes' fast modes are not followed"
    fix = "leave it at 4, or take less"
    check_number("dt_us", dt_us, above=0, most=HIGHEST_DT_US, expected=expected, fix=fix)
    check_number("threads", threads, least=1, whole=True)


def _stimuli(stimulus: Stimulus | Sequence[Stimulus] | None, count: int) -> list[Stimulus]:
    if stimulus is None or isinstance(stimulus, Stimulus):
        return [stimulus or Stimulus()] * count
    stimuli = list(several(stimulus))
    expected = f"one Stimulus, or one for each of {count} axons"
    wrong = [one for one in stimuli if not isinstance(one, Stimulus)]
    if wrong or len(stimuli) != count:
        found = shown(wrong[0]) if wrong else f"{len(stimuli)} of them"
        raise InputError("", "stimulus", found, expected, "correct it")
    return stimuli


def _gathered(
    axons: tuple[Axon, ...],
    chains: Sequence[Chain],
    groups: list[list[int]],
    results: list[Results],
    steps: int,
    dt_us: float,
    every: int,
) -> Conduction:
    spikes, times = results[0].arrival.shape[0], results[0].record.shape[0]
    nodes = max(axon.n_nodes for axon in axons)
    arrival = np.full((spikes, len(axons), nodes), np.nan)
    peak = np.full((len(axons), nodes), np.nan)
    potential = np.full((len(axons), times, nodes), np.nan)
    sodium = np.zeros(len(axons))
    fired = np.zeros(len(axons), dtype=np.int64)
    words = [""] * len(axons)
    settled = np.zeros(len(axons), dtype=bool)
    dt_ms = dt_us * 1e-3
    for group, result in zip(groups, results, strict=True):
        for lane, k in enumerate(group):
            chain, axon = chains[k], axons[k]
            here, rest = slice(axon.n_nodes), axon.membrane.resting_mv
            arrival[:, k, here] = result.arrival[:, chain.node, lane]
            peak[k, here] = result.peak[chain.node, lane] + rest
            potential[k, :, here] = result.record[:, chain.node, lane] + rest
            sodium[k] = (result.sodium[lane] - steps * _resting_sodium(chain, axon)) * dt_ms * 1e3
            fired[k] = result.count[chain.node[-1], lane]
            settled[k] = _settled(chain, result, lane, steps * dt_ms)
            words[k] = _outcome(chain, result, lane, bool(settled[k]))
    return Conduction(
        axons=axons,
        spikes_ms=arrival,
        outcome=tuple(words),
        settled=settled,
        n_spikes=fired,
        peak_mv=peak,
        sodium_pc=sodium,
        time_ms=np.arange(1, times + 1) * every * dt_ms,
        potential_mv=potential,
        dt_us=dt_us,
        duration_ms=steps * dt_ms,
    )


def _settled(chain: Chain, result: Results, lane: int, end_ms: float) -> bool:
    here = slice(len(chain.compartments))
    last = np.nanmax(result.arrival[:, here, lane], initial=0.0)
    return bool(np.max(result.potential[here, lane]) <= QUIET_MV and end_ms - last >= QUIET_MS)


def _outcome(chain: Chain, result: Results, lane: int, settled: bool) -> str:
    count = result.count[chain.node, lane]
    if count[-1] > 0:
        return "conducted"
    if not settled:
        return "unfinished"
    return "blocked" if count[1] > 0 else "not started"


def _resting_sodium(chain: Chain, axon: Axon) -> float:
    """Sodium current of the whole chain at rest, inwards, uA."""
    total = 0.0
    for k, channel in enumerate(axon.membrane.channels[:-1]):
        conductance = sum(piece.conductance_ms[k] for piece in chain.compartments)
        part = channel.open_part(axon.membrane.resting_mv, axon.temperature_c)
        total += conductance * part * (channel.reversal_mv - axon.membrane.resting_mv)
    return total
