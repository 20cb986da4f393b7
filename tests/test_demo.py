"""`remyelin demo`: from nothing to a report, and the report is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("demo") / "out"
    return out, run(out)


def run(out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "remyelin.cli", "demo", str(out), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t")


def test_the_demo_ends_with_a_report(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = demo
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert json.loads(done.stdout)["report"] == str(out / "report.html")
    page = (out / "report.html").read_text()
    assert "Virtual data" in page
    assert "Blinded" not in page
    people = [f"sub-{k:02d}" for k in range(1, 9)]
    assert [path.stem for path in sorted(out.glob("sub-*/*.html"))] == people
    assert len(table(out / "failures.tsv")) == 0


@pytest.mark.parametrize(
    ("endpoint", "table_name", "value", "sites"),
    [("lesion-mtr-weighted", "lesions", "mtr_pu", 80), ("vep-shift", "eyes", "latency_ms", 16)],
)
def test_the_interval_holds_what_was_put_in(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
    endpoint: str,
    table_name: str,
    value: str,
    sites: int,
) -> None:
    out, _ = demo
    truth = table(out / "sourcedata" / "truth" / f"{table_name}.tsv")
    by_visit = truth.groupby(["arm", "participant_id", "visit"])[value].mean().unstack()
    change = (by_visit["M06"] - by_visit["M00"]).groupby("arm").mean()
    true_effect = change["treated"] - change["placebo"]
    assert abs(true_effect) > 1
    results = table(out / "results.tsv").set_index("endpoint").loc[endpoint]
    assert results["n_participants"] == 8
    assert results["n_sites"] >= sites
    assert results["ci_low"] < true_effect < results["ci_high"]
    assert results["ci_low"] * results["ci_high"] > 0, "eight participants are to show an effect of this size"


def test_the_page_shows_lesions_and_eyes(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = demo
    page = (out / "report.html").read_text()
    assert "Which lesions changed?" in page
    assert "vep-shift" in page
    person = (out / "sub-01" / "sub-01.html").read_text()
    assert "eye:OD" in person or "right eye" in person.lower()


def test_a_second_time_it_measures_nothing_and_changes_nothing(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, _ = demo
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    done = run(out)
    assert done.returncode == 0
    assert "skipped 9 finished" in done.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
