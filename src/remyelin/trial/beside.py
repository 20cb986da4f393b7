"""What an endpoint gives when one choice is made otherwise: weights, questions, means, failed values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from remyelin.errors import Flag, InputError, RefuseRun
from remyelin.protocol import Endpoint
from remyelin.trial.case import Case, ResultRow, Study, case_of, result_rows
from remyelin.trial.fits import Fitted, fit_rows, own_estimand
from remyelin.trial.redraw import redraw
from remyelin.trial.sets import ALL
from remyelin.trial.sibling_rows import sibling_rows
from remyelin.trial.siblings import Sibling, siblings

ESTIMANDS = {
    "crossover": "crossover",
    "baseline-adjusted": "adjusted for baseline",
    "first-period": "first period",
    "delayed-treatment": "delayed treatment",
    "delayed-treatment, period-adjusted": "delayed treatment, adjusted for period",
}
"""How the questions of a crossover are called in the results."""


def beside(study: Study, case: Case, fitted: Fitted) -> tuple[list[ResultRow], list[Flag]]:
    """What the endpoint gives when one choice is made otherwise."""
    results: list[ResultRow] = []
    flags: list[Flag] = []
    for name, attempt in _attempts(study, case, fitted, flags):
        try:
            results += attempt()
        except (InputError, RefuseRun) as error:
            flags.append(Flag(error.file, name, error.found, error.expected, error.fix))
    return results, flags


def _attempts(
    study: Study, case: Case, fitted: Fitted, flags: list[Flag]
) -> Iterator[tuple[str, Callable[[], list[ResultRow]]]]:
    """By name; what an attempt finds doubtful goes to `flags`."""
    endpoint = case.endpoint
    for visit, contrasts in fitted.earlier.items():
        at = Fitted(fitted.model, contrasts, {}, fitted.n_participants, fitted.n_sites)
        yield visit, lambda at=at, name=f"{endpoint.id} (at {visit})": result_rows(case, name, at)
    if case.long.layout == "period":
        for asked, words in ESTIMANDS.items():
            if endpoint.estimator == "crossover" and asked != own_estimand(endpoint):
                name = f"{endpoint.id} ({words})"
                yield name, lambda asked=asked, name=name: _refit(study, case, name, estimand=asked)
    weighted = endpoint.weighting == "measurement-error"
    if weighted or ((case.own["se"] > 0).any() and case.own["se"].notna().all()):
        name = (
            f"{endpoint.id} ({'measurement error not used' if weighted else 'weighted by measurement error'})"
        )
        yield name, lambda name=name: _refit(study, case, name, weighted=not weighted)
    if case.long.layout != "period":
        for sibling in _means(study, case):
            yield sibling.name, lambda sibling=sibling: sibling_rows(study, case, sibling)
    if "re-randomisation" in endpoint.sensitivity:
        yield f"{endpoint.id} (re-randomisation)", lambda: _redrawn(study, case, flags)
    if case.long.any_failed:
        name = f"{endpoint.id} (quality fail included)"
        yield name, lambda name=name: _with_failed(study, endpoint, name)


def _means(study: Study, case: Case) -> Iterator[Sibling]:
    """The siblings that are one number a participant."""
    first, *others = siblings(case.long.changes, study.slope)
    if case.long.layout != "participant":
        yield Sibling(f"{first.name} (means of participants)", first.change)
    yield from others


def _refit(
    study: Study, case: Case, name: str, *, weighted: bool | None = None, estimand: str | None = None
) -> list[ResultRow]:
    endpoint = case.endpoint
    own = endpoint.weighting == "measurement-error"
    fitted = fit_rows(
        endpoint, case.own, study.protocol, weighted=own if weighted is None else weighted, estimand=estimand
    )
    return result_rows(case, name, fitted)


def _redrawn(study: Study, case: Case, flags: list[Flag]) -> list[ResultRow]:
    rows, test = redraw(study, case)
    flags += test.flags
    return rows


def _with_failed(study: Study, endpoint: Endpoint, name: str) -> list[ResultRow]:
    """How the answer would be with the values of quality fail."""
    case, _ = case_of(study, endpoint, keep_failed=True)
    fitted = fit_rows(endpoint, case.own, study.protocol, weighted=endpoint.weighting == "measurement-error")
    return result_rows(case, name, fitted, analysis_set=ALL)
