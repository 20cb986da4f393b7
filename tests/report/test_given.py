"""What is no thing to draw, no label and no file: one line that says what is expected."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import biology, conduction
from remyelin.errors import InputError
from remyelin.report.axon_plot import draw_axons, draw_conduction
from remyelin.report.forest_plot import forest
from remyelin.report.given import labels_for, target
from remyelin.report.lesion_plot import draw_lesion
from remyelin.report.nerve_plot import draw_arrivals
from remyelin.report.section_plot import animate_section, draw_section

AXON = conduction.optic_nerve(n_nodes=5)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a.png", r"a\.png: path is \.png, expected \.svg"),
        ("a.pdf", r"\.pdf, expected \.svg"),
        ("a", "without ending"),
        ("nowhere/a.svg", "its folder is not there"),
        ("folder.svg", "is a folder, expected a file"),
        ("", "path is ''"),
        (5, "path is 5"),
        (b"a.svg", "path is of type bytes"),
    ],
)
def test_what_is_no_file_is_refused_and_nothing_written(path, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(InputError, match=said):
        draw_axons(AXON, path=path)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.svg"]


def test_an_ending_may_be_in_capitals(tmp_path):
    assert target(tmp_path / "A.SVG", ".svg") == tmp_path / "A.SVG"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("intact", r"labels is one text, 'intact', expected a list of 6"),
        (5, "labels is 5"),
        ([1, 2, 3, 4, 5, 6], "each of labels is 1, expected text"),
        (["a"], "1 of them"),
    ],
)
def test_labels_that_are_not_one_for_each_are_refused(labels, said):
    with pytest.raises(InputError, match=said):
        labels_for("axons", list("abcdef"), labels)


def test_labels_of_every_kind_of_list():
    assert labels_for("axons", ["a"], "one") == ["one"]
    assert labels_for("axons", ["a", "b"], np.array(["x", "y"])) == ["x", "y"]
    assert labels_for("axons", ["a", "b"], None) == ["a", "b"]


@pytest.mark.parametrize(
    ("draw", "given", "said"),
    [
        (draw_axons, None, r"axons is not given, .*conduction\.optic_nerve"),
        (draw_axons, [AXON, "x"], "axons is 'x'"),
        (draw_conduction, AXON, r"result is of type Axon, .*conduction\.conduct"),
        (draw_arrivals, AXON, r"arrivals is of type Axon, .*bundle\.arrive\(\)"),
        (draw_arrivals, None, "arrivals is not given"),
        (draw_section, AXON, r"section is of type Axon, .*biology\.simulate_section"),
        (lambda given: animate_section(given, "a.gif"), None, "section is not given"),
        (draw_lesion, biology.scenario("rat-young"), r"course is of type Scenario, .*simulate_lesion"),
        (forest, None, r"meta is not given, .*remyelin\.meta_analysis"),
    ],
)
def test_what_is_another_thing_is_refused(draw, given, said):
    with pytest.raises(InputError, match=said):
        draw(given)


def test_one_day_of_a_lesion_needs_no_list():
    course = biology.simulate_lesion(biology.scenario("rat-young"), days=5)
    assert draw_lesion(course, 5) == draw_lesion(course, [5])
