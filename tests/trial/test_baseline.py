"""The baseline table: numbers against pandas, words, bad input; and the table of results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.protocol import Multiplicity, Protocol
from remyelin.tables import Results
from remyelin.trial.baseline import at_entry, baseline_table
from remyelin.trial.family import family_table
from remyelin.trial.reported import results_table


@pytest.fixture
def people() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in range(30)],
            "arm": ["drug", "placebo", "drug"] * 10,
            "age": np.where(np.arange(30) == 5, np.nan, rng.normal(38, 8, 30)),
            "sex": rng.choice(["F", "M"], 30),
            "smoker": rng.choice([0.0, 1.0, np.nan], 30),
            "treated_before": rng.random(30) < 0.3,
            "remark": [f"called on day {k}" for k in range(30)],
            "empty": np.nan,
        }
    )


def test_numbers_agree_with_pandas(people):
    table = baseline_table(people, arms=["drug", "placebo"])
    own = people[people["arm"] == "drug"]["age"].dropna()
    row = table.numbers.query("characteristic == 'age' and arm == 'drug'").iloc[0]
    assert (row["n"], row["missing"]) == (19, 1)
    found = row[["mean", "sd", "median", "q1", "q3", "low", "high"]].to_numpy(float)
    expected = [
        own.mean(),
        own.std(),
        own.median(),
        own.quantile(0.25),
        own.quantile(0.75),
        own.min(),
        own.max(),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert table.table.loc[("age", "mean (SD)"), "drug"] == f"{own.mean():.1f} ({own.std():.1f})"


def test_categories_count_those_known(people):
    table = baseline_table(people)
    counted = table.numbers.query("characteristic == 'smoker' and arm == 'all'").set_index("level")
    known = people["smoker"].dropna()
    assert list(counted.index) == ["0", "1"]
    assert counted.loc["1", "n"] == (known == 1).sum()
    assert counted["percent"].sum() == pytest.approx(100)
    assert counted["missing"].iloc[0] == people["smoker"].isna().sum()
    assert ("treated_before", "True") in table.table.index


def test_names_what_is_no_characteristic(people):
    assert set(baseline_table(people).left_out) == {"remark", "empty"}
    asked = baseline_table(people, ["remark"])
    assert len(asked.table) == 31  # asked for by name, it is shown


def test_has_no_p_values_and_says_why(people):
    table = baseline_table(people)
    assert not any("p" in str(name).split() for name in table.table.columns)
    assert "10.1002/sim.4780131703" in str(table)
    assert "<table" in table._repr_html_()
    assert list(table.to_frame().columns[:2]) == ["characteristic", "statistic"]


def test_an_arm_without_a_value(people):
    people.loc[people["arm"] == "placebo", "age"] = np.nan
    assert baseline_table(people).table.loc[("age", "mean (SD)"), "placebo"] == "n/a (n/a)"


def test_order_of_a_category_is_kept(people):
    people["severity"] = pd.Categorical(["mild", "severe"] * 15, ["severe", "mild"])
    assert list(baseline_table(people, ["severity"]).table.index.get_level_values(1)[1:]) == [
        "severe",
        "mild",
    ]


@pytest.mark.parametrize(("change", "options", "field"), [
    ({}, {"characteristics": ["weight"]}, "weight"),
    ({}, {"arm": "group"}, "group"),
    ({}, {"arms": ["drug"]}, "arm"),
    ({"arm": None}, {}, "arm"),
    ({"participant_id": "sub-01"}, {}, "participant_id"),
    ({"age": np.inf}, {}, "age"),
])  # fmt: skip
def test_refuses(people, change, options, field):
    with pytest.raises(InputError) as caught:
        baseline_table(people.assign(**change), **options)
    assert caught.value.field == field


def test_refuses_nobody(people):
    with pytest.raises(InputError, match="randomised"):
        baseline_table(people.iloc[:0])


def test_everyone_randomised_is_described():
    participants = pd.DataFrame(
        {
            "participant_id": ["sub-01", "sub-02", "sub-03", "sub-04"],
            "endpoint": "submedian-lesion-mtr",
            "arm": ["bexarotene", "placebo", "placebo", ""],
            "baseline_at_entry": [30.0, 31.0, np.nan, 29.0],
            "n_sites": [8, 9, 0, 7],
        }
    )
    covariates = pd.DataFrame(
        {"participant_id": ["sub-01", "sub-03"], "age": [30, 40], "discontinued": ["", "relapse"]}
    )
    people = at_entry(participants, Protocol.read("ccmr-one"), covariates)
    assert list(people["participant_id"]) == ["sub-01", "sub-02", "sub-03"]
    assert "discontinued" not in people  # it is not known at baseline
    assert people["lesions"].isna().tolist() == [False, False, True]
    assert people.filter(like="magnetisation").shape[1] == 1


def test_results_have_roles_and_adjusted_p():
    protocol = Protocol.read("demo")
    family = {"endpoint": protocol.endpoint[:2], "multiplicity": Multiplicity(method="holm")}
    protocol = protocol.model_copy(update=family)
    rows = [
        {
            "endpoint": endpoint.id, "contrast": "treated - placebo", "estimate": -0.5, "se": 0.25, "df": 46,
            "statistic": -2.0, "p": p, "ci_low": -1.003, "ci_high": 0.003, "unit": "pu", "n_participants": 49,
            "n_sites": 806, "analysis_set": "completers", "estimator": "ancova", "prespecified": True,
        }
        for endpoint, p in zip(protocol.endpoint, (0.00003, 0.02), strict=True)
    ]  # fmt: skip
    sibling = rows[0] | {"endpoint": f"{rows[0]['endpoint']} (else)", "prespecified": False}
    people = pd.DataFrame(
        {
            "endpoint": rows[0]["endpoint"],
            "arm": ["treated", "placebo"],
            "analysed": True,
            "change": [0.1, -0.2],
        }
    )
    table = results_table(Results.from_rows([*rows, sibling]), people, protocol, family_table(protocol, rows))
    assert table["role"].iloc[0] == "primary"
    assert len(table) == 2
    assert table["difference"].iloc[0] == "−0.50 pu (95 % CI −1.00 to 0.00)"
    assert list(table["p"]) == ["< 0.0001", "0.02"]
    assert list(table["p_adjusted"]) == ["< 0.0001", "0.02"]
    assert list(table["treated"]) == ["n = 1: 0.10", ""]
