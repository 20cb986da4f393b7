"""A record of the evidence base in one line: the columns of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remyelin.evidence.comparison import published_p
from remyelin.evidence.frames import shown
from remyelin.evidence.load import records
from remyelin.evidence.related import kind_of
from remyelin.evidence.wording import about, effect, number, value

Row = Callable[[Any], tuple[str, ...]]


def columns(kind: str) -> tuple[str, ...]:
    """The head of the table of a kind."""
    return ("id", *_KINDS[kind][0])


def row(kind: str, record: Any) -> tuple[str, ...]:
    """A record in these columns."""
    return (record.id, *_KINDS[kind][1](record))


def _p(result: Any) -> str:
    found = published_p(result)
    return "" if found is None else found[0]


def _listed(items: Any) -> str:
    return ", ".join(str(item) for item in items)


def _status(record: Any) -> str:
    """How it is known, and whether sources do not agree on it."""
    place = f"{kind_of(record)}/{record.id}"
    conflicts = shown("conflicts")
    in_conflict = any(sibling.record == place for conflict in conflicts for sibling in conflict.siblings)
    return f"{record.status}, in conflict" if in_conflict else str(record.status)


def _barrier(record: Any) -> tuple[str, ...]:
    sign = record.sign + (" (contested)" if record.contested else "")
    return record.name, _listed(record.acts_on), sign, record.effect, record.status


def _target(record: Any) -> tuple[str, ...]:
    contested = "yes" if record.contested else ""
    return record.name, _listed(record.acts_on), record.action, contested, record.status


def _trial(record: Any) -> tuple[str, ...]:
    n = (
        ""
        if record.n is None
        else f"{record.n}" + ("" if record.n_kind == "randomised" else f" {record.n_kind}")
    )
    return (
        _listed(record.treatments),
        record.outcome,
        n,
        record.phase,
        record.primary_endpoint,
        _status(record),
    )


def _result(record: Any) -> tuple[str, ...]:
    return record.endpoint, effect(record), _p(record), about(record), _status(record)


def _treatment(record: Any) -> tuple[str, ...]:
    every = next(each for each in records("treatments") if each.id == record.id).targets
    hidden = len(every) - len(record.targets)
    more = (f"{hidden} more, unverified",) if hidden else ()
    return record.name, _listed((*record.targets, *more)), record.status


def _size(record: Any) -> tuple[str, ...]:
    power = "" if record.power is None else number(record.power)
    return record.endpoint, "; ".join(str(each) for each in record.statements), power, record.status


_KINDS: dict[str, tuple[tuple[str, ...], Row]] = {
    "steps": (("name", "definition", "status"), lambda r: (r.name, r.definition, r.status)),
    "barriers": (("name", "acts on", "sign", "effect", "status"), _barrier),
    "targets": (("name", "acts on", "action", "contested", "status"), _target),
    "treatments": (("name", "targets", "status"), _treatment),
    "trials": (("treatments", "outcome", "n", "phase", "primary endpoint", "status"), _trial),
    "endpoints": (("name", "unit", "better"), lambda r: (r.name, r.unit, r.better)),
    "results": (("endpoint", "active less control", "p", "of", "status"), _result),
    "parameters": (
        ("value", "status", "source"),
        lambda r: (value(r), _status(r), _listed(r.source)),
    ),
    "sample_sizes": (("endpoint", "statements", "power", "status"), _size),
    "conflicts": (("kind", "words", "resolution"), lambda r: (r.kind, r.words, r.resolution)),
    "standards": (
        ("name", "carries", "what we ship", "status"),
        lambda r: (r.name, r.carries, r.ship, r.status),
    ),
    "questions": (("asked by", "words"), lambda r: (r.asker, r.words)),
    "gaps": (("not found", "where to look"), lambda r: (r.words, r.where)),
    "sources": (("work", "what was read", "doi or address"), lambda r: (r.work, r.read, r.doi or r.url)),
}
