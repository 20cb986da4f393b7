"""Records in words: what a result gave, of whom, what a field says, and a line for each record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .claim import Claim, Part, Record
from .outcome import ArmResult, Result
from .quantity import Parameter

_LONG = 160  # characters of a field of which only the part around the words is shown
_OWN = ("name", "words", "work", "definition")  # what a record is, in words of its own


def effect(result: Any) -> str:
    """The estimate of a result with its interval, unit and scale; what was said where there is none.

    Examples
    --------
    >>> from remyelin.evidence import find
    >>> effect(find("rebuild-p100-crossover")), effect(find("renew-hcva"))
    ('-1.7 (-2.9 to -0.5) ms per eye', 'opicinumab (value 8.7 letters); placebo (value 11.8 letters)')
    """
    if result.estimate is None:
        return result.words or "; ".join(arm_in(arm, result.unit) for arm in result.arms)
    interval = "" if result.low is None else f" ({number(result.low)} to {number(result.high)})"
    scale = "" if result.scale == "difference" else f" {result.scale}"
    unit = "" if result.unit == "1" else f" {result.unit}"
    per = "" if result.per == "not seen" else f" per {result.per}"
    return f"{number(result.estimate)}{interval}{unit}{scale}{per}"


def arm_in(arm: ArmResult, unit: str) -> str:
    """What an arm gave, in the unit of its result.

    Examples
    --------
    >>> arm_in(ArmResult(arm="placebo", n=36, mean=22.4), "ms")
    'placebo (n 36, mean 22.4 ms)'
    """
    numbers = arm.model_dump(exclude={"arm", "adjusted", "derived"}, exclude_none=True)
    parts = []
    for name, found in numbers.items():
        of = "" if name in ("n", "eyes", "events") or unit == "1" else f" {unit}"
        parts.append(f"{number(found)} %" if name == "percent" else f"{name} {number(found)}{of}")
    return f"{arm.arm} ({', '.join(parts)})" if parts else arm.arm


def about(result: Any) -> str:
    """When, of whom and as which estimand, and whether it was planned."""
    parts = (
        result.compared,
        result.timepoint,
        result.analysis_set,
        result.estimand,
        result.subgroup,
        result.prespecified,
    )
    return ", ".join(word for word in parts if word not in ("", "not seen"))


def value(parameter: Any) -> str:
    """A parameter with its unit and interval."""
    interval = "" if parameter.low is None else f" ({number(parameter.low)} to {number(parameter.high)})"
    return f"{number(parameter.value)}{interval}" + ("" if parameter.unit == "1" else f" {parameter.unit}")


def fields(record: Any) -> Iterator[tuple[str, str]]:
    """Each field of a record that says something, in words: first what it says, then how it is known."""
    names = [name for name in type(record).model_fields if name != "id"]
    shared = [name for name in names if name in Claim.model_fields]
    for name in (*(name for name in names if name not in shared), *shared):
        given = getattr(record, name)
        if given not in (None, "", "=", (), {}, False, "not seen"):
            if name == "arms" and isinstance(given, tuple):
                yield name, "\n".join(arm_in(arm, record.unit) for arm in given)
            else:
                yield name, said(given)


def said(value: Any) -> str:
    """The value of a field in words.

    Examples
    --------
    >>> said(164.0), said(("ren1", "ren2")), said({"placebo": 3}), said(True)
    ('164', 'ren1, ren2', 'placebo 3', 'yes')
    """
    if isinstance(value, tuple):
        nested = any(isinstance(item, Part) for item in value)
        return ("\n" if nested else ", ").join(str(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(item)}" for key, item in value.items())
    return "yes" if value is True else number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """A number as it was written: a count without a point, a large one without an exponent.

    Examples
    --------
    >>> number(164.0), number(1244005.0), number(0.00015)
    ('164', '1244005', '0.00015')
    """
    return f"{value:.12g}"


def counted(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "trial"), counted(3, "trial")
    ('1 trial', '3 trials')
    """
    return f"{n} {noun}{'s' * (n != 1)}"


def line(record: Any, words: str = "") -> str:
    """A record on a line: what it is, then the fields in which the words stand.

    Examples
    --------
    >>> from remyelin.evidence import find
    >>> line(find("rebuild"), "crossover met")
    'ReBUILD; design: 2-period crossover, unequal periods (90 d then ...; outcome: primary met'
    """
    wanted = words.casefold().split()
    own = _own(record)
    parts = [own]
    for name, text in fields(record):
        here = [word for word in wanted if word in text.casefold() and word not in own.casefold()]
        if here:
            parts.append(f"{name.replace('_', ' ')}: {_around(' '.join(text.split()), here)}")
    return "; ".join(part for part in parts if part)


def _own(record: Record) -> str:
    if isinstance(record, Result):
        return f"{record.endpoint}: {effect(record)}"
    if isinstance(record, Parameter):
        return value(record)
    return next((text for name in _OWN if (text := getattr(record, name, ""))), "")


def _around(text: str, wanted: list[str], reach: int = 6) -> str:
    """The parts of a long text in which the words stand for the first time."""
    tokens = text.split()
    if len(text) <= _LONG:
        return text
    near: set[int] = set()
    for word in wanted:
        at = next((k for k, token in enumerate(tokens) if word in token.casefold()), None)
        near |= set() if at is None else set(range(max(0, at - reach), min(len(tokens), at + reach + 1)))
    kept: list[str] = []
    for k in sorted(near):
        kept += [tokens[k]] if k - 1 in near or k == 0 else ["...", tokens[k]]
    return " ".join([*kept, *(["..."] if near and max(near) < len(tokens) - 1 else [])])
