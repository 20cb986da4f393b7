"""One repetition of a sequence as stretches of relaxation, its MT pulse simplified in a known way."""

from __future__ import annotations

from dataclasses import dataclass

from remyelin.errors import InputError, did_you_mean

from .sequence import Sequence

MODELS = ("sled-pike", "sled-pike-cw", "yarnykh", "ramani")


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repetition, beginning with the excitation.

    Parameters
    ----------
    durations_s
        Of three stretches, one after the other.
    saturated
        In which of them the MT pulse acts.
    acts_s
        Over which time its power is spread.
    excites
        Whether the excitation is part of the steady state.
    at_once
        Whether the pulse's direct effect on water comes at once, by Bloch's equations; else it is a rate,
        that of a Lorentzian far from its middle.
    """

    durations_s: tuple[float, float, float]
    saturated: tuple[bool, bool, bool]
    acts_s: float
    excites: bool
    at_once: bool


def cycle(sequence: Sequence, model: str) -> Cycle:
    """The repetition of `sequence` under a model of `MODELS`; InputError for another."""
    tr_s, pulse = sequence.tr_ms * 1e-3, sequence.pulse
    if model == "sled-pike":
        acts = pulse.width_ms * 1e-3
        return Cycle((acts / 2, tr_s - acts, acts / 2), (True, False, True), acts, excites=True, at_once=True)
    if model == "sled-pike-cw":
        return Cycle((tr_s, 0.0, 0.0), (True, False, False), tr_s, excites=False, at_once=True)
    if model == "yarnykh":
        acts, gap = pulse.duration_ms * 1e-3, sequence.gap_ms * 1e-3
        stretches = (sequence.rest_ms * 1e-3, acts, gap)
        return Cycle(stretches, (False, True, False), acts, excites=True, at_once=False)
    if model == "ramani":
        return Cycle((tr_s, 0.0, 0.0), (True, False, False), tr_s, excites=False, at_once=False)
    raise InputError("", "model", repr(model), ", ".join(MODELS), did_you_mean(str(model), MODELS))
