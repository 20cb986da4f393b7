"""A radiofrequency pulse that saturates the bound pool: envelope, power, what it does to free water."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number

FloatArray = NDArray[np.float64]

SHAPES = ("gaussian", "gausshann", "hard", "sinc", "sinchann", "sincgauss", "fermi")
_POINTS = 4001
_STEPS_PER_TURN = 40
_FEWEST_STEPS = 1000
# Durations of a pulse over those of its parts that put its ends 60 dB below its middle (Bernstein 2004, ch.
# 4).
_FERMI_60_DB = 33.81
_FERMI_FLAT = 13.81


@dataclass(frozen=True, eq=True)
class Pulse:
    """A pulse far from the resonance of water.

    Parameters
    ----------
    angle_deg
        Flip angle on resonance: the area of the envelope.
    duration_ms, offset_hz
        Length; distance from water.
    shape
        ``"gaussian"``, ``"gausshann"`` (Gaussian under a Hann window), ``"hard"``, ``"sinc"``,
        ``"sinchann"``, ``"sincgauss"`` or ``"fermi"``.
    bandwidth_hz
        Full width at half maximum of the spectrum of the Gaussian, for the shapes that have one.
    lobes
        Time-bandwidth product of the sinc, for the shapes that have one.

    Raises
    ------
    InputError
        For a shape that is not known or a number that cannot be.

    Examples
    --------
    >>> pulse = Pulse(500, duration_ms=9, offset_hz=2000)
    >>> round(pulse.rms_rad_per_s)
    1265
    """

    angle_deg: float
    duration_ms: float
    offset_hz: float
    shape: str = "gaussian"
    bandwidth_hz: float = 250.0
    lobes: float = 4.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            fix = did_you_mean(str(self.shape), SHAPES)
            raise InputError("", "shape of the MT pulse", repr(self.shape), ", ".join(SHAPES), fix)
        check_number("angle_deg of the MT pulse", self.angle_deg, least=0, most=10_000)
        expected = "a duration in milliseconds, 0.1 to 1000"
        check_number(
            "duration_ms of the MT pulse",
            self.duration_ms,
            least=0.1,
            most=1000,
            expected=expected,
            fix="give it in milliseconds",
        )
        check_number("offset_hz of the MT pulse", self.offset_hz, least=-1e6, most=1e6)
        check_number("bandwidth_hz of the MT pulse", self.bandwidth_hz, above=0)
        check_number("lobes of the MT pulse", self.lobes, above=0)

    def scaled(self, b1: float) -> Pulse:
        """The pulse where the transmitted field is `b1` times the nominal one."""
        return replace(self, angle_deg=self.angle_deg * b1)

    def envelope(self, time_ms: ArrayLike) -> FloatArray:
        """The envelope at times from its start, 1 at its middle; 0 outside."""
        t = np.asarray(time_ms, np.float64)
        away = t - self.duration_ms / 2
        value = np.ones_like(t)
        if self.shape in ("gaussian", "gausshann", "sincgauss"):
            # Width in time and bandwidth of a Gaussian (Bernstein 2004, eq. 4.12).
            value = value * np.exp(-((math.pi * self.bandwidth_hz * away * 1e-3) ** 2) / (4 * math.log(2)))
        if self.shape in ("sinc", "sinchann", "sincgauss"):
            value = value * np.sinc(self.lobes * away / self.duration_ms)
        if self.shape in ("gausshann", "sinchann"):
            value = value * (0.5 - 0.5 * np.cos(2 * np.pi * t / self.duration_ms))
        if self.shape == "fermi":
            edge = self.duration_ms / _FERMI_60_DB
            value = 1 / (1 + np.exp((np.abs(away) - (self.duration_ms - _FERMI_FLAT * edge) / 2) / edge))
        return np.where((t >= 0) & (t <= self.duration_ms), value, 0.0)

    @cached_property
    def _sampled(self) -> tuple[FloatArray, float, float]:
        """Times in s, the amplitude at the middle in rad/s, and the integral of the squared amplitude."""
        time_ms = np.linspace(0, self.duration_ms, _POINTS)
        shape, time_s = self.envelope(time_ms), time_ms * 1e-3
        peak = math.radians(self.angle_deg) / _simpson(shape, time_s)
        return time_s, peak, peak**2 * _simpson(shape**2, time_s)

    @property
    def peak_rad_per_s(self) -> float:
        """Amplitude at the middle."""
        return self._sampled[1]

    @property
    def power(self) -> float:
        """Integral of the squared amplitude, rad2/s."""
        return self._sampled[2]

    @property
    def rms_rad_per_s(self) -> float:
        """Root mean square of the amplitude over the pulse."""
        return math.sqrt(self.power / (self.duration_ms * 1e-3))

    @cached_property
    def width_ms(self) -> float:
        """Full width at half maximum of the squared envelope: the rectangle that stands for the pulse."""
        if self.shape == "hard":
            return self.duration_ms
        from scipy.optimize import brentq

        middle = self.duration_ms / 2
        half = brentq(lambda t: float(self.envelope(t)) ** 2 - 0.5, 0, middle, xtol=1e-12)
        return 2 * (middle - half)

    def left_of_water(self, t2_free_s: ArrayLike, b1: ArrayLike = 1.0) -> FloatArray:
        """Part of the free pool's longitudinal magnetisation that the pulse leaves: the direct effect.

        Bloch's equations without exchange and recovery, from equilibrium, as in Sled and Pike 2000
        (10.1006/jmre.2000.2059).

        Parameters
        ----------
        t2_free_s
            Transverse relaxation time of the free pool. Broadcast against `b1`.
        b1
            Transmitted field, 1 where it is nominal.

        Returns
        -------
        NDArray
            1 for a pulse that does not touch water; accurate to 1e-7.
        """
        t2, scale = np.broadcast_arrays(np.asarray(t2_free_s, np.float64), np.asarray(b1, np.float64))
        steps = max(_FEWEST_STEPS, math.ceil(_STEPS_PER_TURN * abs(self.offset_hz) * self.duration_ms * 1e-3))
        shape = self.peak_rad_per_s * self.envelope(np.linspace(0, self.duration_ms, 2 * steps + 1))
        out = np.empty(t2.shape)
        _precess(
            shape,
            self.duration_ms * 1e-3 / steps,
            2 * np.pi * self.offset_hz,
            t2.ravel(),
            scale.ravel(),
            out.reshape(-1),
        )
        return out


def _simpson(values: FloatArray, time_s: FloatArray) -> float:
    step = time_s[1] - time_s[0]
    return float(step / 3 * (values[0] + values[-1] + 4 * values[1:-1:2].sum() + 2 * values[2:-1:2].sum()))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _precess(
    shape: FloatArray, step: float, turn: float, t2: FloatArray, scale: FloatArray, out: FloatArray
) -> None:
    """Runge and Kutta's fourth order, for each pair of T2 and scale. `shape` stands at half steps."""
    for k in range(len(t2)):
        rate, b1 = 1 / t2[k], scale[k]
        x, y, z = 0.0, 0.0, 1.0
        for i in range(len(shape) // 2):
            w0, w1, w2 = b1 * shape[2 * i], b1 * shape[2 * i + 1], b1 * shape[2 * i + 2]
            ax, ay, az = -rate * x - turn * y, -rate * y + turn * x + w0 * z, -w0 * y
            h = step / 2
            px, py, pz = x + h * ax, y + h * ay, z + h * az
            bx, by, bz = -rate * px - turn * py, -rate * py + turn * px + w1 * pz, -w1 * py
            px, py, pz = x + h * bx, y + h * by, z + h * bz
            cx, cy, cz = -rate * px - turn * py, -rate * py + turn * px + w1 * pz, -w1 * py
            px, py, pz = x + step * cx, y + step * cy, z + step * cz
            dx, dy, dz = -rate * px - turn * py, -rate * py + turn * px + w2 * pz, -w2 * py
            x += step / 6 * (ax + 2 * (bx + cx) + dx)
            y += step / 6 * (ay + 2 * (by + cy) + dy)
            z += step / 6 * (az + 2 * (bz + cz) + dz)
        out[k] = z
