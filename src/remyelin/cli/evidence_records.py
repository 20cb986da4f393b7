"""Pages of the evidence base: the records of a kind, one record, records that hold some words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError
from remyelin.evidence.frames import frame, shown
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import records
from remyelin.evidence.lookup import find, search
from remyelin.evidence.related import kind_of, outcome_of, related
from remyelin.evidence.wording import fields

from .evidence_rows import columns, row
from .page import Page, indented, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 40  # rows of one kind below a record that are still read; the trials are the answer, so all of them
_HIDDEN = "{n} more {are} unverified: recalled and not read{link}. `--unverified` shows {them}."


def kinds_page(of: str | None, *, unverified: bool) -> Page:
    """Every kind with how many records it has, or how many belong to a record.

    Raises
    ------
    InputError
        An id that no record has.
    """
    counts = {kind: tuple(map(len, _listed(kind, of, unverified))) for kind in KINDS}
    data = [{"kind": kind, "records": n, "hidden": every - n} for kind, (n, every) in counts.items()]

    def parts() -> Iterator[RenderableType]:
        given = {kind: pair for kind, pair in counts.items() if of is None or any(pair)}
        rows = [(kind, str(n), str(every - n or "")) for kind, (n, every) in given.items()]
        yield table(("kind", "records", "unverified, hidden"), rows)
        yield words(
            f"`remyelin evidence list KIND{f' --of {of}' if of else ''}` lists one kind, "
            "`remyelin evidence show ID` shows one record."
        )

    return Page(data, parts)


def list_page(kind: str, of: str | None, *, unverified: bool, csv: bool = False) -> Page:
    """The records of a kind, or those that belong to a record.

    Raises
    ------
    InputError
        An unknown kind, or an id that no record has.
    """
    visible, every = _listed(kind, of, unverified)

    def parts() -> Iterator[RenderableType]:
        if visible:
            yield table(columns(kind), [row(kind, record) for record in visible])
        else:
            yield words(f"No {kind.replace('_', ' ')} {f'of {of} ' if of else ''}on record.")
        yield from _hidden(len(every) - len(visible), of is not None)
        if of is not None and not visible:
            yield words(f"What there is: `remyelin evidence list --of {of}`.")

    return Page([_plain(record) for record in visible], parts, rows=frame(kind, visible) if csv else None)


def show_page(name: str, *, unverified: bool) -> Page:
    """One record with its sources and what comes of it: of a step its treatments, trials and results.

    Raises
    ------
    InputError
        An id that none has, or an unverified record that was not asked for.
    """
    whole = find(name)
    record, kind = whole if unverified else whole.verified(), kind_of(whole)
    if record is None:
        fix = "add --unverified to see it; no default may rest on it"
        raise InputError("", name, "unverified: recalled and not read", "a record that was read", fix)
    hidden = () if unverified else tuple(getattr(whole, "unverified", ()))
    sources = [find(f"sources/{each}") for each in dict.fromkeys(_sources(record))]
    every = outcome_of(whole, records)
    found = every if unverified else outcome_of(record)
    more = sum(map(len, every.values())) - sum(map(len, found.values()))
    if kind == "trials":
        found = {"treatments": related(record, "treatments", records if unverified else shown), **found}
    data = {
        "kind": kind,
        "record": _plain(record),
        "hidden": list(hidden),
        "sources": [_plain(each) for each in sources],
        "related": [f"{other}/{each.id}" for other, rows in found.items() for each in rows],
    }

    def parts() -> Iterator[RenderableType]:
        yield words(f"{kind}/{record.id}", "bold")
        yield table(("field", "value"), list(_fields(whole, record, hidden)))
        if sources:
            yield table(columns("sources"), [row("sources", each) for each in sources], title="Sources")
        for other, rows in found.items():
            title = f"Its {other.replace('_', ' ')}"
            if len(rows) > MOST and other != "trials":
                yield words(
                    f"{title}: `remyelin evidence list {other} --of {kind}/{record.id}` lists {len(rows)}."
                )
            elif rows:
                yield table(columns(other), [row(other, each) for each in rows], title=title)
        yield from _hidden(more, True)

    return Page(data, parts)


def search_page(wanted: str, *, unverified: bool) -> Page:
    """The records that hold all these words."""
    found = search(wanted, unverified=unverified)
    rows = [(f"{kind}/{name}", line) for kind, name, line in found]

    def parts() -> Iterator[RenderableType]:
        for place, line in rows:
            yield words(place, "bold")
            yield indented(line)
        if not rows:
            yield words(f"No record holds: {wanted}")

    return Page([{"record": record, "words": line} for record, line in rows], parts, 0 if rows else 1)


def _listed(kind: str, of: str | None, unverified: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The records of a kind that are shown, and all of them; of all, or of what belongs to a record."""
    if of is None:
        return shown(kind, unverified), records(kind)
    one = find(of)
    every = related(one, kind, records)
    return (every if unverified else related(one, kind)), every


def _hidden(n: int, linked: bool) -> Iterator[RenderableType]:
    """How many are not shown; of what is linked, the link alone may be what nobody read."""
    if n:
        are, them, their = ("is", "it", "its") if n == 1 else ("are", "them", "their")
        link = f", or {their} link was not" if linked else ""
        yield words(_HIDDEN.format(n=n, are=are, them=them, link=link))


def _sources(record: Any) -> Iterator[str]:
    yield from (name for _, kinds, name in record.references() if kinds == "sources")


def _plain(record: Any) -> dict[str, Any]:
    """A record as JSON has it, without what is empty."""
    found: dict[str, Any] = record.model_dump(mode="json")
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _fields(whole: Any, record: Any, hidden: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What the record says, then how it is known; and what of it is hidden."""
    said = dict(fields(record))
    for name in dict(fields(whole)):
        if name in hidden:
            yield name.replace("_", " "), "unverified, hidden: --unverified shows it"
            continue
        given = getattr(whole, name)
        less = len(given) - len(getattr(record, name)) if isinstance(given, tuple) else 0
        more = f"{less} more, unverified: --unverified shows {'it' if less == 1 else 'them'}" if less else ""
        if text := "\n".join(part for part in (said.get(name, ""), more) if part):
            yield name.replace("_", " "), text
