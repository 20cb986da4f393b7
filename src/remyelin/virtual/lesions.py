"""Lesions of virtual patients: how many, how large, how old, and their true MTR at each visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.evidence import lesion_counts, lesion_volumes_mm3

from .people import People
from .premises import Premises

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
YEAR, HALF_YEAR = 365.25, 182.0
LEAST_MTR, MOST_MTR = 0.5, 99.0  # pu: what an instrument can read
QUANTILES = (np.arange(20) + 0.5) / 20


@dataclass(frozen=True)
class Lesions:
    """Lesions of all participants of all trials; those of one participant are neighbours.

    Attributes
    ----------
    owner
        (lesion,) position of the participant, trial * participants + participant.
    number
        (lesion,) 1, 2, 3 ... within the participant.
    volume_mm3
        (lesion,) size.
    age_days
        (lesion,) at the first visit; negative for one that appears later.
    remyelinated
        (lesion,) whether it had remyelinated before the trial.
    mtr_pu
        (lesion, visit) true MTR, also before a lesion appears.
    onset
        (lesion,) first visit at which it is there.
    """

    owner: IntArray
    number: IntArray
    volume_mm3: FloatArray
    age_days: FloatArray
    remyelinated: npt.NDArray[np.bool_]
    mtr_pu: FloatArray
    onset: IntArray

    def of(self, participant: int) -> Lesions:
        """Those of one participant, by position.

        Examples
        --------
        >>> every = Lesions(np.array([0, 0, 1]), np.array([1, 2, 1]), np.ones(3), np.ones(3),
        ...                 np.zeros(3, bool), np.full((3, 2), 30.0), np.zeros(3, int))
        >>> every.of(0).number
        array([1, 2])
        """
        mine = self.owner == participant
        return Lesions(*(getattr(self, name)[mine] for name in self.__dataclass_fields__))


def draw_lesions(
    people: People,
    premises: Premises,
    effect_pu: FloatArray,
    min_volume_mm3: float,
    rng: np.random.Generator,
    lesions_per_participant: int | None = None,
) -> Lesions:
    """Draw lesions as real people have them, and let time and treatment act on them.

    Parameters
    ----------
    people, premises
        Who they are.
    effect_pu
        (trial, participant, visit) full effect on the MTR of a lesion; every lesion of the first visit
        gains it.
    min_volume_mm3
        Smaller ones are not measured, and so not drawn.
    lesions_per_participant
        The same number for everyone.

    Raises
    ------
    InputError
        More lesions than a brain holds.
    """
    how_many, what, over_time = rng.spawn(3)
    counts = _counts(people, premises, min_volume_mm3, how_many, lesions_per_participant)
    every = (counts + _new(people, premises, how_many)).ravel()
    owner = np.repeat(np.arange(counts.size), every)
    number = np.arange(len(owner)) - (np.cumsum(every) - every)[owner] + 1
    late = number > counts.ravel()[owner]
    volume = _volumes(min_volume_mm3, len(owner), what)
    _check_room(owner, volume, counts.size, premises)
    day = people.day.reshape(-1, people.day.shape[-1])
    begins = np.where(late, 1.0 - what.uniform(size=len(owner)), 0.0) * day[owner, -1]
    lasted = YEAR * people.duration_years.ravel()[owner] * what.uniform(size=len(owner))
    healed = what.uniform(size=len(owner)) < premises["remyelinated_part"]
    kind = [
        (premises[f"{word}_mtr_pu"], premises[f"{word}_mtr_sd_pu"])
        for word in ("demyelinated", "remyelinated")
    ]
    level, sd = np.array(kind)[healed.astype(int)].T
    shared = what.normal(0.0, premises["participant_mtr_sd_pu"], size=counts.size)
    start = np.clip(level + sd * what.standard_normal(len(owner)) + shared[owner], 1.0, 60.0)
    gain = (effect_pu * people.adherence[..., None]).reshape(day.shape)[owner] * ~late[:, None]
    drift = start[:, None] * premises["lesion_change_percent_per_year"] / 100 * day[owner] / YEAR
    mtr = start[:, None] + drift + gain + _walk(people, premises, owner, over_time)
    _check_shown(mtr, gain)
    return Lesions(
        owner=owner,
        number=number,
        volume_mm3=volume,
        age_days=np.where(late, -begins, lasted),
        remyelinated=healed,
        mtr_pu=mtr,
        onset=np.where(late, (day[owner] < begins[:, None]).sum(axis=1), 0),
    )


def _check_shown(mtr: FloatArray, gain: FloatArray) -> None:
    """Refuse an effect that takes more than one lesion in a thousand to where no MTR can be."""
    gone = ((mtr < LEAST_MTR) | (mtr > MOST_MTR)) & (gain != 0)
    if gone.any() and gone.any(axis=1).mean() > 0.001:
        found = f"an effect that leaves lesions at {mtr[gone].min():.3g} to {mtr[gone].max():.3g} pu"
        expected = f"lesions of {LEAST_MTR:g} to {MOST_MTR:g} pu"
        raise InputError("", "mtr_pu", found, expected, "give a smaller effect")


def _counts(
    people: People, premises: Premises, least: float, rng: np.random.Generator, fixed: int | None
) -> IntArray:
    if fixed is not None:
        return np.full(people.arm.shape, fixed)
    real = np.asarray(lesion_counts("open-ms", min_volume_mm3=least), dtype=np.float64)
    scale = premises["lesions_scale"]
    if people.lesions_mean is not None and premises.rows["lesions_scale"].status != "given":
        scale = people.lesions_mean / real.mean()
    drawn = rng.choice(real, size=people.arm.shape) * scale
    return np.asarray(np.maximum(np.rint(drawn), 1), dtype=np.int64)


def _new(people: People, premises: Premises, rng: np.random.Generator) -> IntArray:
    return np.asarray(rng.poisson(premises["new_lesions_per_year"] * people.day[..., -1] / YEAR))


def _volumes(least: float, n: int, rng: np.random.Generator) -> FloatArray:
    """By the quantiles of real lesions; nothing is drawn beyond the outermost, 2.5 and 97.5 %."""
    real = np.log(lesion_volumes_mm3("open-ms", min_volume_mm3=least))
    return np.exp(np.interp(rng.uniform(size=n), QUANTILES, real))


def _check_room(owner: IntArray, volume: FloatArray, people: int, premises: Premises) -> None:
    total = np.bincount(owner, volume, minlength=people)
    if total.max(initial=0.0) > premises["white_matter_volume_mm3"]:
        n = int(np.bincount(owner, minlength=people)[total.argmax()])
        raise InputError(
            "", "lesions", f"{n}, together {total.max() / 1000:.0f} ml, in one person",
            f"no more than the white matter of a brain, {premises['white_matter_volume_mm3'] / 1000:.0f} ml",
            "ask for fewer lesions",
        )  # fmt: skip


def _walk(people: People, premises: Premises, owner: IntArray, rng: np.random.Generator) -> FloatArray:
    """(lesion, visit) true untreated change since the first visit: of the person, and of the lesion."""
    gaps = np.maximum(np.diff(people.day, axis=-1, prepend=0.0), 0.0).reshape(-1, people.day.shape[-1])
    root = np.sqrt(gaps / HALF_YEAR)
    shared_sd = premises["participant_change_sd_pu"] * np.sqrt(premises["true_part"])
    shared = shared_sd * root * rng.standard_normal(root.shape)
    own = premises["lesion_change_sd_pu"] * root[owner] * rng.standard_normal((len(owner), root.shape[1]))
    return np.asarray(np.cumsum(shared, axis=1)[owner] + np.cumsum(own, axis=1))
