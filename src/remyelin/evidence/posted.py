"""A study as a registry posted it: what two formats say, in one form, before anybody judged it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?(?:[eE][+-]?\d+)?")
_P = re.compile(r"\s*(?:p\s*(?:-?\s*value)?)?\s*([<>=]?)\s*([0-9.,eE+-]+)\s*", re.IGNORECASE)
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+\d[\d ()/-]{7,}\d")


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm as planned: its label, its kind (experimental, placebo comparator ...), its interventions."""

    label: str
    kind: str
    interventions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a posted outcome; `n` were analysed, of what `Outcome.counted` says ; `people` had them."""

    id: str
    title: str
    n: int | None
    people: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One posted number of one group; numbers as text, as they stand in the registry."""

    row: str
    group: str
    value: str
    spread: str = ""
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A posted statistical analysis. The order of `groups` is the registry's: it does not say what was
    subtracted from what."""

    groups: tuple[str, ...]
    kind: str = ""
    value: str = ""
    low: str = ""
    high: str = ""
    percent: str = ""
    sides: str = ""
    p: str = ""
    spread_kind: str = ""
    spread: str = ""
    method: str = ""
    hypothesis: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A posted outcome measure with its groups, its numbers and its analyses."""

    kind: str
    title: str
    time_frame: str
    population: str
    unit: str
    value_kind: str
    spread_kind: str
    counted: str
    groups: tuple[Group, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]

    def rows(self) -> tuple[str, ...]:
        """The rows of its table (visits, categories), in their order; one without a name is ``""``."""
        return tuple(dict.fromkeys(cell.row for cell in self.cells))


@dataclass(frozen=True, slots=True)
class Study:
    """A registered study. No person is in its fields: contacts, officials and staff of sites are not read.

    `n` and `n_kind` (``"actual"``, ``"estimated"``) are the enrolment; `started` are the groups that began
    the first period; `version` is the date of the record's last update; `absent` names tables that the
    download did not hold.
    """

    file: str
    nct_id: str
    other_ids: tuple[str, ...]
    acronym: str
    title: str
    status: str
    why_stopped: str
    phases: tuple[str, ...]
    allocation: str
    model: str
    masking: str
    n: int | None
    n_kind: str
    sites: int | None
    conditions: tuple[str, ...]
    ages: tuple[str, str]
    sex: str
    arms: tuple[Arm, ...]
    started: tuple[Group, ...]
    interventions: tuple[str, ...]
    primary: tuple[tuple[str, str], ...]
    has_results: bool
    version: str
    outcomes: tuple[Outcome, ...]
    absent: tuple[str, ...] = ()


def number(text: str) -> float | None:
    """A posted number; None for ``"NA"``, words and what is not one number.

    Examples
    --------
    >>> number("-1.70"), number("1,250"), number("NA"), number("3 to 5")
    (-1.7, 1250.0, None, None)
    """
    stripped = text.strip().replace("\N{MINUS SIGN}", "-")
    if not re.search(r"\d", stripped) or not _NUMBER.fullmatch(stripped):
        return None
    return float(stripped.replace(",", ""))


def p_value(text: str) -> tuple[str, float] | None:
    """The relation (``"="``, ``"<"``, ``">"``) and the number of a posted p value; None where it is neither.

    Examples
    --------
    >>> p_value("<0.001"), p_value("0.0048"), p_value("P = .33"), p_value("NS"), p_value("48")
    (('<', 0.001), ('=', 0.0048), ('=', 0.33), None, None)
    """
    found = _P.fullmatch(text)
    value = number(found.group(2)) if found else None
    if found is None or value is None or not 0 <= value <= 1:
        return None
    return found.group(1) or "=", value


def plain(text: str) -> str:
    """Text on one line; e-mail addresses and telephone numbers, which belong in no draft, are taken out.

    Examples
    --------
    >>> plain("Latency\\n of P100, ask a.b@site.org or +44 20 7946 0000")
    'Latency of P100, ask [removed] or [removed]'
    """
    visible = "".join(c if c.isprintable() else " " for c in text)
    return _PERSONAL.sub("[removed]", " ".join(visible.split()))
