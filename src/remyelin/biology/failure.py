"""Why a lesion does not heal: named failure modes, as changes of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from remyelin.biology.lineage import Attack
from remyelin.biology.scenarios import SCENARIOS, Scenario
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data, source
from remyelin.number import check_number, shown

# Years for which attacks come again.
ATTACKED_DAYS = 1825.0


@dataclass(frozen=True, slots=True)
class Change:
    """One field or rate of a scenario, how it changes, and by how much at severity 1."""

    what: str
    how: str
    full: float

    def __str__(self) -> str:
        return _WORDS[self.how].format(what=self.what, full=self.full)

    def value(self, scenario: Scenario, severity: float) -> Any:
        """What the field becomes."""
        now = getattr(scenario if hasattr(scenario, self.what) else scenario.rates, self.what)
        return _RULES[self.how](now, self.full, severity)


@dataclass(frozen=True, slots=True)
class FailureMode:
    """A named way to fail.

    Attributes
    ----------
    name, words
        Its name, and what happens.
    changes
        What it changes in a scenario; how strong severity 1 is in a person, nobody measured.
    source, status
        Where the way itself was read; ``"unverified"`` where it was not.
    note
        What else was read.
    """

    name: str
    words: str
    changes: tuple[Change, ...]
    source: str
    status: str
    note: str = ""


@cache
def failure_modes() -> Mapping[str, FailureMode]:
    """Every failure mode, by its name.

    Examples
    --------
    >>> from remyelin import biology
    >>> [str(change) for change in biology.failure_modes()["debris"].changes]
    ['debris + 4', 'clearance_per_day x 0.1']
    """
    rows = read_data("biology_failures.toml")["mode"]
    return MappingProxyType({name: _mode(name, row) for name, row in rows.items()})


def fail(scenario: Scenario, mode: str, *, severity: float = 1.0) -> Scenario:
    """The same lesion with one more thing wrong with it.

    Parameters
    ----------
    scenario
        From `biology.scenario`, or from here: failures add up.
    mode
        One of `failure_modes`; for two, ``fail(fail(scenario, one), other)``.
    severity
        0 for nothing, 1 for what `failure_modes` says in numbers: a scale, not a measurement.

    Raises
    ------
    InputError
        For what is no scenario, an unknown mode or a severity that cannot be.

    Examples
    --------
    >>> from remyelin import biology
    >>> lesion = biology.fail(biology.scenario("human"), "debris")
    >>> lesion.name, lesion.debris
    ('human, debris', 5.0)
    """
    modes = failure_modes()
    if not isinstance(scenario, Scenario):
        name = scenario if isinstance(scenario, str) and scenario in SCENARIOS else "human"
        fix = f"begin with biology.scenario({name!r})"
        raise InputError("", "first argument of fail", shown(scenario), "a scenario", fix)
    if isinstance(mode, list | tuple | set):
        fix = "one at a time: fail(fail(scenario, 'debris'), 'size')"
        raise InputError("", "failure mode", f"several (of type {type(mode).__name__})", "one name", fix)
    if not isinstance(mode, str) or mode not in modes:
        fix = did_you_mean(mode, modes) if isinstance(mode, str) else "name one of them"
        raise InputError("", "failure mode", shown(mode), f"one of {', '.join(modes)}", fix)
    check_number(f"severity of {mode}", severity, least=0, most=1)
    if severity == 0:
        return scenario
    changes = {change.what: change.value(scenario, severity) for change in modes[mode].changes}
    return scenario.changed(name=f"{scenario.name}, {mode}", **changes)


def failed(values: Mapping[str, Any], mode: str, severity: Any) -> dict[str, Any]:
    """What a mode makes of fields and rates given by name, as `fail` does of a scenario's.

    Parameters
    ----------
    values
        By name: numbers, or (lesion,) arrays where the mode adds, multiplies or loses a part.
    mode
        One of `failure_modes`.
    severity
        0 to 1, a number or (lesion,).

    Returns
    -------
    dict
        What has changed.

    Examples
    --------
    >>> failed({"inhibition": 0.0}, "differentiation-block", 0.5)
    {'inhibition': 10.0}
    """
    changes = failure_modes()[mode].changes
    return {each.what: _RULES[each.how](values[each.what], each.full, severity) for each in changes}


def _attacks(now: tuple[Attack, ...], every: float, severity: float) -> tuple[Attack, ...]:
    days = range(1, int(ATTACKED_DAYS // every) + 1)
    return (*now, *(Attack(every * day, severity) for day in days))


_RULES: Mapping[str, Callable[[Any, float, float], Any]] = {
    "plus": lambda now, full, severity: now + full * severity,
    "times": lambda now, full, severity: now * full**severity,
    "least": lambda now, full, severity: max(now, full * severity),
    "most": lambda now, full, severity: min(now, full / severity),
    "lost": lambda now, full, severity: 1 - (1 - now) * (1 - full * severity),
    "every": _attacks,
}
_WORDS: Mapping[str, str] = {
    "plus": "{what} + {full:g}",
    "times": "{what} x {full:g}",
    "least": "{what} at least {full:g}",
    "most": "{what} at most {full:g}",
    "lost": "{what}: {full:.0%} of the rest",
    "every": "{what}: everything lost every {full:g} days for 5 years",
}


def _mode(name: str, row: Mapping[str, Any]) -> FailureMode:
    if row["source"]:
        source(row["source"])
    changes = tuple(Change(each["what"], each["how"], each["full"]) for each in row["change"])
    return FailureMode(name, row["words"], changes, row["source"], row["status"], row.get("note", ""))
