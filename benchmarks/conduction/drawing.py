"""What the figures of conduction share: delays against the intact axon, tables, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from remyelin.conduction import Axon, conduct
from remyelin.report.canvas import markup, saved

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIC = Path(__file__).parents[2] / "docs/_static"


def delays(
    intact: Axon, axons: Sequence[Axon], *, duration_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(axon,) how much later the last node fires than in the intact axon, and whether it never does."""
    result = conduct([intact, *axons], duration_ms=duration_ms)
    return result.delay_ms[1:] - result.delay_ms[0], result.blocked[1:]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def save(figure: Figure, name: str, alt: str) -> None:
    saved(markup(figure, name, alt), STATIC / f"{name}.svg")
