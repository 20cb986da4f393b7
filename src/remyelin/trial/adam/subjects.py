"""ADSL: everyone randomised, one record each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remyelin.protocol import Protocol
from remyelin.trial.adam.dataset import Columns, Dataset, dataset, short_names, subject, treatment
from remyelin.trial.flow import RECORDED

if TYPE_CHECKING:
    from remyelin.trial.analyse import Analysis

KNOWN = {
    "age": ("AGE", "Age"),
    "sex": ("SEX", "Sex"),
    "race": ("RACE", "Race"),
    "ethnicity": ("ETHNIC", "Ethnicity"),
    "country": ("COUNTRY", "Country"),
    "site": ("SITEID", "Study Site Identifier"),
    "centre": ("SITEID", "Study Site Identifier"),
    "center": ("SITEID", "Study Site Identifier"),
    "discontinued": ("DCTREAS", "Reason for Discontinuation of Treatment"),
}
"""Columns of participants.tsv that have a standard name."""

SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


def adsl(analysis: Analysis, protocol: Protocol, covariates: pd.DataFrame | None = None) -> Dataset:
    """Subject-level dataset: everyone randomised.

    Parameters
    ----------
    analysis, protocol
        What was analysed, and how.
    covariates
        participants.tsv; its columns come along, those of `KNOWN` under their standard name.

    Returns
    -------
    Dataset
        ITTFL is Y for everyone randomised. FASFL and COMPLFL: in the sets ``itt`` (a value that the primary
        analysis can use) and ``completers`` of the primary endpoint. PPROTFL where the protocol says who kept
        to it. What was really taken (TRT01A) is not known here and left out.
    """
    order = [arm.id for arm in protocol.arm]
    people = analysis.participants.drop_duplicates("participant_id").query("arm != ''")
    people = people.sort_values("participant_id")[["participant_id", "arm"]].reset_index(drop=True)
    arms = {arm.id: arm for arm in protocol.arm}
    columns: Columns = {
        **subject(people["participant_id"], protocol),
        "SUBJID": ("Subject Identifier for the Study", people["participant_id"].str.removeprefix("sub-")),
        "ARM": ("Description of Planned Arm", people["arm"]),
    }
    if protocol.trial.design != "parallel":
        columns["TRTSEQP"] = ("Planned Sequence of Treatments", people["arm"])
    for k in range(max(len(arm.sequence) for arm in protocol.arm) or 1):
        given = [treatment(arms[name], k) for name in people["arm"]]
        columns[f"TRT{k + 1:02d}P"] = (f"Planned Treatment for Period {k + 1:02d}", given)
    if protocol.trial.design == "parallel":
        numbers = [order.index(name) + 1 for name in people["arm"]]
        columns["TRT01PN"] = ("Planned Treatment for Period 01 (N)", numbers)
    columns |= _flags(people["participant_id"], analysis.members[protocol.primary.id], protocol)
    if covariates is not None:
        columns |= _covariates(people, covariates, protocol, set(columns))
    return dataset("ADSL", "Subject-Level Analysis Dataset", columns)


def _flags(ids: pd.Series, members: pd.DataFrame, protocol: Protocol) -> Columns:
    def flag(name: str) -> list[str]:
        return ["Y" if bool(members[name].get(person, False)) else "N" for person in ids]

    flags: Columns = {
        "ITTFL": ("Intent-To-Treat Population Flag", ["Y"] * len(ids)),
        "FASFL": ("Full Analysis Set Population Flag", flag("itt")),
        "COMPLFL": ("Completers Population Flag", flag("completers")),
    }
    if protocol.sets.defined:
        flags["PPROTFL"] = ("Per-Protocol Population Flag", flag("per-protocol"))
    return flags


def _covariates(
    people: pd.DataFrame, covariates: pd.DataFrame, protocol: Protocol, taken: set[str]
) -> Columns:
    """The columns of participants.tsv; standard names first, the others shortened."""
    own = people.merge(covariates.drop(columns="arm", errors="ignore"), on="participant_id", how="left")
    skipped = {*people.columns, *(set(RECORDED) - set(KNOWN)), protocol.sets.per_protocol}
    found: Columns = {}
    rest = []
    for name in (str(each) for each in own.columns if each not in skipped):
        standard = KNOWN.get(name.casefold())
        if standard is None or standard[0] in found:
            rest.append(name)
            continue
        column = own[name]
        if standard[0] == "SEX":
            column = column.map(lambda cell: SEXES.get(str(cell).casefold(), cell))
        found[standard[0]] = (standard[1], column)
        if standard[0] == "AGE":
            found["AGEU"] = ("Age Units", np.where(column.notna(), "YEARS", ""))
    short = short_names(rest, taken | set(found))
    return found | {short[name]: (name, own[name]) for name in rest}
