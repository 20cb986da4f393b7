"""What an axon is a chain of: nodes of Ranvier, myelinated internodes, and stretches without myelin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from remyelin.errors import InputError
from remyelin.number import check_number

BARE_COMPARTMENT_UM = 10.0  # longest piece of bare axon that is one compartment
# A space between axon and myelin narrower or wider than this was most likely given in micrometres: a molecule
# of water is 0.3 nm wide. A paranode may be narrower: that is an effective seal.
NARROWEST_NM, WIDEST_NM = 1.0, 1000.0
FIX = "correct the geometry of the axon"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of Ranvier.

    Parameters
    ----------
    diameter_um, length_um
        Of the axon at the node.
    sodium, potassium
        Channel densities relative to those of the axon's membrane.
    periaxonal_nm
        Width of the space around the node. Through half of it the current under the myelin reaches the
        outside, at the middle of the node (McIntyre 2002); at 0 the node lies open and that current is
        outside where the myelin ends (Arancibia-Carcamo 2017).

    Raises
    ------
    InputError
        For a length or diameter that is not above 0, or a density or width below 0.
    """

    diameter_um: float
    length_um: float
    sodium: float = 1.0
    potassium: float = 1.0
    periaxonal_nm: float = 0.0

    def __post_init__(self) -> None:
        above_zero(self, "node", "diameter_um", "length_um")
        at_least_zero(self, "node", "sodium", "potassium", "periaxonal_nm")

    @property
    def area_um2(self) -> float:
        """Of its membrane."""
        return math.pi * self.diameter_um * self.length_um


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of an internode along which nothing changes: paranode, juxtaparanode or the middle.

    Parameters
    ----------
    length_um
        Of the whole stretch.
    segments
        In how many equal pieces it is computed. The published velocities hold for the published number.
    diameter_um
        Of the axon under the myelin.
    periaxonal_nm
        Width of the space between axon and myelin. In nanometres: the values of 0.008 and 0.012 that the
        central models give for the paranode are no slip but an effective seal. At 0 no current flows along
        the space: axolemma and myelin are in series, piece by piece.
    paranode
        Whether this is the paranode, whose width is the seal.
    axolemma_ms_per_cm2, axolemma_uf_per_cm2
        Of the axon's own membrane under the myelin.
    """

    length_um: float
    segments: int
    diameter_um: float
    periaxonal_nm: float
    axolemma_ms_per_cm2: float
    axolemma_uf_per_cm2: float
    paranode: bool = False

    def __post_init__(self) -> None:
        above_zero(self, "internode", "length_um", "diameter_um")
        check_number("internode segments", self.segments, least=1, whole=True, fix=FIX)
        check_number(
            "internode periaxonal_nm",
            self.periaxonal_nm,
            least=0.0 if self.paranode or self.periaxonal_nm == 0 else NARROWEST_NM,
            most=WIDEST_NM,
            expected=f"0, or {NARROWEST_NM:g} to {WIDEST_NM:g} (a paranode: any up to that), in nanometres",
            fix="give nanometres, not micrometres",
        )
        above_zero(self, "internode", "axolemma_ms_per_cm2", "axolemma_uf_per_cm2")


@dataclass(frozen=True, slots=True)
class Myelin:
    """The sheath: lamellae of two membranes each, in series.

    Parameters
    ----------
    lamellae
        Turns of the sheath, a whole number of 1 or more.
    membrane_ms_per_cm2, membrane_uf_per_cm2
        Of one membrane.
    period_nm
        Thickness of one lamella.
    outer_um
        Where given, every membrane has the area of a tube of this diameter (McIntyre 2002); else each has its
        own radius, which grows from the axon outwards (Arancibia-Carcamo 2017).
    """

    lamellae: int
    membrane_ms_per_cm2: float
    membrane_uf_per_cm2: float
    period_nm: float
    outer_um: float | None = None

    def __post_init__(self) -> None:
        expected = "a whole number, 1 or more; an axon without myelin is bare"
        check_number("myelin lamellae", self.lamellae, least=1, whole=True, expected=expected, fix=FIX)
        above_zero(self, "myelin", "membrane_ms_per_cm2", "membrane_uf_per_cm2", "period_nm")
        if self.outer_um is not None:
            above_zero(self, "myelin", "outer_um")


@dataclass(frozen=True, slots=True)
class Internode:
    """A myelinated internode: its stretches from one node to the next, and its sheath.

    Parameters
    ----------
    stretches, myelin
        From one node to the next, and the sheath around them.
    most_lamellae
        Turns that the sheath had at its thickest; those that it has if not given.

    Examples
    --------
    >>> from remyelin import conduction
    >>> internode = conduction.optic_nerve(g_ratio=0.79).parts[0]
    >>> internode.length_um, internode.myelin.lamellae, round(internode.g_ratio, 4)
    (139.26, 7, 0.7789)
    """

    stretches: tuple[Stretch, ...]
    myelin: Myelin
    most_lamellae: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.stretches:
            raise _wrong("internode", "stretches", "empty", "one stretch or more")
        beside = self.middle.periaxonal_nm
        for stretch in self.stretches:
            if stretch.paranode and stretch.periaxonal_nm > beside:
                found = f"{stretch.periaxonal_nm:g} nm at the paranode"
                raise _wrong("internode", "periaxonal_nm", found, f"at most the {beside:g} nm beside it")

    @property
    def length_um(self) -> float:
        """From node to node."""
        return math.fsum(stretch.length_um for stretch in self.stretches)

    @property
    def middle(self) -> Stretch:
        """The longest stretch."""
        return max(self.stretches, key=lambda stretch: stretch.length_um)

    @property
    def diameter_um(self) -> float:
        """Of the axon in the middle."""
        return self.middle.diameter_um

    @property
    def g_ratio(self) -> float:
        """Axon over fibre diameter in the middle, as whole lamellae and the periaxonal space make it."""
        if self.myelin.outer_um is not None:
            return self.diameter_um / self.myelin.outer_um
        radius = self.diameter_um / 2
        outer = (
            radius + (self.middle.periaxonal_nm + (self.myelin.lamellae - 0.5) * self.myelin.period_nm) / 1e3
        )
        return radius / outer

    def with_lamellae(self, lamellae: int) -> Internode:
        """The same internode with a thinner or thicker sheath."""
        # Refused first, if it is no number of turns.
        made = replace(self.myelin, lamellae=lamellae)
        outer = self.myelin.outer_um
        if outer is not None:
            sheath = (outer - self.diameter_um) * lamellae / self.myelin.lamellae
            outer = self.diameter_um + sheath
        made = replace(made, outer_um=outer)
        most = max(self.most_lamellae or 1, self.myelin.lamellae)
        return replace(self, myelin=made, most_lamellae=most if most > lamellae else None)

    def with_seal(self, seal: float) -> Internode:
        """The same internode, its paranodal seals of `seal` times the resistance.

        The space at the paranode gets 1/seal of its width, at most the width that it has beside the paranode.
        """
        expected = "above 0 (no seal at all); 1 leaves it as it is"
        check_number("internode seal", seal, above=0, expected=expected, fix=FIX)
        widest = self.middle.periaxonal_nm
        return replace(
            self,
            stretches=tuple(
                replace(part, periaxonal_nm=min(part.periaxonal_nm / seal, widest)) if part.paranode else part
                for part in self.stretches
            ),
        )

    def with_length(self, length_um: float) -> Internode:
        """The same internode, longer or shorter between paranodes that keep their length.

        Segments become no longer than they are, unless there are as many as now.
        """
        ends = math.fsum(stretch.length_um for stretch in self.stretches if stretch.paranode)
        middle = self.length_um - ends
        expected = f"above {ends:g}, the length of its paranodes"
        check_number("internode length_um", length_um, above=ends, expected=expected, fix=FIX)
        factor = (length_um - ends) / middle
        return replace(
            self,
            stretches=tuple(
                part
                if part.paranode
                else replace(
                    part,
                    length_um=part.length_um * factor,
                    segments=max(1, math.ceil(part.segments * min(factor, 1.0) - 1e-9)),
                )
                for part in self.stretches
            ),
        )


@dataclass(frozen=True, slots=True)
class Bare:
    """A stretch that has lost its myelin: axolemma with the channels given, and the internode it was.

    Parameters
    ----------
    length_um, diameter_um
        Of the axon.
    sodium, potassium
        Channel densities relative to those of a node; 0.01 is one per cent of a node's.
    former
        The internode that stood here, the model for a new one.
    """

    length_um: float
    diameter_um: float
    sodium: float
    potassium: float
    former: Internode

    def __post_init__(self) -> None:
        above_zero(self, "bare stretch", "length_um", "diameter_um")
        at_least_zero(self, "bare stretch", "sodium", "potassium")

    @property
    def compartments(self) -> int:
        """In how many pieces it is computed, none longer than 10 um."""
        return math.ceil(self.length_um / BARE_COMPARTMENT_UM - 1e-9)


Part = Internode | Bare


def above_zero(thing: object, what: str, *names: str) -> None:
    """Refuse a field that is not a finite number above 0."""
    for name in names:
        check_number(f"{what} {name}", getattr(thing, name), above=0, fix=FIX)


def at_least_zero(thing: object, what: str, *names: str) -> None:
    """Refuse a field that is not a finite number of 0 or more."""
    for name in names:
        check_number(f"{what} {name}", getattr(thing, name), least=0, fix=FIX)


def _wrong(what: str, name: str, found: str, expected: str) -> InputError:
    return InputError("", f"{what} {name}", found, expected, FIX)
