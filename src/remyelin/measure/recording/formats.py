"""Recordings that MNE reads: FIF, BrainVision, BDF, EEGLAB. MNE comes with the extra `remyelin[vep]`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.files import relative, safe_file

from .continuous import Channel, Continuous, Filters, FloatArray, Mark
from .edf import header_flags
from .edf_header import Header, parse_header
from .identity import identity_flag
from .units import volts_per

NAMES = {".vhdr": "BrainVision", ".bdf": "BDF", ".set": "EEGLAB", ".fif": "FIF", ".fif.gz": "FIF"}
# What these formats hold where they tell no unit: EEGLAB has microvolts by convention, FIF volts by rule.
_OWN_UNIT = {"EEGLAB": "uV"}
_LINKED = re.compile(r"^\s*(?:DataFile|MarkerFile)\s*=\s*(.+?)\s*$", re.MULTILINE)
_HEADER_BYTES = 2**20


def read_with_mne(path: Path, root: Path | None) -> Continuous:
    """Read a recording with MNE.

    Raises
    ------
    InputError
        MNE is not installed; the file or one that it names is missing, unsafe or unreadable; a BDF header
        that `parse_header` refuses.
    """
    file, name = relative(path, root), NAMES[extension(path)]
    safe_file(path, root)
    for companion in companions(path):
        safe_file(companion, root)
    header = _bdf_header(path, file) if name == "BDF" else None
    with quiet_mne(file, name) as mne:
        raw = _reader(mne, name)(path, preload=False, verbose="ERROR")
        channels = tuple(_channels(raw, name))
        marks = _marks(mne, raw)
        subject = dict(raw.info["subject_info"] or {})

    def read(index: int) -> FloatArray:
        with quiet_mne(file, name):
            volts = np.asarray(raw.get_data(picks=[index], verbose="ERROR")[0], np.float64)
        return volts / (volts_per(channels[index].unit) or 1.0)

    return Continuous(
        file,
        channels,
        read,
        raw.n_times / float(raw.info["sfreq"]),
        marks,
        _stated_s(header),
        header.lost if header else "",
        tuple(header_flags(header, file)) if header else _identity(subject, file),
    )


@contextmanager
def quiet_mne(file: str, name: str) -> Iterator[Any]:
    """The module `mne`, without its log and warnings; whatever it raises becomes an InputError.

    Its own words are not repeated, for they hold absolute paths.
    """
    try:
        import mne
    except ImportError:
        found = f"{name}, and MNE is not installed"
        fix = "pip install 'remyelin[vep]', or export the recording as EDF"
        raise InputError(file, "format", found, "EDF, or MNE to read others", fix) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield mne
        except InputError:
            raise
        except Exception as error:
            found = f"not readable as {name} ({type(error).__name__})"
            fix = "copy or export the recording again; it may be truncated"
            raise InputError(file, "file", found, f"a whole {name} recording", fix) from None


def companions(path: Path) -> list[Path]:
    """The files beside a recording that hold a part of it: `.eeg` and `.vmrk`, or `.fdt`."""
    kind = extension(path)
    if kind == ".vhdr":
        try:
            text = path.read_bytes()[:_HEADER_BYTES].decode("latin-1")
        except OSError:
            return []
        names = (name.replace("$b", path.stem) for name in _LINKED.findall(text))
        # Only the last part: a header must not lead out of its folder.
        return [path.with_name(re.split(r"[\\/]", name)[-1]) for name in names]
    if kind == ".set" and path.with_suffix(".fdt").exists():
        return [path.with_suffix(".fdt")]
    return []


def extension(path: Path) -> str:
    """`.edf`, `.vhdr`, `.fif.gz`: lower case, gzip included."""
    name = path.name.casefold()
    return ".fif.gz" if name.endswith(".fif.gz") else Path(name).suffix


def _reader(mne: Any, name: str) -> Callable[..., Any]:
    readers: dict[str, Callable[..., Any]] = {
        "BrainVision": mne.io.read_raw_brainvision,
        "BDF": mne.io.read_raw_bdf,
        "EEGLAB": mne.io.read_raw_eeglab,
        "FIF": mne.io.read_raw_fif,
    }
    return readers[name]


def _channels(raw: Any, name: str) -> Iterator[Channel]:
    sfreq = float(raw.info["sfreq"])
    high, low = float(raw.info["highpass"] or 0.0), float(raw.info["lowpass"] or 0.0)
    # MNE fills what nobody stated: no high-pass, and a low-pass at half the sampling rate.
    filters = Filters(high or None, low if 0 < low < 0.499 * sfreq else None)
    units = getattr(raw, "_orig_units", None) or {}
    for label, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True):
        stated = str(units.get(label, ""))
        unit = stated if volts_per(stated) else _OWN_UNIT.get(name, "V")
        yield Channel(label, unit, sfreq, None, filters, kind.upper())


def _marks(mne: Any, raw: Any) -> tuple[Mark, ...]:
    """Annotations; where there are none, the codes of the trigger channels."""
    notes, sfreq = raw.annotations, float(raw.info["sfreq"])
    zero = float(raw.first_time) if notes.orig_time is not None else 0.0
    rows = zip(notes.onset, notes.duration, notes.description, strict=True)
    marks = [Mark(float(onset) - zero, float(length), str(text)) for onset, length, text in rows]
    if not marks and "stim" in raw.get_channel_types():
        events = mne.find_events(raw, shortest_event=1, verbose="ERROR")
        marks = [Mark((int(at) - raw.first_samp) / sfreq, 0.0, f"stimulus/{code}") for at, _, code in events]
    return tuple(sorted(marks))


def _identity(subject: Mapping[str, object], file: str) -> tuple[Flag, ...]:
    """A flag if the subject's block of a FIF file holds a name or a birth date."""
    if any(subject.get(key) for key in ("last_name", "first_name", "middle_name", "birthday")):
        return (identity_flag(file, "subject information of the file"),)
    return ()


def _bdf_header(path: Path, file: str) -> Header:
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
    return parse_header(head, file, size=path.stat().st_size)


def _stated_s(header: Header | None) -> float | None:
    if header is None or header.stated_records is None:
        return None
    return header.stated_records * header.record_s
