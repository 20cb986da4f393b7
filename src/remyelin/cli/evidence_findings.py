"""The page of what does not agree in the evidence base."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.evidence.comparison import Comparison, short
from remyelin.evidence.recomputed import Checked, Conflicting, Stand, check

from .page import Page, table, words

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

_HEAD = ("record", "number", "published", "recomputed", "from")


def check_page(path: Path | None, *, every: bool, csv: bool = False) -> Page:
    """Published numbers that disagree with those beside them, and the conflicts between sources."""
    found = check(path)
    rows = _frame(found) if csv else None
    return Page(found.to_dict(), lambda: _checked(found, every), found.exit_code, rows=rows)


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
        title = (
            "Printed in another source, and contradicted by the arithmetic: the conflict on record says why"
        )
        yield table(head, other, title=title)
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
    read = [stand for stand in conflict.siblings if stand.status != "unverified"]
    for stand in read:
        yield words(f"  {_stood(stand)}")
    if hidden := len(conflict.siblings) - len(read):
        yield words(f"  {hidden} more, unverified: `remyelin evidence show {conflict.id} --unverified`")
    if conflict.resolution:
        yield words(f"  Used: {conflict.resolution}")


def _stood(stand: Stand) -> str:
    source = ", ".join(stand.source) or stand.status
    place = " ".join(each for each in (stand.record, stand.field) if each)
    said = f"{stand.value} [{source}] {place}".rstrip() + (f": {stand.words}" if stand.words else "")
    for each in stand.against:
        said += f"\n    contradicted: {each.field} {each.published}, {each.how}: {recomputed(each)}"
    return said


def _frame(found: Checked) -> pd.DataFrame:
    import pandas as pd

    made = [
        {
            "record": each.record,
            "field": each.field,
            "published": each.published,
            "recomputed": each.recomputed.value,
            "low": each.recomputed.low,
            "high": each.recomputed.high,
            "from": each.how,
            "agrees": each.agrees,
            "explained_in": found.known.get((each.record, each.field), ""),
        }
        for each in found.comparisons
    ]
    return pd.DataFrame(made)
