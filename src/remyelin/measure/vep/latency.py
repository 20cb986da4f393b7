"""The latency of P100 in one recording, with an interval that means what it says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .average import Average, average
from .detection import Detection, State, detect
from .evidence import explain
from .prior import FloatArray, prior
from .shape import Humps, Shape, humps, judge

_GRID_MS = np.arange(40.0, 321.0, 1.0)
_PEAK_MS = (60.0, 221.0)
# Where the trough before P100 and the one after it lie, counted from P100.
_N75_MS, _N135_MS = (-60.0, -12.0), (15.0, 95.0)
_DRAWS = 600
_LEVEL = 0.95
# A lone average has no sweeps to test: a response is present if it is so many times as likely as none.
_LONE_ODDS = 100.0


@dataclass(frozen=True, slots=True)
class P100:
    """The P100 of one eye and one stimulus.

    Parameters
    ----------
    latency_ms, se_ms, ci_ms
        Time of the highest point after the stimulus, its standard error and 95 % interval; NaN where the
        response is absent. Of a response with two humps it is the time of the higher one.
    amplitude_uv, amplitude_se_uv
        From N75 to P100.
    n75_ms, n135_ms
        Times of the troughs before and after it.
    snr
        Root mean square of the response, 60 to 220 ms, less what noise adds to it, over that of the noise of
        the average.
    state
        See `detect`.
    shape
        ``"normal"``, ``"bifid"`` or ``"atypical"``: no pattern-reversal response explains it well. The peak
        of an atypical wave is that of any smooth wave, with its wider interval; see `reason`.
    hump_ms
        Both humps of a bifid response, in the order of time; otherwise empty.
    reason
        What is doubtful, in words; empty where nothing is.
    detection
        The test behind `state`.
    upside_down
        Score that the recording is inverted; above 0 it looks so.
    time_ms, fit_uv
        The fitted response, every ms.
    """

    latency_ms: float
    se_ms: float
    ci_ms: tuple[float, float]
    amplitude_uv: float
    amplitude_se_uv: float
    n75_ms: float
    n135_ms: float
    snr: float
    state: State
    shape: Shape
    hump_ms: tuple[float, ...]
    reason: str
    detection: Detection
    upside_down: float
    time_ms: FloatArray = field(repr=False, compare=False)
    fit_uv: FloatArray = field(repr=False, compare=False)

    def __str__(self) -> str:
        if not np.isfinite(self.latency_ms):
            return f"P100 {self.detection}"
        low, high = self.ci_ms
        words = f"P100 {self.latency_ms:.1f} ms (95 % CI {low:.1f} to {high:.1f}), {self.amplitude_uv:.1f} uV"
        return f"{words}, {self.state}, {self.shape}" + (f": {self.reason}" if self.reason else "")


def p100(
    sweeps_uv: FloatArray, sfreq_hz: float, start_ms: float, *, absent_uv: float = 4.0, seed: int = 0
) -> P100:
    """Measure P100 in the sweeps of one eye and one stimulus.

    The average is explained by generalised least squares on a family of responses (latency, dilation, second
    hump, each with variable amplitudes and a smooth deviation; `prior`), given the covariance of its error as
    the sweeps scatter. Responses are drawn from what remains possible; the latency is the mean time of their
    highest points, and the interval holds 95 % of them.

    Parameters
    ----------
    sweeps_uv
        (sweep, sample) in uV, positive where the active electrode is positive; one row is taken as an average
        made elsewhere, two or three as replicates of such averages.
    sfreq_hz
        Sampling rate.
    start_ms
        Time of the first sample after the stimulus (negative: before it).
    absent_uv
        See `detect`.
    seed
        Of the draws.

    Raises
    ------
    InputError
        Not a finite table of sweeps; no samples from 50 to 200 ms; sweeps that are all the same.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> time_ms = np.arange(-50, 400)
    >>> wave = 9 * np.exp(-0.5 * ((time_ms - 104) / 13) ** 2) - 4 * np.exp(-0.5 * ((time_ms - 76) / 9) ** 2)
    >>> print(p100(wave + rng.normal(0, 10, (100, 450)), 1000, -50))
    P100 10... ms (95 % CI ...), 1... uV, present, normal
    """
    recorded = average(sweeps_uv, sfreq_hz, start_ms)
    information = recorded.information()
    posterior = explain(information)
    detection = detected(np.asarray(sweeps_uv, float), sfreq_hz, posterior.log_evidence, absent_uv)
    draws = posterior.draws(_DRAWS, np.random.default_rng(seed))
    verdict = judge(information, posterior, draws)
    shape, reason = verdict.shape, verdict.reason
    if shape == "atypical":
        draws = posterior.draws(_DRAWS, np.random.default_rng(seed), free=True)
    waves = prior().waves(_GRID_MS) @ draws
    fit = waves.mean(axis=1)
    found = humps(_GRID_MS, waves) if shape == "normal" and detection.state == "present" else Humps((), "")
    peaks = _peaks(waves)
    if detection.state == "absent":
        peaks = {name: np.full_like(values, np.nan) for name, values in peaks.items()}
        shape, reason, found = "normal", "", Humps((), "")
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(peaks["latency_ms"], [tail, 1 - tail])
    return P100(
        latency_ms=float(peaks["latency_ms"].mean()) if not found.times_ms else found.higher_ms,
        se_ms=float(peaks["latency_ms"].std()),
        ci_ms=(float(low), float(high)),
        amplitude_uv=float(peaks["amplitude_uv"].mean()),
        amplitude_se_uv=float(peaks["amplitude_uv"].std()),
        n75_ms=float(peaks["n75_ms"].mean()),
        n135_ms=float(peaks["n135_ms"].mean()),
        snr=_snr(recorded),
        state=detection.state,
        shape="bifid" if found.times_ms else shape,
        hump_ms=found.times_ms,
        reason="; ".join(words for words in (reason, found.reason, _in_seconds(start_ms)) if words),
        detection=detection,
        upside_down=verdict.upside_down,
        time_ms=_GRID_MS,
        fit_uv=fit,
    )


def _in_seconds(start_ms: float) -> str:
    """Sweeps begin well before the stimulus or at it: a start within the millisecond before is doubtful."""
    if not -1 < start_ms < 0:
        return ""
    return f"start_ms is {start_ms:g}: if it was meant in s, latencies are {-999 * start_ms:.0f} ms too long"


def detected(sweeps: FloatArray, sfreq_hz: float, log_evidence: float, absent_uv: float) -> Detection:
    """Whether there is a response: by the sweeps, or by the evidence of the average where they are few."""
    found = detect(sweeps, sfreq_hz, amplitude_uv=absent_uv)
    if np.isfinite(found.p):
        return found
    odds = float(np.exp(min(log_evidence, 700.0)))
    state: State = "present" if odds > _LONE_ODDS else "indeterminate"
    return Detection(state, 1 / (1 + odds), float("nan"), absent_uv)


def _peaks(waves: FloatArray) -> dict[str, FloatArray]:
    """Latencies and amplitude of each drawn wave, (time, draw)."""
    inside = _inside(_GRID_MS)
    top = np.where(inside[:, None], waves, -np.inf).argmax(axis=0)
    p100_ms = _refined(waves, top)
    after = _GRID_MS[:, None] - p100_ms
    n75 = np.where((after > _N75_MS[0]) & (after < _N75_MS[1]), waves, np.inf).argmin(axis=0)
    n135 = np.where((after > _N135_MS[0]) & (after < _N135_MS[1]), waves, np.inf).argmin(axis=0)
    each = np.arange(waves.shape[1])
    return {
        "latency_ms": p100_ms,
        "n75_ms": _refined(waves, n75),
        "n135_ms": _refined(waves, n135),
        "amplitude_uv": waves[top, each] - waves[n75, each],
    }


def _refined(waves: FloatArray, index: npt.NDArray[np.intp]) -> FloatArray:
    """Times of turning points, between the samples by the parabola through three of them."""
    middle = np.clip(index, 1, len(waves) - 2)
    each = np.arange(waves.shape[1])
    before, at, after = waves[middle - 1, each], waves[middle, each], waves[middle + 1, each]
    bend = before - 2 * at + after
    offset = np.where(bend == 0, 0.0, 0.5 * (before - after) / np.where(bend == 0, 1.0, bend))
    step = float(_GRID_MS[1] - _GRID_MS[0])
    return np.asarray(_GRID_MS[index] + np.where(np.abs(offset) < 1, offset, 0.0) * step)


def _inside(time_ms: FloatArray) -> npt.NDArray[np.bool_]:
    first, last = _PEAK_MS
    return (time_ms >= first) & (time_ms < last)


def _snr(recorded: Average) -> float:
    inside = _inside(recorded.time_ms)
    wave = recorded.uv[inside] - recorded.uv[inside].mean()
    noise = recorded.autocovariance_uv2[0]
    return float(np.sqrt(max(0.0, (wave**2).mean() / noise - 1)))
