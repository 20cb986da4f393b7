"""Users' own tables: whose rows are lost when something in them is wrong, and what the message says."""

from __future__ import annotations

import pytest

from remyelin.measure.dataset import Dataset
from remyelin.measure.usertables import read_tables

HEAD = "participant_id\tvisit\tsite\tmeasure\tvalue\tunit\n"
PEOPLE = ("sub-01", "sub-02", "sub-03")


def line(participant: str, visit: str = "M00", eye: str = "OD", value: str = "115.0") -> str:
    return f"{participant}\t{visit}\teye:{eye}\tp100_latency_ms\t{value}\tms\n"


@pytest.fixture
def read(tmp_path):
    def put(*tables: str | bytes):
        for participant in PEOPLE:
            (tmp_path / participant).mkdir(exist_ok=True)
        for number, content in enumerate(tables):
            path = tmp_path / "derivatives" / f"site{number}" / "vep_measurements.tsv"
            path.parent.mkdir(parents=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        found, failures = read_tables(Dataset.index(tmp_path))
        told = {(failure.participant, failure.error.file, failure.error.field) for failure in failures}
        return {who: len(table) for who, table in found.items()}, told

    return put


def test_tables_of_several_sites_are_joined(read):
    one = HEAD + line("sub-01") + line("sub-02")
    two = HEAD + line("sub-01", eye="OS") + line("sub-03")
    assert read(one, two) == ({"sub-01": 2, "sub-02": 1, "sub-03": 1}, set())


def test_no_table_is_no_table(read):
    assert read() == ({}, set())


def test_one_value_in_two_tables_costs_the_participant_its_rows(read):
    counts, told = read(HEAD + line("sub-01") + line("sub-02"), HEAD + line("sub-02", value="120"))
    assert counts == {"sub-01": 1}
    assert told == {("sub-02", "derivatives/site1/vep_measurements.tsv", "sub-02 in several tables")}


def test_a_fault_is_laid_to_its_participant(read):
    counts, told = read(HEAD + line("sub-01") + line("sub-02", value="115,0") + line("sub-03"))
    assert counts == {"sub-01": 1, "sub-03": 1}
    assert told == {("sub-02", "derivatives/site0/vep_measurements.tsv", "line 3, column value")}


def test_an_unknown_participant_is_the_fault_of_the_dataset(read):
    counts, told = read(HEAD + line("sub-1") + line("sub-02"))
    assert counts == {"sub-02": 1}
    assert told == {("", "derivatives/site0/vep_measurements.tsv", "line 2, column participant_id")}


def test_a_shifted_row_costs_its_participant_and_other_faults_keep_their_line(read):
    text = HEAD + line("sub-01") + line("sub-02").replace("M00", "\tM00") + line("sub-02", eye="OS")
    counts, told = read(text + line("sub-03", value="-999") + line("sub-01", eye="OS"))
    assert counts == {"sub-01": 2}
    file = "derivatives/site0/vep_measurements.tsv"
    assert told == {("sub-02", file, "line 3"), ("sub-03", file, "line 5, column value")}


@pytest.mark.parametrize(
    "content",
    [
        HEAD + line("sub-01") + "half a line",
        HEAD.replace("value", "values") + line("sub-01"),
        (HEAD + line("sub-01")).encode("utf-16"),
        HEAD + line("sub-01") + "\0\n",
        "",
    ],
)
def test_a_table_that_cannot_be_trusted_is_lost_whole_and_costs_nobody_else(read, content):
    counts, told = read(content, HEAD + line("sub-02"))
    assert counts == {"sub-02": 1}
    assert {(who, file) for who, file, _ in told} == {("", "derivatives/site0/vep_measurements.tsv")}
