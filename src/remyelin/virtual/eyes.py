"""Eyes of virtual patients: which optic nerve has a lesion, how late its P100 truly is at each visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from remyelin.errors import RefuseRun

from .people import People, gamma_of
from .premises import Premises, acute_recovery

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
EYES = ("OD", "OS")
YEAR = 365.25
MOST_TRIES = 200
WEEK_24 = 168.0


@dataclass(frozen=True)
class Eyes:
    """True state of both eyes, (trial, participant, eye), the eyes in the order of `EYES`.

    Attributes
    ----------
    affected
        Whether the optic nerve has a lesion.
    responds
        (..., visit) whether there is a P100.
    shared_ms
        (trial, participant) latency of that person's P100 without a lesion of the optic nerve.
    delay_ms
        (..., visit) what the lesion adds, treatment included; 0 without a lesion.
    wander_ms
        (..., visit) true change since the first visit that has nothing to do with treatment.
    effect_ms
        (..., visit) what treatment changed of the delay, as far as there was any to lose.
    """

    affected: BoolArray
    responds: BoolArray
    shared_ms: FloatArray
    delay_ms: FloatArray
    wander_ms: FloatArray
    effect_ms: FloatArray

    @property
    def latency_ms(self) -> FloatArray:
        """(trial, participant, eye, visit) true latency of the P100."""
        return np.asarray(self.shared_ms[..., None, None] + self.delay_ms + self.wander_ms)


@dataclass(frozen=True)
class EyeErrors:
    """Spread of the P100 of one eye, from what a laboratory's SD is the SD of.

    Attributes
    ----------
    error_sd_ms
        Of one eye at one visit; the part `alike` of its variance is shared by both eyes.
    change_sd_ms
        Of the true change of one eye in `days`, without treatment; its variance grows with time.
    alike
        Correlation between a person's eyes, of both.
    """

    error_sd_ms: float
    change_sd_ms: float
    days: float
    alike: float

    @classmethod
    def of(cls, premises: Premises) -> EyeErrors:
        """Of the laboratory that was chosen.

        Raises
        ------
        InputError
            No laboratory was chosen.

        Examples
        --------
        >>> spread = EyeErrors.of(Premises.read("routine", true_part=0))
        >>> round(spread.error_sd_ms * 2**0.5, 6), spread.change_sd_ms
        (12.4, 0.0)
        """
        alike, true = premises["eyes_alike"], premises["true_part"]
        variance = premises["p100_change_sd_ms"] ** 2
        if premises.change_of == "participant":  # the mean of two eyes that are so much alike
            variance *= 2 / (1 + alike)
        error, change = np.sqrt([variance * (1 - true) / 2, variance * true])
        return cls(float(error), float(change), premises["p100_change_days"], alike)

    @property
    def own_sd_ms(self) -> float:
        """SD of the part of the error that is an eye's own: what a recording's standard error shows."""
        return self.error_sd_ms * float(np.sqrt(1 - self.alike))

    @property
    def shared_sd_ms(self) -> float:
        """SD of the part of the error that both eyes of a person share at a visit."""
        return self.error_sd_ms * float(np.sqrt(self.alike))

    def alike_noise(
        self, sd: float | FloatArray, shape: tuple[int, ...], rng: np.random.Generator
    ) -> FloatArray:
        """Noise (trial, participant, eye, visit) of which the part `alike` is shared by both eyes."""
        shared = rng.standard_normal((*shape[:2], 1, shape[3]))
        own = rng.standard_normal(shape)
        return np.asarray(sd * (np.sqrt(self.alike) * shared + np.sqrt(1 - self.alike) * own))


def draw_eyes(
    people: People,
    premises: Premises,
    effect_ms: FloatArray,
    delayed_ms: float | None,
    rng: np.random.Generator,
) -> Eyes:
    """Draw the eyes of people with an old lesion of an optic nerve, and let time and treatment act on them.

    Parameters
    ----------
    people, premises
        Who they are.
    effect_ms
        (trial, participant, visit) full effect on the latency of an affected eye.
    delayed_ms
        Somebody is eligible with a P100 of at least this in at least one eye, in a recording of its own
        before the trial; None admits everyone.

    Raises
    ------
    RefuseRun
        Nobody is ever eligible.
    """
    at_start, over_time = rng.spawn(2)
    spread = EyeErrors.of(premises)
    shape = (people.arm.shape[0], people.arm.shape[1])
    start = _eligible(partial(_candidates, premises, spread, delayed_ms, at_start), shape, delayed_ms)
    shared, delay, affected, absent = start.shared, start.delay, start.affected, start.absent
    wander = _wander(people, premises, spread, affected, over_time)
    change = (effect_ms * people.adherence[..., None])[:, :, None, :] * affected[..., None]
    return Eyes(
        affected=affected,
        responds=np.broadcast_to(~absent[..., None], wander.shape),
        shared_ms=shared,
        delay_ms=np.maximum(delay[..., None] + change, 0.0) * affected[..., None],
        wander_ms=wander,
        effect_ms=np.maximum(change, -delay[..., None]) * affected[..., None],
    )


def draw_acute_eyes(
    people: People, premises: Premises, effect_ms: FloatArray, rng: np.random.Generator
) -> Eyes:
    """Draw people after a first optic neuritis of one eye, which recovers by itself; see `draw_eyes`."""
    at_start, over_time = rng.spawn(2)
    spread = EyeErrors.of(premises)
    shape = people.arm.shape
    side = at_start.integers(2, size=shape)
    affected = np.arange(2) == side[..., None]
    shared = at_start.normal(premises["healthy_p100_ms"], premises["healthy_p100_sd_ms"], size=shape)
    # What was published is the SD between people at week 24, with error and untreated change in it.
    noise = 2 * spread.error_sd_ms**2 + spread.change_sd_ms**2 * WEEK_24 / spread.days
    own = np.sqrt(max(premises["acute_delay_sd_ms"] ** 2 - noise, 1.0))
    left = gamma_of(at_start, shape, premises["acute_delay_ms"], float(own))
    regained = acute_recovery()
    scale = premises["acute_recovery_ms"] / regained[1][2]
    to_come = scale * (np.interp(WEEK_24, *regained) - np.interp(people.day, *regained))
    untreated, change = left[..., None] + to_come, effect_ms * people.adherence[..., None]
    delay = untreated + change
    applied = np.maximum(change + np.minimum(untreated, 0.0), -np.maximum(untreated, 0.0))
    silent = at_start.uniform(size=shape) < premises["acute_absent_part"]
    silent_at = (silent[..., None] & (people.day < regained[0][1]))[:, :, None, :]
    return Eyes(
        affected=affected,
        responds=~(silent_at & affected[..., None]),
        shared_ms=shared,
        delay_ms=np.maximum(delay, 0.0)[:, :, None, :] * affected[..., None],
        wander_ms=_wander(people, premises, spread, np.zeros_like(affected), over_time),
        effect_ms=applied[:, :, None, :] * affected[..., None],
    )


class _Start(NamedTuple):
    """Eyes before the trial: `shared` (person,), the others (person, eye)."""

    shared: FloatArray
    delay: FloatArray
    affected: BoolArray
    absent: BoolArray


def _candidates(
    premises: Premises, spread: EyeErrors, delayed_ms: float | None, rng: np.random.Generator, n: int
) -> _Start:
    """Those of `n` people with MS who are eligible."""
    shared = rng.normal(premises["healthy_p100_ms"], premises["healthy_p100_sd_ms"], size=n)
    affected = rng.uniform(size=(n, 2)) < premises["optic_nerve_part"]
    delay = (
        gamma_of(rng, (n, 2), premises["optic_nerve_delay_ms"], premises["optic_nerve_delay_sd_ms"])
        * affected
    )
    error = spread.alike_noise(spread.error_sd_ms, (n, 1, 2, 1), rng)[:, 0, :, 0]
    absent = (rng.uniform(size=(n, 2)) < premises["absent_part"]) & affected
    late = (shared[:, None] + delay + error >= (delayed_ms or -np.inf)) & ~absent
    fine = late.any(axis=1)
    return _Start(shared[fine], delay[fine], affected[fine], absent[fine])


def _eligible(
    candidates: Callable[[int], _Start], shape: tuple[int, int], delayed_ms: float | None
) -> _Start:
    """The first eligible people among as many candidates as it takes, (trial, participant)."""
    wanted, found, parts = shape[0] * shape[1], 0, []
    for _ in range(MOST_TRIES):
        parts.append(candidates(max(2 * (wanted - found), 64)))
        found += len(parts[-1].shared)
        if found >= wanted:
            whole = (np.concatenate(each)[:wanted] for each in zip(*parts, strict=True))
            return _Start(*(each.reshape(*shape, *each.shape[1:]) for each in whole))
    raise RefuseRun(
        "", "measure.vep_delayed_ms", f"{delayed_ms:g} ms, which hardly any of these patients reach",
        "a latency that people with MS have", "lower it, or give other delays",
    )  # fmt: skip


def _wander(
    people: People, premises: Premises, spread: EyeErrors, affected: BoolArray, rng: np.random.Generator
) -> FloatArray:
    """Untreated change since the first visit: a drift of affected eyes, and a random walk of all."""
    gaps = np.maximum(np.diff(people.day, axis=-1, prepend=0.0), 0.0)
    sd = spread.change_sd_ms * np.sqrt(gaps / spread.days)[:, :, None, :]
    steps = spread.alike_noise(sd, (*people.arm.shape, 2, people.day.shape[-1]), rng)
    drift = premises["eye_change_ms_per_year"] * people.day / YEAR
    return np.asarray(np.cumsum(steps, axis=-1) + drift[:, :, None, :] * affected[..., None])
