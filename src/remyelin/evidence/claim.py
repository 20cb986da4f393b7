"""What every record of the evidence base shares: an id, a status, sources; strict and frozen.

A claim is a record that says something of the world, so it has a status and the sources it was read in.
Fields that were recalled and not read are named in its `unverified`, and are shown only to who asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic import StringConstraints as Words

from remyelin.errors import did_you_mean
from remyelin.protocol.parts import Part as Part
from remyelin.protocol.parts import fault

STATUSES = ("seen", "derived", "unverified")
UNITS = (
    "1", "%", "SD", "us", "ms", "s", "day", "week", "month", "year", "1/s", "1/day", "1/year", "Hz", "T",
    "uT", "um", "mm", "mm3", "1/mm3", "m/s", "mm/ms", "ms/month", "nV", "uV", "dB", "pu", "% per 2 months",
    "letters", "logMAR", "z", "points", "arcmin", "degree", "degC",
)  # fmt: skip
Status = Literal["seen", "derived", "unverified"]
Id = Annotated[str, Words(pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]*$", max_length=100)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Reference = tuple[str, str, str]
"""A field, the kind of record it names, and the id."""


def _tuple(value: object) -> object:
    """A list as a tuple, and one text as a tuple of it, as a data file writes one source."""
    return (value,) if isinstance(value, str) else value


def _unit(unit: str) -> str:
    if unit not in UNITS:
        raise fault(f"'{unit}', an unknown unit", f"one of {', '.join(UNITS)}", did_you_mean(unit, UNITS))
    return unit


Ids = Annotated[tuple[Id, ...], BeforeValidator(_tuple)]
Unit = Annotated[str, AfterValidator(_unit)]


class Record(Part):
    """What has an id of its own."""

    id: Id

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from ()

    def verified(self) -> Self | None:
        """The record without what was recalled and not read; None where that is all of it."""
        return self


class Claim(Record):
    """A record that says something of the world.

    Parameters
    ----------
    status
        ``"seen"`` (read in the source), ``"derived"`` (computed from what was read, as `note` says) or
        ``"unverified"`` (recalled, or read nowhere, and so never a default).
    source
        Ids of the sources; none only for what is unverified.
    note
        What else must be said.
    published
        The wording or the number as it was printed, where ours differs.
    unverified
        Names of the fields that were recalled and not read, where the others were.
    """

    status: Status
    source: Ids = ()
    note: str = ""
    published: str = ""
    unverified: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if not self.source and self.status != "unverified":
            raise fault("without a source", "the id of a source", "name it, or set status to unverified")
        for name in self.unverified:
            if name not in type(self).model_fields or type(self).model_fields[name].is_required():
                fields = [key for key, field in type(self).model_fields.items() if not field.is_required()]
                raise fault(
                    f"'{name}' among unverified", "a field that may be missing", did_you_mean(name, fields)
                )
        return self

    @property
    def read_in(self) -> str:
        """The sources as words."""
        return ", ".join(self.source)

    def references(self) -> Iterator[Reference]:
        """The other records that this one names."""
        yield from (("source", "sources", name) for name in self.source)

    def verified(self) -> Self | None:
        """The record without what was recalled and not read; None where that is all of it."""
        if self.status == "unverified":
            return None
        fields = type(self).model_fields
        changed: dict[str, Any] = {
            name: fields[name].get_default(call_default_factory=True) for name in self.unverified
        }
        for name in fields:
            items = getattr(self, name)
            if isinstance(items, tuple) and any(_is_recalled(item) for item in items):
                changed[name] = tuple(item for item in items if not _is_recalled(item))
        return self.model_copy(update=changed) if changed else self


def _is_recalled(item: object) -> bool:
    return getattr(item, "status", "") == "unverified"


class Source(Record):
    """Where a number was read: the work, its DOI or address, and how much of it was read.

    `also` are further addresses at which the same work was read.
    """

    work: Annotated[str, Words(min_length=1)]
    read: Annotated[str, Words(min_length=1)]
    doi: str = ""
    url: str = ""
    also: tuple[str, ...] = ()


def check_interval(field: str, value: float | None, low: float | None, high: float | None) -> None:
    """Half an interval, or a value (that of `field`) outside its own, is a slip of who wrote the row."""
    if low is None and high is None:
        return
    if low is None or high is None:
        lacking = "low" if low is None else "high"
        raise fault("missing: half an interval", "low and high, or neither", "add the other end", lacking)
    if low > high:
        fix = f"exchange the two: low = {high:g}, high = {low:g}"
        raise fault(f"{low:g}, above high = {high:g}", "the lower end of the interval", fix, "low")
    if value is not None and not low <= value <= high:
        found = f"{value:g}, outside its interval {low:g} to {high:g}"
        raise fault(found, f"low <= {field} <= high", "correct the one or the other", field)
