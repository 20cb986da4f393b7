"""Plan a trial from its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pandas as pd

from remyelin.errors import InputError, RefuseRun
from remyelin.evidence import lesion_volumes_mm3
from remyelin.protocol import Plan, Protocol
from remyelin.trial.power import tables
from remyelin.trial.power.known import POWERS, implied, published_effects, published_sizes, sd_rows
from remyelin.trial.power.layout import Layout
from remyelin.trial.power.planned import TrialPlan
from remyelin.trial.power.question import (
    layout_of,
    planned_groups,
    question_of,
    spread_of,
    updated,
)
from remyelin.trial.power.rehearsal import simulated
from remyelin.trial.power.size import check_effect, detectable
from remyelin.trial.power.spread import Spread


def plan(
    protocol: Protocol | Path | str,
    *,
    effect: float | None = None,
    sd: float | str | None = None,
    sd_unit: Literal["participant", "eye", "lesion"] | None = None,
    sites: float | None = None,
    icc: float | None = None,
    power: float | None = None,
    simulate: int | None = None,
    workers: int = 1,
    out: Path | None = None,
) -> TrialPlan:
    """Plan the primary endpoint of a protocol: participants, power, and what they rest on.

    Parameters
    ----------
    protocol
        A protocol, its file, or the name of a packaged one. Its `[plan]` is taken where nothing is given
        here.
    effect
        Difference between the arms, in the unit of the measure.
    sd
        SD of one change in the unit of the measure, or the source of an SD in the evidence base, as
        ``"cc2a"``.
    sd_unit
        Whose change it is the SD of. There is no default for either.
    sites, icc
        Beside the SD of one eye or lesion: how many a participant has, and how alike they change.
    power
        Asked for besides 80 and 90 %.
    simulate
        So many virtual trials, analysed with the endpoint's own estimator, with and without the effect; by
        default as many as the protocol says, or none.
    workers, out
        Processes that simulate, and an output folder whose records let a stopped simulation go on.

    Returns
    -------
    TrialPlan
        Where the SD or the effect is missing it says so, and what the SD on record would need.

    Raises
    ------
    RefuseRun
        A protocol that cannot be, or values that contradict each other.

    Examples
    --------
    >>> planned = plan("ccmr-two")
    >>> planned.tables["sizes"][["power", "n_first", "total"]]
       power  n_first  total
    0    0.8       64    128
    1    0.9       86    172
    """
    trial = protocol if isinstance(protocol, Protocol) else Protocol.read(protocol)
    given = {"effect": effect, "sd": sd, "sd_unit": sd_unit, "sites": sites, "icc": icc, "power": power}
    asked = updated(trial, {**given, "n_simulations": simulate})
    alpha = trial.primary.alpha
    if asked.power is not None and asked.power <= alpha:
        expected = f"above alpha, {alpha:g}"
        raise RefuseRun("", "power", f"{asked.power:g}", expected, "write 0.8 for 80 %")
    spread, missing = _spread(asked, trial)
    layout = layout_of(asked, trial, spread or Spread.of_participant(1.0))
    found = _on_record(asked, trial, layout) | _answers(asked, trial, layout, known=spread is not None)
    if asked.n_simulations and not missing:
        found["simulated"] = simulated(asked, trial, layout, workers=workers, out=out)
    return TrialPlan(
        protocol=trial,
        plan=asked,
        layout=None if spread is None else layout,
        tables={name: table for name, table in found.items() if len(table)},
        missing=missing,
        warnings=tuple(_warnings(asked, trial, layout, found)),
    )


def _spread(asked: Plan, trial: Protocol) -> tuple[Spread | None, tuple[InputError | RefuseRun, ...]]:
    missing = _missing(asked, trial)
    if not asked.spread_keys:
        return None, missing
    try:
        return spread_of(asked, trial), missing
    except InputError as error:
        return None, (InputError("", f"plan.{error.field}", *error.args[2:]), *missing)


def _on_record(asked: Plan, trial: Protocol, layout: Layout) -> dict[str, pd.DataFrame]:
    effects = published_effects(trial.primary) if asked.effect is None else {"this plan": asked.effect}
    return {
        "on_record": implied(trial.primary, layout, effects),
        "published": published_sizes(trial.primary),
    }


def _missing(asked: Plan, trial: Protocol) -> tuple[InputError | RefuseRun, ...]:
    unit = trial.primary.site.partition(":")[0]
    errors: list[InputError | RefuseRun] = []
    if not asked.spread_keys:
        sources = [row.read_in for row in sd_rows(trial.primary) if row.status != "unverified"]
        named = ", ".join(dict.fromkeys(sources))
        choose = f", or choose it from the evidence base: --sd with one of {named}" if named else ""
        of = "of a participant" if unit == "participant" else f"of a participant, or of one {unit}"
        fix = f"give sd, sd_unit and sd_source in [plan] (--sd, --sd-unit){choose}"
        errors.append(InputError("", "plan.sd", "missing", f"the SD of a change {of}", fix))
    if asked.effect is None:
        expected = "the difference that the trial is to find"
        fix = "give effect in [plan] (--effect), in the unit of the measure"
        errors.append(InputError("", "plan.effect", "missing", expected, fix))
    return tuple(errors)


def _answers(asked: Plan, trial: Protocol, layout: Layout, *, known: bool) -> dict[str, pd.DataFrame]:
    """Without a known SD, what is detectable stands in units of it."""
    _, n = planned_groups(trial)
    measured = tuple(each * (1 - (asked.dropout or 0.0)) for each in n)
    if not layout.can(*measured):
        too_few = " + ".join(f"{each:g}" for each in measured)
        expected = "enough participants for a variance"
        raise RefuseRun("", "arm n", f"{too_few} measured", expected, "give the number of each arm")
    powers = sorted({*POWERS, *([asked.power] if asked.power else [])})
    rows = [{"power": each, "effect": detectable(layout, measured, each)} for each in powers]
    found = {"detectable": pd.DataFrame(rows)}
    if asked.effect is None or not known:
        return found
    check_effect(asked.effect)
    question = question_of(asked, trial, layout)
    sized = tables.sizes(question, powers)
    widest = max(int(sized["n_first"].iloc[-1] * 1.4), int(n[0] * 1.2))
    power = asked.power or POWERS[0]
    return found | {
        "sizes": sized,
        "curve": tables.curve(question, widest),
        "effects": tables.effects(question, measured),
        "sites": tables.by_sites(question, power),
        "measuring": tables.by_measurement(question, power, _relative_errors(trial, layout)),
        "carry_over": tables.by_carry_over(question, measured, power),
        "assurance": _assured(asked, question, measured, sized),
    }


def _relative_errors(trial: Protocol, layout: Layout) -> tuple[float, ...]:
    """Error variances of lesions: one over the volume, as noise of single voxels leaves it."""
    if layout.spread.unit != "lesion" or layout.spread.site == 0:
        return ()
    return tuple(1 / volume for volume in lesion_volumes_mm3("open-ms", trial.measure.min_volume_mm3))


def _assured(
    asked: Plan, question: tables.Question, measured: tuple[float, ...], sized: pd.DataFrame
) -> pd.DataFrame:
    rows = []
    cases: list[tuple[str, tuple[float, ...]]] = [("this protocol", measured)]
    cases += [
        (f"{100 * row['power']:g} % power", (row["n_first"], row["n_second"])) for _, row in sized.iterrows()
    ]
    for words, n in cases:
        row = {
            "n": words,
            "n_first": n[0],
            "n_second": n[-1],
            "power": question.layout.power(question.effect, *n),
        }
        if asked.effect_sd:
            row["over_effect"] = tables.assurance(question, n, asked.effect_sd)
        if asked.sd_df:
            row["over_sd"] = tables.assurance(question, n, 0.0, asked.sd_df)
        if asked.effect_sd and asked.sd_df:
            row["over_both"] = tables.assurance(question, n, asked.effect_sd, asked.sd_df)
        rows.append(row)
    return pd.DataFrame(rows)


def _warnings(asked: Plan, trial: Protocol, layout: Layout, found: dict[str, pd.DataFrame]) -> list[str]:
    words = []
    if "sizes" in found and found["sizes"]["naive_total"].notna().any():
        row = found["sizes"].iloc[0]
        words.append(
            f"{layout.spread.unit}s taken as independent would give {row['naive_total']:.0f} participants "
            f"for {100 * row['power']:g} % power; their true power is {row['naive_power']:.2f}"
        )
    if asked.carry_over and asked.effect is not None:
        left = layout.left(asked.effect)
        words.append(
            f"a carry-over of {100 * asked.carry_over:g} % leaves an effect of {left:+.4g}: "
            f"{asked.effect - left:+.4g} is lost, whatever the number of participants"
        )
    if asked.correlation and "covariates" in (asked.sd_source or ""):
        words.append("the SD has covariates taken out, and correlation would take them out twice")
    return [*words, *_simplified(trial)]


def _simplified(trial: Protocol) -> Iterator[str]:
    """Where the plan is simpler than the trial."""
    if trial.trial.design == "delayed-start":
        yield "planned as two parallel arms at the end of the first period"
    if trial.trial.design == "crossover" and len(trial.period) > 2:
        yield "planned as a 2x2 crossover of the first two sequences"
    if trial.trial.design == "parallel" and len(trial.arm) > 2:
        yield f"{len(trial.arm) - 1} arms are each compared with the reference; alpha is not divided"
    if trial.primary.estimator == "mmrm":
        yield "the closed forms compare the last visit; an MMRM gains from the others where some are missing"
    elif len(trial.primary.visits) > 2 and trial.trial.design != "crossover":
        yield "planned as one change from the first to the last visit"
