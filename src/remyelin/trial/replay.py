"""An ANCOVA fitted to many allocations of the same participants.

What the arm explains is found after the covariates are taken out of the response and of the arm (Frisch &
Waugh 1933, Econometrica 1:387): the covariates stay the same in each replicate, so this is done once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.formula import formula_error
from remyelin.trial.linear import Ancova
from remyelin.trial.ratio import IntArray


@dataclass(frozen=True, slots=True)
class Refits:
    """Statistics of allocations: t (replicate, arm), F (replicate,), and what the interval is made of.

    `cross` (replicate,) is the product of the drawn arm with that observed, `size` the drawn arm's with
    itself, `score` its product with the response; covariates are taken out of all three.
    """

    t: FloatArray
    f: FloatArray
    score: FloatArray
    size: FloatArray
    cross: FloatArray

    @classmethod
    def joined(cls, parts: list[Refits]) -> Refits:
        """Replicates one after the other."""
        names = ("t", "f", "score", "size", "cross")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Replay:
    """Sums over the rows of a participant, so that an allocation costs a product with a small matrix.

    `arms` (participant,) as allocated, the reference 0; `score` (participant,) sums of the response without
    covariates; `count` of rows; `basis` (participant, covariate) sums of the orthonormal covariates;
    `total`, the sum of squares of the response without covariates.
    """

    people: pd.DataFrame
    terms: list[str]
    arms: IntArray
    score: FloatArray
    count: FloatArray
    basis: FloatArray
    total: float
    rows: int

    @classmethod
    def of(
        cls, fit: Ancova, data: pd.DataFrame, participant: str | None, randomised: pd.DataFrame | None
    ) -> Replay:
        """What stays the same in each replicate of a fit."""
        people, who = _participants(data, fit.arm, participant, randomised)
        columns = _arm_columns(fit)
        q, _ = np.linalg.qr(np.delete(fit.design.X, columns, axis=1))
        left = fit.design.y - q @ (q.T @ fit.design.y)
        n = len(people)
        return cls(
            people=people,
            terms=[fit.design.names[k] for k in columns],
            arms=_as_numbers(people[fit.arm], fit),
            score=np.asarray(np.bincount(who, weights=left, minlength=n), dtype=np.float64),
            count=np.bincount(who, minlength=n).astype(np.float64),
            basis=np.stack([np.bincount(who, weights=column, minlength=n) for column in q.T], axis=1),
            total=float(left @ left),
            rows=len(left),
        )

    def refit(self, drawn: IntArray) -> Refits:
        """Fit the ANCOVA to each allocation (replicate, participant)."""
        others = len(self.terms)
        each = [(drawn == k + 1).astype(np.float64) for k in range(others)]
        sides = np.stack([one @ self.basis for one in each], axis=1)
        counts = np.stack([one @ self.count for one in each], axis=1)
        score = np.stack([one @ self.score for one in each], axis=1)
        inner = np.einsum("rk,kl->rkl", counts, np.eye(others)) - sides @ sides.transpose(0, 2, 1)
        # An arm without participants has no estimate: its t is 0, which counts for the null hypothesis.
        possible = np.linalg.det(inner) > 1e-9 * np.prod(np.maximum(counts, 1), axis=1)
        inner[~possible] = np.eye(others)
        inverse = np.linalg.inv(inner)
        estimate = np.einsum("rkl,rl->rk", inverse, score) * possible[:, None]
        explained = np.sum(estimate * score, axis=1)
        df = self.rows - self.basis.shape[1] - others
        residual = np.maximum(self.total - explained, 1e-12 * self.total) / df
        se = np.sqrt(np.einsum("rkk->rk", inverse) * residual[:, None])
        given = (self.arms == 1).astype(np.float64)
        return Refits(
            t=estimate / se,
            f=explained / others / residual,
            score=score[:, 0] * possible,
            size=inner[:, 0, 0],
            cross=(each[0] @ (given * self.count) - sides[:, 0] @ (given @ self.basis)) * possible,
        )


def _participants(
    data: pd.DataFrame, arm: str, participant: str | None, randomised: pd.DataFrame | None
) -> tuple[pd.DataFrame, IntArray]:
    """Everyone who was allocated, in order of entry, and (row,) the number of each row's participant."""
    if participant is None:
        if randomised is not None:
            raise InputError(
                "", "participant", "not given", "the column that links rows to those randomised", "name it"
            )
        return data.reset_index(drop=True), np.arange(len(data))
    for name, frame in (("data", data), ("randomised", randomised)):
        if frame is not None and participant not in frame.columns:
            raise InputError("", participant, f"no column of {name}", "one in both tables", "add the column")
    people = data.drop_duplicates(participant) if randomised is None else randomised
    people = people.reset_index(drop=True)
    again = people[participant].duplicated()
    if again.any():
        who = people.loc[again, participant].iloc[0]
        raise InputError("", participant, f"{who} more than once", "one row each in randomised", "keep one")
    number = pd.Series(np.arange(len(people)), index=people[participant])
    who_rows = data[participant].map(number)
    if who_rows.isna().any():
        unknown = data.loc[who_rows.isna(), participant].iloc[0]
        raise InputError(
            "", participant, f"{unknown}, who is not in randomised", "participants that were allocated",
            "add everyone who was allocated, in order of entry",
        )  # fmt: skip
    rows = who_rows.to_numpy(dtype=np.intp)
    said = people[arm].astype(str).to_numpy()[rows] if arm in people.columns else None
    if said is None or (said != data[arm].astype(str).to_numpy()).any():
        raise InputError(
            "", arm, "not the same in all rows of a participant, or missing from randomised",
            "one arm a participant in both tables", "correct the arm",
        )  # fmt: skip
    return people, rows


def _arm_columns(fit: Ancova) -> list[int]:
    """The columns of the design that belong to the arm alone."""
    spec = fit.design.spec
    found: list[int] = []
    for term, columns in spec.term_indices.items():
        if re.search(rf"\b{re.escape(fit.arm)}\b", str(term)):
            if len(term.factors) > 1:
                raise formula_error(
                    fit.formula, f"with {fit.arm!r} in an interaction", "the arm in a term of its own"
                )
            found += list(columns)
    return found


def _as_numbers(column: pd.Series[Any], fit: Ancova) -> IntArray:
    numbers = pd.Index(fit.arms).get_indexer(pd.Index(column.astype(str)))
    if (numbers < 0).any():
        unknown = column[numbers < 0].iloc[0]
        raise InputError(
            "", fit.arm, f"{unknown!r} for some who were randomised", f"one of {', '.join(fit.arms)}",
            "an arm without any outcome cannot be replayed: correct its name",
        )  # fmt: skip
    return numbers.astype(np.intp)
