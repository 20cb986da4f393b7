"""What every chart is drawn on: the same numbers give the same bytes, and nothing is fetched."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from remyelin.files.atomic import atomic_write

from .colour import FAINT, INK, MUTED
from .given import target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: Any = {
    "svg.hashsalt": "remyelin",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "axes.unicode_minus": True,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
FONT = "system-ui, sans-serif"


class Picture(Markup):
    """An SVG element: a page takes it as it is, a notebook shows it."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


@contextmanager
def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **kwargs: Any) -> Iterator[Any]:
    """A figure of so many inches and its (row, column) axes."""
    import matplotlib as mpl

    # The pages never use a display, and a global figure list would grow with every page.
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A name in another script than the font's is drawn by the browser, which has its own fonts.
        warnings.filterwarnings("ignore", message="Glyph")
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), dpi=72, layout="constrained")  # the resolution of SVG
        FigureCanvasSVG(figure)
        yield figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def markup(figure: Figure, name: str, alt: str) -> Picture:
    """The figure as an SVG element whose ids are its own on the page."""
    _settle(figure)
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\b(id=")', rf"\1{name}-", svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*sans-serif", FONT, svg).replace("xlink:href", "href")
    svg = re.sub(r'<a href="([^"/]+)/([^"]+)" target="_blank">', r'<a href="\1/\2"><title>\1</title>', svg)
    width = float(re.search(r'width="([\d.]+)pt"', svg).group(1))  # type: ignore[union-attr]
    opening = re.search(r'viewBox="[^"]+"', svg).group(0)  # type: ignore[union-attr]
    role = "group" if "<a " in svg else "img"  # an image would hide its links from a screen reader
    size = f'style="max-width:{width * 4 / 3:.0f}px"'
    head = f'<svg class="chart" {opening} {size} role="{role}" aria-label="{escape(alt)}">'
    return Picture(head + svg[svg.index(">") + 1 :].strip())


def _settle(figure: Figure) -> None:
    """Round where the axes stand: the layout's last digits differ from run to run, and ids hang on them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        left, bottom, width, height = (round(side, 6) for side in ax.get_position(original=True).bounds)
        ax.set_position((left, bottom, width, height))


def saved(picture: Picture, path: Path | str | None) -> Picture:
    """The picture, also written to a file of its own where a path is given."""
    if path is not None:
        alone = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(target(path, ".svg"), alone.encode())
    return picture
