"""The header of an EDF or BDF file, checked field by field before anything else reads the file.

EDF: Kemp et al. 1992, doi 10.1016/0013-4694(92)90009-7; EDF+: Kemp & Olivan 2003, doi
10.1016/S1388-2457(03)00123-8. BDF differs in its first byte and in samples of 24 bits.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from remyelin.errors import InputError

_EXPORT = "export the recording again from the recorder"
_FIXED = 256
_SIGNAL_FIELDS = (
    ("label", 16),
    ("transducer", 80),
    ("unit", 8),
    ("physical_min", 8),
    ("physical_max", 8),
    ("digital_min", 8),
    ("digital_max", 8),
    ("prefilter", 80),
    ("samples", 8),
    ("reserved", 32),
)
_INTEGER = re.compile(r"[+-]?\d{1,8}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of the header; `samples` is the number in each data record."""

    label: str
    unit: str
    physical_min: float
    physical_max: float
    digital_min: int
    digital_max: int
    prefilter: str
    samples: int
    annotations: bool


@dataclass(frozen=True, slots=True)
class Header:
    """What the header tells, and how many data records there really are.

    `stated_records` is None for -1, which EDF allows while a recording runs and which stays where it was
    stopped hard. `n_records` are the whole records that can be read.
    """

    patient: str
    recording: str
    signals: tuple[Signal, ...]
    bytes_: int
    record_s: float
    record_bytes: int
    n_records: int
    stated_records: int | None
    discontinuous: bool
    extra: int

    @property
    def lost(self) -> str:
        """Of a truncated file, how much is there, in words."""
        if self.stated_records is None or self.n_records >= self.stated_records:
            return ""
        return f"{self.n_records} of {self.stated_records} records"


def parse_header(data: bytes, file: str, *, size: int | None = None) -> Header:
    """Read and check the header.

    Parameters
    ----------
    data
        The file, or at least its header.
    file
        Its name, for messages.
    size
        Bytes of the whole file, if `data` is not all of it.

    Raises
    ------
    InputError
        Not EDF or BDF; a size of the header that contradicts the number of signals; no record, or one of
        no duration; a physical or digital range of zero; two signals of one label; a field without its
        number.
    """
    size = len(data) if size is None else size
    width = _bytes_per_sample(data, file)
    text = data[:_FIXED].decode("latin-1")
    n_signals = _integer(text[252:256], file, "number of signals in the header")
    stated_bytes = _integer(text[184:192], file, "header size")
    if n_signals < 1 or stated_bytes != _FIXED * (n_signals + 1):
        found = f"{stated_bytes} bytes for {n_signals} signals"
        raise InputError(file, "header size", found, f"{_FIXED * (max(n_signals, 0) + 1)} bytes", _EXPORT)
    if len(data) < stated_bytes:
        found = f"truncated ({len(data)} of {stated_bytes} bytes)"
        raise InputError(file, "header", found, "a whole header", "copy the file again from its source")
    signals = _signals(data[_FIXED:stated_bytes].decode("latin-1"), n_signals, file)
    record_s = _number(text[244:252], file, "duration of a data record")
    if not any(not signal.annotations for signal in signals):
        raise InputError(file, "signals", "annotations only", "at least one EEG channel", _EXPORT)
    if record_s <= 0:
        found = f"{record_s:g} s, so the sampling rate is unknown"
        raise InputError(file, "duration of a data record", found, "a time above zero", _EXPORT)
    record_bytes = width * sum(signal.samples for signal in signals)
    whole = (size - stated_bytes) // record_bytes
    stated = _integer(text[236:244], file, "number of data records")
    if stated < -1 or stated == 0 or whole == 0:
        found = f"{stated} in the header, {whole} in the file"
        fix = "copy the file again; if it is the same, the recording is empty"
        raise InputError(file, "number of data records", found, "at least one whole record", fix)
    return Header(
        text[8:88].strip(),
        text[88:168].strip(),
        signals,
        stated_bytes,
        record_s,
        record_bytes,
        whole if stated == -1 else min(stated, whole),
        None if stated == -1 else stated,
        text[192:236].strip().startswith(("EDF+D", "BDF+D")),
        0 if stated == -1 else max(whole - stated, 0),
    )


def _bytes_per_sample(data: bytes, file: str) -> int:
    if len(data) < _FIXED:
        found = f"truncated ({len(data)} bytes)"
        raise InputError(file, "header", found, f"at least {_FIXED} bytes", "copy the file again")
    if data[:8] == b"\xffBIOSEMI":
        return 3
    if data[:8].strip(b" \0") == b"0":
        return 2
    raise InputError(file, "header", "not that of an EDF file", "an EDF, EDF+ or BDF file", _EXPORT)


def _signals(text: str, n: int, file: str) -> tuple[Signal, ...]:
    columns: dict[str, list[str]] = {}
    at = 0
    for name, width in _SIGNAL_FIELDS:
        columns[name] = [text[at + k * width : at + (k + 1) * width].strip(" \0") for k in range(n)]
        at += n * width
    rows = [{name: column[k] for name, column in columns.items()} for k in range(n)]
    signals = tuple(_signal(row, k, file) for k, row in enumerate(rows))
    names = Counter(signal.label.casefold() for signal in signals if not signal.annotations)
    for signal in signals:
        if names[signal.label.casefold()] > 1:
            found = f"duplicate ({signal.label!r})"
            fix = "rename the channels in the recorder and export again"
            raise InputError(file, "channel name", found, "names that differ", fix)
    return signals


def _signal(row: dict[str, str], index: int, file: str) -> Signal:
    label = row["label"]
    where = f"of channel {label or index + 1}"
    annotations = label in ("EDF Annotations", "BDF Annotations")
    samples = _integer(row["samples"], file, f"number of samples {where}")
    if samples < 1:
        raise InputError(file, f"number of samples {where}", str(samples), "at least 1 a record", _EXPORT)
    if annotations:
        return Signal(label, "", -1.0, 1.0, -1, 1, "", samples, True)
    low, high = (
        _number(row[key], file, f"physical range {where}") for key in ("physical_min", "physical_max")
    )
    bottom, top = (
        _integer(row[key], file, f"digital range {where}") for key in ("digital_min", "digital_max")
    )
    if low == high:
        found = f"zero ({low:g} to {high:g}), so the gain is unknown"
        raise InputError(file, f"physical range {where}", found, "two limits that differ", _calibrated())
    if bottom >= top:
        found = f"{bottom} to {top}, so the gain is unknown"
        raise InputError(file, f"digital range {where}", found, "a range above zero", _calibrated())
    return Signal(label, row["unit"], low, high, bottom, top, row["prefilter"], samples, False)


def _calibrated() -> str:
    return "export the recording again with its calibration"


def _integer(text: str, file: str, field: str) -> int:
    text = text.strip(" \0")
    if not _INTEGER.fullmatch(text):
        raise InputError(file, field, _shown(text), "a whole number", _EXPORT)
    return int(text)


def _number(text: str, file: str, field: str) -> float:
    text = text.strip(" \0")
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise InputError(file, field, _shown(text), "a number with a decimal point", _EXPORT)
    return float(text)


def _shown(text: str) -> str:
    return repr(text) if text else "empty"
