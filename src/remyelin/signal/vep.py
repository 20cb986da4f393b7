"""From the arrivals of an optic nerve to the visual evoked potential, and to sweeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.conduction import Arrivals
from remyelin.errors import InputError
from remyelin.number import check_generator, check_number, shown
from remyelin.signal.cortex import Cortex, drive_of, healthy_mean_ms, healthy_spectrum, kernel_spectrum
from remyelin.signal.delays import Delays
from remyelin.signal.eeg import EegNoise, check_noise
from remyelin.signal.grid import (
    LAST_MS,
    ComplexArray,
    FloatArray,
    angular_per_ms,
    density,
    shifted,
    spectrum,
    times_ms,
    wave,
)
from remyelin.signal.peaks import find_peaks

State = Literal["present", "absent"]
# P100 is looked for so far from where the mean arrival puts it; the late positivity begins beyond.
_WINDOW_MS = 60.0
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class VepResponse:
    """The noiseless response of one eye, with its true peaks: the answer of `vep_response`.

    Attributes
    ----------
    latency_ms
        Time of P100 in the mean response, jitter included; of two humps the time of the higher. NaN where
        there is none.
    amplitude_uv
        From N75 to P100; 0 where there is none.
    n75_ms, n135_ms
        Times of the troughs before and after.
    humps_ms
        Both humps of a bifid response in order of time; otherwise empty.
    state
        ``"absent"`` if nothing arrives, or what arrives is too scattered for a P100; else ``"present"``,
        however small.
    jitter_ms
        SD of the time of a single response.
    """

    latency_ms: float
    amplitude_uv: float
    n75_ms: float
    n135_ms: float
    humps_ms: tuple[float, ...]
    state: State
    jitter_ms: float
    _once: FloatArray = field(repr=False)

    @property
    def bifid(self) -> bool:
        """Whether there are two humps."""
        return bool(self.humps_ms)

    @property
    def time_ms(self) -> FloatArray:
        """(sample,) 0 to 500 ms after the reversal, every 0.5 ms."""
        return times_ms()[times_ms() <= LAST_MS]

    @property
    def uv(self) -> FloatArray:
        """(sample,) the mean response at `time_ms`, jitter included, uV."""
        return wave(spectrum(self._once) * _blurred(self.jitter_ms))[: len(self.time_ms)]

    def moved(self, by_ms: float, *, gain: float = 1.0) -> VepResponse:
        """The same response later by so much (negative: earlier), and so many times as large.

        Every axon arrives later by the same time: exact, for the peaks too.

        Raises
        ------
        InputError
            If it would begin before the reversal or end after the window, or the gain is not above 0.

        Examples
        --------
        >>> before = vep_response(Delays(mean_ms=20))
        >>> round(before.moved(-1.2).latency_ms - before.latency_ms, 6)
        -1.2
        """
        check_number("gain", gain, above=0)
        check_number("by_ms", by_ms, least=-100, most=100)
        if self.state == "present" and not 40 <= self.latency_ms + by_ms <= 350:
            found = f"{by_ms:g}, which puts P100 at {self.latency_ms + by_ms:.0f} ms"
            raise InputError("", "by_ms", found, "P100 at 40 to 350 ms", "move it less")
        return replace(
            self,
            latency_ms=self.latency_ms + by_ms,
            amplitude_uv=self.amplitude_uv * gain,
            n75_ms=self.n75_ms + by_ms,
            n135_ms=self.n135_ms + by_ms,
            humps_ms=tuple(hump + by_ms for hump in self.humps_ms),
            _once=gain * wave(spectrum(self._once) * shifted(by_ms)),
        )

    def recording(
        self,
        n_sweeps: int,
        rng: np.random.Generator,
        *,
        noise: EegNoise | None = None,
        sfreq_hz: float = 1000.0,
        reversal_hz: float = 2.0,
    ) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """A continuous recording of so many reversals.

        Parameters
        ----------
        n_sweeps
            Number of reversals.
        rng
            Draws jitter and noise.
        noise
            By default `EegNoise()`; ``EegNoise(sd_uv=0)`` is none.
        sfreq_hz
            Sampling rate, 200 or more.
        reversal_hz
            Reversals a second, 0.5 to 4.

        Returns
        -------
        tuple
            (sample,) uV, from a second before the first reversal to a second after the last; and (n_sweeps,)
            the samples at which the pattern reverses.

        Raises
        ------
        InputError
            If a number cannot be.
        """
        noise = EegNoise() if noise is None else noise
        check_noise(noise)
        check_generator(rng)
        check_number("n_sweeps", n_sweeps, least=1, whole=True)
        check_number("sfreq_hz", sfreq_hz, least=200, most=50_000)
        check_number("reversal_hz", reversal_hz, least=0.5, most=4)
        onset = np.round(sfreq_hz * (1 + np.arange(n_sweeps) / reversal_hz)).astype(np.int64)
        late = rng.normal(0, self.jitter_ms, n_sweeps)
        uv = noise.draw(int(onset[-1] + sfreq_hz) + 1, sfreq_hz, rng)
        after_ms = np.arange(int(LAST_MS / 1000 * sfreq_hz)) * (1000 / sfreq_hz)
        single = np.interp(after_ms - late[:, None], times_ms(), self._once, left=0.0)
        for start, one in zip(onset, single, strict=True):
            uv[start : start + len(one)] += one
        return uv, onset

    def sweeps(
        self,
        n_sweeps: int,
        rng: np.random.Generator,
        *,
        noise: EegNoise | None = None,
        sfreq_hz: float = 1000.0,
        reversal_hz: float = 2.0,
        start_ms: float = -100.0,
        end_ms: float = 400.0,
    ) -> FloatArray:
        """(n_sweeps, sample) sweeps cut from a `recording`, uV, from `start_ms` to before `end_ms`.

        Raises
        ------
        InputError
            If a number cannot be, or a sweep is not within the second before and after its reversal.

        Examples
        --------
        >>> eye = vep_response(Delays(mean_ms=20, sd_ms=4, conducting=0.7), jitter_ms=2)
        >>> eye.sweeps(100, np.random.default_rng(1)).shape
        (100, 500)
        """
        check_number("start_ms", start_ms, least=-1000, most=0)
        check_number("end_ms", end_ms, above=0, most=1000)
        uv, onset = self.recording(n_sweeps, rng, noise=noise, sfreq_hz=sfreq_hz, reversal_hz=reversal_hz)
        first, last = (round(at * sfreq_hz / 1000) for at in (start_ms, end_ms))
        return np.asarray(uv[onset[:, None] + np.arange(first, last)])


def vep_response(
    arrivals: Arrivals | Delays,
    *,
    retrochiasmal: Delays | float = 0.0,
    cortex: Cortex | None = None,
    jitter_ms: float = 0.0,
) -> VepResponse:
    """The response of the cortex to what an optic nerve brings.

    Arrivals, weighted by the drive of each axon, are convolved with the cortex's kernel: block and lost axons
    take amplitude, delays move the peaks, and scattered delays do both.

    Parameters
    ----------
    arrivals
        Of the optic nerve: of its axons (`conduction.NerveBundle.arrive`), or `Delays` in place of them.
    retrochiasmal
        What lesions behind the chiasm add, for both eyes alike: ms, or `Delays`.
    cortex
        By default that of the mean healthy adult, `Cortex.norm`.
    jitter_ms
        SD of the time of single responses, 0 to 30. No number was seen for P100, so by default there is none.

    Raises
    ------
    InputError
        If a number cannot be.

    Examples
    --------
    >>> healthy = vep_response(Delays())
    >>> round(healthy.latency_ms, 1), round(healthy.amplitude_uv, 1), healthy.state
    (96.9, 10.8, 'present')
    >>> vep_response(Delays(conducting=0)).state
    'absent'
    >>> half_late = vep_response(Delays(mean_ms=10, late_share=0.5, late_ms=35))
    >>> half_late.bifid
    True
    """
    if not isinstance(arrivals, Arrivals | Delays):
        found = f"of type {type(arrivals).__name__}"
        raise InputError("", "arrivals", found, "Arrivals or Delays", "give NerveBundle(...).arrive()")
    if not isinstance(retrochiasmal, Delays):
        check_number("retrochiasmal", retrochiasmal, least=0, most=200, fix="give ms, or Delays")
        retrochiasmal = Delays(mean_ms=retrochiasmal)
    check_number("jitter_ms", jitter_ms, least=0, most=30)
    cortex = Cortex.norm() if cortex is None else cortex
    if not isinstance(cortex, Cortex):
        raise InputError("", "cortex", shown(cortex), "a Cortex", "give Cortex(...), or nothing for the norm")
    volley, mean_ms = _volley(arrivals, cortex.drive)
    once = wave(kernel_spectrum(cortex) * volley * retrochiasmal.spectrum())
    mean = wave(spectrum(once) * _blurred(jitter_ms))
    centre = cortex.p100_ms + mean_ms + retrochiasmal.total_mean_ms
    drive = float((volley[0] * retrochiasmal.spectrum()[0]).real)
    found = find_peaks(mean, centre - _WINDOW_MS, min(centre + _WINDOW_MS, LAST_MS)) if drive > 0 else None
    if found is None:
        return VepResponse(_NAN, 0.0, _NAN, _NAN, (), "absent", jitter_ms, once)
    return VepResponse(
        latency_ms=found.p100_ms,
        amplitude_uv=found.amplitude_uv,
        n75_ms=found.n75_ms,
        n135_ms=found.n135_ms,
        humps_ms=found.humps_ms,
        state="present",
        jitter_ms=jitter_ms,
        _once=once,
    )


def _volley(arrivals: Arrivals | Delays, drive: str) -> tuple[ComplexArray, float]:
    """Spectrum of the drive as it arrives, and how much later its mean is than a healthy nerve's."""
    if isinstance(arrivals, Delays):
        return healthy_spectrum(drive) * arrivals.spectrum(), arrivals.total_mean_ms
    weight = arrivals.axon_survival * drive_of(arrivals.diameter_um, drive)
    arrived = ~arrivals.blocked
    at_ms, weight = arrivals.arrival_ms[arrived], weight[arrived]
    if not weight.sum() > 0:
        return np.zeros_like(healthy_spectrum(drive)), 0.0
    mean_ms = float(np.average(at_ms, weights=weight)) - healthy_mean_ms(drive)
    return spectrum(density(at_ms, weight)), mean_ms


def _blurred(jitter_ms: float) -> FloatArray:
    """What a normal jitter does to a spectrum."""
    return np.asarray(np.exp(-0.5 * (angular_per_ms() * jitter_ms) ** 2))
