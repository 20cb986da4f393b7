"""The forest plot: what it shows, read back from its own SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.report.forest_plot import forest
from remyelin.trial.meta import meta_analysis

EFFECTS, VARIANCES = [-1.7, -3.2, -1.2], [0.36, 0.64, 0.33]


@pytest.fixture
def fit():
    return meta_analysis(EFFECTS, VARIANCES, units="ms", labels=["ReBUILD", "a & b <c>", "third"])


def words(svg: str) -> list[str]:
    root = ET.fromstring(str(svg))
    return ["".join(each.itertext()).strip() for each in root.iter() if each.tag.split("}")[-1] == "text"]


def test_shows_every_study_the_pooled_effect_and_the_prediction(fit):
    found = words(forest(fit))
    assert found.count("ReBUILD") == 1
    assert "a & b <c>" in found
    assert "−1.70 (−2.88 to −0.52)" in found
    assert "−1.92 (−4.37 to 0.54)" in found
    assert "−5.74 to 1.91" in found
    assert "effect, ms" in found
    assert "← lower with treatment" in found
    assert "higher with treatment →" in found
    assert any("τ² = 0.466" in each for each in found)
    weights = [float(each) for each in found if re.fullmatch(r"\d+\.\d", each)]
    assert sum(weights) == pytest.approx(100, abs=0.15)


def test_says_itself_without_the_picture(fit):
    opening = forest(fit)[:400]
    assert 'role="img"' in opening
    assert "pooled effect −1.92 (−4.37 to 0.54) ms, p = 0.078" in opening


def test_same_bytes_and_own_ids(fit, tmp_path):
    assert forest(fit) == forest(fit, path=tmp_path / "forest.svg")
    assert 'id="one-' in forest(fit, name="one")
    saved = (tmp_path / "forest.svg").read_text()
    assert ET.fromstring(saved).tag == "{http://www.w3.org/2000/svg}svg"
    assert "http" not in saved.replace("http://www.w3.org", "")  # nothing is fetched


def test_ratios_are_shown_as_ratios():
    fit = meta_analysis(np.log([0.5, 0.8, 0.4]), VARIANCES, method="DL")
    found = words(forest(fit, ratio=True, directions=("favours drug", "favours placebo")))
    assert any(each.startswith("0.50 (") for each in found)
    assert {"1", "0.5", "ratio", "← favours drug"} <= set(found)


def test_equal_effects_have_no_prediction():
    found = words(forest(meta_analysis(EFFECTS, VARIANCES, method="FE")))
    assert "Equal effects" in found
    assert not any("prediction" in each or "τ²" in each for each in found)


def test_an_endless_interval_is_cut_and_marked():
    """The scale stays that of the other studies: their intervals keep a width that can be read."""
    calm = forest(meta_analysis(EFFECTS, VARIANCES, test="z"))
    wild = forest(meta_analysis([*EFFECTS, 0.0], [*VARIANCES, 1e4], test="z"))
    assert "(−196.00 to 196.00)" in " ".join(words(wild))
    assert wild.count('<path id="forest-m') == calm.count('<path id="forest-m') + 3  # a square, two arrows


def test_squares_grow_with_the_weight():
    svg = forest(meta_analysis([0.0, 1.0, 0.5], [0.01, 0.04, 0.16], method="FE"))
    sides = sorted(
        float(b) - float(a)
        for a, b in re.findall(r'd="M (-?[\d.]+) [\d.]+ \s*L ([\d.]+) [\d.]+ \s*L [\d.]+ -?[\d.]+ ', svg)
        if -float(a) == float(b)
    )
    assert sides[-1] == pytest.approx(2 * sides[-2], rel=0.01)  # four times the weight, twice the side


def test_a_meta_regression_is_refused(fit):
    import pandas as pd

    regression = meta_analysis(
        EFFECTS, VARIANCES, moderators=pd.DataFrame({"dose": [1.0, 2.0, 4.0]}), test="z"
    )
    with pytest.raises(InputError, match="no one pooled effect"):
        forest(regression)


def test_notes_stand_below_the_axis_in_lines_that_fit(fit):
    note = "estimands mixed: " + "parallel groups and crossover, " * 8
    plain, noted = forest(fit), forest(fit, notes=[note, "a research tool"])
    more = [each for each in words(noted) if each not in words(plain)]
    assert " ".join(more).split() == f"{note} a research tool".split()
    assert all(len(each) <= 116 for each in more)
    heights = [float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg).group(1)) for svg in (plain, noted)]
    assert heights[1] > heights[0] + 12 * len(more)
