"""What acts on what: every link of the records, none that nobody has read unless asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remyelin import evidence
from remyelin.cli import main
from remyelin.evidence.graph import VERDICTS, graph, is_harm, verdict


def test_every_edge_of_the_records_is_a_link() -> None:
    table = evidence.links(unverified=True)
    found = set(zip(table.start_kind, table.start, table.end_kind, table.end, strict=True))
    targets = {target.id for target in evidence.records("targets")}
    expected = {
        ("treatments", treatment.id, "targets" if edge.target in targets else "barriers", edge.target)
        for treatment in evidence.records("treatments")
        for edge in treatment.targets
    }
    expected |= {
        (kind, record.id, "steps", step)
        for kind in ("targets", "barriers")
        for record in evidence.records(kind)
        for step in record.acts_on
    }
    expected |= {
        ("targets", target.id, "barriers", each)
        for target in evidence.records("targets")
        for each in target.lifts
    }
    expected |= {
        ("trials", trial.id, "treatments", each)
        for trial in evidence.records("trials")
        for each in trial.treatments
    }
    assert found == expected
    assert len(table) == len(found)


def test_what_nobody_has_read_is_hidden() -> None:
    shown = evidence.links()
    assert "unverified" not in set(shown.status)
    hidden = {
        record.id
        for kind in ("treatments", "targets", "barriers", "steps", "trials")
        for record in evidence.records(kind)
        if record.status == "unverified"
    }
    assert hidden
    assert not hidden & (set(shown.start) | set(shown.end))
    whole, part = graph(unverified=True), graph()
    kinds = ("steps", "targets", "treatments", "barriers", "trials", "links")
    assert part.hidden == sum(len(getattr(whole, kind)) - len(getattr(part, kind)) for kind in kinds)
    assert whole.hidden == 0


def test_contested_and_harmful_links_are_marked() -> None:
    table = evidence.links()
    clemastine = table[table.start == "clemastine"].set_index("end")
    assert clemastine.contested["M1_muscarinic"]
    assert clemastine.harm["P2RX7_harm"]
    assert set(table[table.harm].end) == {"P2RX7_harm", "axon_survival"}
    assert [target.id for target in evidence.records("targets") if is_harm(target)] == ["P2RX7_harm"]


def test_steps_stand_in_their_order_with_what_treats_them() -> None:
    shown = graph(unverified=True)
    orders = [step.order for step in shown.steps]
    assert orders == sorted(orders)
    summaries = {step.id: shown.summary(step) for step in shown.steps}
    assert not summaries["ensheathment"].treatments
    assert "cspg" in summaries["ensheathment"].open_barriers
    crowded = max(summaries.values(), key=lambda each: len(each.targets))
    assert crowded.step.id == "differentiation"
    assert "opicinumab" in crowded.treatments
    assert str(summaries["ensheathment"]).endswith("nobody treats it")


def test_a_harm_is_no_treatment_of_its_step() -> None:
    shown = graph()
    axons = shown.summary(next(step for step in shown.steps if step.id == "axon_survival"))
    assert "P2RX7_harm" not in axons.targets
    assert "clemastine" not in axons.treatments
    assert axons.harms == ("clemastine",)
    assert "; harmed by clemastine" in str(axons)


def test_a_trial_of_a_combination_is_said_to_be_one() -> None:
    shown = graph()
    (step,) = (each for each in shown.steps if each.id == "activation")
    assert shown.summary(step).combined >= 1  # CCMR Two gave metformin with clemastine
    assert "of several treatments together" in str(shown.summary(step))


def test_hidden_steps_are_named() -> None:
    hidden = tuple(step.name for step in evidence.records("steps") if step.status == "unverified")
    assert graph().hidden_steps == hidden
    assert f"Steps not shown, since nobody has read of them: {', '.join(hidden)}" in str(graph())
    assert graph(unverified=True).hidden_steps == ()


def test_a_barrier_that_is_a_target_is_not_open() -> None:
    shown = graph(unverified=True)
    assert not shown.is_open("lingo1")  # the target LINGO1
    assert not shown.is_open("sema3a")  # an antibody against it
    assert not shown.is_open("sema3f")  # helps
    assert shown.is_open("hyaluronan")


@pytest.mark.parametrize("unverified", [False, True])
def test_treatments_that_reach_no_step_are_named(unverified: bool) -> None:
    shown = graph(unverified=unverified)
    at_steps = {each for step in shown.steps for each in shown.summary(step).treatments}
    adrift = {treatment.id for treatment in shown.adrift}
    assert "r-s-ala" in adrift  # its target was not said
    assert at_steps | adrift == {treatment.id for treatment in shown.treatments}
    assert not at_steps & adrift
    assert "reach no step shown here: R/S-ALA" in str(shown)


@pytest.mark.parametrize(
    ("trial", "word"),
    [
        ("rebuild", "met"),
        ("ccmr-two", "met"),
        ("ccmr-one", "missed"),
        ("renew", "missed"),
        ("synergy", "missed"),
        ("visionary-ms", "met in part"),
        ("gsk239512", "other"),
        ("simvastatin-on", "other"),
        ("rewrap", "running"),
        ("moving", "stopped"),
        ("renewed", "unknown"),
    ],
)
def test_verdicts_are_the_words_of_the_record(trial: str, word: str) -> None:
    assert verdict(evidence.find(f"trials/{trial}")) == word


def test_trials_are_counted_once_a_step() -> None:
    shown = graph()
    for step in shown.steps:
        summary = shown.summary(step)
        tried = {trial.id for each in summary.treatments for trial in shown.trials_of(each)}
        assert sum(summary.trials.values()) == len(tried)
        assert set(summary.trials) <= set(VERDICTS)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["evidence", "graph", *arguments])
    return int(end.value.code or 0)


def test_the_command_draws_and_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "graph.svg"
    assert run(str(out)) == 0
    said = capsys.readouterr().out
    assert "Axon contact, wrapping, compaction: no targets, no treatments" in said
    assert f"Written: {out}" in said
    assert out.read_text(encoding="utf-8").startswith("<svg")
    assert run("--json", "--unverified") == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["links"]) == len(evidence.links(unverified=True))
    assert {step["step"] for step in data["steps"]} == {step.id for step in evidence.records("steps")}


def test_another_ending_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "graph.png")) == 1
    assert "expected .svg" in capsys.readouterr().err
