"""What became of everyone: the numbers of a CONSORT flow diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from remyelin.errors import InputError

STAGES = (
    *("assessed", "not randomised", "randomised", "allocated", "received", "not received"),
    *("discontinued", "followed", "lost", "analysed", "not analysed"),
)
"""In the order of the diagram (CONSORT 2010, 10.1136/bmj.c332; 2025, 10.1136/bmj-2024-081123)."""

RECORDED = {
    "not_randomised": "not randomised",
    "not_received": "not received",
    "discontinued": "discontinued",
}
"""Columns of participants.tsv that give the reason why; empty or ``n/a`` where it does not apply."""

UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Consort:
    """Numbers of participants at each stage of a trial, arm by arm.

    Attributes
    ----------
    arms
        In the order of the protocol.
    table
        Columns ``stage, arm, participants, reason``. The total of a stage has no reason, and the rows below
        it give the number for each reason. The arm is empty before allocation. A number that nobody recorded
        is missing: it is not 0.
    last
        The visit at which follow-up counts.
    """

    arms: tuple[str, ...]
    table: pd.DataFrame
    last: str

    def n(self, stage: str, arm: str = "") -> int | None:
        """Participants of a stage; None where nobody recorded it."""
        rows = self._rows(stage, arm)
        value = rows.loc[rows["reason"] == "", "participants"].iloc[0]
        return None if pd.isna(value) else int(value)

    def reasons(self, stage: str, arm: str = "") -> dict[str, int]:
        """Participants of a stage by reason, the commonest first."""
        rows = self._rows(stage, arm)
        own = rows[rows["reason"] != ""]
        return dict(zip(own["reason"], own["participants"].astype(int), strict=True))

    def _rows(self, stage: str, arm: str) -> pd.DataFrame:
        return self.table[(self.table["stage"] == stage) & (self.table["arm"] == arm)]

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()

    def __str__(self) -> str:
        def said(stage: str, arm: str = "") -> str:
            n = self.n(stage, arm)
            return "not recorded" if n is None else f"{n}"

        lines = [f"Assessed {said('assessed')}, randomised {said('randomised')}"]
        for arm in self.arms:
            lost = "".join(f"; {n} {reason}" for reason, n in self.reasons("lost", arm).items())
            lines.append(
                f"  {arm}: allocated {said('allocated', arm)}, treatment received {said('received', arm)}, "
                f"followed to {self.last} {said('followed', arm)} (lost {said('lost', arm)}{lost}), "
                f"analysed {said('analysed', arm)}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        words = self.table["participants"].astype(object).fillna("not recorded")
        return str(self.table.assign(participants=words).to_html(index=False))


def consort(
    people: pd.DataFrame,
    *,
    arms: Sequence[str] | None = None,
    last: str = "the last visit",
    records: pd.DataFrame | None = None,
) -> Consort:
    """Count who was assessed, randomised, treated, followed and analysed.

    Parameters
    ----------
    people
        The participants of one endpoint, as in `Analysis.participants`: `participant_id, arm, analysed,
        baseline_at_entry, change, reason`, and `n_failed` where it is known. Who has no arm was not
        randomised.
    arms
        In order; as found if absent.
    last
        Name of the visit up to which participants were followed.
    records
        participants.tsv. Its columns `not_randomised`, `not_received` and `discontinued`, where they are,
        give a reason or nothing for each participant. Without them these numbers are not recorded.

    Raises
    ------
    InputError
        For a participant twice, an arm that is not in `arms`, or someone with an arm whom `records` calls not
        randomised.

    Examples
    --------
    >>> people = pd.DataFrame({"participant_id": ["sub-01", "sub-02", "sub-03"],
    ...                        "arm": ["drug", "drug", "placebo"], "analysed": [True, False, True],
    ...                        "baseline_at_entry": [30.0, 31.0, 29.0], "change": [0.4, None, 0.1],
    ...                        "reason": ["", "", ""]})
    >>> print(consort(people, last="M06"))
    Assessed not recorded, randomised 3
      drug: allocated 2, treatment received not recorded, followed to M06 1 (lost 1; 1 no value at M06), ...
      placebo: allocated 1, treatment received not recorded, followed to M06 1 (lost 0), analysed 1
    """
    randomised = people[people["arm"].fillna("") != ""]
    order = tuple(str(each) for each in (arms if arms is not None else dict.fromkeys(randomised["arm"])))
    why = _recorded(records)
    _check(randomised, order, why)
    rows: list[dict[str, object]] = []

    def add(stage: str, arm: str, n: int | None, reasons: pd.Series | None = None) -> None:
        rows.append({"stage": stage, "arm": arm, "participants": n, "reason": ""})
        counts = pd.Series(dtype=int) if reasons is None else reasons.value_counts(sort=False)
        for reason in sorted(counts.index, key=lambda each: (-counts[each], each)):
            rows.append({"stage": stage, "arm": arm, "participants": int(counts[reason]), "reason": reason})

    screened_out = why["not randomised"]
    add("assessed", "", None if screened_out is None else len(randomised) + len(screened_out))
    add("not randomised", "", None if screened_out is None else len(screened_out), screened_out)
    add("randomised", "", len(randomised))
    for arm in order:
        own = randomised[randomised["arm"] == arm].set_index("participant_id")
        add("allocated", arm, len(own))
        untreated = _of(why["not received"], own)
        add("received", arm, None if untreated is None else len(own) - len(untreated))
        for stage, reasons in (("not received", untreated), ("discontinued", _of(why["discontinued"], own))):
            add(stage, arm, None if reasons is None else len(reasons), reasons)
        out = own[~own["analysed"].astype(bool)]
        why_out = _causes(out, last)
        why_gone = _causes(own[own["change"].isna()], last)
        why_gone = why_gone[why_gone.isin([UNMEASURED, f"no value at {last}"])]
        add("followed", arm, len(own) - len(why_gone))
        add("lost", arm, len(why_gone), why_gone)
        add("analysed", arm, len(own) - len(out))
        add("not analysed", arm, len(out), why_out)
    table = pd.DataFrame(rows).astype({"participants": "Int64"})
    return Consort(order, table, last)


def _recorded(records: pd.DataFrame | None) -> dict[str, pd.Series | None]:
    """(participant,) reasons by stage; None where there is no such column."""
    found: dict[str, pd.Series | None] = {}
    for column, stage in RECORDED.items():
        if records is None or column not in records:
            found[stage] = None
            continue
        cells = records.set_index("participant_id")[column].dropna().astype(str).str.strip()
        found[stage] = cells[~cells.str.casefold().isin(["", "n/a", "no"])]
    return found


def _check(randomised: pd.DataFrame, arms: Sequence[str], why: dict[str, pd.Series | None]) -> None:
    if randomised["participant_id"].duplicated().any():
        twice = str(randomised.loc[randomised["participant_id"].duplicated(), "participant_id"].iloc[0])
        fix = "give the participants of one endpoint"
        raise InputError("", "participant_id", f"{twice} twice", "one row a participant", fix)
    unknown = sorted(set(randomised["arm"]) - set(arms))
    if unknown:
        raise InputError("", "arm", ", ".join(unknown), f"one of {', '.join(arms)}", "correct the allocation")
    refused = why["not randomised"]
    both = [] if refused is None else sorted(set(refused.index) & set(randomised["participant_id"]))
    if both:
        raise InputError(
            "participants.tsv", "not_randomised", f"'{refused[both[0]]}' for {both[0]}, who has an arm",  # type: ignore[index]
            "empty for everyone randomised", "correct the allocation, or empty the cell",
        )  # fmt: skip


def _of(reasons: pd.Series | None, own: pd.DataFrame) -> pd.Series | None:
    return None if reasons is None else reasons[reasons.index.isin(own.index)]


def _causes(people: pd.DataFrame, last: str) -> pd.Series:
    """Why each of these has no value or is not analysed, in words that people share."""
    return pd.Series([_cause(row, last) for _, row in people.iterrows()], index=people.index, dtype=object)


def _cause(row: pd.Series, last: str) -> str:
    said = str(row["reason"]) if pd.notna(row["reason"]) else ""
    if said.startswith("allocated, but not measured"):
        return UNMEASURED
    if pd.notna(row["change"]):
        return said.partition(";")[0] or "not in the analysis set"
    if row.get("n_failed", 0) > 0:
        return "measurement failed quality control"
    return f"no value at {last}" if pd.notna(row["baseline_at_entry"]) else "no usable baseline"
