"""Shapes of the covariance between visits: names, parameters, and the matrix with its two derivatives.

Every structure is ``Sigma[a, b] = exp(lambda[a] + lambda[b]) C[a, b](phi)`` with one `lambda` a visit
(heterogeneous) or one for all. `C` is a correlation matrix, but for the unstructured, where it is ``L L'``
with a unit lower triangular `L`. The parameters theta = (lambda, phi) are unbounded; the covariance is
positive definite for each theta of the unstructured, AR(1) and compound-symmetry forms, and the fit keeps a
Toeplitz correlation so. They are those of R's mmrm (vignette "Covariance structures"), on which the
second-derivative term of the full Kenward-Roger correction depends.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numba import njit

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.repeated.cholesky import _factor

Covariance = Literal[
    "unstructured",
    "toeplitz",
    "ar1",
    "compound-symmetry",
    "heterogeneous-toeplitz",
    "heterogeneous-ar1",
    "heterogeneous-compound-symmetry",
]
NAMES: tuple[Covariance, ...] = get_args(Covariance)
# The short names of R's mmrm and of SAS's PROC MIXED (type=).
ALIASES: dict[str, Covariance] = {
    "us": "unstructured",
    "un": "unstructured",
    "toep": "toeplitz",
    "toeph": "heterogeneous-toeplitz",
    "cs": "compound-symmetry",
    "csh": "heterogeneous-compound-symmetry",
    "ar(1)": "ar1",
    "ar1h": "heterogeneous-ar1",
    "arh(1)": "heterogeneous-ar1",
}
UNSTRUCTURED, TOEPLITZ, AR1, COMPOUND = range(4)
_CODES = {"unstructured": UNSTRUCTURED, "toeplitz": TOEPLITZ, "ar1": AR1, "compound-symmetry": COMPOUND}


def canonical(name: str) -> Covariance:
    """The full name of a structure, from itself or a short name of R or SAS.

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> canonical("toeph")
    'heterogeneous-toeplitz'
    """
    known = name.casefold() if isinstance(name, str) else name
    for each in NAMES:
        if known == each:
            return each
    if known not in ALIASES:
        raise InputError(
            "", "covariance", repr(name), f"one of {', '.join(NAMES)}",
            did_you_mean(str(name), [*NAMES, *ALIASES]),
        )  # fmt: skip
    return ALIASES[known]


def coded(name: Covariance) -> tuple[int, bool]:
    """What the kernels know a structure by: its shape, and whether each visit has its own variance."""
    shape = name.removeprefix("heterogeneous-")
    return _CODES[shape], name == "unstructured" or shape != name


@njit(cache=True)
def _size(shape, heterogeneous, m):
    """Number of lambda, and of all parameters."""
    scales = m if heterogeneous else 1
    if shape == UNSTRUCTURED:
        return scales, scales + m * (m - 1) // 2
    return scales, scales + (m - 1 if shape == TOEPLITZ else 1)


@njit(cache=True)
def _vech(m):
    """Place of each pair of visits among the m (m + 1) / 2 elements of a symmetric matrix."""
    place = np.empty((m, m), np.int64)
    count = 0
    for a in range(m):
        for b in range(a, m):
            place[a, b] = place[b, a] = count
            count += 1
    return place


@njit(cache=True)
def _covariance(shape, heterogeneous, theta, m, place, sigma, first, second):
    """Fill `sigma` (m, m), `first` (theta, element) and `second` (theta, theta, element)."""
    scales, size = _size(shape, heterogeneous, m)
    C, dC, d2C = _shape(shape, theta[scales:], m, place)
    for a in range(m):
        for b in range(a, m):
            s = place[a, b]
            e = np.exp(theta[a] + theta[b]) if heterogeneous else np.exp(2 * theta[0])
            sigma[a, b] = sigma[b, a] = e * C[s]
            for h in range(size):
                times_h = _times(h, a, b, heterogeneous) if h < scales else 0
                first[h, s] = e * (times_h * C[s] if h < scales else dC[h - scales, s])
                for j in range(h + 1):
                    times_j = _times(j, a, b, heterogeneous) if j < scales else 0
                    if h < scales:
                        value = times_h * times_j * C[s]
                    elif j < scales:
                        value = times_j * dC[h - scales, s]
                    else:
                        value = d2C[h - scales, j - scales, s]
                    second[h, j, s] = second[j, h, s] = e * value


@njit(cache=True)
def _times(h, a, b, heterogeneous):
    return (h == a) + (h == b) if heterogeneous else 2


@njit(cache=True)
def _shape(shape, phi, m, place):
    """C (element,) and its derivatives by phi."""
    size, elements = phi.size, m * (m + 1) // 2
    C, dC, d2C = np.ones(elements), np.zeros((size, elements)), np.zeros((size, size, elements))
    if shape == UNSTRUCTURED:
        _unit_lower(phi, m, place, C, dC, d2C)
        return C, dC, d2C
    for a in range(m):
        for b in range(a + 1, m):
            s, lag = place[a, b], b - a
            if shape == TOEPLITZ:
                C[s], dC[lag - 1, s], d2C[lag - 1, lag - 1, s] = _correlation(phi[lag - 1])
            elif shape == AR1:
                rho, slope, bend = _correlation(phi[0])
                C[s] = rho**lag
                dC[0, s] = lag * rho ** (lag - 1) * slope
                d2C[0, 0, s] = lag * rho ** (lag - 1) * bend
                if lag > 1:
                    d2C[0, 0, s] += lag * (lag - 1) * rho ** (lag - 2) * slope**2
            else:
                # From -1 / (m - 1) to 1: rho = (1 + a) logistic(phi) - a with a = 1 / (m - 1).
                span, share = 1 + 1 / (m - 1), 1 / (1 + np.exp(-phi[0]))
                C[s] = span * share - 1 / (m - 1)
                dC[0, s] = span * share * (1 - share)
                d2C[0, 0, s] = span * share * (1 - share) * (1 - 2 * share)
    return C, dC, d2C


@njit(cache=True)
def _correlation(phi):
    """rho = phi / sqrt(1 + phi^2), with two derivatives."""
    root = np.sqrt(1 + phi * phi)
    return phi / root, root**-3, -3 * phi * root**-5


@njit(cache=True)
def _unit_lower(phi, m, place, C, dC, d2C):
    L = np.zeros((m, m))
    for i in range(m):
        L[i, i] = 1
        for j in range(i):
            L[i, j] = phi[i * (i - 1) // 2 + j]
    for a in range(m):
        for b in range(a, m):
            C[place[a, b]] = 0
            for k in range(a + 1):
                C[place[a, b]] += L[a, k] * L[b, k]
    for i in range(1, m):
        for j in range(i):
            h = i * (i - 1) // 2 + j
            for a in range(m):
                dC[h, place[i, a]] += L[a, j] * (2 if a == i else 1)
            for k in range(j + 1, m):
                d2C[h, k * (k - 1) // 2 + j, place[i, k]] += 2 if i == k else 1


@njit(cache=True)
def _unshape(shape, heterogeneous, sigma, theta):
    """Fill the parameters of the member of a structure that is near `sigma`, a positive definite matrix."""
    m = sigma.shape[0]
    scales, size = _size(shape, heterogeneous, m)
    if shape == UNSTRUCTURED:
        L = np.zeros((m, m))
        _factor(sigma, m, 0.0, L)
        for i in range(m):
            theta[i] = np.log(L[i, i])
            for j in range(i):
                theta[m + i * (i - 1) // 2 + j] = L[i, j] / L[i, i]
        return
    mean, pooled = np.zeros(m - 1), 0.0
    total = 0.0
    for a in range(m):
        total += sigma[a, a] / m
        if heterogeneous:
            theta[a] = 0.5 * np.log(sigma[a, a])
        for b in range(a + 1, m):
            rho = sigma[a, b] / np.sqrt(sigma[a, a] * sigma[b, b])
            mean[b - a - 1] += rho / (m - b + a)
            pooled += rho / (m * (m - 1) // 2)
    if not heterogeneous:
        theta[0] = 0.5 * np.log(total)
    if shape == COMPOUND:
        low = 1 / (m - 1)
        share = min(max((pooled + low) / (1 + low), 0.05), 0.95)
        theta[scales] = np.log(share / (1 - share))
        return
    for q in range(size - scales):
        rho = min(max(mean[q], -0.9), 0.9)
        theta[scales + q] = rho / np.sqrt(1 - rho * rho)
