"""Filters, as headers and sidecars tell of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from .continuous import Filters

_NUMBER = r"([\d.]+|DC|off|none)"
_HIGH = re.compile(rf"\bHP\s*:?\s*{_NUMBER}", re.IGNORECASE)
_LOW = re.compile(rf"\bLP\s*:?\s*{_NUMBER}", re.IGNORECASE)
_NOTCH = re.compile(rf"\bN(?:otch)?\s*:?\s*{_NUMBER}", re.IGNORECASE)


def from_text(text: str) -> Filters:
    """Read the prefilter field of EDF.

    Examples
    --------
    >>> from_text("HP:1Hz LP:100Hz N:50Hz")
    Filters(high_pass_hz=1.0, low_pass_hz=100.0, notch_hz=50.0)
    >>> from_text("HP:DC")
    Filters(high_pass_hz=0.0, low_pass_hz=None, notch_hz=None)
    """
    return Filters(*(_found(pattern, text) for pattern in (_HIGH, _LOW, _NOTCH)))


def from_sidecar(values: Mapping[str, object]) -> Filters:
    """Read `HardwareFilters` and `SoftwareFilters` of a BIDS sidecar; the narrower counts.

    Examples
    --------
    >>> hardware = {"Highpass RC filter": {"Half amplitude cutoff (Hz)": 0.5, "Roll-off": "6dB/Octave"}}
    >>> from_sidecar({"HardwareFilters": hardware, "SoftwareFilters": "n/a"})
    Filters(high_pass_hz=0.5, low_pass_hz=None, notch_hz=None)
    """
    found = Filters()
    for key in ("HardwareFilters", "SoftwareFilters"):
        stated = values.get(key)
        if isinstance(stated, Mapping):
            for name, content in stated.items():
                found = found.after(_one(str(name), content))
        elif isinstance(stated, str):
            found = found.after(from_text(stated))
    return found


def _one(name: str, content: object) -> Filters:
    if not isinstance(content, Mapping):
        return Filters(**_sorted(name, content)) if not isinstance(content, str) else from_text(content)
    found = Filters()
    for key, value in content.items():
        # "Roll-off", "Order" and "Type" hold numbers too.
        if re.search(r"cut|hz|freq", str(key), re.IGNORECASE):
            kind = name if not _sorted(str(key), value) else str(key)
            found = found.after(Filters(**_sorted(kind, value)))
    return found


def _sorted(name: str, value: object) -> dict[str, float]:
    """The cut-off by the kind of filter that a name tells; nothing if it tells none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return {}
    plain = re.sub(r"[^a-z]", "", name.casefold())
    if "notch" in plain or "bandstop" in plain:
        return {"notch_hz": float(value)}
    # "High cut" is a low-pass filter.
    if "highcut" in plain or "antialias" in plain or plain == "lp":
        return {"low_pass_hz": float(value)}
    if "lowcut" in plain or "high" in plain or plain == "hp":
        return {"high_pass_hz": float(value)}
    if "low" in plain:
        return {"low_pass_hz": float(value)}
    return {}


def _found(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    if match is None:
        return None
    try:
        value = float(match[1])
    except ValueError:
        return 0.0 if match[1].casefold() in ("dc", "off", "none") else None
    return value if math.isfinite(value) else None
