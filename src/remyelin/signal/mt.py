"""Magnetisation transfer: the signals of a tissue, and the MTR, MTsat and T1 that they imply."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError
from remyelin.number import shown

from .chebyshev import Interpolant
from .cycle import Cycle, cycle
from .lineshape import lineshape_s
from .sequence import Sequence
from .steady_state import free_steady_state
from .tissue import Tissue
from .voxels import Voxels

FloatArray = NDArray[np.float64]

# Voxels worked on at once, so that what they need stays small.
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class MTSignals:
    """Signals without noise; 1 is normal-appearing white matter's water at rest, turned by 90 degrees.

    Parameters
    ----------
    off, on
        Without and with the MT pulse.
    t1w
        T1-weighted, without MT pulse.
    """

    off: FloatArray
    on: FloatArray
    t1w: FloatArray


@dataclass(frozen=True, slots=True)
class MTValues:
    """What is read from signals by the formulas of measurement, with nominal flip angles.

    Parameters
    ----------
    mtr_pu
        100 (off - on) / off.
    mtsat_pu, t1_s
        Helms 2008, 10.1002/mrm.21732: saturation by one MT pulse, and apparent T1.
    """

    mtr_pu: FloatArray
    mtsat_pu: FloatArray
    t1_s: FloatArray


def mt_signals(
    tissue: Tissue,
    sequence: Sequence | None = None,
    *,
    b1: ArrayLike = 1.0,
    model: str = "sled-pike",
    lineshape: str = "super-lorentzian",
) -> MTSignals:
    """The steady-state signals of a tissue.

    Parameters
    ----------
    tissue
        One value, or arrays of voxels or lesions.
    sequence
        The virtual scanner's by default.
    b1
        Transmitted field, 1 where it is nominal: scales the MT pulse and the excitation. Broadcast with the
        tissue.
    model
        How the MT pulse is simplified: ``"sled-pike"`` (a rectangle of the same power, its direct effect on
        water at once; 10.1006/jmre.2000.2059), ``"sled-pike-cw"`` (a continuous wave of the same power, no
        excitation), ``"yarnykh"`` (true timing, direct effect of a Lorentzian; 10.1002/mrm.23224) or
        ``"ramani"`` (continuous wave, direct effect of a Lorentzian, no excitation;
        10.1016/S0730-725X(02)00598-2). `bloch_signals` simplifies nothing, and is slow.
    lineshape
        Of the bound pool, see `lineshape_s`.

    Raises
    ------
    InputError
        For another model or lineshape, a field that cannot be, or shapes that do not broadcast.

    Examples
    --------
    >>> from remyelin.signal import Tissue, mt_signals
    >>> found = mt_signals(Tissue(bound_fraction=0.069, t1_s=0.58))
    >>> print(f"{found.off:.4f} {found.on:.4f} {found.t1w:.4f}")
    0.0817 0.0573 0.1230
    """
    sequence = Sequence.given(sequence)
    parts = cycle(sequence, model)
    voxels = Voxels.of(tissue, b1)
    if not voxels.b1.size:
        return MTSignals(*(np.empty(voxels.shape) for _ in range(3)))
    pulse = sequence.pulse
    bound = Interpolant(lambda t2: lineshape_s(pulse.offset_hz, t2, lineshape), voxels.t2_bound_us)
    left = Interpolant(pulse.left_of_water, voxels.t2_free_s, voxels.b1) if parts.at_once else None
    out = np.empty((3, voxels.b1.size))
    for start in range(0, voxels.b1.size, _AT_ONCE):
        some = voxels.part(slice(start, start + _AT_ONCE))
        squared = pulse.power / parts.acts_s * some.b1**2
        loss = np.pi * squared * bound(some.t2_bound_us)
        if left is None:
            direct, kept = _lorentzian(squared, pulse.offset_hz, some.t2_free_s), np.ones_like(squared)
        else:
            direct, kept = np.zeros_like(squared), left(some.t2_free_s, some.b1)
        _fill(some, sequence, parts, (kept, direct, loss), out[:, start : start + _AT_ONCE])
    off, on, t1w = (row.reshape(voxels.shape) for row in out)
    return MTSignals(off, on, t1w)


def mt_values(signals: MTSignals, sequence: Sequence | None = None) -> MTValues:
    """MTR, MTsat and apparent T1 as they would be measured from noiseless signals, B1 not known.

    Parameters
    ----------
    signals
        From `mt_signals` or `bloch_signals`.
    sequence
        The one that made them.

    Examples
    --------
    >>> from remyelin.signal import mt_signals, mt_values, white_matter
    >>> found = mt_values(mt_signals(white_matter([1.0, 0.0])))
    >>> found.mtr_pu.round(1), found.mtsat_pu.round(2), found.t1_s.round(2)
    (array([29.8, 23.4]), array([2.51, 0.93]), array([0.54, 1.13]))
    """
    if not isinstance(signals, MTSignals):
        raise InputError("", "signals", shown(signals), "MTSignals", "give what mt_signals answers")
    sequence = Sequence.given(sequence)
    low, high = np.radians(sequence.flip_deg), np.radians(sequence.t1w_flip_deg)
    tr, short = sequence.tr_ms * 1e-3, sequence.t1w_tr_ms * 1e-3
    pd, t1 = signals.off, signals.t1w
    r1 = (t1 * high / short - pd * low / tr) / (2 * (pd / low - t1 / high))
    amplitude = pd * t1 * (tr * high / low - short * low / high) / (t1 * tr * high - pd * short * low)
    saturation = (amplitude * low / signals.on - 1) * r1 * tr - low**2 / 2
    return MTValues(mtr_pu=100 * (1 - signals.on / pd), mtsat_pu=100 * saturation, t1_s=1 / r1)


def mtr_pu(
    tissue: Tissue,
    sequence: Sequence | None = None,
    *,
    b1: ArrayLike = 1.0,
    model: str = "sled-pike",
    lineshape: str = "super-lorentzian",
) -> FloatArray:
    """The magnetisation transfer ratio of a tissue, 100 (off - on) / off, in percent units.

    Parameters as in `mt_signals`.

    Examples
    --------
    >>> from remyelin.signal import mtr_pu, white_matter
    >>> mtr_pu(white_matter([1.0, 0.36, 0.0])).round(1)
    array([29.8, 26.7, 23.4])
    >>> mtr_pu(white_matter([1.0, 0.36, 0.0]), b1=0.9).round(1)
    array([27. , 24.2, 21.2])
    """
    found = mt_signals(tissue, sequence, b1=b1, model=model, lineshape=lineshape)
    return np.asarray(100 * (1 - found.on / found.off))


def _fill(
    voxels: Voxels,
    sequence: Sequence,
    parts: Cycle,
    losses: tuple[FloatArray, FloatArray, FloatArray],
    out: FloatArray,
) -> None:
    """Signals without MT pulse, with it and T1-weighted into the rows of `out`."""
    kept, direct, loss = losses
    pools = (voxels.ratio, voxels.free_r1, voxels.bound_r1, voxels.exchange)
    flip, high = (np.radians(angle) * voxels.b1 for angle in (sequence.flip_deg, sequence.t1w_flip_deg))
    turned = np.cos(flip) if parts.excites else np.ones_like(flip)
    never, whole = (False, False, False), (sequence.t1w_tr_ms * 1e-3, 0.0, 0.0)
    free_steady_state(*pools, turned, direct, loss, parts.durations_s, never, out[0])
    free_steady_state(*pools, kept * turned, direct, loss, parts.durations_s, parts.saturated, out[1])
    free_steady_state(*pools, np.cos(high), direct, loss, whole, never, out[2])
    out *= voxels.water
    out[0] *= np.sin(flip)
    out[1] *= np.sin(flip) * kept
    out[2] *= np.sin(high)


def _lorentzian(squared: FloatArray, offset_hz: float, t2_free_s: FloatArray) -> FloatArray:
    """Rate of direct saturation far from the middle of a Lorentzian (Ramani 2002, eq. 4)."""
    return np.asarray(squared / ((2 * np.pi * offset_hz) ** 2 * t2_free_s))
