"""Which results may be pooled: one a trial, of one scale, estimand and unit of analysis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import InputError, did_you_mean

from .alike import WORDS, mixed
from .load import read_file, records
from .outcome import RATIOS, Endpoint, Result
from .study import Study, lacking, study_of

FILTERS = ("estimand", "analysis_set", "timepoint", "per", "scale", "prespecified", "subgroup")


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of an endpoint that are pooled, and those that are not.

    `left_out` gives the reason for each row. `warnings` says what was mixed because the user asked for it,
    and `notes` what else differs, or was not seen.
    """

    endpoint: Endpoint
    studies: tuple[Study, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

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
    results: str | Sequence[str] = (),
    trials: str | Sequence[str] = (),
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
        Only with these words: `estimand`, `analysis_set`, `timepoint`, `per`, `scale`, `prespecified`,
        `subgroup` (``""``: of all).
    unverified
        Also results that were recalled and not read.
    anyway
        Pool estimands, units of analysis and subgroups that differ, and say so; scales are never mixed.
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
    for result in known.chosen(asked.id, _several(results), _several(trials), only or {}):
        why = _not_for_pooling(result, unverified)
        made = None if why else study_of(result, known.names.get(result.trial, result.trial))
        if made is None:
            left.append((result.id, why or lacking(result)))
        else:
            studies.append(made)
    if not studies:
        narrowed = "loosen the filters, or see" if results or trials or only else "see"
        raise InputError(
            "", "endpoint", f"'{endpoint}' with no result that can be pooled ({listed(left)})",
            "results with an estimate and its interval, standard error or p",
            f"{narrowed} `remyelin evidence list results --of {endpoint}`",
        )  # fmt: skip
    warnings, notes = mixed(studies, anyway)
    return Selection(asked, tuple(studies), tuple(left), warnings, notes)


def listed(left_out: Sequence[tuple[str, str]]) -> str:
    """The rows that are left out, each with its reason."""
    return "; ".join(f"{name}: {why}" for name, why in left_out) or "none is on record"


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name as a tuple of it."""
    return (names,) if isinstance(names, str) else tuple(names)


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
            fix = did_you_mean(str(name), sorted({each.endpoint for each in self.results}))
            raise InputError("", "endpoint", f"'{name}', unknown", "the id of an endpoint", fix)
        return self.endpoints[name]

    def chosen(
        self, endpoint: str, results: Sequence[str], trials: Sequence[str], only: Mapping[str, str]
    ) -> list[Result]:
        here = [each for each in self.results if each.endpoint == endpoint]
        self._refuse_unknown("results", results, [each.id for each in here], endpoint)
        self._refuse_unknown("trials", trials, [each.trial for each in here], endpoint)
        for field, word in only.items():
            if field not in FILTERS:
                fix = did_you_mean(str(field), FILTERS)
                raise InputError("", "only", f"'{field}'", "a field that rows are chosen by", fix)
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
                shown = f"'{name}'" if isinstance(name, str) else repr(name)
                expected = f"one that has results of {endpoint}"
                fix = did_you_mean(str(name), there)
                raise InputError("", WORDS.get(field, field), shown, expected, fix)


def _not_for_pooling(result: Result, unverified: bool) -> str:
    """Why a result is left out; empty for one that may be pooled."""
    if result.status == "unverified" and not unverified:
        return "unverified"
    if result.contrast != "active - control":
        return f"no contrast of two arms ({result.contrast})"
    return ""
