"""A number that somebody measured, and of whom or under which conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, PlainSerializer, model_validator

from remyelin.errors import did_you_mean
from remyelin.protocol.parts import fault

from .claim import Claim, Finite, Id, Reference, Unit, check_interval

# What says of whom, or under which conditions, a parameter was measured.
QUALIFIERS = (
    "animal", "arm", "basis", "bound", "channel", "check_arcmin", "contrast", "died", "eyes",
    "field_t", "layer", "method", "of", "people", "plaques", "quantity", "recovery_percent", "series",
    "setting", "sex", "stimulus", "study", "time", "tissue", "trial", "visit",
)  # fmt: skip

Qualifier = str | int | float
Qualifiers = Annotated[Mapping[str, Qualifier], AfterValidator(MappingProxyType), PlainSerializer(dict)]


class Parameter(Claim):
    """A number that somebody measured.

    Parameters
    ----------
    name
        What it is; `qualifiers` (people, field strength, arm ...) say of whom or under which conditions.
    endpoint
        The endpoint that it describes, where it is of one: a trial of that endpoint is planned with it.
    value, unit
        The number in its unit; ``"1"`` for a count or a ratio.
    low, high
        The interval that the source gives, of the kind that `note` names; None where it gives none.
    formula
        How a derived value was computed from numbers that were read; `remyelin evidence check` computes it.
    """

    name: Id
    endpoint: Id | Literal[""] = ""
    value: Finite
    unit: Unit
    low: Finite | None = None
    high: Finite | None = None
    formula: str = ""
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
        return {"id": parameter_id(row), **own, "qualifiers": others}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_interval("value", self.value, self.low, self.high)
        return self

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from super().references()
        if self.endpoint:
            yield "endpoint", "endpoints", self.endpoint

    @property
    def named(self) -> str:
        """The name with its qualifiers, as `parameter` takes them."""
        words = ", ".join(f"{key}={value!r}" for key, value in self.qualifiers.items())
        return f"{self.name}({words})"

    def __str__(self) -> str:
        interval = "" if self.low is None else f" ({self.low:g} to {self.high:g})"
        return f"{self.named}: {self.value:g} {self.unit}{interval}, {self.status}, {self.read_in}"


def parameter_id(row: Mapping[str, Any]) -> str:
    """The id of a row that names none: its name and its qualifiers.

    Examples
    --------
    >>> parameter_id({"name": "p100_change_sd", "value": 2.4, "of": "eye", "setting": "routine laboratory"})
    'p100_change_sd-eye-routine-laboratory'
    """
    words = "-".join(_slug(value) for key, value in row.items() if key not in Parameter.model_fields)
    return f"{row.get('name', '')}-{words}".rstrip("-")


def _slug(value: Qualifier) -> str:
    return "-".join(
        "".join(sign if sign.isalnum() or sign == "." else " " for sign in str(value)).lower().split()
    )
