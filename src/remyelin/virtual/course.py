"""The course of virtual lesions: when they appear, where their MTR starts and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .phantom import FloatArray, Head, VirtualLesion, draw_lesions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from remyelin.protocol import Visit

# Values of a demonstration, not evidence about people.
LESION_MEAN_PU, LESION_SD_PU, LESION_LIMITS_PU = 31.0, 3.0, (20.0, 38.0)
NATURAL_LESION_SD_PU, NATURAL_PARTICIPANT_SD_PU = 0.5, 0.25  # what lesions do untreated, by the last visit
NEW_LESIONS_PER_VISIT = 0.4


def draw_history(head: Head, n_visits: int, rng: np.random.Generator) -> tuple[VirtualLesion, ...]:
    """15 to 25 lesions at the first visit and a few new ones at later visits."""
    first = int(rng.integers(15, 26))
    onsets = [0] * first + [v for v in range(1, n_visits) for _ in range(rng.poisson(NEW_LESIONS_PER_VISIT))]
    drawn = draw_lesions(head, len(onsets), rng)
    return tuple(replace(lesion, onset=onset) for lesion, onset in zip(drawn, onsets, strict=True))


def visit_days(visits: Sequence[Visit], rng: np.random.Generator) -> list[int]:
    """Day of each visit: as planned, shifted by up to half of its window."""
    days = [int(visits[0].day)]
    for visit in visits[1:]:
        low, high = visit.window_days or (0, 0)
        days.append(int(visit.day + rng.integers(int(low) // 2, int(high) // 2 + 1)))
    return days


def courses(
    lesions: Sequence[VirtualLesion], days: Sequence[int], rng: np.random.Generator, effect_pu: float
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """True MTR (lesion, visit) in pu, and which lesions lie below the median at baseline."""
    start = np.clip(rng.normal(LESION_MEAN_PU, LESION_SD_PU, len(lesions)), *LESION_LIMITS_PU)
    old = np.array([lesion.onset == 0 for lesion in lesions])
    submedian = old & (start < np.median(start[old]))
    slope = rng.normal(0, NATURAL_LESION_SD_PU, len(lesions)) + rng.normal(0, NATURAL_PARTICIPANT_SD_PU)
    elapsed = (np.asarray(days) - days[0]) / max(days[-1] - days[0], 1)
    return start[:, None] + elapsed * (slope + effect_pu * submedian)[:, None], submedian
