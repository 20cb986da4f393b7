"""The forecast as a user gets it: text, JSON, files, errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import remyelin
from remyelin.errors import InputError, RefuseRun
from remyelin.report import draw_forecast, draw_published, forecast_folder
from remyelin.report.forecast_plot import Prediction
from remyelin.virtual import forecast as module
from remyelin.virtual.assumptions import assumptions
from remyelin.virtual.sensitivity import explained, sobol

FEW = {"draws": 48, "calibrate": ("rebuild",), "base": 0}


@pytest.fixture(scope="module")
def two():
    return remyelin.forecast("ccmr-two", draws=64, calibrate=("rebuild",), base=2)


def test_a_forecast_is_a_distribution(two):
    first = two.answers[0]
    assert (first.endpoint, first.arm, first.role) == ("p100-latency", "clemastine-metformin", "primary")
    assert first.true.low < first.true.median < first.true.high
    assert first.result.low < first.result.median < first.result.high
    assert first.result != first.true
    assert [row.label for row in two.visits] == [f"day {day}" for day in module.DAYS]
    assert [row.label for row in two.ages] == ["30 years", "40 years", "50 years"]
    assert len(two.severities) == 3
    assert 1 < two.worlds_left < 64


def test_of_few_worlds_little_is_said(two):
    assert not two.enough
    assert (two.best_day, two.most_informative, two.to_dict()["most_informative"]) == ("", None, None)
    text = str(two)
    assert f"median (90 %), of {two.worlds_left:.0f} worlds only" in text
    assert "TOO FEW WORLDS: fewer than 100" in text
    needed = int(re.search(r"ask for --draws (\d+)", text)[1])
    assert 100 <= two.worlds_left * needed / 64 < 200
    assert "Best visit" not in text
    assert "Most informative" not in text
    assert all(
        f"{row.label}: {int(row.worlds)} worlds, too few to say" in text for row in two.ages if row.few
    )
    assert any(row.few for row in two.ages)


def test_of_enough_worlds_the_best_is_named():
    found = remyelin.forecast("ccmr-two", draws=256, calibrate=(), base=0)
    assert found.enough
    assert "TOO FEW" not in str(found)
    assert "Best visit: day " in str(found)


def test_an_error_that_was_not_planned_for_these_eyes_ranks_nothing():
    found = remyelin.forecast("ccmr-two", draws=256, calibrate=(), base=0)
    notes = {each.endpoint: each.se_note for each in found.answers}
    assert notes["p100-latency"] == notes["MTR of lesions"] == ""
    assert notes["vep-shift"] == "of p100-latency"
    assert "at most this" in notes["P100 of delayed eyes"]
    signals = {each.endpoint: each.signal for each in found.answers}
    assert max(signals, key=signals.get) == "P100 of delayed eyes"
    assert found.most_informative.endpoint == "p100-latency"
    assert "vep-shift, clemastine-metformin (secondary): the same as p100-latency" in str(found)


def test_every_assumption_is_ranked_and_told(two):
    assert {row.name for row in two.moved} == set(assumptions())
    totals = [row.total for row in two.moved]
    assert totals == sorted(totals, reverse=True)
    said = two.to_dict()["assumptions"]
    assert all("unverified" in said[name] or "seen" in said[name] or "derived" in said[name] for name in said)


def test_while_the_gate_is_closed_no_probability_is_told(two):
    assert not two.gate.open
    assert all(each.success is None for each in two.answers)
    text = str(two)
    assert "Closed, so no probability of success is given: on 4 published P100 results" in text
    assert "probability of success 0." not in text
    assert "not a medical device" in text


def test_an_open_gate_gives_the_probability(monkeypatch):
    one = replace(module.gate().judged[0], model_log=-1.0, mean_log=-2.0, model_crps=0.1, mean_crps=0.2)
    from remyelin.virtual.gate import verdict

    monkeypatch.setattr(module, "gate", lambda: verdict([one, one]))
    found = remyelin.forecast("ccmr-two", **FEW)
    assert 0 < found.answers[0].success < 1
    assert f"probability of success {found.answers[0].success:.0%}" in str(found)


def test_the_same_seed_gives_the_same_forecast():
    one, same, other = (remyelin.forecast("renew", seed=seed, **FEW).to_dict() for seed in (1, 1, 2))
    assert one == same
    assert one["answers"] != other["answers"]


def test_a_trial_is_not_calibrated_on_itself():
    assert module._calibration(remyelin.Protocol.read("rebuild"), None) == ("ccmr-two", "ccmr-one", "renew")
    found = remyelin.forecast("ccmr-one", draws=16, calibrate=(), base=0)
    assert found.calibrated_on == ()
    assert found.answers[0].true.unit == "pu"


def test_a_crossover_has_no_visits_to_choose_from():
    found = remyelin.forecast("rebuild", draws=24, calibrate=(), base=0)
    assert found.visits == ()
    assert found.best_day == ""
    assert "Best visit" not in str(found)


def test_what_no_model_reaches_is_said():
    tables = remyelin.Protocol.read("ccmr-two").model_dump(exclude_none=True)
    edss = remyelin.Protocol.read("synergy").model_dump(exclude_none=True)["endpoint"][0]
    tables["endpoint"] = (*tables["endpoint"], {**edss, "role": "secondary", "visits": ("W00", "W26")})
    found = remyelin.forecast(remyelin.Protocol.from_tables(tables), **FEW)
    assert found.left_out == ("edss (edss)",)
    assert "no model of myelin reaches it: edss (edss)" in str(found)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("visionary-ms", {}, "'cnm-au8', whose target is not known"),
        ("synergy", {}, "endpoint measure is edss"),
        ("demo", {}, "'virtual', whose target"),
        ("ccmr-two", {"calibrate": ("rebuilt",)}, "did you mean 'rebuild'"),
        (
            "ccmr-two",
            {"calibrate": ("rebuild", "ccmr-two")},
            "calibrate is ccmr-two, the trial that is forecast",
        ),
        ("ccmr-two", {"calibrate": "rebuilt"}, "did you mean 'rebuild'"),
        ("ccmr-two", {"draws": 0}, "draws is 0"),
        ("ccmr-two", {"seed": -1}, "seed is -1, expected a whole number, 0 or more"),
        ("ccmr-two", {"lesions": "old"}, "chronic or acute"),
        ("renew", {"draws": 8, "calibrate": (), "base": 3}, "a power of 2"),
    ],
)
def test_what_cannot_be_forecast_is_named(name, given, words):
    with pytest.raises(InputError, match=words):
        remyelin.forecast(name, **given)


def test_files_are_the_same_each_time(tmp_path):
    given = {"draws": 24, "calibrate": (), "base": 2}
    for folder in ("one", "two"):
        forecast_folder("renew", tmp_path / folder, **given)
    names = sorted(path.name for path in (tmp_path / "one").iterdir() if not path.name.startswith("."))
    assert {"forecast.json", "forecast.svg", "forecast.txt", "forecast_moved.tsv"} <= set(names)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    said = json.loads((tmp_path / "one/forecast.json").read_text())
    assert said["answers"][0]["success"] is None
    head, *rows = (tmp_path / "one/forecast_answers.tsv").read_text().splitlines()
    assert "true_median" in head.split("\t")
    assert len(rows) == len(said["answers"])


@pytest.mark.parametrize("place", ["file", "file/inside", "data"])
def test_a_forecast_is_not_written_over_or_beside_data(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/measurements.tsv").write_text("mine")
    words = "holds measurements" if place == "data" else "is a file, or in one"
    with pytest.raises(RefuseRun, match=words):
        forecast_folder("ccmr-two", tmp_path / place, draws=10**5)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["measurements.tsv"]


def test_the_command_answers_in_json_and_names_errors(capsys):
    from remyelin.cli import main

    with pytest.raises(SystemExit) as done:
        main(["forecast", "renew", "--draws", "16", "--calibrate", "none", "--sobol", "0", "--json"])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["protocol"] == "renew"
    with pytest.raises(SystemExit) as done:
        main(["forecast", "visionary-ms"])
    assert done.value.code == 1
    error = capsys.readouterr().err
    assert "whose target is not known" in error
    assert error.count("\n") == 1


def test_pictures_say_what_they_show(two):
    picture = draw_forecast(two)
    assert "ccmr-two, p100-latency: true effect" in picture
    for words in ("days from baseline", "as sharp as", "TOO FEW", "worlds, too few to say", "what decides"):
        assert words in picture
    assert "what decides" not in draw_forecast(replace(two, moved=()))
    row = Prediction("x, P100", "ms", (-3, -2, -1, 0, 1), -1.2, -2.4, -0.1, predicted=False)
    assert "calibrated on" in draw_published([row, replace(row, unit="pu")])


# ---------------------------------------------------------------- documentation

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_the_tutorial_prints_what_it_says(tmp_path):
    blocks = re.findall(
        r"```console\n\$ (.*?)\n(.*?)```", (DOCS / "tutorials/forecast-ccmr-two.md").read_text(), re.DOTALL
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert len(blocks) == 2
    for command, expected in blocks:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout + done.stderr == expected, command


def test_the_page_gives_the_scores_on_record():
    page = (DOCS / "theory/what-the-forecast-cannot-know.md").read_text()
    assert " ".join(str(module.gate()).split()) in " ".join(page.split())
    for row in module.gate().judged:
        assert (
            f"| {row.trial} | {row.estimate:g} ({row.se:.2f}) | {row.model_mean:.2f} ({row.model_sd:.2f}) "
            in page
        )


# ---------------------------------------------------------------- sensitivity


def test_shares_of_a_sum_are_known():
    low, high = assumptions()["severity"].low, assumptions()["severity"].high

    def answer(worlds):
        return 3 * (worlds["severity"] - low) / (high - low) + worlds["lineage"]

    found = {row.name: row for row in sobol(answer, base=512, seed=1)}
    assert found["severity"].first == pytest.approx(0.9, abs=0.03)
    assert found["lineage"].total == pytest.approx(0.1, abs=0.03)
    assert found["age_part"].total == pytest.approx(0.0, abs=1e-9)


def test_an_answer_that_nothing_moves_has_no_ranking():
    assert sobol(lambda worlds: np.ones(len(worlds["severity"])), base=2, seed=1) == []


def test_a_share_needs_more_worlds_than_fifths():
    x = np.arange(4.0)
    assert explained(x, x, np.full(4, 0.25)) == 0
    assert explained(x, np.ones(4), np.full(4, 0.25)) == 0
