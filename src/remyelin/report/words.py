"""Numbers and sentences as a reader of the page expects them."""

from __future__ import annotations

import math
from collections.abc import Iterable

NOT_AVAILABLE = "n/a"


def number(value: float, digits: int = 2) -> str:
    """A number with a fixed count of digits and a true minus sign.

    Examples
    --------
    >>> number(-0.123), number(float("nan"))
    ('−0.12', 'n/a')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def signed(value: float, digits: int = 2) -> str:
    """A change, with its sign.

    Examples
    --------
    >>> signed(1.456), signed(-0.001)
    ('+1.46', '0.00')
    """
    text = number(value, digits)
    return f"+{text}" if math.isfinite(value) and float(f"{value:.{digits}f}") > 0 else text


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval of changes.

    Examples
    --------
    >>> interval(-0.5, 1)
    '−0.50 to +1.00'
    """
    return f"{signed(low, digits)} to {signed(high, digits)}"


def p_value(p: float) -> str:
    """A p value: never 0.

    Examples
    --------
    >>> p_value(0.00001), p_value(0.034), p_value(0.54)
    ('p < 0.0001', 'p = 0.034', 'p = 0.54')
    """
    if not math.isfinite(p):
        return "no p value"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def percent(share: float) -> str:
    """A share of 1 in per cent.

    Examples
    --------
    >>> percent(0.8), percent(0.5172)
    ('80 %', '51.7 %')
    """
    return f"{100 * share:.3g} %"


def count(n: int, noun: str, plural: str = "") -> str:
    """A count and its noun.

    Examples
    --------
    >>> count(1, "lesion"), count(1613, "lesion"), count(0, "lesion")
    ('1 lesion', '1,613 lesions', 'no lesions')
    """
    many = plural or f"{noun}s"
    return f"no {many}" if n == 0 else f"{n:,} {noun if n == 1 else many}"


def listing(items: Iterable[str], most: int = 6) -> str:
    """Names in a sentence, cut short when there are many.

    Examples
    --------
    >>> listing(["a"]), listing(["a", "b", "c"]), listing("abcd", most=2)
    ('a', 'a, b and c', 'a, b and 2 more')
    """
    names = list(items)
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def shortened(text: str, most: int) -> str:
    """At most so many letters, for a label in a figure.

    Examples
    --------
    >>> shortened("placebo", 24), shortened("a very long name", 8)
    ('placebo', 'a very …')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def sentence(text: str) -> str:
    """With a capital letter at its beginning.

    Examples
    --------
    >>> sentence("no lesion fell.")
    'No lesion fell.'
    """
    return text[:1].upper() + text[1:]
