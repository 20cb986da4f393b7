"""What the primary estimate rests on: the same endpoint estimated otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from remyelin.trial.estimand_words import CROSSOVER
from remyelin.trial.periods.estimands import QUESTIONS

from . import figures
from .panels import Panel, Table
from .trial import Trial
from .words import count, interval, number, p_value, signed

_KEY = ("endpoint", "contrast", "analysis_set", "estimator")


def siblings_panel(trial: Trial) -> Panel:
    """Does the answer depend on how it is estimated?"""
    question = "Does the answer depend on how it is estimated?"
    results, effect = trial.outputs.results, trial.effect
    if results is None or effect is None:
        return Panel("siblings", question, "Nothing to compare: no allocation has been used.")
    own = _of_endpoint(results, trial.endpoint)
    same = own[(own["unit"] == trial.unit) & (own["contrast"] == effect["contrast"])]
    main = (same[list(_KEY)] == [effect[name] for name in _KEY]).all(axis=1)
    ordered = pd.concat([same[main], same[~main]])
    known = ordered[ordered["ci_low"].notna()]
    rows = [{**dict(row), "label": _label(row, effect)} for _, row in known.iterrows()]
    if not rows:
        return Panel("siblings", question, "No estimate has an interval.")
    low, high = min(r["estimate"] for r in rows), max(r["estimate"] for r in rows)
    crossing = sum(r["ci_low"] <= 0 <= r["ci_high"] for r in rows)
    asked = _questions(rows)
    answer = (
        f"{count(len(rows), 'estimate')} of {effect['contrast']}, from {signed(low)} to {signed(high)} "
        f"{trial.unit}; the interval includes 0 in {crossing or 'none'} of them. The first is the "
        "prespecified one and decides; the others show what it rests on."
    )
    if asked:
        answer += f" {len(asked)} of them answer{'s' * (len(asked) == 1)} another question of the crossover."
    figure = figures.forest(rows, trial.unit, "forest", f"Forest plot. {answer}")
    caption = _caption(trial, asked)
    if len(own) < len(results):
        caption += " Estimates of other endpoints are not among them: results.tsv has all."
    return Panel("siblings", question, answer, ((figure, caption),), _results_table(rows, trial))


def _of_endpoint(results: pd.DataFrame, endpoint: str) -> pd.DataFrame:
    """The rows of an endpoint and of its siblings, which are named after it with more in brackets."""
    names = results["endpoint"]
    return results[(names == endpoint) | names.str.startswith(f"{endpoint} (")]


def _questions(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Each row that answers another question of a crossover: how it is called, and what it asks."""
    called = {words: QUESTIONS[name].asks for name, words in CROSSOVER.items()}
    named = dict.fromkeys(_in_brackets(row) for row in rows)
    return [f"“{words}”: {called[words]}" for words in named if words in called]


def _caption(trial: Trial, asked: Sequence[str]) -> str:
    differ = "which lesions count, how lesions are weighted, and what is corrected"
    if trial.of_eyes:
        differ = "the measure, how eyes are weighted, and which values count"
    caption = f"Estimates with {trial.level:g} % intervals. "
    if not asked:
        return f"{caption}They differ in {differ}."
    return (
        f"{caption}Estimates of a crossover answer different questions and need not agree. "
        f"{'; '.join(asked)}. The others differ in {differ}."
    )


def _results_table(rows: Sequence[Mapping[Any, Any]], trial: Trial) -> Table:
    return Table(
        "one row an estimate",
        (
            "estimate",
            "contrast",
            f"#effect, {trial.unit}",
            "#se",
            f"#{trial.level:g} % CI",
            "#p",
            "#df",
            "#participants",
            f"#{trial.sites}",
            "prespecified",
        ),
        tuple(_result_cells(row) for row in rows),
    )


def _in_brackets(row: Mapping[Any, Any]) -> str:
    """What the name of a sibling adds to that of its endpoint."""
    return str(row["endpoint"]).partition(" (")[2].removesuffix(")")


def _label(row: Mapping[Any, Any], main: Mapping[str, Any]) -> str:
    """What sets an estimate apart from the main one."""
    plain = "as prespecified" if row["prespecified"] else "the same endpoint"
    others = [str(row[key]) for key in ("estimator", "analysis_set") if row[key] != main[key]]
    return ", ".join([_in_brackets(row) or plain, *others])


def _result_cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["label"]),
        str(row["contrast"]),
        signed(row["estimate"]),
        number(row["se"]),
        interval(row["ci_low"], row["ci_high"]),
        p_value(row["p"]).removeprefix("p = ").removeprefix("p "),
        number(row["df"], 1),
        f"{row['n_participants']:,}",
        f"{row['n_sites']:,}",
        "yes" if row["prespecified"] else "no",
    )
