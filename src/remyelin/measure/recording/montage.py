"""The channel to measure: midline occipital against midline frontal, as ISCEV asks (Odom et al. 2016, doi
10.1007/s10633-016-9553-y), or the one that the settings name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from remyelin.errors import InputError

from .continuous import Channel
from .listed import ListedChannels

_NOT_EEG = re.compile(
    r"ECG|EKG|EOG|EMG|STATUS|STI\b|STI \d|TRIG|RESP|PHOTO|DC\d|SPO2|PULSE|EVENT", re.IGNORECASE
)
# The names of the Queen Square montage stand for the same places.
_ALIASES = {"MO": "OZ", "MF": "FZ", "OZZ": "OZ"}
_COMMON = {"", "REF", "AVG", "AV", "LE", "COM", "G1", "G2"}


@dataclass(frozen=True, slots=True)
class Montage:
    """What is measured: `parts` are channels (by index) with their signs, which are added."""

    name: str
    parts: tuple[tuple[int, int], ...]


def choose_channel(
    channels: Sequence[Channel], listed: ListedChannels, wanted: str, reference: str, file: str
) -> Montage:
    """Choose the channel.

    Parameters
    ----------
    wanted
        `Oz-Fz`, a label, or empty: a channel with Oz against something, else Oz less Fz, else Oz, else the
        only EEG channel.
    reference
        Of channels that name none themselves, from the sidecar; may be empty.

    Raises
    ------
    InputError
        No such channel, several that could be meant, or one that `channels.tsv` calls bad.
    """
    eeg = [k for k, channel in enumerate(channels) if _is_eeg(channel, listed)]
    names = {k: _split(channels[k].label) for k in eeg}
    montage = (_labelled(channels, eeg, wanted) or _wanted(names, wanted)) if wanted else _midline(names)
    if montage is None and not wanted and len(eeg) == 1:
        active, other = names[eeg[0]]
        montage = Montage("-".join(part for part in (active, other) if part), ((eeg[0], 1),))
    if montage is None:
        labels = ", ".join(channels[k].label for k in eeg[:20]) or "no EEG channel"
        expected = wanted or "Oz, or only one channel"
        fix = "name the channel in the setting vep_channel, as Oz-Fz or a label of the file"
        raise InputError(file, "channels", labels, expected, fix)
    for k, _ in montage.parts:
        row = listed.row(channels[k].label)
        if row.bad:
            why = f" ({row.reason})" if row.reason else ""
            fix = "repeat the recording, or name another channel in the setting vep_channel"
            raise InputError(
                listed.file, f"status of channel {channels[k].label}", f"bad{why}", "a good channel", fix
            )
    if "-" not in montage.name and reference:
        return Montage(f"{montage.name}-{reference}", montage.parts)
    return montage


def _is_eeg(channel: Channel, listed: ListedChannels) -> bool:
    kind = listed.row(channel.label).kind or channel.kind
    return kind == "EEG" or (not kind and not _NOT_EEG.search(channel.label))


def _split(label: str) -> tuple[str, str]:
    """Active and reference electrode of a label: `EEG Oz-Ref` is (Oz, ""), `O z - F z` is (Oz, Fz)."""
    plain = re.sub(r"^EEG\s+", "", label.strip(), flags=re.IGNORECASE)
    active, _, other = (part.replace(" ", "") for part in plain.partition("-"))
    return active, "" if other.upper() in _COMMON else other


def _same(one: str, other: str) -> bool:
    a, b = one.upper(), other.upper()
    return _ALIASES.get(a, a) == _ALIASES.get(b, b)


def _labelled(channels: Sequence[Channel], eeg: Sequence[int], wanted: str) -> Montage | None:
    """The channel with just this label, but for spaces and case."""
    for k in eeg:
        if channels[k].label.replace(" ", "").casefold() == wanted.casefold():
            return Montage(wanted, ((k, 1),))
    return None


def _wanted(names: dict[int, tuple[str, str]], wanted: str) -> Montage | None:
    active, _, other = wanted.partition("-")
    for k, (first, second) in names.items():
        if _same(first, active) and _same(second, other):
            return Montage(wanted, ((k, 1),))
        if other and _same(first, other) and _same(second, active):
            return Montage(wanted, ((k, -1),))
    if other:
        return _difference(names, active, other)
    return next(
        (Montage(_name(name), ((k, 1),)) for k, name in names.items() if _same(name[0], active)), None
    )


def _midline(names: dict[int, tuple[str, str]]) -> Montage | None:
    bipolar = [k for k, (active, other) in names.items() if _same(active, "Oz") and other]
    # Against Fz before any other reference.
    bipolar.sort(key=lambda k: not _same(names[k][1], "Fz"))
    if bipolar:
        return Montage(_name(names[bipolar[0]]), ((bipolar[0], 1),))
    single = next((k for k, (active, _) in names.items() if _same(active, "Oz")), None)
    if single is None:
        return None
    return _difference(names, "Oz", "Fz") or Montage("Oz", ((single, 1),))


def _difference(names: dict[int, tuple[str, str]], active: str, other: str) -> Montage | None:
    """Two channels against one common reference."""
    for k, (first, reference) in names.items():
        for m, (second, same) in names.items():
            if _same(first, active) and _same(second, other) and reference.upper() == same.upper():
                return Montage(f"{active}-{other}", ((k, 1), (m, -1)))
    return None


def _name(parts: tuple[str, str]) -> str:
    return "-".join(part for part in parts if part)
