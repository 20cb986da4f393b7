"""From a protocol to the question that its plan asks, or to what is missing for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from remyelin.errors import InputError, RefuseRun
from remyelin.evidence import lesion_counts
from remyelin.protocol import Endpoint, Plan, Protocol
from remyelin.protocol.messages import first_fault
from remyelin.protocol.plan import WAYS, plan_problems
from remyelin.trial.power.counts import site_counts
from remyelin.trial.power.known import chosen_row
from remyelin.trial.power.layout import Design, Layout
from remyelin.trial.power.spread import Spread, Summary, row_words
from remyelin.trial.power.tables import Question

_OF_AN_SD = ("sd_unit", "sd_source", "sd_df", "icc", "measurement_sd", "sites_cv", "sites_from")


def updated(protocol: Protocol, given: Mapping[str, Any]) -> Plan:
    """The plan of the protocol with what the caller gives in its place.

    A new SD takes the place of all that the protocol says of the spread. `sd` may be the source of an SD in
    the evidence base, whose value, unit and source are then taken.

    Raises
    ------
    RefuseRun
        A value that cannot be, or that contradicts the others.
    """
    values = {} if protocol.plan is None else protocol.plan.model_dump(exclude_none=True)
    given = {key: value for key, value in given.items() if value is not None}
    sd = given.get("sd")
    if sd is not None:
        for key in (*_OF_AN_SD, *(name for way in WAYS for name in way), "sites"):
            values.pop(key, None)
        values["sd_source"] = "given for this plan"
        if isinstance(sd, str):
            values |= _of_evidence(protocol.primary, sd)
            given = {key: value for key, value in given.items() if key != "sd"}
    if "effect" in given:
        values.pop("effect_sd", None)
    try:
        plan = Plan.model_validate({**values, **given})
    except ValidationError as error:
        field, *rest = first_fault(error, Plan)
        raise RefuseRun("", field, *rest) from None
    for problem in plan_problems(plan, protocol.trial.design):
        raise RefuseRun("", *problem)
    return plan


def _of_evidence(endpoint: Endpoint, sd: str) -> dict[str, Any]:
    try:
        return {"sd": float(sd)}
    except ValueError:
        row = chosen_row(endpoint, sd)
        of = str(row.qualifiers.get("of", "participant"))
        return {"sd": row.value, "sd_unit": of, "sd_source": row_words(row)}


def spread_of(plan: Plan, protocol: Protocol) -> Spread:
    """How the primary endpoint varies, as the plan says.

    Raises
    ------
    InputError
        The SD of one eye or lesion without how many a participant has, or how alike they are.
    """
    endpoint = protocol.primary
    source, measurement = plan.sd_source or "", plan.measurement_sd or 0.0
    if plan.sd is not None and plan.sd_unit == "participant":
        return Spread.of_participant(plan.sd, source=source, measurement=measurement)
    kind = endpoint.site.partition(":")[0]
    unit = plan.sd_unit or (kind if kind in ("eye", "lesion") else "lesion")
    counts = _counts(plan, protocol)
    if plan.sd is not None:
        if counts is None or (max(counts) > 1 and plan.icc is None):
            raise InputError(
                "", "sites" if counts is None else "icc", f"missing beside the SD of one {unit}",
                f"how many {unit}s of a participant are measured and how alike they change",
                f"give sites = 1 for one {unit} each, or more with icc, 0 (independent) to 1 (alike)",
            )  # fmt: skip
        icc = 1.0 if plan.icc is None else plan.icc
        return Spread.of_icc(plan.sd, icc, counts, unit=unit, source=source, measurement=measurement)
    if plan.between_sd is not None and plan.site_sd is not None and counts is not None:
        between, site = plan.between_sd, plan.site_sd
        return Spread.of_sites(between, site, counts, unit=unit, source=source, measurement=measurement)
    assert plan.patient_period_sd is not None
    assert plan.eye_period_sd is not None
    eyes = 2 if plan.sites is None else int(plan.sites)
    return Spread.of_periods(
        plan.patient_period_sd, plan.eye_period_sd, eyes, source=source, measurement=measurement
    )


def _counts(plan: Plan, protocol: Protocol) -> tuple[int, ...] | None:
    """Sites that enter a participant's outcome; below the median are half of them, rounded down."""
    if plan.sites_from is not None:
        counts = lesion_counts(plan.sites_from, protocol.measure.min_volume_mm3)
    elif plan.sites is not None:
        counts = site_counts(plan.sites, plan.sites_cv or 0.0)
    else:
        return None
    if protocol.primary.select == "submedian":
        return tuple(max(1, each // 2) for each in counts)
    return counts


def layout_of(plan: Plan, protocol: Protocol, spread: Spread) -> Layout:
    """The comparison of the primary endpoint."""
    endpoint = protocol.primary
    crossover = protocol.trial.design == "crossover"
    design: Design = "crossover" if crossover else "parallel"
    summary: Summary = "mean"
    if endpoint.estimator in ("mixed", "gee") and not crossover:
        summary = "pooled" if endpoint.correlation == "independence" else "mixed"
    return Layout(
        spread,
        design,
        alpha=endpoint.alpha,
        sided=plan.sided,
        allocation=plan.allocation,
        correlation=plan.correlation or 0.0,
        carry_over=plan.carry_over or 0.0,
        summary=summary,
    )


def question_of(plan: Plan, protocol: Protocol, layout: Layout) -> Question:
    """The question, with what it costs; the effect must be there."""
    assert plan.effect is not None
    return Question(
        layout,
        plan.effect,
        active=1 if layout.design == "crossover" else len(protocol.arm) - 1,
        dropout=plan.dropout or 0.0,
        per_participant=plan.cost_per_participant or 0.0,
        per_visit=plan.cost_per_visit or 0.0,
        visits=len(protocol.visit),
    )


def planned_groups(protocol: Protocol) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and numbers of the two groups that are compared: the reference and the smallest other arm."""
    arms = protocol.arm
    reference = protocol.reference
    if protocol.trial.design == "crossover" or reference is None:
        pair = arms[:2]
    else:
        pair = (reference, min((arm for arm in arms if arm.id != reference.id), key=lambda arm: arm.n))
    return tuple(arm.id for arm in pair), tuple(arm.n for arm in pair)
