"""Finding records by their id or by words."""

from __future__ import annotations

import difflib
from typing import Any

from remyelin.errors import InputError

from .frames import shown
from .kinds import KINDS
from .load import check_kind, ids, records
from .wording import fields, line

_LIKE = 0.75  # how like a slip of the hand is to what was meant: below it, words are looked for


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
    raise InputError("", "id", f"'{name}'", "the id of a record", _meant(name))


def search(words: str, *, unverified: bool = False) -> list[tuple[str, str, str]]:
    """Kind, id and a line of the records in which all these words stand, in any case and order.

    The line says what the record is, and where in it the words stand. What was recalled and not read is left
    out unless asked for.

    Examples
    --------
    >>> search("LINGO-1 antagonise")
    [('targets', 'LINGO1', 'LINGO-1; action: antagonise')]
    """
    wanted = words.casefold().split()
    found = []
    for kind in KINDS:
        for record in shown(kind, unverified):
            text = " ".join((record.id, *(said for _, said in fields(record)))).casefold()
            if all(word in text for word in wanted):
                found.append((kind, record.id, line(record, words)))
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


def _meant(name: str) -> str:
    """The words of a fix for an id that is none: one that is like it and is shown, or where to look."""
    kind, _, wanted = name.rpartition("/")
    visible = [record.id for each in ((kind,) if kind else KINDS) for record in shown(each)]
    if nearest := difflib.get_close_matches(wanted, visible, n=1, cutoff=_LIKE):
        return f"did you mean '{nearest[0]}'?"
    if found := len(search(wanted)):
        return f"`remyelin evidence search {wanted}` finds {found}"
    return "look for words of it with `remyelin evidence search`"
