"""The kinds of record that the evidence base holds, and the models of those that stand nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from .claim import Claim, Count, Finite, Ids, Part, Probability, Record, Reference, Source, Status
from .mechanism import Barrier, Step, Target, Treatment
from .outcome import Endpoint, Result, Trial
from .quantity import Parameter


class Statement(Part):
    """One size that a published calculation gives; a range of sizes is `n_per_arm` to `n_per_arm_high`.

    `effect_sd` is the effect in SD that we made of it.
    """

    effect: str = ""
    effect_percent: Finite | None = None
    effect_sd: Finite | None = None
    endpoint: str = ""
    n_total: Count | None = None
    n_per_arm: Count | None = None
    n_per_arm_high: Count | None = None
    n_evaluable: Count | None = None
    stage: Count | None = None
    months: Finite | None = None
    expected: Finite | None = None
    words: str = ""

    def __str__(self) -> str:
        numbers = self.model_dump(exclude_none=True, exclude_defaults=True)
        return " ".join(f"{key} {value}" for key, value in numbers.items())


class SampleSize(Claim):
    """A published sample-size statement; `check` is what we make of it."""

    endpoint: str
    statements: tuple[Statement, ...] = ()
    power: Probability | None = None
    alpha: Probability | None = None
    design: str = ""
    data: str = ""
    model: str = ""
    check: str = ""
    doi: str = ""


class Sibling(Part):
    """One of the values of a conflict: the number that `source` gives for a field of `record` (kind/id)."""

    record: str
    field: str = ""
    value: str | Finite
    status: Status
    source: Ids = ()
    words: str = ""

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.value:.12g}"
        place = " ".join(word for word in (self.record, self.field) if word)
        said = f"{value} ({', '.join(self.source) or self.status}) {place}".rstrip()
        return f"{said}: {self.words}" if self.words else said


class Conflict(Claim):
    """Values or meanings that do not agree, side by side; nothing is overwritten.

    `kind` is ``"arithmetic"`` (a computation shows it), ``"values"``, ``"estimands"`` (both are right) or
    ``"meaning"``; `resolution` says which the package uses, and why.
    """

    words: str
    kind: Literal["arithmetic", "values", "estimands", "meaning"]
    siblings: tuple[Sibling, ...]
    resolution: str = ""

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        for sibling in self.siblings:
            yield from (("siblings", "sources", name) for name in sibling.source)
            if sibling.record:
                yield "siblings", "any", sibling.record


class Standard(Claim):
    """A standard or a register: what it carries, how one gets it, and what of it this package may hold."""

    name: str
    carries: str
    access: str = ""
    ship: str = ""


class Question(Record):
    """What a kind of user asks of the evidence base."""

    asker: str
    words: str


class Gap(Record):
    """What was looked for and not found; `where` is the place at which a person should look."""

    words: str
    where: str = ""


KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "steps": Step,
        "barriers": Barrier,
        "targets": Target,
        "treatments": Treatment,
        "trials": Trial,
        "endpoints": Endpoint,
        "results": Result,
        "parameters": Parameter,
        "sample_sizes": SampleSize,
        "conflicts": Conflict,
        "standards": Standard,
        "questions": Question,
        "gaps": Gap,
        "sources": Source,
    }
)
"""Each kind of record with its model; a kind is also the name of its data file."""
