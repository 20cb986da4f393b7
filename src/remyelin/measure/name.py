"""A BIDS file name: entities, suffix, extension."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PATTERN = re.compile(r"((?:[A-Za-z]+-[A-Za-z0-9+]+_)*)([A-Za-z0-9]+)(\.[A-Za-z0-9.]+)")


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a BIDS file name; entities in the order in which they stand."""

    entities: Mapping[str, str]
    suffix: str
    extension: str

    def without(self, *keys: str) -> frozenset[tuple[str, str]]:
        """The entities but for `keys`, to compare names by."""
        return frozenset((key, value) for key, value in self.entities.items() if key not in keys)


def parse(text: str) -> Name | None:
    """The parts of a file name; None if it is not a BIDS name.

    Examples
    --------
    >>> name = parse("sub-01_ses-M00_mt-on_MTR.nii.gz")
    >>> name.entities["mt"], name.suffix, name.extension
    ('on', 'MTR', '.nii.gz')
    >>> parse("notes (1).txt") is None
    True
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    parts = [part.split("-") for part in match[1].split("_")[:-1]]
    return Name(dict(parts), match[2], match[3])


def natural(label: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A key that sorts labels as people do: numbers by their value.

    Examples
    --------
    >>> sorted(["M12", "M2", "M06"], key=natural)
    ['M2', 'M06', 'M12']
    """
    parts = [part for part in re.split(r"(\d+)", label) if part]
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts), label
