"""What a crossover shows: the effect, the other questions it can be asked, and what carry-over costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy.typing as npt
import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.trial.design import Design, FloatArray
from remyelin.trial.formula import parse
from remyelin.trial.means import Weights, differences, mean_rows
from remyelin.trial.periods.carry import SHARES, carry_over_rows, losses
from remyelin.trial.periods.estimands import EXPOSED, QUESTIONS
from remyelin.trial.periods.spec import MODELS, Specification


@dataclass(frozen=True, slots=True)
class Crossover:
    """A fitted crossover and what produced it.

    Attributes
    ----------
    table, vcov
        Coefficients: index the term; columns ``estimate, se, df, t, p, ci_low, ci_high``; their covariance.
    fit
        The model behind it: `PeriodModel`, or what `mixed_model` or `gee` gave; with its variance components.
    estimand, formula
        The question, and the formula that it made of the one given.
    spec
        All that was given: `estimands` fits the other questions with it.
    """

    estimand: str
    formula: str
    spec: Specification
    table: pd.DataFrame
    vcov: pd.DataFrame
    n_participants: int
    n_rows: int
    fit: Any = field(repr=False)
    design: Design = field(repr=False)

    @property
    def arm(self) -> str:
        """The column that is compared: the treatment, or `exposed`."""
        return EXPOSED if QUESTIONS[self.estimand].exposed else self.spec.roles.treatment

    def lsmeans(self, weights: Weights = "equal") -> pd.DataFrame:
        """Least-squares mean of the response for each treatment, in its unit."""
        index, rows = mean_rows(self.design, [self.arm], weights)
        return self.contrast(rows, index)

    def contrasts(self, weights: Weights = "equal") -> pd.DataFrame:
        """The effect: treatment less reference, or exposed less not yet."""
        index, rows = differences(self.design, self.arm, weights=weights)
        return self.contrast(rows, index)

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | pd.Index[str] | None = None) -> pd.DataFrame:
        """Inference on linear combinations L (row, coefficient) of the coefficients."""
        found: pd.DataFrame = self.fit.contrast(L)
        rows = range(len(found))
        found.index = pd.Index(names if names is not None else [f"L{k + 1}" for k in rows])
        return found

    def estimands(self) -> pd.DataFrame:
        """Each question that these data can be asked, with what it assumes; the protocol chooses.

        Returns
        -------
        pandas.DataFrame
            Index the estimand; columns of inference, then ``n_participants, n_rows, formula, asks, assumes``.
        """
        rows = []
        for name, question in QUESTIONS.items():
            if name == "baseline-adjusted" and self.spec.baseline is None:
                continue
            if name != "first-period" and not self._both_periods():
                continue
            one = self if name == self.estimand else _fit(self.spec, name)
            row = one.contrasts().iloc[[0]]
            row.index = pd.Index([name], name="estimand")
            about = {
                "n_participants": one.n_participants,
                "n_rows": one.n_rows,
                "formula": one.formula,
                "asks": question.asks,
                "assumes": question.assumes,
            }
            rows.append(row.join(pd.DataFrame(about, index=row.index)))
        return pd.concat(rows)

    def carry_over(self) -> pd.DataFrame:
        """Test of carry-over, and the error that it makes in the crossover estimate.

        The test compares participants, so it sees little. To choose the analysis by it (the first period
        alone where p < 0.1) makes more errors than either analysis (Freeman 1989, 10.1002/sim.4780081202) and
        is not offered. Look at the interval of the error.
        """
        spec, sequence = self.spec, self.spec.roles.sequence
        if sequence not in parse(spec.formula)[2]:
            spec = replace(spec, formula=f"{spec.formula} + {sequence}")
        same = self.estimand == "crossover" and spec is self.spec
        return carry_over_rows(self if same else self._crossover(spec))

    def losses(self, shares: Sequence[float] = SHARES) -> pd.DataFrame:
        """What the crossover shows of an effect of which a share is left in the second period.

        Returns
        -------
        pandas.DataFrame
            Index ``share_left``; ``shown``, the part 1 - share / 2, and ``effect``, what would then be behind
            this estimate, in the unit of the response.
        """
        one = self if self.estimand == "crossover" else self._crossover(self.spec)
        return losses(float(one.contrasts()["estimate"].iloc[0]), shares)

    def _both_periods(self) -> bool:
        return len(self.spec.data[self.spec.roles.period].cat.categories) == 2

    def _crossover(self, spec: Specification) -> Crossover:
        if not self._both_periods():
            raise InputError("", spec.roles.period, "seen once", "two periods", "wait for the second period")
        return _fit(spec, "crossover")

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What must travel with the estimate: possible carry-over and its cost; a model that is too sure."""
        found = []
        if self.estimand in ("crossover", "baseline-adjusted"):
            found.append(self._carry_over_flag())
        if self.spec.model == "nested" and self.estimand != "first-period":
            found.append(
                Flag(
                    "",
                    "model",
                    "nested: both eyes of a participant taken as independent between the periods",
                    "a covariance that lets both eyes change together",
                    "take model='participant-period', unless the protocol fixed this one",
                )
            )
        return tuple(found)

    def _carry_over_flag(self) -> Flag:
        carry, error = (row for _, row in self.carry_over().iterrows())
        shown = float(self.contrasts()["estimate"].iloc[0])
        seen = "by a test that sees little" if carry["p"] >= 0.1 else "the test sees it"
        return Flag(
            "", "carry-over",
            f"{carry['estimate']:+.3g} (p = {carry['p']:.2g}; {seen}), an error of "
            f"{error['estimate']:+.3g} ({error['ci_low']:+.3g} to {error['ci_high']:+.3g}) in the estimate; "
            "if half of the effect lasts, a quarter of it is lost "
            f"({shown:+.3g} stands for {shown / 0.75:+.3g})",
            "a washout that makes it nil",
            "report the first period and delayed treatment beside it; do not choose the analysis by this "
            "test",
        )  # fmt: skip

    def sequence_difference(self) -> FloatArray:
        """(1, coefficient): those who began with the treatment less those who began with the reference."""
        _, rows = differences(self.design, self.spec.roles.sequence)
        frame = self.design.data
        first = frame[frame[self.spec.roles.sequence].cat.codes == 0].iloc[0]
        begins = first[self.spec.roles.period] == frame[self.spec.roles.period].cat.categories[0]
        on_reference = str(first[self.spec.roles.treatment]) == self.spec.reference
        return rows if begins == on_reference else -rows

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        level = f"{100 * (1 - self.spec.alpha):g} % CI"
        lines = [
            f"{self.estimand}: {self.formula}; {MODELS[self.spec.model]}; "
            f"{self.n_participants} participants, {self.n_rows} rows"
        ]
        for name, row in self.contrasts().iterrows():
            lines.append(
                f"  {name}: {row['estimate']:+.4g} ({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), "
                f"df = {row['df']:.4g}, p = {row['p']:.3g}"
            )
        return "\n".join([*lines, *(f"  {flag}" for flag in self.flags)])

    def _repr_html_(self) -> str:
        told = "".join(f"<p>{escape(line)}</p>" for line in str(self).splitlines())
        return f"{told}{self.table.to_html()}"


def _fit(spec: Specification, estimand: str) -> Crossover:
    from remyelin.trial.periods.fit import fit_estimand

    return fit_estimand(spec, estimand)
