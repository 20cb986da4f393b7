"""How many lesions or eyes the participants of a trial have."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from remyelin.errors import InputError


def site_counts(sites: float | Sequence[int], cv: float = 0.0) -> tuple[int, ...]:
    """Sites of each of a reference group: as given, one number, or 199 log-normal ones of a mean and CV.

    Examples
    --------
    >>> site_counts(30), site_counts([2, 5])
    ((30,), (2, 5))
    >>> counts = site_counts(30, cv=0.7)
    >>> round(sum(counts) / len(counts)), min(counts), max(counts)
    (30, 4, 145)
    """
    if isinstance(sites, Sequence):
        return tuple(int(each) for each in sites)
    if not math.isfinite(sites) or sites < 1 or not math.isfinite(cv) or cv < 0:
        raise InputError("", "sites", f"{sites:g} (CV {cv:g})", "1 or more, CV 0 or more", "correct it")
    if cv == 0:
        whole, rest = int(sites), sites - int(sites)
        # 32.9 lesions: of ten participants nine have 33.
        share = round(100 * rest)
        return (whole,) if share == 0 else (whole,) * (100 - share) + (whole + 1,) * share
    from scipy.special import ndtri

    sigma = math.sqrt(math.log1p(cv**2))
    at = ndtri((np.arange(199) + 0.5) / 199)
    counts = np.rint(sites * np.exp(sigma * at - sigma**2 / 2))
    return tuple(int(each) for each in np.maximum(counts, 1))
