"""A continuous recording: channels as they were stored, and the marks beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from remyelin.errors import Flag

FloatArray = npt.NDArray[np.float64]


class Filters(NamedTuple):
    """Cut-off frequencies in Hz; None where nobody stated one, 0 for a stated absence."""

    high_pass_hz: float | None = None
    low_pass_hz: float | None = None
    notch_hz: float | None = None

    def after(self, other: Filters) -> Filters:
        """This filter and another in series: the narrower band, and either notch.

        Examples
        --------
        >>> Filters(0.1, 100.0).after(Filters(1.0))
        Filters(high_pass_hz=1.0, low_pass_hz=100.0, notch_hz=None)
        """
        pairs = list(zip(self, other, strict=True))
        stated = [[value for value in pair if value is not None] for pair in pairs]
        high, low, notch = stated
        return Filters(*(max(high, default=None), min(low, default=None), max(notch, default=None)))


class Mark(NamedTuple):
    """An annotation in the file: seconds after the first sample, seconds that it lasts, text."""

    onset_s: float
    duration_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel.

    Parameters
    ----------
    label
        As in the header.
    unit
        As in the header; empty if it states none.
    sfreq_hz
        Samples a second.
    limits
        The least and the largest number that the file can hold of it, in `unit`; None if not known.
    filters
        What the header tells.
    kind
        `EEG`, `EOG`, `STIM`, ... where the format knows; empty where it does not.
    """

    label: str
    unit: str
    sfreq_hz: float
    limits: tuple[float, float] | None = None
    filters: Filters = field(default_factory=Filters)
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Continuous:
    """What a file of a recording holds.

    Parameters
    ----------
    file
        Relative to the dataset, for messages.
    channels
        All but annotations.
    read
        Gives the samples of the channel with an index, in the unit of its header.
    duration_s
        Length of what can be read.
    marks
        Annotations, by onset.
    stated_s
        Length that the header promises, where that is known; more than `duration_s` if data are missing.
    lost
        Of a truncated file, how much is there, in words; empty for a whole one.
    flags
        What is doubtful about the file.
    """

    file: str
    channels: tuple[Channel, ...]
    read: Callable[[int], FloatArray]
    duration_s: float
    marks: tuple[Mark, ...] = ()
    stated_s: float | None = None
    lost: str = ""
    flags: tuple[Flag, ...] = ()
