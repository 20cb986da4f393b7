"""Missing follow-up of an endpoint, imputed as its protocol says."""

from __future__ import annotations

from typing import Any

import pandas as pd

from remyelin.protocol import Endpoint, Protocol
from remyelin.trial.case import Case, ResultRow, Study, result_rows
from remyelin.trial.fits import PARTICIPANT, Fitted, fit_rows, sites_behind, without
from remyelin.trial.formula import parse
from remyelin.trial.linear import ancova
from remyelin.trial.missing import Imputations, impute, tipping_point
from remyelin.trial.people import covariates_of

METHODS = {
    "mar": "missing at random",
    "j2r": "jump to reference",
    "cr": "copy reference",
    "cir": "copy increments in reference",
}
"""The assumptions about those who left, as they are called in the results."""


def imputed(case: Case, protocol: Protocol, method: str, ids: list[str], delta: float = 0.0) -> Imputations:
    """Complete the follow-up of participants.

    Parameters
    ----------
    case
        The endpoint; its covariates and its baseline stand in the imputation model.
    protocol
        Says which arm is the reference.
    method
        ``"mar"``, ``"j2r"``, ``"cr"`` or ``"cir"``.
    ids
        Who is completed.
    delta
        Added after the withdrawal in all arms but the reference.

    Raises
    ------
    InputError
        What `remyelin.trial.missing.impute` refuses.
    """
    endpoint = case.endpoint
    response, _, columns, _ = parse(endpoint.formula)
    return impute(
        _panel(case, protocol, ids), subject=PARTICIPANT, visit="visit", value=response, arm="arm",
        covariates=[name for name in columns if name not in ("arm", "visit")], method=method.upper(),
        reference=protocol.compared[0], delta=delta, m=endpoint.imputations, rng=endpoint.seed,
    )  # fmt: skip


def fit_imputed(case: Case, protocol: Protocol, ids: list[str]) -> Fitted:
    """The endpoint with its missing values imputed as it says, the answers pooled by Rubin's rules.

    Completed values at the last visit are compared by analysis of covariance, also where the visits before
    stand in the imputation model.
    """
    endpoint = case.endpoint
    found = imputed(case, protocol, endpoint.missing, ids, endpoint.delta)
    return _fitted(case, found, protocol)


def fit_set(case: Case, protocol: Protocol, name: str) -> Fitted:
    """The endpoint as it was prespecified, in one analysis set; completers have nothing to impute."""
    endpoint = case.endpoint
    if endpoint.missing != "none" and name != "completers":
        return fit_imputed(case, protocol, case.ids(name))
    weighted = endpoint.weighting == "measurement-error"
    return fit_rows(endpoint, case.of(name), protocol, weighted=weighted)


def imputable(case: Case) -> list[str]:
    """Everyone randomised who has what the imputation model needs: arm, covariates and baseline."""
    people = case.people
    known = people["usable"]
    if "baseline" in parse(case.endpoint.formula)[2]:
        known &= people[PARTICIPANT].isin(_baselines(case).dropna().index)
    return [str(each) for each in people.loc[known, PARTICIPANT]]


def missing_rows(study: Study, case: Case, method: str) -> list[ResultRow]:
    """The rows of another assumption about those who left."""
    found = imputed(case, study.protocol, method, imputable(case))
    fitted = _fitted(case, found, study.protocol)
    name = f"{case.endpoint.id} ({METHODS[method]})"
    return result_rows(case, name, fitted, analysis_set="itt")


def tipping(study: Study, case: Case) -> tuple[pd.DataFrame, list[str]]:
    """How far values after withdrawal must be shifted for each contrast to be lost.

    Returns
    -------
    table, sentences
        Columns ``endpoint, contrast, delta, estimate, se, df, p, ci_low, ci_high``; a sentence a contrast.
    """
    endpoint, reference = case.endpoint, study.protocol.compared[0]
    base = endpoint.missing if endpoint.missing != "none" else "mar"
    found = imputed(case, study.protocol, base, imputable(case))
    frames, said = [], []
    for arm in found.panel.arms[1:]:
        point = tipping_point(found, arm=arm, alpha=endpoint.alpha)
        table = point.table.reset_index()[["delta", "estimate", "se", "df", "p", "ci_low", "ci_high"]]
        table.insert(0, "contrast", f"{arm} - {reference}")
        frames.append(table)
        said.append(f"{point} ({METHODS[base]} otherwise).")
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "endpoint", endpoint.id)
    return table, said


def n_missing(case: Case) -> int:
    """Participants who have what the imputation model needs, and lack a value at a visit."""
    panel = _panel(case, None, imputable(case))
    response = parse(case.endpoint.formula)[0]
    return int(panel.loc[panel[response].isna(), PARTICIPANT].nunique())


def _fitted(case: Case, found: Imputations, protocol: Protocol) -> Fitted:
    endpoint = case.endpoint
    if _is_plain(endpoint):
        pooled = found.analyse(alpha=endpoint.alpha)
    else:
        formula = without(endpoint.formula, "visit")
        covariance = endpoint.covariance if endpoint.estimator == "ancova" else None
        options: dict[str, Any] = {"covariance": covariance} if covariance else {}
        last = endpoint.visits[-1]

        def contrasts(frame: pd.DataFrame) -> pd.DataFrame:
            own = frame[frame["visit"] == last]
            return ancova(
                formula, own, reference=protocol.compared[0], alpha=endpoint.alpha, **options
            ).contrasts()

        pooled = found.analyse(contrasts, alpha=endpoint.alpha)
    rows = case.rows[case.rows[PARTICIPANT].isin(found.panel.subjects)]
    return Fitted(found, pooled, {}, len(found.panel.subjects), sites_behind(rows, endpoint), "ancova")


def _is_plain(endpoint: Endpoint) -> bool:
    """Whether the analysis of the last visit is the one that the imputations know: arm and covariates."""
    _, terms, columns, _ = parse(without(endpoint.formula, "visit"))
    classical = endpoint.estimator != "ancova" or endpoint.covariance in (None, "classical")
    return classical and {str(term) for term in terms} == {"1", *columns}


def _panel(case: Case, protocol: Protocol | None, ids: list[str]) -> pd.DataFrame:
    """One row a participant and visit, also where nothing was measured."""
    endpoint = case.endpoint
    response = parse(endpoint.formula)[0]
    visits = list(endpoint.visits[1:])
    rows = case.rows.assign(visit=case.rows["visit"] if "visit" in case.rows else visits[-1])
    values = rows.set_index([PARTICIPANT, "visit"])[response]
    grid = pd.MultiIndex.from_product([ids, visits], names=[PARTICIPANT, "visit"])
    found = values.reindex(grid).reset_index()
    people = case.people.set_index(PARTICIPANT)
    for name in ("arm", *covariates_of(endpoint)):
        found[name] = found[PARTICIPANT].map(people[name])
    found["baseline"] = found[PARTICIPANT].map(_baselines(case))
    found["visit"] = pd.Categorical(found["visit"], categories=visits)
    if protocol is not None:
        found["arm"] = pd.Categorical(found["arm"], categories=list(protocol.compared))
    return found


def _baselines(case: Case) -> pd.Series:
    """As the model of the measured values has them; of who has none there, that of all selected sites."""
    own = case.rows.drop_duplicates(PARTICIPANT).set_index(PARTICIPANT)["baseline"]
    return own.combine_first(case.long.baselines).astype(float)
