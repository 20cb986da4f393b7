"""The 2 x 2 crossover with two eyes in each participant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.trial.design import Design, FloatArray, build
from remyelin.trial.equations.fit import gee
from remyelin.trial.equations.result import GeeFit
from remyelin.trial.formula import parse
from remyelin.trial.inference import check_alpha
from remyelin.trial.mixed.fit import MixedFit
from remyelin.trial.mixed.model import mixed_model
from remyelin.trial.periods.estimands import EXPOSED, QUESTIONS, Estimand, exposed, specify
from remyelin.trial.periods.grizzle import mean_of_eyes
from remyelin.trial.periods.model import DfMethod, PeriodModel, fit_periods
from remyelin.trial.periods.result import Crossover
from remyelin.trial.periods.roles import Roles, check_rows
from remyelin.trial.periods.spec import Model, Specification, check_names
from remyelin.trial.precision import known_variance


def crossover(
    formula: str,
    data: pd.DataFrame,
    *,
    participant: str = "participant_id",
    eye: str | None = None,
    treatment: str = "treatment",
    period: str = "period",
    sequence: str = "sequence",
    baseline: str | None = None,
    reference: str | None = None,
    estimand: Estimand = "crossover",
    model: Model = "participant-period",
    df: DfMethod = "kenward-roger",
    se: str | npt.ArrayLike | None = None,
    alpha: float = 0.05,
) -> Crossover:
    """Fit `response ~ treatment + period + sequence` to a crossover of two treatments and two periods.

    Parameters
    ----------
    formula
        With treatment and period; covariates may follow. The baseline stays out: give it as `baseline`.
    data
        One row a participant and period, or an eye of one; rows that were not measured are absent.
    participant, eye, treatment, period, sequence
        Columns. Without `eye` a participant has one row a period. A missing sequence is derived.
    baseline
        The column of the value before the first period; enters the estimands that adjust for it.
    reference
        The treatment that the other is compared with; the first if absent.
    estimand
        ``"crossover"``, ``"baseline-adjusted"``, ``"first-period"``, ``"delayed-treatment"`` or
        ``"delayed-treatment, period-adjusted"``; `estimands` of the result gives all, with what each assumes.
    model
        ``"participant-period"``: variances of participant, eye, participant by period, and eye by period.
        Complete data give the exact t test of the participants' mean changes. ``"nested"``: without
        participant by period, as lme4's (1 | participant/eye); too sure where both eyes change together.
        ``"grizzle"``: means of the eyes with both periods. ``"gee"``: `remyelin.gee`.
    df
        ``"kenward-roger"`` or ``"satterthwaite"``; GEE has its own.
    se
        The measurement's own standard error, a column or (row,), in the unit of the response.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    Crossover

    Raises
    ------
    InputError
        For what is no 2 x 2 crossover (one sequence, one period, a participant with one treatment in both
        periods, rows twice, a third treatment or eye), differing units, and what `build` refuses.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> rows = [(f"sub-{k:02d}", eye, period, ("drug", "placebo")[(k + period) % 2]) for k in range(24)
    ...         for eye in ("OD", "OS") for period in (1, 2)]
    >>> table = pd.DataFrame(rows, columns=["participant_id", "eye", "period", "treatment"])
    >>> table["latency_ms"] = 120 - 2.0 * (table["treatment"] == "drug") + rng.normal(0, 1, 96)
    >>> fit = crossover("latency_ms ~ treatment + period + sequence", table, eye="eye", reference="placebo")
    >>> fit.contrasts().round(2)[["estimate", "se", "df", "ci_low", "ci_high"]]
                    estimate    se    df  ci_low  ci_high
    contrast
    drug - placebo     -1.71  0.24  22.0   -2.21    -1.22
    """
    check_names(estimand, model, df)
    check_alpha(alpha)
    roles = Roles(treatment, period, sequence, participant, eye)
    frame = check_rows(data, roles, first_only=estimand == "first-period")
    # Coded whole, whatever is asked: a gap is found, and all estimands have one reference.
    coded = specify("first-period", formula, roles, None) if estimand == "first-period" else formula
    whole = build(coded, frame, treatment, reference, keep=roles.columns).data
    reference = str(whole[treatment].cat.categories[0])
    known = known_variance(se, data)
    return fit_estimand(
        Specification(formula, roles, baseline, reference, model, df, alpha, frame, known), estimand
    )


def fit_estimand(spec: Specification, estimand: str) -> Crossover:
    """Fit one question with what `crossover` was told and checked."""
    roles, question = spec.roles, QUESTIONS[estimand]
    formula = specify(estimand, spec.formula, roles, spec.baseline)
    frame, variance = spec.data, spec.known
    if question.exposed:
        frame = frame.assign(**{EXPOSED: exposed(frame, roles, spec.reference)})
    period: str | None = roles.period
    if estimand == "first-period":
        here = (frame[roles.period].cat.codes == 0).to_numpy()
        frame, variance, period = frame[here].reset_index(drop=True), variance[here], None
    eye = roles.eye
    if spec.model == "grizzle":
        response, _, columns, _ = parse(formula)
        frame, variance = mean_of_eyes(frame, variance, roles, [response, *columns], period is not None)
        eye = None
    arm, level = (EXPOSED, "no") if question.exposed else (roles.treatment, spec.reference)
    keep = [each for each in (roles.participant, eye, roles.period, roles.sequence) if each is not None]
    design = build(formula, frame, arm, level, keep=keep)
    fit = _fit(spec, design, variance, (eye, period), (arm, level))
    return Crossover(
        estimand=estimand,
        formula=formula,
        spec=spec,
        table=fit.table,
        vcov=_vcov(fit, spec.df),
        n_participants=int(frame[roles.participant].nunique()),
        n_rows=len(frame),
        fit=fit,
        design=design,
    )


def _fit(
    spec: Specification,
    design: Design,
    known: FloatArray,
    inner: tuple[str | None, str | None],
    arms: tuple[str, str],
) -> PeriodModel | MixedFit | GeeFit:
    """The model of a specification; `inner`: the columns of eye and period that vary in a participant."""
    participant, (eye, period), (arm, reference) = spec.roles.participant, inner, arms
    se = np.sqrt(known) if known.any() else None
    if spec.model == "gee":
        return gee(
            design.formula, design.data, participant, arm=arm, reference=reference, se=se, alpha=spec.alpha
        )
    if spec.model == "nested" and (eye or period):
        # In a single period the eyes are the rows.
        groups = [participant] if eye is None or period is None else [participant, eye]
        return mixed_model(
            design.formula, design.data, groups, arm=arm, reference=reference, df=spec.df, se=se,
            alpha=spec.alpha,
        )  # fmt: skip
    return fit_periods(design, known, (participant, eye, period), spec.df, spec.alpha)


def _vcov(fit: PeriodModel | MixedFit | GeeFit, df: DfMethod) -> pd.DataFrame:
    if isinstance(fit, MixedFit) and df == "kenward-roger" and fit.vcov_kr is not None:
        return fit.vcov_kr
    return fit.vcov
