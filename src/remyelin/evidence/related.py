"""What belongs to a record: from a step to its targets, their treatments, their trials and what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .frames import shown
from .graph import is_harm
from .kinds import KINDS

# Through which kinds of record a kind is reached; what names the record itself is reached whatever it is.
_THROUGH: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "treatments": ("targets", "barriers"),
        "trials": ("treatments",),
        "results": ("trials",),
        "conflicts": ("treatments", "trials", "results", "parameters"),
    }
)
_ALONE = ("sources",)  # who cites a source does not vouch for what others say of the same trial
_Place = tuple[str, str]
Rows = Callable[[str], tuple[Any, ...]]
"""What gives the records of a kind: `shown`, or `records` with what was recalled and not read too."""


def kind_of(record: Any) -> str:
    """The kind of a record."""
    return next(kind for kind, model in KINDS.items() if type(record) is model)


def outcome_of(record: Any, rows: Rows = shown) -> dict[str, tuple[Any, ...]]:
    """The records that come of this one, by kind; an empty kind is left out.

    A step leads to its targets and barriers, these to the treatments that act on them, these to the trials
    that gave them, these to their results; an endpoint to its results and parameters; all of them to the
    conflicts about them. A target that is to be left alone is no way to treat its step: what harms it is not
    followed from there. Of a source, only what names it.

    Parameters
    ----------
    record
        As `find` gives it.
    rows
        What gives the records of a kind; by default those that were read, with the links that were.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> found = outcome_of(find("LINGO1"))
    >>> [each.id for each in found["treatments"]], [each.id for each in found["trials"]]
    (['opicinumab'], ['affinity', 'renew', 'renewed', 'synergy'])
    """
    start = (kind_of(record), record.id)
    followed = {start}
    found: dict[str, tuple[Any, ...]] = {}
    for kind in KINDS:
        through = () if start[0] in _ALONE else _THROUGH.get(kind, ())
        reached = []
        for each in rows(kind):
            names = set(_named(each))
            if start in names or any(place in followed and place[0] in through for place in names):
                reached.append(each)
        reached = [each for each in reached if (kind, each.id) != start]
        followed |= {(kind, each.id) for each in reached if not _is_left_alone(each)}
        if reached:
            found[kind] = tuple(reached)
    return found


def origin_of(record: Any, rows: Rows = shown) -> dict[str, tuple[Any, ...]]:
    """The records that this one rests on, by kind: its trial, their treatments, their targets, the steps.

    Of sources, only its own.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> found = origin_of(find("rebuild-p100-crossover"))
    >>> {kind: [each.id for each in found[kind]] for kind in ("trials", "treatments", "endpoints")}
    {'trials': ['rebuild'], 'treatments': ['clemastine'], 'endpoints': ['p100_latency_ms']}
    """
    visible = {(kind, each.id): each for kind in KINDS for each in rows(kind)}
    start = (kind_of(record), record.id)
    found: dict[_Place, Any] = {}
    waiting = [start]
    while waiting:
        place = waiting.pop()
        if (one := visible.get(place)) is None:
            continue
        for named in _named(one):
            if named in visible and named not in found and (named[0] not in _ALONE or place == start):
                found[named] = visible[named]
                waiting.append(named)
    of = {kind: tuple(each for place, each in found.items() if place[0] == kind) for kind in KINDS}
    return {kind: each for kind, each in of.items() if each}


def related(record: Any, kind: str, rows: Rows = shown) -> tuple[Any, ...]:
    """The records of a kind that come of a record or that it rests on, in the order of their file.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> [each.id for each in related(find("ccmr-two"), "treatments")]
    ['clemastine', 'metformin']
    """
    sides = (origin_of(record, rows), outcome_of(record, rows))
    wanted = {each.id for side in sides for each in side.get(kind, ())}
    return tuple(each for each in rows(kind) if each.id in wanted)


def _named(record: Any) -> Iterator[_Place]:
    """Kind and id of each record that a record names; each kind that it may be."""
    for _, kinds, name in record.references():
        kind, _, wanted = name.rpartition("/")
        yield from ((each, wanted) for each in (kind or kinds).split(" or "))


def _is_left_alone(record: Any) -> bool:
    return kind_of(record) == "targets" and is_harm(record)
