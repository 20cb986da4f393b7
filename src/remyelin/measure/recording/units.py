"""The unit of a channel: what the header says, what `channels.tsv` says, and what can be an EEG."""

from __future__ import annotations

import numpy as np

from remyelin.errors import Flag, InputError

from .continuous import Channel, FloatArray

_VOLTS = {
    "v": 1.0,
    "volt": 1.0,
    "volts": 1.0,
    "mv": 1e-3,
    "millivolt": 1e-3,
    "millivolts": 1e-3,
    "uv": 1e-6,
    "microvolt": 1e-6,
    "microvolts": 1e-6,
    "nv": 1e-9,
    "nanovolt": 1e-9,
    "nanovolts": 1e-9,
}
# The micro sign and the Greek letter, each also as its UTF-8 bytes look when they are read as Latin-1.
_MICRO = ("\u00c2\u00b5", "\u00ce\u00bc", "\u00b5", "\u03bc")
# An EEG lies between; amplifiers alone have 0.5 uV of noise, and 1 mV is an artefact or a wrong unit.
USUAL_UV = (1.0, 1000.0)
_LEAST_UV = 0.1


def volts_per(unit: str) -> float | None:
    """Volts in a unit, however it is spelled; None if it is no unit of voltage.

    Examples
    --------
    >>> volts_per("µV"), volts_per("mV"), volts_per("degC")
    (1e-06, 0.001, None)
    """
    plain = unit.strip()
    for micro in _MICRO:
        plain = plain.replace(micro, "u")
    return _VOLTS.get(plain.casefold())


def rms_uv(signal_uv: FloatArray, sfreq_hz: float) -> float:
    """RMS about the mean of each second, the median over seconds: neither offset nor artefact counts."""
    n = max(min(round(sfreq_hz), len(signal_uv)), 1)
    blocks = signal_uv[: len(signal_uv) // n * n].reshape(-1, n)
    return float(np.median(blocks.std(axis=1)))


def in_microvolts(
    signal: FloatArray, channel: Channel, listed: str, file: str, listed_file: str
) -> tuple[FloatArray, list[Flag]]:
    """A channel in uV.

    Parameters
    ----------
    signal
        In the unit of the header.
    listed
        The unit in `channels.tsv`; empty if it tells none.

    Returns
    -------
    The signal in uV, and a flag (`fail`) where header and `channels.tsv` disagree: the signal is then read
    in the unit in which it can be an EEG.

    Raises
    ------
    InputError
        If it can be an EEG in no stated unit, or no unit is stated.
    """
    header_volts, listed_volts = volts_per(channel.unit), volts_per(listed)
    stated = [(channel.unit, header_volts)] if header_volts else []
    if listed_volts and listed_volts != header_volts:
        stated.append((listed, listed_volts))
    if not stated:
        found = repr(channel.unit) if channel.unit else "not stated"
        fix = "state the unit in the header or in channels.tsv"
        raise InputError(file, f"unit of channel {channel.label}", found, "V, mV, uV or nV", fix)
    rms = rms_uv(signal, channel.sfreq_hz)
    usual = [(unit, volts) for unit, volts in stated if USUAL_UV[0] <= rms * _per_uv(volts) <= USUAL_UV[1]]
    unit, volts = (usual or stated)[0]
    amplitude = rms * _per_uv(volts)
    if not _LEAST_UV <= amplitude <= USUAL_UV[1]:
        found = f"{unit}, which makes an amplitude of {amplitude:.3g} uV RMS"
        fix = "correct the unit in the header and in channels.tsv, and export the recording again"
        expected = "a unit in which it is an EEG (1 uV to 1 mV)"
        raise InputError(file, f"unit of channel {channel.label}", found, expected, fix)
    flags = []
    if len(stated) > 1:
        found = f"{channel.unit} in the header but {listed} in {listed_file}; read as {unit}"
        fix = "correct the unit that is wrong"
        flags.append(Flag(file, f"unit of channel {channel.label}", found, "one unit", fix, "fail"))
    return signal * _per_uv(volts), flags


def _per_uv(volts: float | None) -> float:
    """Microvolts in a unit, exactly 1 for uV."""
    return round(1e9 * (volts or 0.0)) / 1e3
