"""Generalised estimating equations: the effect on the average of all rows, whatever their correlation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import Design, FloatArray, build, treatment_column
from remyelin.trial.equations.moments import Clusters, Correlation, Family, Working, working
from remyelin.trial.equations.result import Freedom, GeeFit, freedom
from remyelin.trial.equations.sandwich import COVARIANCES, Covariance, sandwich
from remyelin.trial.inference import check_alpha, table
from remyelin.trial.logistic import fit_logistic
from remyelin.trial.precision import known_variance
from remyelin.trial.squares import check_residue

FAMILIES = ("gaussian", "binomial")
CORRELATIONS = ("exchangeable", "independence")
STEPS = 200


def gee(
    formula: str,
    data: pd.DataFrame,
    groups: str,
    *,
    family: Family = "gaussian",
    correlation: Correlation = "exchangeable",
    covariance: Covariance = "mancl-derouen",
    df: Freedom = None,
    arm: str | None = None,
    reference: str | None = None,
    se: str | npt.ArrayLike | None = None,
    alpha: float = 0.05,
) -> GeeFit:
    """Fit `response ~ terms` to rows in clusters: lesions or eyes in participants.

    Parameters
    ----------
    formula
        As ``"change ~ arm + baseline"``.
    data
        One row a lesion, eye or visit.
    groups
        The column of the cluster, as ``"participant_id"``.
    family
        ``"gaussian"`` with identity link, or ``"binomial"`` with logit link for a response of 0 and 1.
    correlation
        Of two rows of a cluster in the working model: ``"exchangeable"`` or ``"independence"``.
    covariance
        ``"robust"`` (Liang & Zeger 1986, 10.1093/biomet/73.1.13), too small for few clusters; corrected:
        ``"mancl-derouen"`` (2001, 10.1111/j.0006-341X.2001.00126.x; the default, slightly conservative),
        ``"kauermann-carroll"`` (2001, 10.1198/016214501753382309; the CR2 of least squares),
        ``"fay-graubard"`` (2001, 10.1111/j.0006-341X.2001.01198.x), ``"cr1s"`` (Stata's factor).
        ``"model"`` trusts the working model.
    df
        Of the t reference: clusters - coefficients if None; a number (infinite: normal); or
        ``"satterthwaite"``, for each combination of coefficients its own.
    arm, reference
        The column of the treatment (``"arm"`` where the formula has it and it holds words), which contrasts
        need, and the arm that the others are compared with.
    se
        Standard error of each measurement (column of `data` or (row,), unit of the response; gaussian only).
        The working covariance becomes scale R(rho) + diag(se^2): noisy rows weigh less. The robust standard
        errors hold also if `se` is wrong.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    GeeFit

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses; as many coefficients as clusters; a response that is not 0
        and 1 or that a column predicts perfectly; a response without residue; a correlation that cannot be;
        one cluster that decides a coefficient.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> person = np.repeat(np.arange(24), 5)
    >>> change = rng.normal(0, 0.5, 24)[person] + 0.4 * (person % 2) + rng.normal(0, 1, 120)
    >>> table = pd.DataFrame({"participant_id": person, "arm": np.array(["placebo", "drug"])[person % 2],
    ...                       "change": change})
    >>> print(gee("change ~ arm", table, "participant_id", arm="arm", reference="placebo"))
    GEE change ~ arm, gaussian, exchangeable within participant_id (rho = ...), mancl-derouen covariance, ...
      drug - placebo: ... (95 % CI ... to ...), p = ...
    """
    for name, value, allowed in (
        ("family", family, FAMILIES),
        ("correlation", correlation, CORRELATIONS),
        ("covariance", covariance, COVARIANCES),
    ):
        if value not in allowed:
            raise InputError("", name, repr(value), "an option", did_you_mean(str(value), allowed))
    _check_options(family, covariance, df, se)
    check_alpha(alpha)
    arm = treatment_column(formula, data, arm, reference)
    design = build(formula, data, arm, reference, keep=(groups,), unit="rows")
    clusters = _clusters(design, groups)
    model, beta = solve(design, clusters, known_variance(se, data), family, correlation)
    parts = sandwich(design.X, design.y, model, covariance)
    names = pd.Index(design.names, name="term")
    freedoms = freedom(df, len(clusters.n), parts, np.eye(len(beta)))
    return GeeFit(
        formula=formula,
        groups=groups,
        family=family,
        correlation=correlation,
        covariance=covariance,
        df=df,
        arm=arm,
        reference=None if arm is None else str(design.data[arm].cat.categories[0]),
        alpha=alpha,
        table=table(beta, np.sqrt(np.diag(parts.vcov)), freedoms, names, alpha),
        vcov=pd.DataFrame(parts.vcov, index=names, columns=names),
        scale=model.scale,
        rho=model.rho,
        n=len(design.y),
        n_clusters=len(clusters.n),
        design=design,
        parts=parts,
    )


def _check_options(family: Family, covariance: Covariance, df: Freedom, se: object) -> None:
    if se is not None and family != "gaussian":
        raise InputError(
            "",
            "se",
            "given for a response of 0 and 1",
            "family='gaussian'",
            "leave se out, or analyse the value",
        )
    if isinstance(df, str):
        if df != "satterthwaite":
            raise InputError("", "df", repr(df), "a number or 'satterthwaite'", "name one of these")
        if covariance == "model":
            raise InputError(
                "", "df", "satterthwaite with the model's own covariance", "a sandwich",
                "use mancl-derouen or kauermann-carroll",
            )  # fmt: skip
    elif df is not None and not df > 0:
        raise InputError("", "df", f"{df}", "more than 0", "leave df out for clusters - coefficients")


def _clusters(design: Design, groups: str) -> Clusters:
    codes, labels = pd.factorize(design.data[groups])
    if len(labels) <= design.X.shape[1]:
        raise InputError(
            "", groups, f"{len(labels)} clusters for {design.X.shape[1]} coefficients",
            "more clusters than coefficients: they are what is independent, not the rows",
            "use fewer terms, or wait for more participants",
        )  # fmt: skip
    return Clusters(codes, np.bincount(codes).astype(np.float64), tuple(str(each) for each in labels))


def solve(
    design: Design, clusters: Clusters, known: FloatArray, family: Family, correlation: Correlation
) -> tuple[Working, FloatArray]:
    """Fisher scoring, with moment estimates of scale and correlation at each step."""
    X, y = design.X, design.y
    response = design.formula.split("~")[0].strip()
    if family == "binomial":
        beta = fit_logistic(X, y, design.names, response).beta
    else:
        check_residue(X, y, design.formula)
        beta = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0])
    model = working(X @ beta, y, known, clusters, family, correlation)
    for _ in range(STEPS):
        D = X * model.slope[:, None]
        weighted = model.solve(D)
        step = np.linalg.solve(D.T @ weighted, weighted.T @ (y - model.mu))
        beta = beta + step
        model = working(X @ beta, y, known, clusters, family, correlation)
        if np.abs(X @ step).max() <= 1e-11 * max(1.0, float(np.abs(X @ beta).max())):
            return model, beta
    raise InputError(
        "", response, f"not fitted: the equations did not settle in {STEPS} steps", "a solution",
        "use correlation='independence', or fewer terms",
    )  # fmt: skip
