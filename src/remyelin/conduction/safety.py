"""How safely an axon conducts: the load that it could still excite, the sodium that it could lose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from remyelin.conduction.axon import Axon
from remyelin.conduction.boundary import Boundary, IntArray, find_boundaries
from remyelin.conduction.cable import listed
from remyelin.conduction.chain import Workshop
from remyelin.conduction.load import with_load, with_sodium
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.settled import Settled, baseline, pulses, until_settled
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError
from remyelin.number import check_number, several

HIGHEST = 20.0  # of a safety factor, and of its inverse; larger is told as this
REACH = 8  # internodes to either side that a node's safety factor depends on


@dataclass(frozen=True, slots=True, eq=False)
class Safety:
    """The answer of `safety_factor`.

    Attributes
    ----------
    factor
        (axon,) of its weakest node: above 1 it conducts, at 1 it is at the brink. Of a blocked axon, below 1:
        the part of the current that it would take, at the place where the least is lacking; 0 where no single
        place decides.
    node
        (axon,) where that is; -1 where no single place decides.
    node_factor
        (axon, node) of every node that was asked for; NaN for the first, for the others and beyond an axon's
        end. Of a blocked axon, 0 where no smaller load lets it through.
    outcome
        (axon,) ``"conducted"`` or ``"blocked"``.
    resolution
        Relative, of every factor, which is never above the truth.
    """

    factor: FloatArray
    node: IntArray
    node_factor: FloatArray
    outcome: tuple[str, ...]
    resolution: float

    def __repr__(self) -> str:
        told = ", ".join(
            f"{factor:.2f} at node {node}" if node >= 0 else f"{factor:.2f}"
            for factor, node in zip(self.factor, self.node, strict=True)
        )
        return f"Safety({told})"


def safety_factor(
    axons: Axon | Sequence[Axon],
    *,
    nodes: Iterable[int] | None = None,
    stimulus: Stimulus | None = None,
    resolution: float = 0.01,
    dt_us: float = 4.0,
    threads: int = 1,
) -> Safety:
    """The current that reaches each node over the current that exciting it takes (Tasaki's ratio).

    The safety factor of a node is the action current available to it over the current needed to excite it and
    the axon beyond (Tasaki 1953). Here it is measured by the load: the axon from the node on is replaced by F
    equal axons side by side, which take F times the current, and the factor is the largest F with which the
    action potential still reaches the end. By that it is above 1 if and only if the axon conducts, and
    reaches 1 exactly at block. An axon is as safe as its weakest node. The source is no ideal one: into a
    heavier load it gives more current, as it does into a node that does not fire.

    This is not the ratio of charges of cardiac models (Shaw & Rudy 1997, 10.1161/01.RES.81.5.727), which
    divides what one place gives by what it takes: a myelinated axon is passive in most places.

    Parameters
    ----------
    axons
        One or many.
    nodes
        Which, counted from 0 at the stimulated end, which itself has none; all of them if not given.
    stimulus
        A single pulse; as in `conduct` if not given.
    resolution
        Relative.
    dt_us, threads
        As in `conduct`.

    Returns
    -------
    Safety
        Factors, and where each axon is weakest.

    Raises
    ------
    InputError
        If no action potential starts, an axon does not fall silent, or a node does not exist.

    Notes
    -----
    Nodes next to the first are driven by the stimulus more than by an action potential, and nodes next to the
    last excite little beyond them: their factors are higher or lower by up to a tenth, that of the last much
    higher. Nodes whose surroundings are alike over eight internodes to either side are computed once.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> lesion = axon.demyelinate(range(20, 22), bare=True)
    >>> conduction.safety_factor([axon, lesion], nodes=[10, 21], resolution=0.05)
    Safety(5.79 at node 10, 1.00 at node 21)
    """
    rows = listed(axons)
    step = _step(resolution)
    base, wait = baseline(rows, stimulus, dt_us=dt_us, threads=threads)
    asked = [_asked(axon, nodes) for axon in rows]
    lines = [(k, node) for k, axon in enumerate(rows) for node in _once(axon, asked[k])]
    chains = [Workshop().chain(axon) for axon in rows]
    # Candidate p is a load of step ** p where the axon conducts, of step ** (p - count) where it does not.
    count = math.ceil(math.log(HIGHEST) / math.log(step))
    shift = [0 if conducts else count for conducts in base.conducted]

    def trial(which: IntArray, place: IntArray) -> list[bool]:
        at = [lines[line] for line in which]
        loads = [step ** float(p - shift[k]) for p, (k, _) in zip(place, at, strict=True)]
        found = until_settled(
            [rows[k] for k, _ in at],
            [pulses(stimulus, (0.0,))] * len(at),
            wait[[k for k, _ in at]],
            chains=[with_load(chains[k], node, load) for (k, node), load in zip(at, loads, strict=True)],
            dt_us=dt_us,
            threads=threads,
        )
        return list(found.conducted)

    found = find_boundaries(trial, [count + 1 if not shift[k] else count for k, _ in lines])
    factors = {line: _factor(edge, step, shift[line[0]]) for line, edge in zip(lines, found, strict=True)}
    return _gathered(rows, asked, factors, base, resolution)


def sodium_reserve(
    axons: Axon | Sequence[Axon],
    *,
    stimulus: Stimulus | None = None,
    resolution: float = 0.01,
    dt_us: float = 4.0,
    threads: int = 1,
) -> FloatArray:
    """By what factor the sodium conductance of all nodes and bare stretches may fall before an axon blocks.

    Transient and persistent sodium are divided alike; rest and leak conductance stay. Not the safety factor,
    which divides currents: the peak of an action potential falls with the sodium too.

    Parameters
    ----------
    axons, stimulus, resolution, dt_us, threads
        As in `safety_factor`.

    Returns
    -------
    ndarray
        (axon,) 1 or more, at most 20; below 1 for a blocked axon: so much more sodium would let it conduct,
        or 0 if 20 times as much does not.

    Raises
    ------
    InputError
        As `safety_factor`.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> conduction.sodium_reserve([axon, axon.demyelinate(20, bare=True)]).round(1)
    array([2.3, 1.4])
    """
    rows = listed(axons)
    step = _step(resolution)
    base, wait = baseline(rows, stimulus, dt_us=dt_us, threads=threads)
    chains = [Workshop().chain(axon) for axon in rows]
    count = math.ceil(math.log(HIGHEST) / math.log(step))
    shift = [0 if conducts else count for conducts in base.conducted]

    def trial(which: IntArray, place: IntArray) -> list[bool]:
        found = until_settled(
            [rows[k] for k in which],
            [pulses(stimulus, (0.0,))] * len(which),
            wait[which],
            chains=[
                with_sodium(chains[k], rows[k], step ** -float(p - shift[k]))
                for k, p in zip(which, place, strict=True)
            ],
            dt_us=dt_us,
            threads=threads,
        )
        return list(found.conducted)

    found = find_boundaries(trial, [count + 1 if not shift[k] else count for k in range(len(rows))])
    return np.array([_factor(edge, step, shift[k]) for k, edge in enumerate(found)])


def _step(resolution: float) -> float:
    expected = "0.0001 to 0.5, relative"
    check_number("resolution", resolution, least=1e-4, most=0.5, expected=expected, fix="leave it at 0.01")
    return 1 + resolution


def _factor(edge: Boundary, step: float, shift: int) -> float:
    return min(step ** float(edge.last_success - shift), HIGHEST) if edge.last_success >= 0 else 0.0


def _asked(axon: Axon, nodes: Iterable[int] | None) -> list[int]:
    if nodes is None:
        return list(range(1, axon.n_nodes))
    given = several(nodes)
    expected = f"1 to {axon.n_nodes - 1}; the first is stimulated"
    for node in given:
        check_number("nodes", node, least=1, most=axon.n_nodes - 1, whole=True, expected=expected)
    chosen = sorted({int(node) for node in given})
    if not chosen:
        raise InputError("", "nodes", "none", expected, "correct it")
    return chosen


def _once(axon: Axon, nodes: list[int]) -> dict[int, list[int]]:
    """Of nodes whose surroundings are alike, the first, with all of them."""
    pairs = zip(axon.nodes, (*axon.parts, None), strict=True)
    things = [thing for pair in pairs for thing in pair][:-1]
    reach = 2 * REACH
    beyond = [None] * reach
    padded = [*beyond, *things, *beyond]
    kinds: dict[object, int] = {}
    alike: dict[tuple[int, ...], list[int]] = {}
    for node in nodes:
        around = padded[2 * node : 2 * node + 2 * reach + 1]
        key = tuple(kinds.setdefault(thing, len(kinds)) for thing in around)
        alike.setdefault(key, []).append(node)
    return {same[0]: same for same in alike.values()}


def _gathered(
    axons: Sequence[Axon],
    asked: list[list[int]],
    factors: dict[tuple[int, int], float],
    base: Settled,
    resolution: float,
) -> Safety:
    each = np.full((len(axons), max(axon.n_nodes for axon in axons)), np.nan)
    for k, axon in enumerate(axons):
        for first, same in _once(axon, asked[k]).items():
            each[k, same] = factors[k, first]
    conducted = base.conducted
    node = np.array(
        [
            np.nanargmin(row) if conducts else np.nanargmax(row)
            for row, conducts in zip(each, conducted, strict=True)
        ]
    )
    factor = each[np.arange(len(axons)), node]
    return Safety(factor, np.where(factor > 0, node, -1), each, base.outcome, resolution)
