"""`remyelin evidence list`, `show`, `search`: what belongs together, at any width, with nothing lost."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.command import Run, runner

from remyelin import evidence
from remyelin.cli import page
from remyelin.cli.evidence_rows import row
from remyelin.evidence.frames import shown
from remyelin.evidence.kinds import KINDS


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`remyelin evidence` in this process."""
    return runner(capsys, "evidence")


# The width of a terminal


@pytest.mark.parametrize("width", [40, 80, 110])
@pytest.mark.parametrize("kind", KINDS)
def test_no_value_is_dropped_and_no_word_cut_at_any_width(run, monkeypatch, kind, width):
    monkeypatch.setattr(page, "WIDTH", width)
    said = run("list", kind).out
    lines, tokens, whole = said.splitlines(), set(said.split()), "".join(said.split())
    assert max(map(len, lines)) <= width
    for record in shown(kind):
        for cell in row(kind, record):
            for word in cell.split():
                if len(word) <= width // 3:
                    assert word in tokens, (record.id, word)
        assert record.id in (tokens if len(record.id) < width - 4 else whole)
    for cell in (cell for record in shown(kind) for cell in row(kind, record)):
        longest = max(cell.split(), key=len, default="")
        if len(longest) > width // 3 and kind != "sources":
            assert longest in whole, longest


@pytest.mark.parametrize(
    "line", [("show", "rebuild"), ("check",), ("audit",), ("search", "opicinumab"), ("list",)]
)
def test_every_page_keeps_to_a_terminal_of_80_columns(run, monkeypatch, line):
    monkeypatch.setattr(page, "WIDTH", 80)
    done = run(*line)
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80


# What belongs to a record


def test_which_agents_on_a_step_were_tested_and_what_came_out(run):
    trials = json.loads(run("list", "trials", "--of", "differentiation", "--json").out)
    assert {"rebuild", "renew", "synergy", "ccmr-one"} <= {each["id"] for each in trials}
    said = run("show", "differentiation").out
    for words in ("Its treatments", "opicinumab", "Its trials", "ITT missed; prespecified PP", "Its results"):
        assert words in " ".join(said.split())


def test_a_treatment_is_shown_with_its_results_and_conflicts(run):
    data = json.loads(run("show", "clemastine", "--json").out)
    assert data["kind"] == "treatments"
    assert {"results/rebuild-p100-crossover", "trials/trap-ms", "conflicts/clemastine-benefit-harm"} <= set(
        data["related"]
    )
    for name in ("clemastine", "treatments/clemastine"):
        rows = json.loads(run("list", "results", "--of", name, "--json").out)
        assert "trap-ms-stopping-rule" in {each["id"] for each in rows}


def test_planning_parameters_are_reached_from_their_endpoint(run):
    rows = json.loads(run("list", "parameters", "--of", "p100_latency_ms", "--json").out)
    assert "p100_change_sd-participant-trial" in {each["id"] for each in rows}


def test_nothing_found_is_said_in_words(run):
    said = run("list", "parameters", "--of", "clemastine").out
    assert "No parameters of clemastine on record." in said
    assert "remyelin evidence list --of clemastine" in said
    assert "─" not in said


def test_the_kinds_of_what_belongs_to_a_record_are_counted(run):
    rows = {
        each["kind"]: each["records"] for each in json.loads(run("list", "--of", "rebuild", "--json").out)
    }
    assert rows["results"] == len(json.loads(run("list", "results", "--of", "rebuild", "--json").out))
    assert rows["trials"] == 0
    assert run("list", "--of", "rebild").code == 1


def test_what_is_hidden_of_a_record_is_said(run):
    for name, words in (
        ("estriol-n", "1 more, unverified"),
        ("clemastine", "1 more, unverified"),
        ("renew", "unverified, hidden"),
    ):
        assert words in run("show", name).out
        assert words not in run("show", name, "--unverified").out
    said = run("show", "estriol-n").out
    assert "164 (est1)" in said
    assert "164.0" not in said
    assert "1 more, unverified" in run("list", "treatments").out


# Rows


def test_a_result_says_its_endpoint_its_units_and_that_it_is_in_conflict(run):
    said = " ".join(run("list", "results").out.split())
    assert "opicinumab (value 8.7 letters)" in said
    assert "mfvep_amplitude_fellow_nv" in said
    (one,) = (row("results", each) for each in shown("results") if each.id == "ccmr-one-p100")
    assert (one[1], one[-1]) == ("p100_latency_ms", "seen, in conflict")
    assert "abstract of a meeting" in run("show", "ccmr-one-p100").out


# Search and mistakes


def test_a_record_that_is_found_is_a_readable_line(run):
    said = run("search", "opicinumab", "misprint").out
    assert "results/renew-p100-pp-w32" not in said.splitlines()[0]
    lines = run("search", "clemastine", "crossover").out.splitlines()
    assert "trials/rebuild" in lines
    assert lines[lines.index("trials/rebuild") + 1].startswith("    ReBUILD; treatments: clemastine")
    assert not any(word in said for word in ("True", "False", "not seen"))


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (["search"], 2, "WORD requires an argument"),
        (["show", "rebuild", "renew"], 2, "too many are: renew"),
        (["show", "p100"], 1, "`remyelin evidence search p100` finds"),
        (["show", "xyzzy"], 1, "look for words of it with `remyelin evidence search`"),
        (["show", "rebild"], 1, "did you mean 'rebuild'?"),
    ],
)
def test_a_mistake_says_how_to_go_on(run, line, code, says):
    done = run(*line)
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1
    assert says in done.err


def test_no_hidden_id_is_suggested(run):
    assert "quetiapine-ms" not in run("show", "quetiapine-m").err


def test_a_file_that_cannot_be_written_is_named_and_not_the_temporary_one(run, tmp_path):
    place = tmp_path / "full"
    place.mkdir()
    (place / "x.svg").mkdir()
    done = run("graph", place / "x.svg")
    assert done.code == 1
    assert "x.svg" in done.err
    assert ".tmp-" not in done.err


# For a spreadsheet and for Python


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_written_as_csv_with_all_its_fields(run, kind):
    rows = list(csv.DictReader(io.StringIO(run("list", kind, "--csv").out)))
    assert [each["id"] for each in rows] == [each.id for each in shown(kind)]
    assert list(rows[0]) == list(KINDS[kind].model_fields)


def test_csv_is_narrowed_as_the_list_is(run):
    rows = list(csv.DictReader(io.StringIO(run("list", "results", "--of", "rebuild", "--csv").out)))
    assert {each["trial"] for each in rows} == {"rebuild"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_table_in_python(kind):
    assert len(getattr(evidence, kind)()) == len(shown(kind))
