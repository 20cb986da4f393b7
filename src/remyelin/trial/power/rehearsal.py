"""The trial of a protocol, rehearsed: its own estimator on virtual trials of its own size."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from remyelin.errors import RefuseRun
from remyelin.protocol import Plan, Protocol, Visit
from remyelin.trial.power.layout import Layout
from remyelin.trial.power.question import planned_groups, question_of
from remyelin.trial.power.simulate import SEED, operate
from remyelin.trial.power.worlds import World


def simulated(
    asked: Plan, trial: Protocol, layout: Layout, *, workers: int = 1, out: Path | None = None
) -> pd.DataFrame:
    """Operating characteristics at the protocol's size and at the size that the asked power needs.

    Returns
    -------
    pandas.DataFrame
        A row a size and estimator: ``estimator, n_first, n_second, trials, failed, power, type_1, coverage,
        bias, measured, closed_form, power_se, type_1_se``.

    Raises
    ------
    RefuseRun
        An MMRM without `visit_correlation`.
    """
    question = question_of(asked, trial, layout)
    _, n = planned_groups(trial)
    needed = question.recruited(question.needed(asked.power or 0.8))
    rows = []
    for size in dict.fromkeys((n, needed)):
        for name in estimators(trial, layout):
            world = _world(asked, trial, layout, size, name)
            found = operate(
                world, name, asked.n_simulations or 0, seed=asked.seed or SEED, workers=workers, out=out
            )
            rows.append(found.to_dict())
    return pd.DataFrame(rows)


def estimators(trial: Protocol, layout: Layout) -> tuple[str, ...]:
    """The endpoint's own, and sites as independent where there are several, to show what that does."""
    several = layout.spread.site > 0 and max(layout.spread.counts) > 1
    endpoint = trial.primary
    if endpoint.estimator == "mmrm":
        return ("mmrm",)
    own = "mixed" if several and endpoint.estimator in ("mixed", "gee", "crossover") else "participants"
    return (own, "independent") if several else (own,)


def _world(asked: Plan, trial: Protocol, layout: Layout, n: tuple[int, ...], estimator: str) -> World:
    visits = {visit.id: visit for visit in trial.visit}
    own = [visits[name] for name in trial.primary.visits]
    followed = own[1:] if estimator == "mmrm" else own[-1:]
    span = own[-1].day - own[0].day
    if estimator == "mmrm" and asked.visit_correlation is None:
        fix = "add visit_correlation to [plan], or leave the simulation out"
        expected = "the correlation of a participant's changes at two visits"
        raise RefuseRun("", "plan.visit_correlation", "missing", expected, fix)
    assert asked.effect is not None
    return World(
        layout=layout,
        effect=asked.effect,
        n=tuple(math.ceil(each) for each in n),
        dropout=asked.dropout or 0.0,
        dropout_slope=asked.dropout_slope or 0.0,
        visit_shares=tuple((visit.day - own[0].day) / span for visit in followed),
        visit_correlation=asked.visit_correlation or 0.0,
        windows=tuple((early / span, late / span) for early, late in map(_window, followed)),
    )


def _window(visit: Visit) -> tuple[float, float]:
    return visit.window_days or (0.0, 0.0)
