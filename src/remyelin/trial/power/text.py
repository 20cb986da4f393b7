"""A plan in words, as it is printed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from remyelin.evidence import source
from remyelin.trial.power.planned import TrialPlan
from remyelin.trial.power.question import question_of
from remyelin.trial.power.size import GROUP
from remyelin.trial.power.spread import SUMMARIES
from remyelin.trial.power.tables import enough_sites

ESTIMATORS = {"ancova": "ANCOVA", "mixed": "mixed model", "mmrm": "MMRM", "gee": "GEE"}


def plan_text(plan: TrialPlan) -> str:
    """Sections, each with its heading; what is missing last."""
    endpoint = plan.protocol.primary
    title = plan.protocol.trial.title or plan.protocol.trial.id
    lines = [f"{title}: {endpoint.id} (primary endpoint, {plan.unit})"]
    for heading, body in _sections(plan):
        own = list(body)
        if own:
            lines += ["", heading, *(f"  {line}" for line in own)]
    return "\n".join(lines)


def _sections(plan: TrialPlan) -> Iterator[tuple[str, Iterator[str]]]:
    yield "Assumed", _assumed(plan)
    yield "Needed", _needed(plan)
    yield f"This protocol, {_and(plan)}", _here(plan)
    yield "If the effect is uncertain", _assured(plan)
    yield f"{_unit(plan)}s a participant", _sites(plan)
    yield "What measuring better buys", _measuring(plan)
    yield "If some of the effect is left in the second period", _carry_over(plan)
    yield "Simulated", _simulated(plan)
    yield "What each SD on record would need", _on_record(plan)
    yield "Published for lesional MTR (van den Elskamp 2010)", _published(plan)
    yield "Warnings", iter(plan.warnings)
    yield "Missing", (str(error) for error in plan.missing)


def _assumed(plan: TrialPlan) -> Iterator[str]:
    asked, layout, unit = plan.plan, plan.layout, plan.unit
    if asked.effect is not None:
        uncertain = f" (SD {asked.effect_sd:g})" if asked.effect_sd else ""
        yield f"effect {asked.effect:+g} {unit}{uncertain}"
    if layout is None:
        return
    yield layout.spread.words(unit)
    yield f"source: {layout.spread.source}"
    named = plan.protocol.primary.estimator
    estimator = "" if named == layout.design else f", {ESTIMATORS.get(named, named)}"
    ratio = "" if layout.allocation == 1 else f", {layout.allocation:g} to 1"
    adjusted = f", correlation with the baseline {layout.correlation:g}" if layout.correlation else ""
    sides = "two" if layout.sided == 2 else "one"
    yield f"{layout.design}{ratio}, {sides}-sided alpha {layout.alpha:g}{estimator}{adjusted}; noncentral t"
    if layout.spread.site:
        yield f"estimator: {SUMMARIES[layout.summary]}"


def _needed(plan: TrialPlan) -> Iterator[str]:
    if "sizes" not in plan.tables or plan.layout is None:
        return
    group = GROUP[plan.layout.design]
    for _, row in plan.tables["sizes"].iterrows():
        line = f"{100 * row['power']:g} % power: {_pair(row, 'n')} {group}, {row['total']:.0f} in all"
        if row["recruit_total"] > row["total"]:
            share = 100 * (plan.plan.dropout or 0)
            line += f"; recruit {row['recruit_total']:.0f}, as {share:g} % will not be measured"
        if row["cost"] > 0:
            line += f"; costs {row['cost']:,.0f} {plan.plan.currency or ''}".rstrip()
        yield line


def _here(plan: TrialPlan) -> Iterator[str]:
    share = 1 - (plan.plan.dropout or 0)
    measured = [each * share for each in plan.n]
    if plan.plan.effect is not None and plan.layout is not None:
        power = plan.layout.power(plan.plan.effect, *measured)
        lost = f", if {sum(measured):.0f} of {sum(plan.n)} are measured" if plan.plan.dropout else ""
        yield f"power {power:.2f} for {plan.plan.effect:+g} {plan.unit}{lost}"
    times = " times the SD of a participant's change" if plan.layout is None else ""
    unit = "" if times else f" {plan.unit}"
    rows = plan.tables["detectable"].iterrows()
    found = [f"{row['effect']:.3g}{unit} with {100 * row['power']:g} %" for _, row in rows]
    yield f"finds an effect of {', '.join(found)} power{times and ':' + times}"


def _assured(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("assurance")
    columns = {"over_effect": "over the effect", "over_sd": "over the SD", "over_both": "over both"}
    there = {} if table is None else {name: words for name, words in columns.items() if name in table}
    if table is None or not there:
        return
    for _, row in table.iterrows():
        over = ", ".join(f"{row[name]:.2f} {words}" for name, words in there.items())
        yield f"{row['n']}: power {row['power']:.2f} if all is as assumed; assurance {over}"
    if plan.plan.effect and plan.plan.effect_sd:
        ceiling = 0.5 * (1 + math.erf(abs(plan.plan.effect) / plan.plan.effect_sd / math.sqrt(2)))
        yield f"at most {ceiling:.2f} with any number of participants: the probability of an effect"


def _sites(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("sites")
    if table is None or plan.layout is None:
        return
    group = GROUP[plan.layout.design]
    shown = (
        f"{'any number' if math.isinf(row['sites']) else format(row['sites'], '.0f')}: {row['n_first']:.0f}"
        for _, row in table.iterrows()
    )
    yield f"participants {group} by {plan.layout.spread.unit}s: {', '.join(shown)}"
    if plan.layout.spread.unit == "eye":
        return
    question = question_of(plan.plan, plan.protocol, plan.layout)
    enough = enough_sites(question, plan.plan.power or 0.8)
    if enough is not None:
        yield f"beyond {enough}, more {plan.layout.spread.unit}s save at most one participant {group}"


def _measuring(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("measuring")
    if table is None:
        return
    yield f"of the SD, {table['measurement_sd'].iloc[0]:g} {plan.unit} is error of measurement"
    now = table["total"].iloc[0]
    for _, row in table.iloc[1:].iterrows():
        words = "none of it" if row["factor"] == 0 else f"{row['factor']:g} of it"
        if row["weighted"]:
            words = "all of it, but lesions weighed by precision (error variance as 1 / volume)"
        yield f"{words}: {row['total']:.0f} in all instead of {now:.0f}"


def _carry_over(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("carry_over")
    if table is None:
        return
    for _, row in table[table["carry_over"] > 0].iterrows():
        yield (
            f"{100 * row['carry_over']:g} %: {row['left']:+.4g} {plan.unit} left, {row['lost']:+.3g} lost: "
            f"power {row['power']:.2f} here; {row['total_needed']:.0f} in all would be needed"
        )


def _simulated(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("simulated")
    if table is None:
        return
    for _, row in table.iterrows():
        yield (
            f"{row['n_first']:.0f} + {row['n_second']:.0f}: power {row['power']:.3f} (Monte Carlo SE "
            f"{row['power_se']:.3f}; closed form {row['closed_form']:.3f}), type I error {row['type_1']:.3f} "
            f"({row['type_1_se']:.3f}), coverage {row['coverage']:.3f}; {row['trials']:.0f} trials, "
            f"{row['estimator']}"
        )


def _on_record(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("on_record")
    if table is None:
        return
    group = GROUP["crossover" if plan.protocol.trial.design == "crossover" else "parallel"]
    for (effect, said), rows in table.groupby(["effect", "effect_source"], sort=False):
        yield f"for {effect:+g} {plan.unit} ({said}):"
        for _, row in rows.iterrows():
            assumed = f", {row['assumed']}" if row["assumed"] else ""
            doubt = ", recalled and not read" if row["status"] == "unverified" else ""
            yield (
                f"  SD {row['sd']:g} of one {row['of']}{assumed}: {_count(row['n_80'])} {group} at 80 %, "
                f"{_count(row['n_90'])} at 90 % [{row['source']}{doubt}]"
            )
    for name in dict.fromkeys(table["source"]):
        yield f"{name}: {source(name).work}"
    low, high = table["sd"].min(), table["sd"].max()
    if high > low:
        yield f"SD from {low:g} to {high:g} {plan.unit}: {(high / low) ** 2:.3g}-fold in participants"


def _published(plan: TrialPlan) -> Iterator[str]:
    table = plan.tables.get("published")
    if table is None:
        return
    for _, row in table.iterrows():
        yield (
            f"recovery of {row['recovery_percent']:g} %: published {row['published_total']:.0f} participants "
            f"in all at 80 %, which is an effect of {row['implied_d']:.2f} SD; ours, from the other row by "
            f"effect and noncentral t: {row['our_total']:.0f}"
        )
    ratio = table["published_total"].max() / table["published_total"].min()
    yield f"published ratio {ratio:.2f}, (50 / 30)^2 = {(50 / 30) ** 2:.2f}; its SD were not seen"


def _and(plan: TrialPlan) -> str:
    return " and ".join(f"{n} {name}" for n, name in zip(plan.n, plan.groups, strict=True))


def _unit(plan: TrialPlan) -> str:
    return "Site" if plan.layout is None else plan.layout.spread.unit.capitalize()


def _pair(row: Any, name: str) -> str:
    first, second = row[f"{name}_first"], row[f"{name}_second"]
    return f"{first:.0f}" if first == second else f"{first:.0f} + {second:.0f}"


def _count(n: float) -> str:
    return "over 1,000,000" if math.isinf(n) else f"{n:.0f}"
