"""What a nerve may not be: numbers in another unit, a lesion longer than it, a course in place of a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.biology.state import MyelinState
from remyelin.conduction.axon import HIGHEST_C, LOWEST_C
from remyelin.errors import InputError
from remyelin.number import check_generator, check_number, shown

# Shorter ones were given in metres.
SHORTEST_MM, SHORTEST_LESION_MM = 1.0, 0.05
FIX = "correct the nerve"


def check_drawn(
    n_axons: object,
    rng: object,
    *,
    length_mm: object,
    lesion_mm: object,
    g_ratio: object,
    **others: object,
) -> None:
    """Refuse what no axons can be drawn with; the others are numbers or not given."""
    check_number("n_axons", n_axons, least=1, whole=True, fix=FIX)
    check_generator(rng)
    _check_length(length_mm)
    check_lesion(lesion_mm)
    for name, value in others.items():
        if value is not None:
            check_number(name, value, fix=FIX)
    if g_ratio is not None:
        check_number("g_ratio", g_ratio, above=0, most=1, fix=FIX)


def check_lesion(lesion_mm: object) -> None:
    """Refuse a length of lesion that cannot be, or was not given in millimetres."""
    if lesion_mm != 0:
        expected = f"0, or {SHORTEST_LESION_MM:g} or more, in millimetres"
        fix = "give it in millimetres"
        check_number("lesion_mm", lesion_mm, least=SHORTEST_LESION_MM, expected=expected, fix=fix)


def check_nerve(
    *,
    lesion_mm: float,
    at_mm: object,
    length_mm: float,
    nav_fraction: object,
    temperature_c: object,
    axon_survival: object,
) -> None:
    """Refuse a nerve that cannot be; `lesion_mm` is that of the axon in which it is longest."""
    expected = "0 to 1 of a node's density"
    check_number("nav_fraction", nav_fraction, least=0, most=1, expected=expected, fix=FIX)
    check_number("axon_survival", axon_survival, least=0, most=1, fix=FIX)
    expected = f"{LOWEST_C:g} to {HIGHEST_C:g} degrees Celsius"
    fix = "correct the temperature"
    check_number("temperature_c", temperature_c, least=LOWEST_C, most=HIGHEST_C, expected=expected, fix=fix)
    _check_length(length_mm)
    # Lengths of internodes add up to the lesion but for rounding.
    room = length_mm - lesion_mm + 1e-9
    if room < 0:
        expected = f"at most {length_mm:g}, the length of the nerve"
        fix = "shorten the lesion or lengthen the nerve"
        raise InputError("", "lesion_mm", f"{lesion_mm:.2f}", expected, fix)
    room = max(0.0, room)
    expected = f"0 to {room:.2f}, for a lesion of {lesion_mm:.2f} mm in a nerve of {length_mm:g} mm"
    check_number("at_mm", at_mm, least=0, most=room, expected=expected, fix=FIX)


def check_state(state: object) -> None:
    """Refuse what is not the myelin of one day."""
    if not isinstance(state, MyelinState):
        fix = "give one day of a course: course.state(day)"
        raise InputError("", "state", shown(state), "a MyelinState", fix)


def as_biology_checks(*arrays: npt.ArrayLike) -> MyelinState:
    """The arrays of a bundle as biology checks them."""
    diameter, g_ratio, bare, internode, offset = (np.asarray(array) for array in arrays)
    return MyelinState(
        day=0.0,
        diameter_um=diameter,
        g_ratio=g_ratio,
        bare_um=bare,
        internode_um=internode,
        internode_offset=offset,
        myelin_fraction=1.0,
        axon_survival=1.0,
        new_oligodendrocytes=0.0,
        surviving_oligodendrocytes=0.0,
        progenitors=0.0,
    )


def _check_length(length_mm: object) -> None:
    expected = f"{SHORTEST_MM:g} or more, in millimetres"
    check_number(
        "length_mm", length_mm, least=SHORTEST_MM, expected=expected, fix="give the nerve in millimetres"
    )
