"""REML of a covariance that is a sum of known matrices, in small blocks of one participant each.

V_i = sum_k theta_k G_ik + diag(se_i^2), with at most a few rows a block. Score and information: Harville 1977
(10.1080/01621459.1977.10480998). Adjusted covariance and degrees of freedom: Kenward & Roger 1997
(10.2307/2533558), whose second derivatives are zero here because V is linear in theta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Parts = (
    tuple[float, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray] | None
)

ITERATIONS = 500
HALVINGS = 40
# Score' I^-1 score is twice the gain in log-likelihood that is left.
TOLERANCE = 1e-19
# Less information about a variance, relative to its square, than this is none.
IDENTIFIED = 1e-6
# Below this gain the likelihood is taken as quadratic.
NEAR = 1.0
# Below this gain the deviance is too coarse to judge a step, and the step is taken as it is.
VISIBLE = 1e-8
# A variance is at its bound below this share of the residual variance.
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Blocks:
    """Participants side by side: `X` (block, place, coefficient), `y` (block, place).

    `G` (block, component, place, place) are the known matrices, `fixed` (block, place, place) the known part
    of the covariance. A place without a row has zeros, and 1 on the diagonal of `fixed`, and so no say.
    """

    n_rows: int
    X: FloatArray
    y: FloatArray
    G: FloatArray
    fixed: FloatArray

    @property
    def mean_known(self) -> float:
        """Mean of the known variances; a place without a row has 1 and is taken off."""
        empty = self.y.size - self.n_rows
        return (float(np.trace(self.fixed, axis1=1, axis2=2).sum()) - empty) / self.n_rows


@dataclass(frozen=True, slots=True)
class Reml:
    """A fit: `phi` is (X' V^-1 X)^-1, `adjusted` that of Kenward and Roger; `free` says which are off zero.

    `P` (component, p, p) are minus X' V^-1 G_k V^-1 X; `expected` and `observed` the covariance matrices of
    the free components by the two kinds of information.
    """

    theta: FloatArray
    free: npt.NDArray[np.bool_]
    beta: FloatArray
    phi: FloatArray
    adjusted: FloatArray
    P: FloatArray
    expected: FloatArray
    observed: FloatArray
    deviance: float


def fit_reml(blocks: Blocks) -> Reml:
    """Maximise with step halving; a variance that falls to zero is held there, and `free` says so.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the components cannot be told apart, or no step gains anything.
    """
    scale = _scale(blocks)
    lower = NOTHING * scale
    theta = np.full(blocks.G.shape[1], scale)
    parts, last = _parts(blocks, theta), np.inf
    for _ in range(ITERATIONS):
        if parts is None:
            break
        score = parts[3]
        free = (theta > lower) | (score > 0)
        step = np.zeros(len(theta))
        step[free] = _step(score[free], parts[4][np.ix_(free, free)], parts[5][np.ix_(free, free)])
        gain = float(score @ step)
        # Rounding is all that moves a gain that no longer falls.
        if gain < TOLERANCE or last <= gain < VISIBLE:
            return _finish(blocks, theta, free & (theta > lower), parts)
        last = gain
        theta, parts = _search(blocks, theta, step, parts[0] if gain > VISIBLE else np.inf, lower)
    raise np.linalg.LinAlgError("no convergence")


def _step(score: FloatArray, expected: FloatArray, observed: FloatArray) -> FloatArray:
    """Fisher scoring far from the maximum, where it is safe; Newton's step near it, where it is fast."""
    step = np.asarray(np.linalg.solve(expected, score))
    if float(score @ step) < NEAR and np.linalg.eigvalsh(observed)[0] > 0:
        step = np.asarray(np.linalg.solve(observed, score))
    return step


def _search(
    blocks: Blocks, theta: FloatArray, step: FloatArray, deviance: float, lower: float
) -> tuple[FloatArray, Parts]:
    share = 1.0
    for _ in range(HALVINGS):
        tried = np.maximum(theta + share * step, lower)
        parts = _parts(blocks, tried)
        if parts is not None and parts[0] < deviance:
            return tried, parts
        share /= 2
    return theta, None


def _scale(blocks: Blocks) -> float:
    X, y = blocks.X.reshape(-1, blocks.X.shape[2]), blocks.y.ravel()
    left = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    return float(left @ left) / (blocks.n_rows - X.shape[1])


def _finish(blocks: Blocks, theta: FloatArray, free: npt.NDArray[np.bool_], parts: Parts) -> Reml:
    assert parts is not None
    deviance, beta, phi, _, information, curvature, P, Q = parts
    kept = np.ix_(free, free)
    # Twice the information about a log variance is its degrees of freedom: it and any mixture must have some.
    size = theta[free] + blocks.mean_known
    if np.linalg.eigvalsh(information[kept] * np.outer(size, size))[0] < IDENTIFIED:
        raise np.linalg.LinAlgError("variances that cannot be told apart")
    expected, observed = (
        np.asarray(np.linalg.inv(each[kept]), np.float64) for each in (information, curvature)
    )
    P, Q = P[free], Q[kept]
    # Kenward & Roger 1997, equation (4) without second derivatives.
    middle = np.einsum("kl,klab->ab", expected, Q) - np.einsum("kl,kab,bc,lcd->ad", expected, P, phi, P)
    return Reml(theta, free, beta, phi, phi + 2 * phi @ middle @ phi, P, expected, observed, deviance)


def freedom(fit: Reml, rows: FloatArray, observed: bool) -> FloatArray:
    """Degrees of freedom (row,) of linear combinations `rows` (row, coefficient) of the coefficients.

    For one degree of freedom in the numerator Kenward and Roger's formula is 2 / A with A their A_1, and its
    scale is 1; with the observed information it is Satterthwaite's (Giesbrecht & Burns 1985,
    Biometrics 41:477). Infinite where no variance had to be estimated.
    """
    spread = fit.observed if observed else fit.expected
    sides = rows @ fit.phi
    size = np.einsum("ra,ra->r", sides, rows)
    gradient = np.einsum("ra,kab,rb->rk", sides, fit.P, sides) / size[:, None]
    a = np.einsum("rk,kl,rl->r", gradient, spread, gradient)
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 / a)


def _parts(blocks: Blocks, theta: FloatArray) -> Parts:
    """Deviance, score, information and what inference needs, at theta."""
    X, y, G = blocks.X, blocks.y, blocks.G
    try:
        V = np.tensordot(theta, G, axes=(0, 1)) + blocks.fixed
        lower = np.linalg.cholesky(V)
        W = np.linalg.inv(V)
        WX = W @ X
        A = np.einsum("nia,nib->ab", X, WX)
        phi = np.linalg.inv(A)
    except np.linalg.LinAlgError:
        return None
    beta = phi @ np.einsum("nia,ni->a", WX, y)
    left = y - X @ beta
    Wr = np.einsum("nij,nj->ni", W, left)
    log_v = 2 * float(np.sum(np.log(np.einsum("nii->ni", lower))))
    rows = blocks.n_rows - X.shape[2]
    deviance = rows * np.log(2 * np.pi) + log_v + np.linalg.slogdet(A)[1] + float(np.sum(left * Wr))
    GW, GX = G @ W[:, None], G @ WX[:, None]
    Gr = np.einsum("nkij,nj->nki", G, Wr)
    P = -np.einsum("nia,nkib->kab", WX, GX)
    Q = np.einsum("nkia,nlib->klab", GX, W[:, None] @ GX)
    # Score and information of the restricted likelihood (Harville 1977, section 5).
    score = 0.5 * (np.einsum("ni,nki->k", Wr, Gr) - np.einsum("nkii->k", GW) - np.einsum("ab,kab->k", phi, P))
    crossed = np.einsum("kab,lba->kl", phi @ P, phi @ P)
    information = 0.5 * (np.einsum("nkij,nlji->kl", GW, GW) - 2 * np.einsum("ab,klab->kl", phi, Q) + crossed)
    sides = np.einsum("nia,nki->ka", WX, Gr)
    quadratic = np.einsum("nki,nli->kl", Gr, np.einsum("nij,nkj->nki", W, Gr)) - sides @ phi @ sides.T
    return deviance, beta, phi, score, information, quadratic - information, P, Q
