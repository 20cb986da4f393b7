"""An axon: a chain of nodes with internodes between them, intact, demyelinated or remyelinated."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from remyelin.conduction.membrane import FloatArray, Membrane
from remyelin.conduction.parts import Bare, Internode, Node, Part
from remyelin.conduction.sheath import repaired, stripped, thinned, wrong
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, several, shown

Thing = TypeVar("Thing", Node, Part)
NODAL_NAV = ("density", "number")
LOWEST_C, HIGHEST_C = 5.0, 50.0
CORRECT = "correct the axon"


@dataclass(frozen=True, slots=True)
class Axon:
    """An axon, from its first node, where it is stimulated, to its last.

    Parameters
    ----------
    name
        The model that it comes from.
    nodes
        (node,) at least 3.
    parts
        (node - 1,) what lies between two nodes: an `Internode` or a `Bare` stretch.
    membrane
        Of the nodes; bare stretches have a part of its channels.
    axial_ohm_m, periaxonal_ohm_m
        Resistivities of the axoplasm and of the fluid between axon and myelin.
    temperature_c
        It drives the gates through their Q10; nothing else.

    Raises
    ------
    InputError
        For a geometry or temperature that cannot be, with the parameter, its value and the allowed range.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> axon
    Axon(optic-nerve: 51 nodes, 7.01 mm, diameter 0.82 um, g-ratio 0.779, 37 degC)
    >>> lesion = axon.demyelinate(range(20, 32), bare=True, nav_fraction=0.01)
    >>> lesion.bare_um
    1671.12
    >>> lesion.remyelinate(range(20, 32), n_short=3, g_ratio=0.88).n_nodes
    75
    """

    name: str
    nodes: tuple[Node, ...]
    parts: tuple[Part, ...]
    membrane: Membrane
    axial_ohm_m: float
    periaxonal_ohm_m: float
    temperature_c: float

    def __post_init__(self) -> None:
        if len(self.nodes) < 3 or len(self.parts) != len(self.nodes) - 1:
            found = f"{len(self.nodes)} with {len(self.parts)} parts between them"
            raise wrong("nodes", found, "3 nodes or more, and one part fewer")
        for name in ("axial_ohm_m", "periaxonal_ohm_m"):
            check_number(f"axon {name}", getattr(self, name), above=0, fix="give it in Ohm m")
        check_number(
            "axon temperature_c",
            self.temperature_c,
            least=LOWEST_C,
            most=HIGHEST_C,
            expected=f"{LOWEST_C:g} to {HIGHEST_C:g} degrees Celsius",
            fix="correct the temperature",
        )
        for node, before, after in _different(self.nodes, self.parts):
            shortest = min(before.length_um, after.length_um)
            if node.length_um > shortest:
                raise wrong(
                    "node length_um", f"{node.length_um:g}", f"at most {shortest:g}, the internode beside it"
                )

    @property
    def n_nodes(self) -> int:
        """How many nodes there are; internode or bare stretch k lies between node k and k + 1."""
        return len(self.nodes)

    @property
    def diameter_um(self) -> float:
        """Of the axon, without its myelin, in its first internode."""
        return self.parts[0].diameter_um

    @property
    def g_ratio(self) -> FloatArray:
        """(part,) realised by whole lamellae, counting the periaxonal space; 1 for a bare stretch."""
        return np.array([part.g_ratio if isinstance(part, Internode) else 1.0 for part in self.parts])

    @property
    def part_um(self) -> FloatArray:
        """(part,) length of each internode or bare stretch."""
        return np.array([part.length_um for part in self.parts])

    @property
    def bare_um(self) -> float:
        """Length without myelin, nodes left aside."""
        return round(math.fsum(part.length_um for part in self.parts if isinstance(part, Bare)), 6)

    @property
    def position_um(self) -> FloatArray:
        """(node,) centre of each node, from the centre of the first."""
        half = np.array([node.length_um for node in self.nodes]) / 2
        return np.concatenate([[0.0], np.cumsum(half[:-1] + self.part_um + half[1:])])

    @property
    def length_mm(self) -> float:
        """From the centre of the first node to that of the last."""
        return float(self.position_um[-1] / 1e3)

    def node_at(self, position_um: float) -> int:
        """The node nearest to a place in micrometres from the centre of the first, counted from 0.

        Raises
        ------
        InputError
            For a place before the first node or beyond the last.
        """
        places = self.position_um
        check_number(
            "position_um",
            position_um,
            least=-self.nodes[0].length_um / 2,
            most=float(places[-1]) + self.nodes[-1].length_um / 2,
            expected=f"0 to {places[-1]:.2f}, the length of the axon in micrometres",
            fix="give it in micrometres",
        )
        return int(np.argmin(np.abs(places - position_um)))

    def at(self, temperature_c: float) -> Axon:
        """The same axon at another temperature."""
        return replace(self, temperature_c=temperature_c)

    def demyelinate(
        self,
        internodes: int | Iterable[int],
        *,
        lamellae: int | None = None,
        bare: bool = False,
        nav_fraction: float = 0.0,
        seal: float | None = None,
        node_sodium: float = 1.0,
    ) -> Axon:
        """The axon after it has lost myelin: thinner, loosened at the paranodes, or bare.

        Parameters
        ----------
        internodes
            Which, counted from 0 at the stimulated end: a number, a range or a list.
        lamellae
            Turns of the sheath that are left.
        bare
            No sheath at all: the axolemma lies free.
        nav_fraction
            Of a bare stretch: sodium and potassium densities relative to a node's (0: leak only).
        seal
            Resistance of the paranodal seals relative to what it was; by default the part of the turns that
            is left, since each turn is one loop of the seal.
        node_sodium
            Sodium density, relative to now, of the nodes between two of these internodes.

        Raises
        ------
        InputError
            If nothing is said to be lost, `bare` is joined with another loss, or a number is impossible.
        """
        chosen = self._chosen(internodes)
        if bare and (lamellae is not None or seal is not None):
            raise wrong("demyelinate", "bare with lamellae or seal", "one or the other")
        if not bare and lamellae is None and seal is None:
            raise wrong("demyelinate", "told neither bare, lamellae nor seal", "what is lost")
        expected = "0 to 1 of a node's density"
        check_number("axon nav_fraction", nav_fraction, least=0, most=1, expected=expected, fix=CORRECT)
        if nav_fraction and not bare:
            raise wrong("nav_fraction", f"{nav_fraction:g} under myelin", "0 unless bare=True")
        expected = "0 or more, relative to the node's sodium now"
        check_number("axon node_sodium", node_sodium, least=0, expected=expected, fix=CORRECT)
        parts: list[Part] = list(self.parts)
        for k in chosen:
            parts[k] = stripped(parts[k], nav_fraction) if bare else thinned(parts[k], k, lamellae, seal)
        nodes = [
            replace(node, sodium=node.sodium * node_sodium) if {k - 1, k} <= chosen else node
            for k, node in enumerate(self.nodes)
        ]
        return replace(self, nodes=_shared(nodes), parts=_shared(parts))

    def remyelinate(
        self,
        internodes: int | Iterable[int],
        *,
        n_short: int = 3,
        g_ratio: float | None = None,
        lamellae: int | None = None,
        nodal_nav: str = "density",
        seal: float | None = None,
    ) -> Axon:
        """The axon after repair: each internode or bare stretch becomes `n_short` new internodes.

        Parameters
        ----------
        internodes
            Which, counted from 0 as the axon is now.
        n_short
            New internodes in the place of one; the new nodes between them are like the node before.
        g_ratio, lamellae
            Thickness of the new sheath, one of the two; a g-ratio is met by whole lamellae, rounded up.
        nodal_nav
            Sodium and potassium of the new nodes and of those between two of these internodes: ``"density"``
            as in other nodes, or ``"number"``: as many channels along the length as there were, shared.
        seal
            Resistance of the new paranodal seals relative to those that were there; by default in proportion
            to the turns of the sheath.

        Raises
        ------
        InputError
            If the new internodes would be shorter than their paranodes or thicker than what stood there, or
            a number is impossible.
        """
        chosen = self._chosen(internodes)
        check_number("axon n_short", n_short, least=1, whole=True, fix=CORRECT)
        n_short = int(n_short)
        if nodal_nav not in NODAL_NAV:
            fix = did_you_mean(str(nodal_nav), NODAL_NAV)
            raise InputError("", "nodal_nav", shown(nodal_nav), " or ".join(NODAL_NAV), fix)
        if (g_ratio is None) == (lamellae is None):
            raise wrong("remyelinate", "given both or neither of g_ratio and lamellae", "one of the two")
        share = 1.0 if nodal_nav == "density" else 1.0 / n_short
        nodes, parts = [self.nodes[0]], list[Part]()
        for k, part in enumerate(self.parts):
            after = self.nodes[k + 1]
            if k in chosen:
                fresh = repaired(part, k, self.nodes[k], n_short, g_ratio, lamellae, seal)
                parts += [fresh] * n_short
                new = replace(self.nodes[k], sodium=share, potassium=share)
                nodes += [new] * (n_short - 1)
                if k + 1 in chosen:
                    after = replace(after, sodium=share, potassium=share)
            else:
                parts.append(part)
            nodes.append(after)
        return replace(self, nodes=_shared(nodes), parts=_shared(parts))

    def _chosen(self, internodes: int | Iterable[int]) -> set[int]:
        last = len(self.parts) - 1
        expected = f"whole numbers from 0 to {last}, counted from the stimulated end"
        chosen = several(internodes)
        if not chosen:
            raise wrong("internodes", "none", expected)
        for k in chosen:
            check_number("axon internodes", k, least=0, most=last, whole=True, expected=expected, fix=CORRECT)
        return {int(k) for k in chosen}

    def __repr__(self) -> str:
        g = self.g_ratio
        myelin = (
            f"g-ratio {g[0]:.3f}" if g.max() - g.min() < 5e-4 else f"g-ratio {g.min():.3f} to {g.max():.3f}"
        )
        return (
            f"Axon({self.name}: {self.n_nodes} nodes, {self.length_mm:.2f} mm,"
            f" diameter {self.diameter_um:.2f} um, {myelin}, {self.temperature_c:g} degC)"
        )


def _shared(things: Iterable[Thing]) -> tuple[Thing, ...]:
    """Equal things as one object, so that each is worked out once."""
    seen: dict[Thing, Thing] = {}
    return tuple(seen.setdefault(thing, thing) for thing in things)


def _different(nodes: tuple[Node, ...], parts: tuple[Part, ...]) -> Iterable[tuple[Node, Part, Part]]:
    """Each node with the parts beside it, once for those that are the same three objects."""
    rows = zip(nodes, parts[:1] + parts, parts + parts[-1:], strict=True)
    return {(id(node), id(before), id(after)): (node, before, after) for node, before, after in rows}.values()
