"""One endpoint estimated: the prespecified answer, what stands beside it, and the other analysis sets."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.protocol import Endpoint
from remyelin.trial.beside import beside
from remyelin.trial.case import Case, ResultRow, Study, case_of, result_rows
from remyelin.trial.estimand_words import estimand_flags, event_words
from remyelin.trial.fits import Fitted
from remyelin.trial.incomplete import fit_set
from remyelin.trial.long import Long
from remyelin.trial.sets import defined_sets


@dataclass(frozen=True, slots=True)
class Estimated:
    """An endpoint and what was found.

    Attributes
    ----------
    long
        Its values.
    people
        Everyone measured or allocated; `analysed` says who is in the prespecified estimate.
    rows
        What the prespecified model was fitted to.
    members
        Who is in which analysis set.
    fitted
        The prespecified fit.
    results
        Rows of the results, the prespecified first.
    same
        Analysis sets with the participants of the endpoint's own, which get no row.
    tipping
        Tables of the tipping point, where the protocol asks for it.
    sentences
        On the sensitivity analyses, for the methods section.
    flags
        What is doubtful.
    """

    long: Long
    people: pd.DataFrame
    rows: pd.DataFrame
    members: pd.DataFrame
    fitted: Fitted
    results: tuple[ResultRow, ...]
    same: tuple[str, ...]
    tipping: tuple[pd.DataFrame, ...]
    sentences: tuple[str, ...]
    flags: tuple[Flag, ...]

    @property
    def endpoint(self) -> Endpoint:
        """Of the protocol."""
        return self.long.changes.endpoint


def estimate(study: Study, endpoint: Endpoint) -> Estimated:
    """Estimate an endpoint in all the ways that its protocol and its values allow.

    Raises
    ------
    InputError, RefuseRun
        Where the prespecified estimate cannot be had; whatever cannot be had beside it is flagged.
    """
    case, flags = case_of(study, endpoint)
    fitted = fit_set(case, study.protocol, endpoint.own_set)
    results = result_rows(case, endpoint.id, fitted, prespecified=True)
    more = beside(study, case, fitted)
    sets, same, missed = _other_sets(study, case)
    return Estimated(
        long=case.long,
        people=_people(case),
        rows=case.own,
        members=case.members,
        fitted=fitted,
        results=(*results, *more.results, *sets),
        same=same,
        tipping=tuple(more.tipping),
        sentences=(*event_words(case.after), *more.sentences),
        flags=(
            *flags,
            *estimand_flags(endpoint),
            *getattr(fitted.model, "flags", ()),
            *more.flags,
            *missed,
        ),
    )


def _people(case: Case) -> pd.DataFrame:
    """Everyone, with who is in the prespecified estimate, and why anyone is not."""
    people = case.people.drop(columns="usable")
    people["analysed"] = people["participant_id"].isin(case.ids(case.endpoint.own_set))
    people["baseline_at_entry"] = people["participant_id"].map(case.long.baselines).astype(float)
    silent = ~people["analysed"] & (people["reason"] == "") & people["arm"].ne("")
    people.loc[silent, "reason"] = f"not in the analysis set {case.endpoint.own_set}"
    return people


def _other_sets(study: Study, case: Case) -> tuple[list[ResultRow], tuple[str, ...], list[Flag]]:
    """The prespecified model in the other analysis sets; one with the same participants gets no row."""
    endpoint = case.endpoint
    own, *others = defined_sets(endpoint, study.protocol)
    results: list[ResultRow] = []
    same: list[str] = []
    flags: list[Flag] = []
    for name in others:
        if case.ids(name) == case.ids(own):
            same.append(name)
            continue
        try:
            fitted = fit_set(case, study.protocol, name)
            results += result_rows(case, endpoint.id, fitted, analysis_set=name)
        except InputError as error:
            where = f"endpoint '{endpoint.id}' analysis set {name}"
            flags.append(Flag(error.file, where, error.found, error.expected, error.fix))
    return results, tuple(same), flags
