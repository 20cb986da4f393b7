"""From images to maps: the magnetisation transfer ratio and the magnetisation transfer saturation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.float64]
B1Correction = Literal["helms", "lipp"]
Angles = Literal["small", "tangent"]

# Shape of the residual dependence on B1, for the MT pulse of the paper (see mtsat_map).
B1_COEFFICIENT: dict[str, float] = {"helms": 0.4, "lipp": 1.2}

# Beyond these a repetition time or a flip angle is in the wrong unit: the rational approximation needs
# R1 TR << 1, and a spoiled gradient echo of less than 1 ms or half a degree is not made.
TR_S = (1e-3, 1.0)
FLIP_DEG = (0.5, 90.0)
_IMAGES = ("mt_w", "pd_w", "t1_w")


@dataclass(frozen=True, slots=True)
class MTsat:
    """Maps of `mtsat_map`, NaN where the three signals do not determine them.

    Parameters
    ----------
    mtsat_pu
        Magnetisation transfer saturation of one MT pulse, percent units.
    r1_per_s
        Apparent longitudinal relaxation rate, at the local flip angle when B1 is given.
    amplitude
        Signal at full relaxation and 90 degrees, in the units of the images.
    """

    mtsat_pu: FloatArray
    r1_per_s: FloatArray
    amplitude: FloatArray


def mtr_map(mt_off: ArrayLike, mt_on: ArrayLike) -> FloatArray:
    """Magnetisation transfer ratio, 100 (off - on) / off, in percent units.

    Parameters
    ----------
    mt_off, mt_on
        Images on the same grid, any shape and number type (integers do not overflow). Not altered.

    Returns
    -------
    NDArray
        float64, same shape. NaN where MT-off is not positive or either image is not finite. Never clipped:
        values outside 0 to 100 are noise or a fault, and cutting them off would bias every mean.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> mtr_map([1000, 800, 0], [600, 560, 5])
    array([40., 30., nan])
    """
    off, on = (np.asarray(image, dtype=np.float64) for image in (mt_off, mt_on))
    _same_shape({"mt_off": off, "mt_on": on})
    mtr = np.full(off.shape, np.nan)
    known = np.isfinite(off) & np.isfinite(on) & (off > 0)
    mtr[known] = 100.0 * (off[known] - on[known]) / off[known]
    return mtr


def mtsat_map(
    mt_w: ArrayLike,
    pd_w: ArrayLike,
    t1_w: ArrayLike,
    *,
    tr_s: tuple[float, float, float],
    flip_deg: tuple[float, float, float],
    b1: ArrayLike | None = None,
    b1_correction: B1Correction | None = None,
    b1_coefficient: float | None = None,
    angles: Angles = "small",
) -> MTsat:
    """Magnetisation transfer saturation from three spoiled gradient echoes.

    Solves ``S = A a R1 TR / (a^2/2 + delta + R1 TR)`` for amplitude `A`, rate `R1` (PD- and T1-weighted
    images, ``delta = 0``) and saturation ``delta`` (MT-weighted image); `a` is the flip angle in radians.

    Parameters
    ----------
    mt_w, pd_w, t1_w
        MT-, proton-density- and T1-weighted images on one grid, same receiver gain. Not altered.
    tr_s, flip_deg
        Repetition times in seconds and excitation flip angles in degrees, in that order.
    b1
        Local over nominal flip angle (1 = as prescribed), same grid.
    b1_correction
        How saturation still depends on B1. ``"helms"``: computed with nominal angles, times
        ``(1 - C) / (1 - C b1)``, C 0.4 (220 degree pulse of the paper); so it assumes a saturation
        proportional to ``b1^2 (1 - C b1)``. ``"lipp"``: computed with local angles, divided by
        ``1 + C (b1 - 1)``, C 1.2 (700 degrees). Needed when, and only when, `b1` is given.
    b1_coefficient
        C for another MT pulse. It must be calibrated for the pulse that is used.
    angles
        ``"small"``: `a` is the angle, as published. ``"tangent"``: ``a = 2 tan(angle/2)``, which makes
        `A` exact and leaves of R1 only the error ``(R1 TR)^2 / 12``; of weight above about 15 degrees.

    Returns
    -------
    MTsat
        NaN where a signal is not positive and finite, B1 is missing, or no R1 > 0 fits. Never clipped.
        By the full steady-state equation (saturation d just before excitation) the result is
        ``d/(1-d) (1 + R1 TR/2) (1 + a^2/4)``, a few percent more than d; that is the convention.

    Raises
    ------
    InputError
        Shapes that differ; TR or angles in another unit; B1 in percent; a correction without B1.

    References
    ----------
    Helms G et al. MRM 2008;60:1396-1407. 10.1002/mrm.21732; erratum 2010;64:1856. Dathe H,
    Helms G. Phys Med Biol 2010;55:4231. 10.1088/0031-9155/55/15/003 (tangent). Helms G et al. 2021,
    arXiv:2104.14878. Lipp I et al. MRM 2023. 10.1002/mrm.29524

    Examples
    --------
    >>> result = mtsat_map([1500], [2000], [1500], tr_s=(.030, .030, .015), flip_deg=(9, 9, 15))
    >>> print(f"{result.mtsat_pu[0]:.3f} pu, T1 {1 / result.r1_per_s[0]:.4f} s")
    1.533 pu, T1 0.8916 s
    """
    signals = {n: np.asarray(s, np.float64) for n, s in zip(_IMAGES, (mt_w, pd_w, t1_w), strict=True)}
    _check_protocol(tr_s, flip_deg)
    local = _check_b1(b1, b1_correction)
    _same_shape(signals | ({} if local is None else {"b1": local}))
    known = _usable(*signals.values(), *([] if local is None else [local]))
    mt, pd, t1 = (signal[known] for signal in signals.values())
    ratio = np.ones(len(mt)) if local is None else local[known]

    r1, amplitude = _r1_and_amplitude(pd, t1, tr_s[1:], _angles(flip_deg[1:], ratio, angles))
    r1_for, amplitude_for, angle = r1, amplitude, _angles(flip_deg[:1], ratio, angles)[0]
    if b1_correction == "helms":
        nominal = np.ones_like(ratio)
        r1_for, amplitude_for = _r1_and_amplitude(pd, t1, tr_s[1:], _angles(flip_deg[1:], nominal, angles))
        angle = _angles(flip_deg[:1], nominal, angles)[0]
    delta = 100.0 * ((amplitude_for * angle / mt - 1.0) * r1_for * tr_s[0] - angle**2 / 2.0)
    delta *= _b1_factor(ratio, b1_correction, b1_coefficient)
    return MTsat(*(_fill(known, values) for values in (delta, r1, amplitude)))


def _angles(flip_deg: tuple[float, ...], b1: FloatArray, angles: Angles) -> list[FloatArray]:
    if angles not in get_args(Angles):
        raise InputError("", "angles", repr(angles), "small or tangent", "choose one of the two")
    local = [np.deg2rad(flip) * b1 for flip in flip_deg]
    return local if angles == "small" else [2.0 * np.tan(angle / 2.0) for angle in local]


def _r1_and_amplitude(
    pd: FloatArray, t1: FloatArray, tr_s: tuple[float, ...], angle: list[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    (tr_pd, tr_t1), (a_pd, a_t1) = tr_s, angle
    with np.errstate(divide="ignore", invalid="ignore"):
        r1 = 0.5 * (t1 * a_t1 / tr_t1 - pd * a_pd / tr_pd) / (pd / a_pd - t1 / a_t1)
        r1 = np.where(np.isfinite(r1) & (r1 > 0), r1, np.nan)
        amplitude = pd * (a_pd**2 / 2.0 + r1 * tr_pd) / (a_pd * r1 * tr_pd)
    return r1, amplitude


def _b1_factor(b1: FloatArray, correction: B1Correction | None, coefficient: float | None) -> FloatArray:
    if correction is None:
        return np.ones_like(b1)
    c = B1_COEFFICIENT[correction] if coefficient is None else coefficient
    residual = (1.0 - c * b1) / (1.0 - c) if correction == "helms" else 1.0 + c * (b1 - 1.0)
    # At the zero of the straight line the model no longer describes a pulse.
    return 1.0 / np.where(residual > 0, residual, np.nan)


def _check_protocol(tr_s: tuple[float, ...], flip_deg: tuple[float, ...]) -> None:
    for name, values, (low, high), unit, slip in (
        ("tr_s", tr_s, TR_S, "s", "divide by 1000 if it stands in ms"),
        ("flip_deg", flip_deg, FLIP_DEG, "degrees", "multiply by 180/pi if it stands in radians"),
    ):
        if len(values) != 3:
            raise InputError(
                "", name, f"{len(values)} values", "3: MT-, PD- and T1-weighted", "give all three"
            )
        for image, value in zip(_IMAGES, values, strict=True):
            if not low <= value <= high:
                raise InputError("", f"{name} of {image}", f"{value:g}", f"{low:g} to {high:g} {unit}", slip)
    if np.isclose(flip_deg[1] ** 2 / tr_s[1], flip_deg[2] ** 2 / tr_s[2], rtol=1e-3):
        raise InputError(
            "", "pd_w and t1_w", "two images of the same T1 weighting", "different flip angle or TR",
            "check which files are PD- and T1-weighted",
        )  # fmt: skip


def _check_b1(b1: ArrayLike | None, correction: B1Correction | None) -> FloatArray | None:
    if correction is not None and correction not in get_args(B1Correction):
        raise InputError("", "b1_correction", repr(correction), "helms or lipp", "choose one of the two")
    if (b1 is None) != (correction is None):
        found, missing = ("b1_correction", "b1") if b1 is None else ("b1", "b1_correction")
        raise InputError("", missing, "missing", f"given together with {found}", "give both, or neither")
    if b1 is None:
        return None
    local = np.asarray(b1, dtype=np.float64)
    positive = local[np.isfinite(local) & (local > 0)]
    middle = float(np.median(positive)) if positive.size else np.nan
    if not 0.2 <= middle <= 5.0:
        raise InputError(
            "", "b1", f"about {middle:g}", "a ratio near 1", "divide by 100 if it stands in percent"
        )
    return local


def _same_shape(images: dict[str, FloatArray]) -> None:
    (first, reference), *others = images.items()
    for name, image in others:
        if image.shape != reference.shape:
            fix = "use images on one grid: register and resample, or choose the matching file"
            raise InputError("", name, f"shape {image.shape}", f"{reference.shape} as in {first}", fix)


def _usable(*images: FloatArray) -> NDArray[np.bool_]:
    usable: NDArray[np.bool_] = np.logical_and.reduce([np.isfinite(i) & (i > 0) for i in images])
    return usable


def _fill(known: NDArray[np.bool_], values: FloatArray) -> FloatArray:
    image = np.full(known.shape, np.nan)
    image[known] = values
    return image
