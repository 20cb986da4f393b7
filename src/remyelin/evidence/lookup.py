"""Finding records by their id or by words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remyelin.errors import InputError, did_you_mean

from .frames import shown
from .kinds import KINDS
from .load import check_kind, ids, records


def find(name: str) -> Any:
    """The record with this id, of whatever kind; ``"trials/rebuild"`` where two kinds have it.

    A parameter goes by its name where only one row has it.

    Raises
    ------
    InputError
        None, or several, which are then listed.

    Examples
    --------
    >>> find("rebuild").registry
    ('NCT02040298',)
    """
    found = _places(name)
    if len(found) == 1:
        kind, _, wanted = found[0].partition("/")
        return next(record for record in records(kind) if record.id == wanted)
    if found:
        several = f"'{name}', the id of {len(found)} records"
        raise InputError("", "id", several, "the id of one", f"use one of {', '.join(found)}")
    known = sorted(one for kind in KINDS for one in ids(kind))
    raise InputError("", "id", f"'{name}'", "the id of a record", did_you_mean(name, known))


def search(words: str, *, unverified: bool = False) -> list[tuple[str, str, str]]:
    """Kind, id and text of the records in which all these words stand, in any case and order.

    What was recalled and not read is left out unless asked for.

    Examples
    --------
    >>> [(kind, name) for kind, name, _ in search("LINGO-1 antagonise")]
    [('targets', 'LINGO1')]
    """
    wanted = words.casefold().split()
    found = []
    for kind in KINDS:
        for record in shown(kind, unverified):
            line = " ".join(_texts(record.model_dump()))
            if all(word in line.casefold() for word in wanted):
                found.append((kind, record.id, line))
    return found


def _places(name: str) -> list[str]:
    """The records that may be meant, each as kind/id."""
    kind, _, wanted = name.rpartition("/")
    if kind:
        check_kind(kind)
    kinds = (kind,) if kind else tuple(KINDS)
    found = [f"{one}/{wanted}" for one in kinds if wanted in ids(one)]
    if found or "parameters" not in kinds:
        return found
    return [f"parameters/{row.id}" for row in records("parameters") if row.name == wanted]


def _texts(value: object) -> Iterator[str]:
    """Every text and number of a record; not its defaults."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None and value != "":
        yield str(value)
