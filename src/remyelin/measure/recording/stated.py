"""What the sidecar states of a recording: display, stimulus, filters, eye; units are checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from remyelin.errors import Flag, InputError
from remyelin.measure.sidecar import Sidecar

from .continuous import Filters
from .filters import from_sidecar
from .label import MISSING, Stated, check_size, eye

# A display shows a frame within some frames of its trigger; a fifth of a second is no display.
_MOST_DELAY_MS = 200.0
# 0.012 is 12 ms in seconds; no display is lit within half a millisecond, and a stated 0 means corrected.
_LEAST_DELAY_MS = 0.5


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sidecar states; None or empty where it does not.

    Parameters
    ----------
    display_delay_ms
        From the trigger to the light.
    label
        Eye and check size.
    sweeps
        Of an averaged export, how many sweeps it is made of.
    """

    display_delay_ms: float | None = None
    luminance_cd_per_m2: float | None = None
    contrast_percent: float | None = None
    field_deg: float | None = None
    reversal_rate_hz: float | None = None
    mains_hz: float | None = None
    sfreq_hz: float | None = None
    reference: str = ""
    display: str = ""
    filters: Filters = field(default_factory=Filters)
    label: Stated = field(default_factory=Stated)
    sweeps: int | None = None
    flags: tuple[Flag, ...] = ()


def read_facts(sidecar: Sidecar, recording: str) -> Facts:
    """Read and check the keys of a sidecar.

    Parameters
    ----------
    recording
        Name of the recording: a delay that nobody states is its doubt.

    Raises
    ------
    InputError
        A value that is no number; a display delay that can be none; an eye or a check size that can be none.
    """
    flags: list[Flag] = []
    size_key = "CheckArcmin" if "CheckArcmin" in sidecar.values else "CheckSize"
    label = Stated(
        eye(sidecar.values.get("Eye"), sidecar.source("Eye"), "Eye"),
        check_size(sidecar.values.get(size_key), sidecar.source(size_key), size_key),
    )
    sweeps = _number(sidecar, "Sweeps")
    return Facts(
        _delay(sidecar, recording, flags),
        _number(sidecar, "Luminance"),
        _contrast(sidecar, flags),
        _field(sidecar),
        _number(sidecar, "ReversalRate"),
        _number(sidecar, "PowerLineFrequency"),
        _number(sidecar, "SamplingFrequency"),
        _reference(sidecar),
        _word(sidecar, "Display"),
        from_sidecar(sidecar.values),
        label,
        None if sweeps is None or sweeps < 0 else int(sweeps),
        tuple(flags),
    )


def check_sampling(facts: Facts, sidecar: Sidecar, rates_hz: Sequence[float], recording: str) -> None:
    """The sampling rate of the sidecar must be that of the channels, or of some where they differ.

    Raises
    ------
    InputError
        If it is that of none, but for a rounding.
    """
    stated = facts.sfreq_hz
    if stated is None or any(abs(stated - rate) <= 0.001 * rate for rate in rates_hz):
        return
    sfreq_hz = rates_hz[0]
    found = f"{stated:g} Hz, but the header of {recording} says {sfreq_hz:g} Hz"
    fix = f"correct SamplingFrequency to {sfreq_hz:g} if the header is right, or export the recording again"
    raise InputError(
        sidecar.source("SamplingFrequency"), "SamplingFrequency", found, "one sampling rate", fix
    )


def _delay(sidecar: Sidecar, recording: str, flags: list[Flag]) -> float | None:
    delay = _number(sidecar, "DisplayDelay")
    file = sidecar.source("DisplayDelay")
    fix = "measure it with a photodiode and state it in eeg.json"
    if delay is None:
        expected = "ms from the trigger to the light on the screen"
        flags.append(Flag(recording, "DisplayDelay", "not stated", expected, fix))
        return None
    if not 0 <= delay <= _MOST_DELAY_MS:
        raise InputError(file, "DisplayDelay", f"{delay:g} ms", f"0 to {_MOST_DELAY_MS:g} ms", fix)
    if 0 < delay < _LEAST_DELAY_MS:
        found, fix = f"{delay:g} ms, as if in seconds", "state it in ms, and 0 where the onsets are corrected"
        flags.append(Flag(file, "DisplayDelay", found, "ms from the trigger to the light", fix, "fail"))
    return delay


def _contrast(sidecar: Sidecar, flags: list[Flag]) -> float | None:
    contrast = _number(sidecar, "Contrast")
    if contrast is None:
        return None
    if not 0 < contrast <= 100:
        fix = "state the Michelson contrast in percent"
        flags.append(
            Flag(sidecar.source("Contrast"), "Contrast", f"{contrast:g}", "above 0 to 100 percent", fix)
        )
        return None
    return 100 * contrast if contrast <= 1 else contrast


def _field(sidecar: Sidecar) -> float | None:
    value = sidecar.values.get("Field")
    if isinstance(value, list | tuple):
        sides = [_number(Sidecar({"Field": side}, sidecar.sources, sidecar.file), "Field") for side in value]
        return min((side for side in sides if side is not None), default=None)
    return _number(sidecar, "Field")


def _reference(sidecar: Sidecar) -> str:
    """The reference electrode; a sentence is none."""
    word = _word(sidecar, "EEGReference")
    return word if word.replace("+", "").isalnum() and len(word) <= 12 else ""


def _word(sidecar: Sidecar, key: str) -> str:
    value = sidecar.values.get(key)
    return value.strip() if isinstance(value, str) and value.strip() not in MISSING else ""


def _number(sidecar: Sidecar, key: str) -> float | None:
    value = sidecar.values.get(key)
    if value is None or (isinstance(value, str) and value.strip() in MISSING) or isinstance(value, Mapping):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        fix = f"write {key} as a number without its unit, or n/a"
        raise InputError(sidecar.source(key), key, repr(value)[:40], "a number", fix)
    return float(value)
