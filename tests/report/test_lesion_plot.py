"""The picture of a lesion's inside, read back from its own SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from remyelin import biology
from remyelin.errors import InputError
from remyelin.report.lesion_plot import draw_lesion


@pytest.fixture(scope="module")
def course() -> biology.LesionCourse:
    scenario = biology.scenario("rat-young", lesion_radius_mm=3, resident_progenitors=0)
    return biology.simulate_lesion(scenario, days=60, every_days=2)


def words(svg: str) -> set[str]:
    root = ET.fromstring(str(svg))
    return {"".join(each.itertext()).strip() for each in root.iter() if each.tag.split("}")[-1] == "text"}


def test_says_the_days_and_how_much(course: biology.LesionCourse) -> None:
    svg = draw_lesion(course, (20, 40), title="Three millimetres")
    covered = f"{100 * course.covered[20]:.0f} % covered"
    assert {"day 20", "day 40", covered, "Three millimetres"} <= words(svg)
    assert f"day 20: border {100 * course.border[10]:.0f} %" in svg[:600]


def test_draws_the_whole_course_unless_told(course: biology.LesionCourse) -> None:
    assert {f"day {day}" for day in (0, 60)} <= words(draw_lesion(course))


def test_same_bytes_and_a_file(course: biology.LesionCourse, tmp_path: Any) -> None:
    assert draw_lesion(course) == draw_lesion(course, path=tmp_path / "lesion.svg")
    assert ET.fromstring((tmp_path / "lesion.svg").read_text()).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_sheet_is_drawn() -> None:
    sheet = biology.simulate_lesion(biology.scenario("rat-young"), days=10, geometry="sheet")
    assert "day 10" in words(draw_lesion(sheet))


@pytest.mark.parametrize(
    ("days", "said"),
    [(range(9), "at most 8"), ((3,), "a multiple of 2"), ((80,), "day is 80"), (("x",), "day")],
)
def test_days_that_were_not_kept_are_refused(course: biology.LesionCourse, days: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        draw_lesion(course, days)


def test_what_is_no_course_is_refused() -> None:
    with pytest.raises(InputError, match=r"make one with biology\.simulate_lesion"):
        draw_lesion(biology.simulate(biology.scenario("rat-young"), days=5))  # type: ignore[arg-type]
