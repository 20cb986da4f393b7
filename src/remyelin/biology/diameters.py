"""How thick the axons of an optic nerve are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.evidence.load import parameter

FloatArray = NDArray[np.float64]

# The ends of the surrogate's table; 97 % of the axons of the usual distribution lie between.
THINNEST_UM, THICKEST_UM = 0.2, 4.0


def draw_diameters(
    n_axons: int,
    *,
    rng: np.random.Generator,
    mean_um: float | None = None,
    sd_um: float | None = None,
) -> FloatArray:
    """(axon,) diameters from a log-normal distribution between 0.2 and 4 um.

    Of callosal axons the log-normal fits better than the gamma distribution (Sepehrband 2016,
    10.3389/fnana.2016.00059). Of the optic nerve only a mean, and the mode and 90 % point of three
    nerves, were seen: unimodal with a tail to the right.

    Parameters
    ----------
    n_axons
        How many.
    rng
        Draws them.
    mean_um, sd_um
        Of the distribution before its ends are cut off; by default those of the evidence base.

    Raises
    ------
    InputError
        For a count, mean or SD that cannot be.

    Examples
    --------
    >>> draw_diameters(3, rng=np.random.default_rng(1)).round(2)
    array([0.63, 1.62, 0.34])
    """
    from scipy.special import ndtr, ndtri

    if n_axons < 1 or n_axons != int(n_axons):
        raise wrong("n_axons", f"{n_axons:g}", "a whole number, 1 or more")
    mean = parameter("optic_nerve_axon_diameter", people="healthy").value if mean_um is None else mean_um
    sd = mean * parameter("optic_nerve_axon_diameter_cv").value if sd_um is None else sd_um
    if not THINNEST_UM < mean < THICKEST_UM:
        raise wrong("diameter_mean_um", f"{mean:g}", f"between {THINNEST_UM:g} and {THICKEST_UM:g}")
    if not 0 <= sd <= 2 * mean:
        raise wrong("diameter_sd_um", f"{sd:g}", f"0 to {2 * mean:g}, twice the mean")
    if sd == 0:
        return np.full(n_axons, mean)
    width = math.sqrt(math.log1p((sd / mean) ** 2))
    centre = math.log(mean) - width**2 / 2
    low, high = (ndtr((math.log(end) - centre) / width) for end in (THINNEST_UM, THICKEST_UM))
    return np.asarray(np.exp(centre + width * ndtri(low + (high - low) * rng.random(n_axons))))


def wrong(name: str, found: str, expected: str) -> InputError:
    """A nerve that cannot be."""
    return InputError("", name, found, expected, "correct the nerve")
