"""Virtual trials in a folder: ready for the analysis, sealed, with the truth apart."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from remyelin.cli import main
from remyelin.errors import InputError, RefuseRun
from remyelin.report import analyse_folder
from remyelin.tables import Measurements
from remyelin.virtual.asking import simulate_folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_one_trial_is_ready_for_the_analysis(tmp_path: Path) -> None:
    found = simulate_folder("ccmr-two", tmp_path, laboratory="trial", latency_ms=-6.0)
    assert names(tmp_path) == {
        "measurements.parquet", "measurements.tsv", "participants.tsv", "sealed/allocation.tsv",
        "simulation.json", "truth/eyes.tsv", "truth/participants.tsv", "truth/premises.tsv",
    }  # fmt: skip
    assert Measurements.read(tmp_path / "measurements.tsv") == Measurements.read(
        tmp_path / "measurements.parquet"
    )
    saved = analyse_folder("ccmr-two", tmp_path, tmp_path / "sealed" / "allocation.tsv")
    assert saved.analysis.results.frame["estimate"][0] < -2
    assert "-6 ms in an eye with a lesion" in str(found)
    assert "true_part = 0.5 (0 to 1), unverified" in str(found)
    assert "lesions_scale" not in str(found)
    assert "next: remyelin analyse ccmr-two" in str(found)


def test_the_truth_is_in_its_own_tables(tmp_path: Path) -> None:
    simulate_folder("ccmr-one", tmp_path, mtr_pu=0.2, participants=2, lesions=4)
    lesions = pd.read_csv(tmp_path / "truth" / "lesions.tsv", sep="\t")
    assert len(lesions) == 2 * 2 * 4 * 2
    said = json.loads((tmp_path / "simulation.json").read_text())
    assert said["Description"].startswith("Virtual data: no person was measured.")
    assert said["seed"] == 2026
    table = (tmp_path / "measurements.tsv").read_text()
    assert "bexarotene" not in table


def test_several_trials_are_analysed_too(tmp_path: Path) -> None:
    found = simulate_folder("synergy", tmp_path, trials=3, participants=8, latency_ms=0.0)
    assert {"measurements.parquet", "trials.tsv", "trials.parquet"} <= names(tmp_path)
    table = pd.read_csv(tmp_path / "trials.tsv", sep="\t")
    assert len(table) == 3 * 4
    assert table["trial"].unique().tolist() == [0, 1, 2]
    assert "edss: no biology reaches it" in str(found)
    assert len(found.to_dict()["found"]) == 4
    allocation = tmp_path / "allocation.tsv"
    allocation.write_text("participant_id\tarm\nsub-01\tplacebo\nsub-02\topicinumab-3\n")
    with pytest.raises(RefuseRun, match="3 virtual trials, expected the measurements of one trial"):
        analyse_folder("synergy", tmp_path, allocation)


def test_an_earlier_simulation_is_replaced(tmp_path: Path) -> None:
    simulate_folder("synergy", tmp_path, trials=2, participants=8, latency_ms=0.0)
    simulate_folder("synergy", tmp_path, participants=8, latency_ms=0.0)
    assert "trials.tsv" not in names(tmp_path)
    assert "participants.parquet" not in names(tmp_path)


def test_the_measurements_of_real_people_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "measurements.tsv").write_text("participant_id\n")
    with pytest.raises(RefuseRun, match="holds measurements which were not simulated"):
        simulate_folder("ccmr-one", tmp_path, mtr_pu=0.2, participants=2)
    assert (tmp_path / "measurements.tsv").read_text() == "participant_id\n"


def test_without_an_effect_the_treatment_needs_a_known_target(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'cnm-au8', whose target is not known"):
        simulate_folder("visionary-ms", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_recordings_are_of_one_trial(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trials is 2, expected 1 with --recordings"):
        simulate_folder("ccmr-one", tmp_path, trials=2, recordings=True, mtr_pu=0.2)


@pytest.mark.parametrize("word", ["dropout", "dropout=", "dropout=a", "=0.1"])
def test_premises_are_a_name_and_a_number(tmp_path: Path, word: str) -> None:
    with pytest.raises(InputError):
        simulate_folder("ccmr-one", tmp_path, mtr_pu=0.2, assume=[word])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["simulate", "ccmr-two", str(tmp_path / "out"), "--laboratory", "trial", "--latency-ms", "-1.2"]
    with pytest.raises(SystemExit) as stopped:
        main([*asked, "--participants", "5", "--assume", "dropout=0", "adherence=0.9", "--json"])
    assert stopped.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert said["laboratory"] == "trial"
    assert said["participants_in_each_arm"] == 5
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "ccmr-two", str(tmp_path / "none"), "--latency-ms", "-1.2"])
    assert stopped.value.code == 1
    assert "laboratory is not chosen" in capsys.readouterr().err
