"""An axon as a chain of compartments and what binds each to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.circuit import Compartment, bare_compartment, internode_ladder, node_compartment
from remyelin.conduction.modes import Modes
from remyelin.conduction.parts import Bare, Internode, Node, Part
from remyelin.conduction.reduction import complete, reduced

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chain:
    """The compartments of one axon in their order, and what binds each to the next.

    Attributes
    ----------
    compartments
        (compartment,) nodes and pieces of bare axon.
    node
        (node,) which compartments are nodes.
    links
        (compartment - 1,) a passive internode as `Modes`, or the conductance of axoplasm alone in mS.
    """

    compartments: tuple[Compartment, ...]
    node: IntArray
    links: tuple[Modes | float, ...]


@dataclass(slots=True)
class Workshop:
    """Makes chains of axons; what was worked out for one is used again for the next that has the same."""

    full: bool = False
    _links: dict[object, Modes] = field(default_factory=dict)
    _pieces: dict[object, Compartment] = field(default_factory=dict)

    def chain(self, axon: Axon) -> Chain:
        """The chain of that axon.

        Raises
        ------
        InputError
            If an internode cannot be reduced well enough, or no leak keeps a node at rest.
        """
        pieces: list[Compartment] = []
        links: list[Modes | float] = []
        places = []
        # Nodes and parts are shared objects: by identity, each is worked out once for this axon.
        made: dict[int, Compartment] = {}
        ways: dict[tuple[int, int, int], tuple[list[Compartment], list[Modes | float]]] = {}
        before = None
        for part, node in zip((None, *axon.parts), axon.nodes, strict=True):
            here = made.get(id(node))
            if here is None:
                here = made[id(node)] = self._piece(axon, node)
            if part is not None and before is not None:
                key = id(part), id(before), id(here)
                way = ways.get(key)
                if way is None:
                    way = ways[key] = self._between(axon, before, part, here)
                pieces += way[0]
                links += way[1]
            places.append(len(pieces))
            pieces.append(here)
            before = here
        return Chain(tuple(pieces), np.array(places), tuple(links))

    def _between(
        self, axon: Axon, before: Compartment, part: Part, after: Compartment
    ) -> tuple[list[Compartment], list[Modes | float]]:
        """The compartments between two nodes, and the links of all."""
        if isinstance(part, Internode):
            return [], [self._modes(axon, part, before, after)]
        pieces = [self._piece(axon, part)] * part.compartments
        run = [before, *pieces, after]
        return pieces, [2 / (a.resistance_kohm + b.resistance_kohm) for a, b in pairwise(run)]

    def _piece(self, axon: Axon, thing: Node | Bare) -> Compartment:
        key = thing, id(axon.membrane), axon.axial_ohm_m, axon.periaxonal_ohm_m, axon.temperature_c
        if key not in self._pieces:
            make = node_compartment(axon, thing) if isinstance(thing, Node) else bare_compartment(axon, thing)
            self._pieces[key] = make
        return self._pieces[key]

    def _modes(self, axon: Axon, part: Internode, before: Compartment, after: Compartment) -> Modes:
        axial = before.resistance_kohm, after.resistance_kohm
        space = before.space_kohm, after.space_kohm
        key = part, axon.axial_ohm_m, axon.periaxonal_ohm_m, axial, space
        if key not in self._links:
            make = complete if self.full else reduced
            self._links[key] = make(internode_ladder(axon, part), axial, space)
        return self._links[key]
