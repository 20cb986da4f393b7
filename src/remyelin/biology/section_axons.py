"""The axons of a section, one by one: what covers them, and whose sheath it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from remyelin.biology.diameters import draw_diameters
from remyelin.biology.lattice import (
    BARE,
    BY_NEW,
    BY_ORIGINAL,
    BY_SURVIVOR,
    DEAD,
    RIM,
    Tissue,
    grain,
)
from remyelin.biology.section_counts import thickness
from remyelin.biology.section_law import Law
from remyelin.biology.sheaths import thin_g_ratio

if TYPE_CHECKING:
    import pandas as pd

COVERS = {BY_ORIGINAL: "kept", BY_NEW: "new cell", BY_SURVIVOR: "survivor"}


def axon_table(tissue: Tissue, rules: Law, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row for each axon in the lesion or within reach of it, as `Section.axons` says."""
    import pandas as pd

    per_site, mm = tissue.owner.shape[1], grain().site_um / 1e3
    site = np.repeat(tissue.inside, per_site)
    owner, origin = tissue.owner[tissue.inside].ravel(), tissue.origin[tissue.inside].ravel()
    since = tissue.since[tissue.inside].ravel().astype(np.float64)
    remade = origin > BY_ORIGINAL
    thick = np.where(owner >= 0, 1.0, 0.0)
    thick[remade] = thickness(days - since[remade], rules.thickening, rules.thickness_end)
    covered_by = np.array(["", *COVERS.values()])[origin]
    covered_by[owner == BARE], covered_by[owner == DEAD] = "bare", "dead"
    y, x = np.divmod(site, rules.width)
    return pd.DataFrame(
        {
            "axon": site * per_site + np.tile(np.arange(per_site), len(tissue.inside)),
            "x_mm": (x - RIM + 0.5) * mm,
            "y_mm": (y - RIM + 0.5) * mm,
            "diameter_um": draw_diameters(len(site), rng=rng),
            "covered_by": covered_by,
            "cell": np.where(owner >= 0, tissue.name[np.maximum(owner, 0)], -1),
            "since_day": np.where(remade, since, np.nan),
            "thickness": thick,
            "g_ratio": thin_g_ratio(thick),
        }
    )
