"""How much the outcome of one participant varies, and of what it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from remyelin.errors import InputError
from remyelin.evidence.load import Parameter, parameter
from remyelin.trial.power.counts import site_counts

Summary = Literal["mean", "mixed", "pooled"]
SUMMARIES: Mapping[str, str] = {
    "mean": "a participant's mean over sites, participants alike",
    "mixed": "a mixed model, which weighs each participant by what is known of it",
    "pooled": "all sites alike, with participants as clusters",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """The SD of an outcome with its unit: participant, eye or lesion. Made by one of the `of_...` functions.

    Parameters
    ----------
    between
        SD between participants of what is compared, in the unit of the measure. What is compared is a
        change in a parallel trial and the difference between treatments in a crossover.
    site
        SD between the sites (lesions, eyes) of a participant; 0 where participants were measured as a whole.
    counts
        Sites of each participant of a reference group; a participant of the trial has as many as one of
        these.
    measurement
        The part of the SD of one site (or of the participant) that is error of measurement.
    unit
        Whose SD was given: ``"participant"``, ``"eye"`` or ``"lesion"``.
    source
        Where it was found.

    Examples
    --------
    >>> Spread.of_sites(between=0.35, site=1.3, sites=30, unit="lesion").sd()
    0.4228...
    """

    between: float
    site: float
    counts: tuple[int, ...]
    unit: str
    source: str = ""
    measurement: float = 0.0

    def __post_init__(self) -> None:
        for name in ("between", "site", "measurement"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise InputError("", f"{name} SD", f"{value:g}", "0 or more", "give a positive SD")
        if self.between == 0 and self.site == 0:
            raise InputError("", "SD", "0", "more than 0", "give a positive SD and its source")
        largest = self.site if self.site else self.between
        if self.measurement > largest * (1 + 1e-9):
            raise InputError(
                "", "measurement SD", f"{self.measurement:g}", f"at most the SD that holds it, {largest:g}",
                "give both in the unit of the measure, for the same site",
            )  # fmt: skip
        if not self.counts or min(self.counts) < 1:
            raise InputError(
                "", "sites", "less than 1", "1 or more a participant", "give the number measured"
            )

    @classmethod
    def of_participant(cls, sd: float, *, source: str = "", measurement: float = 0.0) -> Spread:
        """SD of the change of a participant, however many sites it was the mean of.

        In a crossover, SD of a participant's difference between treatments.
        """
        return cls(_positive("sd", sd), 0.0, (1,), "participant", source, measurement)

    @classmethod
    def of_sites(
        cls,
        between: float,
        site: float,
        sites: float | Sequence[int],
        *,
        unit: str = "lesion",
        cv: float = 0.0,
        source: str = "",
        measurement: float = 0.0,
    ) -> Spread:
        """SD of what the sites of a participant share, and SD of a site within its participant.

        Parameters
        ----------
        between, site
            SD, in the unit of the measure.
        sites
            Number a participant, or the numbers of a group of participants.
        unit
            ``"lesion"`` or ``"eye"``.
        cv
            SD / mean of the number of sites; they are then taken as log-normal, at least 1.
        """
        return cls(between, site, site_counts(sites, cv), unit, source, measurement)

    @classmethod
    def of_icc(
        cls,
        sd: float,
        icc: float,
        sites: float | Sequence[int],
        *,
        unit: str = "lesion",
        cv: float = 0.0,
        source: str = "",
        measurement: float = 0.0,
    ) -> Spread:
        """SD of one site over all participants, and the part of its variance that lies between participants.

        Examples
        --------
        >>> Spread.of_icc(12.4, icc=0.5, sites=2, unit="eye").sd() / 12.4  # two eyes: sqrt((1 + icc) / 2)
        0.866...
        """
        if not 0 <= icc <= 1:
            raise InputError("", "icc", f"{icc:g}", "0 to 1", "give the intraclass correlation of the sites")
        total = _positive("sd", sd) ** 2
        between, site = math.sqrt(icc * total), math.sqrt((1 - icc) * total)
        return cls(between, site, site_counts(sites, cv), unit, source, measurement)

    @classmethod
    def of_periods(
        cls, participant: float, eye: float, eyes: int = 2, *, source: str = "", measurement: float = 0.0
    ) -> Spread:
        """A crossover: SD of a participant and of an eye from one period to the next, each in one period.

        The difference between two periods has twice these variances. What stays the same in both periods (the
        level of a participant, of an eye) cancels.
        """
        root2 = math.sqrt(2)
        return cls(root2 * participant, root2 * eye, site_counts(eyes), "eye", source, root2 * measurement)

    @classmethod
    def from_evidence(
        cls,
        name: str,
        *,
        sites: int | None = None,
        icc: float | None = None,
        allow_unverified: bool = False,
        **qualifiers: str | float,
    ) -> Spread:
        """The SD of a row of the evidence base, with its unit and source.

        Parameters
        ----------
        name, qualifiers
            As for `remyelin.evidence.parameter`.
        sites, icc
            Needed where the row is of one eye or lesion: how many of them a participant has, and how alike.
        allow_unverified
            Take also a number that was recalled and not read.

        Examples
        --------
        >>> Spread.from_evidence("p100_change_sd", of="participant").source
        'p100_change_sd(of=participant, setting=trial), derived, cc2a'
        """
        row = parameter(name, allow_unverified=allow_unverified, **qualifiers)
        return cls.of_row(row, sites=sites, icc=icc)

    @classmethod
    def of_row(cls, row: Parameter, *, sites: int | None = None, icc: float | None = None) -> Spread:
        """As `from_evidence`, from the row itself."""
        of = str(row.qualifiers.get("of", "participant"))
        if of == "participant":
            return cls.of_participant(row.value, source=row_words(row))
        if sites is None or (sites > 1 and icc is None):
            raise InputError(
                "", "sites" if sites is None else "icc", f"not given for the SD of one {of} ({row.name})",
                f"how many {of}s a participant has and how alike they are",
                f"give sites=1 for one {of} each, or sites=2 with icc",
            )  # fmt: skip
        return cls.of_icc(row.value, 1.0 if icc is None else icc, sites, unit=of, source=row_words(row))

    @property
    def icc(self) -> float:
        """Intraclass correlation of the sites of a participant."""
        return self.between**2 / (self.between**2 + self.site**2)

    @property
    def mean_sites(self) -> float:
        """Mean number of sites."""
        return float(np.mean(self.counts))

    @property
    def cv_sites(self) -> float:
        """SD / mean of the number of sites."""
        return float(np.std(self.counts) / np.mean(self.counts))

    def variance(self, summary: Summary = "mean") -> float:
        """Variance that one participant brings to the mean of an arm: over n, that of the mean.

        With su the SD between participants, se of a site and m sites (different from participant to
        participant): ``"mean"`` su^2 + se^2 E(1/m), the harmonic mean of m; ``"mixed"`` 1 / E(1 / (su^2 +
        se^2 / m)); ``"pooled"`` (su^2 + se^2) (1 + ((1 + cv^2) E(m) - 1) icc) / E(m), Eldridge 2006
        (10.1093/ije/dyl129). The first is exact for the mean of participants' means, the second for known
        variances, the third for many participants.
        """
        m = np.asarray(self.counts, dtype=np.float64)
        own = self.between**2 + self.site**2 / m
        if summary == "mean":
            return float(own.mean())
        if summary == "mixed":
            return float(1 / np.mean(1 / own))
        if summary == "pooled":
            return float(np.mean(m**2 * own) / m.mean() ** 2)
        raise InputError("", "summary", repr(summary), f"one of {', '.join(SUMMARIES)}", "name one of these")

    def sd(self, summary: Summary = "mean") -> float:
        """Square root of `variance`."""
        return math.sqrt(self.variance(summary))

    @property
    def naive_variance(self) -> float | None:
        """What `variance` would be with all sites independent; None where there is one site each."""
        if self.site == 0 or max(self.counts) == 1:
            return None
        return (self.between**2 + self.site**2) / self.mean_sites

    def design_effect(self, summary: Summary = "mean") -> float:
        """Variance over that of as many independent sites."""
        return self.variance(summary) * self.mean_sites / (self.between**2 + self.site**2)

    def with_sites(self, sites: float) -> Spread:
        """The same participants with another number of sites each."""
        return replace(self, counts=site_counts(sites))

    def with_measurement(self, factor: float) -> Spread:
        """The same participants, measured with an error that is `factor` times as large."""
        name = "site" if self.site else "between"
        kept = getattr(self, name) ** 2 - self.measurement**2 * (1 - factor**2)
        changed: dict[str, float] = {
            name: math.sqrt(max(kept, 0.0)),
            "measurement": factor * self.measurement,
        }
        return replace(self, **changed)  # type: ignore[arg-type]

    def weighted(self, relative: Sequence[float]) -> Spread:
        """The same participants, each site weighed by what is known of it: its own error of measurement.

        Parameters
        ----------
        relative
            Error variances of sites, in any scale; their mean stands for the square of `measurement`.
        """
        error = np.asarray(relative, dtype=np.float64)
        own = self.site**2 - self.measurement**2 * (1 - error / error.mean())
        return replace(self, site=math.sqrt(1 / np.mean(1 / own)), measurement=0.0)

    def words(self, unit: str = "") -> str:
        """In a sentence."""
        space = f" {unit}" if unit else ""
        if self.site == 0:
            return f"SD {self.between:.4g}{space} of a participant"
        varied = f" (SD / mean {self.cv_sites:.2g})" if self.cv_sites > 0 else ""
        return (
            f"SD {self.between:.4g}{space} between participants and {self.site:.4g}{space} between the "
            f"{self.unit}s of one, {self.mean_sites:.3g} {self.unit}s{varied}: "
            f"{self.sd():.4g}{space} of a mean"
        )


def row_words(row: Parameter) -> str:
    """A row of the evidence base, as a source."""
    words = ", ".join(f"{key}={value}" for key, value in row.qualifiers.items())
    return f"{row.name}({words}), {row.status}, {row.read_in}"


def _positive(name: str, value: float) -> float:
    if not math.isfinite(value) or value <= 0:
        raise InputError("", name, f"{value:g}", "a positive SD", "give the SD, with its unit and source")
    return value
