"""What is added to the model-based covariance of the coefficients because theta is estimated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.trial.repeated.smallsample import _corrections

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# `linear` and `bent` of `_corrections`.
TERMS: dict[str, tuple[float, float]] = {
    "satterthwaite": (0.0, 0.0),
    "kenward-roger": (2.0, -0.5),
    "kenward-roger-linear": (2.0, 0.0),
}


def added(
    df: str,
    information: str,
    q: FloatArray,
    shape: int,
    heterogeneous: bool,
    theta: FloatArray,
    Z: FloatArray,
    visit: IntArray,
    start: IntArray,
    run: IntArray,
    beta: FloatArray,
    root: FloatArray,
    P: FloatArray,
    W: FloatArray,
    A: FloatArray,
) -> FloatArray:
    """Additions to Phi (coefficient, coefficient), in the coordinates where Phi is the identity.

    With ``information="observed"`` that is ``q' W q``, which makes Phi the block of beta in the inverse of
    the joint observed information: ``-Phi q'`` is the derivative of beta by theta. Kenward & Roger's linear
    term is twice what ``q' W q`` is expected to be where missing does not depend on the response: once for
    this scatter of beta, once for the bias of Phi. The first is then left out, as it is there already.

    Parameters
    ----------
    df, information
        As in `mmrm`.
    q
        (theta, coefficient), and the others, as `remyelin.trial.repeated.newton._maximise` has them.
    """
    linear, bent = TERMS.get(df, (0.0, 0.0))
    total = np.zeros((len(beta), len(beta)))
    if information == "observed":
        total += q.T @ W @ q
        linear /= 2
    if linear:
        total += _corrections(
            shape, heterogeneous, theta, Z, visit, start, run, beta, root, P, W, A, linear, bent
        )
    return total
