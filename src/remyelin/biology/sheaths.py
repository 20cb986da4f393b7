"""The sheaths of single axons in a lesion: which are left, which are new, what is bare.

The lineage knows parts of a lesion; conduction needs axons. A lesion takes whole internodes. Each becomes
`n_short` places for a new one, the same part of which is filled on every axon, but for rounding. Which
axon rounds up, and which axons die first, is drawn once: a sheath that has been made stays until an attack or
a loss takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from remyelin.biology.diameters import draw_diameters
from remyelin.biology.state import MyelinState
from remyelin.evidence.load import parameter, read_data

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# Of the new internodes only this is known: shorter than normal (cat, Smith 1981; man, Prineas 1979), and of
# adult-born cells much shorter and more (mouse, Young 2013). By how much was not seen: three for one is an
# assumption.
N_SHORT, MOST_SHORT = 3, 10


@dataclass(frozen=True, slots=True, eq=False)
class Axons:
    """What is drawn once for a lesion.

    Attributes
    ----------
    diameter_um
        (axon,) without myelin.
    internodes
        (axon,) that lie in the lesion, at least one.
    death
        (axon,) an axon is there as long as the part of the axons that is left lies above this.
    kept_rounding, new_rounding
        (axon,) 0 to 1: a part of a sheath above one less than this is a whole one.
    """

    diameter_um: FloatArray
    internodes: IntArray
    death: FloatArray
    kept_rounding: FloatArray
    new_rounding: FloatArray

    @classmethod
    def drawn(cls, n_axons: int, lesion_um: float, rng: np.random.Generator) -> Axons:
        """Axons of the optic nerve that cross a lesion of that length."""
        diameter = draw_diameters(n_axons, rng=rng)
        death, kept, new, phase = ((rng.permutation(n_axons) + 0.5) / n_axons for _ in range(4))
        fitting = np.floor(lesion_um / pitch_um(diameter) + phase)
        return cls(diameter, np.maximum(1, fitting).astype(np.int64), death, kept, new)

    def left(self, survival: float) -> Axons:
        """Those that are left."""
        rows = self.death < survival
        return Axons(
            self.diameter_um[rows],
            self.internodes[rows],
            self.death[rows],
            self.kept_rounding[rows],
            self.new_rounding[rows],
        )


@dataclass(frozen=True, slots=True)
class Cover:
    """How far a lesion is repaired, as the lineage has it.

    Attributes
    ----------
    kept
        Part of the internodes that outlived the lesion.
    again
        Part of the rest that is covered again.
    thickness
        Of the new sheaths, relative to normal.
    survival
        Part of the axons that is left.
    """

    kept: float
    again: float
    thickness: float
    survival: float

    @property
    def myelin_fraction(self) -> float:
        """Myelin relative to before the lesion: length covered, by relative thickness, by axons left."""
        return min(1.0, self.survival * (self.kept + (1 - self.kept) * self.again * self.thickness))


def myelin_state(
    axons: Axons, cover: Cover, *, day: float, n_short: int, cells: tuple[float, float, float]
) -> MyelinState:
    """The state of every axon that is left; `cells`: new and surviving oligodendrocytes, progenitors."""
    left = axons.left(cover.survival)
    pitch = pitch_um(left.diameter_um)
    kept = np.floor(cover.kept * left.internodes + left.kept_rounding).astype(np.int64)
    places = n_short * (left.internodes - kept)
    new = np.floor(cover.again * places + left.new_rounding).astype(np.int64)
    short = pitch / n_short
    # Internodes of one axon: those that were kept, then the new ones.
    lengths = np.column_stack([pitch, short]) - node_um()
    count = np.column_stack([kept, new])
    return MyelinState(
        day=day,
        diameter_um=left.diameter_um,
        g_ratio=thin_g_ratio(_thickness(kept, new / n_short, cover.thickness)),
        bare_um=(places - new) * short,
        internode_um=np.repeat(lengths.ravel(), count.ravel()),
        internode_offset=np.concatenate([[0], np.cumsum(kept + new)]),
        myelin_fraction=cover.myelin_fraction,
        axon_survival=cover.survival,
        new_oligodendrocytes=cells[0],
        surviving_oligodendrocytes=cells[1],
        progenitors=cells[2],
    )


def thin_g_ratio(thickness: FloatArray) -> FloatArray:
    """(axon,) inner over outer diameter of sheaths of a part of the normal thickness; 1 for none.

    The normal g-ratio is that of the axon that conduction takes for the optic nerve, 0.79 (Arancibia-Carcamo
    2017, 10.7554/eLife.23329), for every diameter.

    Examples
    --------
    >>> thin_g_ratio(np.array([0.0, 0.6, 1.0])).round(3)
    array([1.   , 0.862, 0.79 ])
    """
    return np.asarray(1 / (1 + thickness * (1 / _axon()["g_ratio"] - 1)))


def pitch_um(diameter_um: FloatArray) -> FloatArray:
    """(axon,) a normal internode and its node: internodes in proportion to the diameter, nodes of one length.

    From the same axon as the g-ratio, 139 um at 0.82 um; the proportion is an assumption.

    Examples
    --------
    >>> pitch_um(np.array([0.4, 0.8201])).round(1)
    array([ 68.9, 140.3])
    """
    axon = _axon()
    return np.asarray(axon["internode_um"] * diameter_um / axon["diameter_um"] + node_um())


def node_um() -> float:
    """Length of a node."""
    return _axon()["node_length_um"]


def normal_oligodendrocytes(radius_mm: float) -> float:
    """Oligodendrocytes in a ball of normal white matter.

    Examples
    --------
    >>> round(normal_oligodendrocytes(0.5))
    29060
    """
    return parameter("oligodendrocyte_density").value * 4 / 3 * np.pi * radius_mm**3


def _thickness(kept: IntArray, new: FloatArray, thin: float) -> FloatArray:
    """(axon,) mean over what is covered, for conduction knows one thickness an axon; 0 where all is bare."""
    covered = kept + new
    return np.divide(kept + thin * new, covered, out=np.zeros(len(new)), where=covered > 0)


@cache
def _axon() -> dict[str, float]:
    return dict(read_data("axons.toml")["axon"]["optic-nerve"])
