"""What instruments read of a repaired lesion: tables of P100 delay and of MTR, made once and read between."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from remyelin.evidence.load import parameter
from remyelin.virtual.assumptions import assumptions

FloatArray = npt.NDArray[np.float64]
COVERED = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
THICKNESS = (0.15, 0.3, 0.45, 0.6, 0.8, 1.05)
SHORT = (1, 3, 5)
N_AXONS = 250
NERVE_MM = 50.0
MYELIN = tuple(np.linspace(0, 1, 11).tolist())


def delay_ratio(
    covered: FloatArray, thickness: FloatArray, *, nav_fraction: FloatArray, short_internodes: FloatArray
) -> FloatArray:
    """P100 delay of a nerve whose lesion is partly covered, over that of the same lesion bare.

    Parameters
    ----------
    covered, thickness
        Part of the bare length that is covered again, and thickness of the new sheaths (1: normal).
    nav_fraction, short_internodes
        Channels of bare axon relative to a node's, and new internodes in the place of one. All broadcast.

    Examples
    --------
    >>> at = np.array([0.0, 0.5, 1.0])
    >>> delay_ratio(at, 0.6, nav_fraction=0.01, short_internodes=3).round(2)
    array([1.  , 0.54, 0.02])
    """
    axes = (np.log(_densities()), np.array(SHORT, dtype=float), np.array(THICKNESS), np.array(COVERED))
    wanted = np.broadcast_arrays(np.log(nav_fraction), short_internodes, thickness, covered)
    return _read(_delays() / bare_delay_table()[:, None, None, None], axes, wanted)


def bare_delay_ms(nav_fraction: FloatArray) -> FloatArray:
    """P100 delay of a nerve with a bare lesion as long as optic neuritis makes it (12.35 mm, Denis 2022)."""
    return np.exp(np.interp(np.log(nav_fraction), np.log(_densities()), np.log(bare_delay_table())))


def mtr_of_myelin(myelin: FloatArray) -> FloatArray:
    """MTR in pu of a lesion with part of its myelin, by the two-pool model and the virtual scanner."""
    return np.asarray(np.interp(myelin, MYELIN, _mtr_table()))


def lesion_mm() -> float:
    """Length of the lesion for which the delays are tabulated."""
    return parameter("optic_neuritis_lesion_length", time="acute").value


def _densities() -> tuple[float, ...]:
    row = assumptions()["nav_fraction"]
    inner = (math.sqrt(row.low * row.value), row.value, math.sqrt(row.value * row.high))
    return row.low, *inner, row.high


@cache
def bare_delay_table() -> FloatArray:
    """(density,) delay of the bare nerve in ms."""
    return np.asarray(_delays()[:, 0, 0, 0])


@cache
def _delays() -> FloatArray:
    """(density, short, thickness, covered) P100 delay in ms against the same nerve without a lesion."""
    from remyelin.biology.sheaths import Axons, Cover, myelin_state
    from remyelin.conduction import NerveBundle
    from remyelin.signal import vep_response

    axons = Axons.drawn(N_AXONS, 1e3 * lesion_mm(), np.random.default_rng(0))

    def nerve(nav: float, short: int, thickness: float, covered: float) -> NerveBundle:
        cover = Cover(0.0, covered, thickness, 1.0)
        state = myelin_state(axons, cover, day=0.0, n_short=short, cells=(0.0, 0.0, 0.0))
        return NerveBundle.from_state(state, nav_fraction=nav, length_mm=NERVE_MM)

    def latency_ms(bundle: NerveBundle) -> float:
        return vep_response(bundle.arrive()).latency_ms

    intact = latency_ms(nerve(_densities()[0], 1, 1.0, 1.0).intact())
    shape = (len(_densities()), len(SHORT), len(THICKNESS), len(COVERED))
    grid = product(_densities(), SHORT, THICKNESS, COVERED)
    return np.array([latency_ms(nerve(*at)) - intact for at in grid]).reshape(shape)


@cache
def _mtr_table() -> FloatArray:
    from remyelin.signal import mtr_pu, white_matter

    return mtr_pu(white_matter(np.array(MYELIN)))


def _read(
    table: FloatArray, axes: tuple[FloatArray, ...], wanted: tuple[npt.NDArray[np.float64], ...]
) -> FloatArray:
    """Linear between the points of each axis; ends are held."""
    from scipy.interpolate import RegularGridInterpolator

    inside = [np.clip(values, axis[0], axis[-1]) for values, axis in zip(wanted, axes, strict=True)]
    points = np.stack([each.ravel() for each in inside], axis=-1)
    return np.asarray(RegularGridInterpolator(axes, table)(points).reshape(inside[0].shape))
