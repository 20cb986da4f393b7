"""Delayed eyes, unequal eyes and the fellow eye as reference, from the latencies of a participant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .condition import AUTO, is_pooled, parse_condition
from .name import natural
from .rows import RANK

if TYPE_CHECKING:
    import pandas as pd

    from remyelin.protocol import Measuring

LATENCY, ASYMMETRY, FELLOW = "p100_latency_ms", "p100_asymmetry_ms", "p100_fellow_difference_ms"
COLUMNS = (
    "participant_id",
    "visit",
    "eye",
    "condition",
    "p100_latency_ms",
    "se_ms",
    "state",
    "delayed",
    "reason",
    "cut_off_ms",
    "asymmetry_ms",
    "unequal",
)
YES, NO, UNKNOWN = "yes", "no", "unknown"
_FELLOW_OF = {"OD": "OS", "OS": "OD"}
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What `eligibility` found.

    Parameters
    ----------
    rows
        Rows for `Measurements`: `p100_asymmetry_ms` (OD less OS) at the participant and
        `p100_fellow_difference_ms` at each eye.
    lines
        Lines of `eligibility.tsv`, one an eye, visit and condition, by `COLUMNS`.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        told = []
        for line in self.lines:
            who = " ".join(
                line[name] for name in ("participant_id", "visit", "eye", "condition") if line[name]
            )
            why = f" ({line['reason']})" if line["reason"] else ""
            told.append(f"{who}: delayed {line['delayed']}{why}")
        return "\n".join(told)

    def to_frame(self) -> pd.DataFrame:
        """The lines as a frame of words."""
        import pandas as pd

        return pd.DataFrame(self.lines, columns=list(COLUMNS))


@dataclass(frozen=True, slots=True)
class _Eye:
    """One latency; `why` says what keeps it from being used."""

    eye: str
    visit: str
    day: float
    value: float
    se: float
    state: str
    quality: str
    reason: str
    source: str

    @property
    def why(self) -> str:
        if self.state == "absent":
            return "no P100: there is no latency to compare"
        if not np.isfinite(self.value):
            return f"P100 {self.state}" + (f": {self.reason}" if self.reason else "")
        return f"not to be used: {self.reason}" if self.quality == "fail" else ""


def eligibility(frame: pd.DataFrame, settings: Measuring, *, reader: str = AUTO) -> Eligibility:
    """Which eyes are delayed, which differ, and how each stands to the fellow eye at the first visit.

    Parameters
    ----------
    frame
        Measurements of one participant (other measures may be there). Only pooled latencies count, each
        stimulus by itself.
    settings
        `vep_delayed_ms`, above which an eye is delayed, and `vep_asymmetry_ms`, above which the eyes are
        unequal. None leaves the question open.
    reader
        Whose values: ``"auto"``, a reader, or ``"adjudicated"``. Tables that name no reader count as
        ``"auto"``.

    Returns
    -------
    Eligibility
        An eye whose 95 % interval spans the cut-off is judged by its value, and the reason says so. An eye
        without P100 has no latency: it is `unknown`, not delayed. The fellow difference is the eye's latency
        less the fellow's at the first visit (RENEW); its standard error takes the two eyes as independent.

    Examples
    --------
    >>> import pandas as pd
    >>> from remyelin.protocol import Measuring
    >>> frame = pd.DataFrame([
    ...     {"participant_id": "sub-01", "visit": "M00", "day": 0.0, "site": site, "value": value, "se": 0.9,
    ...      "measure": "p100_latency_ms", "condition": "check=60;reader=auto", "state": "present",
    ...      "quality": "pass", "reason": "", "source": ""}
    ...     for site, value in (("eye:OD", 119.2), ("eye:OS", 104.0))])
    >>> found = eligibility(frame, Measuring(vep_delayed_ms=118.0))
    >>> print(found)
    sub-01 M00 OD check=60;reader=auto: delayed yes (the 95 % interval, 117.4 to 121.0 ms, spans the cut-off)
    sub-01 M00 OS check=60;reader=auto: delayed no
    >>> [(row["measure"], row["site"], round(row["value"], 1)) for row in found.rows]
    [('p100_asymmetry_ms', 'participant', 15.2), ('p100_fellow_difference_ms', 'eye:OD', 15.2),
     ('p100_fellow_difference_ms', 'eye:OS', -15.2)]
    """
    found = Eligibility()
    for person, condition, eyes in _groups(frame, reader):
        visits = {visit: {one.eye: one for one in group} for visit, group in _by_visit(eyes)}
        first = next(iter(visits.values()))
        for visit, pair in visits.items():
            key = {"participant_id": person, "visit": visit, "condition": condition}
            asymmetry = _difference(pair.get("OD"), pair.get("OS"))
            if asymmetry is not None:
                found.rows.append({**key, "site": "participant", "measure": ASYMMETRY, **asymmetry})
            for eye, one in pair.items():
                fellow = _difference(one, first.get(_FELLOW_OF[eye]))
                if fellow is not None:
                    found.rows.append({**key, "site": f"eye:{eye}", "measure": FELLOW, **fellow})
                found.lines.append(_line(key, one, asymmetry, settings))
    return found


def _groups(frame: pd.DataFrame, reader: str) -> Iterator[tuple[str, str, list[_Eye]]]:
    """The latencies of each participant and stimulus, in the order of their visits."""
    rows = frame[(frame["measure"] == LATENCY) & frame["site"].str.startswith("eye:")]
    kept: dict[tuple[str, str], list[_Eye]] = {}
    for row in rows.to_dict("records"):
        parts = parse_condition(row["condition"])
        if not is_pooled(parts) or parts.get("reader", AUTO) != reader:
            continue
        day, value, se = (float(row[name]) for name in ("day", "value", "se"))
        state, quality, reason, source = (str(row[name]) for name in ("state", "quality", "reason", "source"))
        one = _Eye(str(row["site"])[4:], row["visit"], day, value, se, state, quality, reason, source)
        kept.setdefault((row["participant_id"], row["condition"]), []).append(one)
    for (person, condition), eyes in sorted(kept.items()):
        yield person, condition, sorted(eyes, key=_order)


def _order(one: _Eye) -> tuple[Any, ...]:
    return (one.day if np.isfinite(one.day) else np.inf, natural(one.visit), one.eye)


def _by_visit(eyes: Sequence[_Eye]) -> Iterator[tuple[str, Iterator[_Eye]]]:
    return groupby(eyes, key=lambda one: one.visit)


def _difference(one: _Eye | None, other: _Eye | None) -> dict[str, Any] | None:
    """One latency less another, with what is doubtful about either; None where one was not recorded."""
    if one is None or other is None:
        return None
    value = one.value - other.value
    reasons = [f"{each.eye} {each.visit}: {each.why or each.reason}" for each in (one, other) if _doubt(each)]
    return {
        "day": one.day,
        "value": value,
        "se": float(np.hypot(one.se, other.se)),
        "unit": "ms",
        "state": "present" if np.isfinite(value) else "missing",
        "quality": max(one.quality, other.quality, key=RANK.__getitem__),
        "reason": "; ".join(dict.fromkeys(reasons)),
        "source": one.source,
    }


def _doubt(one: _Eye) -> bool:
    return one.quality != "pass" or bool(one.why)


def _line(
    key: dict[str, str], one: _Eye, asymmetry: dict[str, Any] | None, settings: Measuring
) -> dict[str, str]:
    delayed, reason = _delayed(one, settings.vep_delayed_ms)
    unequal, more = _unequal(asymmetry, settings.vep_asymmetry_ms)
    return {
        **key,
        "eye": one.eye,
        "p100_latency_ms": _number(one.value),
        "se_ms": _number(one.se),
        "state": one.state,
        "delayed": delayed,
        "reason": "; ".join(part for part in (reason, more) if part),
        "cut_off_ms": _number(settings.vep_delayed_ms),
        "asymmetry_ms": _number(None if asymmetry is None else asymmetry["value"]),
        "unequal": unequal,
    }


def _delayed(one: _Eye, cut_off_ms: float | None) -> tuple[str, str]:
    if one.why:
        return UNKNOWN, one.why
    if cut_off_ms is None:
        return UNKNOWN, "no cut-off: set measure.vep_delayed_ms"
    return _above(one.value, one.se, cut_off_ms)


def _unequal(asymmetry: dict[str, Any] | None, limit_ms: float | None) -> tuple[str, str]:
    if limit_ms is None or asymmetry is None or not np.isfinite(asymmetry["value"]):
        return UNKNOWN, ""
    answer, doubt = _above(abs(asymmetry["value"]), asymmetry["se"], limit_ms)
    return answer, doubt.replace("the cut-off", "the limit of unequal eyes")


def _above(value: float, se: float, limit: float) -> tuple[str, str]:
    answer = YES if value > limit else NO
    low, high = value - _Z95 * se, value + _Z95 * se
    if np.isfinite(se) and low <= limit <= high:
        return answer, f"the 95 % interval, {low:.1f} to {high:.1f} ms, spans the cut-off"
    return answer, ""


def _number(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.2f}"
