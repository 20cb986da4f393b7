"""How the tables of a protocol must fit together; each rule gives a field and its fault, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from remyelin.errors import did_you_mean
from remyelin.protocol.consistency_endpoint import Problem, endpoints
from remyelin.protocol.consistency_families import families
from remyelin.protocol.parts import PLACEBO, Arm, Period
from remyelin.protocol.plan import plan_problems

if TYPE_CHECKING:
    from remyelin.protocol.model import Protocol


def problems(protocol: Protocol) -> Iterator[Problem]:
    """Everything in which the tables contradict each other."""
    for rule in _RULES:
        yield from rule(protocol)


def _unique(protocol: Protocol) -> Iterator[Problem]:
    tables: dict[str, Sequence[str]] = {
        "arm": [arm.id for arm in protocol.arm],
        "visit": [visit.id for visit in protocol.visit],
        "period": [period.id for period in protocol.period],
        "endpoint": [endpoint.id for endpoint in protocol.endpoint],
    }
    for table, ids in tables.items():
        for name in dict.fromkeys(name for name in ids if ids.count(name) > 1):
            yield f"{table}.id", f"'{name}' twice", "each id once", "rename one of them"


def _arms(protocol: Protocol) -> Iterator[Problem]:
    if len(protocol.arm) < 2:
        found = f"{len(protocol.arm)} arm"
        yield "arm", found, f"at least 2 arms in a {protocol.trial.design} trial", "add [[arm]] tables"
    reference = protocol.trial.reference
    ids = [arm.id for arm in protocol.arm]
    if reference is not None and reference not in ids:
        yield "trial.reference", f"'{reference}'", "an arm of this trial", did_you_mean(reference, ids)
    if protocol.trial.design == "parallel":
        yield from _parallel(protocol)
    else:
        yield from _sequences(protocol)


def _parallel(protocol: Protocol) -> Iterator[Problem]:
    for arm in protocol.arm:
        if arm.sequence:
            yield (
                f"arm '{arm.id}' sequence",
                "given",
                "treatment, in a parallel trial",
                "write treatment instead",
            )
    if protocol.period:
        yield "period", "given", "no periods in a parallel trial", "take them out, or correct trial.design"
    untreated = [arm.id for arm in protocol.arm if arm.is_placebo]
    if protocol.trial.reference is None and len(untreated) != 1:
        found = f"not given, and {len(untreated)} arms have placebo"
        yield "trial.reference", found, "the arm to compare with", 'name it: reference = "..."'


def _sequences(protocol: Protocol) -> Iterator[Problem]:
    design, n_periods = protocol.trial.design, len(protocol.period)
    if n_periods < 2:
        yield "period", f"{n_periods} periods", f"at least 2 in a {design} trial", "add [[period]] tables"
    for arm in protocol.arm:
        if arm.treatment is not None:
            yield (
                f"arm '{arm.id}' treatment",
                "given",
                f"sequence, in a {design} trial",
                "write sequence instead",
            )
        elif len(arm.sequence) != n_periods:
            found = f"{len(arm.sequence)} treatments"
            yield f"arm '{arm.id}' sequence", found, f"one for each of {n_periods} periods", "correct it"
    yield from (_crossover if design == "crossover" else _delayed_start)(protocol.arm)


def _crossover(arms: Sequence[Arm]) -> Iterator[Problem]:
    if len({arm.sequence for arm in arms}) < 2:
        yield (
            "arm sequence",
            "the same in all arms",
            "at least 2 sequences in a crossover trial",
            "correct them",
        )
    for arm in arms:
        if arm.sequence and len(set(arm.sequence)) < 2:
            yield (
                f"arm '{arm.id}' sequence",
                "one treatment throughout",
                "a change of treatment",
                "correct it",
            )


def _delayed_start(arms: Sequence[Arm]) -> Iterator[Problem]:
    if arms and not any(arm.sequence[:1] == (PLACEBO,) for arm in arms):
        yield "arm sequence", "without a delayed arm", f"one arm that begins with {PLACEBO}", "correct them"
    for arm in arms:
        if arm.sequence[-1:] == (PLACEBO,):
            yield (
                f"arm '{arm.id}' sequence",
                f"ends with {PLACEBO}",
                "treatment in the last period",
                "correct it",
            )


def _visits(protocol: Protocol) -> Iterator[Problem]:
    if len(protocol.visit) < 2:
        yield (
            "visit",
            f"{len(protocol.visit)} visit",
            "at least a baseline and a follow-up",
            "add [[visit]] tables",
        )
    for visit in protocol.visit:
        early, late = visit.window_days or (0.0, 0.0)
        if not early <= 0 <= late:
            found = f"{early:g} to {late:g}"
            expected = "days early (0 or less) and days late (0 or more)"
            yield f"visit '{visit.id}' window_days", found, expected, "write like window_days = [-14, 14]"
    for one, two in zip(protocol.visit, protocol.visit[1:], strict=False):
        late, early = (one.window_days or (0.0, 0.0))[1], (two.window_days or (0.0, 0.0))[0]
        if two.day <= one.day:
            found = f"{two.day:g}, not after day {one.day:g} of '{one.id}'"
            yield (
                f"visit '{two.id}' day",
                found,
                "visits in the order of their days",
                "correct the order or the day",
            )
        elif two.day + early <= one.day + late:
            found = f"overlaps that of '{one.id}'"
            yield (
                f"visit '{two.id}' window_days",
                found,
                "windows apart from each other",
                "make one of them narrower",
            )


def _periods(protocol: Protocol) -> Iterator[Problem]:
    days = {visit.id: visit.day for visit in protocol.visit}
    previous: Period | None = None
    for period in protocol.period:
        unknown = [name for name in (period.start, period.end) if name not in days]
        for name in unknown:
            yield (
                f"period '{period.id}'",
                f"visit '{name}'",
                "a visit of this trial",
                did_you_mean(name, days),
            )
        if unknown:
            continue
        if days[period.end] <= days[period.start]:
            yield (
                f"period '{period.id}' end",
                "not after its start",
                "a later visit",
                "exchange start and end",
            )
        if previous and days[period.start] < days[previous.end]:
            found = f"before the end of '{previous.id}'"
            yield f"period '{period.id}' start", found, "periods one after another", "correct the visits"
        previous = period


def _plan(protocol: Protocol) -> Iterator[Problem]:
    if protocol.plan is not None:
        for field, found, expected, fix in plan_problems(protocol.plan, protocol.trial.design):
            yield f"plan.{field}", found, expected, fix


_RULES: tuple[Callable[[Protocol], Iterator[Problem]], ...] = (
    _unique, _arms, _visits, _periods, endpoints, families, _plan,
)  # fmt: skip
