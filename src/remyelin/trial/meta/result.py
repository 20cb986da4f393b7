"""What a meta-analysis found: the pooled effect, its intervals, the heterogeneity, and how it prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.inference import table
from remyelin.trial.meta.heterogeneity import Method, estimate_tau2, tau2_interval, typical_variance
from remyelin.trial.meta.studies import Studies

if TYPE_CHECKING:
    from remyelin.trial.meta.bias import TrimAndFill

Test = Literal["knapp-hartung", "z"]


@dataclass(frozen=True, slots=True)
class MetaAnalysis:
    """A fitted meta-analysis and what produced it.

    Attributes
    ----------
    table, vcov
        A row a coefficient (``Intercept`` alone is the pooled effect); columns ``estimate, se, df, t, p,
        ci_low, ci_high``, with infinite `df` for the z test; their covariance matrix.
    tau2, se_tau2
        Variance between studies (squared unit of the effects) and its standard error.
    q, q_df, q_p
        Cochran's Q of what the model leaves, its degrees of freedom and chi-squared p value.
    studies, method, test, alpha, given_tau2
        The specification.
    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    tau2: float
    se_tau2: float
    q: float
    q_df: int
    q_p: float
    studies: Studies = field(repr=False)
    method: Method
    test: Test
    alpha: float
    given_tau2: float | None = None

    @property
    def estimate(self) -> float:
        """The pooled effect."""
        return float(self._pooled["estimate"])

    @property
    def se(self) -> float:
        """Standard error of the pooled effect."""
        return float(self._pooled["se"])

    @property
    def ci(self) -> tuple[float, float]:
        """Confidence interval of the pooled effect."""
        return float(self._pooled["ci_low"]), float(self._pooled["ci_high"])

    @property
    def p(self) -> float:
        """Two-sided p value of no pooled effect."""
        return float(self._pooled["p"])

    @property
    def prediction_interval(self) -> tuple[float, float]:
        """Where the true effect of a further, similar study is expected.

        estimate -+ c sqrt(se^2 + tau2), with c of the test in use: normal, or t with k - 1 degrees of
        freedom (Higgins et al. 2009, 10.1111/j.1467-985X.2008.00552.x).
        """
        from scipy.special import stdtrit

        half = stdtrit(self._pooled["df"], 1 - self.alpha / 2) * np.hypot(self.se, np.sqrt(self.tau2))
        return float(self.estimate - half), float(self.estimate + half)

    @property
    def i2(self) -> float:
        """Percent of the variance of a typical study that lies between studies.

        Higgins & Thompson 2002, 10.1002/sim.1186.
        """
        return _i2(self._heterogeneity, self._typical)

    @property
    def h2(self) -> float:
        """Total over sampling variance of a typical study."""
        return 1 + self._heterogeneity / self._typical

    @property
    def r2(self) -> float:
        """Percent of the variance between studies that the moderators explain; NaN where there is none."""
        s = self.studies
        without = estimate_tau2(self.method, s.effects, s.variances, np.ones((len(s), 1)))
        return 100 * max(0.0, 1 - self.tau2 / without) if without > 0 else float("nan")

    @property
    def weights(self) -> FloatArray:
        """(study,) weights in percent."""
        w = 1 / (self.studies.variances + self.tau2)
        return np.asarray(100 * w / w.sum())

    def tau2_interval(self) -> pd.DataFrame:
        """Q-profile interval of the heterogeneity (Viechtbauer 2007, 10.1002/sim.2514).

        Returns
        -------
        pandas.DataFrame
            Index ``tau2, tau, I2, H2``; columns ``estimate, ci_low, ci_high``.
        """
        s = self.studies
        ends = np.array([self.tau2, *tau2_interval(self.alpha, s.effects, s.variances, s.X)])
        typical = self._typical
        rows = [ends, np.sqrt(ends), 100 * ends / (ends + typical), 1 + ends / typical]
        return pd.DataFrame(
            rows, index=pd.Index(["tau2", "tau", "I2", "H2"]), columns=["estimate", "ci_low", "ci_high"]
        )

    def moderator_test(self) -> pd.Series[float]:
        """Omnibus test of all coefficients but the intercept: ``statistic, df1, df2, p``.

        Wald's chi-squared for the z test (`df2` infinite), F after Knapp and Hartung.
        """
        from scipy.special import chdtrc, fdtrc

        picked = np.array([name != "Intercept" for name in self.studies.names])
        m = int(picked.sum())
        if not m:
            raise _no_moderators("has none")
        beta = self.table["estimate"].to_numpy()[picked]
        wald = float(beta @ np.linalg.solve(self.vcov.to_numpy()[np.ix_(picked, picked)], beta))
        df = float(self.table["df"].iloc[0])
        found = (wald, m, df, chdtrc(m, wald)) if np.isinf(df) else (wald / m, m, df, fdtrc(m, df, wald / m))
        return pd.Series(found, index=["statistic", "df1", "df2", "p"], dtype=float)

    def predict(self, at: pd.DataFrame) -> pd.DataFrame:
        """Expected effect at values of the moderators: columns of `table` and ``pi_low, pi_high``."""
        from scipy.special import stdtrit

        if self.studies.design is None:
            raise _no_moderators("has none: its one prediction is `prediction_interval`")
        found = self.contrast(self.studies.design.rows(at))
        half = stdtrit(found["df"], 1 - self.alpha / 2) * np.sqrt(found["se"] ** 2 + self.tau2)
        return found.assign(pi_low=found["estimate"] - half, pi_high=found["estimate"] + half)

    def contrast(self, rows: npt.ArrayLike) -> pd.DataFrame:
        """Linear combinations (row, coefficient) of the coefficients, in the columns of `table`."""
        L = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        estimate = L @ self.table["estimate"].to_numpy()
        se = np.sqrt(np.einsum("ij,jk,ik->i", L, self.vcov.to_numpy(), L))
        index = pd.Index([str(i + 1) for i in range(len(L))], name="row")
        return table(estimate, se, float(self.table["df"].iloc[0]), index, self.alpha)

    def leave_one_out(self) -> pd.DataFrame:
        """The pooled effect without each study in turn.

        Returns
        -------
        pandas.DataFrame
            Index the study left out; columns of `table`, ``tau2, i2, h2, q, q_p``.
        """
        _ = self._pooled
        k = len(self.studies)
        if k < 3:
            raise InputError("", "effects", f"{k} studies", "at least 3", "leave-one-out needs two that stay")
        rows = []
        for i in range(k):
            fit = self._again(self.studies.only(np.arange(k) != i))
            further: dict[str, Any] = {
                "tau2": fit.tau2,
                "i2": fit.i2,
                "h2": fit.h2,
                "q": fit.q,
                "q_p": fit.q_p,
            }
            rows.append({str(name): fit.table[name].iloc[0] for name in fit.table} | further)
        return pd.DataFrame(rows, index=pd.Index(self.studies.labels, name="left_out"))

    def egger(self, model: Literal["mixed", "weighted"] = "mixed") -> pd.DataFrame:
        """Egger's test; see `remyelin.trial.meta.bias.egger`."""
        from remyelin.trial.meta.bias import egger

        return egger(self, model)

    def begg(self) -> pd.Series[float]:
        """Begg's test; see `remyelin.trial.meta.bias.begg`."""
        from remyelin.trial.meta.bias import begg

        return begg(self)

    def trim_and_fill(self, side: Literal["left", "right"] | None = None) -> TrimAndFill:
        """With the studies that may be missing; see `remyelin.trial.meta.bias.trim_and_fill`."""
        from remyelin.trial.meta.bias import trim_and_fill

        return trim_and_fill(self, side)

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def study_frame(self) -> pd.DataFrame:
        """A row a study: ``effect, se, ci_low, ci_high, weight`` (percent), with normal intervals."""
        s = self.studies
        rows = table(s.effects, np.sqrt(s.variances), np.inf, pd.Index(s.labels, name="study"), self.alpha)
        kept = rows[["estimate", "se", "ci_low", "ci_high"]].rename(columns={"estimate": "effect"})
        return kept.assign(weight=self.weights)

    def _again(self, studies: Studies) -> MetaAnalysis:
        from remyelin.trial.meta.model import fit_studies

        return fit_studies(studies, self.method, self.test, self.given_tau2, self.alpha)

    @property
    def _pooled(self) -> pd.Series[Any]:
        if not self.studies.plain:
            raise InputError(
                "", "moderators", f"{', '.join(self.studies.names)}: there is no one pooled effect",
                "a meta-analysis without moderators",
                "read `.table` or `.predict(at)`, or leave the moderators out",
            )  # fmt: skip
        return self.table.iloc[0]

    @property
    def _typical(self) -> float:
        return typical_variance(self.studies.variances, self.studies.X)

    @property
    def _heterogeneity(self) -> float:
        """tau2; under equal effects what Q has in excess, so that I2 still describes the studies."""
        if self.method != "FE":
            return self.tau2
        return self._typical * max(0.0, self.q / self.q_df - 1)

    def __str__(self) -> str:
        level, unit = f"{100 * (1 - self.alpha):g} %", f" {self.studies.unit}" if self.studies.unit else ""
        estimand = f" of {self.studies.estimand}" if self.studies.estimand else ""
        lines = [f"Meta-analysis{estimand}: {len(self.studies)} studies, {self.method}, {self.test}"]
        for name, row in self.table.iterrows():
            lines.append(
                f"  {'pooled effect' if self.studies.plain else name}: {row['estimate']:+.4g}{unit} "
                f"({level} CI {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), p = {row['p']:.3g}"
            )
        if self.studies.plain and self.method != "FE":
            low, high = self.prediction_interval
            lines.append(f"  {level} prediction interval {low:+.4g} to {high:+.4g}")
        q = f"Q({self.q_df}) = {self.q:.2f}, p = {self.q_p:.3g}"
        lines.append(f"  tau2 = {self.tau2:.4g}, I2 = {self.i2:.1f} %, {q}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line.strip())}</p>" for line in str(self).splitlines())
        return f"{lines}{self.study_frame().to_html()}{self.table.to_html()}"


def _no_moderators(found: str) -> InputError:
    return InputError("", "moderators", found, "a meta-regression", "call `meta_analysis` with `moderators`")


def _i2(between: float, within: float) -> float:
    return 100 * between / (between + within)
