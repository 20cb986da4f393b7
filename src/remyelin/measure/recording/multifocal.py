"""Sweeps of a multifocal recording: a channel is a sector, an event begins a segment."""

from __future__ import annotations

import re
from pathlib import Path

from remyelin.errors import Flag, InputError
from remyelin.protocol import Measuring

from .epochs import condition_sweeps, cut, window
from .source import Source, read_source
from .sweeps import Sweeps

_SECTOR = re.compile(r"(?:S|sector)[ _-]?(\d{1,3})", re.IGNORECASE)
# The response lies at 45 to 150 ms, the noise that it is compared with at 325 to 430 ms (Zhang et al. 2002).
_END_MS = 500.0


def read_multifocal(path: Path, root: Path, settings: Measuring) -> tuple[list[Sweeps], list[InputError]]:
    """Read the segments of every sector.

    Returns
    -------
    One `Sweeps` a sector and eye, and why others could not be had.

    Raises
    ------
    InputError
        If the file as a whole cannot be used, or no channel is named as a sector.
    """
    source = read_source(path, root, full_field=False)
    sectors = _sectors(source)
    eyes = sorted({label.eye for label in source.labels} & {"OD", "OS"})
    if not eyes:
        fix = "state it in the column eye of events.tsv, or in the file name as acq-od"
        raise InputError(source.events.file, "eye", "not stated", "OD or OS", fix)
    found: list[Sweeps] = []
    errors: list[InputError] = []
    for sector, index in sectors.items():
        for eye in eyes:
            try:
                found.append(_one(source, sector, index, eye, settings))
            except InputError as error:
                errors.append(error)
    return found, errors


def _sectors(source: Source) -> dict[str, int]:
    found: dict[str, int] = {}
    for k, channel in enumerate(source.recording.channels):
        match = _SECTOR.fullmatch(channel.label.strip())
        if match is not None and not source.listed.row(channel.label).bad:
            name = f"{int(match[1]):02d}"
            if name in found:
                fix = "rename the channels"
                raise InputError(source.recording.file, f"sector {name}", "a duplicate channel", "one", fix)
            found[name] = k
    if not found:
        labels = ", ".join(channel.label for channel in source.recording.channels[:12])
        fix = "name the channels of the sectors S01, S02, ..."
        raise InputError(source.recording.file, "channels", labels, "sectors of a multifocal recording", fix)
    return found


def _one(source: Source, sector: str, index: int, eye: str, settings: Measuring) -> Sweeps:
    signal, _, doubts = source.channel(index)
    sfreq, interval = source.recording.channels[index].sfreq_hz, source.train.interval_s
    # What lies before an event belongs to the segment before.
    span = window(interval, start_ms=0.0, end_ms=_END_MS)
    whole = cut(signal, sfreq, source.lights_s, span, interval, settings.vep_reject_uv, bad=source.events.bad)
    chosen = [k for k, label in enumerate(source.labels) if label.eye == eye]
    file = source.recording.file
    sweeps, rejected = condition_sweeps(whole, chosen, span, sfreq, file, f"sector {sector} of {eye}")
    flags: tuple[Flag, ...] = tuple(dict.fromkeys([*source.flags, *doubts]))
    check = source.labels[chosen[0]].check_arcmin
    run = source.name.entities.get("run", "")
    setup = source.setup(source.recording.channels[index].label, index)
    return Sweeps(
        file, eye, check, run, sweeps, sfreq, span.start_ms, rejected, setup, sector=sector, flags=flags
    )
