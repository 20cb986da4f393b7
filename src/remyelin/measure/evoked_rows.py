"""Rows of one eye and stimulus: latencies, amplitude, and the shift since the first visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.tables import MEASURES

from .polarity import is_inverted
from .responses import Response
from .rows import RANK, Rows
from .setups import NO_DELAY
from .vep import P100, latency_shift

# Sums of another number of threads differ in the last bits; nobody needs a latency to a nanosecond.
DIGITS = 6
# A response may be there beyond doubt and its peak nearly anywhere: such a latency is not used. The limit is
# a choice; it leaves every interval narrower than 40 ms.
_LOCATED_SE_MS = 10.0
_LOCATED = ("p100_latency_ms", "n75_latency_ms", "n135_latency_ms")


def response_rows(participant: str, day: float | None, response: Response) -> list[dict[str, Any]]:
    """The rows of the replicates together, of each, and of the humps of a bifid response."""
    days = {response.visit: day}
    rows = _rows(participant, days, response, response.flags)
    _add(rows, response, response.pooled, {})
    runs = {one.run for one in response.replicates}
    of_recordings = {flag for recording in response.replicates for flag in recording.flags}
    together = [flag for flag in response.flags if flag not in of_recordings]
    found = list(rows.rows)
    for k, (recording, one) in enumerate(zip(response.replicates, response.each, strict=False)):
        name = recording.run if len(runs) == len(response.replicates) else ""
        own = _rows(participant, days, response, [*recording.flags, *together], recording.file)
        _add(own, response, one, {"run": name or str(k + 1)})
        found += own.rows
    humps = _rows(participant, days, response, response.flags)
    for k, hump_ms in enumerate(response.pooled.hump_ms, start=1):
        condition = response.condition(hump=str(k))
        humps.add(
            response.visit, response.site, "p100_latency_ms", round(hump_ms, DIGITS), condition=condition
        )
    return [*found, *humps.rows]


def _add(rows: Rows, response: Response, found: P100, more: Mapping[str, str]) -> None:
    quality = "flag" if found.shape == "atypical" else "pass"
    condition = response.condition(**more)
    reason = found.reason
    if found.state == "absent":
        reason = f"no response (p {found.detection.p:.2g}, power {100 * found.detection.power:.0f} %)"
    for measure, value, se in _values(found):
        low, high = MEASURES[measure].low, MEASURES[measure].high
        if np.isfinite(value) and not low <= value <= high:
            words = f"{value:.3g} {MEASURES[measure].unit} is not plausible"
            rows.add(
                response.visit,
                response.site,
                measure,
                np.nan,
                condition=condition,
                quality="fail",
                reason=words,
            )
            continue
        state = found.state if np.isfinite(value) or found.state == "absent" else "missing"
        words = reason
        if state == "present" and measure in _LOCATED and found.se_ms > _LOCATED_SE_MS:
            state = "indeterminate"
            words = "; ".join(
                [f"P100 is known to {found.se_ms:.0f} ms (SE) only", *([reason] if reason else [])]
            )
        rows.add(
            response.visit,
            response.site,
            measure,
            value,
            se=se,
            condition=condition,
            state=state,
            quality=quality,
            reason=words,
        )


def _values(found: P100) -> Iterator[tuple[str, float, float]]:
    pairs = (
        ("p100_latency_ms", found.latency_ms, found.se_ms),
        ("p100_amplitude_uv", found.amplitude_uv, found.amplitude_se_uv),
        ("n75_latency_ms", found.n75_ms, np.nan),
        ("n135_latency_ms", found.n135_ms, np.nan),
        ("vep_snr", found.snr, np.nan),
    )
    for measure, value, se in pairs:
        yield measure, round(value, DIGITS), round(se, DIGITS)


def shift_rows(
    participant: str, days: Mapping[str, float | None], responses: Sequence[Response]
) -> list[dict[str, Any]]:
    """`vep_shift_ms` of one eye and stimulus at each visit after the first, which is its reference."""
    found = []
    for k in range(1, len(responses)):
        found += _shift(participant, days, responses[: k + 1])
    return found


def _shift(
    participant: str, days: Mapping[str, float | None], responses: Sequence[Response]
) -> list[dict[str, Any]]:
    first, last = responses[0], responses[-1]
    before = [replace(flag, field=f"{first.visit} {flag.field}") for flag in _of_change(first, first, last)]
    rows = _rows(participant, days, last, [*_of_change(last, first, last), *before])
    worst = [one for one in (first, last) if one.pooled.state != "present"]
    absent = [one for one in worst if one.pooled.state == "absent"]
    condition = last.condition()
    if absent:
        reason = f"no response at {absent[0].visit}: nothing to compare"
        rows.add(
            last.visit,
            last.site,
            "vep_shift_ms",
            np.nan,
            condition=condition,
            state="absent",
            reason=reason,
        )
        return rows.rows
    inverted = [one.visit for one in (first, last) if is_inverted(one)]
    if inverted:
        reason = f"the recording of {inverted[0]} is upside down"
        rows.add(
            last.visit, last.site, "vep_shift_ms", np.nan, condition=condition, quality="fail", reason=reason
        )
        return rows.rows
    used = [one for one in responses if one is first or one is last or one.pooled.state == "present"]
    try:
        shift = latency_shift(
            [one.sweeps_uv for one in used],
            [one.sfreq_hz for one in used],
            [one.start_ms for one in used],
        )
    except InputError as error:
        rows.add(last.visit, last.site, "vep_shift_ms", np.nan, condition=condition, reason=str(error))
        return rows.rows
    rows.add(
        last.visit,
        last.site,
        "vep_shift_ms",
        round(shift.ms, DIGITS),
        se=round(shift.se_ms, DIGITS),
        condition=condition,
        state="indeterminate" if worst else "present",
        reason=f"the response is indeterminate at {worst[0].visit}" if worst else "",
    )
    return rows.rows


def _of_change(response: Response, first: Response, last: Response) -> list[Flag]:
    """What is doubtful about a change: a delay that nobody stated is in both visits, and not in it."""
    same = first.setup.display_delay_ms == last.setup.display_delay_ms
    return [flag for flag in response.flags if not (same and flag.field == NO_DELAY)]


def _rows(
    participant: str,
    days: Mapping[str, float | None],
    response: Response,
    flags: Sequence[Flag],
    source: str = "",
) -> Rows:
    ranked = sorted(flags, key=lambda flag: -RANK[flag.quality])
    return Rows(participant, days, {response.visit: source or response.file}, {response.visit: ranked})
