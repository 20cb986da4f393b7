"""`[[endpoint]]` and its estimand, each checked by itself."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from remyelin.errors import did_you_mean
from remyelin.protocol.families import Column
from remyelin.protocol.parts import Finite, Id, Part, Probability, Text, VisitId, fault
from remyelin.tables.measures import MEASURES

AnalysisSet = Literal["completers", "itt", "per-protocol"]
Missing = Literal["none", "mar", "j2r", "cr", "cir"]
Sensitivity = Literal["mar", "j2r", "cr", "cir", "tipping-point", "re-randomisation"]
Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment", "principal-stratum"]

# The words and signs of a formula; what they may say is decided where it is read (`trial.formula`).
_FORMULA = re.compile(r"[\w\s+*/:^(),=.-]+~[\w\s+*/:^(),=.-]+", re.ASCII)

_CONDITION = re.compile(r"[a-z_]+=[^=;\s]+(;[a-z_]+=[^=;\s]+)*")


def _known_measure(name: str) -> str:
    if name not in MEASURES:
        raise fault(f"'{name}'", "a measure that this package knows", did_you_mean(name, MEASURES))
    return name


def _site(name: str) -> str:
    if not re.fullmatch(r"lesion|eye|participant|tissue:[0-9A-Za-z]+", name):
        raise fault(f"'{name}'", "lesion, eye, participant or tissue:nawm", "name the sites so")
    return name


def _condition(text: str) -> str:
    if text and not _CONDITION.fullmatch(text):
        raise fault(f"'{text[:60]}'", "like check=60;reader=auto", "write it as in the measurements")
    return text


def _formula(text: str) -> str:
    if not _FORMULA.fullmatch(text) or "__" in text or len(text) > 1000:
        expected = "columns and the signs of formulas, like change ~ arm + baseline"
        raise fault(f"'{text[:60]}'", expected, "take out what is neither")
    return text


class Estimand(Part):
    """`[endpoint.estimand]`: the five attributes of ICH E9(R1), whose treatment condition is the arm.

    `intercurrent` gives each intercurrent event its strategy. `event_days` names for an event the column of
    participants.tsv with the day on which it happened; values after a ``"hypothetical"`` event are then
    missing.
    """

    population: Text
    treatment: Text
    variable: Text
    intercurrent: dict[str, Strategy]
    event_days: dict[str, Column] = Field(default_factory=dict)
    summary: Text


class Endpoint(Part):
    """`[[endpoint]]`: which measurements are compared between the arms, and how.

    `select` ``"submedian"`` keeps the lesions whose baseline lies below the participant's own median.
    `summary` ``"site-change"`` keeps one change a lesion or eye, for estimators that know whose they are.
    `condition` names the condition whose values count, as ``"check=60;reader=auto"``; it may be left out
    where there is only one.

    `df`, `covariance` and `correlation` are options of the estimator; without them it takes its own default.
    `weighting` ``"measurement-error"`` puts each value's own standard error into the likelihood.

    `analysis_set` says who counts: without it everyone randomised where the estimator works by likelihood
    over several visits or periods (``"itt"``), else those who have a value (``"completers"``). `missing` says
    how missing follow-up is imputed, `imputations` times from `seed`, with `delta` (in the unit of the
    measure) added to what is imputed in the arms other than the reference. `sensitivity` lists what is
    estimated beside the answer.
    """

    id: Id
    role: Literal["primary", "secondary", "exploratory"]
    measure: Annotated[str, AfterValidator(_known_measure)]
    site: Annotated[str, AfterValidator(_site)]
    condition: Annotated[str, AfterValidator(_condition)] = ""
    select: Literal["all", "submedian"] = "all"
    summary: Literal["participant-mean-change", "participant-precision-weighted-change", "site-change"] = (
        "participant-mean-change"
    )
    visits: Annotated[tuple[VisitId, ...], Field(min_length=2)]
    estimator: Literal["ancova", "mixed", "mmrm", "crossover", "gee"]
    formula: Annotated[str, AfterValidator(_formula)]
    df: Literal["kenward-roger", "satterthwaite", "kenward-roger-linear"] | None = None
    covariance: Text | None = None
    correlation: Literal["exchangeable", "independence"] | None = None
    weighting: Literal["none", "measurement-error"] = "none"
    alpha: Probability = 0.05
    analysis_set: AnalysisSet | None = None
    missing: Missing = "none"
    delta: Finite = 0.0
    imputations: Annotated[int, Field(ge=5, le=10_000)] = 100
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 2026
    sensitivity: tuple[Sensitivity, ...] = ()
    estimand: Estimand | None = None

    @property
    def of_sites(self) -> bool:
        """Whether each lesion or eye enters by itself, and not the participant's mean."""
        return self.summary == "site-change"

    @property
    def by_likelihood(self) -> bool:
        """Whether the model itself takes participants without a last value, missing at random."""
        several = self.estimator == "mixed" and len(self.visits) > 2
        return self.estimator in ("mmrm", "crossover") or several

    @property
    def own_set(self) -> AnalysisSet:
        """The analysis set of the prespecified estimate."""
        if self.analysis_set is not None:
            return self.analysis_set
        return "itt" if self.by_likelihood or self.missing != "none" else "completers"
