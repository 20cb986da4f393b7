"""The estimator that a protocol names, fitted to the rows of its endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from remyelin.errors import InputError
from remyelin.protocol import Endpoint, Protocol
from remyelin.trial.formula import parse
from remyelin.trial.means import differences

PARTICIPANT = "participant_id"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit and what it says of the treatment.

    Attributes
    ----------
    model
        What the estimator returned.
    contrasts
        Index like ``"active - placebo"``; columns ``estimate, se, df, t, p, ci_low, ci_high``; at the last
        visit of the endpoint.
    earlier
        The same at the visits before, in their order; empty where there are none.
    n_participants, n_sites
        What entered: participants, and the lesions, eyes or other sites that their values rest on.
    estimator
        As it stands in the results.
    """

    model: Any
    contrasts: pd.DataFrame
    earlier: Mapping[str, pd.DataFrame]
    n_participants: int
    n_sites: int
    estimator: str


def fit_rows(
    endpoint: Endpoint,
    rows: pd.DataFrame,
    protocol: Protocol,
    *,
    weighted: bool,
    estimand: str | None = None,
) -> Fitted:
    """Fit the endpoint's estimator.

    Parameters
    ----------
    endpoint
        Its estimator, formula and options.
    rows
        As `remyelin.trial.long.long_rows` gives them, with `arm` (or `treatment`) and the covariates.
    protocol
        Says what is compared with what.
    weighted
        Whether the measurement's own standard error, the column `se`, enters the likelihood.
    estimand
        Of a crossover; by default the one that the formula names.

    Raises
    ------
    InputError
        What the estimator refuses.
    """
    if not len(rows):
        response = parse(endpoint.formula)[0]
        raise InputError(
            "", response, "missing for every participant", "a value of some, with arm and covariates",
            "measure the follow-up first, or complete the allocation and participants.tsv",
        )  # fmt: skip
    arm = "treatment" if protocol.trial.design == "crossover" else "arm"
    rows = rows.assign(**{arm: pd.Categorical(rows[arm], categories=list(protocol.compared))})
    options: dict[str, Any] = {"alpha": endpoint.alpha, "reference": _reference(rows[arm], protocol)}
    options |= {
        name: given for name in ("df", "covariance", "correlation") if (given := getattr(endpoint, name))
    }
    if weighted:
        options["se"] = "se"
    if endpoint.estimator == "crossover":
        model = _crossover(endpoint, rows, options, estimand)
    else:
        model = _FITS[endpoint.estimator](endpoint, rows, {**options, "arm": arm})
    last, earlier = _contrasts(model, endpoint, arm, protocol)
    return Fitted(
        model,
        last,
        earlier,
        int(rows[PARTICIPANT].nunique()),
        sites_behind(rows, endpoint),
        endpoint.estimator,
    )


def _reference(arms: pd.Series, protocol: Protocol) -> str | None:
    """The reference where anyone has it; else the estimator says what is missing."""
    return protocol.compared[0] if (arms == protocol.compared[0]).any() else None


def _ancova(endpoint: Endpoint, rows: pd.DataFrame, options: dict[str, Any]) -> Any:
    from remyelin.trial.linear import ancova

    return ancova(endpoint.formula, rows, **options)


def _mixed(endpoint: Endpoint, rows: pd.DataFrame, options: dict[str, Any]) -> Any:
    from remyelin.trial import mixed_model

    nested = endpoint.of_sites and bool(rows.duplicated([PARTICIPANT, endpoint.site]).any())
    groups = [PARTICIPANT, endpoint.site] if nested else PARTICIPANT
    return mixed_model(endpoint.formula, rows, groups, **options)


def _mmrm(endpoint: Endpoint, rows: pd.DataFrame, options: dict[str, Any]) -> Any:
    from remyelin.trial import mmrm

    return mmrm(endpoint.formula, rows, subject=PARTICIPANT, visit="visit", **options)


def _gee(endpoint: Endpoint, rows: pd.DataFrame, options: dict[str, Any]) -> Any:
    from remyelin.trial import gee

    return gee(endpoint.formula, rows, PARTICIPANT, **options)


def _crossover(endpoint: Endpoint, rows: pd.DataFrame, options: dict[str, Any], estimand: str | None) -> Any:
    from remyelin.trial import crossover

    asked = estimand or own_estimand(endpoint)
    based = "baseline" if asked != "crossover" and rows["baseline"].notna().all() else None
    if based is None and asked == "baseline-adjusted":
        n = int(rows["baseline"].isna().sum())
        raise InputError(
            "", "baseline", f"missing in {n} of {len(rows)} rows", "a baseline of every eye",
            "leave it out of the formula",
        )  # fmt: skip
    options = options | {"estimand": asked}
    return crossover(
        without(endpoint.formula, "baseline"), rows, eye=endpoint.site if endpoint.of_sites else None,
        baseline=based, **options,
    )  # fmt: skip


_FITS: Mapping[str, Callable[[Endpoint, pd.DataFrame, dict[str, Any]], Any]] = {
    "ancova": _ancova,
    "mixed": _mixed,
    "mmrm": _mmrm,
    "gee": _gee,
}


def own_estimand(endpoint: Endpoint) -> str:
    """The question that the formula of a crossover asks."""
    return "baseline-adjusted" if "baseline" in parse(endpoint.formula)[2] else "crossover"


def without(formula: str, *names: str) -> str:
    """A formula without the terms that hold any of these columns.

    Examples
    --------
    >>> without("change ~ arm * visit + baseline * visit", "visit")
    'change ~ arm + baseline'
    """
    response, terms, columns, _ = parse(formula)
    if not set(names) & set(columns):
        return formula
    kept = [str(term) for term in terms if not any(_holds(term, name) for name in names)]
    words = [word for word in kept if word != "1"]
    if len(words) == len(kept):
        words.insert(0, "0")
    return f"{response} ~ {' + '.join(words)}"


def _holds(term: Any, name: str) -> bool:
    return name in parse(f"y ~ {term}")[2]


def _contrasts(
    model: Any, endpoint: Endpoint, arm: str, protocol: Protocol
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """At the last visit, and at each before; the name of a contrast is that of the arms."""
    first, *others = protocol.compared
    if endpoint.estimator == "crossover":
        found = model.contrasts()
        return found.set_axis(pd.Index([f"{name} - {first}" for name in others][: len(found)])), {}
    if "visit" not in model.design.factors:
        return model.contrasts(), {}
    index, rows = differences(model.design, arm, ["visit"])
    found = model.contrast(rows).set_axis(index)
    visits = {
        str(visit): found.xs(visit, level="visit") for visit in index.get_level_values("visit").unique()
    }
    last = visits.pop(endpoint.visits[-1], None)
    if last is None:
        raise InputError(
            "", "visit", f"without any value at {endpoint.visits[-1]}", "the last visit of the endpoint",
            "measure it, or name an earlier visit last",
        )  # fmt: skip
    return last, visits


def sites_behind(rows: pd.DataFrame, endpoint: Endpoint) -> int:
    """The lesions or eyes behind the rows, each once."""
    if endpoint.of_sites:
        return len(rows.drop_duplicates([PARTICIPANT, endpoint.site]))
    return int(rows.groupby(PARTICIPANT)["n_used"].max().sum())
