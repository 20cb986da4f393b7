"""Regression to the mean in the words of a methods section."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from remyelin.tables import MEASURES
from remyelin.trial.endpoint import Changes

SOURCES = {
    "expected": "Efron, J Am Stat Assoc 2011, doi 10.1198/jasa.2011.tm11181; Stein, Ann Stat 1981, "
    "doi 10.1214/aos/1176345632",
}


def regression_words(changes: Changes, people: pd.DataFrame, rescan_sd_pu: float | None) -> Iterable[str]:
    """What choosing lesions by a noisy baseline does to the change, and how it is removed."""
    found = changes.submedian
    if found is None:
        return
    used = people[people["analysed"]]
    rise = used.groupby("arm")["rtm"].mean().dropna()
    if rise.empty:
        yield "Regression to the mean could not be estimated: the error of the lesions is not known."
        return
    arms = ", ".join(f"{arm} {value:+.3f}" for arm, value in rise.items())
    unit = MEASURES[changes.endpoint.measure].unit
    yield (
        f"Selection by a noisy baseline raises the change in every arm; this regression to the mean was "
        f"estimated at {used['rtm'].mean():+.3f} {unit} ({arms}). In a sibling analysis it is "
        f"removed: {found.assumes}"
        + (f" ({SOURCES[found.correction]})." if found.correction in SOURCES else ".")
    )
    if found.correction == "expected" and found.floor is None:
        yield (
            f"The standard errors hold a scan-rescan SD of {rescan_sd_pu:g} {unit}, taken as exact."
            if rescan_sd_pu is not None
            else "The standard errors hold only what a single image shows; error that all voxels of a "
            "lesion share would add to the regression."
        )
    if found.floor is not None:
        yield f"Allowed for: {found.floor}, whose own error is part of the interval."
    if found.correction == "expected" and found.shape != 1.0:
        yield (
            f"Between-lesion SD {found.between_sd_pu:.2f} {unit}; factor for the shape of the distribution "
            f"{found.shape:.2f} (SE {found.shape_se:.2f}; 1 is normal)."
        )
    left = used["rtm_left"].mean()
    if found.correction == "cross-fit":
        known = (
            f"{left:+.3f} {unit} are estimated to stay" if pd.notna(left) else "how much stays is not known"
        )
        yield f"Of error that all voxels of a lesion share cross-fitting removes nothing; {known}."
