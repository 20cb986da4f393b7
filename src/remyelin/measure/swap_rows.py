"""Eyes that look exchanged, marked in the rows whose values they concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .condition import parse_condition
from .findings import Finding
from .rows import RANK
from .swap import Pair

_SHIFT = "vep_shift_ms"


def mark_exchanged(
    rows: Iterable[dict[str, Any]], exchanged: Iterable[tuple[Pair, Finding]], visits: Sequence[str]
) -> None:
    """Let what is doubtful about the eyes of a visit travel with its values.

    Parameters
    ----------
    rows
        Of one participant, from any source; quality and reason of those concerned are changed.
    exchanged
        From `exchanged_pairs`.
    visits
        The participant's visits, in the order of time. A shift is of two visits: it is doubtful if either is.
    """
    all_rows, pairs = list(rows), list(exchanged)
    first = _first_visits(all_rows, visits)
    for row in all_rows:
        for pair, finding in pairs:
            if _concerns(pair, row, first):
                _mark(row, finding)


def _first_visits(rows: Iterable[dict[str, Any]], visits: Sequence[str]) -> dict[tuple[str, str], str]:
    """The first visit at which each eye was measured with each stimulus."""
    first: dict[tuple[str, str], str] = {}
    order = {visit: k for k, visit in enumerate(visits)}
    for row in sorted(rows, key=lambda row: order.get(row["visit"], len(order))):
        if row["measure"] == "p100_latency_ms":
            first.setdefault((row["site"], row["condition"]), row["visit"])
    return first


def _concerns(pair: Pair, row: dict[str, Any], first: dict[tuple[str, str], str]) -> bool:
    parts = parse_condition(row["condition"])
    if not str(row["site"]).startswith("eye:") or parts.pop("reader", "") != pair.reader:
        return False
    if not pair.reader and row["source"] != pair.file:
        return False
    parts.pop("hump", None)
    own = parse_condition(pair.condition)
    if any(parts.get(key) != value for key, value in own.items()) or parts.keys() - own.keys() - {"run"}:
        return False
    visits = {row["visit"]}
    if row["measure"] == _SHIFT:
        visits.add(first.get((row["site"], row["condition"]), ""))
    return pair.visit in visits


def _mark(row: dict[str, Any], finding: Finding) -> None:
    flag = finding.flag
    row["quality"] = max(row["quality"], flag.quality, key=RANK.__getitem__)
    words = [row["reason"], f"{flag.field}: {flag.found}"]
    row["reason"] = "; ".join(word for word in words if word)
