"""Completed tables, and their analyses as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import FloatArray
from remyelin.trial.means import mean_rows
from remyelin.trial.missing.panel import Panel
from remyelin.trial.missing.pooling import rubin
from remyelin.trial.missing.strategies import deltas_of

Analysis = Callable[[pd.DataFrame], "pd.DataFrame | tuple[float, float, float]"]


@dataclass(frozen=True, slots=True)
class Imputations:
    """A trial completed several times.

    Attributes
    ----------
    panel
        The data as they were.
    values
        (imputation, participant, visit) completed values, without the deltas.
    method
        What is assumed after a withdrawal.
    deltas
        (arm,) shift of the values after a withdrawal.
    """

    panel: Panel
    values: FloatArray = field(repr=False)
    method: str | Mapping[str, str]
    deltas: FloatArray

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.values)

    def completed(self) -> FloatArray:
        """(imputation, participant, visit) values with the deltas."""
        return np.asarray(self.values + self._shift())

    def frames(self) -> Iterator[pd.DataFrame]:
        """Each completed table, a row a participant and visit, with a column ``imputed``."""
        for values in self.completed():
            yield self.panel.long(values)

    def with_delta(self, delta: float | Mapping[str, float]) -> Imputations:
        """The same imputations with other deltas; see `impute`."""
        return replace(self, deltas=deltas_of(self.panel, delta))

    def analyse(
        self,
        analysis: Analysis | None = None,
        *,
        visit: str | None = None,
        what: Literal["contrasts", "lsmeans"] = "contrasts",
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """Analyse every completed table and pool the results by Rubin's rules.

        Parameters
        ----------
        analysis
            Called with each completed table (`frames`); returns estimate, standard error and degrees of
            freedom, or a table with these columns. Without it, the analysis of covariance of the outcome at
            `visit` on arm and covariates.
        visit
            Of the analysis of covariance; the last one if not given.
        what
            Differences of the arms from the reference, or the least-squares mean of each.
        alpha
            Intervals cover 1 - alpha.

        Returns
        -------
        pandas.DataFrame
            As `rubin` gives it.

        Raises
        ------
        InputError
            For a visit that does not exist, or an analysis that does not give finite numbers.
        """
        if analysis is None:
            return self._ancova(visit, what, alpha)
        tables = [_as_table(analysis(frame)) for frame in self.frames()]
        estimate, se, df = (np.array([each[name] for each in tables]) for name in ("estimate", "se", "df"))
        names = [str(each) for each in tables[0].index]
        return rubin(estimate, se**2, df.mean(axis=0), names=names, alpha=alpha)

    def _ancova(self, visit: str | None, what: Literal["contrasts", "lsmeans"], alpha: float) -> pd.DataFrame:
        panel = self.panel
        if visit is not None and str(visit) not in panel.visits:
            raise InputError(
                "",
                "visit",
                repr(visit),
                f"one of {', '.join(panel.visits)}",
                did_you_mean(str(visit), panel.visits),
            )
        if what not in ("contrasts", "lsmeans"):
            raise InputError("", "what", repr(what), "'contrasts' or 'lsmeans'", "name one of the two")
        at = len(panel.visits) - 1 if visit is None else panel.visits.index(str(visit))
        names, rows = panel.contrasts
        if what == "lsmeans":
            levels, rows = mean_rows(panel.design, [panel.arm])
            names = tuple(str(each) for each in levels)
        # All imputations share the design: one QR decomposition serves them all.
        responses = self.completed()[:, :, at].T
        q, r = np.linalg.qr(panel.own)
        target = q.T @ responses
        df = panel.own.shape[0] - panel.own.shape[1]
        scale = np.sum((responses - q @ target) ** 2, axis=0) / df
        L = np.linalg.solve(r.T, rows.T).T
        estimates = (L @ target).T
        return rubin(estimates, scale[:, None] * np.sum(L**2, axis=1), df, names=names, alpha=alpha)

    def _shift(self) -> FloatArray:
        return np.where(self.panel.after, self.deltas[self.panel.arm_code][:, None], 0.0)

    def __str__(self) -> str:
        panel = self.panel
        method = self.method if isinstance(self.method, str) else "by participant"
        lost = int(np.isnan(panel.Y).sum())
        told = ", ".join(
            f"{each:+g} in {name}" for name, each in zip(panel.arms, self.deltas, strict=True) if each
        )
        how = f"{method}, reference {panel.arms[0]}{', delta ' + told if told else ''}"
        whom = f"{len(panel.subjects)} participants, {lost} values missing"
        visits = "1 visit" if len(panel.visits) == 1 else f"{len(panel.visits)} visits"
        return f"{self.m} imputations ({how}) of {panel.value} at {visits}: {whom}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.panel.missing().to_html()}"


def _as_table(found: pd.DataFrame | tuple[float, float, float]) -> pd.DataFrame:
    if isinstance(found, pd.DataFrame):
        return found
    return pd.DataFrame([found], columns=["estimate", "se", "df"], index=["estimate"], dtype=float)
