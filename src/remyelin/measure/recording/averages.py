"""Averages that a clinical system exported: `*_desc-average_ave.tsv` with its JSON, or evoked FIF files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.files import read_tsv, relative, safe_file
from remyelin.measure.name import parse
from remyelin.measure.privacy import sidecar_flags
from remyelin.measure.sidecar import inherited, read_sidecar
from remyelin.protocol import Measuring

from .continuous import Channel, FloatArray
from .formats import extension, quiet_mne
from .label import Stated, agreed, eye_in, from_acq
from .listed import ListedChannels
from .montage import choose_channel
from .stated import Facts, check_sampling, read_facts
from .sweeps import Setup, Sweeps

_TIMES = ("time_ms",)
_AMPLITUDES = ("uV", "amplitude_uv")
# Where P100 may be; an average that does not cover it is none of a visual evoked potential.
_COVER_MS = (50.0, 200.0)
_USUAL_UV = (0.1, 200.0)
# Decimals of an export move a sample by less than half a step.
_UNEVEN = 0.5


def read_average(path: Path, root: Path, settings: Measuring) -> list[Sweeps]:
    """Read an average as `Sweeps` of one row, with `averaged` set.

    Raises
    ------
    InputError
        A column missing; times in seconds, unevenly spaced, or not of a response; amplitudes in V or mV;
        no eye stated, or file name and sidecar that disagree.
    """
    file = relative(path, root)
    sidecar = read_sidecar(path, root)
    facts = read_facts(sidecar, file)
    flags = tuple(dict.fromkeys([*facts.flags, *sidecar_flags(sidecar.values, sidecar.sources)]))
    if extension(path) != ".tsv":
        return _evoked(path, root, settings, facts, flags)
    times, values = _columns(path, root)
    sfreq, start = _grid(times, file)
    check_sampling(facts, sidecar, [sfreq], file)
    one = _sweeps(path, root, facts, "", values, (sfreq, start), facts.sweeps or 0, facts.reference, flags)
    return [one]


def average_files(path: Path, root: Path) -> list[Path]:
    """Every file that `read_average` reads."""
    return [path, *inherited(path, root, ".json")]


def _sweeps(
    path: Path,
    root: Path,
    facts: Facts,
    words: str,
    values: FloatArray,
    grid: tuple[float, float],
    averaged: int,
    montage: str,
    flags: tuple[Flag, ...],
) -> Sweeps:
    file, name = relative(path, root), parse(path.name)
    entities = name.entities if name else {}
    told = [("file name", from_acq(entities.get("acq", ""))), ("sidecar", facts.label)]
    label = agreed([*told, ("comment", Stated(eye_in(words)))], file)
    if label.eye not in ("OD", "OS"):
        fix = "state Eye in the JSON beside it, or in the file name as acq-od60min"
        raise InputError(file, "eye", "not stated" if not label.eye else "both", "OD or OS", fix)
    _check_amplitude(values, file)
    sfreq, start = grid
    start -= facts.display_delay_ms or 0.0
    _check_cover(start, start + (len(values) - 1) * 1000 / sfreq, file)
    setup = Setup(
        montage,
        *facts.filters,
        facts.display,
        facts.display_delay_ms,
        facts.luminance_cd_per_m2,
        facts.contrast_percent,
        facts.field_deg,
        facts.reversal_rate_hz,
    )
    row, run = values[None, :], entities.get("run", "")
    return Sweeps(
        file,
        label.eye,
        label.check_arcmin,
        run,
        row,
        sfreq,
        start,
        {},
        setup,
        averaged=averaged,
        flags=flags,
    )


def _columns(path: Path, root: Path) -> tuple[FloatArray, FloatArray]:
    file = relative(path, root)
    rows = read_tsv(path, root)
    if len(rows) < 2:
        fix = "export the average again"
        raise InputError(file, "table", f"of {len(rows)} rows", "one row a sample", fix)
    return _column(rows, _TIMES, file), _column(rows, _AMPLITUDES, file)


def _column(rows: list[dict[str, str]], names: Sequence[str], file: str) -> FloatArray:
    name = next((name for name in names if name in rows[0]), None)
    if name is None:
        fix = "name the columns time_ms (ms after the trigger) and uV"
        raise InputError(file, "columns", ", ".join(rows[0]), " or ".join(names), fix)
    values = np.empty(len(rows))
    for k, row in enumerate(rows):
        try:
            values[k] = float(row[name])
        except ValueError:
            values[k] = math.nan
        if not math.isfinite(values[k]):
            fix = "write every value with a decimal point, and no sample left out"
            raise InputError(file, f"{name} in line {k + 2}", repr(row[name][:20]), "a number", fix)
    return values


def _grid(times_ms: FloatArray, file: str) -> tuple[float, float]:
    """Samples a second and the time of the first sample (ms), of times that are rounded."""
    span = float(times_ms[-1] - times_ms[0])
    if 0 < span < 5.0:
        found = f"{times_ms[0]:g} to {times_ms[-1]:g}, as if in seconds"
        raise InputError(file, "time_ms", found, "milliseconds", "multiply the times by 1000")
    steps = np.diff(times_ms)
    step = span / len(steps)
    index = np.arange(len(times_ms))
    away = np.abs(times_ms - times_ms[0] - index * step).max() if step > 0 else math.inf
    if step <= 0 or float(np.abs(steps / step - 1).max()) > _UNEVEN or away > _UNEVEN * step:
        found = f"uneven (steps of {steps.min():g} to {steps.max():g} ms)"
        fix = "export every sample, at the times at which they were taken"
        raise InputError(file, "time_ms", found, "equal steps", fix)
    slope, start = np.polyfit(index, times_ms, 1)
    return round(1000 / float(slope), 3), round(float(start), 4)


def _check_amplitude(values: FloatArray, file: str) -> None:
    size = float(np.ptp(values))
    if size == 0:
        fix = "check the electrodes and the export"
        raise InputError(file, "amplitude", "flat (no signal)", "an average", fix)
    if not _USUAL_UV[0] <= size <= _USUAL_UV[1]:
        unit = "V or mV" if size < _USUAL_UV[0] else "nV"
        found = f"{size:.3g} uV from peak to peak, as if in the unit {unit}"
        fix = "write the amplitudes in the unit uV"
        raise InputError(file, "amplitude", found, "an average in uV (0.1 to 200 uV)", fix)


def _check_cover(start_ms: float, end_ms: float, file: str) -> None:
    if start_ms > _COVER_MS[0] or end_ms < _COVER_MS[1]:
        found = f"{start_ms:g} to {end_ms:g} ms after the light"
        fix = "export the average from the stimulus to 300 ms or later"
        raise InputError(file, "times", found, f"at least {_COVER_MS[0]:g} to {_COVER_MS[1]:g} ms", fix)


def _evoked(
    path: Path, root: Path, settings: Measuring, facts: Facts, flags: tuple[Flag, ...]
) -> list[Sweeps]:
    """The averages of an evoked FIF file; the eye may stand in the comment of each."""
    file = relative(path, root)
    safe_file(path, root)
    with quiet_mne(file, "FIF") as mne:
        evokeds = mne.read_evokeds(path, verbose="ERROR")
        content = [
            (
                str(evoked.comment),
                int(evoked.nave),
                float(evoked.times[0]) * 1000,
                float(evoked.info["sfreq"]),
                evoked.ch_names,
                evoked.get_channel_types(),
                np.asarray(evoked.data, np.float64) * 1e6,
            )
            for evoked in evokeds
        ]
    found = []
    for comment, n, start, sfreq, labels, kinds, data in content:
        channels = [
            Channel(label, "V", sfreq, kind=kind.upper()) for label, kind in zip(labels, kinds, strict=True)
        ]
        montage = choose_channel(
            channels, ListedChannels("", {}), settings.vep_channel, facts.reference, file
        )
        values = np.asarray(sum(sign * data[index] for index, sign in montage.parts), np.float64)
        found.append(_sweeps(path, root, facts, comment, values, (sfreq, start), n, montage.name, flags))
    if len({one.eye for one in found}) < len(found):
        comments = ", ".join(repr(comment) for comment, *_ in content)
        fix = "save each average to a file of its own, or name the eye in its comment"
        raise InputError(file, "averages", f"several of one eye ({comments})", "one an eye", fix)
    return found
