"""The error that all voxels of a lesion share, and that averaging over its voxels cannot remove."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorFloor:
    """Variance of a lesion's measurement beyond its voxel noise, as two scans without change show it.

    Attributes
    ----------
    variance_pu2
        Variance of the shared error, in pu squared.
    variance_se_pu2
        Standard error of that variance; 0 where a value is taken as exact.
    n_participants, n_lesions
        What it was estimated from; 0 for a given value.
    """

    variance_pu2: float
    variance_se_pu2: float = 0.0
    n_participants: int = 0
    n_lesions: int = 0

    @property
    def sd_pu(self) -> float:
        """Its standard deviation in pu."""
        return float(np.sqrt(self.variance_pu2))

    @classmethod
    def given(cls, sd_pu: float) -> ErrorFloor:
        """A floor that is taken as known exactly.

        Raises
        ------
        InputError
            If `sd_pu` is negative or not finite.
        """
        if not np.isfinite(sd_pu) or sd_pu < 0:
            raise InputError(
                "", "rescan_sd_pu", str(sd_pu), "a finite SD of 0 pu or more", "give it in percent units"
            )
        return cls(float(sd_pu) ** 2)

    def __str__(self) -> str:
        if not self.n_participants:
            return f"lesion-wide error {self.sd_pu:.2f} pu (given, taken as exact)"
        return (
            f"lesion-wide error {self.sd_pu:.2f} pu (variance {self.variance_pu2:.3f}, "
            f"SE {self.variance_se_pu2:.3f}, from {self.n_lesions} lesions of {self.n_participants} "
            "rescanned participants)"
        )


def error_floor(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    se_first: npt.ArrayLike,
    se_second: npt.ArrayLike,
) -> ErrorFloor:
    """Estimate the floor from participants who were scanned twice while nothing changed.

    The variance of second - first between the lesions of one participant is twice the floor plus the lesions'
    own error variances; a shift of the whole scan moves the participant's median too, selects nothing, and is
    left out. The standard error is the jackknife over participants.

    Parameters
    ----------
    first, second
        (participant, lesion) values in pu, NaN where there is no lesion.
    se_first, se_second
        Their own standard errors without the floor.

    Raises
    ------
    InputError
        Unless at least 3 participants have at least 2 lesions in both scans.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> truth = rng.normal(31, 3, (10, 40))
    >>> scans = truth + rng.normal(0, np.hypot(0.8, 0.5), (2, 10, 40))
    >>> print(error_floor(*scans, np.full((10, 40), 0.5), np.full((10, 40), 0.5)))
    lesion-wide error 0.80 pu (variance 0.643, SE 0.066, from 400 lesions of 10 rescanned participants)
    """
    a, b, sa, sb = (
        np.atleast_2d(np.asarray(x, dtype=np.float64)) for x in (first, second, se_first, se_second)
    )
    usable = np.isfinite(a + b + sa + sb)
    n = usable.sum(axis=1)
    usable &= (n >= 2)[:, None]
    n = n[n >= 2]
    if len(n) < 3:
        raise InputError(
            "", "scan and rescan", f"{len(n)} participants with two or more lesions in both scans",
            "at least 3", "rescan more participants, or state the SD in the protocol",
        )  # fmt: skip
    rows = usable.any(axis=1)
    usable, change, own = usable[rows], (b - a)[rows], (sa**2 + sb**2)[rows]
    centred = change - np.mean(change, axis=1, where=usable, keepdims=True)
    spread = np.sum(centred**2, axis=1, where=usable)
    expected = np.sum(own, axis=1, where=usable) * (1 - 1 / n)
    excess, freedom = spread - expected, 2.0 * (n - 1)
    variance = excess.sum() / freedom.sum()
    without = (excess.sum() - excess) / (freedom.sum() - freedom)
    people = len(n)
    se = np.sqrt((people - 1) / people * np.sum((without - without.mean()) ** 2))
    return ErrorFloor(max(float(variance), 0.0), float(se), people, int(n.sum()))
