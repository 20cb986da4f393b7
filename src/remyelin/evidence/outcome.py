"""What trials are and what they gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from remyelin.protocol.parts import fault

from .claim import Claim, Count, Finite, Id, Ids, Part, Probability, Record, Reference, Unit, check_interval

RATIOS = ("odds ratio", "rate ratio", "risk ratio")


def _p(value: float) -> float:
    if value == 0:
        raise fault("0", "a number above 0", 'p is never 0: write p = 0.001 and p_relation = "<", say')
    return value


P = Annotated[Probability, AfterValidator(_p)]
Counts = Annotated[Mapping[str, Count], AfterValidator(MappingProxyType), PlainSerializer(dict)]


class Trial(Claim):
    """A trial: what its header says.

    Its sources are those of the whole trial: which of them gave which field was not noted, so a field that
    matters deserves a second reading. What its treatments act on stands with them. `n` is the number of
    people, of the kind `n_kind`; `arms` are those of the table of the trial that gives numbers, by name.
    """

    name: str
    registry: tuple[str, ...] = ()
    treatments: Ids = ()
    intervention: str = ""
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
    `published` holds the wording. What was not seen is ``"not seen"`` or None. The standard error of a ratio
    is that of its logarithm. `contrast` says what was taken from what: an estimate has one.
    """

    trial: Id
    endpoint: Id
    contrast: Literal["active - control", "after - before", "interaction", "dose trend", "none"] = "none"
    compared: str = ""
    subgroup: str = ""
    timepoint: str = "not seen"
    analysis_set: Literal["ITT", "mITT", "PP", "completers", "follow-up", "not seen"] = "not seen"
    estimand: Literal[
        "parallel groups", "crossover", "delayed treatment", "within arm", "change of slope", "not seen"
    ] = "not seen"
    prespecified: Literal["prespecified", "post hoc", "not seen"] = "not seen"
    primary: bool = False
    scale: Literal["", "difference", "odds ratio", "rate ratio", "risk ratio", "standardised"] = ""
    unit: Unit
    per: Literal["participant", "eye", "lesion", "not seen"] = "not seen"
    estimate: Finite | None = None
    low: Finite | None = None
    high: Finite | None = None
    level: Probability | None = None
    se: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    p: P | None = None
    p_relation: Literal["=", "<", ">"] = "="
    p_low: P | None = None
    p_high: P | None = None
    n: Count | None = None
    arms: tuple[ArmResult, ...] = ()
    words: str = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.estimate is not None and not self.scale:
            raise fault("missing, with an estimate", "difference, odds ratio ...", "add scale", "scale")
        if self.estimate is not None and self.contrast == "none":
            words = 'add contrast = "active - control", say'
            raise fault("'none', with an estimate", "what was taken from what", words, "contrast")
        self._check_ratio()
        check_interval("estimate", self.estimate, self.low, self.high)
        if (self.low is None) != (self.level is None):
            found = "missing, with an interval" if self.level is None else "there without an interval"
            raise fault(found, "an interval with its level", "add level = 0.95, say", "level")
        if (self.p_low is None) != (self.p_high is None) or (self.p is not None and self.p_low is not None):
            raise fault("half a range of p, or p beside one", "p, or p_low and p_high", "correct it", "p")
        return self

    def _check_ratio(self) -> None:
        for name in ("estimate", "low", "high") if self.scale in RATIOS else ():
            number = getattr(self, name)
            if number is not None and number <= 0:
                found = f"{number:g}, as {'an' if self.scale[0] == 'o' else 'a'} {self.scale}"
                fix = "give the ratio itself, not its logarithm or a difference, or correct scale"
                raise fault(found, "a number above 0", fix, name)

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        yield "trial", "trials", self.trial
        yield "endpoint", "endpoints", self.endpoint
