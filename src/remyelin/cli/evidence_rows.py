"""A record of the evidence base in one line: the columns of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remyelin.evidence.comparison import published_p

Row = Callable[[Any], tuple[str, ...]]


def columns(kind: str) -> tuple[str, ...]:
    """The head of the table of a kind."""
    return ("id", *_KINDS[kind][0])


def row(kind: str, record: Any) -> tuple[str, ...]:
    """A record in these columns."""
    return (record.id, *_KINDS[kind][1](record))


def effect(result: Any) -> str:
    """The estimate of a result with its interval, unit and scale; what was said where there is none."""
    if result.estimate is None:
        return result.words or "; ".join(str(arm) for arm in result.arms)
    interval = "" if result.low is None else f" ({result.low:g} to {result.high:g})"
    scale = "" if result.scale == "difference" else f" {result.scale}"
    unit = "" if result.unit == "1" else f" {result.unit}"
    return f"{result.estimate:g}{interval}{unit}{scale}" + (
        "" if result.per == "not seen" else f" per {result.per}"
    )


def about(result: Any) -> str:
    """When, of whom and as which estimand."""
    said = (result.compared, result.timepoint, result.analysis_set, result.estimand, result.subgroup)
    return ", ".join(word for word in said if word not in ("", "not seen"))


def value(parameter: Any) -> str:
    """A parameter with its unit and interval."""
    interval = "" if parameter.low is None else f" ({parameter.low:g} to {parameter.high:g})"
    return f"{parameter.value:g}{interval}" + ("" if parameter.unit == "1" else f" {parameter.unit}")


def _p(result: Any) -> str:
    found = published_p(result)
    return "" if found is None else found[0]


def _listed(items: Any) -> str:
    return ", ".join(str(item) for item in items)


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
    return _listed(record.treatments), record.phase, n, record.primary_endpoint, record.outcome, record.status


def _result(record: Any) -> tuple[str, ...]:
    return (
        effect(record),
        _p(record),
        about(record),
        record.prespecified.replace("not seen", ""),
        record.status,
    )


def _size(record: Any) -> tuple[str, ...]:
    power = "" if record.power is None else f"{record.power:g}"
    return record.endpoint, "; ".join(str(each) for each in record.statements), power, record.status


_KINDS: dict[str, tuple[tuple[str, ...], Row]] = {
    "steps": (("name", "definition", "status"), lambda r: (r.name, r.definition, r.status)),
    "barriers": (("name", "acts on", "sign", "effect", "status"), _barrier),
    "targets": (("name", "acts on", "action", "contested", "status"), _target),
    "treatments": (
        ("name", "targets", "status"),
        lambda r: (r.name, _listed(r.targets), r.status),
    ),
    "trials": (("treatments", "phase", "n", "primary endpoint", "outcome", "status"), _trial),
    "endpoints": (("name", "unit", "better"), lambda r: (r.name, r.unit, r.better)),
    "results": (("active less control", "p", "of", "prespecified", "status"), _result),
    "parameters": (
        ("value", "status", "source"),
        lambda r: (value(r), r.status, _listed(r.source)),
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
