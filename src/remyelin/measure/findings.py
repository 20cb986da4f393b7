"""What was found wrong, and with whose recordings."""

from __future__ import annotations

from dataclasses import dataclass

from remyelin.errors import Flag, InputError


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that cannot be measured. An empty `visit` means the participant, both empty the dataset."""

    participant: str
    visit: str
    error: InputError


@dataclass(frozen=True, slots=True)
class Finding:
    """A flag and whose measurements it travels with; empty fields as in `Failure`."""

    participant: str
    visit: str
    flag: Flag
