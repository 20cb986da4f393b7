"""Cubic B-spline kernels: values and derivatives of an image at moved points, compiled.

The coefficients come from `scipy.ndimage.spline_filter` with mirrored edges. One thread, fixed order of
sums: the same bits in every run.
"""

import numpy as np
from numba import njit


@njit(cache=True, inline="always")
def _weights(f, w, d):  # type: ignore[no-untyped-def]  # cubic B-spline at fraction f, and its derivative
    g = 1.0 - f
    w[0], w[1], w[2], w[3] = (
        g * g * g / 6,
        (4 - 6 * f * f + 3 * f**3) / 6,
        (4 - 6 * g * g + 3 * g**3) / 6,
        f**3 / 6,
    )
    d[0], d[1], d[2], d[3] = -g * g / 2, f * (1.5 * f - 2), g * (2 - 1.5 * g), f * f / 2


@njit(cache=True, inline="always")
def _mirror(i, n):  # type: ignore[no-untyped-def]
    if n == 1:
        return 0
    if i < 0:
        i = -i
    if i >= n:
        i = 2 * n - 2 - i
    return min(max(i, 0), n - 1)


@njit(cache=True)
def accumulate(points, starts, regressor, affine, centre, radius, spline, defined, voxel, to_mm, sums):  # type: ignore[no-untyped-def]
    """Sum, block by block, the products that a least-squares step needs.

    `sums` (block, 10, 10), filled with 0 by the caller: upper triangle of the products of 1, f, f^2 (f the
    regressor), the derivatives by rotation (mm at `radius` from `centre`) and shift (mm) of the fixed side,
    and the moving value. `voxel` (4, 4) carries fixed to moving voxels, `to_mm` (3, 3) the gradient.
    """
    nx, ny, nz = spline.shape
    wx, wy, wz = np.empty(4), np.empty(4), np.empty(4)
    dx, dy, dz = np.empty(4), np.empty(4), np.empty(4)
    iy, iz = np.empty(4, np.int64), np.empty(4, np.int64)
    z = np.empty(10)
    for block in range(starts.size - 1):
        s = sums[block]
        for p in range(starts[block], starts[block + 1]):
            i, j, k = float(points[p, 0]), float(points[p, 1]), float(points[p, 2])
            qx = voxel[0, 0] * i + voxel[0, 1] * j + voxel[0, 2] * k + voxel[0, 3]
            qy = voxel[1, 0] * i + voxel[1, 1] * j + voxel[1, 2] * k + voxel[1, 3]
            qz = voxel[2, 0] * i + voxel[2, 1] * j + voxel[2, 2] * k + voxel[2, 3]
            if not (-0.5 <= qx <= nx - 0.5 and -0.5 <= qy <= ny - 0.5 and -0.5 <= qz <= nz - 0.5):
                continue
            rx, ry, rz = _mirror(round(qx), nx), _mirror(round(qy), ny), _mirror(round(qz), nz)
            if not defined[rx, ry, rz]:
                continue
            fx, fy, fz = int(np.floor(qx)), int(np.floor(qy)), int(np.floor(qz))
            _weights(qx - fx, wx, dx)
            _weights(qy - fy, wy, dy)
            _weights(qz - fz, wz, dz)
            for a in range(4):
                iy[a], iz[a] = _mirror(fy - 1 + a, ny), _mirror(fz - 1 + a, nz)
            v = gx = gy = gz = 0.0
            for a in range(4):
                ia = _mirror(fx - 1 + a, nx)
                va = ya = za = 0.0
                for b in range(4):
                    row = spline[ia, iy[b]]
                    c0, c1, c2, c3 = row[iz[0]], row[iz[1]], row[iz[2]], row[iz[3]]
                    t = wz[0] * c0 + wz[1] * c1 + wz[2] * c2 + wz[3] * c3
                    va += wy[b] * t
                    ya += dy[b] * t
                    za += wy[b] * (dz[0] * c0 + dz[1] * c1 + dz[2] * c2 + dz[3] * c3)
                v += wx[a] * va
                gx += dx[a] * va
                gy += wx[a] * ya
                gz += wx[a] * za
            px = to_mm[0, 0] * gx + to_mm[0, 1] * gy + to_mm[0, 2] * gz
            py = to_mm[1, 0] * gx + to_mm[1, 1] * gy + to_mm[1, 2] * gz
            pz = to_mm[2, 0] * gx + to_mm[2, 1] * gy + to_mm[2, 2] * gz
            x = affine[0, 0] * i + affine[0, 1] * j + affine[0, 2] * k + affine[0, 3] - centre[0]
            y = affine[1, 0] * i + affine[1, 1] * j + affine[1, 2] * k + affine[1, 3] - centre[1]
            w = affine[2, 0] * i + affine[2, 1] * j + affine[2, 2] * k + affine[2, 3] - centre[2]
            f = regressor[p]
            z[0], z[1], z[2] = 1.0, f, f * f
            z[3] = (y * pz - w * py) / radius
            z[4] = (w * px - x * pz) / radius
            z[5] = (x * py - y * px) / radius
            z[6], z[7], z[8], z[9] = px, py, pz, v
            for a in range(10):
                for b in range(a, 10):
                    s[a, b] += z[a] * z[b]


@njit(cache=True)
def look_up(spline, points, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n,) with the spline at `points` (n, 3), in voxels."""
    nx, ny, nz = spline.shape
    wx, wy, wz = np.empty(4), np.empty(4), np.empty(4)
    d = np.empty(4)
    for p in range(out.size):
        qx, qy, qz = float(points[p, 0]), float(points[p, 1]), float(points[p, 2])
        fx, fy, fz = int(np.floor(qx)), int(np.floor(qy)), int(np.floor(qz))
        _weights(qx - fx, wx, d)
        _weights(qy - fy, wy, d)
        _weights(qz - fz, wz, d)
        v = 0.0
        for a in range(4):
            ia = _mirror(fx - 1 + a, nx)
            for b in range(4):
                ib = _mirror(fy - 1 + b, ny)
                for c in range(4):
                    v += wx[a] * wy[b] * wz[c] * spline[ia, ib, _mirror(fz - 1 + c, nz)]
        out[p] = v
