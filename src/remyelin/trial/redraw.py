"""The re-randomisation test of an endpoint: the allocation of the protocol, drawn again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.protocol import Protocol, Randomisation
from remyelin.tables import MEASURES
from remyelin.trial.case import Case, ResultRow, Study
from remyelin.trial.procedures import Minimisation, PermutedBlocks, Procedure, SimpleRandomisation
from remyelin.trial.rerandomisation import Rerandomisation, rerandomise

ID = "participant_id"


def redraw(study: Study, case: Case) -> tuple[list[ResultRow], Rerandomisation]:
    """Draw the allocation again and again, and compare the estimate with what chance gives.

    Raises
    ------
    InputError
        Where participants.tsv lacks a factor or the order of entry of anyone who was allocated, and what
        `remyelin.trial.rerandomisation.rerandomise` refuses.
    """
    endpoint, protocol = case.endpoint, study.protocol
    given = protocol.randomisation
    assert given is not None  # `consistency_families` asks for it
    people = _in_order(study, given)
    rows = case.own.assign(arm=pd.Categorical(case.own["arm"], categories=list(protocol.compared)))
    test = rerandomise(
        endpoint.formula, rows, procedure_of(protocol), rng=given.seed, reference=protocol.compared[0],
        participant=ID, randomised=people, replicates=given.replicates, alpha=endpoint.alpha,
    )  # fmt: skip
    found = [
        {
            "endpoint": f"{endpoint.id} (re-randomisation)",
            "contrast": f"{arm} - {protocol.compared[0]}",
            **{name: float(row[name]) for name in ("estimate", "se", "df", "p")},
            "statistic": float(row["t"]),
            **{
                name: float(row[name]) if np.isfinite(row[name]) else np.nan for name in ("ci_low", "ci_high")
            },
            "unit": MEASURES[endpoint.measure].unit,
            "n_participants": int(rows[ID].nunique()),
            "n_sites": int(rows["n_used"].sum()),
            "analysis_set": endpoint.own_set,
            "estimator": endpoint.estimator,
            "prespecified": False,
        }
        for arm, (_, row) in zip(test.ancova.arms[1:], test.table.iterrows(), strict=True)
    ]
    return found, test


def procedure_of(protocol: Protocol) -> Procedure:
    """How the protocol allocates; arms are numbered with the reference first.

    Examples
    --------
    >>> how = Randomisation(method="permuted-blocks", block_sizes=(3,), ratio=(2, 1), order="entry")
    >>> procedure_of(Protocol.read("demo").model_copy(update={"randomisation": how}))
    PermutedBlocks(sizes=(3,), factors=(), ratio=(1, 2))
    """
    given = protocol.randomisation
    assert given is not None
    if given.method == "minimisation":
        assert given.probability is not None
        return Minimisation(given.factors, given.probability)
    shares = dict(zip((arm.id for arm in protocol.arm), given.ratio, strict=False))
    ratio = tuple(shares[arm] for arm in protocol.compared) if shares else None
    if given.method == "simple":
        return SimpleRandomisation(ratio)
    return PermutedBlocks(given.block_sizes, given.factors, ratio)


def _in_order(study: Study, given: Randomisation) -> pd.DataFrame:
    """Everyone who was allocated, in order of entry, with the factors."""
    people = study.allocation.assign(
        arm=pd.Categorical(study.allocation["arm"], categories=list(study.protocol.compared))
    )
    wanted = [*given.factors, *([given.order] if given.order else [])]
    table = study.covariates if study.covariates is not None else pd.DataFrame({ID: []}, dtype=str)
    for name in wanted:
        if name not in table:
            known = [str(each) for each in table.columns if each != ID]
            raise InputError(
                "participants.tsv", name, "not a column", "the columns that [randomisation] names",
                did_you_mean(name, known) if known else "add it",
            )  # fmt: skip
    people = people.merge(table[[ID, *wanted]], on=ID, how="left")
    for name in wanted:
        if people[name].isna().any():
            lost = ", ".join(people.loc[people[name].isna(), ID])
            raise InputError(
                "participants.tsv", name, f"not given for {lost}", "a value for everyone who was allocated",
                "fill it in",
            )  # fmt: skip
    return people.sort_values([given.order, ID] if given.order else [ID], ignore_index=True)
