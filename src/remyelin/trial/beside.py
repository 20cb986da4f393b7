"""What an endpoint gives when one choice is made otherwise: weights, questions, means, failed values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import pandas as pd

from remyelin.errors import Flag, InputError, RefuseRun
from remyelin.protocol import Endpoint
from remyelin.trial.case import Case, ResultRow, Study, case_of, result_rows
from remyelin.trial.estimand_words import CROSSOVER
from remyelin.trial.fits import Fitted, fit_rows, own_estimand
from remyelin.trial.formula import parse
from remyelin.trial.incomplete import METHODS, fit_set, missing_rows, n_missing, tipping
from remyelin.trial.redraw import redraw
from remyelin.trial.sets import ALL
from remyelin.trial.sibling_rows import sibling_rows
from remyelin.trial.siblings import Sibling, siblings


@dataclass(slots=True)
class Beside:
    """What stands beside the answer of an endpoint; each attempt adds to it.

    `tipping` has a row a contrast and shift, see `remyelin.trial.incomplete.tipping`; `sentences` are for the
    methods section.
    """

    results: list[ResultRow] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    tipping: list[pd.DataFrame] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


Attempt = Callable[[], Iterable[ResultRow]]


def beside(study: Study, case: Case, fitted: Fitted) -> Beside:
    """What the endpoint gives when one choice is made otherwise; what cannot be had is flagged."""
    found = Beside()
    for name, attempt in (
        *_models(study, case, fitted),
        *_sensitivity(study, case, found),
        *_others(study, case),
    ):
        try:
            found.results += attempt()
        except (InputError, RefuseRun) as error:
            found.flags.append(Flag(error.file, name, error.found, error.expected, error.fix))
    return found


def _models(study: Study, case: Case, fitted: Fitted) -> Iterator[tuple[str, Attempt]]:
    """The same model at other visits, for other questions, with or without the measurement's error."""
    endpoint = case.endpoint
    for visit, contrasts in fitted.earlier.items():
        name = f"{endpoint.id} (at {visit})"
        at = replace(fitted, contrasts=contrasts, earlier={})
        yield name, partial(result_rows, case, name, at)
    if endpoint.estimator == "crossover":
        for asked, words in CROSSOVER.items():
            if asked != own_estimand(endpoint):
                name = f"{endpoint.id} ({words})"
                yield name, partial(_refit, study, case, name, estimand=asked)
    columns = parse(endpoint.formula)[2]
    if endpoint.of_sites and case.long.layout != "period" and "baseline" in columns:
        # Between participants the baseline may act otherwise than within (Neuhaus & Kalbfleisch, Biometrics
        # 1998;54:638); one slope for both lets chance imbalance of the arms through.
        name = f"{endpoint.id} (mean baseline of the participant added)"
        more = endpoint.model_copy(update={"formula": f"{endpoint.formula} + baseline_mean"})
        if "baseline_mean" not in columns:
            yield name, partial(_refit, study, case, name, endpoint=more)
    weighted = endpoint.weighting == "measurement-error"
    known = (case.own["se"] > 0).any() and case.own["se"].notna().all()
    if weighted or (known and endpoint.missing == "none"):
        words = "measurement error not used" if weighted else "weighted by measurement error"
        name = f"{endpoint.id} ({words})"
        yield name, partial(_refit, study, case, name, weighted=not weighted)


def _sensitivity(study: Study, case: Case, found: Beside) -> Iterator[tuple[str, Attempt]]:
    """What the protocol asks for beside the answer."""
    endpoint = case.endpoint
    asked = [name for name in endpoint.sensitivity if name != "re-randomisation"]
    if asked and n_missing(case) == 0:
        found.sentences.append("No follow-up was missing, so nothing was imputed for sensitivity analyses.")
        asked = []
    for method in asked:
        name = f"{endpoint.id} ({METHODS.get(method, 'tipping point')})"
        if method == "tipping-point":
            yield name, partial(_tipped, study, case, found)
        else:
            yield name, partial(missing_rows, study, case, method)
    if "re-randomisation" in endpoint.sensitivity:
        yield f"{endpoint.id} (re-randomisation)", partial(_redrawn, study, case, found)


def _others(study: Study, case: Case) -> Iterator[tuple[str, Attempt]]:
    """Means of participants, values after an event, and values that failed."""
    if case.long.layout != "period":
        for sibling in _means(study, case):
            yield sibling.name, partial(sibling_rows, study, case, sibling)
    if any(case.after.values()):
        name = f"{case.endpoint.id} (values after events kept)"
        yield name, partial(_with_events, study, case.endpoint, name)
    if case.long.any_failed:
        name = f"{case.endpoint.id} (quality fail included)"
        yield name, partial(_with_failed, study, case.endpoint, name)


def _means(study: Study, case: Case) -> Iterator[Sibling]:
    """The siblings that are one number a participant."""
    first, *others = siblings(case.long.changes, study.slope)
    if case.long.layout != "participant":
        yield Sibling(f"{first.name} (means of participants)", first.change)
    yield from others


def _refit(
    study: Study,
    case: Case,
    name: str,
    *,
    weighted: bool | None = None,
    estimand: str | None = None,
    endpoint: Endpoint | None = None,
) -> list[ResultRow]:
    endpoint = endpoint or case.endpoint
    own = endpoint.weighting == "measurement-error"
    fitted = fit_rows(
        endpoint, case.own, study.protocol, weighted=own if weighted is None else weighted, estimand=estimand
    )
    return result_rows(case, name, fitted)


def _redrawn(study: Study, case: Case, found: Beside) -> list[ResultRow]:
    rows, test = redraw(study, case)
    found.flags += test.flags
    found.sentences.append(
        f"The allocation was drawn again {test.replicates:,} times as the protocol says it was drawn (Simon "
        "& Simon, Stat Probab Lett 2011, doi 10.1016/j.spl.2010.12.018)."
    )
    return rows


def _tipped(study: Study, case: Case, found: Beside) -> list[ResultRow]:
    table, said = tipping(study, case)
    found.tipping.append(table)
    found.sentences += said
    return []


def _with_events(study: Study, endpoint: Endpoint, name: str) -> list[ResultRow]:
    """As under a treatment policy."""
    case, _ = case_of(study, endpoint, keep_events=True)
    return result_rows(case, name, fit_set(case, study.protocol, endpoint.own_set))


def _with_failed(study: Study, endpoint: Endpoint, name: str) -> list[ResultRow]:
    """How the answer would be with the values of quality fail."""
    case, _ = case_of(study, endpoint, keep_failed=True)
    fitted = fit_set(case, study.protocol, endpoint.own_set)
    return result_rows(case, name, fitted, analysis_set=ALL)
