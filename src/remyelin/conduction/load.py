"""A chain that bears a heavier load, or has fewer sodium channels, than its axon: what no geometry gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from remyelin.conduction.axon import Axon
from remyelin.conduction.chain import Chain
from remyelin.conduction.circuit import Compartment
from remyelin.conduction.modes import Modes

Thing = TypeVar("Thing")


def with_load(chain: Chain, node: int, load: float) -> Chain:
    """The chain as if, from that node on, the axon were `load` equal axons side by side.

    All capacitances and conductances from the node on are multiplied, and resistances divided: potentials
    beyond it run as before once the node is excited, but to excite it takes `load` times the current.
    """
    begin = int(chain.node[node])
    return replace(
        chain,
        compartments=(
            *chain.compartments[:begin],
            *_each(chain.compartments[begin:], lambda piece: _multiplied(piece, load)),
        ),
        links=(*chain.links[:begin], *_each(chain.links[begin:], lambda link: _times(link, load))),
    )


def with_sodium(chain: Chain, axon: Axon, factor: float) -> Chain:
    """The chain with that part of its sodium conductance, transient and persistent, everywhere.

    It rests where it did: the leak keeps its conductance, and its reversal potential moves.
    """
    membrane = axon.membrane
    # What 1 mS of each channel carries at rest, inwards.
    resting = [
        channel.open_part(membrane.resting_mv, axon.temperature_c)
        * (channel.reversal_mv - membrane.resting_mv)
        for channel in membrane.channels[:-1]
    ]
    fast, persistent = resting if len(resting) == 2 else (resting[0], 0.0)

    def less(piece: Compartment) -> Compartment:
        transient, slow, potassium = piece.conductance_ms
        missing = (1 - factor) * (transient * fast + slow * persistent)
        return replace(
            piece,
            leak_mv=piece.leak_mv + missing / piece.leak_ms,
            conductance_ms=(transient * factor, slow * factor, potassium),
        )

    return replace(chain, compartments=tuple(_each(chain.compartments, less)))


def _each(things: Iterable[Thing], change: Callable[[Thing], Thing]) -> list[Thing]:
    """Every thing changed; one object that stands at many places is changed once and stays one."""
    done: dict[int, Thing] = {}
    changed = []
    for thing in things:
        if id(thing) not in done:
            done[id(thing)] = change(thing)
        changed.append(done[id(thing)])
    return changed


def _multiplied(piece: Compartment, load: float) -> Compartment:
    transient, persistent, potassium = piece.conductance_ms
    return replace(
        piece,
        capacitance_uf=piece.capacitance_uf * load,
        leak_ms=piece.leak_ms * load,
        conductance_ms=(transient * load, persistent * load, potassium * load),
        resistance_kohm=piece.resistance_kohm / load,
    )


def _times(link: Modes | float, load: float) -> Modes | float:
    if not isinstance(link, Modes):
        return link * load
    # The current into a node is port - left z, and left drives z too: each carries a root of the load.
    root = load**0.5
    return replace(link, left=link.left * root, right=link.right * root, port=link.port * load)
