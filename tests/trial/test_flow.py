"""CONSORT numbers: they add up, name reasons, and never take what nobody recorded for 0."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.trial.flow import STAGES, consort


def participants(**columns) -> pd.DataFrame:
    n = 6
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in range(n)],
            "arm": ["drug", "placebo"] * 3,
            "analysed": [True] * n,
            "baseline_at_entry": 30.0,
            "change": 0.1,
            "reason": "",
            "n_failed": 0,
        }
        | columns
    )


def test_reasons():
    people = participants(
        analysed=[True, False, False, False, False, False],
        change=[0.1, np.nan, np.nan, np.nan, 0.2, np.nan],
        baseline_at_entry=[30, 30, np.nan, 30, 30, np.nan],
        n_failed=[0, 0, 0, 3, 0, 0],
        reason=[
            "",
            "none of 8 sites",
            "",
            "3 values of quality fail",
            "no age in participants.tsv; late",
            "",
        ],
    )
    people.loc[5, "reason"] = "allocated, but not measured"
    flow = consort(people, last="M06")
    assert flow.n("randomised") == 6
    assert flow.reasons("lost", "placebo") == {"no value at M06": 1, "not measured": 1}
    assert flow.n("followed", "placebo") == 1  # measured, though it failed
    assert flow.reasons("not analysed", "placebo") == {
        "measurement failed quality control": 1, "no value at M06": 1, "not measured": 1,
    }  # fmt: skip
    assert flow.reasons("not analysed", "drug") == {"no age in participants.tsv": 1, "no usable baseline": 1}
    assert flow.n("lost", "drug") == 0


def test_what_nobody_recorded_is_not_0():
    flow = consort(participants())
    assert flow.n("assessed") is None
    assert flow.n("received", "drug") is None
    assert "not recorded" in str(flow)
    assert "not recorded" in flow._repr_html_()


def test_records():
    records = pd.DataFrame(
        {
            "participant_id": ["sub-00", "sub-01", "sub-02", "sub-90", "sub-91"],
            "not_randomised": [None, "n/a", "", "declined", "declined"],
            "not_received": ["withdrew", "no", None, None, None],
            "discontinued": ["", "adverse event", None, None, None],
        }
    )
    flow = consort(participants(), records=records)
    assert (flow.n("assessed"), flow.n("not randomised")) == (8, 2)
    assert flow.reasons("not randomised") == {"declined": 2}
    assert (flow.n("received", "drug"), flow.n("received", "placebo")) == (2, 3)
    assert flow.reasons("discontinued", "placebo") == {"adverse event": 1}
    assert flow.n("discontinued", "drug") == 0


def test_who_has_no_arm_was_not_randomised():
    flow = consort(participants(arm=["drug", "placebo", "", "placebo", "drug", "placebo"]))
    assert flow.n("randomised") == 5


@given(
    arms=st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=30),
    seed=st.integers(0, 1000),
)
@settings(max_examples=30, deadline=None)
def test_numbers_add_up(arms, seed):
    rng, n = np.random.default_rng(seed), len(arms)
    people = pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(n)],
            "arm": arms,
            "analysed": rng.random(n) < 0.7,
            "baseline_at_entry": np.where(rng.random(n) < 0.2, np.nan, 30.0),
            "change": np.where(rng.random(n) < 0.3, np.nan, 0.1),
            "reason": rng.choice(["", "why; more"], n),
            "n_failed": rng.integers(0, 2, n),
        }
    )
    flow = consort(people, arms=["a", "b", "c"])
    assert sum(flow.n("allocated", arm) for arm in flow.arms) == flow.n("randomised")
    for arm in flow.arms:
        allocated = flow.n("allocated", arm)
        assert flow.n("followed", arm) + flow.n("lost", arm) == allocated
        assert flow.n("analysed", arm) + flow.n("not analysed", arm) == allocated
        for stage in ("lost", "not analysed"):
            assert sum(flow.reasons(stage, arm).values()) == flow.n(stage, arm)
    assert set(flow.table["stage"]) == set(STAGES)
    assert flow.to_frame().equals(flow.table)


def test_refuses():
    with pytest.raises(InputError, match="twice"):
        consort(pd.concat([participants(), participants()]))
    with pytest.raises(InputError, match="placebo"):
        consort(participants(), arms=["drug"])
    records = pd.DataFrame({"participant_id": ["sub-00"], "not_randomised": ["declined"]})
    with pytest.raises(InputError, match="sub-00, who has an arm"):
        consort(participants(), records=records)
