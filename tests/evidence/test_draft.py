"""Drafts of the evidence base: filled from a registry, reviewed by a person, with no sign guessed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.cli import main
from remyelin.errors import InputError
from remyelin.evidence import read_file
from remyelin.evidence.draft import Draft, draft_study, undecided
from remyelin.evidence.posted_result import unit_of

from .posted_study import NCT, record, tables, write_record, write_tables


def drafted(folder: Path, content: dict[str, Any] | None = None) -> Draft:
    return draft_study(write_record(folder, content))


def outcome(content: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return content["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"][place]  # type: ignore[no-any-return]


def read_back(made: Draft, folder: Path) -> dict[str, tuple[Any, ...]]:
    path = folder / "draft.toml"
    made.write(path)
    assert undecided(path) == made.decisions
    return read_file(path)


def test_a_draft_is_read_back_with_what_is_to_be_decided(tmp_path: Path) -> None:
    records = read_back(drafted(tmp_path), tmp_path)
    (trial,) = records["trials"]
    assert (trial.id, trial.phase, trial.n, trial.n_kind, trial.sites) == ("remake", "1/2", 60, "enrolled", 2)
    assert dict(trial.arms) == {"Fictastine": 31, "Placebo": 29}
    assert trial.registry == (NCT, "2031-000123-45")
    assert trial.treatments == ("fictastine",)
    assert {each.status for kind in ("trials", "results", "treatments") for each in records[kind]} == {"seen"}
    latency, baseline, month = records["results"]
    assert (latency.p, latency.p_relation, latency.per, latency.analysis_set) == (0.001, "<", "eye", "ITT")
    assert latency.primary
    assert [(arm.arm, arm.n, arm.eyes, arm.mean, arm.sd) for arm in latency.arms] == [
        ("Fictastine", 30, 60, -2.4, 4.1),
        ("Placebo", 29, 58, -0.3, 3.9),
    ]
    assert baseline.timepoint == "Baseline and month 6; table 'Baseline'"
    assert [arm.median for arm in month.arms] == [30.4, None]
    assert "Placebo: NA (28 to 33, inter quartile range)" in month.words


def test_the_sign_is_asked_and_never_guessed(tmp_path: Path) -> None:
    made = drafted(tmp_path)
    for result in read_back(made, tmp_path)["results"]:
        assert (result.contrast, result.estimate, result.low, result.high) == ("none", None, None, None)
    (asked,) = (each for each in made.decisions if each.field == "contrast")
    assert "'Fictastine' and 'Placebo' stand in this order" in asked.words
    assert "'Placebo' looks like the control" in asked.words
    assert "the posted means (-2.4, -0.3) suggest second less first" in asked.words
    (result,) = (row for row in made.rows if row.id == "remake-ctgov-1")
    assert result.values["published"].startswith(
        "Mean Difference (Final Values) 2.1 (95 % CI 1.0 to 3.2) p <0.001"
    )


@pytest.mark.parametrize(
    ("choice", "numbers"), [("as posted", (2.1, 1.0, 3.2)), ("turned", (-2.1, -3.2, -1.0))]
)
def test_a_reviewer_takes_one_of_two_signs(
    tmp_path: Path, choice: str, numbers: tuple[float, float, float]
) -> None:
    text = drafted(tmp_path).text()
    start = text.index(f"# {choice}:\n") + len(f"# {choice}:\n")
    chosen = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines()[:6])
    path = tmp_path / "draft.toml"
    path.write_text(text[: text.index("# Take the lines of one")] + chosen)
    (result,) = read_file(path)["results"]
    assert (result.estimate, result.low, result.high) == numbers
    assert (result.level, result.scale) == (0.95, "difference")


@pytest.mark.parametrize("kind", ["Odds Ratio (OR)", "Risk Ratio (RR)", "Rate Ratio"])
def test_a_ratio_is_turned_by_its_inverse(tmp_path: Path, kind: str) -> None:
    content = record()
    outcome(content)["analyses"][0] |= {
        "paramType": kind,
        "paramValue": "2",
        "ciLowerLimit": "0.8",
        "ciUpperLimit": "5",
    }
    text = drafted(tmp_path, content).text()
    assert "# estimate = 2.0\n# low = 0.8\n# high = 5.0\n" in text
    assert "# estimate = 0.5\n# low = 0.2\n# high = 1.25\n" in text


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"paramType": "Hazard Ratio (HR)"}, "estimate", "which scale?"),
        ({"paramType": "Median of something"}, "estimate", "which scale?"),
        ({"paramValue": "about 2"}, "estimate", "which scale?"),
        ({"groupIds": ["OG000"]}, "estimate", "1 groups at once"),
        ({"groupIds": ["OG000", "OG001", "OG000"]}, "estimate", "3 groups at once"),
        ({"ciNumSides": "ONE_SIDED", "ciUpperLimit": "NA"}, "level", "CI 1.0 to NA, one-sided"),
        ({"ciPctValue": ""}, "level", "is not an interval of two ends and a level"),
        ({"ciLowerLimit": "3", "ciUpperLimit": "1"}, "level", "CI 3 to 1"),
        ({"pValue": "<=0.001"}, "p", "'<=0.001' is not a number"),
        ({"pValue": "n.s."}, "p", "'n.s.' is not a number"),
        ({"pValue": "0.000"}, "p", "'0.000' is no p, which is never 0: below what is it?"),
        ({"paramType": "Odds Ratio (OR)", "ciLowerLimit": "-1"}, "estimate", "the odds ratio is above 0"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, change: dict[str, Any], field: str, words: str) -> None:
    content = record()
    outcome(content)["analyses"][0] |= change
    made = drafted(tmp_path, content)
    (asked,) = (each for each in made.decisions if each.field == field)
    assert words in asked.words
    read_back(made, tmp_path)


def test_numbers_of_a_group_that_nobody_names_are_kept_and_asked(tmp_path: Path) -> None:
    content = record()
    for place in range(2):
        cells = outcome(content, place)["classes"][0]["categories"][0]["measurements"]
        cells[0]["groupId"] = "OG009"
    made = drafted(tmp_path, content)
    asked = [each for each in made.decisions if each.field == "arms"]
    assert {each.words for each in asked} == {"the outcome names no group 'OG009': which arm is it?"}
    first, second, _ = read_back(made, tmp_path)["results"]
    assert [each.record for each in asked] == [f"results/{first.id}", f"results/{second.id}"]
    assert [arm.arm for arm in first.arms] == ["OG009", "Placebo"]
    assert first.arms[0].mean == -2.4


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("Odds Ratio (OR)", "3.6", "the posted counts (9 of 29, 3 of 30) suggest first over second"),
        ("Odds Ratio (OR)", "0.25", "the posted counts (9 of 29, 3 of 30) suggest second over first"),
        ("Risk Ratio (RR)", "3.1", "suggest first over second"),
        ("Risk Difference", "-21", "suggest second less first"),
        ("Risk Difference", "0.21", "suggest first less second"),
        ("Odds Ratio (OR)", "1.4", ""),
    ],
)
def test_counts_hint_at_the_direction_too(tmp_path: Path, kind: str, value: str, says: str) -> None:
    content = record()
    first = outcome(content)
    first |= {"paramType": "COUNT_OF_PARTICIPANTS", "unitOfMeasure": "Participants"}
    first["classes"][0]["categories"][0]["measurements"] = [
        {"groupId": "OG001", "value": "9"},
        {"groupId": "OG000", "value": "3"},
    ]
    first["analyses"][0] |= {
        "groupIds": ["OG001", "OG000"], "paramType": kind, "paramValue": value,
        "ciLowerLimit": "", "ciUpperLimit": "",
    }  # fmt: skip
    (asked,) = (each for each in drafted(tmp_path, content).decisions if each.field == "contrast")
    assert (says in asked.words) if says else ("suggest" not in asked.words)


def test_a_draft_ends_its_last_line(tmp_path: Path) -> None:
    text = drafted(tmp_path).text()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its folder is not there, expected a folder"):
        drafted(tmp_path).write(tmp_path / "nowhere" / "draft.toml")
    assert not (tmp_path / "nowhere").exists()


def test_an_interval_without_a_level_is_not_proposed(tmp_path: Path) -> None:
    content = record()
    del outcome(content)["analyses"][0]["ciPctValue"]
    text = drafted(tmp_path, content).text()
    assert "# estimate = 2.1" in text
    assert "# low" not in text


def test_both_formats_give_the_same_draft(tmp_path: Path) -> None:
    content = tables()
    first, second, third = content["outcomes"][1:]
    content["outcomes"][1:] = [second, first, third]
    from_tables = draft_study(write_tables(tmp_path, content), NCT)
    posted = drafted(tmp_path)
    for made, expected in zip(from_tables.rows, posted.rows, strict=True):
        assert (made.kind, made.id, made.decisions) == (expected.kind, expected.id, expected.decisions)
        assert made.options == expected.options
        assert {**made.values, "read": ""} == {**expected.values, "read": ""}


def test_a_unit_that_is_not_known_is_left_out_by_name(tmp_path: Path) -> None:
    content = record()
    outcome(content)["unitOfMeasure"] = "mg/dL"
    made = drafted(tmp_path, content)
    (line,) = made.left_out
    assert line == "outcome 'Change in P100 latency': unit 'mg/dL' is not one of the evidence base"
    assert [row.id for row in made.rows if row.kind == "results"] == ["remake-ctgov-1", "remake-ctgov-2"]


def test_units_as_registries_write_them() -> None:
    assert [unit_of(text) for text in ("MS", "Percentage of Participants", "units on a scale", "")] == [
        "ms", "%", "points", None,
    ]  # fmt: skip


def test_a_trial_that_the_package_has_gets_no_second_header(tmp_path: Path) -> None:
    content = record()
    content["protocolSection"]["identificationModule"]["nctId"] = "NCT02040298"
    made = drafted(tmp_path, content)
    records = read_back(made, tmp_path)
    assert "trials" not in records
    assert {result.trial for result in records["results"]} == {"rebuild"}
    asked = {(each.record, each.field): each.words for each in made.decisions}
    assert asked["trials/rebuild", "n"] == "the package has 50, the registry 60: which, or a conflict?"
    assert "\n  n of trials/rebuild: the package has 50" in str(made)
    assert "\n# DECIDE n of trials/rebuild: the package has 50" in made.text()
    assert "  1 source, 1 treatment, 2 endpoints, 3 results" in str(made)


def test_a_treatment_that_the_package_has_is_recognised(tmp_path: Path) -> None:
    content = record()
    content["protocolSection"]["armsInterventionsModule"]["interventions"] = [
        {"name": "Clemastine Fumarate 5.36 mg"},
        {"name": "Placebo for clemastine"},
    ]
    made = drafted(tmp_path, content)
    (trial,) = (row for row in made.rows if row.kind == "trials")
    assert trial.values["treatments"] == ("clemastine",)
    assert not [row for row in made.rows if row.kind == "treatments"]


def test_large_results_are_summed_up(tmp_path: Path) -> None:
    content = record()
    outcomes = content["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]
    for k in range(200):
        outcomes += [{**each, "title": f"{each['title']} {k}"} for each in outcomes[:2]]
        outcomes.append({"title": f"Other {k}", "unitOfMeasure": "kg"})
    made = drafted(tmp_path, content)
    said = str(made).splitlines()
    assert len(said) < 100
    assert "  id: 397 more questions, which stand in the draft" in said
    assert "  and 160 more" in said
    assert len(read_back(made, tmp_path)["results"]) == 3 * 201


def test_only_primary_outcomes_if_asked(tmp_path: Path) -> None:
    made = draft_study(write_record(tmp_path), only_primary=True)
    assert [row.values["primary"] for row in made.rows if row.kind == "results"] == [True]
    assert made.left_out == ("1 outcome not primary, as was asked",)


def test_no_person_is_in_a_draft(tmp_path: Path) -> None:
    text = drafted(tmp_path).text()
    assert "[removed]" in text
    for person in ("Nobody", "nowhere", "@", "0100", "Site A"):
        assert person not in text


def test_a_reviewed_draft_is_not_written_over(tmp_path: Path) -> None:
    made = drafted(tmp_path)
    made.write(tmp_path / "draft.toml")
    with pytest.raises(InputError, match="there already, expected a new file"):
        made.write(tmp_path / "draft.toml")


@given(words=st.text(min_size=1, max_size=60))
def test_no_posted_words_break_a_draft(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    folder = tmp_path_factory.mktemp("words")
    content = record()
    first = outcome(content)
    first |= {"title": words, "timeFrame": words, "populationDescription": words}
    first["groups"][0]["title"] = words
    first["analyses"][0]["paramType"] = f"Difference {words}"
    content["protocolSection"]["identificationModule"]["acronym"] = words
    content["protocolSection"]["armsInterventionsModule"]["interventions"][0]["name"] = words
    made = drafted(folder, content)
    tomllib.loads(made.text())
    read_back(made, folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[result.x]\n", "result is no kind of record.*did you mean 'results'"),
        ('results = "x"\n', r"results is 'x', expected tables \[results.id\]"),
        ('[trials.rebuild]\nname = "x"\n', "trials.rebuild is an id of the package"),
        ('[results.x]\ntrial = "remake"\n', "x status is missing"),
        ("[results.x\n", "not TOML"),
    ],
)
def test_a_broken_draft_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_file(path)


@pytest.mark.parametrize(("name", "study"), [("outcomes.txt", None), ("study.json", "NCT1")])
def test_what_cannot_be_drafted_from_is_named(tmp_path: Path, name: str, study: str | None) -> None:
    path = tmp_path / name
    path.write_text("id|nct_id\n")
    with pytest.raises(InputError, match=r"one table of AACT|study is 'NCT1'"):
        draft_study(path, study)


def run(*arguments: str, command: str = "add") -> int:
    with pytest.raises(SystemExit) as end:
        main(["evidence", command, *arguments])
    return int(end.value.code or 0)


def test_the_command_writes_a_draft_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "draft.toml"
    assert run(str(write_record(tmp_path)), "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "trials/remake: ratio, duration, outcome, doi" in said
    assert re.search(r"contrast of results/remake-ctgov-1: 'Fictastine' and 'Placebo' stand in this", said)
    assert read_file(out)["trials"][0].id == "remake"
    assert run(str(tmp_path / "study.json"), "--out", str(tmp_path / "two.toml"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["study"] == NCT


def test_the_command_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "study.json"
    path.write_text('{"FullStudy": {}}')
    assert run(str(path), "--out", str(tmp_path / "draft.toml")) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "API before version 2" in said.err
    assert not (tmp_path / "draft.toml").exists()


def test_check_reads_a_draft_and_says_what_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "draft.toml"
    made = drafted(tmp_path)
    made.write(path)
    assert run(str(path), "--json", command="check") == 0
    assert len(json.loads(capsys.readouterr().out)["undecided"]) == len(made.decisions)
    assert run(str(path), command="check") == 0
    assert "A draft: not evidence yet" in capsys.readouterr().out
    decided = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    path.write_text(decided)
    assert run(str(path), command="check") == 0
    assert "A draft" not in capsys.readouterr().out


def test_check_finds_a_number_of_a_draft_that_disagrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = record()
    outcome(content)["analyses"][0]["pValue"] = "0.4"
    text = drafted(tmp_path, content).text()
    start = text.index("# turned:\n") + len("# turned:\n")
    chosen = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines()[:6])
    path = tmp_path / "draft.toml"
    path.write_text(text[: text.index("# Take the lines of one")] + chosen)
    assert run(str(path), command="check") == 1
    assert "remake-ctgov-1" in capsys.readouterr().out


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, child in items for place in [(*path, key), *_places(child, (*path, key))]]


PLACES = _places(record())
JUNK = [None, True, -1, 1e400, "", "x" * 5000, [], {}, [[]], [{}], {"a": {}}, ["a", 1], "NA", "\x00", "2,1"]


@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK)), min_size=1, max_size=3))
def test_a_mutated_record_is_drafted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    content = record()
    for path, junk in changes:
        node: Any = content
        try:
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue
    refused = None
    try:
        read_back(drafted(folder, content), folder)
    except InputError as error:
        refused = error
    assert refused is None or (refused.file == "study.json" and refused.fix)
