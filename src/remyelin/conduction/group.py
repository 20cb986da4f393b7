"""Eight chains abreast: the arrays that the kernel reads, and those that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from remyelin.conduction import kernel
from remyelin.conduction.axon import Axon
from remyelin.conduction.chain import Chain
from remyelin.conduction.membrane import FloatArray, Membrane
from remyelin.conduction.modes import Modes
from remyelin.conduction.stimulus import Stimulus
from remyelin.lanes import LANES

# Gates see the potential in the middle of their step plus this part of its second difference. On the foot of
# an action potential all grows as exp(s t); there a centred difference is too large by (s dt)^2 / 24 and the
# mean of two times by (s dt)^2 / 8, once for the gates and once for the potentials: 1/12 to 1/4 would make
# it good. Chosen on training axons: a fifth of the error in velocity is left, still of second order
# (benchmarks/conduction/accuracy.py).
CURVATURE = 0.12


Thing = TypeVar("Thing")
IntArray = npt.NDArray[np.int64]


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
        (lane,) sodium current summed over compartments and steps, uA.
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
    """Advance up to eight axons, whose membranes are of one kind, together.

    Lanes that are left over repeat the last axon, unread.
    """
    fill = LANES - len(chains)
    chains, axons, stimuli = ([*rows, *[rows[-1]] * fill] for rows in (chains, axons, stimuli))
    n = max(len(chain.compartments) for chain in chains)
    currents = [stimulus.current_for(axon) for stimulus, axon in zip(stimuli, axons, strict=True)]
    pulses = np.full((max(len(stimulus.times_ms) for stimulus in stimuli), LANES), np.inf)
    for lane, stimulus in enumerate(stimuli):
        pulses[: len(stimulus.times_ms), lane] = stimulus.times_ms
    results = Results(
        arrival=np.full((spikes, n, LANES), np.nan),
        count=np.zeros((n, LANES), dtype=np.int64),
        peak=np.full((n, LANES), -np.inf),
        potential=np.zeros((n, LANES)),
        sodium=np.zeros(LANES),
        record=np.zeros((steps // record_every if record_every else 0, n, LANES)),
    )
    kernel.advance(
        steps,
        dt_ms,
        axons[0].membrane.kind,
        *_gates(axons, dt_ms),
        *_pieces(chains, axons, dt_ms),
        _reversal(axons),
        *_ties(chains, dt_ms),
        CURVATURE,
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


def _gates(axons: Sequence[Axon], dt_ms: float) -> tuple[FloatArray, IntArray, FloatArray]:
    """The gate tables that these axons need, which is whose, and the gates at rest."""
    places: dict[tuple[int, float], int] = {}
    distinct: list[tuple[Membrane, float]] = []
    which = []
    for axon in axons:
        key = id(axon.membrane), axon.temperature_c
        if key not in places:
            places[key] = len(distinct)
            distinct.append((axon.membrane, axon.temperature_c))
        which.append(places[key])
    tables = np.array([gate_table(*one, dt_ms) for one in distinct])
    resting = np.array([_resting_gates(*one) for one in distinct])
    return tables, np.array(which), resting[which].T.copy()


@lru_cache(maxsize=64)
def gate_table(membrane: Membrane, temperature_c: float, dt_ms: float) -> FloatArray:
    """(row, 8) by potential: what is added to each gate, and the part of its last value that it keeps."""
    rows = round((kernel.HIGHEST_MV - kernel.LOWEST_MV) * kernel.ROWS_PER_MV) + 1
    potential = membrane.resting_mv + kernel.LOWEST_MV + np.arange(rows) / kernel.ROWS_PER_MV
    table = np.empty((rows, 2 * kernel.GATES))
    for k, gate in enumerate(membrane.gates):
        opening, closing = gate.rates(potential, temperature_c)
        step = (opening + closing) * dt_ms
        half = step / 2
        keeps = (1 - half) / (1 + half)
        table[:, k] = opening / (opening + closing) * (1 - keeps)
        table[:, kernel.GATES + k] = keeps
    table.flags.writeable = False
    return table


@lru_cache(maxsize=64)
def _resting_gates(membrane: Membrane, temperature_c: float) -> tuple[float, ...]:
    return tuple(float(gate.steady(membrane.resting_mv, temperature_c)) for gate in membrane.gates)


def _reversal(axons: Sequence[Axon]) -> FloatArray:
    """(2, lane) reversal potentials of sodium and potassium."""
    rows = [
        [channel.reversal_mv - axon.membrane.resting_mv for channel in axon.membrane.channels]
        for axon in axons
    ]
    return np.array([[row[0] for row in rows], [row[-1] for row in rows]])


def _pieces(chains: Sequence[Chain], axons: Sequence[Axon], dt_ms: float) -> tuple[FloatArray, IntArray]:
    """(kind, 6, lane) what compartments are made of, and (compartment,) which kind each is."""
    distinct, places = zip(*(_distinct(chain.compartments) for chain in chains), strict=True)
    kinds, which = _kinds(places)
    table = np.empty((len(kinds), kernel.PIECE, LANES))
    for lane, (pieces, axon) in enumerate(zip(distinct, axons, strict=True)):
        rows = [
            (
                piece.capacitance_uf / dt_ms,
                *piece.conductance_ms,
                piece.leak_ms,
                piece.leak_ms * (piece.leak_mv - axon.membrane.resting_mv),
            )
            for piece in pieces
        ]
        # A compartment that an axon does not have is a leak that stays at rest.
        table[:, :, lane] = np.array([*rows, (1, 0, 0, 0, 1, 0)])[kinds[:, lane]]
    return table, which


def _ties(
    chains: Sequence[Chain], dt_ms: float
) -> tuple[FloatArray, FloatArray, IntArray, npt.NDArray[np.bool_], IntArray]:
    """Of links by kind: (kind, 3, lane) couplings, (kind, mode, 4, lane) modes, their number and symmetry."""
    distinct, places = zip(*(_distinct(chain.links) for chain in chains), strict=True)
    kinds, which = _kinds(places)
    most = max((len(link.rate) for links in distinct for link in links if isinstance(link, Modes)), default=0)
    ties = np.empty((len(kinds), kernel.TIE, LANES))
    modes = np.empty((len(kinds), most + most % 2, kernel.MODE, LANES))
    number = np.zeros(len(kinds), dtype=np.int64)
    mirrored = np.ones(len(kinds), dtype=np.bool_)
    for lane, links in enumerate(distinct):
        # A link that an axon does not have binds nothing.
        couplings, tables = (
            np.zeros((len(links) + 1, kernel.TIE)),
            np.zeros((len(links) + 1, *modes.shape[1:3])),
        )
        counts, alike = np.zeros(len(links) + 1, dtype=np.int64), np.ones(len(links) + 1, dtype=np.bool_)
        for k, link in enumerate(links):
            if isinstance(link, Modes):
                counts[k], alike[k] = len(link.rate), link.mirrored
                couplings[k], tables[k, : counts[k]] = _stepped(link, dt_ms)
            else:
                couplings[k] = link / 2
        here = kinds[:, lane]
        ties[:, :, lane], modes[..., lane] = couplings[here], tables[here]
        number, mirrored = np.maximum(number, counts[here]), mirrored & alike[here]
    return ties, modes, number, mirrored, which


def _stepped(link: Modes, dt_ms: float) -> tuple[FloatArray, FloatArray]:
    """One link over one step: (3,) couplings and (mode, 4) decay, ratio, output left and right.

    With ``z' = a z + b (left H_left + right H_right)``, H the sum of a potential before and after the step,
    ``a = (1 - r dt / 2) / (1 + r dt / 2)`` and ``b = (dt / 2) / (1 + r dt / 2)``, each z is divided by
    ``b left``.
    """
    halved = link.rate * (dt_ms / 2)
    b = 1 / (1 + halved)
    a = (1 - halved) * b
    b = b * (dt_ms / 2)
    left = np.where(link.left == 0, np.finfo(float).tiny ** 0.25, link.left)
    right = link.right
    couplings = link.port[0] - b @ left**2, link.port[1] - b @ right**2, b @ (left * right)
    scale = (1 + a) * b * left / 2
    return np.array(couplings) / 2, np.array([a, right / left, scale * left, scale * right]).T


def _kinds(places: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """(kind, lane) what stands in each lane, -1 for nothing, and (place,) which kind stands there."""
    seen: dict[tuple[int, ...], int] = {}
    which = [seen.setdefault(row, len(seen)) for row in zip_longest(*places, fillvalue=-1)]
    return np.array(list(seen)), np.array(which)


def _distinct(things: Sequence[Thing]) -> tuple[list[Thing], list[int]]:
    """Objects that differ by identity, and which of them stands at each place."""
    names = [id(thing) for thing in things]
    known = dict(zip(names, things, strict=True))
    place = {name: k for k, name in enumerate(known)}
    return list(known.values()), [place[name] for name in names]
