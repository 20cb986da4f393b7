"""Readers' peaks: what a table may hold, and whose rows a fault costs."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.measure.cells import find_tables
from remyelin.measure.readings import PATTERN, read_readings, reading_rows
from remyelin.tables import Measurements

COLUMNS = "participant_id visit eye check_arcmin run reader peak latency_ms amplitude_uv time reason quality"
HEAD = COLUMNS.replace(" ", "\t") + "\n"
PEOPLE = ("sub-01", "sub-02")


def line(**given: str) -> str:
    cells = {
        "participant_id": "sub-01",
        "visit": "M00",
        "eye": "OD",
        "check_arcmin": "60",
        "run": "n/a",
        "reader": "AB",
        "peak": "P100",
        "latency_ms": "118.5",
        "amplitude_uv": "7.2",
        "time": "2026-03-09T14:05",
        "reason": "clear",
        "quality": "pass",
    } | given
    return "\t".join(cells.values()) + "\n"


@pytest.fixture
def read(tmp_path):
    def put(*tables: str):
        for number, text in enumerate(tables):
            path = tmp_path / "derivatives" / f"centre{number}" / "vep_readings.tsv"
            path.parent.mkdir(parents=True)
            path.write_text(text)
        return read_readings(find_tables(tmp_path, PATTERN), tmp_path, PEOPLE)

    return put


def test_readings_become_rows_beside_the_automatic_ones(read):
    text = HEAD + line() + line(peak="N75", latency_ms="80", amplitude_uv="n/a")
    text += line(peak="N135", latency_ms="150", amplitude_uv="n/a", quality="flag", reason="broad")
    text += line(run="2", latency_ms="119", amplitude_uv="n/a")
    found, failures = read(text)
    assert failures == []
    table = Measurements.from_rows(reading_rows(found["sub-01"], {"M00": 0.0}))
    rows = {(r.measure, r.condition): r for r in table.frame.itertuples()}
    assert rows["p100_latency_ms", "check=60;reader=AB"].value == 118.5
    assert rows["p100_latency_ms", "check=60;reader=AB;run=2"].value == 119
    assert rows["p100_amplitude_uv", "check=60;reader=AB"].value == 7.2
    late = rows["n135_latency_ms", "check=60;reader=AB"]
    assert (late.quality, late.reason) == ("flag", "read 2026-03-09T14:05:00: broad")
    assert late.source == "derivatives/centre0/vep_readings.tsv"
    assert (table.frame["day"] == 0).all()
    assert len(table) == 5


def test_a_peak_that_is_not_there_is_absent_and_a_second_look_is_no_row(read):
    text = HEAD.replace("quality", "quality\trepeat")
    rows = line(latency_ms="n/a", amplitude_uv="n/a", reason="flat"), line(visit="M06"), line(visit="M06")
    text += "".join(row[:-1] + f"\t{repeat}\n" for row, repeat in zip(rows, (1, 1, 2), strict=True))
    found, failures = read(text)
    assert failures == []
    made = reading_rows(found["sub-01"], {})
    assert [(row["visit"], row["state"]) for row in made if row["measure"] == "p100_latency_ms"] == [
        ("M00", "absent"),
        ("M06", "present"),
    ]


@pytest.mark.parametrize(
    ("given", "column", "words"),
    [
        ({"latency_ms": "0.1185"}, "latency_ms", "0.1185, as if seconds"),
        ({"latency_ms": "-999"}, "latency_ms", "a code for a missing value"),
        ({"latency_ms": "118,5"}, "latency_ms", "'118,5'"),
        ({"latency_ms": "nan"}, "latency_ms", "'nan'"),
        ({"latency_ms": "400"}, "latency_ms", "400"),
        ({"latency_ms": "20", "peak": "N75", "amplitude_uv": "n/a"}, "latency_ms", "20"),
        ({"amplitude_uv": "5000"}, "amplitude_uv", "5000, as if nV"),
        ({"peak": "N75", "latency_ms": "80"}, "amplitude_uv", "7.2 at N75"),
        ({"peak": "P1"}, "peak", "'P1'"),
        ({"eye": "R"}, "eye", "'R'"),
        ({"check_arcmin": "1"}, "check_arcmin", "1, as if degrees"),
        ({"reader": "auto"}, "reader", "'auto'"),
        ({"reader": "n/a"}, "reader", "missing"),
        ({"reader": "A;B"}, "reader", "'A;B'"),
        ({"run": "1;2"}, "run", "'1;2'"),
        ({"time": "9 March"}, "time", "'9 March'"),
        ({"time": "2026-03-09"}, "time", "'2026-03-09'"),
        ({"time": "2026-13-09T10:00"}, "time", "'2026-13-09T10:00'"),
        ({"quality": "bad"}, "quality", "'bad'"),
        ({"quality": "flag", "reason": ""}, "reason", "missing"),
        ({"latency_ms": "n/a", "reason": "n/a"}, "reason", "missing"),
        ({"visit": "M 0"}, "visit", "'M 0'"),
        ({"participant_id": "sub-1"}, "participant_id", "unknown participant 'sub-1'"),
    ],
)
def test_a_fault_names_file_line_and_column_and_spares_the_others(read, given, column, words):
    found, (failure,) = read(HEAD + line(participant_id="sub-02") + line(**given))
    assert list(found) == ["sub-02"]
    assert failure.participant == ("" if column == "participant_id" else "sub-01")
    assert failure.error.file == "derivatives/centre0/vep_readings.tsv"
    assert failure.error.field == f"line 3, column {column}"
    assert words in failure.error.found
    assert failure.error.fix


def test_fixes_say_what_was_meant(read):
    _, (failure,) = read(HEAD + line(eye="L"))
    assert failure.error.fix == "write OS"


@pytest.mark.parametrize("second", ["118.5", "121"])
def test_one_reader_reads_a_trace_once(read, second):
    text = HEAD + line() + line(latency_ms=second) + line(reader="CD") + line(visit="ses-M06")
    found, (failure,) = read(text)
    assert found == {}
    assert failure.error.field == "line 3"
    assert "a second P100 by AB of M00, OD" in failure.error.found


def test_a_second_table_with_the_same_reading_is_not_taken(read):
    found, (failure,) = read(HEAD + line(), HEAD + line(latency_ms="130"))
    assert [one.latency_ms for one in found["sub-01"]] == [118.5]
    assert failure.error.file == "derivatives/centre1/vep_readings.tsv"


def test_peaks_stand_in_their_order(read):
    found, (failure,) = read(HEAD + line() + line(peak="N75", latency_ms="120", amplitude_uv="n/a"))
    assert found == {}
    assert "after P100 at 118.5 ms" in failure.error.found


@pytest.mark.parametrize(
    "text",
    [HEAD, HEAD.replace("time", "when") + line(), HEAD + "sub-01\tM00\n", "", HEAD.replace("reader\t", "")],
)
def test_a_table_that_cannot_be_trusted_is_the_dataset_s_failure(read, text):
    found, (failure,) = read(text, HEAD + line(participant_id="sub-02"))
    assert list(found) == ["sub-02"]
    assert (failure.participant, failure.error.file) == ("", "derivatives/centre0/vep_readings.tsv")


def test_tables_are_found_where_users_put_them_and_not_in_our_own_results(tmp_path):
    for name in (
        "derivatives/a/b/x_readings.tsv",
        "phenotype/y_readings.tsv",
        "derivatives/out/z_readings.tsv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "derivatives/out/remyelin.toml").touch()
    (tmp_path / "derivatives/loop").symlink_to(tmp_path / "derivatives")
    found = [path.relative_to(tmp_path).as_posix() for path in find_tables(tmp_path, PATTERN)]
    assert found == ["derivatives/a/b/x_readings.tsv", "phenotype/y_readings.tsv"]
    assert find_tables(tmp_path / "nothing", PATTERN) == []


def test_no_check_size_is_allowed(read):
    found, failures = read(HEAD + line(check_arcmin="n/a"))
    assert failures == []
    (one,) = found["sub-01"]
    assert (one.check_arcmin, one.condition("AB")) == (None, "reader=AB")
    assert np.isfinite(one.latency_ms)
