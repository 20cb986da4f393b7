"""The panels of a plan that set it beside virtual trials, the evidence base and published sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from remyelin.evidence import source

from . import plan_figures as figures
from .panels import Panel, Table
from .words import listing, signed

if TYPE_CHECKING:
    from remyelin.trial.power import TrialPlan


def simulated(plan: TrialPlan) -> Panel | None:
    """Does it hold in virtual trials?"""
    table = plan.tables.get("simulated")
    if table is None:
        return None
    own = table.iloc[0]
    answer = (
        f"In {own['trials']:,.0f} virtual trials of {own['n_first']:.0f} + {own['n_second']:.0f}, power was "
        f"{own['power']:.3f} (Monte Carlo error {own['power_se']:.3f}; closed form {own['closed_form']:.3f}) "
        f"and type I error {own['type_1']:.3f} ({own['type_1_se']:.3f})."
    )
    rows = tuple(
        (
            row["estimator"],
            f"{row['n_first']:.0f} + {row['n_second']:.0f}",
            *(
                f"{row[name]:.3f}"
                for name in ("power", "power_se", "closed_form", "type_1", "type_1_se", "coverage")
            ),
            signed(row["bias"], 3),
            f"{row['measured']:.1f}",
            f"{row['failed']:.0f}",
        )
        for _, row in table.iterrows()
    )
    columns = (
        "estimator", "#size", "#power", "#SE", "#closed form", "#type I", "#SE", "#coverage",
        f"#bias, {plan.unit}", "#measured", "#without fit",
    )  # fmt: skip
    method = (
        "The same virtual trials with and without the effect; one without a fit counts as not significant."
    )
    shown = Table("One row a size and estimator", columns, rows)
    return Panel("simulated", "Does it hold in virtual trials?", answer, (), shown, method, unfolded=True)


def record(plan: TrialPlan) -> Panel | None:
    """How much hangs on the SD?"""
    table = plan.tables.get("on_record")
    if table is None:
        return None
    effect, unit = table["effect"].iloc[0], plan.unit
    low, high = table["sd"].min(), table["sd"].max()
    answer = f"One SD is on record, {low:g} {unit}."
    if high > low:
        ratio = (high / low) ** 2
        answer = f"SD on record run from {low:g} to {high:g} {unit}: {ratio:.2g}-fold in participants."
    if (table["status"] == "unverified").all():
        answer += " All were recalled and not read in a source: none can be chosen by name."
    drawn = table[table["effect"] == effect].drop_duplicates(["sd", "of", "assumed"])
    shown: tuple[tuple[Markup, str], ...] = ()
    if (drawn["total_90"] < math.inf).any():
        caption = f"For an effect of {signed(effect)} {unit}. Hollow: recalled, not read in a source."
        shown = ((figures.on_record(drawn, unit, f"Participants by SD. {answer}"), caption),)
    rows = tuple(
        (
            f"{row['sd']:g}",
            f"{row['of']}{', ' if row['assumed'] else ''}{row['assumed']}",
            f"{signed(row['effect'])}, {row['effect_source']}",
            _count(row["total_80"]),
            _count(row["total_90"]),
            f"{source(row['source']).work} ({row['status']})",
        )
        for _, row in table.iterrows()
    )
    columns = (f"#SD, {unit}", "of one", f"effect, {unit}", "#in all, 80 %", "#in all, 90 %", "source")
    listed = Table("One row an SD and effect", columns, rows)
    return Panel("record", "How much hangs on the SD?", answer, shown, listed)


def published(plan: TrialPlan) -> Panel | None:
    """How large were such trials planned?"""
    table = plan.tables.get("published")
    if table is None:
        return None
    said = listing(
        f"{row['published_total']:.0f} for {row['recovery_percent']:g} %" for _, row in table.iterrows()
    )
    ours = listing(f"{row['our_total']:.0f} for {row['recovery_percent']:g} %" for _, row in table.iterrows())
    answer = (
        f"Participants in all at 80 % power, by recovery of lesional MTR: published {said}; "
        f"ours, each from the other row, {ours}."
    )
    rows = tuple(
        (
            f"{row['recovery_percent']:g} %",
            f"{row['published_total']:.0f}",
            f"{row['implied_d']:.2f}",
            f"{row['our_total']:.0f}",
        )
        for _, row in table.iterrows()
    )
    columns = ("#recovery", "#published", "#effect that implies, SD", "#ours, from the other row")
    method = (
        "The SD behind the published sizes were not seen; the effect is taken as proportional to recovery."
    )
    shown = Table("van den Elskamp 2010", columns, rows)
    question = "How large were such trials planned?"
    return Panel("published", question, answer, (), shown, method, unfolded=True)


def _count(n: float) -> str:
    return "over 1,000,000" if math.isinf(n) else f"{n:,.0f}"
