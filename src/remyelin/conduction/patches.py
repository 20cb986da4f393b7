"""Many patches as arrays, one row an axon: what the table is asked, and the solver row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from remyelin.biology.sheaths import node_um, pitch_um
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.models import read_axons
from remyelin.conduction.nerve_checks import FIX, check_lesion
from remyelin.conduction.patch import Patch
from remyelin.number import check_number

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """What each axon has in a lesion, its new internodes by number, mean, spread and range.

    Attributes
    ----------
    diameter_um, intact_lamellae, lamellae, bare_um, nav_fraction
        (axon,) as in `Patch`; lamellae may be parts of one.
    count
        (axon,) how many new internodes.
    mean_um, spread_um, shortest_um, longest_um
        (axon,) mean, SD and range of their lengths, each with its node; 0 where there are none.
    """

    diameter_um: FloatArray
    intact_lamellae: FloatArray
    lamellae: FloatArray
    bare_um: FloatArray
    nav_fraction: FloatArray
    count: IntArray
    mean_um: FloatArray
    spread_um: FloatArray
    shortest_um: FloatArray
    longest_um: FloatArray

    @classmethod
    def ragged(
        cls,
        diameter_um: FloatArray,
        intact_lamellae: FloatArray,
        lamellae: FloatArray,
        bare_um: FloatArray,
        nav_fraction: FloatArray,
        internode_um: FloatArray,
        count: IntArray,
    ) -> Patches:
        """From the lengths (internode,) of the new internodes, axon 0 first, and how many each has."""
        bare = np.where(bare_um < node_um(), 0.0, bare_um)
        pitch, ends = internode_um + node_um(), np.cumsum(count)
        axon = np.repeat(np.arange(len(count)), count)
        number = np.maximum(1, count)
        mean = np.bincount(axon, pitch, len(count)) / number
        spread = np.sqrt(np.bincount(axon, (pitch - mean[axon]) ** 2, len(count)) / number)
        some = np.flatnonzero(count)
        shortest, longest = np.zeros(len(count)), np.zeros(len(count))
        if len(some):
            starts = (ends - count)[some]
            shortest[some], longest[some] = (
                np.minimum.reduceat(pitch, starts),
                np.maximum.reduceat(pitch, starts),
            )
        return cls(
            diameter_um, intact_lamellae, lamellae, bare, nav_fraction, count, mean, spread, shortest, longest
        )

    @classmethod
    def of(cls, patches: Sequence[Patch]) -> Patches:
        """The arrays of these patches."""
        diameter = np.array([patch.diameter_um for patch in patches])
        _, usual = intact_arrays(diameter)
        usual = np.ceil(usual - 1e-9)
        return cls.ragged(
            diameter,
            np.array([patch.intact_lamellae or n for patch, n in zip(patches, usual, strict=True)]),
            np.array([float(patch.lamellae) for patch in patches]),
            np.array([patch.bare_um for patch in patches]),
            np.array([patch.nav_fraction for patch in patches]),
            np.array([length for patch in patches for length in patch.internode_um]),
            np.array([len(patch.internode_um) for patch in patches]),
        )

    @property
    def length_um(self) -> FloatArray:
        """(axon,) of the whole patch."""
        return self.count * self.mean_um + self.bare_um

    def rows(self, rows: IntArray) -> Patches:
        """Some of them."""
        return Patches(*(getattr(self, field.name)[rows] for field in fields(self)))


def intact_arrays(diameter_um: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(axon,) internode with node in um and (axon,) lamellae of intact axons, as `optic_nerve` has them."""
    usual = np.full(len(diameter_um), _optic_nerve()["g_ratio"])
    return pitch_um(diameter_um), lamellae_for_each(usual, diameter_um)


def lamellae_for_each(g_ratio: FloatArray, diameter_um: FloatArray) -> FloatArray:
    """(axon,) lamellae, parts of one too and at least 1, that make a g-ratio."""
    row = _optic_nerve()
    radius = diameter_um / 2
    room = radius / g_ratio - radius - row["periaxonal_nm"] / 1e3
    return np.asarray(np.maximum(1.0, room / (row["lamella_period_nm"] / 1e3)))


def same_lesion(
    diameter_um: FloatArray, lesion_mm: float, repaired: float, n_short: int
) -> tuple[FloatArray, IntArray, FloatArray]:
    """(axon,) length of the new internodes, their number, and what stays bare."""
    check_lesion(lesion_mm)
    check_number("repaired", repaired, least=0, most=1, expected="0 to 1 of the lesion", fix=FIX)
    check_number("n_short", n_short, least=1, whole=True, fix=FIX)
    pitch, _ = intact_arrays(diameter_um)
    mended = 1e3 * lesion_mm * repaired
    # As many as fit best; they share the length evenly.
    count = (
        np.maximum(1, np.round(mended / (pitch / n_short))).astype(np.int64)
        if mended
        else 0 * pitch.astype(int)
    )
    lengths = mended / np.maximum(1, count) - node_um()
    return lengths, count, np.full(len(pitch), 1e3 * lesion_mm - mended)


@cache
def _optic_nerve() -> dict[str, float]:
    return dict(read_axons()["axon"]["optic-nerve"])
