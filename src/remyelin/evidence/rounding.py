"""A printed number is every number that rounds to it: what follows from it is a span, not a value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

SLACK = 1e-9  # of a decimal number that binary cannot hold


@dataclass(frozen=True, slots=True)
class Span:
    """A number, and the least and the most that it can be.

    Parameters
    ----------
    value
        As it is printed, or as it follows from what is printed.
    low, high
        Between which it lies if every printed number was rounded.
    """

    value: float
    low: float
    high: float

    def meets(self, other: Span) -> bool:
        """Whether one number can be both.

        Examples
        --------
        >>> printed(0.011).meets(Span(0.0108, 0.0107, 0.0113)), printed(0.11).meets(printed(0.011))
        (True, False)
        """
        slack = SLACK * max(1e-300, *(abs(end) for end in (self.high, other.high) if math.isfinite(end)))
        return self.low <= other.high + slack and other.low <= self.high + slack

    def within(self, other: Span) -> Span:
        """What is in both; this one, where nothing is.

        Examples
        --------
        >>> printed(-2.0).within(Span(-2.0, -2.05, -1.95))
        Span(value=-2.0, low=-2.05, high=-1.95)
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(self.value, low, high) if low <= high else self

    def hull(self, other: Span) -> Span:
        """From the lower end of both to the upper; the value is the first one's."""
        return Span(self.value, min(self.low, other.low), max(self.high, other.high))


def exactly(value: float) -> Span:
    """A number that was not rounded: a count, or one that the user computed."""
    return Span(float(value), float(value), float(value))


def printed(value: float, decimals: int | None = None) -> Span:
    """Every number that rounds to `value`, both ways of rounding a half included.

    Parameters
    ----------
    value
        As printed.
    decimals
        How many were printed; without it, as many as the shortest way of writing the number has: a zero that
        ends it is not known to have been printed, so the span is never too narrow.

    Examples
    --------
    >>> printed(-1.7)
    Span(value=-1.7, low=-1.75, high=-1.65)
    >>> printed(0.0), printed(0.0, decimals=1).high
    (Span(value=0.0, low=-0.5, high=0.5), 0.05)
    """
    text = Decimal(repr(float(value))).normalize()
    if decimals is None:
        exponent = text.as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    half = Decimal(5).scaleb(-decimals - 1)
    return Span(float(value), float(text - half), float(text + half))


def over(function: Callable[..., float], *spans: Span) -> Span:
    """What a function can be over spans of its arguments.

    It must rise or fall with each of them, or turn only at 0: the ends of the spans are tried, and 0 where it
    lies inside one.

    Examples
    --------
    >>> over(lambda a, b: a - b, printed(13.2), printed(22.4))
    Span(value=-9.2, low=-9.3, high=-9.1)
    """
    tried = [function(*corner) for corner in itertools.product(*(_ends(span) for span in spans))]
    value = function(*(span.value for span in spans))
    return Span(_clean(value), _clean(min(tried)), _clean(max(tried)))


def _ends(span: Span) -> tuple[float, ...]:
    inside = (0.0,) if span.low < 0 < span.high else ()
    return (span.low, span.high, *inside)


def _clean(value: float) -> float:
    """Without the noise of binary numbers in the last digits."""
    return float(f"{value:.14g}")
