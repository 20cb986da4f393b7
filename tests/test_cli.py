"""The command line: what it says, what it returns, and that a user's mistake ends in one line."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from tests.command import Done, Run, runner

from remyelin import cli
from remyelin.run.lock import LOCK_NAME
from remyelin.tables import Measurements

COMMANDS = ("demo", "measure", "plan", "simulate", "forecast", "analyse", "report", "evidence")
FACTS = {"file", "field", "found", "expected", "fix"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process."""
    return runner(capsys)


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "remyelin.cli", *map(str, args)]


def program(*args: object) -> Done:
    done = subprocess.run(command(*args), capture_output=True, text=True, timeout=120, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def out(measured_tiny: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """A copy of the measured dataset that a test may change."""
    return shutil.copytree(measured_tiny[0], tmp_path / "out")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measurements of eight participants, and their sealed allocation."""
    folder = tmp_path_factory.mktemp("trial")
    rng = np.random.default_rng(1)  # the lesions of the treated rise by 1 pu
    rows = [
        {
            "participant_id": f"sub-{k:02d}",
            "visit": visit,
            "day": day,
            "site": f"lesion:{lesion:03d}",
            "measure": "mtr_pu",
            "value": 30 + lesion + rng.normal(0, 0.3) + (visit == "M06") * (k % 2),
            "se": 0.2,
            "unit": "pu",
        }
        for k in range(1, 9)
        for lesion in range(1, 6)
        for visit, day in (("M00", 0), ("M06", 182))
    ]
    Measurements.from_rows(rows).write(folder / "out" / "measurements.tsv")
    for k in range(1, 9):
        own = [row for row in rows if row["participant_id"] == f"sub-{k:02d}"]
        Measurements.from_rows(own).write(folder / "out" / f"sub-{k:02d}" / f"sub-{k:02d}_measurements.tsv")
    arms = "".join(f"sub-{k:02d}\t{'treated' if k % 2 else 'placebo'}\n" for k in range(1, 9))
    (folder / "allocation.tsv").write_text("participant_id\tarm\n" + arms)
    return folder


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


# What it says of itself


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert "Example" in done.out
    assert f"`remyelin {name} " in done.out


def test_the_help_names_every_command_and_exit_code(run: Run) -> None:
    for arguments in ((), ("--help",)):
        done = run(*arguments)
        assert (done.code, done.err) == (0, "")
        assert all(name in done.out for name in COMMANDS)
        assert all(f"{code}: " in done.out for code in (0, 1, 2, 130))


def test_every_command_there_is_is_tested_here() -> None:
    assert sorted(name for name in cli.app if not name.startswith("-")) == sorted(COMMANDS)


def test_the_console_script_is_this_program() -> None:
    script = Path(sys.executable).with_name("remyelin")
    if not script.exists():
        pytest.skip("remyelin is not installed beside this Python")
    said = {
        subprocess.run([*start, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        for start in ([str(script)], command())
    }
    assert said == {version("remyelin")}


# Wrong usage: 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nosuch", "nosuch"),
        ("--nosuch", "--nosuch"),
        ("measure", "--bids"),
        ("measure BIDS", "--out"),
        ("measure BIDS OUT", "--level"),
        ("measure BIDS OUT everything", "everything"),
        ("measure BIDS OUT participant --bogus", "--bogus"),
        ("measure BIDS OUT participant --jobs many", "many"),
        ("measure BIDS OUT participant --jobs", "--jobs"),
        ("measure BIDS OUT participant --participant-label", "--participant-label"),
        ("measure BIDS OUT participant --interpolation twice", "twice"),
        ("measure BIDS OUT participant --no-debug", "--no-debug"),
        ("measure BIDS OUT participant more", "more"),
        ("plan", "--protocol"),
        ("plan ccmr-two --sd-unit person", "person"),
        ("plan ccmr-two --effect much", "much"),
        ("analyse", "--protocol"),
        ("analyse demo", "--out"),
        ("report", "--out"),
        ("demo out --seed x", "x"),
    ],
)
def test_wrong_usage(run: Run, line: str, says: str) -> None:
    done = run(*line.split())
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err)
    assert says in done.err


def test_wrong_usage_of_the_program() -> None:
    done = program("measure", "BIDS", "OUT", "everything")
    assert (done.code, done.out) == (2, "")
    assert one_line(done.err)


# Cannot be done: 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("measure {tiny} {new} participant --protocol ccmr-on", "did you mean 'ccmr-one'?"),
        ("measure {tiny} {new} participant --protocol {new}/plan.toml", "plan.toml"),
        ("measure {tiny} {new} participant --erosion-voxels -1", "erosion_voxels"),
        ("measure {tiny} {new} participant --rescan-sd-pu nan", "rescan_sd_pu"),
        ("measure {tiny} {new} participant --jobs 0", "workers"),
        ("measure {tiny} {file}/out participant", "not writable"),
        ("measure {tiny} {file} participant", "not writable"),
        ("measure {empty} {new} participant", "without participants"),
        ("measure {new} {new} participant", "not a folder"),
        ("measure {tiny} {new} group", "measure BIDS OUT participant"),
        ("measure {tiny} {empty} group", "measure BIDS OUT participant"),
        ("analyse demo {trial}/out", "--allocation"),
        ("analyse demo {trial}/out --allocation {new}", "missing"),
        ("analyse nosuch {trial}/out --allocation {trial}/allocation.tsv", "demo"),
        ("analyse demo {empty} --allocation {trial}/allocation.tsv", "measure BIDS OUT group"),
        ("report {empty}", "measure BIDS OUT participant"),
        ("report {new}", "measure BIDS OUT participant"),
        ("demo {file}", "{file}"),
        ("simulate ccmr-two {new} --latency-ms -1.2", "laboratory"),
        ("simulate ccmr-one {new} --mtr-pu 0.2 --trials 0", "trials"),
        ("simulate demo {new} --laboratory trial", "whose target is not known"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Run, tiny: Path, trial: Path, tmp_path: Path, line: str, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("occupied")
    names = {name: tmp_path / name for name in ("empty", "file", "new")} | {"tiny": tiny, "trial": trial}
    done = run(*(word.format(**names) for word in line.split()))
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err)
    assert says.format(**names) in done.err
    assert not (tmp_path / "new").exists() or "erosion" in line or "jobs" in line
    assert list((tmp_path / "empty").iterdir()) == []
    assert not list(trial.glob("out/results.*"))


def test_the_program_refuses_in_one_line(tmp_path: Path) -> None:
    tmp_path.joinpath("data").mkdir()
    done = program("measure", tmp_path / "data", tmp_path / "out", "participant")
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err)


def test_an_error_of_the_disk_is_one_line(
    run: Run, trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28), "measurements.tsv")

    monkeypatch.setattr("remyelin.report.page.atomic_write", fail)
    done = run("report", shutil.copytree(trial / "out", tmp_path / "out"))
    assert (done.code, done.err) == (
        1,
        "measurements.tsv: No space left on device. What is finished is kept.\n",
    )


def test_a_reader_that_goes_away_is_no_error_of_the_disk(trial: Path, tmp_path: Path) -> None:
    out = shutil.copytree(trial / "out", tmp_path / "out")
    with subprocess.Popen(
        command("report", out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        started.stdout.close()
        assert started.stderr.read() == ""
    assert started.returncode == 1


# What is done: 0, and JSON


def test_measuring_prints_json_and_tells_the_progress_elsewhere(
    measured_tiny: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = measured_tiny
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "measured": ["sub-01", "sub-02"],
        "skipped": [],
        "failures": [],
        "flags": 0,
    }
    assert "sub-02 done" in done.stderr
    assert sorted(page.name for page in out.glob("sub-*/*.html")) == ["sub-01.html", "sub-02.html"]
    assert not (out / LOCK_NAME).exists()


@pytest.mark.parametrize(
    ("given", "skipped"),
    [
        (["--participant-label", "01", "02"], ["sub-01", "sub-02"]),
        (["--participant_label", "01", "02"], ["sub-01", "sub-02"]),
        (["--participant-label", "02", "--participant-label", "01"], ["sub-01", "sub-02"]),
        (["--participant_label", "sub-02"], ["sub-02"]),
        (["--participant-label=01"], ["sub-01"]),
        ([], ["sub-01", "sub-02"]),
    ],
)
def test_both_spellings_of_the_label(
    run: Run, tiny: Path, out: Path, given: list[str], skipped: list[str]
) -> None:
    done = run("measure", tiny, out, "participant", *given, "--json")
    assert done.code == 0
    assert json.loads(done.out)["skipped"] == skipped


def test_the_group_level_and_the_report(run: Run, tiny: Path, out: Path) -> None:
    done = run("measure", tiny, out, "group", "--json")
    assert done.code == 0
    assert json.loads(done.out)["skipped"] == ["sub-01", "sub-02"]
    pages = ["report.html", "sub-01/sub-01.html", "sub-02/sub-02.html"]
    before = {name: (out / name).read_bytes() for name in pages}
    done = run("report", out, "--json")
    assert (done.code, json.loads(done.out)) == (0, {"pages": pages})
    assert {name: (out / name).read_bytes() for name in pages} == before
    assert run("report", out).out.split() == pages


def test_a_participant_who_fails_is_named_and_the_code_is_1(
    run: Run, tiny: Path, tmp_path: Path, out: Path
) -> None:
    data = shutil.copytree(tiny, tmp_path / "data")
    for visit in ("M00", "M06"):
        (data / f"sub-02/ses-{visit}/anat/sub-02_ses-{visit}_mt-on_MTR.nii.gz").write_bytes(b"not gzip")
    done = run("measure", data, out, "participant", "--json")
    said = json.loads(done.out)
    assert (done.code, said["measured"], said["skipped"]) == (1, ["sub-02"], ["sub-01"])
    assert [(row["participant_id"], row["visit"]) for row in said["failures"]] == [
        ("sub-02", "M00"),
        ("sub-02", "M06"),
    ]
    assert all(row.keys() == FACTS | {"participant_id", "visit"} for row in said["failures"])
    assert "Traceback" not in done.err
    # Neither the table nor the page of an earlier measurement outlives the failure.
    assert sorted(path.name for path in out.glob("sub-02/*")) == [
        "anat",
        "ses-M00",
        "ses-M06",
        "sub-02_flags.tsv",
    ]
    assert [path for path in out.glob("sub-02/*/**/*") if path.is_file()] == []
    done = run("measure", data, out, "group")
    assert done.code == 1
    assert "sub-02 M06" in done.out
    assert (out / "report.html").is_file()


def test_when_all_fail_the_report_says_so(run: Run, tiny: Path, tmp_path: Path) -> None:
    data, out = shutil.copytree(tiny, tmp_path / "data"), tmp_path / "out"
    for image in data.glob("sub-*/*/anat/*.nii.gz"):
        image.write_bytes(b"not gzip")
    assert run("measure", data, out, "participant").code == 1
    done = run("measure", data, out, "group")
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert "sub-01 M00" in done.out


def test_an_analysis_as_json(run: Run, trial: Path, tmp_path: Path) -> None:
    out = shutil.copytree(trial / "out", tmp_path / "out")
    done = run("analyse", "demo", out, "--allocation", trial / "allocation.tsv", "--json")
    assert (done.code, done.err) == (0, "")
    said = json.loads(done.out)
    assert said.keys() == {"results", "flags", "missed"}
    (first,) = (row for row in said["results"] if row["endpoint"] == "submedian-lesion-mtr")
    assert (first["contrast"], first["unit"], first["n_participants"]) == ("treated - placebo", "pu", 8)
    assert 0 < first["ci_low"] < 1 < first["ci_high"]
    assert all(flag.keys() == FACTS | {"quality"} for flag in said["flags"])
    assert (out / "report.html").is_file()
    done = run("analyse", "demo", out, "--allocation", trial / "allocation.tsv")
    assert done.code == 0
    assert "submedian-lesion-mtr" in done.out


def test_the_demo_as_json(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from remyelin.demo import Demo

    given = {}

    def shown(out: Path, *, workers: int, seed: int) -> Demo:
        given.update(out=out, workers=workers, seed=seed)
        return Demo(out, "the results", 0, 0)

    monkeypatch.setattr("remyelin.demo.run_demo", shown)
    done = run("demo", tmp_path, "--jobs", 1, "--seed", 7, "--json")
    assert done.code == 0
    assert given == {"out": tmp_path, "workers": 1, "seed": 7}
    assert json.loads(done.out) == {
        "report": str(tmp_path / "report.html"),
        "results": "the results",
        "failures": 0,
    }


# What goes wrong inside


@pytest.fixture
def no_log() -> Iterator[None]:
    """The log of a test ends with it."""
    yield
    log = logging.getLogger("remyelin")
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    log.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("no_log")
def test_an_error_of_the_program_costs_one_participant_and_goes_to_the_log(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in the middle")

    monkeypatch.setattr("remyelin.measure.participant._load", broken)
    done = run("measure", tiny, tmp_path / "out", "participant", "--participant-label", "01", "--debug")
    assert done.code == 1
    assert "Not measured: sub-01. program is stopped by ZeroDivisionError: in the middle" in done.out
    assert "Traceback" not in done.out + done.err
    assert "Traceback" in (tmp_path / "out" / "debug.log").read_text()


def test_ctrl_c_is_told_in_one_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("remyelin.measure.run.measure_participants", stop)
    done = run("measure", tmp_path, tmp_path, "participant")
    assert (done.code, done.out) == (130, "")
    assert done.err == "Stopped. What is finished is kept; run the same command to go on.\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_finished(tiny: Path, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        command("measure", tiny, out, "participant", "--jobs", jobs), stderr=subprocess.PIPE, text=True
    ) as started:
        assert "dataset done" in started.stderr.readline()
        started.send_signal(signal.SIGINT)
        said = started.stderr.read()
    assert started.returncode == 130
    assert one_line(said)
    assert said.startswith("Stopped.")
    assert (out / "records/dataset.json").is_file()
    assert not (out / LOCK_NAME).exists()
    assert not list(out.rglob(".*.tmp-*"))
