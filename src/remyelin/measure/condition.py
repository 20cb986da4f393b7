"""The words of the column `condition` of evoked potentials: `check=60;reader=auto;run=1`."""

from __future__ import annotations

from collections.abc import Mapping

AUTO = "auto"
"""The reader of what the package measured itself."""

_PART_OF = ("run", "hump", "sector")


def parse_condition(text: str) -> dict[str, str]:
    """The keys and values of a condition.

    Examples
    --------
    >>> parse_condition("check=60;reader=auto")
    {'check': '60', 'reader': 'auto'}
    >>> parse_condition("")
    {}
    """
    return dict(part.split("=", 1) for part in text.split(";") if part)


def as_condition(parts: Mapping[str, str]) -> str:
    """The condition as it is written: sorted by key, empty values left out.

    Examples
    --------
    >>> as_condition({"reader": "AB", "check": "60", "run": ""})
    'check=60;reader=AB'
    """
    return ";".join(f"{key}={value}" for key, value in sorted(parts.items()) if value)


def is_pooled(parts: Mapping[str, str]) -> bool:
    """Whether a value is of all replicates, the whole response and the full field.

    Examples
    --------
    >>> is_pooled({"check": "60"}), is_pooled({"check": "60", "run": "1"})
    (True, False)
    """
    return not any(key in parts for key in _PART_OF)
