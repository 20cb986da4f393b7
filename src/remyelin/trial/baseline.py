"""Who was randomised: the baseline table of a trial report (Table 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.protocol import Protocol
from remyelin.tables import MEASURES
from remyelin.trial.flow import RECORDED

WHY_NO_P = (
    "Arms differ at baseline by chance alone if they were randomised, so a test of that answers no question "
    "(Senn 1994, 10.1002/sim.4780131703; CONSORT 2010 explanation, 10.1136/bmj.c869, item 15)."
)
MOST_LEVELS = 12
"""A column of text with more different values is a name or a remark, no characteristic."""

Kind = Literal["number", "category"]


@dataclass(frozen=True, slots=True)
class BaselineTable:
    """Characteristics of the arms, without p values.

    Attributes
    ----------
    table
        As a paper has it: index (characteristic, statistic), one column an arm and `all`, cells as text.
    numbers
        The same as numbers: columns ``characteristic, level, arm, n, missing, mean, sd, median, q1, q3, low,
        high, percent``; `level` is empty for a characteristic that is a number.
    left_out
        Columns that are no characteristic (names, remarks, constants), and why.
    """

    table: pd.DataFrame
    numbers: pd.DataFrame
    left_out: dict[str, str]

    @property
    def note(self) -> str:
        """What stands under the table."""
        return f"Mean (SD), median (25th to 75th percentile), or number (%) of those known. {WHY_NO_P}"

    def to_frame(self) -> pd.DataFrame:
        """The table with characteristic and statistic as columns."""
        return self.table.reset_index()

    def __str__(self) -> str:
        return f"{self.table.to_string()}\n{self.note}"

    def _repr_html_(self) -> str:
        return f"{self.table.to_html()}<p>{escape(self.note)}</p>"


def baseline_table(
    people: pd.DataFrame,
    characteristics: Sequence[str] | None = None,
    *,
    arm: str = "arm",
    arms: Sequence[str] | None = None,
    digits: int = 1,
) -> BaselineTable:
    """Describe everyone randomised, arm by arm.

    Parameters
    ----------
    people
        One row a participant: `participant_id`, the arm, and characteristics. Everyone randomised belongs
        here, also who was not analysed.
    characteristics
        Columns, in order; all but the arm and `participant_id` if absent.
    arm, arms
        The column of the arm; its values in order, as found if absent.
    digits
        Decimals of means and medians.

    Returns
    -------
    BaselineTable
        There are no p values: a test of a difference that is known to be chance tells nothing.

    Raises
    ------
    InputError
        For a column that is not there, a participant twice, or a participant without an arm.

    Examples
    --------
    >>> people = pd.DataFrame({"participant_id": ["sub-01", "sub-02", "sub-03", "sub-04"],
    ...                        "arm": ["drug", "placebo"] * 2, "age": [31, 40, 45, None],
    ...                        "sex": ["F", "F", "M", "F"]})
    >>> print(baseline_table(people, arms=["drug", "placebo"]).table[["drug", "all"]].to_string())
    arm                                         drug                  all
    characteristic statistic
    participants   n                               2                    4
    age            mean (SD)              38.0 (9.9)           38.7 (7.1)
                   median (IQR)  38.0 (34.5 to 41.5)  40.0 (35.5 to 42.5)
                   missing                         0                    1
    sex            F                      1 (50.0 %)           3 (75.0 %)
                   M                      1 (50.0 %)           1 (25.0 %)
    """
    listed = _checked(people, characteristics, arm)
    order = [str(each) for each in (arms if arms is not None else dict.fromkeys(people[arm]))]
    unknown = sorted(set(people[arm].astype(str)) - set(order))
    if unknown:
        raise InputError("", arm, f"{', '.join(unknown)}, not among arms", ", ".join(order), "add it to arms")
    groups = {**{name: people[people[arm].astype(str) == name] for name in order}, "all": people}
    cells: dict[tuple[str, str], list[str]] = {
        ("participants", "n"): [f"{len(own):,}" for own in groups.values()]
    }
    numbers, left_out = [], {}
    for name in listed:
        kind, why = _kind(people[name], whole=characteristics is not None)
        if kind is None:
            left_out[name] = why
            continue
        described = [
            {"characteristic": name, "arm": group, **row}
            for group, own in groups.items()
            for row in (_number(own[name]) if kind == "number" else _levels(own[name], people[name]))
        ]
        numbers += described
        _add_cells(cells, name, kind, pd.DataFrame(described), list(groups), digits)
    index = pd.MultiIndex.from_tuples(list(cells), names=["characteristic", "statistic"])
    table = pd.DataFrame(list(cells.values()), index=index, columns=pd.Index(groups, name="arm"))
    columns = ["characteristic", "level", "arm", "n", "missing", *_STATISTICS, "percent"]
    return BaselineTable(table, pd.DataFrame(numbers, columns=columns), left_out)


def at_entry(
    participants: pd.DataFrame, protocol: Protocol, covariates: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Everyone randomised with what was known at baseline: what `baseline_table` describes.

    Parameters
    ----------
    participants
        `Analysis.participants`.
    protocol
        Its endpoints name their baselines. The column that says who kept to it is known only afterwards, and
        left out, as are reasons for leaving.
    covariates
        participants.tsv.

    Returns
    -------
    pandas.DataFrame
        `participant_id, arm`, the columns of `covariates`, then the baseline of each endpoint, called by its
        measure and unit, and the number of sites of the primary one where a participant has several.
    """
    first = participants.drop_duplicates("participant_id").query("arm != ''")
    people = first[["participant_id", "arm"]].reset_index(drop=True)
    later = {*RECORDED, protocol.sets.per_protocol}
    if covariates is not None:
        known = [name for name in covariates if name not in {*later, "arm"}]
        people = people.merge(covariates[known], on="participant_id", how="left")
    for endpoint in sorted(protocol.endpoint, key=lambda each: each.role != "primary"):
        own = participants[participants["endpoint"] == endpoint.id].set_index("participant_id")
        measure = MEASURES[MEASURES[endpoint.measure].change_of or endpoint.measure]
        name = f"{measure.words}, {measure.unit} ({endpoint.id})"
        if len(own):
            people[name] = people["participant_id"].map(own["baseline_at_entry"])
        if len(own) and endpoint.role == "primary" and own["n_sites"].max() > 1:
            people[f"{endpoint.site}s"] = people["participant_id"].map(own.loc[own["n_sites"] > 0, "n_sites"])
    return people


_STATISTICS = ("mean", "sd", "median", "q1", "q3", "low", "high")


def _checked(people: pd.DataFrame, characteristics: Sequence[str] | None, arm: str) -> list[str]:
    known = [str(name) for name in people.columns]
    for name in (arm, *(characteristics or ())):
        if name not in known:
            raise InputError("", name, "not a column", f"one of {', '.join(known)}", "correct the name")
    if people[arm].isna().any() or (people[arm].astype(str) == "").any():
        raise InputError("", arm, "missing for a participant", "everyone randomised", "leave the others out")
    if "participant_id" in known and people["participant_id"].duplicated().any():
        twice = str(people.loc[people["participant_id"].duplicated(), "participant_id"].iloc[0])
        raise InputError(
            "", "participant_id", f"{twice} twice", "one row a participant", "leave one of them out"
        )
    if not len(people):
        raise InputError("", "people", "empty", "one row a participant", "give everyone randomised")
    return [name for name in characteristics or known if name not in ("participant_id", arm)]


def _kind(column: pd.Series, *, whole: bool) -> tuple[Kind | None, str]:
    """Whether a column holds numbers or categories; None, with the reason, for what is no characteristic."""
    known = column.dropna()
    if pd.api.types.is_bool_dtype(known) or not len(known):
        return ("category", "") if len(known) else (None, "nothing in it")
    if pd.api.types.is_numeric_dtype(column) and not known.isin([0, 1]).all():
        if not np.isfinite(known.to_numpy(dtype=np.float64)).all():
            raise InputError("", str(column.name), "infinite", "finite numbers", "leave the value empty")
        return "number", ""
    levels = known.astype(str).nunique()
    if not whole and levels > MOST_LEVELS:
        return None, f"{levels} different values: a name or a remark"
    return "category", ""


def _number(column: pd.Series) -> list[dict[str, float | str]]:
    values = column.dropna().to_numpy(dtype=np.float64)
    found: dict[str, float | str] = {"level": "", "n": len(values), "missing": len(column) - len(values)}
    if not len(values):
        return [found | dict.fromkeys(_STATISTICS, np.nan)]
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])  # type 7, as R's quantile
    sd = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    stated = (values.mean(), sd, median, q1, q3, values.min(), values.max())
    return [found | {name: float(value) for name, value in zip(_STATISTICS, stated, strict=True)}]


def _levels(column: pd.Series, everyone: pd.Series) -> list[dict[str, float | str]]:
    if isinstance(everyone.dtype, pd.CategoricalDtype):
        levels = [str(level) for level in everyone.cat.categories]
    else:
        levels = sorted(set(_words(everyone)))
    known = _words(column)
    missing = len(column) - len(known)
    share = 100 / len(known) if len(known) else np.nan
    return [
        {"level": level, "n": int((known == level).sum()), "missing": missing,
         "percent": float((known == level).sum()) * share}
        for level in levels
    ]  # fmt: skip


def _words(column: pd.Series) -> pd.Series:
    """Categories in words: 0 and 1, also where a missing value made them 0.0 and 1.0."""
    known = column.dropna()
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        known = known.astype(int)
    return known.astype(str)


def _add_cells(
    cells: dict[tuple[str, str], list[str]],
    name: str,
    kind: Kind,
    described: pd.DataFrame,
    groups: list[str],
    digits: int,
) -> None:
    """The rows of one characteristic, in text."""

    def texts(column: str) -> list[str]:
        return [f"{value:.{digits}f}" if np.isfinite(value) else "n/a" for value in rows[column].to_numpy()]

    if kind == "number":
        rows = described.set_index("arm").loc[groups]
        cells[name, "mean (SD)"] = [f"{m} ({s})" for m, s in zip(texts("mean"), texts("sd"), strict=True)]
        cells[name, "median (IQR)"] = [
            f"{median} ({q1} to {q3})"
            for median, q1, q3 in zip(texts("median"), texts("q1"), texts("q3"), strict=True)
        ]
    else:
        for level, own in described.groupby("level", sort=False):
            rows = own.set_index("arm").loc[groups]
            counted = zip(rows["n"], texts("percent"), strict=True)
            cells[name, str(level)] = [f"{n} ({percent} %)" for n, percent in counted]
    missing = rows["missing"]
    if missing.any():
        cells[name, "missing"] = [f"{n}" for n in missing]
