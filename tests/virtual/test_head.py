"""A virtual head and its template: there and back, whatever the size of the head."""

import numpy as np
import pytest

from remyelin.virtual.head import Head


@pytest.mark.parametrize("scale", [0.5, 0.65, 1.0, 1.2])
def test_there_and_back(scale):
    head = Head.draw(np.random.default_rng(3), scale=scale)
    points = np.random.default_rng(4).uniform(-50, 50, (200, 3))
    assert np.abs(head.to_template(head.from_template(points)) - points).max() < 1e-4
