"""How recordings were made, compared between visits: another instrument is another latency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from remyelin.errors import Flag

from .recording import Setup
from .responses import Response

NO_DELAY = "DisplayDelay"
"""Field of the flag of a recording whose display delay nobody stated."""

_WORDS = {
    "montage": ("montage", "", 0.0),
    "high_pass_hz": ("high-pass filter", " Hz", 0.05),
    "low_pass_hz": ("low-pass filter", " Hz", 0.05),
    "notch_hz": ("notch filter", " Hz", 0.05),
    "display": ("display", "", 0.0),
    "display_delay_ms": ("display delay", " ms", 0.01),
    "luminance_cd_per_m2": ("luminance", " cd/m2", 0.1),
    "contrast_percent": ("contrast", " %", 0.05),
    "field_deg": ("field", " deg", 0.05),
    "reversal_rate_hz": ("reversal rate", " /s", 0.05),
}
"""Words, unit, and the part by which a value may differ before it counts as changed."""


def with_changes(responses: Sequence[Response]) -> list[Response]:
    """The responses of a participant, those recorded otherwise than at the eye's first visit flagged.

    What one of the two visits does not state is not compared. The display delay is taken off the latencies,
    but another delay means another display. An eye recorded with other check sizes only is not compared.
    """
    first: dict[str, str] = {}
    for one in responses:
        first.setdefault(one.eye, one.visit)
    return [_compared(one, responses, first[one.eye]) for one in responses]


def _compared(response: Response, responses: Sequence[Response], first: str) -> Response:
    if response.visit == first:
        return response
    eye = [one for one in responses if one.eye == response.eye]
    before = [one for one in eye if one.visit == first]
    later = [one for one in eye if one.visit == response.visit]
    same = [one for one in before if one.stimulus == response.stimulus]
    if same:
        flags = list(setup_changes(same[0].setup, response.setup, response.file, first))
    elif not {one.stimulus for one in before} & {one.stimulus for one in later}:
        flags = [_other_checks(before, later)]
    else:
        flags = []
    return replace(response, flags=tuple(dict.fromkeys([*response.flags, *flags])))


def setup_changes(before: Setup, after: Setup, file: str, first: str) -> Iterable[Flag]:
    """A flag for each way in which `file` was recorded otherwise than its like at the visit `first`."""
    for item in fields(Setup):
        words, unit, tolerance = _WORDS[item.name]
        old, new = getattr(before, item.name), getattr(after, item.name)
        if _changed(old, new, tolerance):
            found = f"{_shown(new)}{unit}, and was {_shown(old)}{unit} at {first}"
            fix = "compare the visits only if the change is known to shift no latency"
            yield Flag(file, words, found, "the same at every visit", fix)


def _changed(old: object, new: object, tolerance: float) -> bool:
    if old in (None, "") or new in (None, ""):
        return False
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(new - old) > tolerance * max(abs(old), abs(new)) + 1e-9
    return old != new


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _other_checks(before: Sequence[Response], after: Sequence[Response]) -> Flag:
    old, new = (_checks(responses) for responses in (before, after))
    fix = "record the check size of the first visit; the visits are not compared"
    return Flag(after[0].file, "check size", f"{new}, and was {old} at {before[0].visit}", "the same", fix)


def _checks(responses: Sequence[Response]) -> str:
    words = [one.stimulus.replace("check=", "") or "not stated" for one in responses]
    return " and ".join(f"{word}'" if word[0].isdigit() else word for word in words)
