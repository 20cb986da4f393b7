"""A head in the scanner, voxel by voxel: the compiled loops.

Nothing here is interpolated from another image. A voxel asks the head which tissue lies at its place, a
lesion which part of the voxel it fills, and the tables what signal that gives at the local transmit field.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
FILL = 5  # points along each edge of a voxel that say how much of it a lesion fills
_ACROSS = 100.0  # mm, the unit of the fields


class Frame(NamedTuple):
    """Where a voxel lies, and in which fields.

    `to_head`, `to_scanner` (3, 4) take a voxel index to mm; `b1` (10,) is a field of the head, `receive`
    (10,) of the scanner, the log of its sensitivity: see `scanner.Fields`.
    """

    to_head: FloatArray
    to_scanner: FloatArray
    b1: FloatArray
    receive: FloatArray


class Atlas(NamedTuple):
    """What lies where: the arrays of `Template`, and the `warp` of `Head` on a grid of `step` mm.

    A mm of the head is `spread` mm of the template.
    """

    tissue: NDArray[np.uint8]
    brain: NDArray[np.bool_]
    near: NDArray[np.bool_]
    origin: FloatArray
    warp: NDArray[np.float32]
    step: float
    spread: float


class Signals(NamedTuple):
    """The tables of `Contrasts` with their `axes`, and the bound fraction of white matter."""

    white: FloatArray
    other: FloatArray
    axes: FloatArray
    whole: float


@numba.njit(cache=True, nogil=True)
def tissue_image(out, mask, frame, atlas, signals, split):  # type: ignore[no-untyped-def]
    """Fill `out` (contrast, x, y, z) with the signal of a head without lesions, `mask` with its brain.

    `split` points along each edge of a voxel are asked which tissue they lie in.
    """
    place, moved = np.empty(3), np.empty(4, np.float32)
    tissue, part = np.empty(4, np.float32), np.empty(4, np.float32)
    to_head, maps, spread = frame.to_head, atlas.tissue, atlas.spread
    warp, step, origin, near, brain = atlas.warp, atlas.step, atlas.origin, atlas.near, atlas.brain
    white, other, axes, whole = signals.white, signals.other, signals.axes, signals.whole
    high = np.array(maps.shape[:3]) - 2
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            for k in range(out.shape[3]):
                if not _in_template(to_head, warp, step, origin, i, j, k, place, moved):
                    continue
                if not (_within(place, high) and near[_block(place[0]), _block(place[1]), _block(place[2])]):
                    continue
                mask[i, j, k] = brain[int(place[0] + 0.5), int(place[1] + 0.5), int(place[2] + 0.5)]
                _mean_tissue(to_head, maps, spread, place, split, tissue, part)
                if part[0] + part[1] + part[2] + part[3] > 0.5:
                    gain = np.exp(_field(frame.receive, frame.to_scanner, i, j, k)) / 255
                    angle = _field(frame.b1, frame.to_head, i, j, k)
                    cell = _cell(whole * (1 + moved[3]), angle, axes, white.shape)
                    _mixed(out[:, i, j, k], part, gain, cell, white, other)


@numba.njit(cache=True, nogil=True)
def lesion_image(out, filled, label, which, frame, places, to_unit, bound, rim, signals):  # type: ignore[no-untyped-def]
    """Put lesions into `out` (contrast, x, y, z), and what they fill into `filled` and `label` (x, y, z).

    Of lesion `which[n]`: `places` (lesion, 3) the voxel index of its middle, `to_unit` (lesion, 3, 3) as in
    `Plaque`, `bound` its mean bound fraction, which rises from core to surface by its `rim` times the squared
    distance. `label` is the lesion, from 1, that fills most of a voxel.
    """
    step = np.sqrt((frame.to_head[:, 0] ** 2).sum())
    low, high, matrix = np.empty(3, np.int64), np.empty(3, np.int64), np.empty((3, 3))
    for n in range(len(which)):
        k = which[n]
        middle = places[k]
        reach = int(_longest(to_unit[k]) / step) + 2
        for d in range(3):
            low[d] = max(int(middle[d]) - reach, 0)
            high[d] = min(int(middle[d]) + reach + 2, out.shape[d + 1])
            for e in range(3):
                matrix[d, e] = (to_unit[k, d] * frame.to_head[:, e]).sum()
        for x in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                for z in range(low[2], high[2]):
                    inside, squared = _fill(matrix, x - middle[0], y - middle[1], z - middle[2])
                    if inside > 0:
                        own = bound[k] + rim[k] * (squared / inside - 0.6)
                        fraction = inside / FILL**3
                        _replaced(out[:, x, y, z], fraction, own, frame, signals, x, y, z)
                        if fraction > filled[x, y, z]:
                            filled[x, y, z] = fraction
                            label[x, y, z] = k + 1


@numba.njit(cache=True, nogil=True)
def _in_template(to_head, warp, step, origin, i, j, k, place, moved):  # type: ignore[no-untyped-def]
    """The voxel of the template at the middle of a voxel, into `place`; False far outside."""
    x = to_head[0, 0] * i + to_head[0, 1] * j + to_head[0, 2] * k + to_head[0, 3]
    y = to_head[1, 0] * i + to_head[1, 1] * j + to_head[1, 2] * k + to_head[1, 3]
    z = to_head[2, 0] * i + to_head[2, 1] * j + to_head[2, 2] * k + to_head[2, 3]
    nx, ny, nz = warp.shape[0] - 1, warp.shape[1] - 1, warp.shape[2] - 1
    a, b, c = x / step + nx / 2, y / step + ny / 2, z / step + nz / 2
    if a < 0 or b < 0 or c < 0 or a >= nx or b >= ny or c >= nz:
        return False
    _eight(warp, a, b, c, moved)
    place[0] = x + moved[0] - origin[0]
    place[1] = y + moved[1] - origin[1]
    place[2] = z + moved[2] - origin[2]
    return True


@numba.njit(cache=True, nogil=True)
def _within(place, high):  # type: ignore[no-untyped-def]
    """Room for all points of a voxel; the template ends at the neck, where a head goes on."""
    sides = place[0] >= 2 and place[1] >= 2 and place[0] < high[0] - 2 and place[1] < high[1] - 2
    return sides and place[2] >= 0 and place[2] < high[2] - 2


@numba.njit(cache=True, nogil=True)
def _block(place):  # type: ignore[no-untyped-def]
    return int(place) // 8


@numba.njit(cache=True, nogil=True)
def _mean_tissue(to_head, maps, spread, place, split, tissue, part):  # type: ignore[no-untyped-def]
    """Mean fractions of tissue, 0 to 255, over the points of a voxel, into `part`; `tissue` holds one."""
    part[:] = 0
    for s in range(split**3):
        e = spread * ((s // (split * split) + 0.5) / split - 0.5)
        f = spread * ((s // split % split + 0.5) / split - 0.5)
        g = spread * ((s % split + 0.5) / split - 0.5)
        x = place[0] + to_head[0, 0] * e + to_head[0, 1] * f + to_head[0, 2] * g
        y = place[1] + to_head[1, 0] * e + to_head[1, 1] * f + to_head[1, 2] * g
        z = place[2] + to_head[2, 0] * e + to_head[2, 1] * f + to_head[2, 2] * g
        _eight(maps, x, y, max(z, 0.0), tissue)
        for d in range(4):
            part[d] += tissue[d]
    for d in range(4):
        part[d] /= split**3


@numba.njit(cache=True, nogil=True)
def _eight(grid, a, b, c, out):  # type: ignore[no-untyped-def]
    """Four values between the eight nodes around a place inside a grid (x, y, z, 4)."""
    p, q, r = int(a), int(b), int(c)
    u, v, w = np.float32(a - p), np.float32(b - q), np.float32(c - r)
    one = np.float32(1)
    w00, w01, w10, w11 = (one - u) * (one - v), (one - u) * v, u * (one - v), u * v
    low = one - w
    for d in range(4):
        out[d] = (
            w00 * (low * grid[p, q, r, d] + w * grid[p, q, r + 1, d])
            + w01 * (low * grid[p, q + 1, r, d] + w * grid[p, q + 1, r + 1, d])
            + w10 * (low * grid[p + 1, q, r, d] + w * grid[p + 1, q, r + 1, d])
            + w11 * (low * grid[p + 1, q + 1, r, d] + w * grid[p + 1, q + 1, r + 1, d])
        )


@numba.njit(cache=True, nogil=True)
def _mixed(out, part, gain, cell, white, other):  # type: ignore[no-untyped-def]
    """Signal of a mixture of tissues, by contrast."""
    _, n, _, v = cell
    for d in range(len(out)):
        signal = part[0] * _at(white, d, cell)
        for t in range(3):
            signal += part[t + 1] * ((1 - v) * other[t, d, n] + v * other[t, d, n + 1])
        out[d] = gain * signal


@numba.njit(cache=True, nogil=True)
def _replaced(out, fraction, bound, frame, signals, i, j, k):  # type: ignore[no-untyped-def]
    """Put a lesion's signal into a part of a voxel, by contrast."""
    gain = np.exp(_field(frame.receive, frame.to_scanner, i, j, k))
    cell = _cell(bound, _field(frame.b1, frame.to_head, i, j, k), signals.axes, signals.white.shape)
    for d in range(len(out)):
        out[d] = (1 - fraction) * out[d] + fraction * gain * _at(signals.white, d, cell)


@numba.njit(cache=True, nogil=True)
def _field(c, to_mm, i, j, k):  # type: ignore[no-untyped-def]
    """A field of ten coefficients at a voxel that `to_mm` (3, 4) takes to its place."""
    x = (to_mm[0, 0] * i + to_mm[0, 1] * j + to_mm[0, 2] * k + to_mm[0, 3]) / _ACROSS
    y = (to_mm[1, 0] * i + to_mm[1, 1] * j + to_mm[1, 2] * k + to_mm[1, 3]) / _ACROSS
    z = (to_mm[2, 0] * i + to_mm[2, 1] * j + to_mm[2, 2] * k + to_mm[2, 3]) / _ACROSS
    linear = c[0] + c[1] * x + c[2] * y + c[3] * z
    return linear + c[4] * x * x + c[5] * y * y + c[6] * z * z + c[7] * x * y + c[8] * y * z + c[9] * x * z


@numba.njit(cache=True, nogil=True)
def _cell(bound, angle, axes, shape):  # type: ignore[no-untyped-def]
    """The cell of the tables that holds a bound fraction and a transmit field, and the place in it."""
    a = min(max((bound - axes[0, 0]) / axes[0, 1], 0.0), shape[1] - 1.001)
    b = min(max((angle - axes[1, 0]) / axes[1, 1], 0.0), shape[2] - 1.001)
    m, n = int(a), int(b)
    return m, n, a - m, b - n


@numba.njit(cache=True, nogil=True)
def _at(white, d, cell):  # type: ignore[no-untyped-def]
    m, n, u, v = cell
    low = (1 - v) * white[d, m, n] + v * white[d, m, n + 1]
    return (1 - u) * low + u * ((1 - v) * white[d, m + 1, n] + v * white[d, m + 1, n + 1])


@numba.njit(cache=True, nogil=True)
def _longest(unit):  # type: ignore[no-untyped-def]
    """The longest radius of the ellipsoid that `unit` (3, 3) takes to the unit ball."""
    least = 1e30
    for d in range(3):
        least = min(least, unit[d, 0] ** 2 + unit[d, 1] ** 2 + unit[d, 2] ** 2)
    return 1 / np.sqrt(least)


@numba.njit(cache=True, nogil=True)
def _fill(matrix, i, j, k):  # type: ignore[no-untyped-def]
    """How many of the points of a voxel lie in the unit ball, and the sum of their squared distances."""
    inside, squared = 0, 0.0
    for s in range(FILL**3):
        u = i + (s // FILL**2 + 0.5) / FILL - 0.5
        v = j + (s // FILL % FILL + 0.5) / FILL - 0.5
        w = k + (s % FILL + 0.5) / FILL - 0.5
        x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w
        y = matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w
        z = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2] * w
        distance = x * x + y * y + z * z
        if distance <= 1:
            inside += 1
            squared += distance
    return inside, squared
