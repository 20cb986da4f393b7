"""Tests in an order of importance: the graphical procedure, with gatekeeping as a special graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from remyelin.errors import InputError, did_you_mean

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Graph:
    """A sequentially rejective Bonferroni procedure (Bretz et al. 2009, 10.1002/sim.3495).

    Each hypothesis holds a share of alpha; one that is rejected passes its share along its edges. The
    family-wise error is kept whatever the dependence of the tests.

    Attributes
    ----------
    weights
        Share of alpha of each hypothesis at the start; together 1 at most.
    edges
        For each hypothesis the share of its weight that goes to others when it is rejected; together 1 at
        most.
    gates
        For each hypothesis where its weight goes once its edges lead to no hypothesis that is left (the
        limit of edges of infinitely small weight).

    Raises
    ------
    InputError
        For shares that are negative or more than 1 together, and for edges from or to what is no hypothesis.

    Examples
    --------
    The latency is tested only if the MTR of both doses has changed:

    >>> graph = Graph.serial([["mtr low", "mtr high"], ["latency"]])
    >>> print(graph.test({"mtr low": 0.024, "mtr high": 0.004, "latency": 0.03}))
                  p  p_adjusted  rejected
    id
    mtr low   0.024       0.024      True
    mtr high  0.004       0.008      True
    latency   0.030       0.030      True
    """

    weights: Weights
    edges: Mapping[str, Weights] = field(default_factory=dict)
    gates: Mapping[str, Weights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shares("weights", self.weights, self.weights)
        for name, rows in (("edges", self.edges), ("gates", self.gates)):
            for origin, targets in rows.items():
                _check_shares(f"{name} of {origin}", targets, self.weights)
                if origin not in self.weights or origin in targets:
                    raise InputError(
                        "", name, f"from {origin!r}" + (" to itself" if origin in targets else ""),
                        "from one hypothesis to others", "correct the graph",
                    )  # fmt: skip

    @classmethod
    def fixed_sequence(cls, ids: Sequence[str]) -> Graph:
        """Each is tested at the whole alpha, if all before it were rejected (Maurer et al. 1995)."""
        return cls.fallback(ids, [1.0] + [0.0] * (len(ids) - 1))

    @classmethod
    def fallback(cls, ids: Sequence[str], weights: Sequence[float]) -> Graph:
        """Each is tested at its own share and that of the rejected ones just before it.

        Wiens 2003, 10.1002/pst.64.
        """
        names = _distinct(ids)
        if len(weights) != len(names):
            raise InputError(
                "", "weights", f"{len(weights)} weights", f"{len(names)}", "give one for each id"
            )
        edges = {name: {after: 1.0} for name, after in pairwise(names)}
        return cls(dict(zip(names, weights, strict=True)), edges)

    @classmethod
    def holm(cls, ids: Sequence[str]) -> Graph:
        """All alike: the procedure of Holm."""
        return cls.serial([ids])

    @classmethod
    def serial(cls, families: Sequence[Sequence[str]]) -> Graph:
        """Holm's procedure in the first family; the next one is tested only if all before it was rejected."""
        names = _distinct([name for family in families for name in family])
        if not all(len(family) for family in families):
            raise InputError("", "families", "empty", "one hypothesis or more in each", "leave it out")
        weights = dict.fromkeys(names, 0.0) | {name: 1.0 / len(families[0]) for name in families[0]}
        edges, gates = {}, {}
        for k, family in enumerate(families):
            for name in family:
                others = [each for each in family if each != name]
                edges[name] = {each: 1.0 / len(others) for each in others}
                if k + 1 < len(families):
                    gates[name] = {each: 1.0 / len(families[k + 1]) for each in families[k + 1]}
        return cls(weights, edges, gates)

    def test(self, p: Mapping[str, float] | pd.Series[float], alpha: float = 0.05) -> pd.DataFrame:
        """Test every hypothesis.

        Parameters
        ----------
        p
            The unadjusted p value of each hypothesis: a mapping, or a Series with the ids as index.
        alpha
            Family-wise error.

        Returns
        -------
        pandas.DataFrame
            Index ``id``; columns ``p, p_adjusted, rejected``. A hypothesis is rejected at any alpha that is
            not below its adjusted p value.

        Raises
        ------
        InputError
            For p values that are missing, too many, or no probabilities.
        """
        names = list(self.weights)
        values = _values({str(name): float(each) for name, each in p.items()}, names)
        adjusted = self._adjusted(values)
        columns = {"p": values, "p_adjusted": adjusted, "rejected": adjusted <= alpha}
        return pd.DataFrame(columns, index=pd.Index(names, name="id"))

    def _adjusted(self, p: np.ndarray) -> np.ndarray:
        """Algorithm 2 of Bretz et al. 2009: reject always the smallest p / weight, and pass its weight on."""
        weight = _vector(self.weights, self.weights)
        edges, gates = (
            np.array([_vector(rows.get(name, {}), self.weights) for name in self.weights])
            for rows in (self.edges, self.gates)
        )
        left = np.ones(len(p), bool)
        adjusted = np.ones(len(p))
        largest = 0.0
        for _ in p:
            edges = _opened(edges, gates, left)
            open_ = left & (weight > 0)
            if not open_.any():
                break
            ratio = np.where(open_, p / np.where(open_, weight, 1.0), np.inf)
            j = int(np.argmin(ratio))
            largest = adjusted[j] = min(1.0, max(largest, float(ratio[j])))
            weight = weight + weight[j] * edges[j]
            weight[j], left[j] = 0.0, False
            edges = _without(edges, j)
        return adjusted


def _opened(edges: np.ndarray, gates: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Rows whose edges lead nowhere any more take their gates."""
    shut = edges[:, left].sum(axis=1) < 1e-12
    into = gates * left
    total = into.sum(axis=1)
    use = shut & (total > 0)
    opened = np.where(use[:, None], into / np.where(total > 0, total, 1.0)[:, None], edges)
    return np.asarray(opened)


def _without(edges: np.ndarray, j: int) -> np.ndarray:
    """The graph after `j` is taken out: g_lk becomes (g_lk + g_lj g_jk) / (1 - g_lj g_jl)."""
    back = 1 - edges[:, j] * edges[j]
    safe = np.where(back > 1e-12, back, 1.0)
    found = np.where((back > 1e-12)[:, None], (edges + np.outer(edges[:, j], edges[j])) / safe[:, None], 0.0)
    np.fill_diagonal(found, 0.0)
    found[j], found[:, j] = 0.0, 0.0
    return np.asarray(found)


def _vector(shares: Weights, names: Weights) -> np.ndarray:
    return np.array([float(shares.get(name, 0.0)) for name in names])


def _values(p: Mapping[str, float], names: list[str]) -> np.ndarray:
    strange = [name for name in p if name not in names]
    if strange:
        raise InputError("", strange[0], "no hypothesis", "one of the graph", did_you_mean(strange[0], names))
    for name in names:
        if name not in p or not 0 <= float(p[name]) <= 1:
            raise InputError(
                "", name, repr(p.get(name, "without a p value")), "a p value from 0 to 1",
                "give one for every hypothesis: 1 where it could not be tested",
            )  # fmt: skip
    return np.array([float(p[name]) for name in names])


def _distinct(ids: Sequence[str]) -> list[str]:
    names = list(ids)
    again = [name for name in names if names.count(name) > 1]
    if again or not names:
        found = f"{again[0]} twice" if again else "nothing"
        raise InputError("", "ids", found, "each hypothesis once", "name every hypothesis once")
    return names


def _check_shares(field: str, shares: Weights, names: Weights) -> None:
    values = np.array([float(each) for each in shares.values()])
    strange = [name for name in shares if name not in names]
    if strange:
        raise InputError(
            "", field, f"to {strange[0]!r}", "to a hypothesis of the graph", did_you_mean(strange[0], names)
        )
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() <= 1 + 1e-9):
        raise InputError(
            "", field, ", ".join(f"{each:g}" for each in values), "shares of 0 or more, together 1 at most",
            "divide them by their sum",
        )  # fmt: skip
