"""The page of what was never read: what users meet first, then what models start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.frames import shown
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import records
from remyelin.evidence.lookup import find
from remyelin.evidence.reading import ANY, ANY_RECORDS
from remyelin.evidence.related import kind_of, related
from remyelin.evidence.unread import Audit, Rule, Unverified, audit

from .page import Page, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

# The kinds in the order in which they matter to who plans or reads a trial; models come after them.
_FIRST = ("trials", "results", "parameters", "sample_sizes", "treatments", "targets")
_READERS = {
    "biology": "simulated biology",
    "cli": "pages of the evidence",
    "evidence": "the evidence base",
    "measure": "measuring",
    "trial": "planning",
    "virtual": "virtual trials",
}


def audit_page(kind: str | None, of: str | None) -> Page:
    """Every unverified value, how it is kept from being a default, and the defaults that rest on one.

    Raises
    ------
    InputError
        A kind that has none and is none, or an id that no record has.
    """
    found = audit()
    known = dict.fromkeys((*_FIRST, *KINDS, *map(_kind, found.values)))
    if kind is not None and kind not in known:
        raise InputError("", "kind", f"'{kind}'", "a kind of record", did_you_mean(kind, known))
    values = [value for value in found.values if kind in (None, _kind(value))]
    if of is not None:
        places = set(_places(find(of)))
        values = [value for value in values if (_kind(value), _id(value)) in places]
    chosen = replace(found, values=tuple(sorted(values, key=_order)))
    asked = (f" of {kind.replace('_', ' ')}" if kind else "") + (f" with {of}" if of else "")
    return Page(chosen.to_dict(), lambda: _audited(chosen, asked), found.exit_code)


def _audited(found: Audit, asked: str) -> Iterator[RenderableType]:
    n = len(found.values)
    rows_are = (f"row{asked} is", "has") if n == 1 else (f"rows{asked} are", "have")
    yield words(f"{n or 'No'} {rows_are[0]} unverified, or {rows_are[1]} fields that are.", "bold")
    for kind in dict.fromkeys(map(_kind, found.values)):
        rows = [
            (each.place, each.value, ", ".join(each.fields) or "the whole row", _who(each.named_in))
            for each in found.values
            if _kind(each) == kind
        ]
        title = f"{kind.replace('_', ' ').capitalize()}: {len(rows)}"
        yield table(("row", "value", "unverified", "named by"), rows, title=title)
    if kept := list(_kept(found)):
        yield table(("read by", "of", "how it is kept from being a default"), kept)
    yield words(
        f"Nor trust unseen what was read and does not agree: {len(shown('conflicts'))} conflicts between "
        "sources, and numbers that the arithmetic contradicts: `remyelin evidence check`."
    )
    if found.problems:
        wrong = [(each.where, each.found, each.fix) for each in found.problems]
        yield table(("where", "problem", "fix"), wrong, title="A default may rest on an unverified value")
    else:
        yield words("No default rests on one.", "bold")


def _kept(found: Audit) -> Iterator[tuple[str, str, str]]:
    """How each part of the package keeps the rows that are shown from being defaults, once each."""
    kinds = {_kind(value) for value in found.values}
    said = dict.fromkeys(
        (_who([rule.module]), _of(rule), rule.keeps) for rule in found.rules if _is_about(rule, kinds)
    )
    yield from sorted(said)


def _is_about(rule: Rule, kinds: set[str]) -> bool:
    if rule.file == ANY:
        return True
    return bool(kinds & KINDS.keys()) if rule.file == ANY_RECORDS else rule.file.partition(".")[0] in kinds


def _of(rule: Rule) -> str:
    return "all records" if rule.file in (ANY, ANY_RECORDS) else rule.file.partition(".")[0].replace("_", " ")


def _who(modules: Iterable[str]) -> str:
    names = (module.partition("/")[0].removesuffix(".py") for module in modules)
    return ", ".join(dict.fromkeys(_READERS.get(name, name) for name in names))


def _kind(value: Unverified) -> str:
    return value.file.removesuffix(".toml")


def _order(value: Unverified) -> tuple[int, str]:
    kind = _kind(value)
    others = [*_FIRST, *(each for each in KINDS if each not in _FIRST)]
    return others.index(kind) if kind in others else len(others), kind


def _id(value: Unverified) -> str:
    """The id of the record in which a row stands: an arrow of a treatment stands in the treatment."""
    if _kind(value) == "parameters":
        return "-".join(value.place.split()).casefold()
    return value.place.partition(".")[0]


def _places(record: Any) -> Iterator[tuple[str, str]]:
    yield kind_of(record), record.id
    for kind in KINDS:
        yield from ((kind, each.id) for each in related(record, kind, records))
