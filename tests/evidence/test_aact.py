"""Pipe files of AACT, whole and broken; the study does not exist."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.evidence.aact import read_tables
from remyelin.evidence.draft import draft_study
from remyelin.evidence.posted import Outcome, Study
from remyelin.evidence.registry import read_record

from .posted_study import NCT, tables, write_record, write_tables


def zipped(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.glob("*.txt")):
            archive.write(file, f"export/{file.name}")
    return path


def test_both_formats_give_the_same_study(tmp_path: Path) -> None:
    tabled = read_tables(write_tables(tmp_path), NCT)
    posted = read_record(write_record(tmp_path))
    assert _without_ids(tabled) == _without_ids(posted)


def _without_ids(study: Study) -> Study:
    """AACT gives groups ids of its own: compared by the place at which they stand in their outcome."""
    started = tuple(dataclasses.replace(group, id="") for group in study.started)
    outcomes = tuple(map(_numbered, study.outcomes))
    ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.title))
    return dataclasses.replace(study, file="", started=started, outcomes=ordered)


def _numbered(outcome: Outcome) -> Outcome:
    place = {group.id: str(k) for k, group in enumerate(outcome.groups)}
    return dataclasses.replace(
        outcome,
        groups=tuple(dataclasses.replace(group, id=place[group.id]) for group in outcome.groups),
        cells=tuple(dataclasses.replace(cell, group=place[cell.group]) for cell in outcome.cells),
        comparisons=tuple(
            dataclasses.replace(each, groups=tuple(place[group] for group in each.groups))
            for each in outcome.comparisons
        ),
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_zip_is_read_as_the_folder_is(tmp_path: Path, method: int) -> None:
    folder = write_tables(tmp_path)
    packed = read_tables(zipped(folder, tmp_path / "aact.zip", method), NCT)
    assert packed == dataclasses.replace(read_tables(folder, NCT), file="aact.zip")


def test_a_study_is_chosen_where_there_are_several(tmp_path: Path) -> None:
    write_tables(tmp_path)
    with pytest.raises(InputError, match=r"of several studies.*expected one study.*--study NCT"):
        read_tables(tmp_path)
    with pytest.raises(InputError, match="without NCT00000003"):
        read_tables(tmp_path, "NCT00000003")
    other = read_tables(tmp_path, "NCT09990002")
    assert (other.n, other.arms, [outcome.title for outcome in other.outcomes]) == (10, (), ["Other"])


def test_one_study_needs_no_number(tmp_path: Path) -> None:
    content = tables()
    del content["studies"][2]
    assert read_tables(write_tables(tmp_path, content)).nct_id == NCT


def test_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    content = {name: tables()[name] for name in ("studies", "outcomes", "result_groups")}
    study = read_tables(write_tables(tmp_path, content), NCT)
    assert "outcome_analyses.txt" in study.absent
    assert "studies.txt" not in study.absent
    assert study.outcomes[0].comparisons == ()


def test_contacts_are_never_opened(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "facility_contacts.txt").write_bytes(b"\xff\xfe not text")
    assert "Nobody" not in repr(read_tables(tmp_path, NCT))


def _change(table: str, line: int, text: str) -> dict[str, list[str]]:
    content = tables()
    content[table][line] = text
    return content


@pytest.mark.parametrize(
    ("content", "file", "message"),
    [
        (_change("studies", 0, "nct_id,brief_title"), "studies.txt", "not a header of columns"),
        (
            _change("outcomes", 0, "id|title"),
            "outcomes.txt",
            r"without nct_id, outcome_type.*it has id, title",
        ),
        (
            _change("outcomes", 0, tables()["outcomes"][0].replace("population", "title")),
            "outcomes.txt",
            "a column twice",
        ),
        (_change("outcome_analyses", 1, "51|NCT09990001"), "outcome_analyses.txt", "line 2 is of 2 fields"),
        (_change("designs", 1, '1|"open'), "designs.txt", "not readable"),
        (_change("designs", 1, f"1|{NCT}|\0||"), "designs.txt", "NUL"),
        (
            _change("calculated_values", 1, f"1|{NCT}|two"),
            "calculated_values.txt",
            "number_of_facilities is 'two', expected a whole number",
        ),
        (
            _change("studies", 2, tables()["studies"][1].replace("\n", " ")),
            "studies.txt",
            "NCT09990001 is there twice",
        ),
    ],
    ids=[
        "commas",
        "no columns",
        "column twice",
        "short row",
        "open quotes",
        "NUL",
        "words for a number",
        "study twice",
    ],
)
def test_a_broken_table_is_refused(
    tmp_path: Path, content: dict[str, list[str]], file: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_tables(write_tables(tmp_path, content), NCT)
    assert caught.value.file == file
    assert caught.value.fix


def test_bytes_and_nothing_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    for data, message in ((b"\x89PNG\xff\xfe|\n", "not UTF-8"), (b"", "empty"), (b"\n\n", "not a header")):
        (tmp_path / "outcomes.txt").write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_tables(tmp_path, NCT)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"words"], ids=["empty", "cut", "text"])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "aact.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"empty|not a zip"):
        read_tables(path, NCT)


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(write_tables(tmp_path), tmp_path / "aact.zip", zipfile.ZIP_STORED)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Change in P100", b"Change in P200"))
    with pytest.raises(InputError, match="damaged"):
        read_tables(path, NCT)


def test_a_folder_or_zip_without_studies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"studies.txt is missing \(there is no .txt file\)"):
        read_tables(tmp_path)
    (tmp_path / "outcomes.txt").write_text("id|nct_id\n")
    with pytest.raises(InputError, match=r"studies.txt is missing \(there is outcomes\)"):
        read_tables(zipped(tmp_path, tmp_path / "aact.zip"))


def test_what_would_inflate_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tables()
    content["designs"] += [f"{k}|NCT09990009|||" for k in range(2, 40_000)]
    path = zipped(write_tables(tmp_path, content), tmp_path / "aact.zip")
    monkeypatch.setattr("remyelin.evidence.pipe_files.MOST_COMPRESSED", 2)
    with pytest.raises(InputError, match=r"designs.txt is \d+ times larger than in the zip"):
        read_tables(path, NCT)
    monkeypatch.setattr("remyelin.evidence.pipe_files.TABLE_LIMIT_BYTES", 100)
    with pytest.raises(InputError, match=r"GB large"):
        read_tables(path, NCT)


def test_a_large_table_is_read_by_rows(tmp_path: Path) -> None:
    content = tables()
    content["outcome_measurements"] += [f"{k}|NCT09990009|1|2|||1.0|||" for k in range(10, 60_000)]
    study = read_tables(write_tables(tmp_path, content), NCT)
    assert [len(outcome.cells) for outcome in study.outcomes] == [2, 4]


CELLS = [
    (table, line, cell)
    for table, lines in tables().items()
    for line in range(len(lines))
    for cell in range(lines[line].count("|") + 1)
]


@given(
    place=st.sampled_from(CELLS),
    junk=st.sampled_from(
        ["", "NA", "-1", "x" * 3000, "9" * 30, "1e400", '"', "a|b", "\0", "\x07", "é\u2028ü"]
    ),
)
def test_a_mutated_cell_is_drafted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, int, int], junk: str
) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    table, line, cell = place
    content = tables()
    cells = content[table][line].split("|")
    cells[cell] = junk
    content[table][line] = "|".join(cells)
    refused = None
    try:
        draft_study(write_tables(folder, content), NCT).text()
    except InputError as error:
        refused = error
    assert refused is None or (refused.fix and str(folder) not in str(refused))


def test_without_names_of_groups_the_draft_says_so(tmp_path: Path) -> None:
    content = tables()
    del content["result_groups"]
    made = draft_study(write_tables(tmp_path, content), NCT)
    assert "table result_groups.txt: not in the download, so groups have no names" in made.left_out
    asked = {each.words for each in made.decisions if each.field == "arms"}
    assert asked
    assert all("has no name in the download: which arm is it?" in one for one in asked)
    (contrast,) = (each.words for each in made.decisions if each.field == "contrast")
    assert "'' and ''" not in contrast
