"""The same assumptions without chance: conditional means, and the jackknife for their error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import Design, FloatArray
from remyelin.trial.inference import table
from remyelin.trial.missing.panel import Panel, read_panel
from remyelin.trial.missing.sampler import Parameters, check_determined, fill_gaps, gaps, standardised
from remyelin.trial.missing.strategies import complete, deltas_of, joint_means, needs_reference, strategy_of
from remyelin.trial.repeated.estimate import estimate as fitted
from remyelin.trial.repeated.spec import specify


def conditional_mean(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str,
    covariates: Sequence[str] = (),
    method: str | Mapping[str, str] = "MAR",
    reference: str | None = None,
    delta: float | Mapping[str, float] = 0.0,
    at: str | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Differences of arms when missing values are replaced by what is expected under an assumption.

    Missing values become their conditional expectation given what was observed, under the REML fit of the
    model that `impute` draws from (an MMRM with unstructured covariance); one analysis of covariance follows.
    Its standard error is that of the jackknife: everything is repeated without each participant (Wolbers et
    al. 2022, 10.1002/pst.2234). There is no chance in it, and the standard error is that of repeating the
    trial, which for the reference-based methods is smaller than Rubin's.

    Parameters
    ----------
    data, subject, visit, value, arm, covariates, method, reference, delta
        As in `impute`.
    at
        Visit of the analysis of covariance; the last one if not given.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    pandas.DataFrame
        Index ``term``; the columns of every estimator, with a normal reference (`df` infinite).

    Raises
    ------
    InputError
        As `impute` and `mmrm` do.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> person, visit = np.repeat(np.arange(60), 2), np.tile(["M03", "M06"], 60)
    >>> arm = np.where(person % 2, "drug", "placebo")
    >>> latency = rng.normal(0, 2, 60)[person] + rng.normal(0, 1, 120) - 2.0 * (arm == "drug")
    >>> latency[(person % 5 == 1) & (visit == "M06")] = np.nan
    >>> data = pd.DataFrame({"id": person, "visit": visit, "arm": arm, "latency": latency})
    >>> conditional_mean(data, subject="id", visit="visit", value="latency", arm="arm", method="J2R",
    ...                  reference="placebo")[["estimate", "se", "p"]].round(2)
                    estimate    se    p
    term
    drug - placebo     -1.72  0.43  0.0
    """
    panel = read_panel(
        data, subject=subject, visit=visit, value=value, arm=arm, covariates=covariates, reference=reference
    )
    strategies = strategy_of(panel, method)
    needs_reference(panel, strategies, reference)
    if at is not None and str(at) not in panel.visits:
        raise InputError(
            "", "at", repr(at), f"one of {', '.join(panel.visits)}", did_you_mean(str(at), panel.visits)
        )
    when = len(panel.visits) - 1 if at is None else panel.visits.index(str(at))
    shift = np.where(panel.after, deltas_of(panel, delta)[panel.arm_code][:, None], 0.0)
    check_determined(panel)
    standard, centre, scale = standardised(panel)
    names, rows = panel.contrasts

    def estimate(kept: npt.NDArray[np.bool_]) -> FloatArray:
        part = _only(standard, kept)
        filled = _expected(part, strategies[kept])
        response = (centre + scale * filled + shift[kept])[:, when]
        return np.asarray(rows @ np.linalg.lstsq(panel.own[kept], response, rcond=None)[0])

    n = len(panel.subjects)
    found = estimate(np.ones(n, bool))
    without = np.array([estimate(np.arange(n) != i) for i in range(n)])
    variance = (n - 1) / n * np.sum((without - without.mean(axis=0)) ** 2, axis=0)
    return table(found, np.sqrt(variance), np.inf, pd.Index(list(names), name="term"), alpha)


def _only(panel: Panel, kept: npt.NDArray[np.bool_]) -> Panel:
    subjects = tuple(name for name, keep in zip(panel.subjects, kept, strict=True) if keep)
    return replace(
        panel,
        subjects=subjects,
        Y=panel.Y[kept],
        last=panel.last[kept],
        arm_code=panel.arm_code[kept],
        own=panel.own[kept],
        referenced=panel.referenced[kept],
    )


def _expected(panel: Panel, strategies: npt.NDArray[np.str_]) -> FloatArray:
    """Values with expectations where they are missing, under the REML fit."""
    if not np.isnan(panel.Y).any():
        return panel.Y
    parameters = _reml(panel)
    Y = fill_gaps(panel.Y, parameters.means(panel.own), parameters, gaps(panel), None)
    return complete(Y, panel, joint_means(panel, parameters, strategies), parameters, None)


def _reml(panel: Panel) -> Parameters:
    """The REML fit, every term with an effect of its own at each visit, as regressions in sequence."""
    visits, p = len(panel.visits), panel.own.shape[1]
    person, time = np.nonzero(~np.isnan(panel.Y))
    X = np.zeros((len(person), visits, p))
    X[np.arange(len(person)), time] = panel.own[person]
    design = Design(
        formula=f"{panel.value} ~ {panel.visit}:({panel.arm} + covariates)",
        y=panel.Y[person, time],
        X=X.reshape(len(person), -1),
        names=tuple(f"{visit}:{k}" for visit in panel.visits for k in range(p)),
        spec=None,
        data=pd.DataFrame(
            {panel.visit: pd.Categorical(np.array(panel.visits)[time], categories=list(panel.visits))}
        ),
        factors=(),
        covariates=(),
    )
    spec = specify(
        *("unstructured", "satterthwaite", "REML", False),
        formula=design.formula, subject=panel.subject, visit=panel.visit,
        se=None, arm=None, reference=None, alpha=0.05,
    )  # fmt: skip
    fit = fitted(design, np.zeros(len(person)), person, time, spec)
    means = fit.coefficients.beta.reshape(visits, p).T
    root = np.linalg.cholesky(fit.covariance)
    sigma = np.diag(root).copy()
    # The covariance is that of (I - phi)^-1 diag(sigma) e.
    phi = np.tril(np.eye(visits) - sigma[:, None] * np.linalg.inv(root), -1)
    return Parameters(means - means @ phi.T, phi, sigma)
