"""A patch: what one axon has in a lesion, new internodes and then a bare stretch, between intact flanks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from remyelin.conduction.axon import Axon
from remyelin.conduction.parts import Bare, Internode, Node, Part
from remyelin.conduction.presets import optic_nerve

# Intact internodes solved on either side; how many lie between the lesion and where time is taken.
FLANK, CLEAR = 10, 5


@dataclass(frozen=True, slots=True)
class Patch:
    """The lesion as one axon of the optic nerve has it, from the side of the eye to that of the brain.

    Which part of an axon is still bare where a lesion is partly repaired is an assumption. Here the new
    internodes come first, in the order given, and what is bare lies in one piece at the far end. A bare
    stretch keeps the nodes that it had, one intact internode apart, with their channels. New nodes are as
    intact ones.

    Parameters
    ----------
    diameter_um
        Of the axon without its myelin.
    internode_um
        (internode,) lengths of the new internodes, without the nodes that follow each.
    lamellae
        Turns of their sheaths; the paranodal seal is in proportion.
    bare_um
        Length without myelin, former nodes counted in; less than the length of a node counts as none.
    nav_fraction
        Channel densities of the bare axon, sodium and potassium, relative to a node's.
    intact_lamellae
        Turns of the sheaths outside the lesion; by default those of `optic_nerve`.

    Examples
    --------
    >>> patch = Patch(0.82, internode_um=(45.0, 45.0), lamellae=3, bare_um=300.0, nav_fraction=0.01)
    >>> patch.myelinated_um.__round__(2), [round(part.length_um, 2) for part in patch.axon().parts[9:16]]
    (92.04, [139.24, 45.0, 45.0, 139.24, 139.24, 18.45, 139.24])
    """

    diameter_um: float
    internode_um: tuple[float, ...] = ()
    lamellae: int = 1
    bare_um: float = 0.0
    nav_fraction: float = 0.0
    intact_lamellae: int | None = None

    @property
    def myelinated_um(self) -> float:
        """Length of the new internodes, each with its node."""
        node = intact_geometry(self.diameter_um).node_um
        return math.fsum(self.internode_um) + len(self.internode_um) * node

    @property
    def length_um(self) -> float:
        """Of the whole patch."""
        return self.myelinated_um + self.bare_um

    def axon(self, temperature_c: float | None = None) -> Axon:
        """The axon with intact flanks of 10 internodes on either side."""
        intact = optic_nerve(
            self.diameter_um, lamellae=self.intact_lamellae, n_nodes=3, temperature_c=temperature_c
        )
        node, whole = intact.nodes[0], intact.parts[0]
        assert isinstance(whole, Internode)
        parts = [whole] * FLANK + self._myelinated(whole) + self._bare(whole, node) + [whole] * FLANK
        return replace(intact, nodes=(node,) * (len(parts) + 1), parts=tuple(parts))

    def _myelinated(self, whole: Internode) -> list[Part]:
        made = {length: self._internode(whole, length) for length in set(self.internode_um)}
        return [made[length] for length in self.internode_um]

    def _internode(self, whole: Internode, length_um: float) -> Internode:
        thin = whole.with_lamellae(self.lamellae).with_seal(self.lamellae / whole.myelin.lamellae)
        return thin if length_um == whole.length_um else thin.with_length(length_um)

    def _bare(self, whole: Internode, node: Node) -> list[Part]:
        pitch = whole.length_um + node.length_um
        count = math.floor(self.bare_um / pitch + 1e-9)
        rest = max(0.0, self.bare_um - count * pitch)
        lengths = [whole.length_um] * count
        if rest >= node.length_um:
            # The stretch ends at the first node of the intact flank, which is counted in.
            lengths.append(max(node.length_um, rest - node.length_um))
        sizes = {
            length: Bare(length, whole.diameter_um, self.nav_fraction, self.nav_fraction, whole)
            for length in set(lengths)
        }
        return [sizes[length] for length in lengths]


@dataclass(frozen=True, slots=True)
class IntactGeometry:
    """Internode and node lengths and turns of myelin of an intact axon of the optic nerve."""

    internode_um: float
    node_um: float
    lamellae: int

    @property
    def pitch_um(self) -> float:
        """From node to node."""
        return self.internode_um + self.node_um


def intact_geometry(diameter_um: float) -> IntactGeometry:
    """What `optic_nerve` gives an axon of that diameter."""
    axon = optic_nerve(diameter_um, n_nodes=3)
    whole = axon.parts[0]
    assert isinstance(whole, Internode)
    return IntactGeometry(whole.length_um, axon.nodes[0].length_um, whole.myelin.lamellae)
