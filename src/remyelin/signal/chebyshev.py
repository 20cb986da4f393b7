"""A smooth function of voxels' values in place of its solver: a polynomial through Chebyshev nodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Of pulses and lineshapes over the range of tissues and fields: errors below 1e-7 pu of MTR
# (benchmarks/signal/mt.py).
_NODES = 14


class Interpolant:
    """A function of one or two arguments over the range that these have.

    An argument that has one value only costs nothing.

    Parameters
    ----------
    function
        Of arrays of one shape.
    arguments
        Values that will be asked for, or their extremes.

    Examples
    --------
    >>> import numpy as np
    >>> fast = Interpolant(np.exp, np.linspace(0, 1, 1000))
    >>> bool(abs(fast(np.array([0.3])) - np.exp(0.3)).max() < 1e-14)
    True
    """

    def __init__(self, function: Callable[..., FloatArray], *arguments: FloatArray) -> None:
        self._spans = [_span(values) for values in arguments]
        nodes = [np.zeros(1) if half == 1 else chebyshev.chebpts1(_NODES) for _, half in self._spans]
        at = [middle + half * x for x, (middle, half) in zip(nodes, self._spans, strict=True)]
        fitted = np.asarray(function(*np.meshgrid(*at, indexing="ij")))
        for axis, x in enumerate(nodes):
            solve = np.linalg.inv(chebyshev.chebvander(x, len(x) - 1))
            fitted = np.moveaxis(np.tensordot(solve, fitted, (1, axis)), 0, axis)
        self._coefficients = fitted

    def __call__(self, *arguments: FloatArray) -> FloatArray:
        """The function at `arguments`, arrays of one shape."""
        value = self._coefficients
        for k, (values, (middle, half)) in enumerate(zip(arguments, self._spans, strict=True)):
            value = np.asarray(chebyshev.chebval((values - middle) / half, value, tensor=k == 0))
        return np.broadcast_to(value, arguments[0].shape)


def _span(values: FloatArray) -> tuple[float, float]:
    """Middle and half width of a range; 1 in place of a width of 0."""
    low, high = float(values.min()), float(values.max())
    return (low + high) / 2, (high - low) / 2 if high > low else 1.0
