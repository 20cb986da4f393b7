"""A record of a draft: what is filled, and what is left to a reviewer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Decision(NamedTuple):
    """What a reviewer decides: which field of which record, and between what."""

    record: str
    field: str
    words: str


@dataclass(slots=True)
class DraftRow:
    """A record of a draft, with the lines that stand above and below it as comments."""

    kind: str
    id: str
    values: dict[str, Any]
    decisions: list[Decision] = field(default_factory=list)
    options: list[str] = field(default_factory=list)

    def ask(self, name: str, words: str, of: str = "") -> None:
        """Leave a field to the reviewer: of this record, or of one of the package (`of`, as kind/id)."""
        self.decisions.append(Decision(of or f"{self.kind}/{self.id}", name, words))
