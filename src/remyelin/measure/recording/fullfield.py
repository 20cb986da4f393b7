"""Sweeps of a full-field recording: one file, one or both eyes, one or more check sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from remyelin.errors import Flag, InputError
from remyelin.protocol import Measuring

from .continuous import FloatArray
from .epochs import Cut, Window, condition_sweeps, cut, window
from .label import Stated
from .montage import Montage, choose_channel
from .quality import clipping_flag, mains_flags
from .source import Source, read_source
from .sweeps import Sweeps

# Up to this part of clipped sweeps they are left out, as those with other artefacts are.
_FEW_CLIPPED = 0.2
# The response with its trough after P100 has passed.
_SHORT_MS = 250.0


def read_full_field(path: Path, root: Path, settings: Measuring) -> tuple[list[Sweeps], list[InputError]]:
    """Read the sweeps of a full-field recording.

    Returns
    -------
    One `Sweeps` an eye and check size, and why others could not be had.

    Raises
    ------
    InputError
        If the file as a whole cannot be used.
    """
    source = read_source(path, root)
    if not any(label.eye in ("OD", "OS") for label in source.labels):
        raise _no_eye(source)
    facts, file = source.facts, source.recording.file
    channels = source.recording.channels
    montage = choose_channel(channels, source.listed, settings.vep_channel, facts.reference, file)
    signal, full, flags = _signal(source, montage)
    sfreq = channels[montage.parts[0][0]].sfreq_hz
    lights, interval = source.lights_s, source.train.interval_s
    span = window(interval)
    share = _share(full, lights, span, sfreq)
    clip = full if share <= _FEW_CLIPPED else None
    if clip is None:
        flags.append(clipping_flag(share, montage.name, file))
    whole = cut(
        signal, sfreq, lights, span, interval, settings.vep_reject_uv, bad=source.events.bad, clipped=clip
    )
    flags += _doubts(source, span, whole, signal, sfreq, montage.name)
    shared = tuple(dict.fromkeys([*source.flags, *flags]))
    setup = source.setup(montage.name, montage.parts[0][0])
    run = source.name.entities.get("run", "")
    found, errors = [], []
    for label, chosen in _groups(source.labels).items():
        try:
            sweeps, rejected = condition_sweeps(whole, chosen, span, sfreq, file, _words(label))
        except InputError as error:
            errors.append(error)
            continue
        doubts = _many_rejected(rejected, len(chosen), label, file)
        found.append(
            Sweeps(
                file,
                label.eye,
                label.check_arcmin,
                run,
                sweeps,
                sfreq,
                span.start_ms,
                rejected,
                setup,
                flags=(*shared, *doubts),
            )
        )
    return found, errors


def _signal(source: Source, montage: Montage) -> tuple[FloatArray, npt.NDArray[np.bool_], list[Flag]]:
    """The montage in uV, where any of its channels is clipped, and doubts."""
    channels = source.recording.channels
    rates = {channels[index].sfreq_hz for index, _ in montage.parts}
    if len(rates) > 1:
        found = " and ".join(f"{rate:g} Hz" for rate in sorted(rates))
        fix = "export both channels at one sampling rate"
        raise InputError(source.recording.file, f"sampling of {montage.name}", found, "one rate", fix)
    parts = [(sign, *source.channel(index)) for index, sign in montage.parts]
    sign, signal, full, doubts = parts[0]
    total = signal if sign > 0 else -signal
    flags = list(doubts)
    for sign, signal, other, doubts in parts[1:]:
        total = total + sign * signal
        full = full | other
        flags += doubts
    return total, full, flags


def _groups(labels: Iterable[Stated]) -> dict[Stated, list[int]]:
    groups: dict[Stated, list[int]] = {}
    for k, label in enumerate(labels):
        if label.eye in ("OD", "OS"):
            groups.setdefault(label, []).append(k)
    return groups


def _doubts(
    source: Source, span: Window, whole: Cut, signal: FloatArray, sfreq: float, channel: str
) -> list[Flag]:
    file, flags = source.recording.file, []
    lost = sum(label.eye not in ("OD", "OS") for label in source.labels)
    if lost:
        found = f"that of both or not told at {lost} of {len(source.labels)} reversals"
        fix = "state the eye of each reversal; these were left out"
        flags.append(Flag(source.events.file, "eye", found, "OD or OS", fix))
    if span.end_ms < _SHORT_MS:
        found = f"{span.end_ms:.0f} ms, where the next reversal comes"
        fix = "stimulate at 2 reversals a second"
        flags.append(Flag(file, "end of the sweeps", found, f"at least {_SHORT_MS:g} ms", fix))
    kept = [k for k, reason in enumerate(whole.reasons) if not reason]
    if kept:
        average = whole.sweeps_uv[kept].mean(axis=0)
        flags += mains_flags(signal, sfreq, average, source.facts.mains_hz, channel, file)
    return flags


def _many_rejected(rejected: Mapping[str, int], n: int, label: Stated, file: str) -> list[Flag]:
    """A flag if more than half of the sweeps are lost to artefacts."""
    lost = sum(rejected.values())
    if 2 * lost <= n:
        return []
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(rejected.items()))
    fix = "look at the recording; repeat it if there is time"
    return [Flag(file, f"sweeps of {_words(label)}", f"{lost} of {n} rejected ({told})", "few rejected", fix)]


def _share(full: npt.NDArray[np.bool_], lights: FloatArray, span: Window, sfreq: float) -> float:
    """The part of the sweeps in which the channel is clipped."""
    if not full.any():
        return 0.0
    count = np.concatenate(([0], np.cumsum(full)))
    first = np.clip(np.rint((lights + span.start_ms / 1000) * sfreq).astype(int), 0, len(full))
    last = np.clip(first + span.samples(sfreq), 0, len(full))
    return float((count[last] > count[first]).mean())


def _words(label: Stated) -> str:
    return label.eye + (f" at {label.check_arcmin:g} arcmin" if label.check_arcmin is not None else "")


def _no_eye(source: Source) -> InputError:
    both = any(label.eye for label in source.labels)
    found = "that of both eyes together" if both else "not stated"
    fix = "state it in the column eye of events.tsv, or in the file name as acq-od60min"
    return InputError(source.events.file, "eye", found, "OD or OS, one eye at a time", fix)
