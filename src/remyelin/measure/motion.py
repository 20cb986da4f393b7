"""A rigid motion: a (4, 4) matrix that carries points (mm), and the six numbers that generate it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.floating]

# Below this angle sin(a)/a and its relatives are taken from their series; the next term is a^4/120 < 1e-17.
_SMALL_ANGLE = 1e-4
# The mean of several motions is an iteration that converges quadratically; 50 steps are never needed.
_MEAN_STEPS = 50
_MEAN_TOLERANCE = 1e-14


def motion(vector: FloatArray) -> FloatArray:
    """Exponential of a twist.

    Parameters
    ----------
    vector
        (6,) rotation vector in radians, then velocity in mm.

    Returns
    -------
    (4, 4) matrix that carries points; `motion(-v)` is the inverse of `motion(v)`.

    Notes
    -----
    Closed form of Murray, Li and Sastry 1994, A Mathematical Introduction to Robotic Manipulation, ch. 2.

    Examples
    --------
    >>> quarter = motion(np.array([0.0, 0.0, np.pi / 2, 0.0, 0.0, 0.0]))
    >>> (quarter @ [1.0, 0.0, 0.0, 1.0]).round(12).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    v = np.asarray(vector, float)
    W = _skew(v[:3])
    angle = float(np.linalg.norm(v[:3]))
    if angle < _SMALL_ANGLE:
        a, b, c = 1 - angle**2 / 6, 0.5 - angle**2 / 24, 1 / 6 - angle**2 / 120
    else:
        a = np.sin(angle) / angle
        b = 2 * np.sin(angle / 2) ** 2 / angle**2  # (1 - cos) / angle^2 without its cancellation
        c = (angle - np.sin(angle)) / angle**3
    T = np.eye(4)
    T[:3, :3] += a * W + b * W @ W
    T[:3, 3] = v[3:] + b * W @ v[3:] + c * W @ W @ v[3:]
    return T


def twist(matrix: FloatArray) -> FloatArray:
    """Logarithm of a rigid motion, the inverse of `motion`.

    Parameters
    ----------
    matrix
        (4, 4) rigid motion, rotation below 180 degrees.

    Returns
    -------
    (6,) rotation vector in radians, then velocity in mm.

    Raises
    ------
    InputError
        If the matrix is not rigid (a mirror, a scale, a shear) or turns by 180 degrees.

    Examples
    --------
    >>> v = np.array([0.1, -0.2, 0.3, 4.0, 5.0, -6.0])
    >>> bool(np.allclose(twist(motion(v)), v, rtol=0, atol=1e-13))
    True
    """
    T = np.asarray(matrix, float)
    R = T[:3, :3]
    if not (np.allclose(R @ R.T, np.eye(3), atol=1e-6) and np.linalg.det(R) > 0):
        raise InputError(
            "",
            "transform",
            "not rigid",
            "a rotation and a shift",
            "pass a rigid (4, 4) matrix without scale or mirror",
        )
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]]) / 2
    sine, cosine = float(np.linalg.norm(axis)), (float(np.trace(R)) - 1) / 2
    angle = float(np.arctan2(sine, cosine))
    if np.pi - angle < 1e-6:
        raise InputError("", "transform", "a turn by 180 degrees", "less", "start from the header pose")
    w = axis * (1 + angle**2 / 6 if angle < _SMALL_ANGLE else angle / sine)
    W = _skew(w)
    if angle < _SMALL_ANGLE:
        d = 1 / 12 + angle**2 / 720
    else:
        d = (1 - angle * np.sin(angle) / (4 * np.sin(angle / 2) ** 2)) / angle**2
    t = T[:3, 3]
    return np.asarray(np.r_[w, t - W @ t / 2 + d * W @ W @ t])


def inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a rigid motion, by transposition.

    Examples
    --------
    >>> T = motion(np.array([0.1, -0.2, 0.3, 4.0, 5.0, -6.0]))
    >>> bool(np.allclose(inverse(T) @ T, np.eye(4), rtol=0, atol=1e-14))
    True
    """
    T = np.eye(4)
    T[:3, :3] = matrix[:3, :3].T
    T[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return T


def square_root(matrix: FloatArray) -> FloatArray:
    """The motion that done twice is `matrix`: where halfway lies.

    Examples
    --------
    >>> T = motion(np.array([0.1, -0.2, 0.3, 4.0, 5.0, -6.0]))
    >>> H = square_root(T)
    >>> bool(np.allclose(H @ H, T, rtol=0, atol=1e-13))
    True
    """
    return motion(twist(matrix) / 2)


def centred(poses: Sequence[FloatArray]) -> list[FloatArray]:
    """Move the common space of several poses to their log-Euclidean mean.

    Parameters
    ----------
    poses
        (4, 4) motions from one common space to the space of each image.

    Returns
    -------
    The same poses seen from a new common space, such that their twists sum to zero. For two images this
    is the space halfway between them: the poses are ``square_root(T)`` and its inverse.

    Notes
    -----
    Arsigny, Commowick, Pennec, Ayache 2006, doi:10.1007/11866565_113. The result does not depend on where
    the origin lies, because a change of the origin conjugates every pose and every twist alike.

    Examples
    --------
    >>> T = motion(np.array([0.1, -0.2, 0.3, 4.0, 5.0, -6.0]))
    >>> first, second = centred([np.eye(4), T])
    >>> bool(np.allclose(first @ second, np.eye(4), atol=1e-13))
    True
    """
    moved = [np.asarray(p, float) for p in poses]
    for _ in range(_MEAN_STEPS):
        mean = np.mean([twist(p) for p in moved], axis=0)
        if float(np.abs(mean).max()) < _MEAN_TOLERANCE:
            break
        step = motion(-mean)
        moved = [p @ step for p in moved]
    return moved


def displacement_mm(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """How far a motion carries each of the points.

    Parameters
    ----------
    matrix
        (4, 4) motion.
    points
        (n, 3) points in mm.

    Returns
    -------
    (n,) distances in mm.

    Examples
    --------
    >>> displacement_mm(motion(np.array([0.0, 0.0, 0.0, 3.0, 4.0, 0.0])), np.zeros((1, 3))).tolist()
    [5.0]
    """
    return np.asarray(np.linalg.norm(points @ (matrix[:3, :3] - np.eye(3)).T + matrix[:3, 3], axis=1))


def angle_deg(matrix: FloatArray) -> float:
    """Angle in degrees by which a motion turns.

    Examples
    --------
    >>> round(angle_deg(motion(np.array([0.0, 0.1, 0.0, 0.0, 0.0, 0.0]))), 6)
    5.729578
    """
    return float(np.rad2deg(np.linalg.norm(twist(matrix)[:3])))


def _skew(w: FloatArray) -> FloatArray:
    return np.array([[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]])
