"""What virtual patients are drawn from: every number with its source, or named as unverified."""

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
NOBODY = "none"  # no source was found
P100_SD = "p100_change_sd_ms"
# What a user may give, by name or else by unit: far wider than what was published, and refused beyond.
_BOUNDS = {
    "age_mean_years": (16, 70), "acute_age_mean_years": (16, 70), "age_low_years": (16, 80),
    "age_high_years": (16, 80), "age_sd_years": (2, 20), "duration_mean_years": (0.1, 40),
    "dropout": (0, 0.9), "healthy_p100_ms": (70, 150), "eye_change_ms_per_year": (-10, 10),
    "se_spread": (0, 2),
    "shift_error_ratio": (0, 5), "lesions_scale": (0, 10), "new_lesions_per_year": (0, 50),
    "white_matter_volume_mm3": (100_000, 1_000_000), "lcla_mean": (0, 70), "p100_change_days": (1, 3650),
}  # fmt: skip
_OF_UNIT = {
    "1": (0, 1),
    "year": (0, 40),
    "ms": (0, 60),
    "pu": (0, 60),
    "%": (-20, 20),
    "points": (0, 10),
    "letters": (0, 30),
}


@dataclass(frozen=True, slots=True)
class Premise:
    """One number that virtual patients are drawn from.

    Parameters
    ----------
    name, value, unit
        What it is.
    about
        What is drawn from it: ``"person"``, ``"eye"``, ``"acute"`` (eyes after acute optic neuritis),
        ``"lesion"``, ``"edss"`` or ``"lcla"``.
    source, status
        Id of the `remyelin.evidence.Source`; ``"seen"``, ``"derived"``, ``"unverified"`` (nobody has read it,
        so it is printed and varied), or ``"given"`` by the user.
    note
        Of whom, and how it was derived.
    low, high
        Between which values a forecast varies it; None where it does not.
    """

    name: str
    about: str
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
class Premises:
    """All that virtual patients of one kind are drawn from; `assumptions["dropout"]` is a number.

    Attributes
    ----------
    rows
        By name.
    laboratory
        That of the evoked potentials; empty where none was chosen.
    """

    rows: Mapping[str, Premise]
    laboratory: str = ""

    @classmethod
    def read(cls, laboratory: str | None = None, **given: float) -> Premises:
        """Those of the evidence base, for a laboratory.

        Parameters
        ----------
        laboratory
            ``"trial"``, ``"rebuild"`` or ``"routine"``, whose SD of an untreated change of the P100 differ by
            a factor of 4, for one eye. There is no default; without one only what needs none can be drawn.
        given
            Other values, by name.

        Raises
        ------
        InputError
            An unknown laboratory or name, a value that cannot be.

        Examples
        --------
        >>> premises = Premises.read("trial", dropout=0.1)
        >>> premises["dropout"], premises["p100_change_sd_ms"]
        (0.1, 2.4)
        >>> [row.name for row in premises.unverified][:3]
        ['visit_missed', 'adherence', 'effect_kept']
        """
        rows = dict(_rows())
        if laboratory is not None:
            rows |= _laboratory(laboratory)
        return cls(rows, laboratory or "").changed(**given)

    def changed(self, **given: float) -> Premises:
        """The same with other values, which are then ``"given"``.

        Examples
        --------
        >>> Premises.read().changed(adherence=0.8).rows["adherence"].status
        'given'
        """
        rows = dict(self.rows)
        for name, value in given.items():
            if name not in rows:
                if name == P100_SD:
                    self._needs_laboratory()
                hint = did_you_mean(name, sorted(rows), limit=len(rows))
                raise InputError("", name, "unknown", "a premise of virtual patients", hint)
            row = rows[name]
            least, most = _BOUNDS.get(name) or _OF_UNIT[row.unit]
            check_number(
                name, value, least=least, most=most, fix=f"correct it; by default it is {row.value:g}"
            )
            note = f"in place of {row.value:g}"
            rows[name] = Premise(name, row.about, float(value), row.unit, "", "given", note)
        _check_ages(rows)
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

    def about(self, *words: str) -> Premises:
        """Only those from which these things are drawn."""
        return replace(self, rows={name: row for name, row in self.rows.items() if row.about in words})

    @property
    def unverified(self) -> tuple[Premise, ...]:
        """Those that nobody has read in a source."""
        return tuple(row for row in self.rows.values() if row.status == "unverified")

    def to_frame(self) -> pd.DataFrame:
        """A row a premise: `name, value, low, high, unit, status, source, note`."""
        import pandas as pd

        names = ("name", "value", "low", "high", "unit", "status", "source", "note")
        rows = [{name: getattr(row, name) for name in names} for row in self.rows.values()]
        return pd.DataFrame(rows, columns=list(names))

    def __str__(self) -> str:
        named = "\n".join(f"  {row}" for row in self.unverified)
        return (
            f"assumed, for no source gives it:\n{named}" if named else "nothing is assumed without a source"
        )

    def _needs_laboratory(self) -> None:
        words = "; ".join(f"{name}: {_said(row)}" for name, row in _laboratories().items())
        raise InputError("", "laboratory", "not chosen", words, "choose one: no SD of the P100 is a default")


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['words']}, SD {row[P100_SD]:g} ms of one {row['of']}"


def _laboratory(name: str) -> dict[str, Premise]:
    if name not in _laboratories():
        raise InputError(
            "", "laboratory", f"'{name}'", f"one of {', '.join(_laboratories())}",
            did_you_mean(name, _laboratories()),
        )  # fmt: skip
    row = _laboratories()[name]
    said = (row["source"], row["status"], row["note"])
    return {
        P100_SD: Premise(P100_SD, "eye", float(row[P100_SD]), "ms", *said),
        "p100_change_days": Premise("p100_change_days", "eye", float(row["days"]), "day", *said),
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


def acute_recovery() -> tuple[list[float], list[float]]:
    """Days since acute optic neuritis, the first 0, and the latency (ms) that has come back by then.

    The third is that of half a year, to which the premise `acute_recovery_ms` scales all.

    Examples
    --------
    >>> acute_recovery()
    ([0.0, 91.0, 182.0, 365.0], [0.0, 4.7, 8.6, 11.3])
    """
    row = read_data("virtual.toml")["acute_recovery"]
    source(row["source"])
    return row["day"], row["regained_ms"]


@cache
def _rows() -> Mapping[str, Premise]:
    rows = {}
    for row in read_data("virtual.toml")["premise"]:
        numbers = {key: float(row[key]) for key in ("value", "low", "high") if key in row}
        made = Premise(**{**row, **numbers})
        if made.status not in STATUSES or (made.source == NOBODY and made.status != "unverified"):
            raise InputError(
                FILE, made.name, made.status, "a status that its source bears", "correct the row"
            )
        if made.source != NOBODY:
            source(made.source)
        rows[made.name] = made
    return rows


def _check_ages(rows: Mapping[str, Premise]) -> None:
    low, high = rows["age_low_years"].value, rows["age_high_years"].value
    if low >= high:
        expected = f"less than age_high_years, {high:g}"
        raise InputError("", "age_low_years", f"{low:g}", expected, "give a lower one, or a higher limit")
    for name in ("age_mean_years", "acute_age_mean_years"):
        # Farther in the tail of the normal distribution nobody would be drawn.
        reach = 3 * rows["age_sd_years"].value
        least, most = low - reach, high + reach
        check_number(name, rows[name].value, least=least, most=most, fix="give another mean, or other limits")
