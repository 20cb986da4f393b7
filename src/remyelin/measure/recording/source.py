"""One recording with all that lies beside it: samples, events, channels, sidecar, compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from remyelin.errors import Flag, InputError
from remyelin.files import relative
from remyelin.measure.name import Name, parse
from remyelin.measure.privacy import sidecar_flags
from remyelin.measure.sidecar import read_sidecar

from .continuous import Continuous, FloatArray
from .edf import read_edf
from .events import Events, read_events
from .formats import NAMES, companions, extension, read_with_mne
from .label import Stated, agreed, from_acq
from .listed import ListedChannels, read_listed, table_of
from .quality import check_alive, clipped
from .rate import Train, check_rate
from .stated import Facts, check_sampling, read_facts
from .sweeps import Setup
from .units import in_microvolts


@dataclass(frozen=True, slots=True)
class Source:
    """A recording and what belongs to it.

    Parameters
    ----------
    labels
        Eye and check size of each event that `train` keeps.
    flags
        What is doubtful about any of it.
    """

    recording: Continuous
    name: Name
    facts: Facts
    listed: ListedChannels
    events: Events
    train: Train
    labels: tuple[Stated, ...]
    flags: tuple[Flag, ...]

    @property
    def lights_s(self) -> FloatArray:
        """When each reversal was seen, in s after the first sample."""
        delay_s = (self.facts.display_delay_ms or 0.0) / 1000
        return np.array([self.events.events[k].onset_s + delay_s for k in self.train.kept])

    def setup(self, montage: str, channel: int) -> Setup:
        """How the recording was made."""
        facts, interval = self.facts, self.train.interval_s
        filters = self.recording.channels[channel].filters.after(facts.filters)
        return Setup(
            montage,
            *filters,
            facts.display,
            facts.display_delay_ms,
            facts.luminance_cd_per_m2,
            facts.contrast_percent,
            facts.field_deg,
            None if interval is None else round(1 / interval, 4),
        )

    def channel(self, index: int) -> tuple[FloatArray, npt.NDArray[np.bool_], list[Flag]]:
        """(sample,) a channel in uV, (sample,) whether it is clipped, and doubts about its unit.

        Raises
        ------
        InputError
            A flat channel; a unit in which it can be no EEG.
        """
        channel, file = self.recording.channels[index], self.recording.file
        stored = self.recording.read(index)
        check_alive(stored, channel.label, file)
        # FIF holds volts by rule, whatever a table says.
        listed = "" if file.endswith((".fif", ".fif.gz")) else self.listed.row(channel.label).unit
        signal, flags = in_microvolts(stored, channel, listed, file, self.listed.file)
        return signal, clipped(stored, channel.sfreq_hz, channel.limits), flags


def read_continuous(path: Path, root: Path) -> Continuous:
    """Read a recording of any format, by the extension of its name.

    Raises
    ------
    InputError
        See `read_edf` and `read_with_mne`.
    """
    if extension(path) == ".edf":
        return read_edf(path, root)
    if extension(path) in NAMES:
        return read_with_mne(path, root)
    found, fix = extension(path) or "no extension", "export the recording as EDF"
    raise InputError(relative(path, root), "format", found, f".edf, {', '.join(NAMES)}", fix)


def read_source(path: Path, root: Path, *, full_field: bool = True) -> Source:
    """Read a recording and what lies beside it.

    Parameters
    ----------
    full_field
        Whether the events are reversals, with a rate to check; those of multifocal recordings mark segments.

    Raises
    ------
    InputError
        Whatever of it cannot be read, or contradicts another part: see the modules of this package.
    """
    file, name = relative(path, root), parse(path.name)
    if name is None:
        raise InputError(file, "file name", "unexpected", "a BIDS name", "rename the file")
    recording = read_continuous(path, root)
    sidecar = read_sidecar(path, root)
    facts = read_facts(sidecar, file)
    check_sampling(facts, sidecar, [channel.sfreq_hz for channel in recording.channels], file)
    listed = read_listed(path, root)
    events = read_events(table_of(path, root, "events"), recording, root)
    if full_field:
        train = check_rate(events.events, events.file, facts.reversal_rate_hz, sidecar.source("ReversalRate"))
    else:
        onsets = [event.onset_s for event in events.events]
        step = float(np.median(np.diff(onsets))) if len(onsets) > 1 else None
        train = Train(tuple(range(len(onsets))), step, ())
    labels = tuple(_label(events, k, from_acq(name.entities.get("acq", "")), facts) for k in train.kept)
    flags = [*recording.flags, *facts.flags, *events.flags, *train.flags]
    flags += sidecar_flags(sidecar.values, sidecar.sources)
    return Source(recording, name, facts, listed, events, train, labels, tuple(dict.fromkeys(flags)))


def source_files(path: Path, root: Path) -> list[Path]:
    """Every file that `read_source` reads, whether it can be read or not."""
    from remyelin.measure.sidecar import inherited

    tables = [table_of(path, root, suffix) for suffix in ("events", "channels")]
    return [
        path,
        *companions(path),
        *inherited(path, root, ".json"),
        *(table for table in tables if table is not None),
    ]


def _label(events: Events, index: int, named: Stated, facts: Facts) -> Stated:
    event = events.events[index]
    own = Stated(event.eye, event.check_arcmin)
    told = [("file name", named), ("sidecar", facts.label), ("events", own)]
    return agreed(told, events.file)
