"""Retinal companions: wide tables, their ranges, and the difference of the eyes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.measure.cells import find_tables
from remyelin.measure.retina import PATTERN, read_retina
from remyelin.tables import Measurements

HEAD = "participant_id\tvisit\teye\trnfl_um\tgcipl_um\tlcla_letters\n"
PEOPLE = ("sub-01", "sub-02")
FILE = "derivatives/oct/centre_retina.tsv"


def line(
    eye: str = "OD",
    rnfl: str = "88",
    gcipl: str = "76",
    letters: str = "31",
    who: str = "sub-01",
    visit="M00",
):
    return f"{who}\t{visit}\t{eye}\t{rnfl}\t{gcipl}\t{letters}\n"


@pytest.fixture
def read(tmp_path):
    def put(text: str, other: str = ""):
        for name, content in ((FILE, text), ("phenotype/b_retina.tsv", other)):
            if content:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(content)
        days = {"sub-01": {"M00": 0.0}}
        return read_retina(find_tables(tmp_path, PATTERN), tmp_path, PEOPLE, days)

    return put


def test_a_wide_table_becomes_rows_and_differences(read):
    found = read(HEAD + line() + line("OS", "93", "79.9", "n/a"))
    assert found.failures == found.findings == []
    table = Measurements.from_rows(found.rows["sub-01"]).frame
    got = {(row.site, row.measure): row for row in table.itertuples()}
    assert len(table) == 7
    assert got["eye:OD", "lcla_letters"].value == 31
    assert got["participant", "rnfl_asymmetry_um"].value == -5
    assert "5 um or more" in got["participant", "rnfl_asymmetry_um"].reason
    assert got["participant", "gcipl_asymmetry_um"].reason == ""
    assert set(table["quality"]) == {"pass"}
    assert set(table["source"]) == {FILE}
    assert (table["day"] == 0).all()


@pytest.mark.parametrize(
    ("od", "os", "told"), [(80, 84.9, False), (80, 85, True), (85, 80, True), (80, 80, False)]
)
def test_the_published_threshold_is_reached_from_both_sides(read, od, os, told):
    found = read(HEAD + line(rnfl=str(od)) + line("OS", str(os)))
    (row,) = [row for row in found.rows["sub-01"] if row["measure"] == "rnfl_asymmetry_um"]
    assert ("nolan2019" in row["reason"]) is told


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (line(rnfl="0.088"), "rnfl_um", "0.088, as if mm"),
        (line(gcipl="0.076"), "gcipl_um", "0.076, as if mm"),
        (line(rnfl="88000"), "rnfl_um", "88000, as if nm"),
        (line(letters="999"), "lcla_letters", "a code for a missing value"),
        (line(letters="-3"), "lcla_letters", "-3"),
        (line(rnfl="88,2"), "rnfl_um", "'88,2'"),
        (line(eye="right"), "eye", "'right'"),
        (line(who="sub-1"), "participant_id", "unknown participant"),
        (line(visit=""), "visit", "missing"),
    ],
)
def test_a_fault_costs_its_participant_the_table(read, row, column, words):
    found = read(HEAD + line(who="sub-02") + row)
    (failure,) = found.failures
    assert list(found.rows) == ["sub-02"]
    assert (failure.error.file, failure.error.field) == (FILE, f"line 3, column {column}")
    assert words in failure.error.found


def test_duplicates_are_refused_within_a_table_and_between_tables(read):
    (failure,) = read(HEAD + line() + line()).failures
    assert "a duplicate: rnfl_um of M00, OD" in failure.error.found
    (failure,) = read(HEAD + line(), HEAD + line(rnfl="90")).failures
    assert "90 for rnfl_um of M00, OD, but 88 before" in failure.error.found
    assert failure.error.file == "phenotype/b_retina.tsv"


def test_values_may_be_spread_over_lines_and_contrasts(read):
    head = "participant_id\tvisit\teye\trnfl_um\tlcla_letters\tcontrast_percent\n"
    rows = "sub-01\tM00\tOD\t88\t31\t2.5\nsub-01\tM00\tOD\tn/a\t22\t1.25\n"
    found = read(head + rows)
    assert found.failures == []
    conditions = {row["condition"] for row in found.rows["sub-01"] if row["measure"] == "lcla_letters"}
    assert conditions == {"contrast=2.5", "contrast=1.25"}


def test_exchanged_columns_are_flagged_and_the_values_with_them(read):
    people = [line(eye, "76", "88", who=who) for who in PEOPLE for eye in ("OD", "OS")]
    found = read(HEAD + "".join(people))
    (finding,) = found.findings
    assert finding.flag.file == FILE
    assert "4 of 4 eyes: the columns look swapped" in finding.flag.found
    assert {row["quality"] for rows in found.rows.values() for row in rows} == {"flag"}
    for rows in found.rows.values():
        Measurements.from_rows(rows)


def test_a_few_thin_eyes_are_no_exchange(read):
    rows = [line(eye, "55", "58", who="sub-01") for eye in ("OD", "OS")]
    rows += [line(eye, "95", "80", who="sub-02") for eye in ("OD", "OS")]
    assert read(HEAD + "".join(rows)).findings == []


def test_a_reader_s_doubt_needs_words_and_travels(read):
    head = HEAD.replace("\n", "\tquality\treason\n")
    good = line()[:-1] + "\tflag\tsignal 14 dB\n" + line("OS")[:-1] + "\tpass\tn/a\n"
    rows = read(head + good).rows["sub-01"]
    (row,) = [row for row in rows if row["measure"] == "gcipl_asymmetry_um"]
    assert (row["quality"], row["reason"]) == ("flag", "OD: signal 14 dB")
    (failure,) = read(head + line()[:-1] + "\tfail\tn/a\n").failures
    assert failure.error.field == "line 2, column reason"


@pytest.mark.parametrize(
    "text", [HEAD, "participant_id\tvisit\teye\nsub-01\tM00\tOD\n", HEAD.replace("rnfl_um", "rnfl") + line()]
)
def test_a_table_without_values_is_the_dataset_s_failure(read, text):
    (failure,) = read(text).failures
    assert failure.participant == ""
    assert failure.error.file == FILE


@given(st.floats(20, 200), st.floats(20, 200))
def test_the_difference_is_od_less_os(od, os):
    from remyelin.measure.retina import _Eye, _rows

    eyes = [_Eye("M00", eye, {"rnfl_um": v}, "", "pass", "", "a", 2) for eye, v in (("OD", od), ("OS", os))]
    (row,) = [row for row in _rows("sub-01", eyes, {}) if row["site"] == "participant"]
    assert row["value"] == pytest.approx(od - os)
