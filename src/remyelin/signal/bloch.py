"""Two pools under the true shapes of all pulses: what the closed forms of `mt_signals` simplify."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from remyelin.number import check_number

from .lineshape import lineshape_s
from .mt import MTSignals
from .pulse import Pulse
from .sequence import Sequence
from .steady_state import relaxed
from .tissue import Tissue
from .voxels import Voxels

FloatArray = NDArray[np.float64]
# Bound over free protons, R1 of both, from bound to free, R2 of the free pool.
Rates = tuple[float, float, float, float, float]

_STEPS_PER_TURN = 40
_FEWEST_STEPS = 400


def bloch_signals(
    tissue: Tissue,
    sequence: Sequence | None = None,
    *,
    b1: ArrayLike = 1.0,
    lineshape: str = "super-lorentzian",
    repetitions: int | None = None,
    excitation_saturates: bool = True,
) -> MTSignals:
    """The signals of a tissue by Bloch's equations with exchange, all pulses in their shapes.

    The free pool has three components, the bound pool its longitudinal one, saturated at pi times the squared
    amplitude of the pulse times the lineshape. What is transverse is spoiled before each pulse. The
    excitation is a sinc of four zeros. A few ms a voxel: for single values, and to measure what
    `mt_signals` leaves out.

    Parameters
    ----------
    tissue, sequence, b1, lineshape
        As `mt_signals`.
    repetitions
        How many, from rest, up to the one that is read; None: the steady state.
    excitation_saturates
        Whether the excitation, on resonance, saturates the bound pool too.

    Raises
    ------
    InputError
        As `mt_signals`; for an excitation of no length, or less than one repetition.

    Examples
    --------
    >>> from remyelin.signal import Tissue, bloch_signals, mt_signals
    >>> tissue = Tissue(bound_fraction=0.069, t1_s=0.58)
    >>> for found in (bloch_signals(tissue), mt_signals(tissue)):
    ...     print(f"{100 * (1 - found.on / found.off):.2f} pu")
    29.80 pu
    29.84 pu
    """
    sequence = Sequence.given(sequence)
    check_number("excitation_ms", sequence.excitation_ms, above=0, fix="give the excitation its length")
    if repetitions is not None:
        check_number("repetitions", repetitions, least=1, whole=True)
    voxels = Voxels.of(tissue, b1)
    out = np.empty((3, voxels.b1.size))
    bound = lineshape_s(sequence.pulse.offset_hz, voxels.t2_bound_us, lineshape)
    resonant = lineshape_s(0.0, voxels.t2_bound_us, lineshape) * float(excitation_saturates)
    pools = (voxels.ratio, voxels.free_r1, voxels.bound_r1, voxels.exchange, voxels.t2_free_s)
    count = -1 if repetitions is None else repetitions
    weak, strong = (_excitation(sequence, angle) for angle in (sequence.flip_deg, sequence.t1w_flip_deg))
    gap, rest = sequence.gap_ms * 1e-3, sequence.rest_ms * 1e-3
    short = (sequence.t1w_tr_ms - sequence.excitation_ms) * 1e-3
    nothing = np.zeros(0)
    for row, pulse, excitation, before, after in (
        (0, (nothing, 0.0, 0.0), weak, gap + sequence.pulse.duration_ms * 1e-3, rest),
        (1, _sampled(sequence.pulse), weak, gap, rest),
        (2, (nothing, 0.0, 0.0), strong, 0.0, short),
    ):
        _repeat(*pools, bound, resonant, voxels.b1, pulse, excitation, before, after, count, out[row])
    out *= voxels.water
    for row, angle in enumerate((sequence.flip_deg, sequence.flip_deg, sequence.t1w_flip_deg)):
        out[row] *= np.sin(np.radians(angle) * voxels.b1)
    off, on, t1w = (one.reshape(voxels.shape) for one in out)
    return MTSignals(off, on, t1w)


def _excitation(sequence: Sequence, angle_deg: float) -> tuple[FloatArray, float, float]:
    return _sampled(Pulse(angle_deg, sequence.excitation_ms, 0.0, "sinc"))


def _sampled(pulse: Pulse) -> tuple[FloatArray, float, float]:
    """Amplitude at half steps in rad/s, duration in s, offset in rad/s."""
    seconds = pulse.duration_ms * 1e-3
    steps = max(_FEWEST_STEPS, math.ceil(_STEPS_PER_TURN * abs(pulse.offset_hz) * seconds))
    amplitude = pulse.peak_rad_per_s * pulse.envelope(np.linspace(0, pulse.duration_ms, 2 * steps + 1))
    return amplitude, seconds, 2 * math.pi * pulse.offset_hz


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _slope(
    x: float, y: float, z: float, bound: float, rates: Rates, amplitude: float, turn: float, absorbed: float
) -> tuple[float, float, float, float]:
    """Of the free pool's three components and the bound pool's one, which are (0, 0, 1, ratio) at rest."""
    ratio, r1, r1_bound, back, r2 = rates
    there = back * ratio
    return (
        -r2 * x - turn * y,
        -r2 * y + turn * x + amplitude * z,
        r1 * (1 - z) - there * z + back * bound - amplitude * y,
        r1_bound * (ratio - bound) + there * z - back * bound - math.pi * absorbed * amplitude**2 * bound,
    )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pulsed(
    free: float,
    bound: float,
    rates: Rates,
    pulse: tuple[FloatArray, float, float],
    b1: float,
    absorbed: float,
) -> tuple[float, float]:
    """What a pulse leaves, by Runge and Kutta's fourth order; what was transverse is spoiled before it."""
    amplitude, seconds, turn = pulse
    steps = len(amplitude) // 2
    if steps == 0:
        return free, bound
    h = seconds / steps
    x, y, z, m = 0.0, 0.0, free, bound
    for i in range(steps):
        w0, w1, w2 = b1 * amplitude[2 * i], b1 * amplitude[2 * i + 1], b1 * amplitude[2 * i + 2]
        ax, ay, az, am = _slope(x, y, z, m, rates, w0, turn, absorbed)
        s = h / 2
        bx, by, bz, bm = _slope(x + s * ax, y + s * ay, z + s * az, m + s * am, rates, w1, turn, absorbed)
        cx, cy, cz, cm = _slope(x + s * bx, y + s * by, z + s * bz, m + s * bm, rates, w1, turn, absorbed)
        dx, dy, dz, dm = _slope(x + h * cx, y + h * cy, z + h * cz, m + h * cm, rates, w2, turn, absorbed)
        x += h / 6 * (ax + 2 * (bx + cx) + dx)
        y += h / 6 * (ay + 2 * (by + cy) + dy)
        z += h / 6 * (az + 2 * (bz + cz) + dz)
        m += h / 6 * (am + 2 * (bm + cm) + dm)
    return z, m


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rested(free: float, bound: float, rates: Rates, seconds: float) -> tuple[float, float]:
    ratio, r1, r1_bound, back, _ = rates
    e11, e12, e21, e22, s1, s2 = relaxed(ratio, r1, r1_bound, back, 0.0, 0.0, seconds)
    d1, d2 = free - s1, bound - s2
    return s1 + e11 * d1 + e12 * d2, s2 + e21 * d1 + e22 * d2


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _repeat(
    ratio: FloatArray,
    free_r1: FloatArray,
    bound_r1: FloatArray,
    exchange: FloatArray,
    t2_free: FloatArray,
    absorbed: FloatArray,
    resonant: FloatArray,
    b1: FloatArray,
    pulse: tuple[FloatArray, float, float],
    excitation: tuple[FloatArray, float, float],
    before: float,
    after: float,
    repetitions: int,
    out: FloatArray,
) -> None:
    """The free pool just before excitation; MT pulse, `before`, excitation and `after` are one affine map."""
    for k in range(len(out)):
        rates = (ratio[k], free_r1[k], bound_r1[k], exchange[k], 1 / t2_free[k])
        # Where three starting points lead give the map: x -> p x + q.
        to = np.empty((3, 2))
        for start in range(3):
            free, bound = 1.0 if start == 1 else 0.0, 1.0 if start == 2 else 0.0
            free, bound = _pulsed(free, bound, rates, excitation, b1[k], resonant[k])
            free, bound = _rested(free, bound, rates, after)
            free, bound = _pulsed(free, bound, rates, pulse, b1[k], absorbed[k])
            to[start, 0], to[start, 1] = _rested(free, bound, rates, before)
        q1, q2 = to[0, 0], to[0, 1]
        p11, p21, p12, p22 = to[1, 0] - q1, to[1, 1] - q2, to[2, 0] - q1, to[2, 1] - q2
        if repetitions < 0:
            out[k] = ((1 - p22) * q1 + p12 * q2) / ((1 - p11) * (1 - p22) - p12 * p21)
            continue
        free, bound = _pulsed(1.0, ratio[k], rates, pulse, b1[k], absorbed[k])
        free, bound = _rested(free, bound, rates, before)
        for _ in range(repetitions - 1):
            free, bound = p11 * free + p12 * bound + q1, p21 * free + p22 * bound + q2
        out[k] = free
