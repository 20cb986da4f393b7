"""Pictures of axons and their action potentials: what they show, read back from their own SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from remyelin import conduction
from remyelin.errors import InputError
from remyelin.report.axon_plot import draw_axons, draw_conduction
from remyelin.report.colour import BLINDED, INK, LOSS


@pytest.fixture(scope="module")
def axons():
    intact = conduction.optic_nerve(n_nodes=21)
    lesion = intact.demyelinate(range(8, 12), bare=True)
    return intact, lesion, lesion.remyelinate(range(8, 12), n_short=3, lamellae=3)


@pytest.fixture(scope="module")
def result(axons):
    return conduction.conduct(axons, duration_ms=4, record_us=20)


def words(svg: str) -> list[str]:
    root = ET.fromstring(str(svg))
    return ["".join(each.itertext()).strip() for each in root.iter() if each.tag.split("}")[-1] == "text"]


def boxes(svg: str, colour: str) -> list[tuple[float, float]]:
    """Width and height, in points, of each box of that colour."""
    found = []
    for outline in re.findall(rf'<path d="([^"]*)"[^>]*style="fill: {colour}', svg):
        for box in outline.split("z")[:-1]:
            x, y = zip(*re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", box), strict=True)
            sides = [[float(each) for each in side] for side in (x, y)]
            found.append(tuple(max(side) - min(side) for side in sides))
    return found


def lines(svg: str, colour: str) -> int:
    return len(
        re.findall(rf'style="fill: none; stroke: {colour}; stroke-width: 0.8; stroke-linecap: square', svg)
    )


def test_axons_are_to_scale(axons):
    svg = draw_axons(axons, labels=["before", "lost", "repaired"])
    sheath = boxes(svg, BLINDED)
    long, short = sheath[0], min(sheath)
    assert len(sheath) == 2 * (20 + 16 + 16 + 12)
    assert long[1] / short[1] == pytest.approx(7 / 3, rel=1e-3)  # lamellae
    assert long[0] > 2.5 * short[0]
    bare = boxes(svg, LOSS)
    assert len(bare) == 4
    assert bare[0][0] == pytest.approx(long[0], rel=0.25)  # an internode leaves room for its nodes
    assert {
        "before",
        "lost",
        "repaired",
        "g 0.78",
        "g 0.78, bare 0.56 mm, no sodium channels",
        "g 0.78 to 0.88",
    } <= set(words(svg))
    assert 'role="img"' in svg[:400]
    assert "lost: g 0.78, bare 0.56 mm, no sodium channels" in svg[:400]


def test_an_axon_without_any_myelin_can_be_drawn():
    bare = conduction.optic_nerve(n_nodes=5).demyelinate(range(4), bare=True, nav_fraction=0.1)
    svg = draw_axons(bare)
    assert len(boxes(svg, LOSS)) == 4
    assert not boxes(svg, BLINDED)
    assert "bare 0.56 mm, 10 % sodium channels" in words(svg)


def test_conduction_says_what_came_of_it(result):
    svg = draw_conduction(result, labels=["intact", "bare", "repaired"], title="One spike")
    found = " ".join(words(svg))
    assert f"{result.delay_ms[0]:.2f} ms from end to end" in found
    assert "blocked" in found
    assert "One spike" in found
    assert "bare: blocked" in svg[:400]


def test_nodes_that_never_fired_have_the_colour_of_loss(result):
    svg = draw_conduction(result)
    silent = (result.arrival_ms[1, :21] != result.arrival_ms[1, :21]).sum()
    assert lines(svg, LOSS) == silent > 0
    assert lines(svg, INK) >= 21 + 21 - silent


def test_same_bytes_and_own_ids(axons, result, tmp_path):
    for draw, what in ((draw_axons, axons), (draw_conduction, result)):
        assert draw(what) == draw(what, path=tmp_path / "picture.svg")
        assert 'id="one-' in draw(what, name="one")
        saved = (tmp_path / "picture.svg").read_text()
        assert ET.fromstring(saved).tag == "{http://www.w3.org/2000/svg}svg"
        assert "http" not in saved.replace("http://www.w3.org", "")


def test_a_notebook_shows_it(axons):
    picture = draw_axons(axons)
    assert picture._repr_html_() == str(picture)


def test_axons_of_one_name_are_told_apart(axons, result):
    assert {"optic-nerve 1", "optic-nerve 2", "optic-nerve 3"} <= set(words(draw_axons(axons)))
    assert "optic-nerve" in words(draw_axons(axons[0]))
    found = draw_conduction(result)
    assert {"optic-nerve 2", "g 0.78, bare 0.56 mm, no", "sodium channels", "blocked"} <= set(words(found))
    assert "optic-nerve 2 (g 0.78, bare 0.56 mm, no sodium channels): blocked" in found[:600]


def test_channels_on_a_bare_stretch_are_said(axons):
    few = axons[0].demyelinate([3], bare=True, nav_fraction=0.005)
    both = few.demyelinate([9], bare=True, nav_fraction=0.02)
    found = " ".join(words(draw_axons([few, both])))
    assert "0.5 % sodium channels" in found
    assert "0.5 to 2 % sodium channels" in found


def test_more_than_four_stand_in_two_rows(axons):
    result = conduction.conduct([axons[0]] * 5, duration_ms=3, record_us=50)
    assert words(draw_conduction(result)).count("time, ms") == 5


def test_what_cannot_be_drawn_is_refused(axons, result):
    with pytest.raises(InputError, match="record_us"):
        draw_conduction(conduction.conduct(axons[0], duration_ms=1))
    with pytest.raises(InputError, match="1 to 8"):
        draw_axons([axons[0]] * 9)
    with pytest.raises(InputError, match="2 of them"):
        draw_axons(axons, labels=["a", "b"])
    with pytest.raises(InputError, match="2 of them"):
        draw_conduction(result, labels=["a", "b"])
