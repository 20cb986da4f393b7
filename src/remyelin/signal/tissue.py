"""Tissue as two pools of protons: free water, and protons bound to myelin and other large molecules."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError
from remyelin.evidence import parameter

FloatArray = NDArray[np.float64]


@cache
def exchange_per_s() -> float:
    """Rate from the bound to the free pool in normal-appearing white matter: the other one over F."""
    ratio = parameter("bound_pool_ratio", tissue="nawm").value
    return parameter("exchange_to_bound_pool", tissue="nawm").value / ratio


def _one() -> FloatArray:
    return np.asarray(1.0)


def _t2_free() -> FloatArray:
    return np.asarray(parameter("free_pool_t2", tissue="nawm").value)


def _t2_bound() -> FloatArray:
    return np.asarray(parameter("bound_pool_t2", tissue="nawm").value)


def _exchange() -> FloatArray:
    return np.asarray(exchange_per_s())


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """Two pools of protons, one value or an array of voxels or lesions; the arrays broadcast.

    Two names are kept apart: the bound *fraction* f, bound protons of all, and the bound *ratio* F = f / (1
    - f), bound protons of the free ones. Papers call both "bound pool" or "pool size", and no limit can tell
    one from the other: the 0.15 of Sled and Pike 2001 is a ratio. Give a ratio to `Tissue.of_ratio`, or
    divide it by 1 + F; taken for a fraction it makes MTR too high, as the example shows.

    Parameters
    ----------
    bound_fraction
        f, from 0 to below 0.5.
    t1_s
        Observed longitudinal relaxation time, as inversion recovery or variable flip angles find it.
    water
        Free water, 1 for that of normal-appearing white matter: scales the signal.
    t2_free_s, t2_bound_us
        Transverse relaxation times of the two pools; by default those of normal-appearing white matter
        (Sled and Pike 2001, 10.1002/mrm.1278).
    exchange_per_s
        Rate from the bound to the free pool; the other way it is `bound_ratio` times as fast. 32.7 by
        default, from the same tissue.
    t1_bound_s
        Longitudinal relaxation time of the bound pool: 1 s by convention, MT data do not determine it
        (Henkelman 1993, 10.1002/mrm.1910290607).

    Raises
    ------
    InputError
        For a value that cannot be, such as times in other units.

    Examples
    --------
    >>> tissue = Tissue(bound_fraction=[0.069, 0.025], t1_s=[0.62, 1.0])
    >>> tissue.bound_ratio
    array([0.07411..., 0.02564...])
    >>> from remyelin.signal import mtr_pu
    >>> f_taken_for_it, right = (mtr_pu(Tissue(f, t1_s=0.62)) for f in (0.15, 0.15 / (1 + 0.15)))
    >>> print(f"{f_taken_for_it:.1f} in place of {right:.1f} pu")
    48.7 in place of 45.3 pu
    """

    bound_fraction: FloatArray
    t1_s: FloatArray
    water: FloatArray = field(default_factory=_one)
    t2_free_s: FloatArray = field(default_factory=_t2_free)
    t2_bound_us: FloatArray = field(default_factory=_t2_bound)
    exchange_per_s: FloatArray = field(default_factory=_exchange)
    t1_bound_s: FloatArray = field(default_factory=_one)

    def __post_init__(self) -> None:
        names = [one.name for one in fields(self)]
        for name in names:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        try:
            np.broadcast_shapes(*(getattr(self, name).shape for name in names))
        except ValueError:
            shapes = ", ".join(f"{name} {getattr(self, name).shape}" for name in names)
            raise InputError(
                "", "Tissue", shapes, "shapes that broadcast", "give one value or one a voxel"
            ) from None
        if not (self.free_r1_per_s > 0).all():
            words = "a bound pool that relaxes more than the tissue does"
            raise InputError("", "t1_s", words, "shorter times", "give the observed T1, in seconds")

    @classmethod
    def of_ratio(cls, bound_ratio: ArrayLike, *, free_r1_per_s: ArrayLike, **others: Any) -> Tissue:
        """Tissue from the ratio F and the free pool's own relaxation rate, as qMRLab states it.

        Examples
        --------
        >>> tissue = Tissue.of_ratio(0.16, free_r1_per_s=1.0, exchange_per_s=30)
        >>> round(float(tissue.bound_fraction), 4), round(float(tissue.t1_s), 9)
        (0.1379, 1.0)
        """
        ratio = _checked("bound_ratio", bound_ratio)
        exchange = _checked("exchange_per_s", others.get("exchange_per_s", exchange_per_s()))
        bound_r1 = 1 / _checked("t1_bound_s", others.get("t1_bound_s", 1.0))
        free_r1 = _checked("free_r1_per_s", free_r1_per_s)
        observed = observed_r1_per_s(ratio, free_r1, bound_r1, exchange)
        return cls(bound_fraction=ratio / (1 + ratio), t1_s=1 / observed, **others)

    @property
    def bound_ratio(self) -> FloatArray:
        """F: bound protons over free ones."""
        return np.asarray(self.bound_fraction / (1 - self.bound_fraction))

    @property
    def free_r1_per_s(self) -> FloatArray:
        """Longitudinal relaxation rate of the free pool alone (Henkelman 1993, 10.1002/mrm.1910290607)."""
        observed, bound = 1 / self.t1_s, 1 / self.t1_bound_s
        there = self.exchange_per_s * self.bound_ratio
        return np.asarray(observed - there * (bound - observed) / (bound - observed + self.exchange_per_s))

    def with_water(self, added: ArrayLike, fluid_t1_s: float) -> Tissue:
        """The tissue after oedema: more water, which dilutes the bound pool and lengthens T1.

        Parameters
        ----------
        added
            Water that came in, as a part of the water that was there.
        fluid_t1_s
            Its relaxation time. The free pool relaxes at the mean of the rates of its waters, which mix fast.

        Examples
        --------
        >>> dry = Tissue(0.069, 0.62)
        >>> wet = dry.with_water(0.1, fluid_t1_s=4.0)
        >>> round(float(wet.bound_fraction), 4), round(float(wet.t1_s), 3)
        (0.0631, 0.668)
        """
        more = _checked("added", added)
        fluid = 1 / _checked("fluid_t1_s", fluid_t1_s)
        try:
            np.broadcast_shapes(more.shape, fluid.shape, self.bound_ratio.shape)
        except ValueError:
            shapes = f"of shape {more.shape}, the tissue of {self.bound_ratio.shape}"
            fix = "give one value or one a voxel"
            raise InputError("", "added", shapes, "shapes that broadcast", fix) from None
        names = ("t2_free_s", "t2_bound_us", "exchange_per_s", "t1_bound_s")
        return Tissue.of_ratio(
            self.bound_ratio / (1 + more),
            free_r1_per_s=(self.free_r1_per_s + more * fluid) / (1 + more),
            water=self.water * (1 + more),
            **{name: getattr(self, name) for name in names},
        )


def observed_r1_per_s(
    bound_ratio: FloatArray, free_r1: FloatArray, bound_r1: FloatArray, exchange: FloatArray
) -> FloatArray:
    """The slower rate at which two exchanging pools relax together."""
    there = exchange * bound_ratio
    one, two = free_r1 + there, bound_r1 + exchange
    gap = np.sqrt((one - two) ** 2 + 4 * there * exchange)
    # The smaller root, as the product of both over the larger: without cancellation.
    return np.asarray(2 * (one * two - there * exchange) / (one + two + gap))


# Lowest and highest value, and what to do about one beyond.
_LIMITS: dict[str, tuple[float, float, str]] = {
    "bound_fraction": (
        0,
        0.5,
        "give the fraction of all protons (a ratio F is Tissue.of_ratio), not a percentage",
    ),
    "bound_ratio": (0, 1, "give bound protons over free ones, not a percentage"),
    "free_r1_per_s": (1e-3, 1e3, "give it per second"),
    "t1_s": (0.05, 10, "give it in seconds"),
    "water": (1e-3, 10, "give it relative to normal-appearing white matter"),
    "t2_free_s": (1e-3, 5, "give it in seconds"),
    "t2_bound_us": (0.1, 1000, "give it in microseconds"),
    "exchange_per_s": (1e-3, 1e4, "give it per second"),
    "t1_bound_s": (0.05, 10, "give it in seconds"),
    "added": (-0.9, 10, "give it as a part of the water that was there, not as a percentage"),
    "fluid_t1_s": (0.05, 10, "give it in seconds"),
}


def _checked(name: str, value: object) -> FloatArray:
    low, high, fix = _LIMITS[name]
    return numbers(name, value, low, high, fix=fix)


def numbers(name: str, value: object, low: float, high: float, *, fix: str) -> FloatArray:
    """Numbers from `low` to `high` as an array; InputError for what is none, or beyond."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise InputError("", name, repr(value), f"numbers, {low:g} to {high:g}", fix) from None
    right = np.isfinite(array) & (array >= low) & (array <= high)
    if not right.all():
        raise InputError("", name, f"{array[~right].flat[0]:g}", f"finite, {low:g} to {high:g}", fix)
    return array
