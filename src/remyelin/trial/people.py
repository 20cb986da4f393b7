"""The participants of an analysis: measured, allocated, with covariates, and why any of them is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import Flag, RefuseRun, did_you_mean
from remyelin.protocol import Endpoint
from remyelin.protocol.consistency_endpoint import RESERVED
from remyelin.tables import MEASURES
from remyelin.trial.allocation import match
from remyelin.trial.endpoint import Changes
from remyelin.trial.formula import parse


def join(
    changes: Changes, allocation: pd.DataFrame, covariates: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[Flag, ...]]:
    """Every participant who was measured or allocated, with arm, covariates, and whether it is analysed.

    Parameters
    ----------
    changes
        The endpoint.
    allocation
        `participant_id, arm`, checked.
    covariates
        `participant_id` and the columns that the formula of the endpoint names besides `arm` and `baseline`.

    Returns
    -------
    people, flags
        `usable` says who has an arm and every covariate; `analysed` who has a change too, from the first
        visit to the last, and the baseline if the formula names it.

    Raises
    ------
    RefuseRun
        For a covariate that is not a column.
    """
    endpoint = changes.endpoint
    people = allocation.merge(changes.frame, on="participant_id", how="outer").sort_values("participant_id")
    people["endpoint"] = endpoint.id
    people["unit"] = MEASURES[endpoint.measure].unit
    unmeasured, unallocated = people["quality"].isna(), people["arm"].isna()
    people["usable"] = ~unallocated
    people["analysed"] = ~unmeasured & ~unallocated & people["change"].notna()
    people["reason"] = people["reason"].fillna("allocated, but not measured")
    _add_reason(people, unallocated, "measured, but not in the allocation")
    people["quality"] = people["quality"].fillna("fail")
    people["arm"] = people["arm"].fillna("")
    counts = [str(name) for name in people.columns if str(name).startswith("n_")]
    people[counts] = people[counts].fillna(0).astype(int)
    people, flags = _with_covariates(people.reset_index(drop=True), endpoint, covariates)
    order = ["endpoint", "participant_id", "arm", "analysed"]
    return people[[*order, *(str(name) for name in people.columns if name not in order)]], flags


def allocation_flags(allocation: pd.DataFrame, measured: list[str]) -> tuple[Flag, ...]:
    """Who is in one of the tables only, by name."""
    unallocated, unmeasured, hint = match(allocation, measured)
    flags = []
    if unallocated:
        fix = hint or "complete the allocation; until then they leave the analysis"
        found = f"without {', '.join(unallocated)}, who were measured"
        flags.append(Flag("", "allocation", found, "every measured participant", fix))
    if unmeasured:
        found = f"with {', '.join(unmeasured)}, who were not measured"
        fix = hint or "report them as lost, or measure them"
        flags.append(Flag("", "allocation", found, "measurements of every allocated participant", fix))
    return tuple(flags)


def attrition(
    steps: pd.DataFrame, people: pd.DataFrame, n_sites: int, allocation: pd.DataFrame, measured: list[str]
) -> pd.DataFrame:
    """Participants and sites left after each step: `step, participants, sites, reason`.

    Between those who were allocated and those who were analysed, with `n_sites`, stand the `steps` of the
    endpoint.
    """
    unallocated, unmeasured, _ = match(allocation, measured)
    some = f"not measured: {', '.join(unmeasured)}" if unmeasured else ""
    measured_too = len(allocation) - len(unmeasured)
    first = {
        "step": ["allocated", "allocated and measured"],
        "participants": [len(allocation), measured_too],
        "reason": ["", some],
    }
    analysed = people[people["analysed"]]
    left = people[~people["analysed"] & people["arm"].ne("") & ~people["participant_id"].isin(unmeasured)]
    reasons = [f"{row.participant_id}: {row.reason}" for row in left.itertuples()]
    reasons += [f"{person}: not in the allocation" for person in unallocated]
    last = {
        "step": "analysed",
        "participants": len(analysed),
        "sites": n_sites,
        "reason": "; ".join(reasons),
    }
    table = pd.concat([pd.DataFrame(first), steps, pd.DataFrame([last])], ignore_index=True)
    return table.astype({"sites": "Int64"})[["step", "participants", "sites", "reason"]]


def _with_covariates(
    people: pd.DataFrame, endpoint: Endpoint, covariates: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[Flag, ...]]:
    _, _, columns, _ = parse(endpoint.formula)
    if {"baseline", "baseline_mean"} & set(
        columns
    ):  # a change that was measured as such may stand without one
        unknown = people["analysed"] & people["baseline"].isna()
        _add_reason(people, unknown, f"no baseline at {endpoint.visits[0]}, which the model needs")
        people["analysed"] &= ~unknown
    wanted = covariates_of(endpoint)
    if not wanted:
        return people, ()
    table = covariates if covariates is not None else pd.DataFrame({"participant_id": []}, dtype=str)
    for name in wanted:
        if name not in table.columns:
            known = [str(each) for each in table.columns if each != "participant_id"]
            raise RefuseRun(
                "participants.tsv", name, "not a column", f"a column for every term of {endpoint.formula!r}",
                _nearest(name, known),
            )  # fmt: skip
    chosen = table[["participant_id", *wanted]].copy()
    for name in wanted:
        chosen[name] = _numbers_if_all(chosen[name])
    people = people.merge(chosen, on="participant_id", how="left")
    flags = []
    for name in wanted:
        missing = people["analysed"] & people[name].isna()
        for person in people.loc[missing, "participant_id"]:
            fix = "fill it in; without it the participant leaves the analysis"
            flags.append(
                Flag("participants.tsv", name, f"not given for {person}", "a value for each participant", fix)
            )
        _add_reason(people, missing, f"no {name} in participants.tsv")
    for column in ("usable", "analysed"):
        people[column] &= people[wanted].notna().all(axis=1)
    return people, tuple(flags)


def covariates_of(endpoint: Endpoint) -> list[str]:
    """The columns of participants.tsv that the formula of an endpoint names.

    Examples
    --------
    >>> from remyelin.protocol import Protocol
    >>> primary = Protocol.read("ccmr-one").primary
    >>> covariates_of(primary.model_copy(update={"formula": "change ~ arm + baseline + age + C(site)"}))
    ['age', 'site']
    """
    _, _, columns, _ = parse(endpoint.formula)
    own = (*RESERVED, endpoint.site) if endpoint.of_sites else RESERVED
    return [name for name in columns if name not in own]


def _nearest(name: str, known: list[str]) -> str:
    """The fix: a word that is alike, else to add the column."""
    own = RESERVED if len(name) > 4 else ()  # short words are like any other
    found = did_you_mean(name, [*known, *own])
    return found if found.startswith("did you mean") else f"add {name} to participants.tsv"


def _add_reason(people: pd.DataFrame, where: pd.Series[bool], words: str) -> None:
    said = people.loc[where, "reason"]
    people.loc[where, "reason"] = [f"{words}; {reason}" if reason else words for reason in said]


def _numbers_if_all(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers where every value given is one, else text; n/a is a missing value."""
    given = column.astype(object).where(~column.isin(["n/a", ""]), np.nan)
    numbers = pd.to_numeric(given, errors="coerce")
    return numbers if (numbers.notna() == given.notna()).all() else given
