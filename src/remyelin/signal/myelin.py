"""From myelin to the two pools of protons that an MT recording sees."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError
from remyelin.evidence import parameter

from .tissue import Tissue, numbers

FloatArray = NDArray[np.float64]


def bound_pool_fraction(myelin_fraction: ArrayLike) -> FloatArray:
    """The bound *fraction* f of white matter that has part of its myelin.

    A straight line from demyelinated lesions (2.5 %) to normal-appearing white matter (6.9 %), post mortem
    (Schmierer 2007, 10.1002/jmri.20984). Remyelinated lesions (4.0 and 4.2 %) lie at 0.34 and 0.39 of
    myelin on it, as thin sheaths would. SDs between lesions are 1.3 to 2.2 %: the line is of means, and
    says little of one lesion.

    Parameters
    ----------
    myelin_fraction
        Myelin relative to before the lesion, as in `MyelinState`: 0 bare, 1 as it was.

    Raises
    ------
    InputError
        If it is not from 0 to 1.

    Examples
    --------
    >>> bound_pool_fraction([1.0, 0.36, 0.0])
    array([0.069 , 0.04084, 0.025 ])
    """
    fix = "give myelin relative to before the lesion, 0 to 1, not in percent"
    myelin = numbers("myelin_fraction", myelin_fraction, 0, 1, fix=fix)
    bare, whole = _fraction("demyelinated"), _fraction("nawm")
    return np.asarray(bare + (whole - bare) * myelin)


def white_matter(
    myelin_fraction: ArrayLike,
    *,
    t1_s: ArrayLike | None = None,
    added_water: ArrayLike = 0.0,
    fluid_t1_s: float | None = None,
) -> Tissue:
    """White matter, or a lesion in it, that has part of its myelin.

    The bound fraction comes from `bound_pool_fraction`. Where T1 is not given, the free pool's relaxation
    rate and its T2 move with the bound ratio, relative to normal-appearing white matter, as they do from
    normal-appearing white matter to the second lesion of Sled and Pike 2001 (10.1002/mrm.1278); their first
    lesion lies within 2 % of the line of R1 and 6 % of that of T2. Give T1 for another scanner: it depends
    on the field.

    Parameters
    ----------
    myelin_fraction
        Myelin relative to before the lesion: 0 bare, 1 as it was.
    t1_s
        Observed T1, of the tissue without `added_water`.
    added_water
        Oedema: water that came in, as a part of the water that was there. It dilutes the bound pool.
    fluid_t1_s
        T1 of that water; it has to be given with it, no source was read.

    Raises
    ------
    InputError
        For a value that cannot be, or water without its T1.

    Examples
    --------
    >>> tissue = white_matter([1.0, 0.0])
    >>> tissue.t1_s.round(2)
    array([0.58, 1.15])
    >>> from remyelin.signal import mtr_pu
    >>> mtr_pu(tissue).round(1)
    array([29.8, 23.4])
    """
    fraction = bound_pool_fraction(myelin_fraction)
    ratio = fraction / (1 - fraction)
    lost = 1 - ratio / (_fraction("nawm") / (1 - _fraction("nawm")))
    t2 = _value("free_pool_t2") * (1 + _slope("free_pool_t2") * lost)
    if t1_s is None:
        r1 = _value("free_pool_r1") * (1 + _slope("free_pool_r1") * lost)
        tissue = Tissue.of_ratio(ratio, free_r1_per_s=r1, t2_free_s=t2)
    else:
        tissue = Tissue(fraction, np.asarray(t1_s), t2_free_s=t2)
    if not np.any(np.asarray(added_water)):
        return tissue
    if fluid_t1_s is None:
        fix = "give the T1 of the added water, or t1_s of the wet tissue and no added water"
        raise InputError("", "fluid_t1_s", "not given", "the T1 of the added water, in seconds", fix)
    return tissue.with_water(added_water, fluid_t1_s)


def _fraction(tissue: str) -> float:
    return parameter("bound_pool_fraction", tissue=tissue).value


@cache
def _value(name: str, tissue: str = "nawm") -> float:
    return parameter(name, tissue=tissue).value


def _slope(name: str) -> float:
    """Relative change of a quantity for the relative loss of the bound ratio, normal tissue to lesion."""
    lost = 1 - _value("bound_pool_ratio", "lesion 2") / _value("bound_pool_ratio")
    return (_value(name, "lesion 2") / _value(name) - 1) / lost
