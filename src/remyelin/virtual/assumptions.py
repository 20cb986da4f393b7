"""What virtual patients are drawn from: every number with its source, and which of them nobody has read anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import STATUSES, read_data, source
from remyelin.number import check_number

if TYPE_CHECKING:
    import pandas as pd

FILE = "evidence/virtual.toml"
P100_SD = "p100_change_sd_ms"
_PARTS = ("_part", "dropout", "visit_missed", "adherence", "effect_kept", "eyes_alike")


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number that virtual patients are drawn from.

    Parameters
    ----------
    name, value, unit
        What it is.
    source, status
        Id of the `remyelin.evidence.Source`; ``"seen"``, ``"derived"``, ``"unverified"`` (nobody has read it, so it is
        printed and varied), or ``"given"`` by the user.
    note
        Of whom, and how it was derived.
    low, high
        Between which values a forecast varies it; None where it does not.
    """

    name: str
    value: float
    unit: str
    source: str
    status: str
    note: str = ""
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        between = "" if self.low is None else f" ({self.low:g} to {self.high:g})"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.name} = {self.value:g}{unit}{between}, {self.status}: {self.note}"


@dataclass(frozen=True)
class Assumptions:
    """All that virtual patients of one kind are drawn from; `assumptions["dropout"]` is a number.

    Attributes
    ----------
    rows
        By name.
    laboratory
        That of the evoked potentials; empty where none was chosen.
    """

    rows: Mapping[str, Assumption]
    laboratory: str = ""

    @classmethod
    def read(cls, laboratory: str | None = None, **given: float) -> Assumptions:
        """Those of the evidence base, for a laboratory.

        Parameters
        ----------
        laboratory
            ``"trial"``, ``"rebuild"`` or ``"routine"``, whose SD of an untreated change of the P100 differ by a factor
            of 5. There is no default; without one only what needs none can be drawn.
        given
            Other values, by name.

        Raises
        ------
        InputError
            An unknown laboratory or name, a value that cannot be.

        Examples
        --------
        >>> assumed = Assumptions.read("trial", dropout=0.1)
        >>> assumed["dropout"], assumed["p100_change_sd_ms"]
        (0.1, 2.4)
        >>> [row.name for row in assumed.unverified][:3]
        ['visit_missed', 'adherence', 'effect_kept']
        """
        rows = dict(_rows())
        if laboratory is not None:
            rows |= _laboratory(laboratory)
        return cls(rows, laboratory or "").changed(**given)

    def changed(self, **given: float) -> Assumptions:
        """The same with other values, which are then ``"given"``.

        Examples
        --------
        >>> Assumptions.read().changed(adherence=0.8).rows["adherence"].status
        'given'
        """
        rows = dict(self.rows)
        for name, value in given.items():
            if name not in rows:
                if name == P100_SD:
                    self._needs_laboratory()
                raise InputError("", name, "unknown", "an assumption of virtual patients", did_you_mean(name, rows))
            _check(name, value)
            rows[name] = replace(rows[name], value=float(value), status="given", source="")
        return replace(self, rows=rows)

    def __getitem__(self, name: str) -> float:
        if name not in self.rows and name in _of_laboratory():
            self._needs_laboratory()
        return self.rows[name].value

    @property
    def change_of(self) -> str:
        """Whose change the SD of the laboratory is that of: ``"participant"`` or ``"eye"``."""
        if not self.laboratory:
            self._needs_laboratory()
        return str(_laboratories()[self.laboratory]["of"])

    @property
    def unverified(self) -> tuple[Assumption, ...]:
        """Those that nobody has read in a source."""
        return tuple(row for row in self.rows.values() if row.status == "unverified")

    def to_frame(self) -> pd.DataFrame:
        """A row an assumption: `name, value, low, high, unit, status, source, note`."""
        import pandas as pd

        names = ("name", "value", "low", "high", "unit", "status", "source", "note")
        rows = [{name: getattr(row, name) for name in names} for row in self.rows.values()]
        return pd.DataFrame(rows, columns=list(names))

    def __str__(self) -> str:
        named = "\n".join(f"  {row}" for row in self.unverified)
        return f"assumed, for no source gives it:\n{named}" if named else "nothing is assumed without a source"

    def _needs_laboratory(self) -> None:
        words = "; ".join(f"{name}: {_said(row)}" for name, row in _laboratories().items())
        raise InputError("", "laboratory", "not chosen", words, "choose one: no SD of the P100 is a default")


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['words']}, SD {row[P100_SD]:g} ms of one {row['of']}"


def _laboratory(name: str) -> dict[str, Assumption]:
    if name not in _laboratories():
        raise InputError(
            "", "laboratory", f"'{name}'", f"one of {', '.join(_laboratories())}",
            did_you_mean(name, _laboratories()),
        )  # fmt: skip
    row = _laboratories()[name]
    said = (row["source"], row["status"], row["note"])
    return {
        P100_SD: Assumption(P100_SD, float(row[P100_SD]), "ms", *said),
        "p100_change_days": Assumption("p100_change_days", float(row["days"]), "day", *said),
    }


def _of_laboratory() -> tuple[str, ...]:
    return (P100_SD, "p100_change_days")


def _laboratories() -> Mapping[str, Mapping[str, Any]]:
    named: Mapping[str, Mapping[str, Any]] = read_data("virtual.toml")["laboratory"]
    return named


def trial_facts(trial: str) -> Mapping[str, float]:
    """Limits of age and the part that left, of a packaged trial; empty for another.

    Examples
    --------
    >>> trial_facts("ccmr-two")["age_low_years"]
    25.0
    """
    row = read_data("virtual.toml")["trial"].get(trial, {})
    return {key: float(value) for key, value in row.items() if not isinstance(value, str)}


@cache
def _rows() -> Mapping[str, Assumption]:
    rows = {}
    for row in read_data("virtual.toml")["assumption"]:
        made = Assumption(**{key: float(value) if key in ("value", "low", "high") else value for key, value in row.items()})
        if made.status not in STATUSES or (made.source == "none") != (made.status == "unverified" and made.source == "none"):
            raise InputError(FILE, made.name, made.status, "a status that its source bears", "correct the row")
        if made.source != "none":
            source(made.source)
        rows[made.name] = made
    return rows


def _check(name: str, value: object) -> None:
    if name.endswith(_PARTS):
        check_number(name, value, least=0, most=1)
    elif name in ("eye_change_ms_per_year", "lesion_change_percent_per_year"):
        check_number(name, value)
    else:
        check_number(name, value, least=0)
