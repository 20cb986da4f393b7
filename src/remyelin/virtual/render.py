"""A head in the scanner, voxel by voxel: the compiled loops.

Nothing here is interpolated from another image. A voxel asks the head which tissue lies at its place, a
lesion which part of the voxel it fills, and the tables what signal that gives at the local transmit field.
"""

from __future__ import annotations

import numba
import numpy as np

FILL = 5  # points along each edge of a voxel that say how much of it a lesion fills


@numba.njit(cache=True, nogil=True)
def _field(c, to_mm, i, j, k):
    """A field of ten coefficients (`Fields`) at a voxel that `to_mm` (3, 4) takes to its place."""
    x = (to_mm[0, 0] * i + to_mm[0, 1] * j + to_mm[0, 2] * k + to_mm[0, 3]) / 100
    y = (to_mm[1, 0] * i + to_mm[1, 1] * j + to_mm[1, 2] * k + to_mm[1, 3]) / 100
    z = (to_mm[2, 0] * i + to_mm[2, 1] * j + to_mm[2, 2] * k + to_mm[2, 3]) / 100
    linear = c[0] + c[1] * x + c[2] * y + c[3] * z
    return linear + c[4] * x * x + c[5] * y * y + c[6] * z * z + c[7] * x * y + c[8] * y * z + c[9] * x * z


@numba.njit(cache=True, nogil=True)
def _eight(grid, a, b, c, out):
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
def tissue_image(
    out,
    mask,
    to_head,
    to_scanner,
    b1,
    receive,
    maps,
    brain,
    near,
    origin,
    warp,
    step,
    split,
    spread,
    whole,
    white,
    other,
    m_axis,
    b_axis,
):
    """Fill `out` (contrast, x, y, z) with the signal of a head without lesions, and `mask` (x, y, z) with its brain.

    `to_head`, `to_scanner` (3, 4) take a voxel index to mm; `b1` is a field of the head, `receive` of the
    scanner, the log of its sensitivity; `maps` (x, y, z, 4) uint8 with `origin`, `brain` the same as a mask, `near` whether there is
    anything in blocks of 8 voxels and around; `warp` (x, y, z, 4) on a grid of `step`;
    `split` points along each edge of a voxel, which is `spread` times as long in the template; `whole` the bound fraction of white matter; `white` (contrast, bound,
    b1) and `other` (3, contrast, b1) the signals of white matter by its bound fraction and of the other tissues;
    `m_axis`, `b_axis` (first, step) their axes.
    """
    gx, gy, gz = warp.shape[0], warp.shape[1], warp.shape[2]
    hx, hy, hz = (gx - 1) / 2, (gy - 1) / 2, (gz - 1) / 2
    nx, ny, nz = maps.shape[0], maps.shape[1], maps.shape[2]
    n_contrasts = out.shape[0]
    n_points = split**3
    part, tissue, moved = np.empty(4, np.float32), np.empty(4, np.float32), np.empty(4, np.float32)
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            for k in range(out.shape[3]):
                x = to_head[0, 0] * i + to_head[0, 1] * j + to_head[0, 2] * k + to_head[0, 3]
                y = to_head[1, 0] * i + to_head[1, 1] * j + to_head[1, 2] * k + to_head[1, 3]
                z = to_head[2, 0] * i + to_head[2, 1] * j + to_head[2, 2] * k + to_head[2, 3]
                a, b, c = x / step + hx, y / step + hy, z / step + hz
                if a < 0 or b < 0 or c < 0 or a >= gx - 1 or b >= gy - 1 or c >= gz - 1:
                    continue
                _eight(warp, a, b, c, moved)
                tx, ty, tz = x + moved[0] - origin[0], y + moved[1] - origin[1], z + moved[2] - origin[2]
                if tx < 1 or ty < 1 or tz < 0 or tx >= nx - 2 or ty >= ny - 2 or tz >= nz - 2:
                    continue
                if not near[int(tx) // 8, int(ty) // 8, int(tz) // 8]:
                    continue
                mask[i, j, k] = brain[int(tx + 0.5), int(ty + 0.5), int(tz + 0.5)]
                part[:] = 0
                for s in range(n_points):
                    e = spread * ((s // (split * split) + 0.5) / split - 0.5)
                    f = spread * ((s // split % split + 0.5) / split - 0.5)
                    g = spread * ((s % split + 0.5) / split - 0.5)
                    a = tx + to_head[0, 0] * e + to_head[0, 1] * f + to_head[0, 2] * g
                    b = ty + to_head[1, 0] * e + to_head[1, 1] * f + to_head[1, 2] * g
                    c = tz + to_head[2, 0] * e + to_head[2, 1] * f + to_head[2, 2] * g
                    _eight(maps, a, b, max(c, 0.0), tissue)
                    for d in range(4):
                        part[d] += tissue[d]
                if part[0] + part[1] + part[2] + part[3] < 0.5:
                    continue
                gain = np.exp(_field(receive, to_scanner, i, j, k)) / (255 * n_points)
                angle = _field(b1, to_head, i, j, k)
                m, n, mu, nu = _cell(whole * (1 + moved[3]), angle, m_axis, b_axis, white)
                for d in range(n_contrasts):
                    signal = part[0] * _at(white[d], m, n, mu, nu)
                    signal += part[1] * ((1 - nu) * other[0, d, n] + nu * other[0, d, n + 1])
                    signal += part[2] * ((1 - nu) * other[1, d, n] + nu * other[1, d, n + 1])
                    signal += part[3] * ((1 - nu) * other[2, d, n] + nu * other[2, d, n + 1])
                    out[d, i, j, k] = gain * signal


@numba.njit(cache=True, nogil=True)
def lesion_image(
    out,
    filled,
    label,
    which,
    to_head,
    to_scanner,
    b1,
    receive,
    places,
    to_unit,
    bound,
    rim,
    white,
    m_axis,
    b_axis,
):
    """Put lesions into `out` (contrast, x, y, z), and what they fill into `filled` and `label` (x, y, z).

    Of lesion `which[n]`: `places` (lesion, 3) the voxel index of the middle, `to_unit` (lesion, 3, 3), `bound` its mean bound
    fraction, which rises from core to surface by `rim` times the squared distance. `label` is the lesion, from 1,
    that fills most of a voxel.
    """
    shape = out.shape[1:]
    step = np.sqrt((to_head[:, 0] ** 2).sum())
    low, high, matrix = np.empty(3, np.int64), np.empty(3, np.int64), np.empty((3, 3))
    for n in range(len(which)):
        k = which[n]
        unit = to_unit[k]
        radius = _longest(unit)
        middle = places[k]
        reach = int(radius / step) + 2
        for d in range(3):
            low[d] = max(int(middle[d]) - reach, 0)
            high[d] = min(int(middle[d]) + reach + 2, shape[d])
        for d in range(3):
            for e in range(3):
                matrix[d, e] = (
                    unit[d, 0] * to_head[0, e] + unit[d, 1] * to_head[1, e] + unit[d, 2] * to_head[2, e]
                )
        for i in range(low[0], high[0]):
            for j in range(low[1], high[1]):
                for m in range(low[2], high[2]):
                    inside, squared = _fill(matrix, i - middle[0], j - middle[1], m - middle[2])
                    if inside == 0:
                        continue
                    fraction = inside / FILL**3
                    gain = np.exp(_field(receive, to_scanner, i, j, m))
                    own = bound[k] + rim * (squared / inside - 0.6)
                    p, q, mu, nu = _cell(own, _field(b1, to_head, i, j, m), m_axis, b_axis, white)
                    for d in range(out.shape[0]):
                        signal = gain * _at(white[d], p, q, mu, nu)
                        out[d, i, j, m] = (1 - fraction) * out[d, i, j, m] + fraction * signal
                    if fraction > filled[i, j, m]:
                        filled[i, j, m] = fraction
                        label[i, j, m] = k + 1


@numba.njit(cache=True, nogil=True)
def _longest(unit):
    """The longest radius of the ellipsoid that `unit` (3, 3) takes to the unit ball."""
    least = 1e30
    for d in range(3):
        least = min(least, unit[d, 0] ** 2 + unit[d, 1] ** 2 + unit[d, 2] ** 2)
    return 1 / np.sqrt(least)


@numba.njit(cache=True, nogil=True)
def _fill(matrix, i, j, k):
    """How many of the points of a voxel lie in the unit ball, and the sum of their squared distances."""
    inside, squared = 0, 0.0
    for a in range(FILL):
        u = i + (a + 0.5) / FILL - 0.5
        for b in range(FILL):
            v = j + (b + 0.5) / FILL - 0.5
            for c in range(FILL):
                w = k + (c + 0.5) / FILL - 0.5
                x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w
                y = matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w
                z = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2] * w
                s = x * x + y * y + z * z
                if s <= 1:
                    inside += 1
                    squared += s
    return inside, squared


@numba.njit(cache=True, nogil=True)
def _cell(m, b, m_axis, b_axis, white):
    a = min(max((m - m_axis[0]) / m_axis[1], 0.0), white.shape[1] - 1.001)
    c = min(max((b - b_axis[0]) / b_axis[1], 0.0), white.shape[2] - 1.001)
    p, q = int(a), int(c)
    return p, q, a - p, c - q


@numba.njit(cache=True, nogil=True)
def _at(table, p, q, mu, nu):
    return (1 - mu) * ((1 - nu) * table[p, q] + nu * table[p, q + 1]) + mu * (
        (1 - nu) * table[p + 1, q] + nu * table[p + 1, q + 1]
    )
