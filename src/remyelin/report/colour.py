"""The colours of the pages: told apart by people with any colour vision, and by lightness in print."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

INK, MUTED, FAINT, RULE = "#1a2230", "#55606f", "#98a2af", "#d9dee5"
BEFORE_AFTER = "#55606f"
ARMS = ("#00796b", "#b0651d", "#7a4fa3", "#3366aa")  # in the order of the protocol; the control is the last
CONTROL = "#7d8794"
BLINDED = "#48607c"
CONTOUR = "#ffd23f"
LOSS, GAIN = "#c2571a", "#1f6fb5"

# Anchors of the diverging scale: loss, no change, gain; lightness falls evenly to both sides.
_ANCHORS = np.array(
    [
        [122, 48, 8],
        [194, 87, 26],
        [235, 176, 130],
        [246, 246, 244],
        [150, 190, 226],
        [31, 111, 181],
        [10, 56, 112],
    ],
    float,
)


def arm_colours(arms: list[str], control: str = "") -> dict[str, str]:
    """A colour for each arm; the control arm is grey.

    Examples
    --------
    >>> arm_colours(["drug", "placebo"], control="placebo")
    {'drug': '#00796b', 'placebo': '#7d8794'}
    """
    active = iter(ARMS * (1 + len(arms) // len(ARMS)))
    return {arm: CONTROL if arm == control else next(active) for arm in arms}


def grey(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """(..., 3) grey levels; NaN is black."""
    level = np.clip((np.nan_to_num(values, nan=low) - low) / (high - low), 0, 1)
    return np.repeat((255 * level[..., None]).round().astype(np.uint8), 3, axis=-1)


def diverging(values: NDArray[np.floating], limit: float) -> NDArray[np.uint8]:
    """(..., 3) colours of changes from `-limit` to `limit`; NaN is white."""
    position = (np.clip(np.nan_to_num(values) / limit, -1, 1) + 1) / 2 * (len(_ANCHORS) - 1)
    left = np.minimum(position.astype(int), len(_ANCHORS) - 2)
    share = (position - left)[..., None]
    colours = (1 - share) * _ANCHORS[left] + share * _ANCHORS[left + 1]
    colours[np.isnan(values)] = 255
    return np.asarray(colours.round().astype(np.uint8))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """An 8-bit RGB image, (row, column, 3), as PNG without metadata.

    Examples
    --------
    >>> png(np.zeros((2, 3, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)  # a leading 0 in each line: no filter
    lines[:, 1:] = pixels.reshape(height, -1)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
