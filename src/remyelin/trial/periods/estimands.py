"""The questions that one crossover can be asked, each with its formula and what it takes for granted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from remyelin.trial.formula import formula_error, parse
from remyelin.trial.periods.roles import Roles

Estimand = Literal[
    "crossover",
    "baseline-adjusted",
    "first-period",
    "delayed-treatment",
    "delayed-treatment, period-adjusted",
]
EXPOSED = "exposed"


@dataclass(frozen=True, slots=True)
class Question:
    """What an estimand asks and assumes, in words; which terms its formula keeps."""

    asks: str
    assumes: str
    period: bool = True
    sequence: bool = False
    baseline: bool = True
    exposed: bool = False


_WASHED_OUT = (
    "nothing of the first treatment is left at the end of the second period (a share c that is left takes "
    "c/2 of the effect away); time between the periods acts on both sequences alike"
)
QUESTIONS: dict[str, Question] = {
    "crossover": Question(
        "the effect while on treatment, against the same participants on the reference",
        _WASHED_OUT,
        sequence=True,
        baseline=False,
    ),
    "baseline-adjusted": Question(
        "as the crossover, at equal baseline", f"{_WASHED_OUT}; the response is linear in the baseline"
    ),
    "first-period": Question(
        "the effect of the first period, against other participants",
        "randomisation, and nothing about the second period",
        period=False,
    ),
    "delayed-treatment": Question(
        "the effect of having been treated, now or earlier, against not yet",
        "the effect is complete at the end of a period and stays when treatment stops; nothing but the "
        "treatment changes between baseline and the periods",
        period=False,
        exposed=True,
    ),
    "delayed-treatment, period-adjusted": Question(
        "as delayed treatment, with time allowed to act",
        "the effect is complete at the end of a period and stays when treatment stops; time between the "
        "periods acts on both sequences alike",
        exposed=True,
    ),
}


def specify(estimand: str, formula: str, roles: Roles, baseline: str | None) -> str:
    """The formula of an estimand, made from that of the crossover.

    Covariates stay; period, sequence and baseline come and go with the question; `exposed` stands for the
    treatment where treated once is treated.

    Raises
    ------
    InputError
        For a formula without treatment or period, or one that holds the baseline already.

    Examples
    --------
    >>> roles = Roles("treatment", "period", "sequence", "participant_id", "eye")
    >>> specify("delayed-treatment", "latency ~ treatment + period + age", roles, "base")
    'latency ~ exposed + age + base'
    """
    response, right, columns, _ = parse(formula)
    for name in (roles.treatment, roles.period):
        if name not in columns:
            raise formula_error(formula, f"without the column {name!r}", f"{formula} + {name}")
    if baseline is not None and baseline in columns:
        raise formula_error(
            formula, f"with {baseline!r}, which baseline= names too", "the baseline named once, by baseline="
        )
    if EXPOSED in columns:
        raise formula_error(formula, f"with {EXPOSED!r}", "another name: delayed treatment makes this column")
    question = QUESTIONS[estimand]
    dropped = {roles.period: question.period, roles.sequence: question.sequence}
    terms = []
    for term in right:
        named = _columns(term)
        if all(keep or name not in named for name, keep in dropped.items()):
            text = str(term)
            terms.append(
                re.sub(rf"\b{re.escape(roles.treatment)}\b", EXPOSED, text) if question.exposed else text
            )
    if "1" in terms:
        terms.remove("1")
    else:
        terms.insert(0, "0")
    if question.baseline and baseline is not None:
        terms.append(baseline)
    return f"{response} ~ {' + '.join(terms)}"


def exposed(frame: pd.DataFrame, roles: Roles, reference: str) -> Any:
    """Whether the participant has had the treatment by the end of the period: ``no`` or ``yes``."""
    treated = frame[roles.treatment].astype(str) != reference
    # In the second period all have: those who began with the treatment earlier, the others now.
    return pd.Categorical(
        (treated | (frame[roles.period].cat.codes > 0)).map({False: "no", True: "yes"}),
        categories=["no", "yes"],
    )


def _columns(term: Any) -> set[str]:
    return {name for factor in term.factors for name in re.findall(r"[^\W\d]\w*", factor.expr)}
