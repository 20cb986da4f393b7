"""Norms of the P100 latency: how far an eye lies from healthy people of its sex and check size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import Parameter, parameter_rows
from remyelin.tables import MEASURES

from .norm_table import SAME_CHECK, SEXES, Norm
from .norm_table import read_norms as read_norms

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class NormScore:
    """How far a latency lies from the norm, in standard deviations (`z`), and the upper limit in ms."""

    latency_ms: float
    z: float
    upper_ms: float
    norm: Norm

    @property
    def is_late(self) -> bool:
        """Whether the latency lies above the upper limit."""
        return self.latency_ms > self.upper_ms

    def __str__(self) -> str:
        side = "above" if self.is_late else "within"
        told = f"{self.latency_ms:g} ms is z {self.z:+.1f}, {side} the limit of {self.upper_ms:.1f} ms"
        return f"{told}; {self.norm}"

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        norm = {f"norm_{key}": value for key, value in asdict(self.norm).items() if key != "upper_ms"}
        row = {"latency_ms": self.latency_ms, "z": self.z, "upper_ms": self.upper_ms, "is_late": self.is_late}
        return pd.DataFrame([row | norm])


def norm_z(
    latency_ms: float,
    *,
    check_arcmin: float,
    sex: str,
    age_years: float | None = None,
    norms: Sequence[Norm] | None = None,
    level: float = 0.99,
) -> NormScore:
    """How far a P100 latency lies from healthy people.

    Parameters
    ----------
    latency_ms
        P100 latency in ms.
    check_arcmin, sex, age_years
        The stimulus and the person. The age is needed only where the norms differ by it.
    norms
        The laboratory's own (`read_norms`), which are always better: a published mean belongs to the
        published display and amplifier. By default those of the evidence base that were read in a source.
    level
        Part of healthy people below the upper limit where the norm brings none of its own. With the number
        of people the limit is that for one more person (Student's t), which is higher than a percentile of a
        normal distribution with the same mean and SD.

    Raises
    ------
    InputError
        A latency that cannot be one (seconds for milliseconds), an unknown sex, no norm for this eye, or
        several: bring the laboratory's own.

    References
    ----------
    Dotto PF et al. Doc Ophthalmol 2017;135:53-67. 10.1007/s10633-017-9594-x

    Examples
    --------
    >>> print(norm_z(112.0, check_arcmin=60, sex="female"))
    112 ms is z +3.8, above the limit of 106.7 ms; check 60 arcmin, female, 18 to 120 years: 96.1 ms, ...
    """
    _check_latency(latency_ms)
    if not 0.5 < level < 1:
        raise InputError("", "level", f"{level:g}", "a part between 0.5 and 1", "give 0.99")
    norm = _chosen(
        tuple(published_norms() if norms is None else norms), check_arcmin, _as_sex(sex), age_years
    )
    z = (latency_ms - norm.mean_ms) / norm.sd_ms
    return NormScore(latency_ms, z, _upper(norm, level), norm)


@cache
def published_norms() -> tuple[Norm, ...]:
    """The norms of the evidence base whose mean and SD were read in a source, and never another.

    Examples
    --------
    >>> len([norm for norm in published_norms() if norm.source == "dotto2017"])
    4
    """
    rows = [row for row in parameter_rows() if row.status != "unverified"]
    found = []
    for mean in rows:
        if mean.name != "p100_latency" or mean.qualifiers.get("people") != "healthy":
            continue
        spread = _beside(rows, "p100_latency_sd", mean)
        people = _beside(rows, "p100_norm_people", mean)
        if spread is None or "sex" not in mean.qualifiers:
            continue
        check, sex = float(mean.qualifiers["check_arcmin"]), str(mean.qualifiers["sex"])
        count = None if people is None else int(people.value)
        found.append(Norm(check, sex, 18.0, 120.0, mean.value, spread.value, None, count, mean.read_in))
    return tuple(found)


def _beside(rows: Sequence[Parameter], name: str, mean: Parameter) -> Parameter | None:
    """The row of another name and of the same source and people."""
    for row in rows:
        same = row.name == name and row.source == mean.source
        if same and row.qualifiers.items() <= mean.qualifiers.items():
            return row
    return None


def _check_latency(latency_ms: float) -> None:
    measure = MEASURES["p100_latency_ms"]
    if not measure.low <= latency_ms <= measure.high:
        slip = ", as if seconds" if measure.low <= latency_ms * 1000 <= measure.high else ""
        fix = "multiply by 1000" if slip else "check it against its source"
        raise InputError(
            "", "latency_ms", f"{latency_ms:g}{slip}", f"{measure.low:g} to {measure.high:g} ms", fix
        )


def _as_sex(sex: str) -> str:
    word = {"f": "female", "m": "male", "": "any", "n/a": "any"}.get(sex.casefold(), sex.casefold())
    if word not in SEXES:
        raise InputError("", "sex", f"'{sex}'", "female, male or any", did_you_mean(sex, SEXES))
    return word


def _chosen(norms: tuple[Norm, ...], check_arcmin: float, sex: str, age_years: float | None) -> Norm:
    fitting = [n for n in norms if math.isclose(n.check_arcmin, check_arcmin, rel_tol=SAME_CHECK)]
    fitting = [n for n in fitting if n.sex in (sex, "any")]
    if age_years is not None:
        fitting = [n for n in fitting if n.age_low <= age_years <= n.age_high]
    if len(fitting) == 1:
        return fitting[0]
    who = f"check {check_arcmin:g} arcmin, sex {sex}, " + (
        "age not told" if age_years is None else f"{age_years:g} years"
    )
    found = "none" if not fitting else f"{len(fitting)}, which differ by age"
    fix = "give the norms of your laboratory, the sex and the age; known are: " + "; ".join(map(str, norms))
    raise InputError("", f"norm for {who}", found, "one norm", fix)


def _upper(norm: Norm, level: float) -> float:
    from scipy import stats

    if norm.upper_ms is not None:
        return norm.upper_ms
    if norm.n is None:
        return norm.mean_ms + float(stats.norm.ppf(level)) * norm.sd_ms
    spread = norm.sd_ms * math.sqrt(1 + 1 / norm.n)
    return norm.mean_ms + float(stats.t.ppf(level, norm.n - 1)) * spread
