"""Tables as people really send them: what each fault of a measurement table must lead to.

A group table of four participants; one thing is broken in that of sub-02. The message names the file, the
line and the way out, and the other three are read as if nothing had happened.
"""

from __future__ import annotations

import pytest

from remyelin.errors import InputError
from remyelin.tables import Measurements

PEOPLE = ("sub-01", "sub-02", "sub-03", "sub-04")
HEALTHY = ("sub-01", "sub-03", "sub-04")
HEAD = ("participant_id", "visit", "site", "measure", "value", "unit", "source")


def p100_ms(person: str, visit: str, eye: str) -> float:
    return 112.0 + 2 * int(person[-2:]) + (6 if eye == "OS" else 0) - (3 if visit == "M06" else 0)


def rows() -> list[list[str]]:
    return [
        [
            person,
            visit,
            f"eye:{eye}",
            "p100_latency_ms",
            f"{p100_ms(person, visit, eye):.1f}",
            "ms",
            "Besançon",
        ]
        for person in PEOPLE
        for visit in ("M00", "M06")
        for eye in ("OS", "OD")
    ]


def text(table: list[list[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in [list(HEAD), *table])


def changed(column: str, change, where=lambda row: row[0] == "sub-02") -> str:
    """The table with `change` made to the cells of `column` in sub-02's rows."""
    table = rows()
    for row in table:
        if where(row):
            row[HEAD.index(column)] = change(row[HEAD.index(column)])
    return text(table)


def _second_visit(row: list[str]) -> bool:
    return row[:2] == ["sub-02", "M06"]


# name: the file's text, then words of which each must stand in the message.
FAULTS = {
    "id_zero_padding": (
        changed("participant_id", lambda _: "sub-2"),
        ["line 6", "participant_id", "sub-2", "unknown", "did you mean 'sub-02'?"],
    ),
    "decimal_comma": (
        changed("value", lambda cell: cell.replace(".", ",")),
        ["line 6", "value", "122,0", "decimal comma", "write 122.0"],
    ),
    "latency_in_seconds": (
        changed("value", lambda cell: f"{float(cell) / 1000:.4f}"),
        ["line 6", "value", "0.122", "as if seconds", "50 to 300 ms", "multiply by 1000"],
    ),
    "unit_in_seconds": (
        changed("unit", lambda _: "s"),
        ["line 6", "unit", "'s'", "'ms'", "multiply by 1000"],
    ),
    "sentinel_missing": (
        changed("value", lambda _: "-999", _second_visit),
        ["line 8", "value", "-999", "missing", "write n/a"],
    ),
    "word_for_missing": (
        changed("value", lambda _: "NA", _second_visit),
        ["line 8", "value", "'NA'", "n/a"],
    ),
    "conflicting_duplicate_visit": (
        text([*rows(), ["sub-02", "M06", "eye:OS", "p100_latency_ms", "131.0", "ms", "Besançon"]]),
        ["line 18", "duplicate", "conflict", "line 8", "119", "131", "source document"],
    ),
    "identical_duplicate": (
        text([*rows(), rows()[6]]),
        ["line 18", "duplicate", "line 8", "sub-02, M06, eye:OS", "keep one"],
    ),
    "ses_prefix": (changed("visit", lambda cell: f"ses-{cell}"), ["line 6", "visit", "ses-M00", "write M00"]),
    "unknown_measure": (
        changed("measure", lambda _: "p100_latency"),
        ["line 6", "measure", "did you mean 'p100_latency_ms'?"],
    ),
    "wrong_eye_name": (changed("site", lambda _: "eye:L"), ["line 6", "site", "eye:L", "eye:OS"]),
    "amplitude_column_shifted_into_value": (
        changed("value", lambda _: "12.0"),
        ["line 6", "value", "12", "plausible", "check it against its source"],
    ),
}


@pytest.fixture
def clean(tmp_path) -> Measurements:
    path = tmp_path / "clean_measurements.tsv"
    path.write_text(text(rows()), encoding="utf-8")
    return Measurements.read(path, known=PEOPLE)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_file_line_and_fix(name, tmp_path):
    broken, words = FAULTS[name]
    path = tmp_path / "derivatives" / "vep_measurements.tsv"
    path.parent.mkdir()
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Measurements.read(path, root=tmp_path, known=PEOPLE)
    message = str(caught.value)
    assert caught.value.file == "derivatives/vep_measurements.tsv"
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_costs_only_the_participant_it_stands_in(name, tmp_path, clean):
    path = tmp_path / "vep_measurements.tsv"
    path.write_text(FAULTS[name][0], encoding="utf-8")
    good, errors = Measurements.read_each(path, known=PEOPLE)
    assert list(errors) == ["sub-2" if name == "id_zero_padding" else "sub-02"]
    assert [word for word in FAULTS[name][1] if word not in str(*errors.values())] == []
    for person in PEOPLE:
        expected = clean.select(participant_id=person) if person in HEALTHY else Measurements.from_rows([])
        assert good.select(participant_id=person) == expected


def _replaced(old: bytes, new: bytes) -> bytes:
    data = text(rows()).encode()
    assert old in data
    return data.replace(old, new, 1)


WHOLE_FILE = {
    "latin1": (
        text(rows()).encode("latin-1"),
        ["encoding", "UTF-8", "0xE7", "line 2", "save the file as UTF-8"],
    ),
    "nul_bytes": (text(rows()).encode()[:200] + b"\0" * 64 + text(rows()).encode()[200:], ["NUL", "restore"]),
    "ragged_row": (
        _replaced(b"sub-02\tM06\teye:OD\t", b"sub-02\tM06\teye:OD\t\t"),
        ["line 9", "8 fields", "7 fields", "tabs"],
    ),
    "commas_for_tabs": (text(rows()).replace("\t", ",").encode(), ["line 1", "commas", "tabs"]),
    "column_misspelt": (
        _replaced(b"\tvalue\t", b"\tvalues\t"),
        ["columns", "'values'", "did you mean 'value'?"],
    ),
    "column_missing": (
        "".join("\t".join(row[:5]) + "\n" for row in [list(HEAD), *rows()]).encode(),
        ["columns", "without 'unit'", "add 'unit'"],
    ),
    "empty": (b"", ["0 bytes"]),
}


@pytest.mark.parametrize("read", [Measurements.read, Measurements.read_each])
@pytest.mark.parametrize("name", WHOLE_FILE)
def test_a_file_that_cannot_be_trusted_is_rejected_whole(name, read, tmp_path):
    path = tmp_path / "vep_measurements.tsv"
    path.write_bytes(WHOLE_FILE[name][0])
    with pytest.raises(InputError) as caught:
        read(path, known=PEOPLE)
    assert caught.value.file == "vep_measurements.tsv"
    assert [word for word in WHOLE_FILE[name][1] if word not in str(caught.value)] == [], str(caught.value)


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path, clean):
    path = tmp_path / "vep_measurements.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + text(rows()).replace("\n", "\r\n").encode())
    assert Measurements.read(path, known=PEOPLE) == clean
    assert Measurements.read_each(path, known=PEOPLE) == (clean, {})


def test_mtr_as_a_fraction_is_caught_though_it_is_within_the_range():
    row = {"visit": "M00", "measure": "mtr_pu", "unit": "pu"}
    good = [
        {**row, "participant_id": "sub-01", "site": f"lesion:{i:03d}", "value": 30 + i} for i in range(1, 4)
    ]
    bad = [{**row, "participant_id": "sub-02", "site": f"lesion:{i:03d}", "value": 0.3} for i in range(1, 4)]
    with pytest.raises(InputError, match=r"row 4, column value .* not a fraction. Fix: multiply by 100"):
        Measurements.from_rows(good + bad)
    one_low = {**bad[0], "participant_id": "sub-01", "site": "lesion:009"}
    assert len(Measurements.from_rows([*good, one_low])) == 4
