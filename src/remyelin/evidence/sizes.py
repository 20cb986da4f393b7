"""Sizes compared with themselves: the effect one implies, how one scales with it, arms with their trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from . import arithmetic
from .comparison import Comparison
from .kinds import SampleSize, Statement
from .outcome import Trial
from .rounding import Span, exactly, over, printed

OF_A_MODEL = 0.05
"""By this part the sizes that a model gave may differ from what the formula makes of one another."""


def comparisons_of_sizes(sizes: Iterable[SampleSize]) -> Iterator[Comparison]:
    """The effect in SD that each size implies against the one on record, and sizes against one another.

    Examples
    --------
    >>> from remyelin.evidence.load import records
    >>> found = list(comparisons_of_sizes(records("sample_sizes")))
    >>> [round(each.recomputed.value, 2) for each in found if "van-den-elskamp" in each.record]
    [0.48, 0.81, 133.33]
    """
    for size in sizes:
        yield from _implied(size)
        yield from _scaled(size)


def comparisons_of_trials(trials: Iterable[Trial]) -> Iterator[Comparison]:
    """The people of a trial against those of its arms.

    Examples
    --------
    >>> from remyelin.evidence.load import records
    >>> [each.recomputed.value for each in comparisons_of_trials(records("trials")) if "spi2" in each.record]
    [642.0]
    """
    for trial in trials:
        if trial.n is not None and len(trial.arms) > 1:
            together = exactly(sum(trial.arms.values()))
            yield Comparison(
                f"trials/{trial.id}",
                "n",
                "the arms together",
                f"{trial.n}",
                together,
                together.value == trial.n,
            )


def _implied(size: SampleSize) -> Iterator[Comparison]:
    for number, statement in enumerate(size.statements):
        n = _per_arm(statement)
        if n is not None and size.power is not None and statement.effect_sd is not None:
            span = arithmetic.implied_effect(n, size.power, size.alpha or 0.05)
            yield _compared(
                size,
                f"statements.{number}.effect_sd",
                statement.effect_sd,
                span,
                f"what {n.value:g} per arm find with a power of {size.power:g}",
            )


def _scaled(size: SampleSize) -> Iterator[Comparison]:
    """Of two sizes for the same outcome the smaller effect needs as many more as its square is smaller."""
    given = [
        (number, each.effect_percent, each.n_total)
        for number, each in enumerate(size.statements)
        if each.effect_percent and each.n_total is not None
    ]
    for (number, small, n), (_, large, fewer) in pairwise(given):
        times = (large / small) ** 2
        span = over(lambda people, times=times: people * times, _people(fewer))
        how = f"scaled from {large:g} % and {fewer} people"
        yield _compared(size, f"statements.{number}.n_total", n, span, how, OF_A_MODEL * span.value)


def _per_arm(statement: Statement) -> Span | None:
    if statement.n_per_arm is not None:
        return _people(statement.n_per_arm)
    return None if statement.n_total is None else over(lambda n: n / 2, _people(statement.n_total))


def _people(n: int) -> Span:
    """People are rounded up, and often to an even number."""
    return Span(float(n), n - 2.0, float(n))


def _compared(
    size: SampleSize, field: str, value: float, span: Span, how: str, slack: float = 0.0
) -> Comparison:
    wide = Span(span.value, span.low - slack, span.high + slack)
    return Comparison(
        f"sample_sizes/{size.id}", field, how, f"{value:g}", span, wide.meets(printed(float(value)))
    )
