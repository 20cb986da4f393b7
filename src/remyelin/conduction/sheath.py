"""A sheath lost, thinned or made anew: what becomes of one internode."""

from __future__ import annotations

import math

from remyelin.conduction.parts import Bare, Internode, Node, Part
from remyelin.errors import InputError
from remyelin.number import check_number


def lamellae_for(g_ratio: float, diameter_um: float, periaxonal_nm: float, period_nm: float) -> int:
    """Whole lamellae, rounded up, of a sheath with that g-ratio (Arancibia-Carcamo 2017).

    Raises
    ------
    InputError
        If the g-ratio is not between 0 and 1, or leaves no room for myelin outside the periaxonal space.
    """
    expected = "above 0 and below 1 (an axon of 1 is bare)"
    most = math.nextafter(1, 0)
    check_number("axon g_ratio", g_ratio, above=0, most=most, expected=expected, fix="correct the axon")
    radius = diameter_um / 2
    room = radius / g_ratio - radius - periaxonal_nm / 1e3
    if room <= 0:
        highest = radius / (radius + periaxonal_nm / 1e3)
        raise wrong(
            "g_ratio", f"{g_ratio:g}", f"below {highest:.3f}, else the sheath has no room outside the axon"
        )
    # A room of exactly five lamellae is five, whatever rounding makes of it.
    return math.ceil(room / (period_nm / 1e3) - 1e-9)


def stripped(part: Part, nav_fraction: float) -> Bare:
    """The internode without its myelin."""
    former = part.former if isinstance(part, Bare) else part
    return Bare(part.length_um, former.diameter_um, float(nav_fraction), float(nav_fraction), former)


def thinned(part: Part, k: int, lamellae: int | None, seal: float | None) -> Internode:
    """The internode with fewer turns, or with looser seals."""
    if isinstance(part, Bare):
        raise wrong("internodes", f"{k}, which is bare", "internodes that have myelin to lose")
    thin = part if lamellae is None else part.with_lamellae(lamellae)
    if thin.myelin.lamellae > part.myelin.lamellae:
        raise wrong("lamellae", f"{lamellae}", f"at most {part.myelin.lamellae}, what internode {k} has")
    return thin.with_seal(thin.myelin.lamellae / part.myelin.lamellae if seal is None else seal)


def repaired(
    part: Part,
    k: int,
    node: Node,
    n_short: int,
    g_ratio: float | None,
    lamellae: int | None,
    seal: float | None,
) -> Internode:
    """One of the `n_short` new internodes that take the place of what was there."""
    former = part.former if isinstance(part, Bare) else part
    middle, myelin = former.middle, former.myelin
    if lamellae is None:
        assert g_ratio is not None
        lamellae = lamellae_for(g_ratio, middle.diameter_um, middle.periaxonal_nm, myelin.period_nm)
    fresh = former.with_lamellae(lamellae)
    most = former.most_lamellae or myelin.lamellae
    if lamellae > most:
        name = "lamellae" if g_ratio is None else "g_ratio"
        found = f"{lamellae}" if g_ratio is None else f"{g_ratio:g}, which takes {lamellae} lamellae"
        raise wrong(name, found, f"at most {most} lamellae, what internode {k} had")
    length = (part.length_um - (n_short - 1) * node.length_um) / n_short
    relative = lamellae / myelin.lamellae if seal is None else seal
    return fresh.with_length(length).with_seal(relative)


def wrong(name: str, found: str, expected: str) -> InputError:
    """An axon that cannot be."""
    return InputError("", f"axon {name}", found, expected, "correct the axon")
