"""The kinds of record that the evidence base holds: one model for each, strict and frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from remyelin.errors import did_you_mean
from remyelin.protocol.parts import fault

from .claim import (
    Claim,
    Count,
    Finite,
    Id,
    Ids,
    Part,
    Probability,
    Record,
    Reference,
    Source,
    Status,
    Unit,
    check_interval,
)

# What says of whom, or under which conditions, a parameter was measured.
QUALIFIERS = (
    "animal", "arm", "basis", "bound", "channel", "check_arcmin", "contrast", "died", "endpoint", "eyes",
    "field_t", "layer", "method", "of", "people", "plaques", "quantity", "recovery_percent", "series",
    "setting", "sex", "stimulus", "study", "time", "tissue", "trial", "visit",
)  # fmt: skip

Qualifier = str | int | float
Counts = Annotated[Mapping[str, Count], AfterValidator(MappingProxyType), PlainSerializer(dict)]
Qualifiers = Annotated[Mapping[str, Qualifier], AfterValidator(MappingProxyType), PlainSerializer(dict)]


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
    """What a treatment takes hold of; `action` is what must be done to it for remyelination."""

    name: str
    acts_on: Ids
    action: str
    contested: bool = False

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield from (("acts_on", "steps", name) for name in self.acts_on)


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


class Trial(Claim):
    """A trial: what its header says.

    Its sources are those of the whole trial: which of them gave which field was not noted, so a field that
    matters deserves a second reading. `n` is the number of people, of the kind `n_kind`; `arms` are those of
    the table of the trial that gives numbers, by name.
    """

    name: str
    registry: tuple[str, ...] = ()
    treatments: Ids = ()
    intervention: str = ""
    targets: Ids = ()
    phase: str = ""
    design: str = ""
    ratio: str = ""
    blinding: str = ""
    sites: Count | None = None
    n: Count | None = None
    n_kind: Literal["", "randomised", "planned", "treated", "enrolled", "followed up"] = ""
    arms: Counts = Field(default_factory=lambda: MappingProxyType({}))
    duration: str = ""
    population: str = ""
    primary_endpoint: str = ""
    outcome: str = ""
    protocol: str = ""
    doi: str = ""

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield from (("treatments", "treatments", name) for name in self.treatments)
        yield from (("targets", "targets", name) for name in self.targets)


class Endpoint(Record):
    """What is compared, its unit, the better way; `measure` is its name in `remyelin.tables.MEASURES`."""

    name: str
    unit: Unit
    better: Literal["lower", "higher", "not said"]
    measure: str = ""


class ArmResult(Part):
    """What one arm gave.

    `adjusted` says that the number is a model's; `value` is one of a kind that was not said; `derived` names
    the fields that we computed.
    """

    arm: str
    n: Count | None = None
    eyes: Count | None = None
    mean: Finite | None = None
    adjusted: bool = False
    sd: Finite | None = None
    se: Finite | None = None
    median: Finite | None = None
    events: Count | None = None
    percent: Finite | None = None
    value: Finite | None = None
    derived: tuple[str, ...] = ()

    def __str__(self) -> str:
        numbers = self.model_dump(exclude={"arm", "adjusted", "derived"}, exclude_none=True)
        return f"{self.arm} (" + ", ".join(f"{key} {value:g}" for key, value in numbers.items()) + ")"


class Result(Claim):
    """One result of a trial: an endpoint, a contrast, a time, an analysis set, an estimand.

    `estimate` is active less control in the unit of the endpoint, so that a faster latency is negative;
    `published` holds the wording. What was not seen is ``"not seen"`` or None.
    """

    trial: Id
    endpoint: Id
    contrast: Literal["active - control", "after - before", "interaction", "dose trend", "none"]
    compared: str = ""
    subgroup: str = ""
    timepoint: str = "not seen"
    analysis_set: Literal["ITT", "mITT", "PP", "completers", "follow-up", "not seen"] = "not seen"
    estimand: Literal[
        "parallel groups", "crossover", "delayed treatment", "within arm", "change of slope", "not seen"
    ] = "not seen"
    prespecified: Literal["prespecified", "post hoc", "not seen"] = "not seen"
    primary: bool = False
    scale: Literal["", "difference", "odds ratio", "rate ratio", "standardised"] = ""
    unit: Unit
    per: Literal["participant", "eye", "lesion", "not seen"] = "not seen"
    estimate: Finite | None = None
    low: Finite | None = None
    high: Finite | None = None
    level: Probability | None = None
    se: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    p: Probability | None = None
    p_relation: Literal["=", "<", ">"] = "="
    p_low: Probability | None = None
    p_high: Probability | None = None
    n: Count | None = None
    arms: tuple[ArmResult, ...] = ()
    words: str = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_interval(self.estimate, self.low, self.high)
        if (self.low is None) != (self.level is None):
            raise fault("an interval without its level, or a level alone", "both", "add level = 0.95, say")
        if self.estimate is not None and not self.scale:
            raise fault("an estimate without a scale", "difference, odds ratio ...", "add scale")
        if (self.p_low is None) != (self.p_high is None) or (self.p is not None and self.p_low is not None):
            raise fault("half a range of p, or p beside one", "p, or p_low and p_high", "correct it")
        return self

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield "trial", "trials", self.trial
        yield "endpoint", "endpoints", self.endpoint


class Parameter(Claim):
    """A number that somebody measured.

    Parameters
    ----------
    name
        What it is; `qualifiers` (people, field strength, arm ...) say of whom or under which conditions.
    value, unit
        The number in its unit; ``"1"`` for a count or a ratio.
    low, high
        The interval that the source gives, of the kind that `note` names; None where it gives none.
    """

    name: Id
    value: Finite
    unit: Unit
    low: Finite | None = None
    high: Finite | None = None
    qualifiers: Qualifiers

    @model_validator(mode="before")
    @classmethod
    def _sort_keys(cls, row: Any) -> Any:
        if not isinstance(row, Mapping) or "qualifiers" in row:
            return row
        own = {key: value for key, value in row.items() if key in cls.model_fields}
        others = {key: value for key, value in row.items() if key not in own}
        for key in others:
            if key not in QUALIFIERS:
                known = [
                    name for name in (*cls.model_fields, *QUALIFIERS) if name not in ("id", "qualifiers")
                ]
                raise fault(f"unknown key '{key}'", "a field or a qualifier", did_you_mean(key, known))
        words = "-".join(_slug(value) for value in others.values())
        return {"id": f"{row.get('name', '')}-{words}".rstrip("-"), **own, "qualifiers": others}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_interval(self.value, self.low, self.high)
        return self

    @property
    def named(self) -> str:
        """The name with its qualifiers, as `parameter` takes them."""
        words = ", ".join(f"{key}={value!r}" for key, value in self.qualifiers.items())
        return f"{self.name}({words})"

    def __str__(self) -> str:
        interval = "" if self.low is None else f" ({self.low:g} to {self.high:g})"
        return f"{self.named}: {self.value:g} {self.unit}{interval}, {self.status}, {self.read_in}"


def _slug(value: Qualifier) -> str:
    return "-".join(
        "".join(sign if sign.isalnum() or sign == "." else " " for sign in str(value)).lower().split()
    )


class Statement(Part):
    """One size that a published calculation gives; a range of sizes is `n_per_arm` to `n_per_arm_high`."""

    effect: str = ""
    effect_percent: Finite | None = None
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
        return f"{self.value} ({', '.join(self.source) or self.status})"


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
