"""An axon as a chain of compartments and what binds each to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.circuit import (
    Compartment,
    bare_compartment,
    internode_ladder,
    node_compartment,
)
from remyelin.conduction.parts import Bare, Internode, Node
from remyelin.conduction.reduction import Modes, complete, reduced

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
    _modes: dict[object, Modes] = field(default_factory=dict)
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
        # Parts and nodes are shared objects: by identity, each is worked out once for this axon.
        seen: dict[tuple[int, ...], Modes | Compartment] = {}
        for k, node in enumerate(axon.nodes):
            here = self._piece(axon, node, seen)
            part = axon.parts[k - 1] if k > 0 else None
            if isinstance(part, Bare):
                bare = self._piece(axon, part, seen)
                run = [pieces[-1], *[bare] * part.compartments, here]
                links += [2 / (a.resistance_kohm + b.resistance_kohm) for a, b in pairwise(run)]
                pieces += [bare] * part.compartments
            elif part is not None:
                links.append(self._link(axon, part, pieces[-1], here, seen))
            places.append(len(pieces))
            pieces.append(here)
        return Chain(tuple(pieces), np.array(places), tuple(links))

    def _piece(
        self, axon: Axon, thing: Node | Bare, seen: dict[tuple[int, ...], Modes | Compartment]
    ) -> Compartment:
        near = seen.get((id(thing),))
        if isinstance(near, Compartment):
            return near
        key = (thing, id(axon.membrane), axon.axial_ohm_m, axon.temperature_c)
        if key not in self._pieces:
            make = node_compartment(axon, thing) if isinstance(thing, Node) else bare_compartment(axon, thing)
            self._pieces[key] = make
        seen[(id(thing),)] = self._pieces[key]
        return self._pieces[key]

    def _link(
        self,
        axon: Axon,
        part: Internode,
        before: Compartment,
        after: Compartment,
        seen: dict[tuple[int, ...], Modes | Compartment],
    ) -> Modes:
        near = seen.get((id(part), id(before), id(after)))
        if isinstance(near, Modes):
            return near
        axial = before.resistance_kohm, after.resistance_kohm
        space = before.space_kohm, after.space_kohm
        key = (part, axon.axial_ohm_m, axon.periaxonal_ohm_m, axial, space)
        if key not in self._modes:
            make = complete if self.full else reduced
            self._modes[key] = make(internode_ladder(axon, part), axial, space)
        seen[(id(part), id(before), id(after))] = self._modes[key]
        return self._modes[key]
