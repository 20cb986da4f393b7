"""Rows of the measurement table for the sectors of multifocal recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from remyelin.errors import InputError

from .condition import AUTO, as_condition
from .findings import Failure
from .recording import Sweeps
from .recording.sweeps import FloatArray
from .rows import Rows
from .vep.multifocal import Multifocal, multifocal


def sector_rows(
    participant: str, days: Mapping[str, float | None], visits: Mapping[str, Sequence[Sweeps]]
) -> tuple[list[dict[str, Any]], list[Failure]]:
    """`vep_snr` of every sector at each visit, and `vep_shift_ms` since the first visit.

    Parameters
    ----------
    participant
        `sub-01`.
    days
        Day of each visit.
    visits
        The sectors' sweeps of each visit, in the order of time.

    Returns
    -------
    Rows, and why an eye could not be measured, which costs no other.
    """
    rows: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for eye in ("OD", "OS"):
        own = {visit: [one for one in sweeps if one.eye == eye] for visit, sweeps in visits.items()}
        own = {visit: sweeps for visit, sweeps in own.items() if sweeps}
        first = next(iter(own), None)
        for k, visit in enumerate(list(own)[1:] or list(own)):
            pair = list(dict.fromkeys([str(first), visit]))
            try:
                rows += _compared(participant, days, {name: own[name] for name in pair}, first=k == 0)
            except InputError as error:
                facts = {**error.facts(), "file": own[visit][0].file}
                failures.append(Failure(participant, visit, InputError(**facts)))
    return rows, failures


def _compared(
    participant: str, days: Mapping[str, float | None], visits: Mapping[str, list[Sweeps]], *, first: bool
) -> list[dict[str, Any]]:
    """Rows of the last of these visits, and of the one before it if it is the `first` pair of an eye."""
    names = sorted(set.intersection(*({one.sector for one in sweeps} for sweeps in visits.values())))
    by_name = [{one.sector: one for one in sweeps} for sweeps in visits.values()]
    head = next(iter(by_name[0].values()))
    found = multifocal(
        [_stacked([sectors[name] for name in names]) for sectors in by_name],
        head.sfreq_hz,
        head.start_ms,
        names=names,
    )
    rows: list[dict[str, Any]] = []
    for k, (visit, sectors) in enumerate(zip(visits, by_name, strict=True)):
        if k == len(visits) - 1 or first:
            rows += _of_visit(participant, days, visit, next(iter(sectors.values())), found, k)
    return rows


def _stacked(sectors: Sequence[Sweeps]) -> FloatArray:
    """(sector, segment, sample) with as many segments and samples as every sector has."""
    segments = min(len(one.sweeps_uv) for one in sectors)
    samples = min(one.sweeps_uv.shape[1] for one in sectors)
    return np.stack([one.sweeps_uv[:segments, :samples] for one in sectors])


def _of_visit(
    participant: str,
    days: Mapping[str, float | None],
    visit: str,
    recording: Sweeps,
    found: Multifocal,
    index: int,
) -> list[dict[str, Any]]:
    rows = Rows(participant, days, {visit: recording.file}, {visit: recording.flags})
    for sector in found.sectors:
        condition = as_condition({"reader": AUTO, "sector": sector.name})
        site = f"eye:{recording.eye}"
        state = sector.detections[index].state
        rows.add(
            visit,
            site,
            "vep_snr",
            max(0.0, sector.snr[index]),
            condition=condition,
            state=state,
            reason=sector.reason,
        )
        if index:
            value, se = (np.nan, np.nan) if sector.shift is None else (sector.shift.ms, sector.shift.se_ms)
            reason = sector.reason or ("" if sector.shift else "no response at both visits")
            state = "present" if sector.shift else ("absent" if sector.state == "absent" else "indeterminate")
            rows.add(
                visit, site, "vep_shift_ms", value, se=se, condition=condition, state=state, reason=reason
            )
    return rows.rows
