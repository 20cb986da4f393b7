"""Pages of what was found in the evidence base: what does not agree, and what was never read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.evidence.comparison import Comparison, short
from remyelin.evidence.reading import ANY, ANY_RECORDS
from remyelin.evidence.recomputed import Checked, Conflicting, Stand, check
from remyelin.evidence.unread import Audit, audit

from .page import Page, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEAD = ("record", "number", "published", "recomputed", "from")


def check_page(path: Path | None, *, every: bool) -> Page:
    """Published numbers that disagree with those beside them, and the conflicts between sources."""
    found = check(path)
    return Page(found.to_dict(), lambda: _checked(found, every), found.exit_code)


def audit_page() -> Page:
    """Every unverified value with its readers, and the defaults that rest on one."""
    found = audit()
    return Page(found.to_dict(), lambda: _audited(found), found.exit_code)


def _checked(found: Checked, every: bool) -> Iterator[RenderableType]:
    total, wrong = len(found.comparisons), len(found.disagreements)
    disagree = {0: "none disagrees", 1: "1 disagrees"}.get(wrong, f"{wrong} disagree")
    yield words(f"{total} published numbers recomputed: {disagree}.", "bold")
    if found.new:
        yield table(_HEAD, _compared(found, found.new), title="New: no conflict on record explains these")
    if known := [each for each in found.disagreements if each not in found.new]:
        rows = [
            (*row, found.known[each.record, each.field])
            for row, each in zip(_compared(found, known), known, strict=True)
        ]
        yield table((*_HEAD, "explained in"), rows, title="Known: the conflict on record says why")
    if other := list(_contradicted(found)):
        head = ("record", "number", "printed", "contradicted by", "explained in")
        yield table(
            head, other, title="Not on record: what other sources print, and the arithmetic contradicts"
        )
    if every:
        agreed = [each for each in found.comparisons if each.agrees]
        yield table(_HEAD, _compared(found, agreed), title="These agree")
        yield table(("record", "why nothing of it can be recomputed"), found.alone, title="Not recomputed")
    else:
        yield words(f"`--every` shows those that agree, and the {len(found.alone)} records that stand alone.")
    if found.undecided:
        rows = [(each.record, each.field, each.words) for each in found.undecided]
        yield table(("record", "field", "a reviewer decides"), rows, title="A draft: not evidence yet")
    if found.conflicts:
        yield words("")
        yield words(f"{len(found.conflicts)} conflicts between sources, the values side by side", "bold")
    for conflict in found.conflicts:
        yield from _conflicting(conflict)


def _contradicted(found: Checked) -> Iterator[tuple[str, ...]]:
    """Values that a source printed and that are not the ones on record."""
    on_record = {(each.record, each.field) for each in found.disagreements}
    for conflict in found.conflicts:
        for stand in conflict.siblings:
            if stand.against and stand.status == "seen" and (stand.record, stand.field) not in on_record:
                first = stand.against[0]
                by = f"{first.field} {first.published}, {first.how}: {recomputed(first)}"
                value = f"{stand.value} [{', '.join(stand.source)}]"
                yield stand.record, stand.field, value, by, conflict.id


def _compared(checked: Checked, found: Iterable[Comparison]) -> list[tuple[str, ...]]:
    return [
        (
            each.record + (" (unverified)" if each.record in checked.recalled else ""),
            each.field,
            each.published,
            recomputed(each),
            each.how,
        )
        for each in found
    ]


def recomputed(comparison: Comparison) -> str:
    """What a number should be, and what it may be after rounding."""
    r = comparison.recomputed
    limits = "" if short(r.low) == short(r.high) else f" ({short(r.low)} to {short(r.high)})"
    return f"{short(r.value)}{limits}"


def _conflicting(conflict: Conflicting) -> Iterator[RenderableType]:
    yield words(f"\n{conflict.id} ({conflict.kind}): {conflict.words}")
    for stand in conflict.siblings:
        yield words(f"  {_stood(stand)}")
    if conflict.resolution:
        yield words(f"  Used: {conflict.resolution}")


def _stood(stand: Stand) -> str:
    source = ", ".join(stand.source) or stand.status
    place = " ".join(each for each in (stand.record, stand.field) if each)
    said = f"{stand.value} [{source}] {place}".rstrip() + (f": {stand.words}" if stand.words else "")
    for each in stand.against:
        said += f"\n    contradicted: {each.field} {each.published}, {each.how}: {recomputed(each)}"
    return said


def _audited(found: Audit) -> Iterator[RenderableType]:
    yield words(f"{len(found.values)} rows are unverified, or have fields that are.", "bold")
    for file in dict.fromkeys(value.file for value in found.values):
        own = [value for value in found.values if value.file == file]
        rows = [
            (each.place, each.value, ", ".join(each.fields) or "the whole row", _few(each.named_in))
            for each in own
        ]
        yield table(("row", "value", "unverified", "named in"), rows, title=file)
        readers = dict.fromkeys(module for each in own for module in each.readers)
        kept = [(module, _rule(found, file, module)) for module in readers]
        yield (
            table(("read by", "how it is kept from being a default"), kept)
            if kept
            else words("Read by nothing.")
        )
    if found.problems:
        wrong = [(each.where, each.found, each.fix) for each in found.problems]
        yield table(("where", "problem", "fix"), wrong, title="A default may rest on an unverified value")
    else:
        yield words("No default rests on one.", "bold")


def _few(modules: tuple[str, ...], most: int = 2) -> str:
    more = f" and {len(modules) - most} more" if len(modules) > most else ""
    return ", ".join(modules[:most]) + more


def _rule(found: Audit, file: str, module: str) -> str:
    """The rule of a module for a file, or for files that its code does not name."""
    rules = {rule.file: rule.keeps for rule in found.rules if rule.module == module}
    return rules.get(file) or rules.get(ANY_RECORDS) or rules.get(ANY) or "no rule"
