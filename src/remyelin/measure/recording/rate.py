"""The rate of the triggers: doubled, missing, irregular, or not what the sidecar states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remyelin.errors import Flag, InputError

from .events import Event

# Transient responses: ISCEV asks for 2 reversals a second (+-0.2); above 5 they run into one another.
PLAUSIBLE_HZ = (0.5, 5.0)
_SAME_RATE = 0.05
_BOUNCE = 0.25
_MISSING = (1.6, 5.4)
_FEW = 0.05
_IRREGULAR = (0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Train:
    """Which events are triggers of their own, the seconds between them (None for a single one), doubts."""

    kept: tuple[int, ...]
    interval_s: float | None
    flags: tuple[Flag, ...]


def check_rate(events: Sequence[Event], file: str, stated_hz: float | None, stated_file: str) -> Train:
    """Judge the intervals between triggers.

    Parameters
    ----------
    events
        By onset.
    file
        Where they come from, for messages.
    stated_hz
        `ReversalRate` of the sidecar, reversals a second, and the file that states it.

    Raises
    ------
    InputError
        More than 5 reversals a second.
    """
    onsets = np.array([event.onset_s for event in events])
    kept = _without_bounces(onsets)
    flags = []
    if len(kept) < len(events):
        found = f"doubled at {len(events) - len(kept)} of {len(events)} places"
        fix = "check the trigger for bounce; the second of each pair was left out"
        flags.append(Flag(file, "triggers", found, "one a reversal", fix))
    steps = _steps([events[k] for k in kept])
    if not len(steps):
        return Train(tuple(kept), None, tuple(flags))
    interval = float(np.median(steps))
    rate = 1 / interval
    if rate > PLAUSIBLE_HZ[1]:
        fix = "check the trigger; steady-state recordings have no P100 to measure"
        raise InputError(file, "reversal rate", f"{rate:.3g} a second", "0.5 to 5 a second (ISCEV: 2)", fix)
    if rate < PLAUSIBLE_HZ[0]:
        fix = "check that every reversal gave a trigger"
        flags.append(Flag(file, "reversal rate", f"{rate:.3g} a second", "0.5 to 5 a second (ISCEV: 2)", fix))
    flags += _regular(steps / interval, len(kept), file)
    flags += _as_stated(rate, stated_hz, file, stated_file)
    return Train(tuple(kept), interval, tuple(flags))


def _without_bounces(onsets: np.ndarray) -> list[int]:
    """Indices without the triggers that follow another too soon to be a reversal."""
    if len(onsets) < 2:
        return list(range(len(onsets)))
    # Where every trigger is doubled, the median is no interval between reversals; the upper quartile is.
    least = _BOUNCE * float(np.quantile(np.diff(onsets), 0.75))
    kept = [0]
    for k in range(1, len(onsets)):
        if onsets[k] - onsets[kept[-1]] > least or onsets[k] - onsets[kept[-1]] >= 1 / PLAUSIBLE_HZ[1]:
            kept.append(k)
    return kept


def _steps(events: Sequence[Event]) -> np.ndarray:
    """Intervals between events of one eye and check size; between two such, somebody changed the patch."""
    return np.array([b.onset_s - a.onset_s for a, b in pairwise(events) if a[1:] == b[1:]], float)


def _regular(steps: np.ndarray, n: int, file: str) -> list[Flag]:
    """Doubts about intervals in units of their median."""
    flags = []
    gaps = steps[(steps > _MISSING[0]) & (steps < _MISSING[1])]
    missing = int((np.rint(gaps) - 1).sum())
    if missing > _FEW * n:
        fix = "check the trigger cable and its threshold"
        flags.append(
            Flag(file, "triggers", f"missing at {missing} of {n + missing} places", "one a reversal", fix)
        )
    rest = steps[steps <= _MISSING[0]]
    if float((np.abs(rest - 1) > _IRREGULAR[0]).mean()) > _IRREGULAR[1]:
        low, high = np.quantile(rest, (0.1, 0.9))
        found = f"irregular (intervals of {low:.0%} to {high:.0%} of their median)"
        fix = "check that the triggers are those of the reversals"
        flags.append(Flag(file, "triggers", found, "equal intervals", fix))
    return flags


def _as_stated(rate: float, stated: float | None, file: str, stated_file: str) -> list[Flag]:
    if stated is None or stated <= 0 or abs(rate / stated - 1) <= _SAME_RATE:
        return []
    ratio, quality = rate / stated, "fail"
    fix = "check the trigger: these events may not be the reversals"
    if abs(ratio / 0.5 - 1) <= _SAME_RATE:
        fix, quality = (
            "give a trigger at every reversal, or correct ReversalRate: every second one is missing",
            "flag",
        )
    elif abs(ratio / 2 - 1) <= _SAME_RATE:
        fix, quality = "state reversals, not cycles: one cycle is two reversals", "flag"
    elif 0.8 < ratio < 1.25:
        fix, quality = "correct ReversalRate, or check the trigger", "flag"
    found = f"{rate:.3g} a second"
    return [Flag(file, "reversal rate", found, f"{stated:g} a second ({stated_file})", fix, quality)]
