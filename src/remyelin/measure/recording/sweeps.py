"""Sweeps: what a recording holds of one eye and one stimulus, cut at its reversals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from remyelin.errors import Flag

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a recording was made. None, or an empty word, where nobody stated it.

    Parameters
    ----------
    montage
        Active less reference, `Oz-Fz`.
    high_pass_hz, low_pass_hz, notch_hz
        Filters of the amplifier and of the export; a notch of 0 is a stated absence.
    display
        Kind or model of the stimulator's display.
    display_delay_ms
        From the trigger to the light on the screen.
    luminance_cd_per_m2, contrast_percent, field_deg
        Mean luminance, Michelson contrast, the smaller side of the stimulated field.
    reversal_rate_hz
        As measured from the events, not as stated.
    """

    montage: str = ""
    high_pass_hz: float | None = None
    low_pass_hz: float | None = None
    notch_hz: float | None = None
    display: str = ""
    display_delay_ms: float | None = None
    luminance_cd_per_m2: float | None = None
    contrast_percent: float | None = None
    field_deg: float | None = None
    reversal_rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Sweeps:
    """The sweeps of one eye, one check size and one replicate.

    Parameters
    ----------
    file
        The recording, relative to the dataset.
    eye
        ``"OD"`` or ``"OS"``.
    check_arcmin
        Check size; None where nobody stated it.
    run
        Replicate, as in the name of the file; empty where it is the only one.
    sweeps_uv
        (sweep, sample) those not rejected. An averaged export has one row, its average, and `averaged` says
        of how many sweeps (0 where that is not stated).
    sfreq_hz
        Samples a second.
    start_ms
        Time of the first sample after the light reached the eye: the display delay is taken off.
    rejected
        How many sweeps were rejected, by reason.
    setup
        How it was recorded.
    sector
        Of a multifocal recording, the sector; empty for the full field.
    flags
        What is doubtful about the recording.
    """

    file: str
    eye: str
    check_arcmin: float | None
    run: str
    sweeps_uv: FloatArray
    sfreq_hz: float
    start_ms: float
    rejected: Mapping[str, int] = field(default_factory=dict)
    setup: Setup = field(default_factory=Setup)
    sector: str = ""
    averaged: int | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def condition(self) -> str:
        """The stimulus as it stands in the column `condition` of measurements: `check=60`; empty if unknown.

        Examples
        --------
        >>> Sweeps("a.edf", "OD", 60.0, "1", np.zeros((2, 3)), 1000.0, 0.0).condition
        'check=60'
        """
        parts = [] if self.check_arcmin is None else [f"check={self.check_arcmin:g}"]
        return ";".join([*parts, *([f"sector={self.sector}"] if self.sector else [])])
