"""What belongs to a record: the chain from step to result, its ends, and that nothing recalled is on it."""

from __future__ import annotations

import pytest

from remyelin.evidence import find, records
from remyelin.evidence.frames import shown
from remyelin.evidence.graph import graph
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.related import origin_of, outcome_of, related


def ids(rows):
    return {each.id for each in rows}


@pytest.mark.parametrize("unverified", [False, True])
def test_a_step_leads_to_what_the_graph_says_of_it(unverified):
    drawn = graph(unverified=unverified)
    for step in drawn.steps:
        found = outcome_of(step, records if unverified else shown)
        summary = drawn.summary(step)
        assert ids(found.get("treatments", ())) == set(summary.treatments), step.id
        assert len(found.get("trials", ())) == sum(summary.trials.values()), step.id
        trials = ids(found.get("trials", ()))
        expected = {each.id for each in records("results") if each.trial in trials}
        if not unverified:
            expected -= {each.id for each in records("results") if each.status == "unverified"}
        assert ids(found.get("results", ())) == expected, step.id


def test_a_treatment_leads_to_its_trials_results_and_the_conflict_on_its_harm():
    found = outcome_of(find("clemastine"))
    assert {"rebuild", "ccmr-two", "trap-ms"} <= ids(found["trials"])
    assert {"rebuild-p100-crossover", "trap-ms-stopping-rule"} <= ids(found["results"])
    assert {"clemastine-benefit-harm", "trap-ms-p"} <= ids(found["conflicts"])


def test_an_endpoint_leads_to_its_results_and_the_numbers_to_plan_with():
    found = outcome_of(find("p100_latency_ms"))
    assert {"ccmr-two-p100", "rebuild-p100-crossover"} <= ids(found["results"])
    assert {"p100_change_sd-participant-trial", "p100_cutoff-rebuild"} <= ids(found["parameters"])
    assert not any(each.name.startswith("mfvep") for each in found["parameters"])


def test_a_harm_is_followed_from_itself_and_not_from_its_step():
    assert ids(related(find("P2RX7_harm"), "treatments")) == {"clemastine"}
    assert "clemastine" not in ids(related(find("axon_survival"), "treatments"))


def test_a_link_that_was_recalled_is_followed_only_if_asked():
    assert "clemastine" not in ids(related(find("EBP_sterol"), "treatments"))
    assert "clemastine" in ids(related(find("EBP_sterol"), "treatments", records))


def test_a_source_leads_to_what_names_it_and_no_further():
    source = find("sources/reb2")
    for kind, rows in outcome_of(source).items():
        for record in rows:
            assert "reb2" in {name for _, _, name in record.references()}, (kind, record.id)


def test_a_result_rests_on_its_trial_and_what_was_given():
    found = origin_of(find("ccmr-two-p100"))
    assert ids(found["trials"]) == {"ccmr-two"}
    assert ids(found["treatments"]) == {"clemastine", "metformin"}
    assert "differentiation" in ids(found["steps"])
    assert ids(found["sources"]) == set(find("ccmr-two-p100").source)


def test_what_belongs_is_mutual():
    """Whoever comes of a record rests on it, harms and sources apart."""
    for name in ("clemastine", "LINGO1", "rebuild", "p100_latency_ms"):
        record = find(name)
        for rows in outcome_of(record).values():
            for each in rows:
                assert record.id in {one.id for kind in KINDS for one in origin_of(each).get(kind, ())}
