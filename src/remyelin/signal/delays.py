"""Delays of a nerve in five numbers, where its axons are not known one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from remyelin.errors import InputError
from remyelin.number import check_number
from remyelin.signal.grid import ComplexArray, angular_per_ms, shifted


@dataclass(frozen=True, slots=True)
class Delays:
    """What a lesion does to the messages of a nerve, in units of cortical drive rather than of axons.

    The delay of what conducts is gamma distributed: never below 0, skewed to the late side. A part of it may
    be later still, by the same time each: two groups of axons give a response with two humps.

    Parameters
    ----------
    mean_ms, sd_ms
        Mean and SD of the delay that the lesion adds, of the axons that are not in the late group.
    conducting
        Part of the drive that arrives, 0 to 1; the rest is blocked or its axons are gone.
    late_share, late_ms
        Part of what conducts that is in the late group, and how much later that is.

    Raises
    ------
    InputError
        If a number cannot be.

    Examples
    --------
    >>> Delays(mean_ms=20, sd_ms=4, conducting=0.8)
    Delays(mean_ms=20, sd_ms=4, conducting=0.8, late_share=0.0, late_ms=0.0)
    >>> Delays(mean_ms=10, late_share=0.4, late_ms=30).total_mean_ms
    22.0
    """

    mean_ms: float = 0.0
    sd_ms: float = 0.0
    conducting: float = 1.0
    late_share: float = 0.0
    late_ms: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mean_ms", "sd_ms", "late_ms"):
            check_number(name, getattr(self, name), least=0, most=200)
        for name in ("conducting", "late_share"):
            check_number(name, getattr(self, name), least=0, most=1)
        if self.sd_ms > 0 and not self.mean_ms > 0:
            raise InputError(
                "", "sd_ms", f"{self.sd_ms:g} about a mean of 0", "a mean_ms above 0", "give the mean too"
            )

    @property
    def total_mean_ms(self) -> float:
        """Mean delay of all that conducts, the late group too."""
        return self.mean_ms + self.late_share * self.late_ms

    def spectrum(self) -> ComplexArray:
        """Fourier transform of the density of delays; its value at frequency 0 is `conducting`."""
        if self.sd_ms > 1e-3 * self.mean_ms:  # else no wider than a point
            scale = self.sd_ms**2 / self.mean_ms
            early = (1 + 1j * angular_per_ms() * scale) ** (-((self.mean_ms / self.sd_ms) ** 2))
        else:
            early = shifted(self.mean_ms)
        late = self.late_share * shifted(self.late_ms)
        return np.asarray(self.conducting * early * (1 - self.late_share + late))
