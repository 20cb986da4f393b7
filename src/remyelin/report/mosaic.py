"""Brain pictures as SVG: small lossless tiles, scaled by the browser, under contours that stay sharp."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from .colour import CONTOUR, GAIN, LOSS, diverging, grey, png
from .maps import FloatArray, Maps
from .words import signed

MTR_RANGE_PU = (15.0, 45.0)
CHANGE_LIMIT_PU = 3.0
GAP, HEADING, LABEL = 6, 22, 16
OVERVIEW_WIDTH, CLOSE_UP_WIDTH = 250, 96
CLOSE_UP_MM = 44.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of `pixels` (row, column, 3) with `contours`, polylines (point, 2) in pixels."""

    pixels: NDArray[np.uint8]
    contours: tuple[FloatArray, ...]
    stroke: str

    def svg(self, x: float, y: float, width: float) -> str:
        """The tile with its upper left corner at (x, y)."""
        rows, columns, _ = self.pixels.shape
        scale = width / columns
        data = base64.b64encode(png(self.pixels)).decode()
        image = (
            f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{rows * scale:.4g}" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        )
        path = "".join(_path(line * scale + [x, y]) for line in self.contours)
        drawn = f'<path d="{path}" fill="none" stroke="{self.stroke}" stroke-width="1.3"/>' if path else ""
        return image + drawn


def overview(maps: Maps, changes: Mapping[int, float], alt: str, *, n_slices: int = 3) -> Markup | None:
    """Slices with the most lesion: first visit, last visit, and each lesion in the colour of its change.

    `changes` maps a label to its measured change in pu. None where no lesion is to be seen.
    """
    window = maps.head()
    rows = []
    for z in maps.slices(n_slices):
        outline = _contours(maps.labels[(*window, z)])
        before, after = (
            Tile(grey(_upright(m.data[(*window, z)]), *MTR_RANGE_PU), outline, CONTOUR)
            for m in (maps.mtr[0], maps.mtr[-1])
        )
        rows.append((before, after, Tile(_painted(maps, window, z, changes), outline, "#333333")))
    headings = (maps.visits[0], maps.visits[-1], "change of each lesion")
    return _grid(rows, headings, OVERVIEW_WIDTH, alt) if rows else None


def close_ups(
    maps: Maps, lesions: Sequence[tuple[int, str, float]], alt: str, *, across: int = 3
) -> Markup | None:
    """Every lesion before, after and the smoothed change around it.

    `lesions` are (label, name, change in pu) in the order to show.
    """
    groups = []
    for label, name, change in lesions:
        centre = maps.centre(label)
        if centre is None:
            continue
        window, z = maps.crop(centre, CLOSE_UP_MM), centre[2]
        outline = _contours(maps.labels[(*window, z)])
        tiles = [
            Tile(grey(_upright(m.data[(*window, z)]), *MTR_RANGE_PU), outline, CONTOUR)
            for m in (maps.mtr[0], maps.mtr[-1])
        ]
        tiles.append(
            Tile(diverging(_upright(maps.change[(*window, z)]), CHANGE_LIMIT_PU), outline, "#333333")
        )
        groups.append((f"{name}  {signed(change)} pu" if np.isfinite(change) else name, tiles))
    return _groups(groups, across, alt) if groups else None


def scale_bars() -> Markup:
    """The legends of both colour scales."""
    ramp = np.linspace(-1, 1, 64)[None]
    left = Tile(grey(np.linspace(*MTR_RANGE_PU, 64)[None], *MTR_RANGE_PU), (), "").svg(0, 0, 190)
    right = Tile(diverging(ramp * CHANGE_LIMIT_PU, CHANGE_LIMIT_PU), (), "").svg(0, 0, 190)
    low, high = MTR_RANGE_PU
    words = (
        f'<text x="0" y="30">{low:g}</text><text x="190" y="30" text-anchor="end">{high:g} pu</text>'
        '<text x="95" y="30" text-anchor="middle">MTR</text>'
        f'<text x="230" y="30" fill="{LOSS}">−{CHANGE_LIMIT_PU:g}</text>'
        '<text x="325" y="30" text-anchor="middle">change of MTR</text>'
        f'<text x="420" y="30" text-anchor="end" fill="{GAIN}">+{CHANGE_LIMIT_PU:g} pu</text>'
    )
    stretched = (
        f'<g transform="scale(1 4.2)">{left}</g><g transform="translate(230 0) scale(1 4.2)">{right}</g>'
    )
    return Markup(
        '<svg class="scales" viewBox="0 0 420 34" role="img" '
        f'aria-label="Colour scales: MTR from {low:g} to {high:g} pu in grey; change from '
        f'minus {CHANGE_LIMIT_PU:g} pu (orange) to plus {CHANGE_LIMIT_PU:g} pu (blue)">'
        f"{stretched}{words}</svg>"
    )


def _grid(rows: Sequence[Sequence[Tile]], headings: Sequence[str], width: int, alt: str) -> Markup:
    pieces = [
        f'<text x="{i * (width + GAP) + width / 2:g}" y="15" text-anchor="middle">{escape(word)}</text>'
        for i, word in enumerate(headings)
    ]
    y = float(HEADING)
    for tiles in rows:
        pieces += [tile.svg(i * (width + GAP), y, width) for i, tile in enumerate(tiles)]
        y += width * tiles[0].pixels.shape[0] / tiles[0].pixels.shape[1] + GAP
    return _svg(len(headings) * (width + GAP) - GAP, y - GAP, pieces, alt)


def _groups(groups: Sequence[tuple[str, Sequence[Tile]]], across: int, alt: str) -> Markup:
    width = CLOSE_UP_WIDTH
    column = 3 * (width + 2) + 3 * GAP
    row = LABEL + width + 2 * GAP
    pieces = []
    for k, (name, tiles) in enumerate(groups):
        x, y = (k % across) * column, (k // across) * row
        pieces.append(f'<text x="{x}" y="{y + 12}">{escape(name)}</text>')
        pieces += [tile.svg(x + i * (width + 2), y + LABEL, width) for i, tile in enumerate(tiles)]
    shown = min(across, len(groups))
    return _svg(shown * column - 3 * GAP, -(-len(groups) // across) * row - GAP, pieces, alt)


def _svg(width: float, height: float, pieces: Sequence[str], alt: str) -> Markup:
    head = (
        f'<svg class="brain" viewBox="0 0 {width:g} {height:.5g}" style="max-width:{width:g}px" role="img" '
    )
    return Markup(f'{head}aria-label="{escape(alt)}">{"".join(pieces)}</svg>')


def _upright(plane: NDArray[Any]) -> NDArray[Any]:
    """(x, y) to (row, column) with the front of the head on top and the participant's right on the right."""
    return plane.T[::-1]


def _painted(
    maps: Maps, window: tuple[slice, slice], z: int, changes: Mapping[int, float]
) -> NDArray[np.uint8]:
    anatomy = (maps.mtr[0].data[(*window, z)] + maps.mtr[-1].data[(*window, z)]) / 2
    labels = _upright(maps.labels[(*window, z)])
    pixels = grey(_upright(anatomy), *MTR_RANGE_PU)
    for label in np.unique(labels[labels > 0]):
        if np.isfinite(change := changes.get(int(label), np.nan)):
            pixels[labels == label] = diverging(np.array(change), CHANGE_LIMIT_PU)
    return pixels


def _contours(labels: NDArray[np.int32]) -> tuple[FloatArray, ...]:
    """Outlines of every lesion of a plane (x, y), in pixels of the upright picture."""
    from contourpy import contour_generator

    lines: list[FloatArray] = []
    for label in np.unique(labels[labels > 0]):
        inside = np.pad(_upright((labels == label).astype(float)), 1)
        found = contour_generator(z=inside, line_type="Separate").lines(0.5)
        lines += [np.asarray(line) - 0.5 for line in found]
    return tuple(lines)


def _path(line: FloatArray) -> str:
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in line)
    return f"M{points}Z" if (line[0] == line[-1]).all() else f"M{points}"
