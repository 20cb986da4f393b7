"""All recordings of a visit: sweeps, what could not be read, and what is doubtful."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import Flag, InputError
from remyelin.files import relative
from remyelin.measure.findings import Failure
from remyelin.measure.name import parse

from .sweeps import Sweeps

if TYPE_CHECKING:
    from remyelin.measure.dataset import Visit
    from remyelin.protocol import Measuring

_VEP = re.compile(r"vep|pattern|revers|checker", re.IGNORECASE)
_MULTIFOCAL = re.compile(r"mf|multifocal", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the recordings of a visit give.

    Parameters
    ----------
    sweeps
        One a file, eye, check size (and sector); those of averages last.
    failures
        What could not be read; it costs no other recording.
    flags
        All doubts, each once; the sweeps carry their own.
    """

    sweeps: tuple[Sweeps, ...] = ()
    failures: tuple[Failure, ...] = ()
    flags: tuple[Flag, ...] = ()


def load_recordings(visit: Visit, root: Path, settings: Measuring) -> Loaded:
    """Read the visual evoked potentials of a visit.

    Parameters
    ----------
    visit
        From `Dataset.index`.
    root
        The dataset.
    settings
        `vep_channel` and `vep_reject_uv` count here.

    Returns
    -------
    Sweeps in uV from 50 ms before to 400 ms after the light (the display delay is taken off), or up to the
    next reversal; multifocal ones from 0 to 500 ms. Recordings of other tasks are left out with a flag.

    Notes
    -----
    Stimulus and recording follow Odom et al. 2016 (ISCEV), doi 10.1007/s10633-016-9553-y.
    """
    sweeps: list[Sweeps] = []
    failures: list[Failure] = []
    flags: list[Flag] = []
    for path in visit.eeg:
        task = _task(path)
        if task and not _VEP.search(task):
            flags.append(_other_task(path, root, task))
            continue
        try:
            found, errors = _read(path, root, settings, task)
        except InputError as error:
            failures.append(Failure(visit.participant, visit.id, error))
            continue
        sweeps += found
        failures += [Failure(visit.participant, visit.id, error) for error in errors]
    for path in visit.averages:
        from .averages import read_average

        try:
            sweeps += read_average(path, root, settings)
        except InputError as error:
            failures.append(Failure(visit.participant, visit.id, error))
    flags += [flag for one in sweeps for flag in one.flags]
    return Loaded(tuple(sweeps), tuple(failures), tuple(dict.fromkeys(flags)))


def recording_files(visit: Visit, root: Path) -> list[Path]:
    """Every file that `load_recordings` reads: data, companions, sidecars, events, channels."""
    from .averages import average_files
    from .source import source_files

    found = {file for path in visit.eeg for file in source_files(path, root)}
    found.update(file for path in visit.averages for file in average_files(path, root))
    return sorted(found, key=os.fsencode)


def _read(path: Path, root: Path, settings: Measuring, task: str) -> tuple[list[Sweeps], list[InputError]]:
    from .fullfield import read_full_field
    from .multifocal import read_multifocal

    if _MULTIFOCAL.match(task):
        return read_multifocal(path, root, settings)
    return read_full_field(path, root, settings)


def _task(path: Path) -> str:
    name = parse(path.name)
    return name.entities.get("task", "") if name else ""


def _other_task(path: Path, root: Path, task: str) -> Flag:
    fix = "name the task prvep if it is one; the recording was left out"
    return Flag(relative(path, root), "task", task, "visual evoked potentials (prvep, mfvep)", fix)
