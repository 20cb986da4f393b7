"""The covariance of two eyes in two periods: its known matrices, and its variances in words.

Four variances describe every covariance that treats eyes alike and periods alike: of the participant's mean,
of the difference between the eyes, of the change between the periods, and of what is left. They are the
eigenvalues of the covariance of a complete participant, each is positive, and for complete data each is a
mean square.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.trial.periods.reml import Blocks, FloatArray

Codes = npt.NDArray[np.intp]
# What stays without variance, by whether (eye, period) enter as a difference; for the error.
DIRECTIONS = {
    (False, False): "the means of the participants",
    (True, False): "the difference between the eyes",
    (False, True): "the change between the periods",
    (True, True): "the change of one eye against the other",
}


def directions(eyes: bool, periods: bool) -> list[tuple[bool, bool]]:
    """The components, each by whether it is a difference between eyes and between periods."""
    return [(e, p) for p, e in product((False, True)[: 1 + periods], (False, True)[: 1 + eyes])]


def blocks(
    X: FloatArray, y: FloatArray, known: FloatArray, person: Codes, eye: Codes | None, period: Codes | None
) -> Blocks:
    """Participants side by side, with the projector of each component on the rows that are there."""
    sizes = np.bincount(person)
    order = np.argsort(person, kind="stable")
    place = np.empty(len(person), dtype=np.intp)
    place[order] = np.arange(len(person)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (len(sizes), int(sizes.max()))

    def laid(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        out = np.zeros(shape + values.shape[1:], dtype=values.dtype)
        out[person, place] = values
        return out

    there = laid(np.ones(len(y)))
    both = there[:, :, None] * there[:, None, :]
    alike = []
    for codes in (eye, period):
        if codes is not None:
            found = laid(codes)
            alike.append(np.where(found[:, :, None] == found[:, None, :], 0.5, -0.5))
    parts = []
    for component in directions(eye is not None, period is not None):
        differs = [by for by, codes in zip(component, (eye, period), strict=True) if codes is not None]
        value = both
        for sign, differ in zip(alike, differs, strict=True):
            value = value * (sign if differ else 0.5)
        parts.append(value)
    fixed = np.eye(shape[1]) * np.where(there > 0, laid(known), 1.0)[:, :, None]
    return Blocks(n_rows=len(y), X=laid(X), y=laid(y), G=np.stack(parts, axis=1), fixed=fixed)


def in_words(theta: FloatArray, eyes: bool, periods: bool) -> pd.DataFrame:
    """Variances of participant, eye, participant by period, eye by period; the first three may be negative.

    A negative variance says that values of one participant (eye, period) are less alike than chance would
    have them. It is kept: held at zero, the test of complete data would no longer be exact.
    """
    names = {
        (True, True): ("participant", "eye", "participant x period", "eye x period"),
        (False, True): ("participant", "participant x period"),
        (True, False): ("participant", "eye"),
        (False, False): ("participant",),
    }[eyes, periods]
    found = dict(zip(directions(eyes, periods), theta, strict=True))
    grid = np.zeros((2, 2))
    for (e, p), value in found.items():
        grid[int(e), int(p)] = value
    # From eigenvalues to variances: what differs keeps its own, what is shared is the excess over it, halved.
    if eyes:
        grid = np.array([(grid[0] - grid[1]) / 2, grid[1]])
    if periods:
        grid = np.column_stack([(grid[:, 0] - grid[:, 1]) / 2, grid[:, 1]])
    variance = [grid[int(e), int(p)] for e, p in directions(eyes, periods)]
    table = pd.DataFrame({"variance": variance}, index=pd.Index(names, name="component"))
    table["sd"] = np.sqrt(table["variance"].where(table["variance"] >= 0))
    return table
