"""Which results may be pooled: one a trial, of one scale, estimand and unit of analysis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import InputError, did_you_mean

from .load import read_file, records
from .outcome import RATIOS, Endpoint, Result
from .study import Study, study_of

POOL_ANYWAY = "--pool-anyway"
# What must be alike, and what one may pool all the same if one says so: a mean of ms and pu has no meaning.
_NEVER_MIXED = ("unit", "scale")
_ASKED = ("estimand", "per")
_WORDS = {"per": "unit of analysis", "analysis_set": "analysis set"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of an endpoint that are pooled, and those that are not.

    `warnings` says what was mixed because the user asked for it; `left_out` gives the reason for each row.
    """

    endpoint: Endpoint
    studies: tuple[Study, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def ratio(self) -> bool:
        """Whether the effects are logarithms of ratios."""
        return self.studies[0].result.scale in RATIOS

    @property
    def unit(self) -> str:
        """The unit of every row; empty for a ratio."""
        return "" if self.ratio else self.studies[0].result.unit

    @property
    def estimand(self) -> str:
        """The estimands of the rows."""
        return " and ".join(dict.fromkeys(study.result.estimand for study in self.studies))


def select(
    endpoint: str,
    *,
    results: Sequence[str] = (),
    trials: Sequence[str] = (),
    only: Mapping[str, str] | None = None,
    unverified: bool = False,
    anyway: bool = False,
    path: Path | str | None = None,
) -> Selection:
    """The results of an endpoint that are to be pooled.

    Parameters
    ----------
    endpoint
        Its id.
    results
        Only these, by id: says which of several of a trial is meant.
    trials
        Only of these trials.
    only
        Only with these words: `estimand`, `analysis_set`, `timepoint`, `per`, `scale`, `prespecified`.
    unverified
        Also results that were recalled and not read.
    anyway
        Pool estimands and units of analysis that differ, and say so; units and scales are never mixed.
    path
        Results of a file of your own in place of those of the evidence base.

    Raises
    ------
    InputError
        An unknown id, several rows of one trial, or rows that differ; the choices are listed.

    Examples
    --------
    >>> found = select("p100_latency_ms", results=["rebuild-p100-crossover", "ccmr-two-p100"], anyway=True)
    >>> [(study.label, study.effect, round(study.se, 3)) for study in found.studies]
    [('CCMR-Two', -1.2, 0.587), ('ReBUILD', -1.7, 0.612)]
    """
    known = _Known.read(path)
    asked = known.endpoint(endpoint)
    left: list[tuple[str, str]] = []
    studies = []
    for result in known.chosen(asked.id, results, trials, only or {}):
        why = _not_for_pooling(result, unverified)
        made = None if why else study_of(result, known.names.get(result.trial, result.trial))
        if made is None:
            left.append((result.id, why or "no standard error, and nothing that gives one"))
        else:
            studies.append(made)
    if not studies:
        raise InputError(
            "", "endpoint", f"'{endpoint}' with no result that can be pooled ({_reasons(left)})",
            "results with an estimate and its interval, standard error or p",
            "loosen the filters, or see `remyelin evidence list results`",
        )  # fmt: skip
    warnings = _refuse_mixed(studies, anyway)
    return Selection(asked, tuple(studies), tuple(left), warnings)


@dataclass(frozen=True, slots=True)
class _Known:
    results: tuple[Result, ...]
    endpoints: dict[str, Endpoint]
    names: dict[str, str]

    @classmethod
    def read(cls, path: Path | str | None) -> _Known:
        own = {} if path is None else read_file(path)
        endpoints = (*records("endpoints"), *own.get("endpoints", ()))
        trials = (*records("trials"), *own.get("trials", ()))
        results = records("results") if path is None else own.get("results", ())
        return cls(
            tuple(results), {each.id: each for each in endpoints}, {each.id: each.name for each in trials}
        )

    def endpoint(self, name: str) -> Endpoint:
        if name not in self.endpoints:
            fix = did_you_mean(name, sorted({each.endpoint for each in self.results}))
            raise InputError("", "endpoint", f"'{name}', unknown", "the id of an endpoint", fix)
        return self.endpoints[name]

    def chosen(
        self, endpoint: str, results: Sequence[str], trials: Sequence[str], only: Mapping[str, str]
    ) -> list[Result]:
        here = [each for each in self.results if each.endpoint == endpoint]
        self._refuse_unknown("results", results, [each.id for each in here], endpoint)
        self._refuse_unknown("trials", trials, [each.trial for each in here], endpoint)
        for field, word in only.items():
            there = list(dict.fromkeys(str(getattr(each, field)) for each in here))
            self._refuse_unknown(field, (word,), there, endpoint)
        return [
            each
            for each in here
            if (not results or each.id in results)
            and (not trials or each.trial in trials)
            and all(getattr(each, field) == word for field, word in only.items())
        ]

    @staticmethod
    def _refuse_unknown(field: str, given: Iterable[str], there: Sequence[str], endpoint: str) -> None:
        for name in given:
            if name not in there:
                expected = f"one that has results of {endpoint}"
                raise InputError(
                    "", _WORDS.get(field, field), f"'{name}'", expected, did_you_mean(name, there)
                )


def _not_for_pooling(result: Result, unverified: bool) -> str:
    """Why a result is left out; empty for one that may be pooled."""
    if result.status == "unverified" and not unverified:
        return "unverified"
    if result.contrast != "active - control":
        return f"no contrast of two arms ({result.contrast})"
    return ""


def _refuse_mixed(studies: Sequence[Study], anyway: bool) -> tuple[str, ...]:
    for field in _NEVER_MIXED:
        if len(kinds := _kinds(studies, field)) > 1:
            fix = (
                f"say which, as --scale '{_most(kinds)}', or name rows with --results: these cannot be pooled"
            )
            if field == "unit":
                fix = "name rows of one unit with --results: these cannot be pooled"
            raise InputError("", f"{field} of the results", f"mixed: {_listed(kinds)}", f"one {field}", fix)
    _refuse_two_of_a_trial(studies)
    warnings = []
    for field in _ASKED:
        if len(kinds := _kinds(studies, field)) > 1:
            word = _WORDS.get(field, field)
            if not anyway:
                fix = f"say which, as --{field} '{_most(kinds)}', name rows with --results, or {POOL_ANYWAY}"
                raise InputError("", f"{word} of the results", f"mixed: {_listed(kinds)}", f"one {word}", fix)
            warnings.append(f"{word} mixed: {_listed(kinds)}")
    return tuple(warnings)


def _refuse_two_of_a_trial(studies: Sequence[Study]) -> None:
    by_trial: dict[str, list[Study]] = {}
    for study in studies:
        by_trial.setdefault(study.result.trial, []).append(study)
    several = {trial: own for trial, own in by_trial.items() if len(own) > 1}
    if several:
        found = "; ".join(
            f"{len(own)} of {trial}: {', '.join(_short(study.result) for study in own)}"
            for trial, own in several.items()
        )
        first = next(iter(several.values()))[0].result.id
        fix = f"name one of each, as --results {first}, or narrow by --analysis-set, --timepoint, --estimand"
        raise InputError("", "results", found, "one row a trial", fix)


def _short(result: Result) -> str:
    words = (result.analysis_set, result.timepoint, result.estimand, result.subgroup)
    said = ", ".join(word for word in words if word not in ("", "not seen"))
    value = "" if result.estimate is None else f"{result.estimate:g} {result.unit}".removesuffix(" 1")
    return f"{result.id} ({', '.join(each for each in (value, said) if each)})"


def _kinds(studies: Sequence[Study], field: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for study in studies:
        found.setdefault(getattr(study.result, field), []).append(study.result.id)
    return found


def _most(kinds: Mapping[str, Sequence[str]]) -> str:
    """What most rows are."""
    return max(kinds, key=lambda kind: len(kinds[kind]))


def _listed(kinds: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{kind} ({', '.join(ids)})" for kind, ids in kinds.items())


def _reasons(left: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in left) or "none is on record"
