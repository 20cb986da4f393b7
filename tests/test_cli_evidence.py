"""`remyelin evidence`: what it shows and hides, what it refuses, and that it pools as metafor does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from remyelin import cli
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import ids, records
from remyelin.protocol.toml import inline


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`remyelin evidence` in this process."""

    def call(*args: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            cli.main(["evidence", *map(str, args)])
        return Done(ended.value.code, *capsys.readouterr())

    return call


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
    assert {"renew", "synergy", "affinity"} <= {each["id"] for each in json.loads(done.out)}


def test_a_record_is_shown_with_its_sources_and_what_names_it(run):
    data = json.loads(run("show", "rebuild", "--json").out)
    assert data["record"]["n"] == 50
    assert {each["id"] for each in data["sources"]} == set(data["record"]["source"])
    assert "results/rebuild-p100-crossover" in data["named_by"]
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
        (["search"], "words"),
        (["check", "nosuch.toml"], "nosuch.toml"),
        (["meta", "--endpoint", "p100_latncy_ms"], "did you mean 'p100_latency_ms'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--trials", "rebild"], "did you mean 'rebuild'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--per", "eyes"], "did you mean 'eye'?"),
        (["meta", "--endpoint", "p100_latency_ms", "--results", "ccmr-two-p100"], "two trials or more"),
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
    assert "Not on record: what other sources print" in done.out
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


# meta


def study(name: str, scale: str = "difference", **fields: Any) -> dict[str, Any]:
    return {
        "trial": name, "endpoint": "outcome", "contrast": "active - control", "scale": scale, "unit": "1",
        "status": "seen", "source": "mine", **fields,
    }  # fmt: skip


def own_file(rows: list[dict[str, Any]]) -> str:
    lines = ['[sources.mine]\nwork = "mine"\nread = "all"']
    lines.append('[endpoints.outcome]\nname = "outcome"\nunit = "1"\nbetter = "lower"')
    for number, row in enumerate(rows, start=1):
        if not any(f"[trials.{row['trial']}]" in line for line in lines):
            lines.append(
                f'[trials.{row["trial"]}]\nname = "{row["trial"]}"\nstatus = "seen"\nsource = "mine"'
            )
        fields = "\n".join(f"{key} = {inline(value)}" for key, value in row.items())
        lines.append(f"[results.row-{number}]\n{fields}")
    return "\n\n".join(lines) + "\n"


def arm(name: str, **numbers: float) -> dict[str, Any]:
    return {"arm": name, **numbers}


def bcg(stats: Path, scale: str) -> list[dict[str, Any]]:
    """By counts alone: effects and errors are computed on the way."""
    return [
        study(
            f"bcg-{row.trial}",
            scale,
            arms=(
                arm("vaccine", events=row.tpos, n=row.tpos + row.tneg),
                arm("control", events=row.cpos, n=row.cpos + row.cneg),
            ),
        )
        for row in pd.read_csv(stats / "e_bcg_rr.csv").itertuples()
    ]


def bcg_printed(stats: Path) -> list[dict[str, Any]]:
    """By the ratio and the standard error of its logarithm."""
    return [
        study(f"bcg-{row.trial}", "risk ratio", estimate=math.exp(row.yi), se=math.sqrt(row.vi))
        for row in pd.read_csv(stats / "e_bcg_rr.csv").itertuples()
    ]


def normand(stats: Path) -> list[dict[str, Any]]:
    """By means and SD."""
    return [
        study(
            f"stroke-{row.study}",
            arms=(
                arm("specialist", n=row.n1i, mean=float(row.m1i), sd=float(row.sd1i)),
                arm("control", n=row.n2i, mean=float(row.m2i), sd=float(row.sd2i)),
            ),
        )
        for row in pd.read_csv(stats / "e_normand_md.csv").itertuples()
    ]


SETS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "bcg_rr": lambda stats: bcg(stats, "risk ratio"),
    "bcg_or": lambda stats: bcg(stats, "odds ratio"),
    "normand_md": normand,
}
TESTS = {"z": "z", "knha": "knapp-hartung"}
NAMES = {"p": "p", "tau2": "tau2", "I2": "i2", "QE": "q", "QEp": "q_p", "estimate": "estimate", "se": "se"}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("method", ["FE", "DL", "REML", "ML", "HE", "SJ", "EB"])
@pytest.mark.parametrize("test", TESTS)
def test_the_standard_datasets_are_pooled_as_metafor_does(run, shared, tmp_path, name, method, test):
    if (method, test) == ("FE", "knha"):
        test = "z"
    stats = shared / "reference/stats"
    path = tmp_path / "own.toml"
    path.write_text(own_file(SETS[name](stats)))
    done = run(
        "meta", "--endpoint", "outcome", "--from", path, "--method", method, "--test", TESTS[test], "--json"
    )
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    expected = json.loads((stats / "e_meta.json").read_text())[name][f"{method}_{test}"]
    for theirs, ours in NAMES.items():
        assert found[ours] == pytest.approx(
            expected[theirs], rel=1e-7, abs=1e-7 * (theirs not in ("p", "QEp"))
        )
    assert found["ci"] == pytest.approx(expected["ci"], rel=1e-7)
    if method != "FE":
        assert found["prediction_interval"] == pytest.approx(expected["pi"], rel=1e-7)


def test_a_ratio_with_its_error_gives_the_same_as_its_counts(run, shared, tmp_path):
    stats = shared / "reference/stats"
    said = []
    for rows in (bcg(stats, "risk ratio"), bcg_printed(stats)):
        path = tmp_path / "own.toml"
        path.write_text(own_file(rows))
        said.append(json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--json").out))
    assert said[0]["estimate"] == pytest.approx(said[1]["estimate"], rel=1e-10)
    assert {each["se_from"] for each in said[0]["studies"]} == {"counts"}
    assert {each["se_from"] for each in said[1]["studies"]} == {"standard error"}


def test_the_worked_case_of_two_trials(run, shared, tmp_path):
    (case,) = [
        each
        for each in json.loads((shared / "evidence/evidence.json").read_text())["reproduction_cases"]
        if each["id"] == "ivw_chronic_VEP"
    ]
    figure = tmp_path / "forest.svg"
    asked = ("meta", "--endpoint", "p100_latency_ms", "--results", "rebuild-p100-crossover", "ccmr-two-p100")
    asked += ("--method", "FE", "--pool-anyway")
    found = json.loads(run(*asked, "--json").out)
    assert round(found["estimate"], 2) == case["est"]
    assert round(found["se"], 3) == case["se"]
    assert [round(end, 2) for end in found["ci"]] == case["ci"]
    assert round(found["p"], 4) == case["p"]
    assert round(found["q"], 2) == case["Q"]
    assert [words.split(":")[0] for words in found["warnings"]] == [
        "Pooled anyway, estimand mixed",
        "Pooled anyway, unit of analysis mixed",
    ]
    said = run(*asked, "--out", figure)
    assert "Pooled anyway, unit of analysis mixed: participant (ccmr-two-p100); eye" in said.out
    assert "-1.44 (-2.27 to -0.609) ms" in said.out
    svg = figure.read_text()
    assert svg.startswith("<svg")
    assert "ReBUILD" in svg
    assert "favours treatment" in svg
    assert "mixed estimand, unit of analysis" in svg


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "one row a trial"),
        ("--results rebuild-p100-crossover ccmr-two-p100", "mixed: parallel groups"),
        ("--results rebuild-p100-delayed-treatment ccmr-two-p100", "--pool-anyway"),
        ("--results rebuild-p100-crossover rebuild-p100-delayed-treatment --pool-anyway", "one row a trial"),
    ],
)
def test_what_is_not_alike_is_refused_with_the_choices(run, line, says):
    done = run("meta", "--endpoint", "p100_latency_ms", *line.split())
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err)
    assert says in done.err
    assert "rebuild-p100" in done.err


def test_eyes_and_participants_are_not_pooled_unasked(run, tmp_path):
    path = tmp_path / "own.toml"
    rows = [
        study("a", estimate=-1.0, se=0.5, per="eye"),
        study("b", estimate=-2.0, se=0.5, per="participant"),
    ]
    path.write_text(own_file(rows))
    refused = run("meta", "--endpoint", "outcome", "--from", path)
    assert refused.code == 1
    assert "unit of analysis of the results is mixed: eye (row-1); participant (row-2)" in refused.err
    assert run("meta", "--endpoint", "outcome", "--from", path, "--pool-anyway").code == 0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"unit": "ms"}, "row-2 unit is 'ms', expected '1', that of outcome"),
        ({"scale": "odds ratio"}, "scale of the results is mixed"),
    ],
)
def test_units_and_scales_are_never_mixed(run, tmp_path, changed, says):
    path = tmp_path / "own.toml"
    rows = [study("a", estimate=1.0, se=0.5), study("b", estimate=2.0, se=0.5) | changed]
    path.write_text(own_file(rows))
    assert run("check", path).code == ("unit" in changed)
    for further in ((), ("--pool-anyway",)):
        done = run("meta", "--endpoint", "outcome", "--from", path, *further)
        assert done.code == 1
        assert says in done.err
        assert "unit" in changed or "these cannot be pooled" in done.err


def test_unverified_rows_are_left_out_and_named(run, tmp_path):
    path = tmp_path / "own.toml"
    rows = [study(name, estimate=-1.0 - k, se=0.5) for k, name in enumerate("abc")]
    rows[2] |= {"status": "unverified"}
    path.write_text(own_file(rows))
    found = json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--json").out)
    assert found["left_out"] == [{"result": "row-3", "why": "unverified"}]
    assert len(found["studies"]) == 2
    asked = ("meta", "--endpoint", "outcome", "--from", path, "--unverified", "--json")
    assert len(json.loads(run(*asked).out)["studies"]) == 3


def test_an_interval_that_is_too_narrow_for_its_trials_is_said_to_be(run, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(own_file([study("a", estimate=-1.0, se=0.5), study("b", estimate=-1.01, se=0.5)]))
    assert "too narrow" in " ".join(run("meta", "--endpoint", "outcome", "--from", path).out.split())
    path.write_text(own_file([study("a", estimate=-1.0, se=0.5), study("b", estimate=-4.0, se=0.5)]))
    assert "too narrow" not in " ".join(run("meta", "--endpoint", "outcome", "--from", path).out.split())
