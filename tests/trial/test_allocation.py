"""Every fault of an allocation is named with its line."""

from __future__ import annotations

import pandas as pd
import pytest

from remyelin.errors import RefuseRun
from remyelin.trial.allocation import check_allocation, match, read_allocation


def test_reads_what_was_written(tmp_path, protocol):
    path = tmp_path / "allocation.tsv"
    path.write_bytes("\ufeffparticipant_id\tarm\r\nsub-02\tplacebo\r\nsub-01\ttreated\r\n".encode())
    frame = read_allocation(path, protocol)
    assert frame.to_dict("list") == {"participant_id": ["sub-01", "sub-02"], "arm": ["treated", "placebo"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant_id\tarm\nsub-01\tplacebo\nsub-02\ttreatd\n", ["line 3", "did you mean 'treated'"]),
        ("participant_id\tarm\nsub-01\tplacebo\nsub-01\ttreated\n", ["line 3", "duplicate sub-01", "line 2"]),
        ("participant_id\tarm\n01\tplacebo\n", ["line 2", "write sub-01"]),
        ("participant_id\tarm\nsub 01\tplacebo\n", ["write like sub-01"]),
        ("participant_id\tarm\nsub-01\t\n", ["line 2", "arm"]),
        ("participant_id\tgroup\nsub-01\tplacebo\n", ["participant_id, group", "tab"]),
        ("participant_id\tarm\tage\nsub-01\tplacebo\t4\n", ["age"]),
        ("participant_id\tsequence\nsub-01\tAB\n", ["participant_id, sequence", "participant_id and arm"]),
        ("participant_id\tarm\n", ["none", "one row a participant"]),
        ("participant_id\tarm\nsub-01\n", ["line 2"]),
        ("participant_id,arm\nsub-01,placebo\n", ["tab"]),
    ],
)
def test_faults_are_named(tmp_path, protocol, text, words):
    path = tmp_path / "allocation.tsv"
    path.write_text(text)
    with pytest.raises(RefuseRun) as caught:
        read_allocation(path, protocol)
    assert caught.value.file == "allocation.tsv"
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path, protocol):
    with pytest.raises(RefuseRun, match=r"nothing\.tsv"):
        read_allocation(tmp_path / "nothing.tsv", protocol)


def test_a_frame_is_checked_too(protocol):
    with pytest.raises(RefuseRun, match="arm"):
        check_allocation(pd.DataFrame({"participant_id": ["sub-01"], "arm": [float("nan")]}), protocol)


def test_who_is_in_one_table_only():
    table = pd.DataFrame({"participant_id": ["sub-01", "sub-3"], "arm": ["a", "b"]})
    assert match(table, ["sub-01", "sub-003", "sub-09"]) == (
        ["sub-003", "sub-09"], ["sub-3"], "sub-003: did you mean 'sub-3'?"
    )  # fmt: skip
