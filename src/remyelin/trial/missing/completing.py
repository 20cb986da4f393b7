"""Multiple imputation of a continuous outcome over visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.missing.imputations import Imputations
from remyelin.trial.missing.panel import Panel, read_panel
from remyelin.trial.missing.sampler import (
    Parameters,
    check_determined,
    draw,
    fill_gaps,
    gaps,
    regress,
    standardised,
    starting_values,
)
from remyelin.trial.missing.strategies import complete, deltas_of, joint_means, needs_reference, strategy_of


def impute(
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
    m: int = 100,
    rng: int | np.random.Generator,
    burn_in: int = 100,
    thin: int = 10,
) -> Imputations:
    """Complete a trial m times under an assumption about those who left.

    The visits have a multivariate normal distribution with a mean for each arm and visit, covariates whose
    effect may differ at each visit, and one unstructured covariance matrix. Parameters are drawn from their
    posterior for each imputation, then the missing values given them and what was observed. Values missing
    before a participant's last visit are missing at random always; after it the rule of `method` applies.

    Parameters
    ----------
    data
        A row a participant and visit; a missed visit is a row without a value, or no row. The columns of arm
        and covariates say the same in all rows of a participant.
    subject, visit, value, arm
        Columns. Visits are in the order of a categorical column, else sorted.
    covariates
        Baseline columns, complete; numbers or categories.
    method
        ``"MAR"`` as if they had gone on in their arm, ``"J2R"`` (jump to reference) as in the reference
        arm from the withdrawal on, ``"CR"`` (copy reference) as if in the reference arm from the beginning,
        ``"CIR"`` (copy increments) the changes of the reference arm from the last visit seen on; or one of
        these a participant, by name, MAR for the others.
    reference
        The arm that the others are compared with, needed by all methods but MAR.
    delta
        Added to values after the withdrawal in all arms but the reference, or by arm; unit of the outcome.
    m
        Number of imputations.
    rng
        A seed or generator: the same seed gives the same numbers, and shares the noise between methods.
    burn_in, thin
        Rounds of the sampler before the first imputation, and between two; used only with intermittent
        missing values.

    Returns
    -------
    Imputations

    Raises
    ------
    InputError
        For columns that are missing, a visit twice, an arm or covariate that changes within a participant,
        covariates with gaps, visits that too few reached, a method or an arm that does not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> person, visit = np.repeat(np.arange(60), 2), np.tile(["M03", "M06"], 60)
    >>> arm = np.where(person % 2, "drug", "placebo")
    >>> latency = rng.normal(0, 2, 60)[person] + rng.normal(0, 1, 120) - 2.0 * (arm == "drug")
    >>> latency[(person % 5 == 1) & (visit == "M06")] = np.nan
    >>> table = pd.DataFrame({"id": person, "visit": visit, "arm": arm, "latency": latency})
    >>> filled = impute(table, subject="id", visit="visit", value="latency", arm="arm", method="J2R",
    ...                 reference="placebo", m=50, rng=2026)
    >>> print(filled)
    50 imputations (J2R, reference placebo) of latency at 2 visits: 60 participants, 12 values missing
    >>> filled.analyse()[["estimate", "se", "df", "p"]].round(2)
                    estimate    se     df    p
    term
    drug - placebo      -1.7  0.53  52.01  0.0
    """
    panel = read_panel(
        data, subject=subject, visit=visit, value=value, arm=arm, covariates=covariates, reference=reference
    )
    strategies = strategy_of(panel, method)
    needs_reference(panel, strategies, reference)
    if m < 2 or burn_in < 0 or thin < 1:
        raise InputError(
            "", "m", f"{m} with burn_in {burn_in} and thin {thin}", "m >= 2, thin >= 1", "say m=100"
        )
    deltas = deltas_of(panel, delta)
    values = np.repeat(panel.Y[None], m, axis=0)
    if np.isnan(panel.Y).any():
        check_determined(panel)
        standard, centre, scale = standardised(panel)
        generator = np.random.default_rng(rng)
        for k, (Y, parameters) in enumerate(_posterior(standard, m, burn_in, thin, generator)):
            means = joint_means(standard, parameters, strategies)
            filled = complete(Y, standard, means, parameters, generator.standard_normal(Y.shape))
            values[k] = np.where(np.isnan(panel.Y), centre + scale * filled, panel.Y)
    return Imputations(panel=panel, values=values, method=method, deltas=deltas)


def _posterior(
    panel: Panel, m: int, burn_in: int, thin: int, rng: np.random.Generator
) -> list[tuple[FloatArray, Parameters]]:
    """m draws: the values with their intermittent gaps filled, and the parameters."""
    patterns = gaps(panel)
    if not patterns:
        fits = regress(panel, panel.Y)
        return [(panel.Y, draw(fits, rng)) for _ in range(m)]
    found = []
    Y = starting_values(panel)
    for k in range(burn_in + m * thin):
        parameters = draw(regress(panel, Y), rng)
        Y = fill_gaps(Y, parameters.means(panel.own), parameters, patterns, rng)
        if k >= burn_in and (k - burn_in) % thin == thin - 1:
            found.append((Y, parameters))
    return found
