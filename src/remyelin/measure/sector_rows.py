"""Rows of the measurement table for the sectors of multifocal recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from remyelin.errors import Flag, InputError

from .condition import AUTO, as_condition
from .evoked_rows import DIGITS
from .findings import Failure
from .recording import Sweeps
from .recording.sweeps import FloatArray
from .rows import RANK, Rows
from .setups import NO_DELAY, setup_changes
from .vep.multifocal import Multifocal, Sector, multifocal

Recorded = dict[str, Sweeps]


@dataclass(slots=True)
class SectorRows:
    """Rows, why something could not be measured (which costs nothing else), and new doubts of each visit."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    flags: dict[str, list[Flag]] = field(default_factory=lambda: defaultdict(list))


def sector_rows(
    participant: str, days: Mapping[str, float | None], visits: Mapping[str, Sequence[Sweeps]]
) -> SectorRows:
    """`vep_snr` of every sector at each visit, and `vep_shift_ms` since the first visit.

    Parameters
    ----------
    participant
        `sub-01`.
    days
        Day of each visit.
    visits
        The sectors' sweeps of each visit, in the order of time. Several runs of an eye are put together.
    """
    found = SectorRows()
    for eye in ("OD", "OS"):
        own = {
            visit: _together([one for one in sweeps if one.eye == eye], found.flags[visit])
            for visit, sweeps in visits.items()
            if any(one.eye == eye for one in sweeps)
        }
        if own:
            _of_eye(participant, days, own, found)
    return found


def _together(sweeps: Sequence[Sweeps], flags: list[Flag]) -> Recorded:
    """Each sector with the segments of all runs; a run that is sampled otherwise is left out with a flag."""
    sectors: dict[str, list[Sweeps]] = defaultdict(list)
    head = sweeps[0]
    for one in sweeps:
        if (one.sfreq_hz, one.start_ms) == (head.sfreq_hz, head.start_ms):
            sectors[one.sector].append(one)
        else:
            found = f"sampled otherwise than {head.file.rpartition('/')[2]}"
            fix = "export all runs at one sampling rate; it was left out"
            flags.append(Flag(one.file, "replicate", found, "like the other replicates", fix))
    flags[:] = dict.fromkeys(flags)
    return {
        name: replace(
            runs[0],
            sweeps_uv=_joined([run.sweeps_uv for run in runs]),
            flags=tuple(dict.fromkeys(flag for run in runs for flag in run.flags)),
        )
        for name, runs in sectors.items()
    }


def _joined(runs: Sequence[FloatArray]) -> FloatArray:
    samples = min(run.shape[1] for run in runs)
    return np.concatenate([run[:, :samples] for run in runs])


def _of_eye(
    participant: str, days: Mapping[str, float | None], own: Mapping[str, Recorded], found: SectorRows
) -> None:
    """Each later visit with the first one; a visit that cannot be compared is measured alone."""
    first, *later = own
    alone = [first]
    for visit in later:
        pair = [own[first], own[visit]]
        before, after = (next(iter(recorded.values())) for recorded in pair)
        # Each channel is a sector of its own: its name is no montage.
        was, now = (replace(one.setup, montage="") for one in (before, after))
        changes = list(setup_changes(was, now, after.file, first))
        found.flags[visit] += changes
        try:
            measured = _measured(pair, first)
        except InputError as error:
            _fail(participant, visit, after.file, error, found)
            alone.append(visit)
            continue
        if first in alone:
            found.rows += _of_visit(participant, days, first, [own[first]], measured)
            alone.remove(first)
        found.rows += _of_visit(participant, days, visit, pair, measured, changes)
    for visit in alone:
        try:
            measured = _measured([own[visit]], visit)
        except InputError as error:
            _fail(participant, visit, next(iter(own[visit].values())).file, error, found)
        else:
            found.rows += _of_visit(participant, days, visit, [own[visit]], measured)


def _fail(participant: str, visit: str, file: str, error: InputError, found: SectorRows) -> None:
    found.failures.append(Failure(participant, visit, InputError(**{**error.facts(), "file": file})))


def _measured(visits: Sequence[Recorded], first: str) -> Multifocal:
    names = sorted(set.intersection(*(set(recorded) for recorded in visits)))
    if not names:
        fix = "name the sectors alike at all visits"
        raise InputError("", "sectors", f"none that was recorded at {first}", "the same sectors", fix)
    heads = [recorded[names[0]] for recorded in visits]
    grids = {(head.sfreq_hz, head.start_ms) for head in heads}
    if len(grids) > 1:
        told = f"{heads[-1].sfreq_hz:g} Hz, and was {heads[0].sfreq_hz:g} Hz at {first}"
        fix = "export both visits at one sampling rate; the visits are not compared"
        raise InputError("", "sampling of the sectors", told, "the same at every visit", fix)
    stacks = [_stacked([recorded[name] for name in names]) for recorded in visits]
    samples = min(stack.shape[2] for stack in stacks)
    return multifocal(
        [stack[:, :, :samples] for stack in stacks], heads[0].sfreq_hz, heads[0].start_ms, names=names
    )


def _stacked(sectors: Sequence[Sweeps]) -> FloatArray:
    """(sector, segment, sample) with as many segments and samples as every sector has."""
    segments = min(len(one.sweeps_uv) for one in sectors)
    samples = min(one.sweeps_uv.shape[1] for one in sectors)
    return np.stack([one.sweeps_uv[:segments, :samples] for one in sectors])


def _of_visit(
    participant: str,
    days: Mapping[str, float | None],
    visit: str,
    recorded: Sequence[Recorded],
    found: Multifocal,
    changes: Sequence[Flag] = (),
) -> list[dict[str, Any]]:
    """Rows of the last of the visits that are given; with two of them a shift too."""
    rows: list[dict[str, Any]] = []
    for sector in found.sectors:
        own = [sectors[sector.name] for sectors in recorded]
        condition = as_condition({"reader": AUTO, "sector": sector.name})
        site, index = f"eye:{own[-1].eye}", len(recorded) - 1
        detection = sector.detections[index]
        absent = f"no response (p {detection.p:.2g}, power {100 * detection.power:.0f} %)"
        reason = sector.reason or (absent if detection.state == "absent" else "")
        one = _rows(participant, days, visit, own[-1], [*own[-1].flags, *changes])
        snr = round(max(0.0, sector.snr[index]), DIGITS)
        one.add(visit, site, "vep_snr", snr, condition=condition, state=detection.state, reason=reason)
        rows += one.rows
        if index:
            same = own[0].setup.display_delay_ms == own[-1].setup.display_delay_ms
            flags = [flag for each in own for flag in each.flags if not (same and flag.field == NO_DELAY)]
            two = _rows(participant, days, visit, own[-1], [*dict.fromkeys(flags), *changes])
            value, se, state, why = _shift(sector)
            two.add(visit, site, "vep_shift_ms", value, se=se, condition=condition, state=state, reason=why)
            rows += two.rows
    return rows


def _shift(sector: Sector) -> tuple[float, float, str, str]:
    if sector.shift is not None:
        return round(sector.shift.ms, DIGITS), round(sector.shift.se_ms, DIGITS), "present", sector.reason
    state = "absent" if sector.state == "absent" else "indeterminate"
    return np.nan, np.nan, state, sector.reason or "a response is not present at each of the two visits"


def _rows(
    participant: str, days: Mapping[str, float | None], visit: str, recording: Sweeps, flags: Sequence[Flag]
) -> Rows:
    ranked = sorted(flags, key=lambda flag: -RANK[flag.quality])
    return Rows(participant, days, {visit: recording.file}, {visit: ranked})
