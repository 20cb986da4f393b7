"""t and F tests of linear combinations of the coefficients, with the degrees of freedom asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.repeated.smallsample import _single

FloatArray = npt.NDArray[np.float64]
Df = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within"]
DF_METHODS: tuple[Df, ...] = get_args(Df)


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Estimates with all that their tests need.

    ``turn @ c`` is a contrast in the coordinates where the model-based covariance is `scale` squared times
    the identity; `P` and `W` are those of `remyelin.trial.repeated.newton`. `between_within` has the degrees
    of freedom of each coefficient under that method.
    """

    beta: FloatArray
    vcov: FloatArray
    scale: float
    turn: FloatArray
    P: FloatArray
    W: FloatArray
    df: Df
    between_within: FloatArray

    def single(self, L: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Estimate, standard error and degrees of freedom (row,) of the rows of L (row, coefficient)."""
        se = np.sqrt(np.einsum("ra,ab,rb->r", L, self.vcov, L))
        return L @ self.beta, se, np.array([self._freedom(row) for row in L])

    def joint(self, L: FloatArray) -> tuple[float, float, float, float]:
        """F, its two degrees of freedom and p of L beta = 0; L (row, coefficient) of full rank."""
        from scipy.special import fdtrc

        q, estimate = len(L), L @ self.beta
        f = float(estimate @ np.linalg.solve(L @ self.vcov @ L.T, estimate)) / q
        if q == 1 or self.df == "between-within":
            df = float(min(self._freedom(row) for row in L))
        elif self.df == "satterthwaite":
            df = self._fai_cornelius(L)
        else:
            df, share = self._kenward_roger(L)
            f *= share
        return f, float(q), df, float(fdtrc(q, df, f))

    def _freedom(self, row: FloatArray) -> float:
        if self.df == "between-within":
            return float(self.between_within[row != 0].min(initial=np.inf))
        return float(_single(self.turn @ row, self.P, self.W)[1])

    def _fai_cornelius(self, L: FloatArray) -> float:
        """Fai & Cornelius 1996 (10.1080/00949659608811740): independent t tests put together."""
        _, axes = np.linalg.eigh(L @ self.vcov @ L.T)
        freedom = np.array([self._freedom(row) for row in axes.T @ L])
        if np.ptp(freedom) < 1e-8 * freedom[0]:
            return float(freedom.mean())
        if (freedom <= 2).any():
            return 2.0
        total = float(np.sum(freedom / (freedom - 2)))
        return 2 * total / (total - len(L))

    def _kenward_roger(self, L: FloatArray) -> tuple[float, float]:
        """Denominator degrees of freedom m and scale lambda of F: Kenward & Roger 1997, section 3."""
        q = len(L)
        basis = np.linalg.qr(self.turn @ L.T)[0]
        F = basis.T @ self.P @ basis
        traces = np.trace(F, axis1=1, axis2=2)
        a1 = float(traces @ self.W @ traces)
        a2 = float(np.einsum("hj,hab,jab->", self.W, F, F))
        b = (a1 + 6 * a2) / (2 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        bottom = 3 * q + 2 * (1 - g)
        c1, c2, c3 = g / bottom, (q - g) / bottom, (q + 2 - g) / bottom
        mean = 1 / (1 - a2 / q)
        variance = 2 / q * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = variance / (2 * mean**2)
        m = 4 + (q + 2) / (q * rho - 1)
        return m, m / (mean * (m - 2))


def between_within(X: FloatArray, names: tuple[str, ...], start: npt.NDArray[np.int64], df: Df) -> FloatArray:
    """Degrees of freedom of each coefficient, by whether its column varies within a subject.

    Schluchter & Elashoff 1990 (J Stat Comput Simul 37:69), as in R's mmrm: with n subjects, N rows, p1
    columns constant in every subject and p2 others, n - 1 - p1 and N - n - p2 (this also for the intercept).
    SAS gives every coefficient of an unstructured covariance the former.

    Raises
    ------
    InputError
        Where it is the method and leaves no degree of freedom.
    """
    low, high = np.minimum.reduceat(X, start[:-1]), np.maximum.reduceat(X, start[:-1])
    within = (high - low > 1e-12 * np.abs(X).max(axis=0)).any(axis=0)
    intercept = np.array([name == "Intercept" for name in names])
    subjects, rows = len(start) - 1, int(start[-1])
    between = ~within & ~intercept
    freedom = np.where(
        between,
        subjects - int(intercept.any()) - int(between.sum()),
        rows - subjects - int((within & ~intercept).sum()),
    ).astype(np.float64)
    none = np.flatnonzero(freedom <= 0)
    if df == "between-within" and none.size:
        raise InputError(
            "", "df", f"'between-within', with {freedom[none[0]]:g} degrees of freedom for {names[none[0]]}",
            "more subjects or visits than terms", "use 'kenward-roger-linear', or fewer terms",
        )  # fmt: skip
    return freedom
