"""The panels of a plan: what a trialist asks before a trial begins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from remyelin.trial.power.question import question_of
from remyelin.trial.power.size import GROUP
from remyelin.trial.power.spread import SUMMARIES
from remyelin.trial.power.tables import enough_sites

from . import plan_details as details
from . import plan_figures as figures
from .panels import Headline, Panel, Table
from .words import count, listing, number, percent, sentence, signed

if TYPE_CHECKING:
    import pandas as pd

    from remyelin.trial.power import TrialPlan


def headline(plan: TrialPlan) -> Headline:
    """How many participants, or what is missing to say so."""
    sizes = plan.tables.get("sizes")
    if sizes is None or plan.layout is None:
        return _unknown(plan)
    row = sizes[sizes["power"] == (plan.plan.power or 0.8)].iloc[0]
    power, effect = percent(row["power"]), signed(plan.plan.effect or 0.0)
    words = (
        f"To find an effect of {effect} {plan.unit} with {power} power, {row['total']:.0f} participants must "
        f"be measured. {_own(plan)} have a power of {percent(round(_own_power(plan), 2))}."
    )
    aside = f"{_pair(row, 'n')} {GROUP[plan.layout.design]}"
    if row["recruit_total"] > row["total"]:
        aside += f"; recruit {row['recruit_total']:.0f}"
    return Headline(f"Participants for {power} power", f"{row['total']:.0f}", aside, words)


def _unknown(plan: TrialPlan) -> Headline:
    names = listing(error.field.removeprefix("plan.").replace("sd", "SD") for error in plan.missing)
    words = "What this protocol can find, and what each SD on record would need, stand below."
    if plan.layout is None:
        rows = plan.tables["detectable"].iterrows()
        found = listing(f"{row['effect']:.2f} with {percent(row['power'])}" for _, row in rows)
        words = f"In units of the SD, whatever it is, this protocol finds an effect of {found} power."
    return Headline("Not to be planned yet", f"{names} missing", "", words)


def panels(plan: TrialPlan) -> list[Panel]:
    """In the order of a trialist's questions; those that do not apply are left out."""
    made = (
        *(_size, _said, _here, _assurance, _sites, _measuring, _carry_over),
        *(details.simulated, details.record, details.published),
    )
    return [panel for make in made if (panel := make(plan)) is not None]


def _size(plan: TrialPlan) -> Panel | None:
    sizes = plan.tables.get("sizes")
    if sizes is None or plan.layout is None:
        return None
    group = GROUP[plan.layout.design]
    said = [f"{row['total']:.0f} for {percent(row['power'])} power" for _, row in sizes.iterrows()]
    answer = f"{listing(said)}: {plan.layout.spread.words(plan.unit)}."
    simulated = plan.tables.get("simulated")
    if simulated is not None:
        simulated = simulated[~simulated["estimator"].str.contains("wrong")]
    here = (sum(_measured(plan)), _own_power(plan))
    figure = figures.power_curve(plan.tables["curve"], here, simulated, f"Power by participants. {answer}")
    table = _sizes_table(plan, sizes, group)
    method = (
        f"Noncentral t, two groups of a {plan.layout.design} design, "
        f"{'two' if plan.layout.sided == 2 else 'one'}-sided alpha {plan.layout.alpha:g}; "
        f"{SUMMARIES[plan.layout.summary]}. SD: {plan.layout.spread.source}."
    )
    caption = "The diamond is the protocol as it stands, with the participants who will be measured."
    return Panel(
        "size",
        "How many participants are needed?",
        answer,
        ((figure, caption),),
        table,
        method,
        unfolded=True,
    )


def _sizes_table(plan: TrialPlan, sizes: pd.DataFrame, group: str) -> Table:
    """Columns that would be empty are left out."""
    currency = f", {plan.plan.currency}" if plan.plan.currency else ""
    columns = {
        "#power": [percent(power) for power in sizes["power"]],
        f"#{group}": [_pair(row, "n") for _, row in sizes.iterrows()],
        "#in all": [f"{total:.0f}" for total in sizes["total"]],
        "#to recruit": [f"{total:.0f}" for total in sizes["recruit_total"]],
    }
    if sizes["naive_total"].notna().any():
        columns["#sites as independent: in all"] = [f"{total:.0f}" for total in sizes["naive_total"]]
        columns["#its true power"] = [number(power) for power in sizes["naive_power"]]
    if (sizes["cost"] > 0).any():
        columns[f"#cost{currency}"] = [f"{cost:,.0f}" for cost in sizes["cost"]]
    return Table("One row a power", tuple(columns), tuple(zip(*columns.values(), strict=True)))


def _here(plan: TrialPlan) -> Panel | None:
    table = plan.tables["detectable"]
    unit = "times the SD" if plan.layout is None else plan.unit
    said = [f"{row['effect']:.3g} {unit} with {percent(row['power'])} power" for _, row in table.iterrows()]
    answer = f"{_own(plan)} find an effect of {listing(said)}."
    rows = tuple((percent(row["power"]), f"{row['effect']:.3g}") for _, row in table.iterrows())
    listed = Table("The smallest effect that is found", ("#power", f"#effect, {unit}"), rows)
    drawn: tuple[Any, ...] = ()
    if "effects" in plan.tables and plan.plan.effect is not None:
        own = (plan.tables["effects"], plan.plan.effect, plan.plan.effect_sd, plan.unit)
        caption = "The line is the effect that the plan assumes."
        drawn = ((figures.effect_curve(*own, f"Power by effect. {answer}"), caption),)
    return Panel("here", "What can this protocol find?", answer, drawn, listed)


def _assurance(plan: TrialPlan) -> Panel | None:
    table = plan.tables.get("assurance")
    columns = {"power": "if all is as assumed", "over_effect": "over the effect", "over_sd": "over the SD",
               "over_both": "over both"}  # fmt: skip
    if table is None or not set(table.columns) & {"over_effect", "over_sd"}:
        return None
    there = {name: words for name, words in columns.items() if name in table}
    last = list(there)[-1]
    first = table.iloc[0]
    answer = (
        f"This protocol has a power of {number(first['power'])}; averaged {there[last]}, as uncertain as "
        f"that is, it succeeds with a probability of {number(first[last])}."
    )
    rows = tuple(
        (row["n"], f"{row['n_first'] + row['n_second']:.0f}", *(number(row[name]) for name in there))
        for _, row in table.iterrows()
    )
    shown = Table(
        "Probability of success", ("size", "#measured", *(f"#{words}" for words in there.values())), rows
    )
    method = "Effect: normal about the one assumed. SD: as an estimate from its degrees of freedom leaves it."
    return Panel(
        "assurance",
        "What if the effect is not as assumed?",
        answer,
        (),
        shown,
        method,
        "10.1002/pst.175",
        True,
    )


def _sites(plan: TrialPlan) -> Panel | None:
    table = plan.tables.get("sites")
    if table is None or plan.layout is None:
        return None
    kind, group = plan.layout.spread.unit, GROUP[plan.layout.design]
    power = plan.plan.power or 0.8
    enough = (
        None if kind == "eye" else enough_sites(question_of(plan.plan, plan.protocol, plan.layout), power)
    )
    first, last = table.iloc[0], table.iloc[-1]
    answer = f"With 1 {kind} each, {first['n_first']:.0f} participants {group} are needed, "
    answer += (
        f"with 2 {last['n_first']:.0f}."
        if kind == "eye"
        else f"with any number of {kind}s still {last['n_first']:.0f}."
    )
    if enough is not None:
        answer += f" Beyond {enough}, more {kind}s save at most one participant {group}."
    figure = figures.by_sites(table, kind, enough, group, f"Participants by {kind}s. {answer}")
    rows = tuple(
        (
            "any number" if math.isinf(row["sites"]) else f"{row['sites']:.0f}",
            f"{row['n_first']:.0f}",
            f"{row['total']:.0f}",
        )
        for _, row in table.iterrows()
    )
    listed = Table(f"{percent(power)} power", (f"#{kind}s each", f"#{group}", "#in all"), rows)
    method = "What participants do not share goes with the number of sites; what they share stays."
    return Panel("sites", f"Do more {kind}s help?", answer, ((figure, ""),), listed, method)


def _measuring(plan: TrialPlan) -> Panel | None:
    table = plan.tables.get("measuring")
    if table is None:
        return None
    first, half, none = (table[table["factor"] == factor].iloc[0] for factor in (1.0, 0.5, 0.0))
    answer = (
        f"Half the error of measurement saves {count(int(first['total'] - half['total']), 'participant')} of "
        f"{first['total']:.0f}, none of it {count(int(first['total'] - none['total']), 'participant')}."
    )
    rows = tuple(
        (
            f"{row['factor']:g}{', weighed' if row['weighted'] else ''}",
            f"{row['measurement_sd']:.3g}",
            f"{row['sd']:.3g}",
            f"{row['total']:.0f}",
        )
        for _, row in table.iterrows()
    )
    columns = ("#times the error", f"#error, {plan.unit}", f"#SD of a participant, {plan.unit}", "#in all")
    shown = Table("One row an error", columns, rows)
    method = "Weighed: each lesion by its own precision, whose error variance goes with 1 / volume."
    question = "What does measuring better buy?"
    return Panel(
        "measuring", question, answer, (), shown, method if table["weighted"].any() else "", unfolded=True
    )


def _carry_over(plan: TrialPlan) -> Panel | None:
    table = plan.tables.get("carry_over")
    if table is None:
        return None
    half, unit = table[table["carry_over"] == 0.5].iloc[0], plan.unit
    answer = (
        f"If half of the effect is left in the second period, {signed(half['left'], 3)} {unit} of "
        f"{signed(plan.plan.effect or 0.0)} is seen, with a power of {number(half['power'])} here. More "
        "participants give back the power, not what the estimate lost."
    )
    rows = tuple(
        (percent(row["carry_over"]), signed(row["left"], 3), signed(row["lost"], 3), number(row["power"]),
         f"{row['total_needed']:.0f}")
        for _, row in table.iterrows()
    )  # fmt: skip
    columns = ("#left in period 2", f"#seen, {unit}", f"#lost, {unit}", "#power here", "#in all, needed")
    shown = Table("One row a carry-over", columns, rows)
    return Panel("carry-over", "What if some of the effect stays?", answer, (), shown, unfolded=True)


def _said(plan: TrialPlan) -> Panel | None:
    words = [sentence(each) for each in (*map(str, plan.missing), *plan.warnings)]
    if not words:
        return None
    question = "What is missing?" if plan.missing else "What must be said beside the numbers?"
    return Panel("said", question, "\n".join(words))


def _own(plan: TrialPlan) -> str:
    return f"The {' + '.join(map(str, plan.n))} of this protocol"


def _measured(plan: TrialPlan) -> list[float]:
    return [each * (1 - (plan.plan.dropout or 0.0)) for each in plan.n]


def _own_power(plan: TrialPlan) -> float:
    assert plan.layout is not None
    return plan.layout.power(plan.plan.effect or 0.0, *_measured(plan))


def _pair(row: pd.Series[Any], name: str) -> str:
    first, second = row[f"{name}_first"], row[f"{name}_second"]
    return f"{first:.0f}" if first == second else f"{first:.0f} + {second:.0f}"
