"""Sizes of group-sequential trials: that of a trial without looks, inflated, and what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.power import sample_size_proportions
from remyelin.trial.power.noncentral import smallest, t_power
from remyelin.trial.sequential.design import SequentialDesign
from remyelin.trial.sequential.walk import FloatArray

Test = Literal["t", "normal"]


@dataclass(frozen=True, slots=True)
class SequentialSize:
    """How many participants a group-sequential trial needs, both arms together, not rounded.

    Attributes
    ----------
    n_fixed
        Without looks, of the same power.
    n_stages
        (look,) analysed at each look; the last is the most that are needed.
    expected_h0, expected_h01, expected_h1
        Expected number if there is no effect, half the effect, all of it.
    critical_effects
        (look,) the smallest effect that is significant there, in the unit of `effect`.
    """

    design: SequentialDesign
    effect: float
    n_fixed: float
    n_stages: tuple[float, ...]
    expected_h0: float
    expected_h01: float
    expected_h1: float
    critical_effects: tuple[float, ...]

    @property
    def n_max(self) -> float:
        """Participants if the trial goes on to the end."""
        return self.n_stages[-1]

    def to_frame(self) -> pd.DataFrame:
        """One row a look: `stage, information_rate, n, critical_effect`."""
        return pd.DataFrame(
            {
                "stage": range(1, len(self.n_stages) + 1),
                "information_rate": self.design.information_rates,
                "n": self.n_stages,
                "critical_effect": self.critical_effects,
            }
        )

    def __str__(self) -> str:
        most = int(np.ceil(self.n_max - 1e-9))
        return (
            f"At most {most} participants ({self.n_max:.1f}; {self.n_fixed:.1f} without looks), looks at "
            f"{', '.join(f'{n:.1f}' for n in self.n_stages)}; expected {self.expected_h0:.1f} without "
            f"effect, {self.expected_h1:.1f} with {self.effect:g}; significant from "
            f"{', '.join(f'{effect:.3g}' for effect in self.critical_effects)}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.to_frame().to_html(index=False)}"


def sample_size_means(
    design: SequentialDesign, effect: float, sd: float, *, ratio: float = 1.0, test: Test = "t"
) -> SequentialSize:
    """Participants for a difference of two means.

    The number without looks is that of the t test; looks inflate it as they do that of the normal test
    (rpact's and gsDesign's convention, exact but for terms of order 1/n).

    Parameters
    ----------
    design
        The boundaries; their beta is one minus the power.
    effect, sd
        Difference of the means and standard deviation of a participant, in one unit.
    ratio
        Participants of the first arm for each of the second.
    test
        ``"t"``, or ``"normal"`` for an SD that is known.

    Raises
    ------
    InputError
        For an effect, SD or ratio that is not positive.

    Examples
    --------
    >>> from remyelin.trial.sequential import group_sequential
    >>> print(sample_size_means(group_sequential(2), effect=3, sd=6.5))
    At most 150 participants (149.9; 149.3 without looks), looks at 74.9, 149.9; expected
    149.8 without effect, 137.6 with 3; significant from 4.6, 2.11
    """
    for name, value in (("effect", effect), ("sd", sd), ("ratio", ratio)):
        _positive(name, value)
    _known(test)
    if test == "normal":
        n_fixed = float(design.fixed_drift * sd / effect) ** 2 * (1 + ratio) ** 2 / ratio
    else:
        level, power = design.alpha / design.sided, 1 - design.beta
        n_fixed = smallest(lambda n: _t(n, effect / sd, level, ratio), power, 3.0)
    sizes = _stages(design, n_fixed)
    critical = _quantiles(design, sizes if test == "t" else None)
    effects = critical * sd * (1 + ratio) / np.sqrt(ratio * sizes)
    return _size(design, effect, n_fixed, effects)


def sample_size_rates(design: SequentialDesign, p1: float, p2: float) -> SequentialSize:
    """Participants for a difference of two proportions, arms of one size.

    Normal test with the pooled proportion (see `remyelin.trial.power.sample_size_proportions`). The critical
    effect is the least difference from `p2`, in the direction of `p1`, that is significant.

    Examples
    --------
    >>> from remyelin.trial.sequential import group_sequential
    >>> size = sample_size_rates(group_sequential(2), 0.55, 0.35)
    >>> round(size.n_fixed, 2), round(size.n_max, 2)
    (191.88, 192.6)
    """
    level = design.alpha / design.sided
    n_fixed = 2 * sample_size_proportions(p1, p2, power=1 - design.beta, alpha=level, sided=1)
    sizes, sign = _stages(design, n_fixed), np.sign(p1 - p2)
    effects = [
        sign * _significant(z, n / 2, p2 if sign > 0 else 1 - p2)
        for z, n in zip(design.critical_z, sizes, strict=True)
    ]
    return _size(design, p1 - p2, n_fixed, np.array(effects))


def power_means(
    design: SequentialDesign,
    effects: Sequence[float],
    sd: float,
    n_max: float,
    *,
    ratio: float = 1.0,
    test: Test = "t",
) -> pd.DataFrame:
    """Power and expected size of a trial of at most `n_max` participants in all.

    With ``test="t"`` the drift is that with which a normal test without looks has the power of the t test.

    Returns
    -------
    pandas.DataFrame
        Index `effect`; columns `power`, `expected_n`, and `stop_1, stop_2, ...`: the probability of ending at
        each look.

    Examples
    --------
    >>> from remyelin.trial.sequential import group_sequential
    >>> power_means(group_sequential(2), [2, 3], sd=6.5, n_max=150).round(3)
            power  expected_n  stop_1  stop_2
    effect
    2       0.463     146.204   0.051   0.949
    3       0.800     137.680   0.164   0.836
    """
    from scipy.special import ndtri

    for name, value in (("sd", sd), ("ratio", ratio), ("n_max", n_max - 2)):
        _positive(name, value)
    _known(test)
    level, rows = design.alpha / design.sided, []
    for effect in effects:
        if not np.isfinite(effect):
            raise InputError("", "effects", f"{effect}", "finite numbers", "give it in the unit of the SD")
        drift = effect / sd * np.sqrt(n_max * ratio) / (1 + ratio)
        if test == "t":
            moved = float(ndtri(_t(n_max, effect / sd, level, ratio)) - ndtri(level))
            drift = float(np.copysign(moved, effect))
        ended = np.diff(design.stopping(drift).sum(axis=1), prepend=0.0)
        rows.append(
            {
                "power": design.power(drift),
                "expected_n": n_max * design.expected_information(drift),
                **{f"stop_{stage}": share for stage, share in enumerate(ended, start=1)},
            }
        )
    return pd.DataFrame(rows, index=pd.Index(list(effects), name="effect"))


def _t(n: float, standardised: float, level: float, ratio: float) -> float:
    return float(t_power(standardised * np.sqrt(n * ratio) / (1 + ratio), n - 2, level, sided=1))


def _stages(design: SequentialDesign, n_fixed: float) -> FloatArray:
    return np.array(design.information_rates) * design.inflation * n_fixed


def _size(
    design: SequentialDesign,
    effect: float,
    n_fixed: float,
    critical: FloatArray,
) -> SequentialSize:
    h0, h01, h1 = (n_fixed * design.expected_size(share * design.drift) for share in (0.0, 0.5, 1.0))
    sizes = tuple(_stages(design, n_fixed).tolist())
    return SequentialSize(design, float(effect), n_fixed, sizes, h0, h01, h1, tuple(critical.tolist()))


def _quantiles(design: SequentialDesign, sizes: FloatArray | None) -> FloatArray:
    """Critical values of t at the levels of the stages, or of z; infinite where a look has no t test."""
    from scipy.special import stdtrit

    if sizes is None:
        return np.array(design.critical_z)
    level, df = design.table["stage_level"].to_numpy(), sizes - 2
    return np.where(df > 0, -stdtrit(np.maximum(df, 1e-9), level), np.inf)


def _significant(z: float, n: float, control: float) -> float:
    """Least difference from `control` that a pooled z test of `n` an arm finds beyond `z`; NaN if none."""
    from scipy.optimize import brentq

    def beyond(p: float) -> float:
        mean = (p + control) / 2
        return float((p - control) * np.sqrt(n / 2) - z * np.sqrt(mean * (1 - mean)))

    return float("nan") if beyond(1.0) < 0 else float(brentq(beyond, control, 1.0, xtol=1e-12)) - control


def _positive(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise InputError("", name, f"{value}", "a positive number", "give it without sign, in one unit")


def _known(test: str) -> None:
    if test not in ("t", "normal"):
        raise InputError("", "test", repr(test), "'t' or 'normal'", "take 't' unless the SD is known")
