"""How treatments are thought to act: the steps of remyelination, what hinders them, what is taken hold of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .claim import Claim, Count, Id, Ids, Part, Reference, Status


class Step(Claim):
    """A step of remyelination; `order` is its place."""

    order: Count
    name: str
    definition: str = ""


class Barrier(Claim):
    """What keeps remyelination back at some steps; `sign` is "-", "+" if it helps, "?" if that is unclear."""

    name: str
    acts_on: Ids
    effect: str
    sign: Literal["-", "+", "?"]
    contested: bool = False

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield from (("acts_on", "steps", name) for name in self.acts_on)


class Target(Claim):
    """What a treatment takes hold of; `action` is what must be done to it for remyelination.

    `lifts` are the barriers that are the same thing: who acts on the target lifts them.
    """

    name: str
    acts_on: Ids
    action: str
    lifts: Ids = ()
    contested: bool = False

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield from (("acts_on", "steps", name) for name in self.acts_on)
        yield from (("lifts", "barriers", name) for name in self.lifts)


class Edge(Part):
    """That a treatment acts on a target (or on a barrier), a claim of its own."""

    target: Id
    status: Status
    source: Ids = ()
    contested: bool = False
    note: str = ""

    def __str__(self) -> str:
        return self.target + (" (contested)" if self.contested else "")


class Treatment(Claim):
    """A treatment and what it acts on; `biology` is its name in the catalogue of `remyelin.biology`."""

    name: str
    targets: tuple[Edge, ...] = ()
    biology: str = ""

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        for edge in self.targets:
            yield "targets", "targets or barriers", edge.target
            yield from (("targets", "sources", name) for name in edge.source)
