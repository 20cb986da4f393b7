"""A group-sequential design: when a trial may stop, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd

from remyelin.trial.sequential import checks
from remyelin.trial.sequential.boundaries import closed, drift_of, drift_of_spent, family, spending
from remyelin.trial.sequential.spending import spent
from remyelin.trial.sequential.walk import FloatArray, exits

Kind = Literal["of", "pocock", "wang-tsiatis", "asOF", "asP", "asKD", "asHSD"]


@dataclass(frozen=True, slots=True)
class SequentialDesign:
    """Boundaries of a group-sequential trial and what they were made from.

    A z value is standard normal if there is no effect. `drift` is the mean of the final z value.

    Attributes
    ----------
    kind, alpha, beta, sided, information_rates, gamma, delta, futility, gamma_futility, binding
        The specification, as `group_sequential` takes it.
    critical_z
        (look,) the hypothesis is rejected at this z value or beyond (both signs if two-sided).
    futility_z
        (look - 1,) the trial may stop at this z value or below; None if it has no such bounds.
    drift
        Mean of the final z value with which the power is 1 - beta.
    """

    kind: Kind
    alpha: float
    beta: float
    sided: int
    information_rates: tuple[float, ...]
    gamma: float | None
    delta: float | None
    futility: tuple[float, ...] | str | None
    gamma_futility: float | None
    binding: bool
    critical_z: tuple[float, ...]
    futility_z: tuple[float, ...] | None
    drift: float

    @property
    def spec(self) -> dict[str, Any]:
        """The arguments that give this design again: ``group_sequential(**design.spec)``."""
        names = ("kind", "alpha", "beta", "sided", "information_rates", "gamma", "delta", "futility")
        return {name: getattr(self, name) for name in (*names, "gamma_futility", "binding")}

    @property
    def fixed_drift(self) -> float:
        """Drift with which a trial without looks has the power 1 - beta."""
        from scipy.special import ndtri

        return float(-ndtri(self.alpha / self.sided) - ndtri(self.beta))

    @property
    def inflation(self) -> float:
        """Greatest size as a multiple of the size of a trial without looks."""
        return (self.drift / self.fixed_drift) ** 2

    @property
    def table(self) -> pd.DataFrame:
        """One row a look.

        Columns: `information_rate`; `critical_z`; `stage_level`, its one-sided p value; `alpha_spent` so far;
        `futility_z`; and cumulative probabilities under the drift of the design (`power`, `futility_h1`) and
        without effect (`futility_h0`).
        """
        from scipy.special import ndtr

        h0, h1 = self.stopping(0.0), self.stopping(self.drift)
        stop = [np.nan] * (len(self.critical_z) - 1) if self.futility_z is None else self.futility_z
        return pd.DataFrame(
            {
                "information_rate": self.information_rates,
                "critical_z": self.critical_z,
                "stage_level": ndtr(-np.array(self.critical_z)),
                "alpha_spent": self._alpha_spent(),
                "futility_z": [*stop, np.nan],
                "power": h1["efficacy"],
                "futility_h0": h0["futility"],
                "futility_h1": h1["futility"],
            },
            index=h0.index,
        )

    def stopping(self, drift: float) -> pd.DataFrame:
        """Cumulative probability of having stopped at each look, if futility bounds are followed.

        Returns
        -------
        pandas.DataFrame
            Index `stage`; columns `efficacy` (rejected upwards), `opposite` (rejected downwards, two-sided
            designs only) and `futility` (at the last look: ended without a rejection).
        """
        up, down = exits(*self._bounds(), self.information_rates, drift)
        other = np.zeros(len(up))
        if self.sided == 2:
            other, down = down, np.append(other[1:], 1 - (up + down).sum())
        index = pd.RangeIndex(1, len(up) + 1, name="stage")
        columns = {"efficacy": np.cumsum(up), "opposite": np.cumsum(other), "futility": np.cumsum(down)}
        return pd.DataFrame(columns, index=index)

    def power(self, drift: float) -> float:
        """Probability of rejecting the hypothesis in the right direction.

        `drift` is the mean of the final z value; a two-sided design is as strong for its negative.
        """
        return float(self.stopping(abs(drift) if self.sided == 2 else drift)["efficacy"].iloc[-1])

    def expected_information(self, drift: float) -> float:
        """Expected information at the end of the trial, as a share of the greatest."""
        gone = self.stopping(drift).sum(axis=1).to_numpy()
        steps = np.diff(self.information_rates, prepend=0.0)
        return float(steps @ np.append(1.0, 1.0 - gone[:-1]))

    def expected_size(self, drift: float) -> float:
        """Expected size as a multiple of the size of a trial without looks and of the same power."""
        return self.inflation * self.expected_information(drift)

    def to_frame(self) -> pd.DataFrame:
        """The table with the stage as a column."""
        return self.table.reset_index()

    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        upper = np.array(self.critical_z)
        if self.sided == 2:
            return -upper, upper
        return closed(None if self.futility_z is None else np.array(self.futility_z), upper), upper

    def _alpha_spent(self) -> FloatArray:
        """Cumulative error of both sides; bounds that are not binding do not lower it."""
        lower, upper = self._bounds()
        if self.sided == 1 and not self.binding:
            lower = closed(None, upper)
        return np.cumsum(exits(lower, upper, self.information_rates, 0.0)[0]) * self.sided

    def __str__(self) -> str:
        sides = "two-sided" if self.sided == 2 else "one-sided"
        head = (
            f"Group-sequential design, {self.kind}, {sides} alpha = {self.alpha:g}, power = {1 - self.beta:g}"
        )
        lines = [head + f", size at most {self.inflation:.4f} times that without looks"]
        for stage, row in self.table.iterrows():
            stop = "" if np.isnan(row["futility_z"]) else f", futility at z <= {row['futility_z']:.4f}"
            bound = "|z|" if self.sided == 2 else "z"
            lines.append(
                f"  stage {stage} at {row['information_rate']:.4g}: reject at {bound} >= "
                f"{row['critical_z']:.4f} (alpha spent {row['alpha_spent']:.3g}, "
                f"power {row['power']:.3f}){stop}"
            )
        if self.futility_z is not None:
            kept = (
                "binding: they must be followed" if self.binding else "not binding: alpha holds without them"
            )
            lines.append(f"  futility bounds are {kept}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self).splitlines()[0])}</p>{self.table.to_html()}"


def group_sequential(
    stages: int | None = None,
    *,
    information_rates: Sequence[float] | None = None,
    kind: Kind = "asOF",
    alpha: float = 0.025,
    sided: int = 1,
    beta: float = 0.2,
    gamma: float | None = None,
    delta: float | None = None,
    futility: Sequence[float] | str | None = None,
    gamma_futility: float | None = None,
    binding: bool = False,
) -> SequentialDesign:
    """Boundaries of a trial that looks at its data before the end.

    Parameters
    ----------
    stages, information_rates
        How many looks, evenly spaced; or the share of the final information that each look has.
    kind
        ``"of"`` (O'Brien & Fleming 1979), ``"pocock"`` (1977), ``"wang-tsiatis"`` (1987;
        c * t^(delta - 1/2)); or by spending alpha, so that looks may come at other times than planned:
        ``"asOF"``, ``"asP"``, ``"asKD"``, ``"asHSD"`` (see `remyelin.trial.sequential.spending.spent`).
    alpha, sided
        Type I error of the whole trial, both sides together if `sided` is 2.
    beta
        Type II error at the drift of the design.
    gamma, delta
        The parameter of asKD or asHSD; that of wang-tsiatis.
    futility
        z values at or below which each look but the last may stop the trial; or ``"bsOF"``, ``"bsP"``,
        ``"bsKD"``, ``"bsHSD"``: bounds that spend beta in the same way (Pampallona, Tsiatis & Kim 2001,
        10.1177/009286150103500408), with `gamma_futility`. One-sided designs only.
    binding
        Whether alpha counts on the futility bounds being followed. Regulators prefer False
        (EMA CHMP/EWP/2459/02, section 4.1).

    Returns
    -------
    SequentialDesign

    Raises
    ------
    InputError
        For looks that do not increase to 1, an unknown kind, a parameter that is missing or superfluous, or
        futility bounds above the critical values.

    Examples
    --------
    >>> print(group_sequential(2, kind="of"))
    Group-sequential design, of, one-sided alpha = 0.025, power = 0.8, size at most 1.0078 times ...
      stage 1 at 0.5: reject at z >= 2.7965 (alpha spent 0.00258, power 0.210)
      stage 2 at 1: reject at z >= 1.9774 (alpha spent 0.025, power 0.800)
    """
    times = checks.rates(stages, information_rates)
    checks.kind(kind, delta)
    checks.errors(alpha, beta, sided)
    stop = checks.futility(futility, len(times), sided, kind, binding)
    side = alpha / sided
    if isinstance(stop, str):
        alpha_spent = spent(checks.shape(kind), times, side, gamma)
        beta_spent = spent(checks.shape(stop), times, beta, gamma_futility)
        drift = drift_of_spent(times, alpha_spent, beta_spent, binding)
        upper, lower = spending(times, alpha_spent, beta_spent=beta_spent, drift=drift, binding=binding)
    else:
        checks.unused(gamma_futility, "gamma_futility", "futility bounds that spend beta")
        lower = None if stop is None else np.array(stop, dtype=np.float64)
        if kind in checks.SPENDING:
            alpha_spent = spent(checks.shape(kind), times, side, gamma)
            upper, _ = spending(times, alpha_spent, sided=sided, futility=lower, binding=binding)
        else:
            checks.unused(gamma, "gamma", "asKD and asHSD")
            upper = family(times, side, checks.power_of(kind, delta), lower if binding else None, sided)
        checks.apart(lower, upper)
        down = -upper if sided == 2 else closed(lower, upper)
        drift = drift_of(down, upper, times, 1 - beta)
    return SequentialDesign(
        kind, float(alpha), float(beta), sided, times, gamma, delta, stop, gamma_futility, binding,
        tuple(upper.tolist()), None if lower is None else tuple(lower.tolist()), drift,
    )  # fmt: skip
