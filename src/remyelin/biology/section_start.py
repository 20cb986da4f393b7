"""The section on day 0: normal tissue with a round lesion in the middle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.biology.glia import demyelinate, thin_out
from remyelin.biology.lattice import RIM, Tissue, grain, normal_tissue
from remyelin.biology.scenarios import Scenario
from remyelin.biology.section_law import progenitors_per_site


def with_lesion(scenario: Scenario, sites: int, width: int, state: npt.NDArray[np.uint64]) -> Tissue:
    """Normal tissue with a round lesion in the middle, and what a toxin leaves in it."""
    normal = progenitors_per_site(scenario.rates)
    resident = scenario.resident_progenitors
    # More than normal in the lesion: all of the tissue is made so, and that around the lesion thinned out.
    tissue = normal_tissue(sites, sites, normal * max(resident, 1.0), state)
    y, x = np.divmod(np.arange(len(tissue.occupant)), width)
    middle = RIM + sites / 2 - 0.5
    far_mm = np.hypot(y - middle, x - middle) * grain().site_um / 1e3
    inside = far_mm <= scenario.lesion_radius_mm
    tissue.lesion[:] = inside
    tissue = tissue._replace(inside=_dilated(inside.reshape(-1, width)))
    thin_out(tissue, inside, min(resident, 1.0), state)
    if resident > 1:
        thin_out(tissue, ~inside, 1 / resident, state)
    demyelinate(tissue, scenario.oligodendrocytes_lost, scenario.debris, width, state)
    return tissue


def _dilated(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Sites in the lesion or so near that a cell of the lesion may hold their axons."""
    wide = np.zeros_like(inside)
    for y, x in np.ndindex(2 * RIM + 1, 2 * RIM + 1):
        wide |= np.roll(inside, (y - RIM, x - RIM), axis=(0, 1))
    return np.flatnonzero(wide).astype(np.int32)
