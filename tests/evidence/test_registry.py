"""Records of ClinicalTrials.gov, whole and broken; the study does not exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remyelin.errors import InputError
from remyelin.evidence.posted import p_value
from remyelin.evidence.registry import read_record

from .posted_study import NCT, record, write_record


def test_header_groups_and_analyses_are_read(tmp_path: Path) -> None:
    study = read_record(write_record(tmp_path))
    assert (study.nct_id, study.acronym, study.n, study.sites) == (NCT, "REMAKE", 60, 2)
    assert study.phases == ("PHASE1", "PHASE2")
    assert [(group.title, group.n) for group in study.started] == [("Fictastine", 31), ("Placebo", 29)]
    assert [arm.interventions for arm in study.arms] == [("Fictastine 4 mg",), ("Placebo",)]
    latency, mtr = study.outcomes
    assert [(group.n, group.people) for group in latency.groups] == [(60, 30), (58, 29)]
    assert (latency.counted, mtr.counted) == ("Eyes", "Participants")
    assert latency.comparisons[0].groups == ("OG000", "OG001")
    assert (latency.comparisons[0].value, latency.comparisons[0].p) == ("2.1", "<0.001")
    assert mtr.rows() == ("Baseline", "Month 6")
    assert [cell.value for cell in mtr.cells] == ["30.1", "30.3", "30.4", "NA"]


def test_no_person_is_read(tmp_path: Path) -> None:
    study = repr(read_record(write_record(tmp_path)))
    for person in ("Nobody", "nowhere", "0100", "Site A"):
        assert person not in study


def test_a_record_without_results(tmp_path: Path) -> None:
    content = record()
    del content["resultsSection"]
    content["hasResults"] = False
    study = read_record(write_record(tmp_path, content))
    assert not study.has_results
    assert (study.outcomes, study.started) == ((), ())


def test_the_smallest_record(tmp_path: Path) -> None:
    content = {"protocolSection": {"identificationModule": {"nctId": NCT}}}
    study = read_record(write_record(tmp_path, content))
    assert (study.nct_id, study.n, study.sites) == (NCT, None, None)


@pytest.mark.parametrize("wrap", [lambda study: {"studies": [study], "totalCount": 1}, lambda study: [study]])
def test_a_download_of_one_study(tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    assert read_record(write_record(tmp_path, wrap(record()))) == read_record(write_record(tmp_path))


def test_two_studies_in_one_file_are_not_guessed_between(tmp_path: Path) -> None:
    other = record()
    other["protocolSection"]["identificationModule"]["nctId"] = "NCT09990002"
    path = write_record(tmp_path, {"studies": [record(), other]})
    with pytest.raises(InputError, match=r"of 2 studies \(NCT09990001, NCT09990002\), expected one study"):
        read_record(path)
    assert read_record(path, "NCT09990002").nct_id == "NCT09990002"
    with pytest.raises(InputError, match="study is not NCT00000003, expected one of NCT09990001"):
        read_record(path, "NCT00000003")
    with pytest.raises(InputError, match="the same in two records"):
        read_record(write_record(tmp_path, [record(), record()]))


def _set(*keys: Any) -> Callable[[dict[str, Any]], None]:
    *path, last, value = keys

    def change(content: dict[str, Any]) -> None:
        node: Any = content
        for key in path:
            node = node[key]
        if value is ...:
            del node[last]
        else:
            node[last] = value

    return change


OUTCOME = ("resultsSection", "outcomeMeasuresModule", "outcomeMeasures", 0)
IDENTITY = ("protocolSection", "identificationModule")
FAULTS = {
    "no number": (_set(*IDENTITY, "nctId", ...), r"nctId is missing, expected NCT and eight digits"),
    "another number": (_set(*IDENTITY, "nctId", "ISRCTN14265371"), "nctId is 'ISRCTN14265371'"),
    "number as a list": (_set(*IDENTITY, "nctId", [NCT]), "identificationModule.nctId is a list"),
    "module as text": (
        _set(*IDENTITY, "words"),
        r"identificationModule is text \('words'\), expected a table",
    ),
    "module as null": (_set(*IDENTITY, None), "identificationModule is null"),
    "count as text": (
        _set("protocolSection", "designModule", "enrollmentInfo", "count", "sixty"),
        r"enrollmentInfo.count is text \('sixty'\), expected a whole number",
    ),
    "count below 0": (
        _set("protocolSection", "designModule", "enrollmentInfo", "count", -60),
        r"count is a number \(-60\)",
    ),
    "phases as text": (_set("protocolSection", "designModule", "phases", "PHASE2"), "phases is text"),
    "outcomes as a table": (
        _set("resultsSection", "outcomeMeasuresModule", "outcomeMeasures", {}),
        r"outcomeMeasures is a table, expected a list",
    ),
    "outcome as text": (_set(*OUTCOME, "words"), r"outcomeMeasures\[0\] is text"),
    "value as a list": (
        _set(*OUTCOME, "analyses", 0, "paramValue", [2.1]),
        r"outcomeMeasures\[0\].analyses\[0\].paramValue is a list, expected text",
    ),
    "value as true": (_set(*OUTCOME, "analyses", 0, "paramValue", True), "paramValue is true or false"),
    "groups of numbers": (_set(*OUTCOME, "analyses", 0, "groupIds", [0, 1]), "groupIds is a number"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_record_is_refused_by_field(tmp_path: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    content = record()
    change(content)
    with pytest.raises(InputError, match=message) as caught:
        read_record(write_record(tmp_path, content))
    assert caught.value.file == "study.json"
    assert caught.value.fix


@pytest.mark.parametrize(
    "content",
    [
        {"FullStudy": {"Rank": 1, "Study": {"ProtocolSection": {}}}},
        {"FullStudiesResponse": {"APIVrs": "1.01.05", "FullStudies": []}},
        {"StudyFieldsResponse": {"StudyFields": [{"NCTId": [NCT]}]}},
        {"ProtocolSection": {"IdentificationModule": {"NCTId": NCT}}},
    ],
    ids=lambda content: next(iter(content)),
)
def test_the_api_before_version_2_is_named(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(
        InputError, match=r"a record of the API before version 2.*expected a study with a prot"
    ):
        read_record(write_record(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"not json", "not JSON"),
        (b"{", "not JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0", "encoding is not UTF-8"),
        (b"\0\0\0\0", "NUL bytes"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b"3", r"content is a number \(3\), expected a table"),
        (b"[]", "without a study"),
        (b"{}", r"protocolSection is missing \(there is nothing\)"),
        (b'{"hasResults": false}', r"protocolSection is missing \(there is hasResults\)"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b"[" * 100 + b"]" * 100, "nested more than 64"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "study.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_record(path)


def test_a_record_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remyelin.evidence.registry.RECORD_LIMIT_BYTES", 1000)
    with pytest.raises(InputError, match="larger than 1000 bytes"):
        read_record(write_record(tmp_path))


def test_large_results_are_read(tmp_path: Path) -> None:
    content = record()
    outcomes = content["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]
    outcomes *= 500
    assert len(read_record(write_record(tmp_path, content)).outcomes) == 1000


def test_numbers_of_json_are_the_texts_of_the_registry(tmp_path: Path) -> None:
    content = record()
    content["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"][0]["analyses"][0]["paramValue"] = (
        2.1
    )
    (outcome, _) = read_record(write_record(tmp_path, content)).outcomes
    assert outcome.comparisons[0].value == "2.1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<0.001", ("<", 0.001)),
        ("< .05", ("<", 0.05)),
        ("0.0048", ("=", 0.0048)),
        ("=0.020", ("=", 0.02)),
        (">0.99", (">", 0.99)),
        ("p = 0.3", ("=", 0.3)),
        ("P-value 1e-4", ("=", 0.0001)),
        ("0.05 to 0.1", None),
        ("<=0.001", None),
        ("NS", None),
        ("1.2", None),
        ("-0.1", None),
        ("", None),
    ],
)
def test_p_values_as_they_are_posted(text: str, found: tuple[str, float] | None) -> None:
    assert p_value(text) == found
