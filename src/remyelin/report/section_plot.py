"""Pictures of a tissue section, cell by cell, and a short film of its repair."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from remyelin.biology.section import Section
from remyelin.files.atomic import atomic_write
from remyelin.number import check_number

from .canvas import Picture, canvas, markup, saved
from .colour import ARMS, INK, LOSS, MUTED
from .given import need, target
from .words import number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
# Of myelin, from all axons of a site covered to all bare; then of cells by their kind.
MYELIN = ("#8fb0d3", "#aac2dc", "#c6d4e5", "#e0e4ea", "#f7f2ea")
CELLS = {
    1: ("progenitor", INK),
    2: ("premyelinating", "#d81b7a"),
    3: ("new oligodendrocyte", ARMS[0]),
    4: ("oligodendrocyte", "#6387b0"),
}
PER_SITE = len(MYELIN) - 1  # axons
WIDTH_IN, HEIGHT_IN = 9.2, 4.6
MOST_PIXELS = 6  # to a site
BAR = 16  # pixels under each picture of a film, for its words


def draw_section(
    section: Section,
    *,
    day: int | None = None,
    title: str = "",
    name: str = "section",
    path: Path | str | None = None,
) -> Picture:
    """Draw a section on one day, to scale, beside its course, as SVG.

    A site is as blue as its axons have sheaths; cells stand on it by their kind; a line marks the lesion.

    Parameters
    ----------
    section
        From `biology.simulate_section`.
    day
        One of `section.kept_days`; by default the last.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same section gives the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        For a day whose picture was not kept.

    Examples
    --------
    >>> from remyelin import biology
    >>> section = biology.simulate_section(biology.scenario("rat-young"), days=5, width_mm=2)
    >>> draw_section(section).startswith('<svg class="chart"')
    True
    """
    _need_section(section)
    last = section.kept_days[-1] if day is None else day
    sites = _sites(section, last)
    covered = _words(section, last)
    with canvas(WIDTH_IN, HEIGHT_IN, 1, 2, width_ratios=[1.25, 1.0]) as (figure, ((ax, beside),)):
        _tissue(ax, section, sites)
        _course(beside, section, last)
        ax.set_title(f"day {last}: {covered}")
        if title:
            figure.suptitle(shortened(title, 80), x=0.01, ha="left", fontsize=10, fontweight="bold")
        picture = markup(figure, name, f"Section of {section.width_mm:g} mm on day {last}: {covered}")
    return saved(picture, path)


def animate_section(
    section: Section, path: Path | str, *, pixels_per_site: int = 2, ms_per_frame: int = 140
) -> Path:
    """Write a film of a section as an animated GIF: one frame for each day whose picture was kept.

    Parameters
    ----------
    section
        From `biology.simulate_section`.
    path
        Of the file, which ends in ``.gif``.
    pixels_per_site
        1 to 6; a site is 20 um wide.
    ms_per_frame
        20 to 5000; the last frame stands ten times as long.

    Returns
    -------
    Path
        The file: the same section gives the same bytes.

    Raises
    ------
    InputError
        For another kind of file, or a number that cannot be.

    Examples
    --------
    >>> import tempfile
    >>> from remyelin import biology
    >>> section = biology.simulate_section(biology.scenario("rat-young"), days=5, width_mm=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate_section(section, Path(folder) / "section.gif").read_bytes()[:6]
    b'GIF89a'
    """
    _need_section(section)
    file = target(path, ".gif")
    check_number("pixels_per_site", pixels_per_site, least=1, most=MOST_PIXELS, whole=True)
    check_number("ms_per_frame", ms_per_frame, least=20, most=5000, whole=True)
    palette = np.concatenate([_colours(), _rgb(["#ffffff", INK])])
    frames = [_frame(section, day, pixels_per_site, palette) for day in section.kept_days]
    film = io.BytesIO()
    pause = [ms_per_frame] * (len(frames) - 1) + [10 * ms_per_frame]
    frames[0].save(
        film, "GIF", save_all=True, append_images=frames[1:], duration=pause, loop=0, optimize=False
    )
    atomic_write(file, film.getvalue())
    return file


def _need_section(section: object) -> None:
    fix = "make one with biology.simulate_section; draw_lesion draws the course of a lesion"
    need(Section, "section", section, "a section of tissue", fix)


def _frame(section: Section, day: int, pixels: int, palette: Pixels) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    paper, ink = len(palette) - 2, len(palette) - 1
    picture = np.kron(_sites(section, day), np.ones((pixels, pixels), np.uint8))
    picture = np.vstack([picture, np.full((BAR, picture.shape[1]), paper, np.uint8)])
    indexed = Image.frombytes("P", picture.shape[::-1], picture.tobytes())
    indexed.putpalette(palette.ravel().tolist())
    words = ImageDraw.Draw(indexed)
    words.fontmode = "1"
    place = (4, picture.shape[0] - BAR + 2)
    words.text(place, f"day {day}: {_words(section, day)}", fill=ink, font=ImageFont.load_default())
    return indexed


def _sites(section: Section, day: int) -> Pixels:
    """(row, column) which of `_colours`."""
    cells, bare = section.on(day)
    return np.where(cells > 0, len(MYELIN) - 1 + cells, np.minimum(bare, PER_SITE)).astype(np.uint8)


def _colours() -> Pixels:
    return _rgb([*MYELIN, *(colour for _, colour in CELLS.values())])


def _rgb(colours: list[str]) -> Pixels:
    return np.array([[int(each[k : k + 2], 16) for k in (1, 3, 5)] for each in colours], np.uint8)


def _words(section: Section, day: int) -> str:
    return f"{number(100 * float(section.remyelinated[day]), 0)} % covered again"


def _tissue(ax: Axes, section: Section, sites: Pixels) -> None:
    from matplotlib.patches import Circle, Patch

    width = section.width_mm
    ax.imshow(
        np.kron(_colours()[sites], np.ones((3, 3, 1), np.uint8)),
        extent=(0, width, width, 0),
        interpolation="none",
    )
    ax.add_patch(
        Circle((width / 2, width / 2), section.scenario.lesion_radius_mm, fill=False, ec=LOSS, lw=1.2)
    )
    ax.set_axis_off()
    ax.plot([0.05 * width, 0.05 * width + 0.5], [1.03 * width] * 2, color=INK, lw=2, clip_on=False)
    ax.text(0.05 * width + 0.56, 1.03 * width, "0.5 mm", va="center", fontsize=9)
    marks = [*CELLS.values(), ("axons with sheaths", MYELIN[0]), ("axons without", MYELIN[-1])]
    handles = [
        Patch(facecolor=colour, edgecolor=MUTED, lw=0.3 if colour in MYELIN else 0, label=words)
        for words, colour in marks
    ]
    ax.legend(
        handles=handles, ncols=2, fontsize=8, handlelength=0.8, loc="upper left", bbox_to_anchor=(0.0, -0.06)
    )


def _course(ax: Axes, section: Section, day: int) -> None:
    time = section.time_days
    lines = (
        ("covered again", section.remyelinated, INK, "-"),
        ("progenitors", section.of("progenitors"), MUTED, "--"),
        ("premyelinating", section.of("premyelinating"), CELLS[2][1], "-"),
        ("new oligodendrocytes", section.of("new_oligodendrocytes"), CELLS[3][1], "-"),
        ("debris", section.of("debris"), LOSS, ":"),
    )
    for label, values, colour, dash in lines:
        ax.plot(time, values, color=colour, ls=dash, lw=1.5, label=label)
    ax.axvline(day, color=MUTED, lw=0.8)
    ax.set_xlim(0, time[-1])
    ax.set_ylim(0, None)
    ax.set_xlabel("days")
    ax.set_ylabel("part, or relative to normal")
    ax.legend(fontsize=8)
