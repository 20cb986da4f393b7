"""Virtual trials in a folder: ready for the analysis, sealed, with the truth apart."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from remyelin.cli import main
from remyelin.errors import InputError, RefuseRun
from remyelin.report import analyse_folder
from remyelin.tables import Measurements
from remyelin.virtual.asking import simulate_folder
from remyelin.virtual.place import check_place


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
    assert "70 participants in all arms" in str(found)
    assert -6.01 < found.to_dict()["applied_ms"] < -5


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
    found = simulate_folder("synergy", tmp_path, trials=3, participants=8)
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
    simulate_folder("synergy", tmp_path, trials=2, participants=8)
    simulate_folder("synergy", tmp_path, participants=8)
    assert "trials.tsv" not in names(tmp_path)
    assert "participants.parquet" not in names(tmp_path)


def test_the_measurements_of_real_people_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "measurements.tsv").write_text("participant_id\n")
    with pytest.raises(RefuseRun, match="holds measurements which were not simulated"):
        simulate_folder("ccmr-one", tmp_path, mtr_pu=0.2, participants=2)
    assert (tmp_path / "measurements.tsv").read_text() == "participant_id\n"


def test_without_an_effect_the_treatment_needs_a_known_target(tmp_path: Path) -> None:
    words = (
        r"'virtual', whose target is not known.*give the true effect, as --latency-ms -1.2 and --mtr-pu 0.2"
    )
    with pytest.raises(InputError, match=words):
        simulate_folder("demo", tmp_path / "out", laboratory="trial", recordings=True)
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


@pytest.mark.parametrize(("given", "words"), [
    ({"lesions": 100_000}, "lesions is 100000, expected a whole number, 1 to 1000"),
    ({"lesions": 0}, "lesions is 0"),
    ({"lesions": -1}, "lesions is -1"),
    ({"lesions": 900, "participants": 10_000}, "expected at most 1,000,000 lesions in a trial"),
    ({"participants": 100_000_000}, "participants is 1e.08, expected a whole number, 1 to 10000"),
    ({"participants": 10_000, "trials": 1_000_000}, "20,000,000,000 people, expected at most 100,000,000"),
    ({"trials": 10**9}, "trials is 1e.09, expected a whole number, 1 to 1e.07. Fix: ask for so many"),
    ({"mtr_pu": -50.0}, "mtr_pu is -50, expected a finite number, -10 to 10"),
    ({"mtr_pu": -10.0, "lesions": 200, "assume": ["demyelinated_mtr_pu=10"]}, "effect that leaves lesions"),
    ({"latency_ms": -1.2}, "--latency-ms is -1.2, expected only --mtr-pu: no endpoint of ccmr-one shows it"),
    ({"voxel_mm": 3.0}, "add --recordings, or take --voxel-mm out"),
    ({"assume": ["dropot=0.1", "x=1"]}, "did you mean 'dropout'"),
])  # fmt: skip
def test_a_refused_order_leaves_the_earlier_simulation(
    tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    simulate_folder("ccmr-one", tmp_path, mtr_pu=0.2, participants=2, lesions=2)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    options = given if "latency_ms" in given else {"mtr_pu": 0.2} | given
    with pytest.raises((InputError, RefuseRun), match=words):
        simulate_folder("ccmr-one", tmp_path, **options)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_eyes_have_neither_lesions_nor_their_mtr(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"lesions is 3, expected nothing: no endpoint of ccmr-two is of lesions"
    ):
        simulate_folder("ccmr-two", tmp_path, laboratory="trial", latency_ms=-1.2, lesions=3)
    with pytest.raises(InputError, match=r"--mtr-pu is 0.2, expected only --latency-ms"):
        simulate_folder("ccmr-two", tmp_path, laboratory="trial", mtr_pu=0.2)
    with pytest.raises(InputError, match=r"--mtr-pu is 0.2, expected none: no endpoint of synergy"):
        simulate_folder("synergy", tmp_path, mtr_pu=0.2)


@pytest.mark.parametrize("name", ["results.tsv", "report.html", "endpoints.tsv", "adam/adsl.csv"])
def test_an_analysis_does_not_lie_beside_other_data(tmp_path: Path, name: str) -> None:
    (tmp_path / "simulation.json").write_text("{}")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    with pytest.raises(RefuseRun, match=r"holds an analysis .*, which would be of other data"):
        simulate_folder("synergy", tmp_path, participants=2)


@pytest.mark.parametrize("recordings", [True, False])
def test_nothing_else_is_mixed_with_a_simulation(tmp_path: Path, recordings: bool) -> None:
    options: dict[str, Any] = {"mtr_pu": 0.2, "participants": 1, "recordings": recordings}
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RefuseRun, match="is a file, or in one, expected a folder"):
            simulate_folder("ccmr-one", out, **options)
    for name in ("real/measurements.parquet", "trial/sealed/allocation.tsv", "bids/bids/a.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("")
        with pytest.raises(RefuseRun, match=r"a folder that holds|none of ours"):
            simulate_folder("ccmr-one", tmp_path / name.split("/")[0], **options)


def test_the_note_says_what_was_asked_for(tmp_path: Path) -> None:
    text = (resources.files("remyelin") / "protocols" / "ccmr-one.toml").read_text()
    mine = tmp_path / "my trial.toml"
    mine.write_text(text)
    options: dict[str, Any] = {"mtr_pu": 0.2, "participants": 2, "lesions": 3, "assume": ["adherence=0.8"]}
    found = simulate_folder(mine, tmp_path / "out", **options)
    assert f"next: remyelin analyse '{mine}' {tmp_path / 'out'} --allocation" in str(found)
    said = json.loads((tmp_path / "out" / "simulation.json").read_text())
    assert said["assumed"] == {"adherence": 0.8}
    assert said["lesions_in_each_participant"] == 3
    premises = pd.read_csv(tmp_path / "out" / "truth" / "premises.tsv", sep="\t", keep_default_na=False)
    row = premises.set_index("name").loc["adherence"]
    assert (row["status"], row["source"], row["note"], row["low"]) == ("given", "n/a", "in place of 1", "n/a")
    same = simulate_folder("ccmr-one", tmp_path / "same", **options).to_dict()["protocol_sha256"]
    assert said["protocol_sha256"] == same
    mine.write_text(text.replace("n = 26", "n = 27"))
    assert simulate_folder(mine, tmp_path / "out", **options).to_dict()["protocol_sha256"] != same


def test_no_eye_loses_more_than_its_delay(tmp_path: Path) -> None:
    options: dict[str, Any] = {"laboratory": "trial", "assume": ["adherence=1"], "latency_ms": -30.0}
    found = simulate_folder("ccmr-two", tmp_path, **options)
    applied = found.to_dict()["applied_ms"]
    assert -25 < applied < -12
    assert f"of that came about: {applied:+.3g} ms on average" in str(found)
    eyes = pd.read_csv(tmp_path / "truth" / "eyes.tsv", sep="\t")
    last = eyes[(eyes["effect_ms"] != 0) & (eyes["day"] > 0)]
    assert last["effect_ms"].mean() == pytest.approx(applied, rel=0.2)


def test_what_a_batch_refuses_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["simulate", "ccmr-one", str(tmp_path / "out"), "--mtr-pu", "0.2", "--lesions", "1000"]
    with pytest.raises(SystemExit) as stopped:
        main([*asked, "--participants", "10", "--assume", "white_matter_volume_mm3=100000"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err.count("ask for fewer lesions") == 1


def test_recordings_that_were_stopped_may_go_on(tmp_path: Path) -> None:
    (tmp_path / "bids").mkdir()
    check_place(tmp_path, recordings=True)
    with pytest.raises(RefuseRun, match="holds bids/ of another trial"):
        check_place(tmp_path)
