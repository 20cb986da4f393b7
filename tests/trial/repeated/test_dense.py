"""Against whole matrices: likelihood, gradient, corrections and structures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.trial.repeated import mmrm
from remyelin.trial.repeated.structures import NAMES, _covariance, _size, _vech, coded

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}


def close(value, rel=1e-9, of=0.0):
    return pytest.approx(value, rel=rel, abs=of)


class Dense:
    """The model in whole matrices, derivatives by the elements of Sigma, Hessian by differences."""

    def __init__(self, fit, se=None):
        data = fit.design.data
        self.X, self.y = fit.design.X, fit.design.y
        self.person = pd.factorize(data["id"])[0]
        self.visit = data["visit"].cat.codes.to_numpy()
        self.same = self.person[:, None] == self.person
        self.known = np.zeros(len(self.y)) if se is None else np.asarray(se) ** 2
        self.sigma = fit.covariance.to_numpy()
        self.pairs = [(a, b) for a in range(len(self.sigma)) for b in range(a, len(self.sigma))]

    def matrix(self, sigma):
        return sigma[np.ix_(self.visit, self.visit)] * self.same

    def loglik(self, sigma, reml=True):
        V = self.matrix(sigma) + np.diag(self.known)
        inverse = np.linalg.inv(V)
        information = self.X.T @ inverse @ self.X
        beta = np.linalg.solve(information, self.X.T @ inverse @ self.y)
        r = self.y - self.X @ beta
        n, p = self.X.shape
        value = np.linalg.slogdet(V)[1] + r @ inverse @ r + (n - p * reml) * np.log(2 * np.pi)
        return -0.5 * (value + (np.linalg.slogdet(information)[1] if reml else 0))

    def element(self, a, b):
        E = np.zeros(self.sigma.shape)
        E[a, b] = E[b, a] = 1
        return E

    def gradient(self, reml=True, h=1e-5):
        return np.array(
            [
                (self.loglik(self.sigma + h * E, reml) - self.loglik(self.sigma - h * E, reml)) / (2 * h)
                for E in (self.element(*pair) for pair in self.pairs)
            ]
        )

    def information(self, h=2e-3):
        """Observed, of the elements of Sigma: fourth-order differences."""
        E = [self.element(*pair) for pair in self.pairs]
        H = np.empty((len(E), len(E)))
        weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
        for i in range(len(E)):
            for j in range(i + 1):
                H[i, j] = H[j, i] = (
                    -sum(
                        u * v * self.loglik(self.sigma + h * (s * E[i] + t * E[j]))
                        for s, u in weights.items()
                        for t, v in weights.items()
                    )
                    / h**2
                )
        return H

    def joint(self, beta, sigma, reml):
        """Log likelihood of beta and Sigma, whose maximum over beta is `loglik` (constant left out)."""
        V = self.matrix(sigma) + np.diag(self.known)
        inverse = np.linalg.inv(V)
        r = self.y - self.X @ beta
        value = np.linalg.slogdet(V)[1] + r @ inverse @ r
        return -0.5 * (value + (np.linalg.slogdet(self.X.T @ inverse @ self.X)[1] if reml else 0))

    def joint_information(self, beta, steps, reml, h=2e-3):
        """Observed, of beta and the elements of Sigma together, by fourth-order differences."""
        p, E = len(beta), np.array([self.element(*pair) for pair in self.pairs])
        step = np.concatenate([steps, np.full(len(E), h)])
        H = np.empty((len(step), len(step)))
        weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}

        def at(move):
            return self.joint(beta + move[:p], self.sigma + np.tensordot(move[p:], E, 1), reml)

        unit = np.diag(step)
        for i in range(len(step)):
            for j in range(i + 1):
                total = sum(
                    u * v * at(s * unit[i] + t * unit[j])
                    for s, u in weights.items()
                    for t, v in weights.items()
                )
                H[i, j] = H[j, i] = -total / (step[i] * step[j])
        return H

    def small_sample(self):
        """Phi, the corrected covariance (linear), and the degrees of freedom of each coefficient."""
        V = self.matrix(self.sigma) + np.diag(self.known)
        inverse = np.linalg.inv(V)
        phi = np.linalg.inv(self.X.T @ inverse @ self.X)
        dV = [self.matrix(self.element(*pair)) for pair in self.pairs]
        P = [-self.X.T @ inverse @ d @ inverse @ self.X for d in dV]
        W = np.linalg.inv(self.information())
        middle = np.zeros(phi.shape)
        for i, d in enumerate(dV):
            for j, e in enumerate(dV):
                Q = self.X.T @ inverse @ d @ inverse @ e @ inverse @ self.X
                middle += W[i, j] * (Q - P[i] @ phi @ P[j])
        slope = np.array([-np.diag(phi @ p @ phi) for p in P])
        df = 2 * np.diag(phi) ** 2 / np.einsum("ic,ij,jc->c", slope, W, slope)
        return phi, phi + 2 * phi @ middle @ phi, df


@pytest.mark.parametrize("se", [None, "se"])
def test_dense_twin(trial, se):
    data = trial()
    fit = mmrm(FORMULA, data, se=se, **ROLES)
    dense = Dense(fit, None if se is None else data["se"][data["y"].notna()])
    assert fit.loglik == close(dense.loglik(dense.sigma), 1e-12)
    assert np.abs(dense.gradient()).max() < 1e-6
    phi, corrected, df = dense.small_sample()
    assert fit.vcov.to_numpy() == close(corrected, 1e-4, 1e-7 * np.abs(corrected).max())
    assert fit.table["df"].to_numpy() == close(df, 1e-4)
    model = mmrm(FORMULA, data, se=se, df="satterthwaite", **ROLES)
    assert model.vcov.to_numpy() == close(phi, 1e-8, 1e-10 * np.abs(phi).max())
    assert model.table["df"].to_numpy() == close(df, 1e-4)


def test_dense_twin_of_full_likelihood(trial):
    fit = mmrm(FORMULA, trial(), method="ML", df="satterthwaite", **ROLES)
    dense = Dense(fit)
    assert fit.loglik == close(dense.loglik(dense.sigma, reml=False), 1e-12)
    assert np.abs(dense.gradient(reml=False)).max() < 1e-6
    assert fit.aic == close(-2 * fit.loglik + 2 * (6 + 9))
    assert fit.bic == close(-2 * fit.loglik + np.log(30) * (6 + 9))


@pytest.mark.parametrize(("method", "se"), [("ML", None), ("REML", "se")])
def test_observed_information_is_the_joint_hessian(trial, method, se):
    data = trial(20)
    options = {"method": method, "se": se, "df": "satterthwaite", **ROLES}
    fit = mmrm(FORMULA, data, information="observed", **options)
    dense = Dense(fit, None if se is None else data["se"][data["y"].notna()])
    beta, steps = fit.table["estimate"].to_numpy(), fit.table["se"].to_numpy()
    whole = np.linalg.inv(dense.joint_information(beta, steps, method == "REML"))
    expected = whole[: len(beta), : len(beta)]
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert fit.vcov.to_numpy() / size == close(expected / size, 1e-4, 1e-6)
    model = mmrm(FORMULA, data, **options)
    assert np.max(fit.table["se"] / model.table["se"]) > 1.005  # fifty times the tolerance above


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("se", [None, "se"])
def test_structures_are_at_the_maximum_of_the_dense_likelihood(trial, name, se):
    data = trial(40, ("a", "b", "c", "d"))
    fit = mmrm(FORMULA, data, covariance=name, se=se, **ROLES)
    dense = Dense(fit, None if se is None else data["se"][data["y"].notna()])
    assert fit.loglik == close(dense.loglik(dense.sigma), 1e-12)
    sd, R = np.sqrt(np.diag(fit.covariance)), fit.correlation.to_numpy()
    heterogeneous = name == "unstructured" or name.startswith("het")
    assert heterogeneous or np.ptp(sd) < 1e-12
    lag1 = np.diag(R, 1)
    if "toeplitz" in name or "ar1" in name or "compound" in name:
        assert np.ptp(lag1) < 1e-12
        assert np.ptp(np.diag(R, 2)) < 1e-12
    if "ar1" in name:
        assert np.diag(R, 2) == close(lag1[0] ** 2)
    if "compound" in name:
        assert np.diag(R, 3) == close(lag1[0])
    shape, own = coded(name)
    size = _size(shape, own, 4)[1]
    assert fit.n_parameters == size == {"u": 10, "t": 4, "a": 2, "c": 2}.get(name[0], size)
    for nearby in (0.999, 1.001):  # the scale is free in each structure
        assert dense.loglik(dense.sigma * nearby) < fit.loglik
    for rho in (-1e-3, 1e-3):
        if "compound" in name:
            other = np.where(np.eye(4) > 0, 1, R + rho)
        elif "ar1" in name:
            other = (lag1[0] + rho) ** np.abs(np.subtract.outer(range(4), range(4)))
        else:
            other = R + rho * (np.abs(np.subtract.outer(range(4), range(4))) == 1)
        assert dense.loglik(other * np.outer(sd, sd)) < fit.loglik


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 10**6), m=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_derivatives_of_structures(name, seed, m):
    shape, heterogeneous = coded(name)
    size, elements, place = _size(shape, heterogeneous, m)[1], m * (m + 1) // 2, _vech(m)
    theta, h = np.random.default_rng(seed).normal(0, 0.5, size), 1e-5

    def at(theta):
        sigma, first = np.empty((m, m)), np.empty((size, elements))
        second = np.empty((size, size, elements))
        _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
        return sigma[np.triu_indices(m)], first, second, sigma

    _, first, second, sigma = at(theta)
    if "toeplitz" not in name:
        assert np.linalg.eigvalsh(sigma).min() > 0
    for k in range(size):
        step = h * (np.arange(size) == k)
        up, down = at(theta + step), at(theta - step)
        assert first[k] == close((up[0] - down[0]) / (2 * h), 1e-6, 1e-7)
        assert second[k] == close((up[1] - down[1]) / (2 * h), 1e-6, 1e-7)
