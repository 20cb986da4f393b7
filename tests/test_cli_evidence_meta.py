"""`remyelin evidence meta`: it pools as metafor does, and nothing that differs without saying so."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from tests.command import Run, runner
from tests.own_results import SETS, arm, bcg, bcg_printed, own_file, study

from remyelin.evidence.load import records


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`remyelin evidence` in this process."""
    return runner(capsys, "evidence")


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


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
        "Pooled as they stand, time mixed",
        "Pooled as they stand, analysis set mixed",
    ]
    assert {each["published"] for each in found["studies"]} == {
        "-1.2 (-2.4 to -0.1) ms per participant",
        "-1.7 (-2.9 to -0.5) ms per eye",
    }
    said = run(*asked, "--out", figure)
    assert "Pooled anyway, unit of analysis mixed: participant (ccmr-two-p100); eye" in said.out
    assert "-1.44 (-2.27 to -0.609) ms" in said.out
    svg = figure.read_text()
    assert svg.startswith("<svg")
    assert "ReBUILD" in svg
    assert "favours treatment" in svg
    assert "mixed estimand, unit of analysis" in svg
    assert "Pooled anyway, estimand mixed: parallel groups (ccmr-two-p100); crossover" in svg
    assert "ReBUILD: rebuild-p100-crossover, -1.7 (-2.9 to -0.5) ms per eye, read in reb2" in svg
    assert "not those published" in svg
    assert re.search(r"published +pooled as, ms", said.out)
    assert re.search(r"ccmr-two-p100 +-1.2 \(-2.4 +.*-1.2 \(-2.35", said.out)


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


@pytest.mark.parametrize("endpoint", [each.id for each in records("endpoints")])
def test_what_a_refusal_proposes_is_not_refused_for_the_same_reason(run, endpoint):
    """Follow the fixes until the rows are pooled, or nothing is proposed any more."""
    asked, before = ["meta", "--endpoint", endpoint], ""
    for _ in range(6):
        done = run(*asked)
        if done.code == 0 or not (
            proposed := re.search(r"(?<=as )--(?:results|per|estimand|scale) [^,:]+", done.err)
        ):
            break
        assert done.err != before
        before = done.err
        asked += shlex.split(proposed.group().partition(" or narrow")[0])
    if done.code:
        assert (
            "--pool-anyway" in done.err
            or "its own result" in done.err
            or "remyelin evidence list" in done.err
        )
        if "--pool-anyway" in done.err:
            assert run(*asked, "--pool-anyway").code == 0


def test_the_example_of_the_help_runs(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = " ".join(run("meta", "--help").out.split())
    example = re.search(r"Example: `remyelin evidence (.*?)`", said)
    assert example, said
    assert run(*shlex.split(example.group(1))).code == 0


@pytest.mark.parametrize(
    ("further", "fix"), [((), "Fix: one trial is"), (("--per", "participant"), "Fix: loosen")]
)
def test_a_single_trial_is_told_with_what_was_left_out(run, further, fix):
    done = run("meta", "--endpoint", "edss_tw25_responders", *further)
    assert done.code == 1
    assert (
        "left out: ms-spi-responders: no estimate; of its counts (13 of 103, 0 of 51) one is none or all"
        in done.err
    )
    assert fix in done.err


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"estimate": -1.0, "p": 0.01, "p_relation": "<"},
            "an estimate without interval, standard error or SD of its arms; p <0.01 alone gives none",
        ),
        (
            {"scale": "", "arms": (arm("drug", events=3, n=20), arm("control", events=5, n=20))},
            "no estimate; counts (3 of 20, 5 of 20) without a scale, odds ratio or risk ratio",
        ),
        (
            {
                "scale": "",
                "arms": (arm("drug", mean=3.0, sd=2.0, n=20), arm("control", mean=1.0, sd=2.0, n=9)),
            },
            "no estimate; means and SD of arms without a scale",
        ),
        ({"p": 0.2}, "no estimate, p 0.2 alone"),
    ],
)
def test_a_row_that_is_left_out_says_why(run, tmp_path, fields, why):
    path = tmp_path / "own.toml"
    rows = [study(name, estimate=-1.0 - k, se=0.5) for k, name in enumerate("ab")]
    path.write_text(own_file([*rows, study("c", **fields)]))
    found = json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--json").out)
    assert found["left_out"] == [{"result": "row-3", "why": why}]


def test_what_nobody_saw_is_not_taken_to_be_alike(run, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(own_file([study(name, estimate=-1.0 - k, se=0.5) for k, name in enumerate("ab")]))
    found = json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--json").out)
    fields = ("estimand", "unit of analysis", "time", "analysis set")
    said = [f"Pooled as they stand, {field} not seen of any row, so it may differ" for field in fields]
    assert found["warnings"] == said


def test_a_subgroup_is_not_pooled_with_all_unasked(run, tmp_path):
    path = tmp_path / "own.toml"
    rows = [study(name, estimate=-1.0 - k, se=0.5) for k, name in enumerate("abc")]
    rows[0] |= {"subgroup": "delayed eyes"}
    path.write_text(own_file(rows))
    done = run("meta", "--endpoint", "outcome", "--from", path)
    assert "subgroup of the results is mixed: delayed eyes (row-1); all (row-2, row-3)" in done.err
    assert "Fix: name them, as --results row-2 row-3, or --pool-anyway" in done.err
    pooled = json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--pool-anyway", "--json").out)
    assert "Pooled anyway, subgroup mixed: delayed eyes (row-1); all (row-2, row-3)" in pooled["warnings"]


def test_a_ratio_below_zero_is_refused_by_field(run, tmp_path):
    path = tmp_path / "own.toml"
    rows = [study("a", "odds ratio", estimate=-2.0, se=0.5), study("b", "odds ratio", estimate=2.0, se=0.5)]
    path.write_text(own_file(rows))
    for line in (("check", path), ("meta", "--endpoint", "outcome", "--from", path)):
        done = run(*line)
        assert (done.code, done.out) == (1, "")
        assert "own.toml: row-1 estimate is -2, as an odds ratio, expected a number above 0" in done.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            ("--method", "FE", "--test", "knapp-hartung"),
            "Fix: choose the method REML, or leave the other out",
        ),
        ((), "Fix: choose the z test"),
    ],
)
def test_a_fix_of_the_statistics_names_no_python(run, tmp_path, line, says):
    path = tmp_path / "own.toml"
    path.write_text(own_file([study(name, estimate=-1.0, se=0.5) for name in "ab"]))
    done = run("meta", "--endpoint", "outcome", "--from", path, *line)
    assert says in done.err
    assert "='" not in done.err


def test_a_file_that_cannot_be_written_is_named_by_its_own_name(run, tmp_path):
    asked = (
        "meta",
        "--endpoint",
        "p100_latency_ms",
        "--results",
        "ccmr-two-p100",
        "rebuild-p100-crossover",
        "--pool-anyway",
    )
    for line in ((*asked, "--out"), ("graph",)):
        path = tmp_path / f"{'long' * 60}.svg"
        done = run(*line, path)
        assert done.code == 1
        assert done.err.startswith(f"{path}: ")
        assert "tmp-" not in done.err


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
    said = " ".join(run("meta", "--endpoint", "outcome", "--from", path).out.split())
    assert "too narrow" in said
    assert re.search(r"Pooled \(REML, knapp-hartung\): .*; by the trials' own errors -1.7 to -0.312", said)
    found = json.loads(run("meta", "--endpoint", "outcome", "--from", path, "--json").out)
    assert found["ci_by_errors"] == pytest.approx([-1.698, -0.312], abs=1e-3)
    path.write_text(own_file([study("a", estimate=-1.0, se=0.5), study("b", estimate=-4.0, se=0.5)]))
    assert "too narrow" not in " ".join(run("meta", "--endpoint", "outcome", "--from", path).out.split())
