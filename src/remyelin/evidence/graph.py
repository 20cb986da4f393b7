"""What acts on what: treatment to target to step of remyelination, barrier to step, trial to treatment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .frames import shown
from .load import records
from .mechanism import Barrier, Step, Target, Treatment
from .outcome import Trial

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("met", "met in part", "missed", "other", "running", "stopped", "unknown")
# How a trial's outcome begins, in the words of the trials' file. Met in part: at a level of its own, in a set
# of those randomised, or in a trial that was stopped early.
_VERDICTS = (
    ("met in part", r"(?:primary )?met\b.*(?:level|mITT|stopped early)"),
    ("met", r"primary met|met\b"),
    ("missed", r"(?:primary |ITT )?missed|futile"),
    ("running", r"ongoing|recruiting"),
    ("stopped", r"halted|recruitment failed|safety signal"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """One arrow of the graph. `harm`: the target is one that a treatment should leave alone."""

    start_kind: str
    start: str
    end_kind: str
    end: str
    status: str
    source: tuple[str, ...] = ()
    contested: bool = False
    harm: bool = False


@dataclass(frozen=True, slots=True)
class StepSummary:
    """What is known of one step: ids of what acts on it, and the number of trials by verdict.

    `harms` are the treatments that act on it to its harm; neither they nor what they take hold of then are
    among `treatments` and `targets`. `combined` of the trials gave a treatment together with another one.
    """

    step: Step
    targets: tuple[str, ...]
    treatments: tuple[str, ...]
    harms: tuple[str, ...]
    trials: dict[str, int]
    combined: int
    barriers: tuple[str, ...]
    open_barriers: tuple[str, ...]

    def __str__(self) -> str:
        tried = sum(self.trials.values())
        verdicts = ", ".join(f"{n} {verdict}" for verdict, n in self.trials.items())
        parts = [
            _count(len(self.targets), "target"),
            _count(len(self.treatments), "treatment"),
            _count(tried, "trial") + (f" ({verdicts})" if tried else ""),
            _count(len(self.barriers), "barrier"),
        ]
        line = f"{self.step.name}: {', '.join(parts)}"
        if self.combined:
            line += f"; {_count(self.combined, 'trial')} of several treatments together"
        if self.harms:
            line += f"; harmed by {', '.join(self.harms)}"
        if self.open_barriers:
            line += f"; barriers without a target: {', '.join(self.open_barriers)}"
        return line + ("" if self.treatments else "; nobody treats it")


@dataclass(frozen=True, slots=True)
class Graph:
    """The records that are shown and their links; `hidden` counts what is unverified and left out.

    `hidden_steps` are the names of the steps among them.
    """

    steps: tuple[Step, ...]
    targets: tuple[Target, ...]
    treatments: tuple[Treatment, ...]
    barriers: tuple[Barrier, ...]
    trials: tuple[Trial, ...]
    links: tuple[Link, ...]
    hidden: int
    hidden_steps: tuple[str, ...] = ()
    exit_code: int = 0

    def into(self, end_kind: str, end: str, start_kind: str) -> tuple[Link, ...]:
        """The links of one kind that end in a record."""
        return tuple(
            link
            for link in self.links
            if (link.end_kind, link.end, link.start_kind) == (end_kind, end, start_kind)
        )

    @property
    def adrift(self) -> tuple[Treatment, ...]:
        """Treatments that reach no step: they have no target, or its step is not shown."""
        at_steps = {link.start for link in self.links if link.end_kind == "steps"}
        reaching = {link.start for link in self.links if link.end in at_steps}
        return tuple(treatment for treatment in self.treatments if treatment.id not in reaching)

    def trials_of(self, treatment: str) -> tuple[Trial, ...]:
        """The trials in which people were given a treatment, alone or with others."""
        return tuple(trial for trial in self.trials if treatment in trial.treatments)

    def summary(self, step: Step) -> StepSummary:
        """What is known of one step."""
        held = tuple(dict.fromkeys(link.start for link in self.into("steps", step.id, "targets")))
        avoided = {target.id for target in self.targets if is_harm(target)}
        targets = tuple(each for each in held if each not in avoided)
        harms = (
            link.start
            for each in held
            if each in avoided
            for link in self.into("targets", each, "treatments")
        )
        barriers = tuple(dict.fromkeys(link.start for link in self.into("steps", step.id, "barriers")))
        helpful = [link.start for target in targets for link in self.into("targets", target, "treatments")]
        helpful += [link.start for each in barriers for link in self.into("barriers", each, "treatments")]
        treatments = tuple(dict.fromkeys(helpful))
        tried = {trial.id: trial for name in treatments for trial in self.trials_of(name)}
        verdicts = [verdict(trial) for trial in tried.values()]
        return StepSummary(
            step,
            targets,
            treatments,
            tuple(dict.fromkeys(harms)),
            {each: verdicts.count(each) for each in VERDICTS if each in verdicts},
            sum(len(trial.treatments) > 1 for trial in tried.values()),
            barriers,
            tuple(barrier for barrier in barriers if self.is_open(barrier)),
        )

    def is_open(self, barrier: str) -> bool:
        """Whether no target lifts a barrier and no treatment acts on it; what helps is no barrier."""
        sign = next(each.sign for each in self.barriers if each.id == barrier)
        return (
            sign != "+"
            and not self.into("barriers", barrier, "targets")
            and not self.into("barriers", barrier, "treatments")
        )

    def __str__(self) -> str:
        lines = [str(self.summary(step)) for step in self.steps]
        if self.adrift:
            names = ", ".join(treatment.name for treatment in self.adrift)
            lines.append(f"Treatments that reach no step shown here: {names}")
        if self.hidden_steps:
            lines.append(f"Steps not shown, since nobody has read of them: {', '.join(self.hidden_steps)}")
        if self.hidden:
            lines.append(f"Not shown: {self.hidden} records and links that nobody has read (--unverified)")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`: the links and a summary of each step."""
        steps = [
            {
                "step": summary.step.id,
                "targets": list(summary.targets),
                "treatments": list(summary.treatments),
                "harms": list(summary.harms),
                "combined": summary.combined,
                "trials": summary.trials,
                "barriers": list(summary.barriers),
                "open_barriers": list(summary.open_barriers),
            }
            for summary in map(self.summary, self.steps)
        ]
        links = [{name: getattr(link, name) for name in Link.__slots__} for link in self.links]
        hidden = {"hidden": self.hidden, "hidden_steps": list(self.hidden_steps)}
        return {"links": links, "steps": steps, **hidden}


def graph(*, unverified: bool = False) -> Graph:
    """The graph of the evidence base.

    Parameters
    ----------
    unverified
        Also what was recalled and read nowhere.

    Examples
    --------
    >>> differentiation = next(step for step in graph().steps if step.id == "differentiation")
    >>> "LINGO1" in graph().summary(differentiation).targets
    True
    """
    kinds = ("steps", "targets", "treatments", "barriers", "trials")
    every = {kind: records(kind) for kind in kinds}
    kept = {kind: shown(kind, unverified) for kind in kinds}
    hidden = sum(len(every[kind]) - len(kept[kind]) for kind in kinds)
    ids = {kind: {record.id for record in rows} for kind, rows in kept.items()}
    known = (link for rows in kept.values() for record in rows for link in _links(record))
    links = tuple(
        link for link in known if link.start in ids[link.start_kind] and link.end in ids[link.end_kind]
    )
    whole = [link for rows in every.values() for record in rows for link in _links(record)]
    return Graph(
        tuple(sorted(kept["steps"], key=lambda step: step.order)),
        kept["targets"],
        kept["treatments"],
        kept["barriers"],
        kept["trials"],
        links,
        hidden + len(whole) - len(links),
        tuple(step.name for step in every["steps"] if step.id not in ids["steps"]),
    )


def links(*, unverified: bool = False) -> pd.DataFrame:
    """What acts on what, one row a link.

    Parameters
    ----------
    unverified
        Also what was recalled and read nowhere.

    Returns
    -------
    pandas.DataFrame
        `start_kind`, `start`, `end_kind`, `end`, `status`, `source`, `contested`, `harm`: treatment to
        target, target and barrier to step, target to the barrier that it lifts, trial to treatment.

    Examples
    --------
    >>> table = links()
    >>> list(table[(table.start == "opicinumab") & (table.start_kind == "treatments")].end)
    ['LINGO1']
    """
    import pandas

    rows = [
        {name: getattr(link, name) for name in Link.__slots__} | {"source": ", ".join(link.source)}
        for link in graph(unverified=unverified).links
    ]
    return pandas.DataFrame(rows, columns=list(Link.__slots__))


def verdict(trial: Trial) -> str:
    """How a trial ended, one of `VERDICTS`, by the words of its record.

    ``"other"`` is an outcome that is neither a primary endpoint met nor missed, such as one of two met.

    Examples
    --------
    >>> verdict(next(trial for trial in records("trials") if trial.id == "rebuild"))
    'met'
    """
    if not trial.outcome:
        return "unknown"
    return next((word for word, start in _VERDICTS if re.match(start, trial.outcome, re.I)), "other")


def _links(record: Any) -> Iterator[Link]:
    if isinstance(record, Treatment):
        targets = {target.id: target for target in records("targets")}
        for edge in record.targets:
            harm = edge.target in targets and is_harm(targets[edge.target])
            kind = "targets" if edge.target in targets else "barriers"
            source = edge.source or record.source
            yield Link("treatments", record.id, kind, edge.target, edge.status, source, edge.contested, harm)
    elif isinstance(record, Target):
        for kind, ends in (("steps", record.acts_on), ("barriers", record.lifts)):
            for end in ends:
                yield Link(
                    "targets",
                    record.id,
                    kind,
                    end,
                    record.status,
                    record.source,
                    record.contested,
                    is_harm(record),
                )
    elif isinstance(record, Barrier):
        for end in record.acts_on:
            yield Link("barriers", record.id, "steps", end, record.status, record.source, record.contested)
    elif isinstance(record, Trial):
        for end in record.treatments:
            yield Link("trials", record.id, "treatments", end, record.status, record.source)


def is_harm(target: Target) -> bool:
    """Whether a target is one that a treatment should leave alone."""
    return target.action.casefold().startswith("avoid")


def _count(n: int, noun: str) -> str:
    return f"{n or 'no'} {noun}{'s' * (n != 1)}"
