"""Sample size, power and detectable effect in closed form: one call each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from remyelin.errors import InputError
from remyelin.trial.power.layout import Design, Layout
from remyelin.trial.power.noncentral import check_power, root, t_power
from remyelin.trial.power.spread import SUMMARIES, Spread, Summary

GROUP = {"parallel": "an arm", "crossover": "a sequence", "paired": "in one group"}


@dataclass(frozen=True, slots=True)
class SampleSize:
    """A sample size, and what it would be if sites were taken as independent.

    Attributes
    ----------
    effect, asked, layout
        What was asked: the effect, the power, and the comparison with its spread.
    n
        Participants a group (first, second), and `exact` of the first, not rounded.
    power
        What `n` gives without carry-over.
    recruit
        Participants a group to recruit, where `dropout` of them will not be measured.
    naive
        What a calculation gets that takes all sites as independent, with its true power; None where there is
        one site each.
    left, power_left
        The effect and the power that a carry-over leaves.
    """

    effect: float
    asked: float
    layout: Layout
    exact: float
    n: tuple[int, ...]
    power: float
    dropout: float
    recruit: tuple[int, ...]
    naive: tuple[int, ...] | None
    naive_power: float | None
    left: float
    power_left: float

    @property
    def total(self) -> int:
        """Participants in all."""
        return sum(self.n)

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        kept = asdict(self)
        kept["layout"]["spread"].pop("counts")
        return {**kept, "total": self.total}

    def __str__(self) -> str:
        group = GROUP[self.layout.design]
        lines = [
            f"{_each(self.n)} {group}, {self.total} in all: power {self.power:.3f} for an effect of "
            f"{self.effect:g}",
            f"  {self.layout.spread.words()}",
            f"  {_sided(self.layout)}, noncentral t; {SUMMARIES[self.layout.summary]}",
        ]
        if self.recruit != self.n:
            lines.append(
                f"  recruit {_each(self.recruit)} {group}: {100 * self.dropout:g} % will not be measured"
            )
        if self.naive is not None and self.naive_power is not None:
            lines.append(
                f"  {self.layout.spread.unit}s taken as independent: {_each(self.naive)} {group}, "
                f"{sum(self.naive)} in all, whose true power is {self.naive_power:.2f}"
            )
        if self.left != self.effect:
            lines.append(
                f"  WARNING: a carry-over of {100 * self.layout.carry_over:g} % leaves an effect of "
                f"{self.left:.4g} (lost: {self.effect - self.left:.4g}) and a power of {self.power_left:.2f}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def sample_size(
    effect: float,
    spread: Spread,
    *,
    power: float = 0.8,
    design: Design = "parallel",
    alpha: float = 0.05,
    sided: int = 2,
    allocation: float = 1.0,
    correlation: float = 0.0,
    carry_over: float = 0.0,
    dropout: float = 0.0,
    summary: Summary = "mean",
) -> SampleSize:
    """Participants that an effect needs.

    Parameters
    ----------
    effect
        Difference of the arms (or of treatments, in a crossover) in the unit of the SD; its sign is kept
        and not used.
    spread
        How much one participant varies: `Spread.of_participant`, `of_sites`, `of_icc`, `of_periods` or
        `from_evidence`. There is no default: published SD of one outcome differ by a factor of 5.
    power, alpha, sided
        As usual.
    design, allocation, correlation, carry_over, summary
        See `remyelin.trial.power.layout.Layout`.
    dropout
        Part of the participants who will not be measured: they are recruited on top, and are assumed to be
        missing at random.

    Returns
    -------
    SampleSize

    Raises
    ------
    InputError
        An effect of 0, an SD that is not positive, a power below the type I error and the like; the
        argument is named.

    Examples
    --------
    >>> print(sample_size(0.3, Spread.of_sites(between=0.35, site=1.3, sites=30)))
    33 an arm, 66 in all: power 0.810 for an effect of 0.3
      SD 0.35 between participants and 1.3 between the lesions of one, 30 lesions: 0.4229 of a mean
      two-sided alpha 0.05, noncentral t; a participant's mean over sites, participants alike
      lesions taken as independent: 11 an arm, 22 in all, whose true power is 0.35
    >>> print(sample_size(1.7, Spread.of_periods(2.5, 4.0), design="crossover", carry_over=0.5))
    40 a sequence, 80 in all: power 0.803 for an effect of 1.7
      SD 3.536 between participants and 5.657 between the eyes of one, 2 eyes: 5.339 of a mean
      two-sided alpha 0.05, noncentral t; a participant's mean over sites, participants alike
      eyes taken as independent: 31 a sequence, 62 in all, whose true power is 0.69
      WARNING: a carry-over of 50 % leaves an effect of 1.275 (lost: 0.425) and a power of 0.56
    """
    layout = Layout(spread, design, alpha, sided, allocation, correlation, carry_over, summary)
    check_effect(effect)
    check_power(power, alpha)
    if not 0 <= dropout < 1:
        raise InputError("", "dropout", f"{dropout:g}", "0 or more and below 1", "write 0.1 for 10 %")
    clean = Layout(spread, design, alpha, sided, allocation, correlation, 0.0, summary)
    exact = clean.needed(effect, power)
    n = clean.rounded(exact)
    naive = clean.naive(effect, power)
    return SampleSize(
        effect=effect,
        asked=power,
        layout=layout,
        exact=exact,
        n=n,
        power=clean.power(effect, *n),
        dropout=dropout,
        recruit=tuple(math.ceil(each / (1 - dropout) - 1e-9) for each in n),
        naive=naive,
        naive_power=None if naive is None else clean.power(effect, *naive),
        left=layout.left(effect),
        power_left=layout.power(effect, *n),
    )


def trial_power(
    n: int | Sequence[int],
    effect: float,
    spread: Spread,
    *,
    design: Design = "parallel",
    alpha: float = 0.05,
    sided: int = 2,
    correlation: float = 0.0,
    carry_over: float = 0.0,
    summary: Summary = "mean",
) -> float:
    """Power of a trial with `n` participants a group, or ``(first, second)``.

    The other arguments are those of `sample_size`; a carry-over is taken off.

    Examples
    --------
    >>> spread = Spread.of_sites(between=0.35, site=1.3, sites=30)
    >>> round(trial_power(11, 0.3, spread), 2)
    0.35
    """
    layout = Layout(spread, design, alpha, sided, 1.0, correlation, carry_over, summary)
    check_effect(effect)
    return layout.power(effect, *groups(n, layout))


def detectable_effect(
    n: int | Sequence[int],
    spread: Spread,
    *,
    power: float = 0.8,
    design: Design = "parallel",
    alpha: float = 0.05,
    sided: int = 2,
    correlation: float = 0.0,
    carry_over: float = 0.0,
    summary: Summary = "mean",
) -> float:
    """The smallest effect that a trial with `n` participants a group finds with this power.

    Examples
    --------
    >>> round(detectable_effect((34, 36), Spread.of_participant(2.4)), 2)
    1.63
    """
    layout = Layout(spread, design, alpha, sided, 1.0, correlation, carry_over, summary)
    check_power(power, alpha)
    return detectable(layout, groups(n, layout), power)


def detectable(layout: Layout, n: tuple[float, ...], power: float) -> float:
    """As `detectable_effect`, of a layout."""
    se, df = layout.se(*n), layout.df(*n)
    at = root(lambda ncp: float(t_power(ncp, df, layout.alpha, layout.sided)) - power, 0.0, 30.0)
    return at * se / layout.left(1.0)


def groups(n: int | Sequence[int], layout: Layout) -> tuple[int, ...]:
    """Participants of each group, checked."""
    each = tuple(n) if isinstance(n, Sequence) else (n,) * layout.groups
    if len(each) != layout.groups:
        raise InputError(
            "",
            "n",
            f"{len(each)} groups",
            f"{layout.groups} in a {layout.design} design",
            "give one number each",
        )
    if min(each) < 1 or not layout.can(*each):
        raise InputError(
            "",
            "n",
            _each(each),
            "participants in each group, and enough for a variance",
            "give more participants",
        )
    return each


def check_effect(effect: float) -> None:
    """Refuse what is no effect."""
    if effect == 0 or not math.isfinite(effect):
        raise InputError(
            "", "effect", f"{effect:g}", "the difference that the trial is to find, not 0",
            "give it in the unit of the SD",
        )  # fmt: skip


def _each(n: Sequence[int]) -> str:
    return f"{n[0]}" if len(set(n)) == 1 else " + ".join(map(str, n))


def _sided(layout: Layout) -> str:
    return f"{'two' if layout.sided == 2 else 'one'}-sided alpha {layout.alpha:g}"
