"""From a design to the fitted covariance, the coefficients and the likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.design import Design
from remyelin.trial.repeated.arrange import _arrange
from remyelin.trial.repeated.information import added
from remyelin.trial.repeated.newton import CONVERGED, SINGULAR, _determined, _maximise
from remyelin.trial.repeated.sandwich import bias_reduced
from remyelin.trial.repeated.spec import Spec
from remyelin.trial.repeated.structures import coded
from remyelin.trial.repeated.trials import lay_out
from remyelin.trial.repeated.visits import check_pairs, fewest
from remyelin.trial.repeated.wald import Coefficients, between_within

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Coefficients, covariance (visit, visit), log likelihood, number of covariance parameters, subjects."""

    coefficients: Coefficients
    covariance: FloatArray
    loglik: float
    parameters: int
    subjects: int


def estimate(design: Design, known: FloatArray, person: IntArray, visit: IntArray, spec: Spec) -> Estimate:
    """Fit the covariance and the coefficients of complete rows.

    Parameters
    ----------
    design
        Checked rows.
    known
        (row,) known variance.
    person, visit
        (row,) codes.
    spec
        The options.

    Raises
    ------
    InputError
        For data that do not determine the covariance.
    """
    visits = [str(each) for each in design.data[spec.visit].cat.categories]
    shape, heterogeneous = coded(spec.covariance)
    if spec.covariance == "unstructured" or "toeplitz" in spec.covariance:
        check_pairs(person, visit, visits, lags="toeplitz" in spec.covariance)
    layout = lay_out(design.X, person, visit)
    y, variance = design.y[layout.order], known[layout.order]
    ok, Z, var, seen, start, run, offset, scale = _arrange(layout.Q, y, variance, layout.visit, layout.start)
    if not ok or scale <= 1e-10 * np.sqrt(np.mean(y**2)):
        raise InputError(
            "", str(spec.formula.split("~")[0].strip()), "explained by the terms without any residue",
            "a measured response, which always leaves one",
            "look for a response that is constant, or copied from a covariate",
        )  # fmt: skip
    reml = spec.method == "REML"
    status, value, theta, sigma, beta, root, P, q, W, A = _maximise(
        shape, heterogeneous, Z, seen, start, run, var, len(visits), reml
    )
    if status != CONVERGED:
        _refuse(status, sigma, person, visit, visits, spec)
    n, p = Z.shape[0], len(beta)
    turn = root @ np.linalg.inv(layout.R).T
    if spec.robust:
        middle = bias_reduced(Z[:, :p] @ root.T, Z[:, p] - Z[:, :p] @ beta, A, start, run)
    else:
        options = (spec.df, spec.information)
        middle = np.eye(p) + added(
            *options, q, shape, heterogeneous, theta, Z, seen, start, run, beta, root, P, W, A
        )
    coefficients = Coefficients(
        beta=np.linalg.solve(layout.R, offset + scale * beta),
        vcov=_symmetric(scale**2 * turn.T @ middle @ turn),
        scale=scale,
        turn=turn,
        P=P,
        W=W,
        df=spec.df,
        between_within=between_within(design.X[layout.order], design.names, layout.start, spec.df),
    )
    loglik = -value - (n - p if reml else n) * (0.5 * np.log(2 * np.pi) + np.log(scale))
    if reml:
        loglik -= float(np.sum(np.log(np.abs(np.diag(layout.R)))))
    return Estimate(coefficients, scale**2 * sigma, float(loglik), len(theta), len(layout.start) - 1)


def _symmetric(matrix: FloatArray) -> FloatArray:
    return (matrix + matrix.T) / 2


def _refuse(
    status: int, sigma: FloatArray, person: IntArray, visit: IntArray, visits: list[str], spec: Spec
) -> None:
    """Say which visit the data do not determine."""
    fix = "choose a simpler covariance (heterogeneous-toeplitz, ar1, compound-symmetry), or fewer terms"
    if spec.se is not None:
        fix = f"{fix}, or leave se out: it may explain the scatter alone"
    # Variance of each visit given the others, as a share of its own.
    share = 1 / (np.diag(sigma) * np.diag(np.linalg.pinv(sigma, hermitian=True)))
    least = int(_determined(sigma)) if status == SINGULAR else int(np.argmin(share))
    if status == SINGULAR or share[least] < 1e-4:
        full = int(np.sum(np.bincount(person) == len(visits)))
        found = (
            f"without scatter of its own at {visits[least]}: other visits, terms or errors explain it "
            f"({full} subjects have every visit)"
        )
    else:
        found = f"too poor in data for this covariance, poorest at {fewest(person, visit, visits)}"
    raise InputError(
        "", spec.visit, found, f"enough subjects to estimate a covariance {spec.covariance!r}", fix
    )
