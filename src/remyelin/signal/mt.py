"""Magnetisation transfer: what MT-off, MT-on and T1-weighted recordings of a tissue show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError, did_you_mean

from .lineshape import lineshape_s
from .sequence import Sequence
from .steady_state import free_steady_state
from .tissue import Tissue

FloatArray = NDArray[np.float64]

MODELS = ("sled-pike", "sled-pike-cw", "yarnykh", "ramani")
# Voxels worked on at once: what they need stays in the cache of the processor's core.
_AT_ONCE = 1 << 16
# More distinct values than this are interpolated between so many Chebyshev nodes.
_NODES = 24


@dataclass(frozen=True, slots=True)
class MTSignals:
    """Signals without noise, 1 for white matter's free water turned by 90 degrees at rest.

    Parameters
    ----------
    off, on
        Without and with MT pulses.
    t1w
        T1-weighted, without MT pulses.
    """

    off: FloatArray
    on: FloatArray
    t1w: FloatArray


def mt_signals(
    tissue: Tissue,
    sequence: Sequence | None = None,
    *,
    b1: ArrayLike = 1.0,
    model: str = "sled-pike",
    lineshape: str = "super-lorentzian",
) -> MTSignals:
    """The steady-state signals of a tissue.

    Parameters
    ----------
    tissue
        One value or arrays.
    sequence
        The virtual scanner's by default.
    b1
        Transmitted field, 1 where it is nominal: scales the MT pulse and the excitation. Broadcast with the tissue.
    model
        How the MT pulse is treated: ``"sled-pike"`` (a rectangle of the same power, and its direct effect on
        water at once; 10.1006/jmre.2000.2059), ``"sled-pike-cw"`` (a continuous wave of the same power),
        ``"yarnykh"`` (the true timing, a Lorentzian direct effect; 10.1002/mrm.23224) or ``"ramani"`` (continuous
        wave, no excitation; 10.1016/S0730-725X(02)00598-2).
    lineshape
        Of the bound pool, see `lineshape_s`.

    Raises
    ------
    InputError
        For another model or lineshape, a field that cannot be, or shapes that do not broadcast.

    Examples
    --------
    >>> found = mt_signals(Tissue(bound_fraction=[0.069, 0.025], t1_s=[0.62, 1.0]))
    >>> (100 * (1 - found.on / found.off)).round(1)
    array([...])
    """
    sequence = Sequence() if sequence is None else sequence
    if model not in MODELS:
        raise InputError("", "model", repr(model), ", ".join(MODELS), did_you_mean(str(model), MODELS))
    field = _field(b1)
    names = (
        "bound_ratio",
        "free_r1_per_s",
        "t1_bound_s",
        "exchange_per_s",
        "t2_free_s",
        "t2_bound_us",
        "water",
    )
    given = [np.asarray(getattr(tissue, name)) for name in names]
    try:
        shape = np.broadcast_shapes(field.shape, *(value.shape for value in given))
    except ValueError:
        words = f"of shape {field.shape}, the tissue {np.broadcast_shapes(*(v.shape for v in given))}"
        raise InputError("", "b1", words, "shapes that broadcast", "give one value or one a voxel") from None
    flat = [np.broadcast_to(value, shape).reshape(-1) for value in (*given, field)]
    out = np.empty((3, flat[0].size))
    loss = _Saturation(sequence, model, lineshape, flat[4], flat[5], flat[7])
    for start in range(0, flat[0].size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        _fill([value[part] for value in flat], sequence, model, loss, out[:, part])
    return MTSignals(*(row.reshape(shape) for row in out))


def mtr_pu(
    tissue: Tissue,
    sequence: Sequence | None = None,
    *,
    b1: ArrayLike = 1.0,
    model: str = "sled-pike",
    lineshape: str = "super-lorentzian",
) -> FloatArray:
    """The magnetisation transfer ratio of a tissue, 100 (off - on) / off, in percent units.

    Parameters as `mt_signals`.

    Examples
    --------
    >>> mtr_pu(Tissue(bound_fraction=[0.069, 0.041, 0.025], t1_s=[0.62, 0.8, 0.97])).round(1)
    array([...])
    """
    found = mt_signals(tissue, sequence, b1=b1, model=model, lineshape=lineshape)
    return np.asarray(100 * (1 - found.on / found.off))


class _Saturation:
    """What an MT pulse does to each voxel: rates, and what it leaves of free water."""

    def __init__(
        self,
        sequence: Sequence,
        model: str,
        shape: str,
        t2_free: FloatArray,
        t2_bound: FloatArray,
        b1: FloatArray,
    ) -> None:
        pulse = sequence.pulse
        seconds = {"sled-pike": pulse.width_ms, "yarnykh": pulse.duration_ms}.get(
            model, sequence.tr_ms
        ) * 1e-3
        self.squared = pulse.power / seconds
        self.turn = 2 * np.pi * pulse.offset_hz
        self.lineshape = _table(lambda t2: lineshape_s(pulse.offset_hz, t2, shape), t2_bound)
        self.left = None
        if model.startswith("sled"):
            self.left = _table(pulse.left_of_water, t2_free, b1)


def _table(function, *arguments):
    """A function of one or two arguments as a Chebyshev polynomial over the range that they have."""
    nodes, spans = [], []
    for values in arguments:
        low, high = float(values.min()), float(values.max())
        one = low == high
        x = np.zeros(1) if one else np.polynomial.chebyshev.chebpts1(_NODES)
        nodes.append(x)
        spans.append(((low + high) / 2, 1.0 if one else (high - low) / 2))
    grids = np.meshgrid(*(m + h * x for x, (m, h) in zip(nodes, spans, strict=True)), indexing="ij")
    coefficients = np.asarray(function(*grids))
    for axis, x in enumerate(nodes):
        solve = np.linalg.inv(np.polynomial.chebyshev.chebvander(x, len(x) - 1))
        coefficients = np.moveaxis(np.tensordot(solve, coefficients, (1, axis)), 0, axis)

    def value(*at: FloatArray) -> FloatArray:
        scaled = [(a - m) / h for a, (m, h) in zip(at, spans, strict=True)]
        if len(scaled) == 1:
            return np.polynomial.chebyshev.chebval(scaled[0], coefficients)
        return np.polynomial.chebyshev.chebval2d(*scaled, coefficients)

    return value


def _fill(flat, sequence: Sequence, model: str, loss: _Saturation, out: FloatArray) -> None:
    ratio, free_r1, t1_bound, exchange, t2_free, t2_bound, water, b1 = flat
    bound_r1 = 1 / t1_bound
    squared = loss.squared * b1**2
    bound_loss = np.pi * squared * loss.lineshape(t2_bound)
    free_loss = np.zeros_like(ratio)
    left = np.ones_like(ratio)
    if loss.left is not None:
        left = loss.left(t2_free, b1)
    else:
        free_loss = squared / (loss.turn**2 * t2_free)
    flip = np.radians(sequence.flip_deg) * b1
    turned = np.radians(sequence.t1w_flip_deg) * b1
    pools = (ratio, free_r1, bound_r1, exchange)
    ones = np.ones_like(ratio)

    tr = sequence.tr_ms * 1e-3
    mt = {
        "sled-pike": ((loss_width := sequence.pulse.width_ms * 1e-3) / 2, tr - loss_width, loss_width / 2),
        "sled-pike-cw": (tr, 0.0, 0.0),
        "yarnykh": (sequence.rest_ms * 1e-3, sequence.pulse.duration_ms * 1e-3, sequence.gap_ms * 1e-3),
        "ramani": (tr, 0.0, 0.0),
    }[model]
    saturated = {
        "sled-pike": (True, False, True),
        "sled-pike-cw": (True, False, False),
        "yarnykh": (False, True, False),
        "ramani": (True, False, False),
    }[model]
    rotation = ones if model in ("sled-pike-cw", "ramani") else np.cos(flip)
    none = (False, False, False)
    free_steady_state(*pools, left * rotation, free_loss, bound_loss, mt, saturated, out[1])
    free_steady_state(*pools, rotation * ones, free_loss, bound_loss, mt, none, out[0])
    free_steady_state(
        *pools, np.cos(turned), free_loss, bound_loss, (sequence.t1w_tr_ms * 1e-3, 0.0, 0.0), none, out[2]
    )
    out[1] *= water * left * np.sin(flip)
    out[0] *= water * np.sin(flip)
    out[2] *= water * np.sin(turned)


def _field(b1: ArrayLike) -> FloatArray:
    field = np.asarray(b1, np.float64)
    right = np.isfinite(field) & (field >= 0.1) & (field <= 3)
    if not right.all():
        raise InputError(
            "",
            "b1",
            f"{field[~right].flat[0]:g}",
            "finite, 0.1 to 3",
            "give it relative to the nominal field (1)",
        )
    return field
