"""Pictures: their colours, their bytes, their orientation."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.measure.image import Volume
from remyelin.report import figures
from remyelin.report.colour import arm_colours, diverging, grey, png
from remyelin.report.maps import Maps
from remyelin.report.mosaic import close_ups, overview, scale_bars


def decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)))


@given(seed=st.integers(0, 1000), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_png_keeps_every_pixel(seed, rows, columns):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(png(pixels)), pixels)


def test_no_change_is_neutral_and_both_signs_differ():
    none, gain, loss, undefined = diverging(np.array([0.0, 3.0, -3.0, np.nan]), 3.0).astype(int)
    assert np.ptp(none) <= 3
    assert none.min() > 240
    assert gain[2] > gain[0] + 60  # blue
    assert loss[0] > loss[2] + 60  # orange
    assert (undefined == 255).all()
    np.testing.assert_array_equal(
        diverging(np.array([9.0]), 3.0)[0], gain
    )  # beyond the limit: the last colour


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_words_and_arms_stand_out_from_paper():
    """WCAG 2: 4.5 for text, 3 for parts of a picture; the arms differ in lightness too."""
    from remyelin.report.colour import BLINDED, GAIN, INK, LOSS, MUTED

    for colour, least in ((INK, 4.5), (MUTED, 4.5), (GAIN, 4.5), (LOSS, 4.0), (BLINDED, 3)):
        assert 1.05 / (luminance(colour) + 0.05) > least, colour
    active, control = arm_colours(["drug", "placebo"], "placebo").values()
    for colour in (active, control):
        assert 1.05 / (luminance(colour) + 0.05) > 3
    assert (luminance(control) + 0.05) / (luminance(active) + 0.05) > 1.3


def test_every_arm_has_a_colour():
    colours = arm_colours([f"dose {k}" for k in range(5)] + ["placebo"], "placebo")
    assert len(colours) == 6
    assert len({colours[f"dose {k}"] for k in range(4)}) == 4


def test_grey_is_dark_where_mtr_is_undefined():
    np.testing.assert_array_equal(grey(np.array([np.nan, 15.0, 45.0]), 15, 45)[:, 0], [0, 0, 255])


@pytest.fixture
def maps() -> Maps:
    """White matter 40 with one lesion, front right and above, that rises from 30 to 31.5."""
    mtr = np.full((40, 50, 30), 40.0, np.float32)
    mtr[0] = np.nan
    labels = np.zeros(mtr.shape, np.int32)
    labels[28:32, 38:42, 18:22] = 7
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    visits = [np.where(labels == 7, value, mtr).astype(np.float32) for value in (30.0, 31.5)]
    return Maps(("M00", "M06"), tuple(Volume(data, affine) for data in visits), labels, {7: "012"})


def tiles(svg: str) -> list[np.ndarray]:
    return [decoded(base64.b64decode(data)) for data in re.findall(r"base64,([^\"]+)", svg)]


def test_front_is_up_and_right_is_right(maps):
    before, after, change = tiles(overview(maps, {7: 1.5}, "alt text"))
    rows, columns = np.nonzero(before[..., 0] == 128)  # 30 pu, half way from 15 to 45
    assert len(rows) == 16
    assert rows.max() < before.shape[0] / 2
    assert columns.min() > before.shape[1] / 2
    assert after[rows[0], columns[0], 0] > before[rows[0], columns[0], 0]
    np.testing.assert_array_equal(change[rows[0], columns[0]], diverging(np.array(1.5), 3.0))


def test_the_outline_lies_around_the_lesion(maps):
    svg = str(overview(maps, {}, "alt text"))
    before = tiles(svg)[0]
    scale = 250 / before.shape[1]
    path = re.search(r'<path d="M([^Z]+)Z"', svg).group(1)
    x, y = np.array(path.replace("M", " ").split(), float).reshape(-1, 2).T
    rows, columns = np.nonzero(before[..., 0] == 128)
    centre = ((columns.mean() + 0.5) * scale, (rows.mean() + 0.5) * scale + 22)
    np.testing.assert_allclose([(x.min() + x.max()) / 2, (y.min() + y.max()) / 2], centre, atol=0.2)
    assert x.max() - x.min() == pytest.approx(4 * scale, abs=0.2)


def test_the_lookup_table_names_the_lesions(maps):
    assert maps.label_of("012") == 7
    assert maps.label_of("007") == -1


def test_smoothing_keeps_the_edge_of_the_head_and_a_uniform_change(maps):
    shifted = Maps(maps.visits, (maps.mtr[1], Volume(maps.mtr[1].data + 2, maps.affine)), maps.labels, {})
    inside = np.isfinite(maps.mtr[1].data)
    np.testing.assert_allclose(shifted.change[inside], 2.0, atol=1e-4)
    assert np.isnan(shifted.change[~inside]).all()


def test_air_is_left_black_and_nothing_of_the_head_is():
    from remyelin.report.maps import _without_air

    rng = np.random.default_rng(4)
    grid = np.stack(np.meshgrid(*[np.arange(40)] * 3, indexing="ij")) - 19.5
    head = (grid**2).sum(0) < 14**2
    ventricle = (grid**2).sum(0) < 4**2
    noise = 100 * (1 - rng.rayleigh(1, head.shape) / rng.rayleigh(1, head.shape))
    mtr = np.where(head, np.where(ventricle, 3, 40) + rng.normal(0, 2.5, head.shape), noise)
    shown = np.isfinite(_without_air(Volume(mtr.astype(np.float32), np.diag([2.0, 2, 2, 1]))).data)
    assert shown[(grid**2).sum(0) < 11**2].all()  # at most 3 voxels of the rim are lost to the picture
    assert shown[(grid**2).sum(0) > 17**2].mean() < 0.01


def test_close_ups_name_the_lesion_and_leave_out_what_is_not_there(maps):
    svg = str(close_ups(maps, [(7, "012", 1.5), (9, "099", 0.0)], "alt text"))
    assert "012 +1.50 pu" in re.sub(r"\s+", " ", svg)
    assert "099" not in svg
    assert len(tiles(svg)) == 3
    assert close_ups(maps, [(9, "099", 0.0)], "alt text") is None


def test_overview_without_lesions_is_none(maps):
    empty = Maps(maps.visits, maps.mtr, np.zeros_like(maps.labels), {})
    assert overview(empty, {}, "alt text") is None


def test_slices_are_apart_and_from_below(maps):
    labels = np.zeros_like(maps.labels)
    labels[5:9, 5:9, 2], labels[5:9, 5:8, 3], labels[5:7, 5:7, 25] = 1, 1, 2
    assert Maps(maps.visits, maps.mtr, labels, {}).slices(3) == [2, 25]


def test_scale_bars_say_their_ends():
    svg = scale_bars()
    for word in ("15", "45 pu", "−3", "+3 pu"):
        assert f">{word}</text>" in svg


def test_a_chart_draws_each_participant_once_and_links_to_it():
    people = pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in range(12)],
            "arm": ["drug", "placebo"] * 6,
            "baseline": np.linspace(28, 33, 12),
            "follow_up": np.linspace(28.2, 34, 12),
            "change": np.linspace(0.2, 1.0, 12),
        }
    )
    arms = {"drug": "#00796b", "placebo": "#7d8794"}
    svg = figures.participants(people, arms, "pu", ("M00", "M06"), "people", "alt text")
    assert sorted(re.findall(r'href="(sub-\d+/sub-\d+\.html)"', svg)) == [
        f"{p}/{p}.html" for p in people.participant_id
    ]
    assert 'role="group"' in svg
    assert svg == figures.participants(people, arms, "pu", ("M00", "M06"), "people", "alt text")


def test_a_forest_shows_every_estimate_with_its_interval():
    rows = [
        {"label": name, "estimate": value, "ci_low": value - 1, "ci_high": value + 1}
        for name, value in (("first", 0.5), ("second $x$", -2.25))
    ]
    svg = figures.forest(rows, "pu", "forest", "alt text")
    assert "+0.50  (−0.50 to +1.50)" in svg
    assert "−2.25  (−3.25 to −1.25)" in svg
    assert "second $x$" in svg


def test_a_forest_shows_every_word_of_a_long_label():
    label = "regression to the mean removed, calibrated, mean baseline of the participant added, completers"
    row = {"label": label, "estimate": 0.5, "ci_low": 0.0, "ci_high": 1.0}
    said = re.findall(r">([^<]+)</text>", figures.forest([row, row], "pu", "forest", "alt text"))
    assert not any("…" in each for each in said)
    assert " ".join(said).count("mean baseline of the participant") == 2
    assert set(label.split()) <= set(" ".join(said).split())


@given(estimate=st.floats(-50, 50), half=st.floats(0.001, 50))
def test_the_strip_keeps_order_and_stays_inside(estimate, half):
    svg = figures.strip(estimate, estimate - half, estimate + half, "pu")
    low, high = (float(x) for x in re.search(r'x1="([-\d.]+)" y1="22" x2="([-\d.]+)"', svg).groups())
    middle = float(re.search(r"L([-\d.]+) 31Z", svg.replace("\n", "")).group(1))
    assert 20 <= low <= middle <= high <= 480
