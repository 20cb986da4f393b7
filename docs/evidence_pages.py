"""The pages of the evidence base, written from its records when the documentation is built.

A page for each kind of record: first what was read, with links to its sources; then, apart, what was recalled
and read nowhere. Nothing stands in a page that does not stand in a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence_cells import escape, file_of, link
from evidence_columns import PAGES, Column

from remyelin import evidence
from remyelin.evidence.claim import Claim
from remyelin.evidence.graph import graph
from remyelin.report import draw_evidence

NOT_VERIFIED = (
    "```{warning}\nThese were recalled and read in no source. They are hidden everywhere else unless "
    "`--unverified` asks for them, and no default rests on one.\n```"
)


def write_pages(folder: Path) -> None:
    """Write every page into a folder; a page that has not changed is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{file_of(kind)}.md": page for kind, page in _pages()}
    draw_evidence(path=folder / "graph.svg")
    for name, text in {"index.md": _index(list(pages)), **pages}.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _pages() -> Iterator[tuple[str, str]]:
    for kind, (title, words, columns) in PAGES.items():
        yield kind, _page(kind, title, words, columns)


def _index(names: list[str]) -> str:
    kinds = [(f"[{title}]({file_of(kind)}.md)", *_counts(kind)) for kind, (title, _, _) in PAGES.items()]
    steps = [
        (
            escape(each.step.name),
            f"{len(each.targets)}",
            f"{len(each.treatments)}" if each.treatments else "**none**",
            ", ".join(f"{n} {word}" for word, n in each.trials.items()) or "none",
            ", ".join(link("barriers", name) for name in each.open_barriers),
        )
        for shown in (graph(),)
        for each in map(shown.summary, shown.steps)
    ]
    toctree = "\n".join(name.removesuffix(".md") for name in names)
    heads = ("step", "targets", "treatments", "trials", "barriers without a target")
    return f"""# The evidence base

What is known of remyelinating treatments in multiple sclerosis: every number with its source and status.
*Seen* was read in the source, *derived* was computed from what was read, *unverified* was recalled and read
nowhere. These pages are written from the data when the documentation is built.
[How to add or correct a number](../howto/correct-a-number.md).

A research tool: not a medical device, and not for decisions about a patient's care.

{table(("kind", "records", "seen", "derived", "unverified"), kinds)}

## Who treats which step

A mark stands for each trial in people. `remyelin evidence graph evidence.svg` draws it.

![Treatments, targets, steps of remyelination and barriers](graph.svg)

{table(heads, steps)}

```{{toctree}}
:hidden:

{toctree}
```
"""


def _counts(kind: str) -> tuple[str, ...]:
    rows = evidence.records(kind)
    statuses = [getattr(row, "status", "") for row in rows]
    parts = [statuses.count(word) for word in ("seen", "derived", "unverified")]
    return (str(len(rows)), *(str(n) if any(parts) else "" for n in parts))


def _page(kind: str, title: str, words: str, columns: tuple[Column, ...]) -> str:
    shown, recalled = [], []
    fields: list[tuple[str, ...]] = []
    for record in evidence.records(kind):
        kept = record.verified()
        (recalled if kept is None else shown).append(kept or record)
        if kept is not None and kept != record:
            fields += _recalled(kind, record, kept)
    heads = tuple(name for name, _ in columns)
    parts = [f"# {title}", words, table(heads, [_row(kind, record, columns) for record in shown])]
    if fields:
        parts += [f"## {title}: recalled fields of these", NOT_VERIFIED]
        parts += [table(("record", "field", "recalled"), fields)]
    if recalled:
        parts += [f"## {title}: not verified", NOT_VERIFIED]
        parts += [table(heads, [_row(kind, record, columns) for record in recalled])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _recalled(kind: str, record: Claim, kept: Claim) -> Iterator[tuple[str, ...]]:
    for name in type(record).model_fields:
        whole, part = getattr(record, name), getattr(kept, name)
        if whole != part:
            items = [item for item in whole if item not in part] if isinstance(whole, tuple) else [whole]
            yield link(kind, record.id), name, "; ".join(escape(str(item)) for item in items)


def _row(kind: str, record: Any, columns: tuple[Column, ...]) -> tuple[str, ...]:
    first, *others = (cell(record) for _, cell in columns)
    return f'<a id="{kind}-{record.id}"></a>{first}', *others


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; its cells are Markdown already.

    >>> print(table(("a", "b"), [("1", "2")]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    if not rows:
        return "There is none."
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
