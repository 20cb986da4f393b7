"""Whether results are alike enough to be pooled: what never differs, what is asked, what is only named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from remyelin.errors import InputError

from .study import Study

POOL_ANYWAY = "--pool-anyway"
# A mean of odds ratios and differences has no meaning; what is asked may be pooled if one says so.
_NEVER_MIXED = ("scale",)
_ASKED = ("estimand", "per", "subgroup")
_NAMED = ("timepoint", "analysis_set")
_FLAGS = ("scale", "estimand", "per")
WORDS = {"per": "unit of analysis", "analysis_set": "analysis set", "timepoint": "time"}
Kinds = dict[str, list[Study]]


def mixed(studies: Sequence[Study], anyway: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What differs among the rows: because the user asked for it; and what is no bar, but must be known.

    What nobody read is not taken to be alike: it is named, too.

    Raises
    ------
    InputError
        Rows of several scales; several rows of one trial; other rows that differ, unless `anyway`. The fix
        is one that leaves rows of two trials, where there is one.

    Examples
    --------
    >>> from remyelin.evidence.lookup import find
    >>> from remyelin.evidence.study import study_of
    >>> rows = [study_of(find(name), "") for name in ("rebuild-p100-crossover", "ccmr-two-p100")]
    >>> mixed(rows, anyway=True)[1][1]
    'analysis set mixed: ITT (rebuild-p100-crossover); completers (ccmr-two-p100)'
    """
    for field in _NEVER_MIXED:
        if len(kinds := _kinds(studies, field)) > 1:
            raise _mixture(field, kinds, "these cannot be pooled")
    _refuse_two_of_a_trial(studies)
    warnings = []
    for field in _ASKED:
        if len(kinds := _kinds(studies, field)) > 1:
            if not anyway:
                raise _mixture(field, kinds, POOL_ANYWAY)
            warnings.append(f"{_word(field)} mixed: {_listed(kinds)}")
    notes = []
    for field in (*_ASKED, *_NAMED):
        kinds = _kinds(studies, field)
        if len(kinds) > 1 and field in _NAMED:
            notes.append(f"{_word(field)} mixed: {_listed(kinds)}")
        elif [*kinds] == ["not seen"] and len(studies) > 1:
            notes.append(f"{_word(field)} not seen of any row, so it may differ")
    return tuple(warnings), tuple(notes)


def _mixture(field: str, kinds: Kinds, otherwise: str) -> InputError:
    word, most = _word(field), max(kinds, key=lambda kind: len(_trials(kinds[kind])))
    joined = ", or " if otherwise == POOL_ANYWAY else ": "
    if len(_trials(kinds[most])) < 2:
        fix = f"no two trials are alike in it{': leave them apart' * (otherwise == POOL_ANYWAY)}"
    elif field in _FLAGS:
        fix = f"say which, as --{field} '{most}'"
    else:
        fix = f"name them, as --results {' '.join(study.result.id for study in kinds[most])}"
    fix += joined + otherwise
    return InputError("", f"{word} of the results", f"mixed: {_listed(kinds)}", f"one {word}", fix)


def _refuse_two_of_a_trial(studies: Sequence[Study]) -> None:
    by_trial: Kinds = {}
    for study in studies:
        by_trial.setdefault(study.result.trial, []).append(study)
    several = {trial: own for trial, own in by_trial.items() if len(own) > 1}
    if not several:
        return
    found = "; ".join(
        f"{len(own)} of {trial}: {', '.join(_short(study) for study in own)}"
        for trial, own in several.items()
    )
    first = " ".join(max(own, key=_rank).result.id for own in by_trial.values())
    fix = f"name one of each, as --results {first}, or narrow by --analysis-set, --timepoint, --estimand"
    if len(by_trial) < 2:
        fix = "one trial is its own result: pool it with another, or show one of its rows"
    raise InputError("", "results", found, "one row a trial", fix)


def _rank(study: Study) -> tuple[bool, ...]:
    """Greatest for the row that a reader would look at first."""
    result = study.result
    during = result.analysis_set != "follow-up"
    return result.primary, result.prespecified == "prespecified", during, not result.subgroup


def _short(study: Study) -> str:
    result = study.result
    words = (result.analysis_set, result.timepoint, result.estimand, result.subgroup)
    said = ", ".join(word for word in words if word not in ("", "not seen"))
    value = "" if result.estimate is None else f"{result.estimate:g} {result.unit}".removesuffix(" 1")
    return f"{result.id} ({', '.join(each for each in (value, said) if each)})"


def _kinds(studies: Sequence[Study], field: str) -> Kinds:
    found: Kinds = {}
    for study in studies:
        found.setdefault(getattr(study.result, field) or "all", []).append(study)
    return found


def _trials(studies: Sequence[Study]) -> set[str]:
    return {study.result.trial for study in studies}


def _word(field: str) -> str:
    return WORDS.get(field, field)


def _listed(kinds: Mapping[str, Sequence[Study]]) -> str:
    return "; ".join(f"{kind} ({', '.join(study.result.id for study in own)})" for kind, own in kinds.items())
