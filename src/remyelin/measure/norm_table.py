"""A laboratory's own norms of the P100 latency, as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import InputError
from remyelin.tables import MEASURES

from .cells import Row, read_rows

SEXES = ("female", "male", "any")
_REQUIRED = ("check_arcmin", "sex", "age_low", "age_high", "mean_ms", "sd_ms")
_OPTIONAL = ("upper_ms", "n")
# What can be meant by a cell; wide enough for any laboratory, too narrow for another unit.
_RANGES = {
    "check_arcmin": (3.0, 240.0),
    "age_low": (0.0, 120.0),
    "age_high": (0.0, 120.0),
    "mean_ms": (MEASURES["p100_latency_ms"].low, 200.0),
    "sd_ms": (0.5, 30.0),
    "upper_ms": (MEASURES["p100_latency_ms"].low, 250.0),
    "n": (2.0, 1e6),
}
SAME_CHECK = 0.02
"""Check sizes within this part of each other are the same: 14.9 is 15 arcmin."""


@dataclass(frozen=True, slots=True)
class Norm:
    """Healthy people of one check size, sex and age.

    Parameters
    ----------
    check_arcmin, sex, age_low, age_high
        Of whom: `sex` is ``"female"``, ``"male"`` or ``"any"``; ages in years, both included.
    mean_ms, sd_ms
        P100 latency and its standard deviation between people.
    upper_ms
        The laboratory's own upper limit; None to compute it.
    n
        People behind the mean; None where that is not told.
    source
        Id of a `Source`, or the file and its line.
    """

    check_arcmin: float
    sex: str
    age_low: float
    age_high: float
    mean_ms: float
    sd_ms: float
    upper_ms: float | None = None
    n: int | None = None
    source: str = ""

    def __str__(self) -> str:
        return (
            f"check {self.check_arcmin:g} arcmin, {self.sex}, {self.age_low:g} to {self.age_high:g} years: "
            f"{self.mean_ms:g} ms, SD {self.sd_ms:g} ms ({self.source})"
        )


def read_norms(path: Path, root: Path | None = None) -> tuple[Norm, ...]:
    """Read the laboratory's norms: `check_arcmin, sex, age_low, age_high, mean_ms, sd_ms[, upper_ms, n]`.

    Raises
    ------
    InputError
        A column or cell that is not what it should be, by line; rows that overlap.

    Examples
    --------
    >>> from remyelin.measure.norms import norm_z
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "norms.tsv"
    ...     _ = path.write_text("check_arcmin\\tsex\\tage_low\\tage_high\\tmean_ms\\tsd_ms\\tupper_ms\\n"
    ...                         "60\\tany\\t18\\t50\\t101.5\\t4.4\\t113\\n")
    ...     print(norm_z(115, check_arcmin=60, sex="male", age_years=31, norms=read_norms(path)))
    115 ms is z +3.1, above the limit of 113.0 ms; check 60 arcmin, any, 18 to 50 years: 101.5 ms, ...
    """
    path = Path(path)
    norms: list[Norm] = []
    for row in read_rows(path, root or path.parent, _REQUIRED, _OPTIONAL):
        norm = _norm(row)
        if any(_overlap(norm, other) for other in norms):
            fix = "keep one norm for each check size, sex and age"
            raise InputError(
                row.file, f"line {row.line}", "in overlap with a line above", "ages that part", fix
            )
        norms.append(norm)
    return tuple(norms)


def _norm(row: Row) -> Norm:
    low, high = (row.needed(name, *_RANGES[name]) for name in ("age_low", "age_high"))
    check = row.needed("check_arcmin", *_RANGES["check_arcmin"], unit="arcmin")
    mean, sd = (row.needed(name, *_RANGES[name], unit="ms") for name in ("mean_ms", "sd_ms"))
    upper, n = row.number("upper_ms", *_RANGES["upper_ms"], unit="ms"), row.number("n", *_RANGES["n"])
    if low > high:
        row.fail("age_low", f"{low:g}, above age_high", "age_low <= age_high", "exchange them")
    if upper is not None and upper <= mean:
        row.fail("upper_ms", f"{upper:g}", f"a limit above mean_ms, {mean:g}", "correct it")
    sex, source = row.among("sex", SEXES), f"{row.file}, line {row.line}"
    return Norm(check, sex, low, high, mean, sd, upper, None if n is None else int(n), source)


def _overlap(a: Norm, b: Norm) -> bool:
    same = math.isclose(a.check_arcmin, b.check_arcmin, rel_tol=SAME_CHECK)
    sexes = a.sex == b.sex or "any" in (a.sex, b.sex)
    return same and sexes and a.age_low <= b.age_high and b.age_low <= a.age_high
