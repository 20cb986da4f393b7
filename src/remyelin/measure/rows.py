"""Rows of one participant on their way to the table of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from remyelin.errors import Flag
from remyelin.tables import MEASURES

RANK = {"pass": 0, "flag": 1, "fail": 2}


@dataclass(slots=True)
class Rows:
    """Collects rows; what is doubtful about a visit travels with each of its values.

    Parameters
    ----------
    participant
        `sub-01`.
    days, sources
        For each visit its day (None if not told) and the recording that its values come from.
    doubts
        For each visit the flags that bear on its values.
    rows
        What was added.
    """

    participant: str
    days: Mapping[str, float | None]
    sources: Mapping[str, str]
    doubts: Mapping[str, Sequence[Flag]]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        visit: str,
        site: str,
        measure: str,
        value: float,
        *,
        se: float = np.nan,
        condition: str = "",
        state: str = "",
        quality: str = "pass",
        reason: str = "",
    ) -> None:
        """Add a value; NaN without a `state` means missing, and needs a `reason`."""
        doubts = self.doubts.get(visit, ())
        worst = max([quality, *(flag.quality for flag in doubts)], key=RANK.__getitem__)
        reasons = [reason] if reason else []
        reasons += [f"{flag.field}: {flag.found}" for flag in doubts]
        day = self.days.get(visit)
        self.rows.append(
            {
                "participant_id": self.participant,
                "visit": visit,
                "day": np.nan if day is None else day,
                "site": site,
                "measure": measure,
                "condition": condition,
                "value": value,
                "se": se,
                "unit": MEASURES[measure].unit,
                "state": state or ("present" if np.isfinite(value) else "missing"),
                "quality": worst,
                "reason": "; ".join(dict.fromkeys(reasons)),
                "source": self.sources.get(visit, ""),
            }
        )
