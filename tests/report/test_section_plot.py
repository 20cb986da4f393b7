"""Pictures of a section: the same bytes each time, every kind of cell named, a film of its days."""

from __future__ import annotations

import pytest
from PIL import Image

from remyelin import animate_section, biology, draw_section
from remyelin.errors import InputError
from remyelin.report.section_plot import CELLS, _colours, _sites


@pytest.fixture(scope="module")
def section():
    young = biology.scenario("rat-young")
    return biology.simulate_section(young, days=16, width_mm=2, keep_days=[0, 8, 16])


def test_a_picture_names_what_it_shows(section, tmp_path):
    picture = draw_section(section, day=8, title="young", path=tmp_path / "s.svg")
    assert picture == draw_section(section, day=8, title="young")
    for words in ("day 8", "progenitor", "premyelinating", "axons with sheaths", "0.5 mm", "young"):
        assert words in picture
    assert (tmp_path / "s.svg").read_text(encoding="utf-8").startswith("<svg xmlns")
    assert "http" not in picture.replace("http://www.w3.org", "")


def test_every_cell_has_the_colour_of_its_kind(section):
    cells, bare = section.on(16)
    sites = _sites(section, 16)
    for kind in CELLS:
        assert (sites == 4 + kind).sum() == (cells == kind).sum() > 0
    assert (sites[cells == 0] == bare[cells == 0]).all()
    assert len(_colours()) == 9


def test_a_film_has_a_frame_for_each_day_and_the_same_bytes(section, tmp_path):
    first = animate_section(section, tmp_path / "a.gif").read_bytes()
    assert first == animate_section(section, str(tmp_path / "b.gif")).read_bytes()
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 3
        assert film.size == (200, 216)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.mp4", {}, "name it so"),
        ("a.gif", {"pixels_per_site": 9}, "pixels_per_site"),
        ("a.gif", {"ms_per_frame": 2.5}, "ms_per_frame"),
    ],
)
def test_a_film_that_cannot_be_is_refused(section, tmp_path, name, options, words):
    with pytest.raises(InputError, match=words):
        animate_section(section, tmp_path / name, **options)


def test_a_day_that_was_not_kept_is_refused(section):
    with pytest.raises(InputError, match="8 is the nearest"):
        draw_section(section, day=9)
