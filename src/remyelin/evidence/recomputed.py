"""Published numbers recomputed from those beside them, and the conflicts between sources side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .comparison import Comparison, comparisons, published_p
from .draft import undecided
from .draft_row import Decision
from .formula import comparisons_of_formulas
from .kinds import Conflict, Sibling
from .load import read_file, records
from .outcome import Result
from .sizes import comparisons_of_sizes, comparisons_of_trials


@dataclass(frozen=True, slots=True)
class Stand:
    """One of the values of a conflict, and which of the numbers beside it contradict it.

    `against` holds the comparisons that fail if this value is put in its place.
    """

    record: str
    field: str
    value: str
    source: tuple[str, ...]
    status: str
    words: str
    against: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflicting:
    """A conflict with its values side by side."""

    id: str
    kind: str
    words: str
    resolution: str
    siblings: tuple[Stand, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found.

    Attributes
    ----------
    comparisons
        Every number that could be recomputed.
    known
        By record and field, the conflict in which a disagreement is explained.
    alone
        Records with numbers of which none can be recomputed from the others, and why.
    conflicts
        Every conflict of the evidence base; of a file of your own, those that the file has.
    recalled
        Results that are unverified: recalled and not read.
    undecided
        Of a draft, what a reviewer still has to decide.
    """

    comparisons: tuple[Comparison, ...]
    known: dict[tuple[str, str], str]
    alone: tuple[tuple[str, str], ...]
    conflicts: tuple[Conflicting, ...]
    recalled: frozenset[str]
    undecided: tuple[Decision, ...] = ()

    @property
    def disagreements(self) -> tuple[Comparison, ...]:
        """The comparisons that do not agree."""
        return tuple(each for each in self.comparisons if not each.agrees)

    @property
    def new(self) -> tuple[Comparison, ...]:
        """The disagreements that no conflict of the evidence base explains."""
        return tuple(each for each in self.disagreements if (each.record, each.field) not in self.known)

    @property
    def exit_code(self) -> int:
        """1 if there is a disagreement that nobody has explained."""
        return 1 if self.new else 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON: each comparison with its verdict, what stands alone, the conflicts."""
        return {
            "comparisons": [
                asdict(each)
                | {
                    "known": self.known.get((each.record, each.field), ""),
                    "unverified": each.record in self.recalled,
                }
                for each in self.comparisons
            ],
            "alone": [{"record": record, "why": why} for record, why in self.alone],
            "conflicts": [asdict(each) for each in self.conflicts],
            "undecided": [each._asdict() for each in self.undecided],
            "new": len(self.new),
        }

    def __str__(self) -> str:
        agreed = len(self.comparisons) - len(self.disagreements)
        lines = [f"{agreed} of {len(self.comparisons)} numbers that can be recomputed agree."]
        lines += [f"NEW {each}" for each in self.new]
        for each in self.disagreements:
            if conflict := self.known.get((each.record, each.field)):
                lines.append(f"known {each}; see {conflict}")
        return "\n".join(lines)


def check(path: Path | str | None = None) -> Checked:
    """Recompute what can be recomputed of published results, sample sizes and derived parameters.

    Nothing is flagged for rounding alone: a number agrees if some number that rounds to it follows from some
    numbers that round to those beside it. Where a paper does not say which, p may be of the normal or of t.

    Parameters
    ----------
    path
        A file of your own with tables ``[results.ID]`` (and ``[trials.ID]``, ``[sources.ID]`` ...); without
        it, the evidence base.

    Raises
    ------
    InputError
        A file that is not sound, by field.

    Examples
    --------
    >>> found = check()
    >>> found.exit_code, len(found.conflicts) >= 11
    (0, True)
    >>> [round(each.recomputed.value, 4) for each in found.disagreements if each.published == "0.044"]
    [0.0285]
    """
    of = records if path is None else partial(_own, read_file(path))
    results, conflicts = of("results"), of("conflicts")
    trials = records("trials") if path is None else (*records("trials"), *of("trials"))
    people = {trial.id: trial.n for trial in trials}
    made = {result.id: tuple(comparisons(result, people.get(result.trial))) for result in results}
    return Checked(
        comparisons=(
            *(each for found in made.values() for each in found),
            *comparisons_of_trials(of("trials")),
            *comparisons_of_sizes(of("sample_sizes")),
            *comparisons_of_formulas(of("parameters")),
        ),
        known=dict(_known(conflicts)),
        alone=tuple(_alone(result) for result in results if not made[result.id] and _has_numbers(result)),
        conflicts=tuple(_shown(conflict, results, people) for conflict in conflicts),
        recalled=frozenset(f"results/{result.id}" for result in results if result.status == "unverified"),
        undecided=() if path is None else undecided(path),
    )


def _own(found: Mapping[str, tuple[Any, ...]], kind: str) -> tuple[Any, ...]:
    return found.get(kind, ())


def _known(conflicts: Iterable[Conflict]) -> Iterator[tuple[tuple[str, str], str]]:
    """A conflict explains a disagreement if it holds two values of that very number."""
    for conflict in conflicts:
        places = [(each.record, each.field) for each in conflict.siblings]
        yield from ((place, conflict.id) for place in dict.fromkeys(places) if places.count(place) > 1)


def _has_numbers(result: Result) -> bool:
    return bool(result.arms) or any(
        getattr(result, name) is not None for name in ("estimate", "low", "p", "p_low", "se")
    )


def _alone(result: Result) -> tuple[str, str]:
    """Why nothing of a result can be recomputed: what is not there."""
    there = {
        "an estimate": result.estimate is not None,
        "an interval or standard error": result.low is not None or result.se is not None,
        "p": published_p(result) is not None,
    }
    lacking = [words for words, is_there in there.items() if not is_there]
    lacking.append("events and n, or means and SD, of two arms")
    return f"results/{result.id}", f"without {', '.join(lacking)}"


def _shown(conflict: Conflict, results: Iterable[Result], people: dict[str, int | None]) -> Conflicting:
    by_id = {f"results/{result.id}": result for result in results}
    stands = []
    for sibling in conflict.siblings:
        against: tuple[Comparison, ...] = ()
        if conflict.kind == "arithmetic" and (result := by_id.get(sibling.record)) is not None:
            against = _against(sibling, result, people.get(result.trial))
        value = sibling.value if isinstance(sibling.value, str) else f"{sibling.value:g}"
        stands.append(
            Stand(
                sibling.record, sibling.field, value, sibling.source, sibling.status, sibling.words, against
            )
        )
    return Conflicting(conflict.id, conflict.kind, conflict.words, conflict.resolution, tuple(stands))


def _against(sibling: Sibling, result: Result, people: int | None) -> tuple[Comparison, ...]:
    """What contradicts a value in its place; not what fails with the value on record just as well."""
    put = _put(result, sibling.field, sibling.value)
    if put is None:
        return ()
    anyway = {(each.field, each.how) for each in comparisons(result, people) if not each.agrees}
    return tuple(
        each
        for each in comparisons(put, people)
        if not each.agrees and (each.field == sibling.field or (each.field, each.how) not in anyway)
    )


def _put(result: Result, field: str, value: str | float) -> Result | None:
    """The result with another value in a field, as ``p`` or ``arms.placebo.events``; None if it cannot."""
    if isinstance(value, str):
        return result if getattr(result, field, None) == value else None
    head, _, rest = field.partition(".")
    if head != "arms":
        return result.model_copy(update={head: value}) if head in type(result).model_fields else None
    name, _, key = rest.rpartition(".")
    given = int(value) if key in ("events", "n", "eyes") else value
    arms = tuple(arm.model_copy(update={key: given}) if arm.arm == name else arm for arm in result.arms)
    return result.model_copy(update={"arms": arms})
