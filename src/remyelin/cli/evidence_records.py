"""Pages of the evidence base: the records of a kind, one record, records that hold some words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError
from remyelin.evidence.claim import Claim, Part
from remyelin.evidence.frames import shown
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import records
from remyelin.evidence.lookup import find, search

from .evidence_rows import columns, row
from .page import Page, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

_HIDDEN = "{n} more {are} unverified: recalled and not read. `--unverified` shows {them}."


def kinds_page() -> Page:
    """Every kind with how many records it has."""
    counts = {kind: (len(shown(kind)), len(records(kind))) for kind in KINDS}
    data = [{"kind": kind, "records": n, "hidden": every - n} for kind, (n, every) in counts.items()]

    def parts() -> Iterator[RenderableType]:
        rows = [(kind, str(n), str(every - n or "")) for kind, (n, every) in counts.items()]
        yield table(("kind", "records", "unverified, hidden"), rows)
        yield words(
            "`remyelin evidence list KIND` lists one kind, `remyelin evidence show ID` shows one record."
        )

    return Page(data, parts)


def list_page(kind: str, of: str | None, *, unverified: bool) -> Page:
    """The records of a kind, or those that name a record.

    Raises
    ------
    InputError
        An unknown kind, or an id that no record has.
    """
    every, visible = records(kind), shown(kind, unverified)
    if of is not None:
        one = find(of)
        every, visible = (
            tuple(record for record in each if _names(record, _kind_of(one), one.id))
            for each in (every, visible)
        )

    def parts() -> Iterator[RenderableType]:
        yield table(columns(kind), [row(kind, record) for record in visible])
        yield from _hidden(len(every) - len(visible))

    return Page([_plain(record) for record in visible], parts)


def show_page(name: str, *, unverified: bool) -> Page:
    """One record with its sources and the records that name it.

    Raises
    ------
    InputError
        An id that none has, or an unverified record that was not asked for.
    """
    whole = find(name)
    record, kind = whole if unverified else whole.verified(), _kind_of(whole)
    if record is None:
        fix = "add --unverified to see it; no default may rest on it"
        raise InputError("", name, "unverified: recalled and not read", "a record that was read", fix)
    hidden = () if unverified else tuple(getattr(whole, "unverified", ()))
    sources = [find(f"sources/{each}") for each in dict.fromkeys(_sources(record))]
    naming = [
        (other, each) for other in KINDS for each in shown(other, unverified) if _names(each, kind, record.id)
    ]
    data = {
        "kind": kind,
        "record": _plain(record),
        "hidden": list(hidden),
        "sources": [_plain(each) for each in sources],
        "named_by": [f"{other}/{each.id}" for other, each in naming],
    }

    def parts() -> Iterator[RenderableType]:
        yield words(f"{kind}/{record.id}", "bold")
        yield table(("field", "value"), list(_fields(record, hidden)))
        if sources:
            yield table(columns("sources"), [row("sources", each) for each in sources], title="Sources")
        for other in dict.fromkeys(other for other, _ in naming):
            rows = [row(other, each) for one, each in naming if one == other]
            yield table(columns(other), rows, title=f"Named by these {other.replace('_', ' ')}")

    return Page(data, parts)


def search_page(wanted: str, *, unverified: bool) -> Page:
    """The records that hold all these words.

    Raises
    ------
    InputError
        No words.
    """
    if not wanted.strip():
        raise InputError(
            "", "words", "none", "what is looked for", "write `remyelin evidence search remyelin`"
        )
    found = search(wanted, unverified=unverified)
    rows = [(f"{kind}/{name}", _around(line, wanted)) for kind, name, line in found]

    def parts() -> Iterator[RenderableType]:
        yield table(("record", "words"), rows) if rows else words(f"No record holds: {wanted}")

    return Page([{"record": record, "words": line} for record, line in rows], parts, 0 if rows else 1)


def _hidden(n: int) -> Iterator[RenderableType]:
    if n:
        yield words(_HIDDEN.format(n=n, are="is" if n == 1 else "are", them="it" if n == 1 else "them"))


def _kind_of(record: Any) -> str:
    return next(kind for kind, model in KINDS.items() if type(record) is model)


def _names(record: Any, kind: str, name: str) -> bool:
    """Whether a record names another one."""
    return any(
        each in (name, f"{kind}/{name}") and (kind in kinds.split(" or ") or "/" in each)
        for _, kinds, each in record.references()
    )


def _sources(record: Any) -> Iterator[str]:
    yield from (name for _, kinds, name in record.references() if kinds == "sources")


def _plain(record: Any) -> dict[str, Any]:
    """A record as JSON has it, without what is empty."""
    found: dict[str, Any] = record.model_dump(mode="json")
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _fields(record: Any, hidden: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What the record says, then how it is known."""
    names = [name for name in type(record).model_fields if name != "id"]
    shared = [name for name in names if name in Claim.model_fields]
    for name in (*(name for name in names if name not in shared), *shared):
        value = getattr(record, name)
        if name in hidden:
            yield name, "unverified, hidden: --unverified shows it"
        elif value not in (None, "", "=", (), {}, False):
            yield name.replace("_", " "), _said(value)


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        nested = any(isinstance(item, Part) for item in value)
        return ("\n" if nested else ", ").join(str(item) for item in value)
    if hasattr(value, "items"):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


def _around(line: str, wanted: str, reach: int = 6) -> str:
    """The parts of a text in which the words stand for the first time."""
    tokens = line.split()
    near: set[int] = set()
    for word in wanted.casefold().split():
        at = next((k for k, token in enumerate(tokens) if word in token.casefold()), None)
        near |= set() if at is None else set(range(max(0, at - reach), min(len(tokens), at + reach + 1)))
    shown: list[str] = []
    for k in sorted(near):
        shown += [tokens[k]] if k - 1 in near or k == 0 else ["...", tokens[k]]
    return " ".join([*shown, *(["..."] if near and max(near) < len(tokens) - 1 else [])])
