"""What a trial is planned from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from remyelin.protocol.parts import Finite, Part, Positive, Probability, Text

MAX_SIMULATIONS = 10_000_000
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
SizeOrZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Sites = Annotated[float, Field(ge=1, le=10_000, allow_inf_nan=False)]
Problem = tuple[str, str, str, str]


class Plan(Part):
    """`[plan]`: what sample size is computed from.

    The spread of the outcome is given in one of three ways, in the unit of the measure, with `sd_source`,
    where it was found:

    - `sd` of one change (of a participant's difference between treatments in a crossover); `sd_unit` says
    whose,
      for the SD of an eye is not that of a participant. Of an eye or lesion it needs `sites`, how many a
      participant has, and from 2 on `icc`, how alike they are.
    - `between_sd` of what the sites of a participant share and `site_sd` of a site within it, with `sites`.
    - `patient_period_sd` and `eye_period_sd` of a participant and an eye from one period of a crossover to
    the
      next, with `sites`, 2 for both eyes.

    `sites_cv` is SD / mean of the number of sites, `sites_from` a group of people whose numbers of lesions
    stand in the evidence base. `measurement_sd` is the part of the SD of one site's change (or of the
    participant's) that is error of measurement. `correlation` is that of the outcome with the covariates
    that the formula adjusts for; it is left out where the SD has them already taken out. `sd_df` are the
    degrees of freedom from which the SD was estimated, `effect_sd` says how uncertain the effect is.

    `allocation` is participants of each other arm for one of the reference arm; `dropout` the part that
    will not be measured; `dropout_slope` by how much its log odds rise for each SD that the outcome at the
    first visit is higher. `visit_correlation` is that of a participant's changes at two visits.
    `carry_over` is the part of the effect that is left in the second period. Costs
    are in any currency.
    """

    power: Probability | None = None
    sided: Literal[1, 2] = 2
    effect: Finite | None = None
    effect_sd: Positive | None = None
    sd: Positive | None = None
    sd_unit: Literal["participant", "eye", "lesion"] | None = None
    sd_source: Text | None = None
    sd_df: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    icc: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    between_sd: SizeOrZero | None = None
    site_sd: Positive | None = None
    patient_period_sd: SizeOrZero | None = None
    eye_period_sd: Positive | None = None
    sites: Sites | None = None
    sites_cv: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] | None = None
    sites_from: Text | None = None
    measurement_sd: Positive | None = None
    correlation: Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)] | None = None
    visit_correlation: Share | None = None
    carry_over: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    allocation: Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)] = 1.0
    dropout: Share | None = None
    dropout_slope: Finite | None = None
    cost_per_participant: SizeOrZero | None = None
    cost_per_visit: SizeOrZero | None = None
    currency: Annotated[str, StringConstraints(min_length=1, max_length=12)] | None = None
    n_simulations: Annotated[int, Field(ge=1, le=MAX_SIMULATIONS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    @property
    def spread_keys(self) -> tuple[str, ...]:
        """The SD that are given: those of one way, if the plan is sound."""
        return tuple(name for way in WAYS for name in way if getattr(self, name) is not None)


WAYS = (("sd",), ("between_sd", "site_sd"), ("patient_period_sd", "eye_period_sd"))


def plan_problems(plan: Plan, design: str) -> Iterator[Problem]:
    """Everything in which a plan contradicts itself or the design: field, found, expected, fix."""
    if plan.effect == 0:
        yield "effect", "0", "the difference that the trial is to find", "write it in the unit of the measure"
    yield from _spread(plan, design)
    if plan.sites_from is not None and (plan.sites is not None or plan.sites_cv is not None):
        yield "sites_from", "beside sites", "one of the two", "take one of them out"
    if plan.sites_cv is not None and plan.sites is None:
        yield "sites_cv", "without sites", "the mean number of sites beside it", "add sites"
    if plan.carry_over and design != "crossover":
        yield "carry_over", f"{plan.carry_over:g} in a {design} trial", "a crossover trial", "take it out"
    if plan.dropout_slope is not None and not plan.dropout:
        yield "dropout_slope", "without dropout", "the part that is lost beside it", "add dropout"
    if plan.effect_sd is not None and plan.effect is None:
        yield "effect_sd", "without effect", "the effect whose uncertainty it is", "add effect"
    if plan.currency is not None and plan.cost_per_participant is None and plan.cost_per_visit is None:
        yield "currency", "without costs", "cost_per_participant or cost_per_visit", "add one of them"


def _spread(plan: Plan, design: str) -> Iterator[Problem]:
    given = plan.spread_keys
    ways = [way for way in WAYS if set(way) & set(given)]
    if len(ways) > 1:
        found = f"beside {ways[1][0]}"
        yield ways[0][0], found, "the SD in one way only", "keep the one whose source you have"
        return
    for name in ways[0] if ways else ():
        if name not in given:
            yield name, "missing", f"{ways[0][0]} and {ways[0][-1]} together", f"add {name}"
    if given == ("sd",) and plan.sd_unit is None:
        yield "sd_unit", "missing beside sd", "whose change it is", "add sd_unit"
    if given and plan.sd_source is None:
        yield "sd_source", f"missing beside {given[0]}", "where the SD was found", "add sd_source"
    if "between_sd" in given and plan.sites is None and plan.sites_from is None:
        yield "sites", "missing beside between_sd", "how many a participant has", "add sites"
    if "patient_period_sd" in given and design != "crossover":
        yield "patient_period_sd", f"given in a {design} trial", "a crossover trial", "write sd or between_sd"
    if plan.icc is not None and "sd" not in given:
        yield "icc", "without sd", "the SD of one site beside it", "take it out, or give sd"
    yield from _whole(plan)
    yield from _measurement(plan)


def _whole(plan: Plan) -> Iterator[Problem]:
    """The SD of a participant's change holds the number of sites already."""
    if plan.sd_unit == "participant" and plan.sd is not None:
        for name in ("icc", "sites", "sites_cv", "sites_from"):
            if getattr(plan, name) is not None:
                expected = "the SD of one eye or lesion beside it"
                yield name, "beside the SD of a participant", expected, "take it out, or correct sd_unit"


def _measurement(plan: Plan) -> Iterator[Problem]:
    own = plan.measurement_sd
    largest = plan.site_sd or plan.eye_period_sd or plan.sd
    if own is None:
        return
    if largest is None:
        yield "measurement_sd", "without an SD", "the SD that it is a part of", "add sd"
    elif own > largest:
        yield (
            "measurement_sd",
            f"{own:g}",
            f"at most the SD that holds it, {largest:g}",
            "give both for one site",
        )
