"""Multifocal recordings: the response of each sector of the field, its quality, its shift between visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.evidence import parameter

from .detection import Detection, State
from .evidence import explain
from .latency import detected
from .prior import FloatArray, typical_wave
from .shift import Shift, one_of_several, shift_between

if TYPE_CHECKING:
    import pandas as pd

# Zhang and Hood 2002, doi 10.1023/A:1015220501743: where a response is looked for, and where there is none.
_SIGNAL_MS, _QUIET_MS = (45.0, 150.0), (325.0, 430.0)
# The responses of `prior` have 1 to 15 uV. A sector's are smaller, by a factor that depends on how
# the kernels were computed: averages are scaled to this noise before they are compared with the prior.
_NOISE_UV = 1.0
_ABSENT_UV = 4.0


@dataclass(frozen=True, slots=True)
class Sector:
    """One sector of the field.

    Parameters
    ----------
    name
        As given, or its number from `01` on.
    polarity
        1, or -1 where the response is upside down, as in the upper field; 0 where none tells it.
    detections
        Whether a response was seen, at each visit.
    snr
        Signal-to-noise ratio at each visit, by the mean noise of all sectors; 0 is what noise alone gives.
    reliable
        Whether that lies above the limit for a reliable response, at each visit.
    shift
        Last less first visit; None unless a response is present at all of two or more visits.
    reason
        Why the sector was left out, in words; empty where it was not.
    """

    name: str
    polarity: int
    detections: tuple[Detection, ...]
    snr: tuple[float, ...]
    reliable: tuple[bool, ...]
    shift: Shift | None
    reason: str = ""

    @property
    def state(self) -> State:
        """``"present"`` at all visits, ``"absent"`` at one at least, else ``"indeterminate"``."""
        states = {one.state for one in self.detections}
        if states == {"present"}:
            return "present"
        return "absent" if "absent" in states else "indeterminate"


@dataclass(frozen=True, slots=True)
class Multifocal:
    """The sectors of one eye.

    Parameters
    ----------
    sectors
        In the order of the recording.
    reliable_snr
        A response is reliable above this signal-to-noise ratio.
    """

    sectors: tuple[Sector, ...]
    reliable_snr: float

    def to_frame(self) -> pd.DataFrame:
        """One row a sector and visit, visits from 1; the shift stands in the row of the last visit."""
        import pandas as pd

        return pd.DataFrame([row for sector in self.sectors for row in _rows(sector)])

    def __str__(self) -> str:
        count = len(self.sectors)
        seen = sum(sector.state == "present" for sector in self.sectors)
        good = sum(all(sector.reliable) for sector in self.sectors)
        words = f"{count} sectors: {seen} with a response at every visit, {good} reliable at every visit"
        shifts = [sector.shift.ms for sector in self.sectors if sector.shift is not None]
        return words + (f"; median shift {np.median(shifts):+.1f} ms" if shifts else "")

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.to_frame().to_html(index=False, na_rep='n/a')}"


def multifocal(
    visits: Sequence[FloatArray],
    sfreq_hz: float,
    start_ms: float,
    *,
    names: Sequence[str] | None = None,
    absent_uv: float | None = None,
) -> Multifocal:
    """Measure the sectors of a multifocal recording of one eye, at one visit or more.

    Parameters
    ----------
    visits
        (sector, segment, sample) in uV of each visit, in the order of time. The segments are those of the
        recording, or repeated runs, each already turned into one response a sector.
    sfreq_hz, start_ms
        Sampling rate, and the time of the first sample after the stimulus, the same at all visits.
    names
        Of the sectors.
    absent_uv
        A response is called absent only if one of this size, from the baseline to P100, would have been seen.
        By default the median size of those that are reliable in this recording, for the size of a kernel
        depends on how it was computed.

    Raises
    ------
    InputError
        No visits, visits of unlike sectors, names that do not fit them, not finite, no samples from 45 to
        430 ms.

    Notes
    -----
    The signal-to-noise ratio is mnSNR of Zhang and Hood (doi 10.1023/A:1015220501743): the root mean square
    of the average from 45 to 150 ms over the mean, over all sectors, of that from 325 to 430 ms, less 1. Each
    window's own mean is taken off first. A sector's sign is the one with the larger evidence, all visits
    together. The shift is that of `latency_shift`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> time_ms = np.arange(-50, 450)
    >>> def visit(latency_ms):
    ...     wave = np.exp(-0.5 * ((time_ms - latency_ms) / 13) ** 2)
    ...     sectors = np.outer([0.8, -0.8, 0.0], wave)  # lower field, upper field, blind
    ...     return sectors[:, None] + rng.normal(0, 0.6, (3, 40, 500))
    >>> found = multifocal([visit(112), visit(108)], 1000, -50)
    >>> [(sector.name, sector.state, sector.polarity) for sector in found.sectors]
    [('01', 'present', 1), ('02', 'present', -1), ('03', 'absent', 0)]
    >>> print(found)
    3 sectors: 2 with a response at every visit, 2 reliable at every visit; median shift -... ms
    """
    recorded = _checked(visits, sfreq_hz, start_ms)
    labels = _names(names, len(recorded[0]))
    time = np.asarray(start_ms + 1000 / sfreq_hz * np.arange(recorded[0].shape[2]), float)
    signal = np.array([_rms(visit.mean(axis=1), time, _SIGNAL_MS) for visit in recorded])
    noise = np.array([_rms(visit.mean(axis=1), time, _QUIET_MS).mean() for visit in recorded])
    if not (noise > 0).all():
        fix = "leave flat recordings out, and cut the segments to 430 ms"
        raise InputError("", "visits", "flat from 325 to 430 ms in all sectors", "noise", fix)
    snr = signal / noise[:, None] - 1
    limit = parameter("mfvep_reliable_snr").value
    reliable = snr > limit
    size = absent_uv or _usual_uv(signal, noise, reliable)
    scale = _NOISE_UV / float(noise.mean())
    sectors = []
    for k, name in enumerate(labels):
        sweeps = [scale * visit[k] for visit in recorded]
        polarity, detections, shift, reason = _sector(sweeps, sfreq_hz, start_ms, scale * size)
        found = tuple(Detection(one.state, one.p, one.power, size) for one in detections)
        ratios, good = tuple(snr[:, k].tolist()), tuple(reliable[:, k].tolist())
        sectors.append(Sector(name, polarity, found, ratios, good, shift, reason))
    return Multifocal(tuple(sectors), limit)


def _sector(
    sweeps: list[FloatArray], sfreq_hz: float, start_ms: float, absent_uv: float
) -> tuple[int, list[Detection], Shift | None, str]:
    """Polarity, detection at each visit, shift, and why there is none of them."""
    try:
        averages = [one_of_several(visit, sfreq_hz, start_ms) for visit in sweeps]
    except InputError as problem:
        unknown = Detection("indeterminate", float("nan"), float("nan"), absent_uv)
        return 0, [unknown] * len(sweeps), None, f"{problem.field} {problem.found}"
    signs = {1: averages, -1: [replace(one, uv=-one.uv) for one in averages]}
    explained = {sign: [explain(one.information()) for one in signs[sign]] for sign in signs}
    evidence = np.array([[one.log_evidence for one in explained[sign]] for sign in signs])
    either = np.logaddexp(*evidence) - np.log(2)
    found = [
        detected(visit, sfreq_hz, odds, absent_uv)
        for visit, odds in zip(sweeps, either.tolist(), strict=True)
    ]
    seen = [one.state == "present" for one in found]
    sign = 1 if evidence[0].sum() >= evidence[1].sum() else -1
    shift = shift_between(signs[sign], explained[sign]) if len(seen) > 1 and all(seen) else None
    return sign * any(seen), found, shift, ""


def _usual_uv(signal: FloatArray, noise: FloatArray, reliable: npt.NDArray[np.bool_]) -> float:
    """Median size of the responses that are reliable, from the baseline to P100."""
    if not reliable.any():
        return _ABSENT_UV
    time = np.asarray(np.arange(*_SIGNAL_MS), float)
    wave = typical_wave(time - time.mean(), 1.0)
    part = _rms(wave[None] / wave.max(), time, _SIGNAL_MS)[0]
    size = np.sqrt(np.maximum(signal**2 - noise[:, None] ** 2, 0)) / part
    return float(np.median(size[reliable]))


def _rms(averages: FloatArray, time_ms: FloatArray, window_ms: tuple[float, float]) -> FloatArray:
    inside = averages[:, (time_ms >= window_ms[0]) & (time_ms <= window_ms[1])]
    return np.asarray(inside.std(axis=1))


def _checked(visits: Sequence[FloatArray], sfreq_hz: float, start_ms: float) -> list[FloatArray]:
    found = [np.asarray(visit, float) for visit in visits]
    words, fix = "(sector, segment, sample) finite numbers for each visit", "give a list of such arrays"
    if not found:
        raise InputError("", "visits", "an empty list", words, fix)
    for one in found:
        if one.ndim != 3 or not one.size or not np.isfinite(one).all():
            wrong = f"of shape {one.shape}" if one.ndim != 3 or not one.size else "not finite everywhere"
            raise InputError("", "visits", wrong, words, fix)
        if len(one) != len(found[0]) or one.shape[2] != found[0].shape[2]:
            first, other = (f"{len(v)} sectors of {v.shape[2]} samples" for v in (found[0], one))
            raise InputError(
                "", "visits", f"{first}, then {other}", "the same sectors and samples", "cut the visits alike"
            )
    if not 200 <= sfreq_hz <= 1e5:
        raise InputError("", "sfreq_hz", f"{sfreq_hz:g}", "200 Hz or more", "give the sampling rate in Hz")
    end = start_ms + 1000 * found[0].shape[2] / sfreq_hz
    if start_ms > _SIGNAL_MS[0] or end < _QUIET_MS[1]:
        wrong = f"{start_ms:g} to {end:g} ms after the stimulus"
        fix = "cut longer segments: 325 to 430 ms tells the noise; give start_ms in ms"
        raise InputError("", "visits", wrong, "45 to 430 ms", fix)
    return found


def _names(names: Sequence[str] | None, count: int) -> list[str]:
    if names is None:
        width = max(2, len(str(count)))
        return [f"{k + 1:0{width}d}" for k in range(count)]
    labels = [str(name) for name in names]
    if len(labels) != count or len(set(labels)) != count:
        found = f"{len(labels)}, {len(set(labels))} of them different"
        raise InputError(
            "", "names", found, f"{count} different names, one a sector", "name every sector once"
        )
    return labels


def _rows(sector: Sector) -> list[dict[str, Any]]:
    rows = []
    visits = zip(sector.detections, sector.snr, sector.reliable, strict=True)
    for number, (detection, snr, reliable) in enumerate(visits, start=1):
        shift = sector.shift if number == len(sector.detections) else None
        low, high = (float("nan"), float("nan")) if shift is None else shift.ci_ms
        rows.append(
            {
                "sector": sector.name,
                "visit": number,
                "polarity": sector.polarity,
                "state": detection.state,
                "p": detection.p,
                "power": detection.power,
                "snr": snr,
                "reliable": reliable,
                "shift_ms": float("nan") if shift is None else shift.ms,
                "se_ms": float("nan") if shift is None else shift.se_ms,
                "ci_low_ms": low,
                "ci_high_ms": high,
                "reason": sector.reason,
            }
        )
    return rows
