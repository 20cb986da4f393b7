"""The picture of a nerve's arrivals, read back from its own SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from remyelin.conduction import Arrivals
from remyelin.errors import InputError
from remyelin.report.nerve_plot import draw_arrivals


def arrivals(delay_ms: float, blocked: int) -> Arrivals:
    delay = np.full(100, float(delay_ms))
    delay[:blocked] = np.nan
    return Arrivals(np.full(100, 0.8), np.linspace(10, 30, 100), delay, np.isnan(delay), 37.0)


def words(svg: str) -> list[str]:
    root = ET.fromstring(str(svg))
    return ["".join(each.itertext()).strip() for each in root.iter() if each.tag.split("}")[-1] == "text"]


def test_says_when_and_how_many():
    svg = draw_arrivals([arrivals(0, 0), arrivals(5, 40)], labels=["intact", "lesion"], title="A nerve")
    found = " ".join(words(svg))
    assert "median 20.0 ms, 0 % blocked" in found
    assert "median 29.0 ms, 40 % blocked" in found
    assert "A nerve" in found
    assert "lesion: median 29.0 ms, 40 % blocked" in svg[:400]


def test_a_nerve_that_is_all_blocked_has_words_and_no_curve():
    svg = draw_arrivals(arrivals(0, 100))
    assert {"nerve 1", "all blocked"} <= set(words(svg))


def test_labels_of_like_ends_stand_apart():
    svg = draw_arrivals([arrivals(delay, 0) for delay in range(4)], labels=list("abcd"))
    root = ET.fromstring(str(svg))
    heights = [
        float(each.get("y") or each.get("transform").split()[1].rstrip(")"))  # type: ignore[union-attr]
        for each in root.iter()
        if each.tag.split("}")[-1] == "text" and "".join(each.itertext()).strip() in set("abcd")
    ]
    assert len(heights) == 4
    assert min(np.diff(sorted(heights))) > 18


def test_same_bytes_and_a_file(tmp_path):
    nerve = arrivals(1, 3)
    assert draw_arrivals(nerve) == draw_arrivals(nerve, path=tmp_path / "nerve.svg")
    assert ET.fromstring((tmp_path / "nerve.svg").read_text()).tag == "{http://www.w3.org/2000/svg}svg"


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match="1 to 8"):
        draw_arrivals([])
    with pytest.raises(InputError, match="labels"):
        draw_arrivals(arrivals(0, 0), labels=["a", "b"])
