"""What tissue shows on MT-off, MT-on and T1-weighted images: tables of `signal.mt_signals`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .waves import FloatArray

NAMES = ("mt-off", "mt-on", "t1w")
_BOUND = np.linspace(0.0005, 0.1605, 81)
_B1 = np.linspace(0.6, 1.4, 33)
_NOMINAL = 16  # position of 1 in _B1
_RIM_PU = 1.0  # from the core of a lesion to its surface
# Grey matter, fluid and scalp: bound fraction, T1 in s, water, T2 of free water in s. Of a phantom, not
# evidence: they make borders between tissues, and no number is read from them.
_OTHER = ((0.031, 1.05, 1.17, 0.060), (1e-4, 4.0, 1.43, 1.0), (0.004, 0.35, 1.0, 0.050))


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Signal of tissues against bound fraction and transmit field; white matter is 1 on the MT-off image.

    Parameters
    ----------
    bound, b1
        (n,) and (m,) the even axes of the tables.
    white
        (contrast, n, m) white matter and lesions, by their bound fraction.
    other
        (3, contrast, m) grey matter, fluid and scalp.
    white_bound
        Bound fraction of normal white matter.
    """

    bound: FloatArray
    b1: FloatArray
    white: FloatArray
    other: FloatArray
    white_bound: float

    @property
    def axes(self) -> FloatArray:
        """(2, 2) first value and step, of `bound` and of `b1`."""
        return np.array([[axis[0], axis[1] - axis[0]] for axis in (self.bound, self.b1)])

    @property
    def mtr_pu(self) -> FloatArray:
        """(n,) MTR along `bound` at the nominal field."""
        off, on = self.white[:2, :, _NOMINAL]
        return np.asarray(100 * (1 - on / off))

    @property
    def white_mtr_pu(self) -> float:
        """MTR of normal white matter, pu."""
        return float(np.interp(self.white_bound, self.bound, self.mtr_pu))

    def rim_of(self, bound: FloatArray) -> FloatArray:
        """How much the bound fraction of lesions rises from core to surface, for 1 pu of MTR."""
        return np.asarray(_RIM_PU / np.interp(bound, self.bound, np.gradient(self.mtr_pu, self.bound)))

    def bound_of(self, mtr_pu: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The bound fraction of white matter that shows this MTR at the nominal field, and that MTR.

        The second is the argument, held within what the sequence can show.

        Examples
        --------
        >>> bound, seen = contrasts().bound_of(np.array([24.2, 99.0]))
        >>> [round(float(x), 3) for x in bound], [round(float(x)) for x in seen]
        ([0.028, 0.161], [24, 50])
        """
        line = self.mtr_pu
        seen = np.clip(mtr_pu, line[0], line[-1])
        return np.interp(seen, line, self.bound), seen


@cache
def contrasts() -> Contrasts:
    """The tables of the virtual scanner's sequence, once a process. Treat them as read-only.

    Notes
    -----
    Bound fraction, T1 and T2 of white matter lie on the line of `signal.white_matter` from nothing to whole;
    beyond that only the bound fraction goes on rising: so lesions can be shown that published means and SDs
    put above normal white matter.

    Examples
    --------
    >>> tables = contrasts()
    >>> tables.white.shape, round(tables.white_mtr_pu, 1)
    ((3, 81, 33), 29.9)
    """
    from remyelin.signal import Tissue, mt_signals, white_matter

    ends = white_matter(np.array([0.0, 1.0]))
    ratio = _BOUND / (1 - _BOUND)
    part = np.minimum((ratio - ends.bound_ratio[0]) / np.ptp(ends.bound_ratio), 1)[:, None]
    r1, t2 = (first + part * (last - first) for first, last in (ends.free_r1_per_s, ends.t2_free_s))
    line = Tissue.of_ratio(ratio[:, None], free_r1_per_s=r1, t2_free_s=t2)
    fraction, t1, water, t2_free = np.array(_OTHER).T[..., None]
    parts = (mt_signals(tissue, b1=_B1) for tissue in (line, Tissue(fraction, t1, water, t2_free)))
    white, other = (np.stack([signals.off, signals.on, signals.t1w]) for signals in parts)
    whole = float(ends.bound_fraction[1])
    unit = np.interp(whole, _BOUND, white[0, :, _NOMINAL])
    return Contrasts(_BOUND, _B1, white / unit, np.moveaxis(other, 1, 0) / unit, whole)
