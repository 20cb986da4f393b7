"""EDF and EDF+: the header checked here, the samples by edfio, the annotations read here.

edfio reads annotations too, but passes over what it cannot parse and stops at bytes that are not UTF-8; a
lost annotation is a lost reversal.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.files import read_bytes, relative

from .continuous import Channel, Continuous, FloatArray, Mark
from .edf_header import Header, parse_header
from .filters import from_text
from .identity import edf_identity

# A recording of an hour, 32 channels at 2 kHz, has 0.5 GB.
LIMIT_BYTES = 2**30
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?")
# Onsets of records are decimals of the writer; a clock that runs apart by less is a rounding. A file that
# says it is continuous is believed a little more.
_SAME_S = {True: 1e-3, False: 0.05}


def read_edf(path: Path, root: Path | None) -> Continuous:
    """Read an EDF or EDF+ file.

    Returns
    -------
    The recording; of a truncated file, its whole records.

    Raises
    ------
    InputError
        As `remyelin.files.read_bytes` and `parse_header`; an interrupted recording (EDF+D with gaps);
        annotations that cannot be read.
    """
    file = relative(path, root)
    data = read_bytes(path, root, limit=LIMIT_BYTES)
    header = parse_header(data, file)
    marks = _marks(data, header, file)
    channels = tuple(
        Channel(
            signal.label,
            signal.unit,
            signal.samples / header.record_s,
            (min(signal.physical_min, signal.physical_max), max(signal.physical_min, signal.physical_max)),
            from_text(signal.prefilter),
        )
        for signal in header.signals
        if not signal.annotations
    )
    signals = _edfio(data, header, file)

    def read(index: int) -> FloatArray:
        return np.asarray(signals[index].data, np.float64)

    return Continuous(
        file,
        channels,
        read,
        header.n_records * header.record_s,
        marks,
        None if header.stated_records is None else header.stated_records * header.record_s,
        header.lost,
        tuple(header_flags(header, file)),
    )


def header_flags(header: Header, file: str) -> list[Flag]:
    """Doubts that the header of an EDF or BDF file raises: identity, more data than it tells of."""
    flags = edf_identity(header.patient, header.recording, file)
    if header.extra:
        found = f"{header.stated_records} in the header, {header.extra} more in the file"
        fix = "export the recording again; the records that the header does not count were left out"
        flags.append(Flag(file, "number of data records", found, "the same number", fix))
    return flags


def _edfio(data: bytes, header: Header, file: str) -> tuple[Any, ...]:
    """The ordinary signals as edfio sees them, of whole records only and of as many as there are."""
    import edfio

    start, end = header.bytes_, header.bytes_ + header.n_records * header.record_bytes
    head = bytearray(data[:start])
    head[236:244] = str(header.n_records).encode().ljust(8)
    # The sizes of a header padded with NUL are not numbers to edfio.
    head = bytearray(head.replace(b"\0", b" "))
    try:
        read = edfio.read_edf(bytes(head) + data[start:end], header_encoding="latin-1")
        return tuple(read.signals)
    except Exception as error:
        found = f"not readable as EDF ({type(error).__name__})"
        raise InputError(file, "file", found, "an EDF file", "export the recording again") from None


def _marks(data: bytes, header: Header, file: str) -> tuple[Mark, ...]:
    """All annotations, in seconds after the first sample."""
    body = np.frombuffer(data, np.uint8, header.n_records * header.record_bytes, header.bytes_)
    body = body.reshape(header.n_records, header.record_bytes)
    marks: list[Mark] = []
    clock: dict[int, float] = {}
    at = 0
    for signal in header.signals:
        width = 2 * signal.samples
        if signal.annotations:
            records = [record.tobytes() for record in body[:, at : at + width]]
            first = not clock
            for k, record in enumerate(records):
                found = _parse(record, file)
                if first and found and found[0].text == "":
                    clock[k] = found[0].onset_s
                marks += [mark for mark in found if mark.text]
        at += width
    zero = _clock_zero(clock, header, file)
    return tuple(sorted(Mark(mark.onset_s - zero, mark.duration_s, mark.text) for mark in marks))


def _parse(record: bytes, file: str) -> list[Mark]:
    """The annotations of one record: onset, perhaps a duration, and texts, each list ended by NUL."""
    marks = []
    for block in record.split(b"\0"):
        if not block:
            continue
        head, *texts = block.split(b"\x14")
        match = _ONSET.fullmatch(head)
        if match is None or not texts:
            found = "broken (an annotation without a time)"
            raise InputError(file, "annotations", found, "EDF+ annotations", "export the recording again")
        onset, duration = float(match[1]), float(match[2] or 0.0)
        # The text ends with the separator, so the last of the split is empty.
        marks += [Mark(onset, duration, _decoded(text)) for text in texts[:-1] or [b""]]
    return marks


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _clock_zero(clock: dict[int, float], header: Header, file: str) -> float:
    """The time of the first sample on the clock of the annotations; each record states its own."""
    if not clock:
        return 0.0
    starts = np.array([onset - k * header.record_s for k, onset in clock.items()])
    late = np.flatnonzero(np.abs(starts - starts[0]) > _SAME_S[header.discontinuous])
    if len(late) or (header.discontinuous and len(clock) < header.n_records):
        after = list(clock)[int(late[0])] * header.record_s if len(late) else 0.0
        found = f"interrupted (first gap after {after:g} s)"
        fix = "export each uninterrupted stretch as a file of its own"
        raise InputError(file, "recording", found, "continuous (EDF or EDF+C)", fix)
    return float(starts[0])
