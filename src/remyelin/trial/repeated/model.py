"""The mixed model for repeated measures: arms compared at each visit, missing visits allowed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.trial.design import build, treatment_column
from remyelin.trial.inference import table
from remyelin.trial.precision import known_variance
from remyelin.trial.repeated.estimate import estimate
from remyelin.trial.repeated.result import MmrmFit
from remyelin.trial.repeated.spec import Information, specify
from remyelin.trial.repeated.visits import check_arm, observed
from remyelin.trial.repeated.wald import Df


def mmrm(
    formula: str,
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    covariance: str = "unstructured",
    df: Df = "kenward-roger-linear",
    method: Literal["REML", "ML"] = "REML",
    se: str | npt.ArrayLike | None = None,
    arm: str | None = None,
    reference: str | None = None,
    alpha: float = 0.05,
    robust: bool = False,
    information: Information = "expected",
) -> MmrmFit:
    """Fit a mixed model for repeated measures.

    The responses of a subject have a multivariate normal distribution whose mean is the formula's and whose
    covariance between visits has the form asked for; subjects are independent. A missed visit costs nothing
    but its own row: a row without a response is left out and counted in `n_missing`, which is right where
    missing depends on what was observed (missing at random).

    Parameters
    ----------
    formula
        As ``"change ~ arm * visit + baseline * visit"``.
    data
        One row a subject and visit.
    subject, visit
        Columns. Visits are categories, in the order of a categorical column, else sorted (numbers as
        numbers); for a straight line in time give the time a column of its own.
    covariance
        ``"unstructured"``, ``"toeplitz"``, ``"ar1"``, ``"compound-symmetry"``, and each of the last three
        with ``"heterogeneous-"`` before it: a variance for each visit. The short names of R and SAS are
        understood (us, un, toep, toeph, ar1, ar1h, cs, csh). AR(1) and Toeplitz count visits as equally
        spaced.
    df
        ``"kenward-roger-linear"``: Kenward & Roger 1997 (10.2307/2533558) without second derivatives of the
        covariance; SAS's ``ddfm=kr`` for ``type=un``, and the same however a covariance is parametrised.
        ``"kenward-roger"``: with them, in the parameters of R's mmrm. ``"satterthwaite"``: model-based
        standard errors. ``"between-within"``: Schluchter & Elashoff 1990 (J Stat Comput Simul 37:69).
    method
        Restricted or full maximum likelihood.
    se
        Standard error of each response as it was measured, a column or (row,); se^2 is added to the variance
        of the row as known.
    arm, reference
        The column of the treatment, ``"arm"`` if the formula has it, and the arm that the others are compared
        with.
    alpha
        Intervals cover 1 - alpha.
    robust
        Bias-reduced empirical standard errors (CR2: Bell & McCaffrey 2002), with ``df="between-within"``.
    information
        What standard errors rest on. ``"expected"``, as R and SAS, takes coefficients and covariance as
        independent, and gives too small errors where much is missing at random and differently in the arms.
        ``"observed"`` does not (Kenward & Molenberghs 1998, 10.1214/ss/1028905886); the same in complete data
        where each term has a coefficient at each visit. Degrees of freedom are the same.

    Returns
    -------
    MmrmFit

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses, a visit that a subject has twice, a subject in two arms,
        one visit only, visits that no subject has both, data that do not determine the covariance; column and
        fix are named.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> person, visit = np.repeat(np.arange(40), 3), np.tile(["M03", "M06", "M12"], 40)
    >>> arm = np.where(person % 2, "drug", "placebo")
    >>> latency = rng.normal(0, 2, 40)[person] + rng.normal(0, 1, 120) - 1.5 * (arm == "drug")
    >>> table = pd.DataFrame({"id": person, "visit": visit, "arm": arm, "change": latency.round(2)})
    >>> table.loc[[5, 8, 31], "change"] = np.nan
    >>> print(mmrm("change ~ arm * visit", table, subject="id", visit="visit", arm="arm",
    ...            reference="placebo"))
    MMRM change ~ arm * visit, unstructured covariance, REML, kenward-roger-linear
    40 subjects, 117 rows, 3 without a response left out
      drug - placebo, M03: -0.6425 (95 % CI -2.233 to +0.9477), df = 38.0, p = 0.418
      drug - placebo, M06: -0.9922 (95 % CI -2.397 to +0.4127), df = 37.8, p = 0.161
      drug - placebo, M12: -0.6249 (95 % CI -2.166 to +0.9158), df = 37.6, p = 0.417
    """
    arm = treatment_column(formula, data, arm, reference)
    spec = specify(
        *(covariance, df, method, robust, information),
        formula=formula, subject=subject, visit=visit, se=se, arm=arm, reference=reference, alpha=alpha,
    )  # fmt: skip
    rows, missing = observed(formula, data.reset_index(drop=True), subject, visit)
    values = se
    if se is not None and not isinstance(se, str) and np.shape(se) == (len(data),):
        values = np.asarray(se)[rows.index]
    known = known_variance(values, rows)
    design = build(formula, rows, arm, reference, keep=(subject, visit), unit="rows")
    if arm is not None:
        check_arm(design.data, subject, arm)
    person = pd.factorize(design.data[subject])[0].astype(np.int64)
    when = design.data[visit].cat.codes.to_numpy().astype(np.int64)
    fit = estimate(design, known, person, when, spec)
    names = pd.Index(design.names, name="term")
    visits = pd.Index([str(each) for each in design.data[visit].cat.categories], name=visit)
    return MmrmFit(
        table=table(*fit.coefficients.single(np.eye(len(names))), names, alpha),
        vcov=pd.DataFrame(fit.coefficients.vcov, index=names, columns=names),
        covariance=pd.DataFrame(fit.covariance, index=visits, columns=visits),
        loglik=fit.loglik,
        n_parameters=fit.parameters,
        n=len(design.y),
        n_subjects=fit.subjects,
        n_missing=missing,
        spec=spec,
        design=design,
        coefficients=fit.coefficients,
    )
