"""Eight chains abreast: the arrays that the kernel reads, and those that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from remyelin.conduction import kernel
from remyelin.conduction.axon import Axon
from remyelin.conduction.chain import Chain
from remyelin.conduction.lanes import LANES
from remyelin.conduction.membrane import FloatArray, Membrane
from remyelin.conduction.reduction import Modes
from remyelin.conduction.stimulus import Stimulus

# A gate of rate r keeps exp(-r dt) of its distance from steady state in a step. The trapezoid's
# (1 - y) / (1 + y), y = r dt / 2, errs by (r dt)^3 / 12 one way; this y, by half of that the other, against
# which the cable's own error stands: on 12 axons a third of the error in velocity is left
# (benchmarks/conduction/accuracy.py).
GATE_CORRECTION = 1 / 24


Thing = TypeVar("Thing")


@dataclass(slots=True)
class Results:
    """What the kernel fills; deviations from rest in mV, times in ms.

    Attributes
    ----------
    arrival
        (spike, compartment, lane) of the first spikes; NaN where there was none.
    count
        (compartment, lane) of all spikes.
    peak, potential
        (compartment, lane) highest and last.
    sodium
        (compartment, lane) sodium current summed over the steps, uA.
    record
        (time, compartment, lane).
    """

    arrival: FloatArray
    count: npt.NDArray[np.int64]
    peak: FloatArray
    potential: FloatArray
    sodium: FloatArray
    record: FloatArray


def run_group(
    chains: Sequence[Chain],
    axons: Sequence[Axon],
    stimuli: Sequence[Stimulus],
    *,
    steps: int,
    dt_ms: float,
    threshold_mv: float,
    spikes: int,
    record_every: int,
) -> Results:
    """Advance up to eight axons together. Lanes that are left over repeat the last axon, unread."""
    fill = LANES - len(chains)
    chains, axons, stimuli = ([*rows, *[rows[-1]] * fill] for rows in (chains, axons, stimuli))
    n = max(len(chain.compartments) for chain in chains)
    tables, lane_table = _tables(axons, dt_ms)
    pieces, reversal = _compartments(chains, axons, n, dt_ms)
    links = _links(chains, n, dt_ms)
    currents = [stimulus.current_for(axon) for stimulus, axon in zip(stimuli, axons, strict=True)]
    pulses = np.full((max(len(stimulus.times_ms) for stimulus in stimuli), LANES), np.inf)
    for lane, stimulus in enumerate(stimuli):
        pulses[: len(stimulus.times_ms), lane] = stimulus.times_ms
    results = Results(
        arrival=np.full((spikes, n, LANES), np.nan),
        count=np.zeros((n, LANES), dtype=np.int64),
        peak=np.full((n, LANES), -np.inf),
        potential=np.zeros((n, LANES)),
        sodium=np.zeros((n, LANES)),
        record=np.zeros((steps // record_every if record_every else 0, n, LANES)),
    )
    kernel.advance(
        steps,
        dt_ms,
        tables,
        lane_table,
        np.array([_resting_gates(axon.membrane, axon.temperature_c) for axon in axons]).T.copy(),
        *pieces,
        reversal,
        *links,
        pulses,
        np.array([stimulus.duration_us * 1e-3 for stimulus in stimuli]),
        np.array(currents) * 1e-3,
        np.array([threshold_mv - axon.membrane.resting_mv for axon in axons]),
        results.arrival,
        results.count,
        results.peak,
        results.sodium,
        results.potential,
        record_every,
        results.record,
    )
    return results


def _tables(axons: Sequence[Axon], dt_ms: float) -> tuple[FloatArray, FloatArray]:
    """The gate tables that these axons need, and which is whose."""
    keys = [(axon.membrane, axon.temperature_c) for axon in axons]
    distinct = list(dict.fromkeys(keys))
    return (
        np.array([gate_table(membrane, temperature, dt_ms) for membrane, temperature in distinct]),
        np.array([distinct.index(key) for key in keys]),
    )


@lru_cache(maxsize=64)
def gate_table(membrane: Membrane, temperature_c: float, dt_ms: float) -> FloatArray:
    """(row, 8) by potential: what is added to each gate, and the part of its last value that it keeps."""
    rows = round((kernel.HIGHEST_MV - kernel.LOWEST_MV) * kernel.ROWS_PER_MV) + 1
    potential = membrane.resting_mv + kernel.LOWEST_MV + np.arange(rows) / kernel.ROWS_PER_MV
    table = np.empty((rows, 2 * kernel.GATES))
    for k, gate in enumerate(membrane.gates):
        opening, closing = gate.rates(potential, temperature_c)
        step = (opening + closing) * dt_ms
        half = step * (1 + GATE_CORRECTION * step**2) / 2
        keeps = (1 - half) / (1 + half)
        table[:, k] = opening / (opening + closing) * (1 - keeps)
        table[:, kernel.GATES + k] = keeps
    table.flags.writeable = False
    return table


@lru_cache(maxsize=64)
def _resting_gates(membrane: Membrane, temperature_c: float) -> tuple[float, ...]:
    return tuple(float(gate.steady(membrane.resting_mv, temperature_c)) for gate in membrane.gates)


def _compartments(
    chains: Sequence[Chain], axons: Sequence[Axon], n: int, dt_ms: float
) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """Capacitance over dt, conductances, leak, its current at rest; by lane the reversals of Na and K."""
    # A compartment that an axon does not have is a leak that stays at rest.
    capacitance, leak, current = np.ones((n, LANES)), np.ones((n, LANES)), np.zeros((n, LANES))
    conductance = np.zeros((3, n, LANES))
    reversal = np.empty((2, LANES))
    for lane, (chain, axon) in enumerate(zip(chains, axons, strict=True)):
        rest = axon.membrane.resting_mv
        distinct, which = _distinct(chain.compartments)
        here = slice(len(which))
        capacitance[here, lane] = np.array([piece.capacitance_uf / dt_ms for piece in distinct])[which]
        leak[here, lane] = np.array([piece.leak_ms for piece in distinct])[which]
        current[here, lane] = np.array([piece.leak_ms * (piece.leak_mv - rest) for piece in distinct])[which]
        conductance[:, here, lane] = np.array([piece.conductance_ms for piece in distinct]).T[:, which]
        sodium, *_, potassium = axon.membrane.channels
        reversal[:, lane] = sodium.reversal_mv - rest, potassium.reversal_mv - rest
    return (capacitance, conductance, leak, current), reversal


def _links(chains: Sequence[Chain], n: int, dt_ms: float) -> tuple[npt.NDArray[Any], ...]:
    """What binds neighbours, the number of modes of each link, and the modes' decay, ratio and output."""
    modes = max(
        (len(link.rate) for chain in chains for link in _distinct(chain.links)[0] if isinstance(link, Modes)),
        default=0,
    )
    links = np.zeros((3, n - 1, LANES))
    number = np.zeros(n - 1, dtype=np.int64)
    decay, ratio = np.zeros((n - 1, modes, LANES)), np.zeros((n - 1, modes, LANES))
    out = np.zeros((2, n - 1, modes, LANES))
    for lane, chain in enumerate(chains):
        distinct, which = _distinct(chain.links)
        stepped = [_stepped(link, modes, dt_ms) for link in distinct]
        here = slice(len(which))
        links[:, here, lane] = np.array([step[0] for step in stepped]).T[:, which]
        tables = np.array([step[1] for step in stepped])[which]
        decay[here, :, lane], ratio[here, :, lane] = tables[:, 0], tables[:, 1]
        out[0, here, :, lane], out[1, here, :, lane] = tables[:, 2], tables[:, 3]
        counts = np.array([len(link.rate) if isinstance(link, Modes) else 0 for link in distinct])[which]
        number[here] = np.maximum(number[here], counts)
    return links, number, decay, ratio, out


def _stepped(link: Modes | float, modes: int, dt_ms: float) -> tuple[FloatArray, FloatArray]:
    """One link over one step: (3,) couplings and (4, mode) decay, ratio, output left and right.

    With ``z' = a z + b (left H_left + right H_right)``, H the sum of a potential before and after the step,
    ``a = (1 - r dt / 2) / (1 + r dt / 2)`` and ``b = (dt / 2) / (1 + r dt / 2)``, each z is divided by
    ``b left``.
    """
    table = np.zeros((4, modes))
    if not isinstance(link, Modes):
        return np.full(3, link / 2), table
    halved = link.rate * dt_ms / 2
    a, b = (1 - halved) / (1 + halved), dt_ms / 2 / (1 + halved)
    left = np.where(link.left == 0, np.finfo(float).tiny ** 0.25, link.left)
    right = link.right
    couplings = [link.port[0] - b @ left**2, link.port[1] - b @ right**2, b @ (left * right)]
    scale = (1 + a) * b * left / 2
    table[:, : len(a)] = a, right / left, scale * left, scale * right
    return np.array(couplings) / 2, table


def _distinct(things: Sequence[Thing]) -> tuple[list[Thing], npt.NDArray[np.int64]]:
    """Objects that differ by identity, and which of them stands at each place."""
    places: dict[int, int] = {}
    distinct: list[Thing] = []
    which = np.empty(len(things), dtype=np.int64)
    for k, thing in enumerate(things):
        place = places.get(id(thing))
        if place is None:
            place = places[id(thing)] = len(distinct)
            distinct.append(thing)
        which[k] = place
    return distinct, which
