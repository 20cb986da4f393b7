"""Recordings that are upside down: told by the other visits of the eye, or by the fellow eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from remyelin.errors import Flag

from .recording.sweeps import FloatArray
from .responses import Response

INVERTED = "polarity"
# Two recordings are opposite if, at the best lag, one mirrors the other so well, and agrees with it so badly.
_OPPOSITE, _ALIKE = 0.8, 0.6
_LAGS_MS = np.arange(-30.0, 31.0, 2.0)
_WINDOW_MS = np.arange(60.0, 221.0, 2.0)
_FEWEST_SNR = 2.0


def with_polarity(responses: Sequence[Response]) -> list[Response]:
    """The responses of a participant, those that are upside down flagged.

    A recording that looks inverted by itself is flagged, and of two recordings of an eye (or of both eyes at
    one visit) that mirror each other the one that is likelier upside down (`P100.upside_down`).
    """
    inverted = {k for k, one in enumerate(responses) if one.pooled.reason.startswith("inverted")}
    for j, k in combinations(range(len(responses)), 2):
        one, other = responses[j], responses[k]
        comparable = one.stimulus == other.stimulus and (one.eye == other.eye or one.visit == other.visit)
        if comparable and _mirrored(one, other):
            inverted.add(j if one.pooled.upside_down > other.pooled.upside_down else k)
    return [_flagged(one) if k in inverted else one for k, one in enumerate(responses)]


def is_inverted(response: Response) -> bool:
    """Whether a response was flagged as upside down."""
    return any(flag.field == INVERTED for flag in response.flags)


def _flagged(response: Response) -> Response:
    fix = "check the montage (Oz-Fz, not Fz-Oz); invert the channel only if the recording log says so"
    found = f"inverted in {response.eye} (negative where P100 is positive)"
    flag = Flag(response.file, INVERTED, found, "P100 positive at Oz, as at other visits", fix, "fail")
    return replace(response, flags=(*response.flags, flag))


def _mirrored(one: Response, other: Response) -> bool:
    if min(one.pooled.snr, other.pooled.snr) < _FEWEST_SNR:
        return False
    first = _wave(one, 0.0)
    agreement = [float(np.corrcoef(first, _wave(other, lag))[0, 1]) for lag in _LAGS_MS]
    return -min(agreement) > _OPPOSITE and max(agreement) < _ALIKE * -min(agreement)


def _wave(response: Response, lag_ms: float) -> FloatArray:
    own = response.start_ms + 1000 * np.arange(response.sweeps_uv.shape[1]) / response.sfreq_hz
    return np.asarray(np.interp(_WINDOW_MS + lag_ms, own, response.sweeps_uv.mean(axis=0)))
