"""The shape of a response: usual, with two humps, or not that of a pattern reversal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from .evidence import Posterior, explain
from .prior import KINDS, LATENCIES_MS, FloatArray, prior, triplet

Shape = Literal["normal", "bifid", "atypical"]

# A wave is refused as a pattern-reversal response if no triplet explains this part of its square.
_EXPLAINED = 0.85
_FREE_WEIGHT = 0.5
# Log odds at which a wave is taken to be upside down.
_INVERTED_LOG_ODDS = 3.0
# In a clean recording the evidence can be huge for a reason as small as a missing N135, so it is capped.
_EVIDENCE_CAP, _DEEPER_WEIGHT = 2.0, 4.0
# Two humps: tops at this distance, the lower at least this part of the higher, with a dip between them.
_APART_MS = (14.0, 45.0)
_LOWER, _DIP = 0.4, 0.03
_BIFID = 0.3
_WINDOW_MS = np.arange(45.0, 261.0, 3.0)


@dataclass(frozen=True, slots=True)
class Humps:
    """The two humps of a bifid response, none if it has one.

    Parameters
    ----------
    times_ms
        In the order of time.
    reason
        The rule that chose between them, in words.
    higher_ms
        The time that was chosen.
    """

    times_ms: tuple[float, ...]
    reason: str
    higher_ms: float = float("nan")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a pattern-reversal response explains an average.

    Parameters
    ----------
    shape
        ``"normal"`` or ``"atypical"``.
    reason
        Why it is atypical.
    upside_down
        A score that the recording is inverted, above 0 if it looks so: the log odds of the evidence, and how
        much deeper the deepest trough is than the highest top. One recording seldom settles it; two visits
        do (`polarity`).
    """

    shape: Shape
    reason: str
    upside_down: float


def judge(information: tuple[FloatArray, FloatArray], posterior: Posterior, waves: FloatArray) -> Verdict:
    """Judge an average.

    Parameters
    ----------
    information
        Of the average (`Average.information`).
    posterior
        What explains it.
    waves
        (basis, draw) coefficients of responses drawn from the posterior.
    """
    matrix, vector = information
    wave = prior().waves(_WINDOW_MS) @ waves.mean(axis=1)
    evidence = explain((matrix, -vector)).log_evidence - posterior.log_evidence
    deeper = np.log(max(-wave.min(), 1e-6) / max(wave.max(), 1e-6))
    upside_down = float(
        np.clip(evidence, -_EVIDENCE_CAP, _EVIDENCE_CAP) + _DEEPER_WEIGHT * np.clip(deeper, -1, 1)
    )
    if upside_down > _INVERTED_LOG_ODDS:
        reason = "inverted polarity: the response is negative where P100 is positive"
        return Verdict("atypical", reason, upside_down)
    words = ""
    if (part := _explained(wave)) < _EXPLAINED:
        words = f"N75, P100 and N135 explain {100 * max(part, 0):.0f} % of the wave"
    elif posterior.free_weight > _FREE_WEIGHT:
        words = f"any smooth wave is likelier than N75, P100 and N135 ({100 * posterior.free_weight:.0f} %)"
    if words:
        reason = f"not a pattern-reversal response: {words}; the peak is that of any smooth wave"
        return Verdict("atypical", reason, upside_down)
    return Verdict("normal", "", upside_down)


def _explained(wave: FloatArray) -> float:
    """Part of a wave's square that the best triplet explains, none of its peaks upside down."""
    from scipy.optimize import nnls

    residual = min(float(nnls(shapes, wave)[1]) for shapes in _triplets())
    return 1 - residual**2 / float(wave @ wave)


@cache
def _triplets() -> tuple[FloatArray, ...]:
    return tuple(
        triplet(_WINDOW_MS, latency, dilation, gap) for dilation, gap in KINDS for latency in LATENCIES_MS
    )


def humps(time_ms: FloatArray, waves: FloatArray) -> Humps:
    """Both humps, if most of the drawn waves (time, draw) have two.

    The higher hump is P100, and the rule says so: of two nearly equal ones a change of height between visits
    can exchange them, which `latency_shift` does not suffer from.
    """
    pairs = [pair for wave in waves.T if (pair := _two_tops(time_ms, wave)) is not None]
    if len(pairs) <= _BIFID * waves.shape[1]:
        return Humps((), "")
    found = np.array(pairs)
    first, second = (float(np.median(found[:, k])) for k in (0, 1))
    later = float(found[:, 2].mean())
    chosen, word = (second, "second") if later > 0.5 else (first, "first")
    share = max(later, 1 - later)
    rule = (
        f"two humps, {first:.0f} and {second:.0f} ms: the higher is taken, the {word} ({100 * share:.0f} %)"
    )
    return Humps((first, second), rule, chosen)


def _two_tops(time_ms: FloatArray, wave: FloatArray) -> tuple[float, float, float] | None:
    """Times of the highest top and its largest neighbour, and 1 if the later one is the higher."""
    inner = np.flatnonzero((wave[1:-1] > wave[:-2]) & (wave[1:-1] >= wave[2:])) + 1
    inner = inner[(time_ms[inner] >= 60) & (time_ms[inner] <= 220)]
    if len(inner) < 2:
        return None
    top = inner[wave[inner].argmax()]
    apart = np.abs(time_ms[inner] - time_ms[top])
    others = inner[(apart >= _APART_MS[0]) & (apart <= _APART_MS[1])]
    if not len(others):
        return None
    other = others[wave[others].argmax()]
    early, late = sorted((int(top), int(other)))
    dip = wave[early : late + 1].min()
    if wave[other] < _LOWER * wave[top] or wave[other] - dip < _DIP * wave[top]:
        return None
    return float(time_ms[early]), float(time_ms[late]), float(top == late)
