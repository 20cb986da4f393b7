"""`remyelin evidence`: what it shows and hides, and what it refuses."""

from __future__ import annotations

import json
import re

import pytest
from tests.command import Run, runner
from tests.own_results import own_file, study

from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import ids, records


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`remyelin evidence` in this process."""
    return runner(capsys, "evidence")


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


# list, show, search


def test_the_kinds_are_listed_with_what_is_hidden(run):
    done = run("list", "--json")
    rows = {each["kind"]: each for each in json.loads(done.out)}
    assert list(rows) == list(KINDS)
    for kind, row in rows.items():
        assert row["records"] + row["hidden"] == len(ids(kind))
    assert rows["trials"]["hidden"] > 0
    said = run("list")
    assert (said.code, said.err) == (0, "")
    assert "trials" in said.out


@pytest.mark.parametrize("kind", KINDS)
def test_unverified_records_of_every_kind_are_hidden_unless_asked_for(run, kind):
    recalled = {each.id for each in records(kind) if getattr(each, "status", "") == "unverified"}
    shown = {each["id"] for each in json.loads(run("list", kind, "--json").out)}
    assert shown == ids(kind) - recalled
    assert {each["id"] for each in json.loads(run("list", kind, "--json", "--unverified").out)} == ids(kind)
    plain = run("list", kind)
    assert plain.code == 0
    assert ("unverified: recalled and not read" in plain.out) == bool(recalled)
    assert all(len(line) <= 110 for line in plain.out.splitlines())


def test_a_list_is_narrowed_to_what_names_a_record(run):
    done = run("list", "results", "--of", "rebuild", "--json")
    assert {each["trial"] for each in json.loads(done.out)} == {"rebuild"}
    done = run("list", "trials", "--of", "LINGO1", "--json")
    assert {"renew", "synergy", "affinity", "renewed"} == {each["id"] for each in json.loads(done.out)}


def test_a_record_is_shown_with_its_sources_and_what_names_it(run):
    data = json.loads(run("show", "rebuild", "--json").out)
    assert data["record"]["n"] == 50
    assert {each["id"] for each in data["sources"]} == set(data["record"]["source"])
    assert {"results/rebuild-p100-crossover", "treatments/clemastine"} <= set(data["related"])
    said = run("show", "rebuild").out
    assert "10.1016/S0140-6736(17)32346-2" in said
    assert "-1.7 (-2.9 to -0.5)" in said


def test_recalled_fields_and_records_are_hidden(run):
    renew = json.loads(run("show", "renew", "--json").out)
    assert renew["hidden"] == ["doi"]
    assert "doi" not in renew["record"]
    assert "unverified, hidden" in run("show", "renew").out
    assert "10.1016/S1474-4422(16)30377-5" in run("show", "renew", "--unverified").out
    refused = run("show", "ccmr-one-submedian-mtr-paper")
    assert (refused.code, refused.out) == (1, "")
    assert "--unverified" in refused.err
    assert "0.98" in run("show", "ccmr-one-submedian-mtr-paper", "--unverified").out


def test_records_are_found_by_words(run):
    found = {each["record"] for each in json.loads(run("search", "clemastine", "CROSSOVER", "--json").out)}
    assert "trials/rebuild" in found
    assert "trials/quetiapine-ms" not in {
        each["record"] for each in json.loads(run("search", "quetiapine", "--json").out)
    }
    assert "trials/quetiapine-ms" in run("search", "quetiapine", "--unverified").out
    nothing = run("search", "no", "such", "words", "xyzzy")
    assert (nothing.code, nothing.err) == (1, "")
    assert "No record holds" in nothing.out


def test_brackets_of_the_evidence_are_not_taken_for_markup(run):
    record = next(each for each in records("sources") if "[" in each.work or "[" in each.read)
    said = run("show", f"sources/{record.id}").out
    assert "[" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["list", "trails"], "did you mean 'trials'?"),
        (["list", "trials", "--of", "rebild"], "did you mean 'rebuild'?"),
        (["show", "rebild"], "did you mean 'rebuild'?"),
        (["check", "nosuch.toml"], "nosuch.toml"),
        (["meta", "--endpoint", "p100_latncy_ms"], "did you mean 'p100_latency_ms'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--trials", "rebild"], "did you mean 'rebuild'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--per", "eyes"], "did you mean 'eye'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--results", "ccmr-two-p100"], "two trials or more"),
        (["meta", "--endpoint", "p100_latency_ms", "--results", "ccmr-two-p100"], "Fix: loosen the filters"),
        (["meta", "--endpoint", "edss"], "no result that can be pooled"),
    ],
)
def test_a_mistake_is_one_line_that_says_how_to_go_on(run, line, says):
    done = run(*line)
    assert done.code == 1
    assert one_line(done.err), done.err
    assert says in done.err
    assert done.out == ""


# check and audit


def test_check_shows_misprints_and_conflicts(run):
    done = run("check")
    assert (done.code, done.err) == (0, "")
    for words in (
        "ccmr-one-followup-p",
        "contradicted: p 0.11",
        "contradicted: arms.MD1003.percent 12",
        "renew-p",
    ):
        assert words in done.out
    assert "Printed in another source, and contradicted by the arithmetic" in done.out
    assert len(run("check", "--every").out) > 1.5 * len(done.out)
    data = json.loads(run("check", "--json").out)
    assert len(data["conflicts"]) >= 11
    assert data["new"] == 0


def test_check_of_a_file_of_your_own_fails_on_a_disagreement(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(own_file([study("a", estimate=-2.0, low=-3.5, high=-0.5, level=0.95, p=0.2)]))
    done = run("check", path)
    assert done.code == 1
    assert "New: no conflict on record explains these" in done.out
    path.write_text(own_file([study("a", estimate=-2.0, low=-3.5, high=-0.5, level=0.95, p=0.01)]))
    assert run("check", path).code == 0


def test_audit_lists_every_unverified_row(run):
    done = run("audit")
    assert (done.code, done.err) == (0, "")
    assert "No default rests on one." in done.out
    data = json.loads(run("audit", "--json").out)
    assert data["problems"] == []
    assert all(each["readers"] for each in data["values"])
    for row in records("parameters"):
        if row.status == "unverified":
            assert row.name in done.out
    assert done.out.index("Trials:") < done.out.index("Results:") < done.out.index("Biology:")
    assert ".py" not in done.out


def test_audit_is_narrowed_to_a_kind_and_to_what_belongs_to_a_record(run):
    said = run("audit", "--of", "clemastine").out
    assert "1 row with clemastine is unverified" in said
    assert re.search(r"clemastine\.targets\[2\] +EBP_sterol", said)
    values = json.loads(run("audit", "parameters", "--of", "lesion_mtr_pu", "--json").out)["values"]
    assert {(each["file"], each["value"]) for each in values} == {
        ("parameters.toml", "30"),
        ("parameters.toml", "23.8"),
    }
    assert "did you mean 'trials'?" in run("audit", "trails").err


def test_check_shows_no_recalled_value_unasked_and_says_that_there_is_one(run):
    said = run("check").out
    assert "1 more, unverified: `remyelin evidence show estriol-n --unverified`" in said
    assert "158 [unverified]" not in said


def test_check_gives_every_number_as_csv(run):
    lines = run("check", "--csv").out.splitlines()
    assert lines[0] == "record,field,published,recomputed,low,high,from,agrees,explained_in"
    assert len(lines) - 1 == len(json.loads(run("check", "--json").out)["comparisons"])
