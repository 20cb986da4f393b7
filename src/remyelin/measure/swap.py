"""Eyes that look exchanged at one visit: against another source of latencies, or against other visits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from remyelin.errors import Flag
from remyelin.evidence import parameter

from .condition import AUTO, as_condition, parse_condition
from .findings import Finding

if TYPE_CHECKING:
    import pandas as pd

LATENCY = "p100_latency_ms"
THRESHOLD = 6.0
"""Log likelihood ratio above which eyes look exchanged: e^6 is 400 to 1.

For a true difference D of the eyes with an error of SD s the ratio is 2 D D' / s^2, so eyes that are not
exchanged pass it with a probability of at most Phi(-sqrt(2 * 6)) = 0.00027, whatever D is.
"""
_FARTHEST = 3.0
# Two readers who differ by more than this are adjudicated: 95 % of their differences are smaller.
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Pair:
    """The eyes of one visit in one source: OD less OS in ms, its error variance, and the file."""

    participant: str
    visit: str
    reader: str
    condition: str
    od_ms: float
    os_ms: float
    variance_ms2: float
    file: str

    @property
    def difference_ms(self) -> float:
        """OD less OS."""
        return self.od_ms - self.os_ms


def swap_signature(frame: pd.DataFrame, *, reader_ms: float = 5.0, file: str = "") -> list[Finding]:
    """Visits at which the two eyes of a participant appear exchanged.

    Two questions are asked. Does a table (or a reader) have at this visit the eyes of the recording the other
    way round? And do the eyes of one source change places at one visit of several? Either is answered by how
    much likelier the values are if the eyes are exchanged (`THRESHOLD`), given the standard errors.

    Parameters
    ----------
    frame
        Measurements of one participant or of many: those that the package made (``reader=auto``), those of
        readers, and those of users' tables (which name no reader).
    reader_ms
        `vep_reader_ms`: what two readers may differ by. It is the error of a value without a standard error.
    file
        Named where a row has no source: the user's table.

    Returns
    -------
    list[Finding]
        To look at, each naming the file whose eyes are likelier exchanged.

    Examples
    --------
    >>> import pandas as pd
    >>> def row(visit, eye, value, condition, source):
    ...     return {"participant_id": "sub-02", "visit": visit, "site": f"eye:{eye}", "measure": LATENCY,
    ...             "condition": condition, "value": value, "se": 0.4 if condition else float("nan"),
    ...             "state": "present", "quality": "pass", "source": source}
    >>> frame = pd.DataFrame([row("M06", "OD", 113.2, "reader=auto", "a.edf"),
    ...                       row("M06", "OS", 118.7, "reader=auto", "a.edf"),
    ...                       row("M06", "OD", 119.0, "", "vep.tsv"), row("M06", "OS", 113.0, "", "vep.tsv")])
    >>> for found in swap_signature(frame):
    ...     print(found.flag)
    vep.tsv: P100 latency at M06 is OD 119 ms and OS 113 ms: the eyes look swapped (the recording shows 113.2
    and 118.7 ms), expected the same eye later as in the recording. Fix: compare the table with the ...
    """
    return [finding for _, finding in exchanged_pairs(frame, reader_ms=reader_ms, file=file)]


def exchanged_pairs(
    frame: pd.DataFrame, *, reader_ms: float = 5.0, file: str = ""
) -> list[tuple[Pair, Finding]]:
    """The pairs of eyes that look exchanged, each with its finding; see `swap_signature`."""
    exchanged: list[tuple[Pair, Finding]] = []
    for _, group in groupby(_pairs(frame, reader_ms, file), key=lambda pair: pair.participant):
        pairs = list(group)
        own = [(pair, found) for pair in pairs if (found := _against_recording(pair, pairs)) is not None]
        told = {pair.visit for pair, _ in own}
        for pair, found in _between_visits(pairs):
            if pair.visit not in told:
                told.add(pair.visit)
                own.append((pair, found))
        exchanged += own
    return exchanged


def log_ratio(difference_ms: float, other_ms: float, variance_ms2: float) -> float:
    """How much likelier two differences of the eyes are if one of them is exchanged, as a logarithm.

    Examples
    --------
    >>> log_ratio(6.0, -6.0, 8.0), log_ratio(6.0, 6.0, 8.0)
    (9.0, -9.0)
    """
    return -2.0 * difference_ms * other_ms / variance_ms2


def _pairs(frame: pd.DataFrame, reader_ms: float, file: str) -> Iterator[Pair]:
    rows = frame[(frame["measure"] == LATENCY) & (frame["state"] == "present") & (frame["quality"] != "fail")]
    found: dict[tuple[str, str, str, str], dict[str, Mapping[str, object]]] = {}
    for row in rows.to_dict("records"):
        parts = parse_condition(row["condition"])
        if "hump" in parts or "sector" in parts or not str(row["site"]).startswith("eye:"):
            continue
        reader = parts.pop("reader", "")
        key = (str(row["participant_id"]), str(row["visit"]), reader, as_condition(parts))
        found.setdefault(key, {})[str(row["site"])[4:]] = {str(name): cell for name, cell in row.items()}
    guess = (reader_ms / _Z95) ** 2 / 2
    for key, eyes in sorted(found.items()):
        if len(eyes) == 2:
            od, os = eyes["OD"], eyes["OS"]
            spread = [float(str(eye["se"])) for eye in (od, os)]
            variance = sum(se**2 if np.isfinite(se) else guess for se in spread)
            values = float(str(od["value"])), float(str(os["value"]))
            yield Pair(*key, *values, variance, str(od["source"] or file))


def _against_recording(pair: Pair, pairs: list[Pair]) -> Finding | None:
    """The finding if a table or reader has the eyes of the recording the other way round."""
    if pair.reader == AUTO:
        return None
    fitting = [
        other
        for other in pairs
        if (other.visit, other.reader) == (pair.visit, AUTO)
        and _same_stimulus(pair.condition, other.condition)
    ]
    if len(fitting) != 1 or not _is_swapped(pair, fitting[0].difference_ms, fitting[0].variance_ms2):
        return None
    shown = fitting[0]
    flag = Flag(
        pair.file,
        f"P100 latency at {pair.visit}",
        f"OD {pair.od_ms:g} ms and OS {pair.os_ms:g} ms: the eyes look swapped "
        f"(the recording shows {shown.od_ms:.1f} and {shown.os_ms:.1f} ms)",
        "the same eye later as in the recording",
        "compare the table with the recording and its log, and exchange the eyes in the one that is wrong",
    )
    return Finding(pair.participant, pair.visit, flag)


def _between_visits(pairs: list[Pair]) -> Iterator[tuple[Pair, Finding]]:
    """Findings of each source of one participant; replicates are left to their pooled value."""
    whole = [pair for pair in pairs if "run" not in parse_condition(pair.condition)]
    for source in dict.fromkeys((pair.reader, pair.condition) for pair in whole):
        yield from _against_visits([pair for pair in whole if (pair.reader, pair.condition) == source])


def _against_visits(own: list[Pair]) -> Iterator[tuple[Pair, Finding]]:
    """Findings at the visits whose eyes lie as those of all other visits do, but exchanged."""
    # What an eye varies between visits beside its error: in a trial, and in a routine laboratory.
    trial, routine = parameter("p100_treatment_contrast_sd"), parameter("p100_change_sd", of="eye")
    for pair in own:
        change = (trial if pair.reader == AUTO else routine).value
        others = [other for other in own if other.visit != pair.visit]
        if not others:
            continue
        mean = float(np.mean([other.difference_ms for other in others]))
        variance = sum(other.variance_ms2 for other in others) / len(others) ** 2 + 2 * change**2
        # Of two visits neither is the odd one: the later is named, and the words name both.
        if len(others) == 1 and pair.visit < others[0].visit:
            continue
        if not _is_swapped(pair, mean, variance):
            continue
        where = others[0].visit if len(others) == 1 else "the other visits"
        flag = Flag(
            pair.file,
            f"P100 latency at {pair.visit}",
            f"OD {pair.od_ms:.1f} ms and OS {pair.os_ms:.1f} ms: the eyes look swapped "
            f"(OD less OS is {pair.difference_ms:+.1f} ms, and {mean:+.1f} ms at {where})",
            f"the same eye later as at {where}",
            "compare with the log of the recordings; nothing, if an eye fell ill or recovered between them",
        )
        yield pair, Finding(pair.participant, pair.visit, flag)


def _is_swapped(pair: Pair, other_ms: float, variance_ms2: float) -> bool:
    variance = pair.variance_ms2 + variance_ms2
    misfit = abs(pair.difference_ms + other_ms)
    likely = log_ratio(pair.difference_ms, other_ms, variance) > THRESHOLD
    return bool(likely and misfit <= _FARTHEST * np.sqrt(variance))


def _same_stimulus(one: str, other: str) -> bool:
    """Whether two conditions may be of the same recording: a table need not tell the check size."""
    a, b = parse_condition(one), parse_condition(other)
    return a.get("run") == b.get("run") and ("check" not in a or "check" not in b or a["check"] == b["check"])
