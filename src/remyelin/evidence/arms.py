"""The two arms of a result: which is the control, and their events."""

from __future__ import annotations

from . import events
from .outcome import ArmResult, Result

CONTROLS = ("placebo", "pbo", "control", "sham", "comparator", "untreated")


def active_and_control(result: Result) -> tuple[ArmResult, ArmResult] | None:
    """The two arms of a result in the order of its contrast; None where they are not two.

    The control is the arm that is called so, or else the second.
    """
    if len(result.arms) != 2 or result.contrast != "active - control":
        return None
    first, second = result.arms
    return (second, first) if _is_control(first) and not _is_control(second) else (first, second)


def counts(result: Result) -> events.Counts | None:
    """Events and n of the active arm and of the control; None where they are not all known."""
    arms = active_and_control(result)
    if arms is None:
        return None
    active, control = arms
    if active.events is None or active.n is None or control.events is None or control.n is None:
        return None
    return active.events, active.n, control.events, control.n


def _is_control(arm: ArmResult) -> bool:
    return any(word in arm.arm.casefold() for word in CONTROLS)
