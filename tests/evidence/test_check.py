"""Recomputing the evidence base: the worked cases, the misprints, the conflicts, and files of one's own."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from remyelin.errors import InputError
from remyelin.evidence.comparison import Comparison, comparisons, published_p
from remyelin.evidence.formula import computed
from remyelin.evidence.lookup import find
from remyelin.evidence.recomputed import Checked, check

# The results that the worked cases of p are of, and the p to which their interval leads.
OF_CASE = {
    "ReBUILD crossover": "rebuild-p100-crossover",
    "ReBUILD delayed": "rebuild-p100-delayed-treatment",
    "RENEW ITT w24": "renew-p100-itt-w24",
    "RENEW PP w32": "renew-p100-pp-w32",
    "CCMR Two": "ccmr-two-p100",
    "VISIONARY LCLA": "visionary-ms-lcla",
    "VISIONARY mMSFC": "visionary-ms-mmsfc",
    "TONE RNFL 2y": "tone-rnfl-2y",
    "CCMR One 27 mo": "ccmr-one-p100-followup",
}
# The conflicts that were compiled, in their order, and where each stands now.
CONFLICTS = (
    "renew-p", "spi2-responders", "vista-n", "ccmr-two-dose", "synergy-n", "affinity-n", "estriol-n",
    "ccmr-one-p", "p100-thresholds", "rebuild-estimands", "clemastine-benefit-harm",
)  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Checked:
    return check()


@pytest.fixture
def compiled(shared: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared / "evidence/evidence.json").read_text())
    return content


def of(found: Checked, record: str, field: str, how: str = "") -> Comparison:
    (one,) = [
        each for each in found.comparisons if (each.record, each.field) == (record, field) and how in each.how
    ]
    return one


def digits(value: float, like: float) -> float:
    exponent = Decimal(repr(like)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return float(round(Decimal(value), -exponent))


def test_the_worked_cases_of_p_are_reproduced_to_their_digits(found, compiled):
    (case,) = [each for each in compiled["reproduction_cases"] if each["id"] == "p_from_ci"]
    assert [row[0] for row in case["cases"]] == list(OF_CASE)
    for name, estimate, ends, reported, expected in case["cases"]:
        result = find(f"results/{OF_CASE[name]}")
        assert (result.estimate, [result.low, result.high], result.p) == (estimate, ends, reported)
        p = of(found, f"results/{OF_CASE[name]}", "p", "interval")
        assert digits(p.recomputed.value, expected) == expected, name
        assert p.agrees == (name != "CCMR One 27 mo"), str(p)


def test_the_other_worked_cases_are_reproduced(found, compiled):
    cases = {each["id"]: each for each in compiled["reproduction_cases"]}
    fisher = of(found, "results/ms-spi-responders", "p", "Fisher")
    assert fisher.recomputed.value == pytest.approx(cases["fisher_MS-SPI"]["p"], rel=1e-12)
    assert digits(fisher.recomputed.value, 0.0051) == cases["fisher_MS-SPI"]["reported"]
    ratio = of(found, "results/spi2-responders", "estimate", "odds ratio")
    assert digits(ratio.recomputed.value, 1.345) == cases["OR_SPI2"]["OR"]
    assert ratio.agrees
    people = of(found, "results/gsk239512-nmtr-gde", "se")
    assert round(people.recomputed.value, 3) == 0.272
    assert not people.agrees


def test_the_worked_sample_sizes_are_reproduced(compiled):
    from remyelin.trial.power import Spread, sample_size

    (case,) = [each for each in compiled["reproduction_cases"] if each["id"] == "n_per_arm_t_test"]
    for effect, sd, n80, n90 in case["rows"]:
        spread = Spread.of_participant(sd)
        assert [sample_size(effect, spread, power=power).n for power in (0.8, 0.9)] == [
            (n80,) * 2,
            (n90,) * 2,
        ]


def test_the_base_has_no_disagreement_that_nobody_explained(found):
    assert [str(each) for each in found.new] == []
    assert found.exit_code == 0
    assert {each.record for each in found.disagreements} == {
        "results/ccmr-one-p100-followup",
        "results/gsk239512-nmtr-delta",
        "results/gsk239512-nmtr-gde",
        "results/spi2-responders",
        "results/trap-ms-stopping-rule",
    }


def test_every_conflict_stands_with_its_values_side_by_side(found, compiled):
    assert len(compiled["conflicts"]) == len(CONFLICTS) == 11
    shown = {each.id: each for each in found.conflicts}
    for words, name in zip(compiled["conflicts"], CONFLICTS, strict=True):
        assert words.split()[0].strip(":").casefold()[:4] in shown[name].words.casefold()
        assert len({(each.field, each.value) for each in shown[name].siblings}) > 1
        assert all(each.source or each.status == "unverified" for each in shown[name].siblings)


@pytest.mark.parametrize(
    ("conflict", "right", "wrong"),
    [
        ("renew-p", "0.011", "0.11"),
        ("spi2-responders", "39", "19"),
        ("ccmr-one-followup-p", "0.0285", "0.044"),
    ],
)
def test_a_misprint_is_contradicted_and_what_it_stands_for_is_not(found, conflict, right, wrong):
    (one,) = [each for each in found.conflicts if each.id == conflict]
    against = {each.value: each.against for each in one.siblings}
    assert against[right] == ()
    assert against[wrong]


def test_each_arithmetic_conflict_is_seen_by_the_arithmetic(found):
    arithmetic = [each for each in found.conflicts if each.kind == "arithmetic"]
    assert len(arithmetic) >= 5
    for conflict in arithmetic:
        assert any(stand.against for stand in conflict.siblings), conflict.id


def test_every_result_with_a_number_is_recomputed_or_named(found):
    from remyelin.evidence.load import records

    compared = {each.record for each in found.comparisons}
    alone = {record for record, _ in found.alone}
    assert not compared & alone
    with_numbers = {
        f"results/{each.id}" for each in records("results") if each.arms or each.p or each.estimate
    }
    assert with_numbers <= compared | alone


def test_sample_sizes_and_formulas_are_recomputed(found):
    d = [each.recomputed.value for each in found.comparisons if each.field.endswith("effect_sd")]
    assert [round(each, 2) for each in d] == [1.53, 0.58, 0.48, 0.81]
    people = [each for each in found.comparisons if each.record.startswith("trials/")]
    assert {each.record for each in people} > {"trials/synergy", "trials/spi2", "trials/ms-spi"}
    derived = [each for each in found.comparisons if each.record.startswith("parameters/")]
    assert len(derived) > 9
    assert all(each.agrees for each in derived)


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "sqrt(-1)", "1 / 0", "9 ** 9", "t(0.9)", "x", "", "'a' * 3", "sqrt(x=2)"]
)
def test_a_formula_is_arithmetic_and_nothing_else(formula):
    with pytest.raises(InputError) as caught:
        computed(formula)
    assert "sqrt(x)" in str(caught.value)


OWN = """
[sources.mine]
work = "my trial"
read = "all of it"

[trials.mine]
name = "MINE"
status = "seen"
source = "mine"
n = 40

[results.mine-p100]
trial = "mine"
endpoint = "p100_latency_ms"
contrast = "active - control"
scale = "difference"
unit = "ms"
estimate = -2.0
low = -3.5
high = -0.5
level = 0.95
p = {p}
status = "seen"
source = "mine"
"""


@pytest.mark.parametrize(("p", "code"), [("0.009", 0), ("0.01", 0), ("0.09", 1), ("0.0009", 1)])
def test_a_file_of_your_own_is_checked_alike(tmp_path, p, code):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.format(p=p))
    found = check(path)
    assert {each.record for each in found.comparisons} == {"results/mine-p100"}
    assert found.exit_code == code
    assert [each.field for each in found.new] == ["p"] * code
    assert found.conflicts == ()


def test_a_conflict_in_a_file_of_your_own_explains_its_disagreement(tmp_path):
    path = tmp_path / "mine.toml"
    sibling = '{{ record = "results/mine-p100", field = "p", value = {}, status = "seen", source = "mine" }}'
    conflict = (
        '\n[conflicts.mine-p]\nwords = "p"\nkind = "arithmetic"\nstatus = "seen"\nsource = "mine"\n'
        f"siblings = [{sibling.format(0.09)}, {sibling.format(0.009)}]\n"
    )
    path.write_text(OWN.format(p="0.09") + conflict)
    found = check(path)
    assert (found.exit_code, len(found.disagreements)) == (0, 1)
    (one,) = found.conflicts
    assert [bool(each.against) for each in one.siblings] == [True, False]


@pytest.mark.parametrize(
    ("changed", "agrees"),
    [
        ({"se": 0.75}, True),
        ({"se": 0.83}, False),
        ({"estimate": -2.2}, False),
        ({"p": 0.05, "p_relation": "<"}, True),
        ({"p": 0.001, "p_relation": "<"}, False),
        ({"p": 0.05, "p_relation": ">"}, False),
        ({"p": None, "p_low": 0.005, "p_high": 0.02}, True),
        ({"p": None, "p_low": 0.02, "p_high": 0.05}, False),
    ],
)
def test_numbers_of_a_result_against_one_another(changed, agrees):
    result = find("results/rebuild-p100-crossover").model_copy(
        update={"estimate": -2.0, "low": -3.5, "high": -0.5, "p": 0.009, **changed}
    )
    made = list(comparisons(result))
    assert made
    assert all(each.agrees for each in made) == agrees, [str(each) for each in made]


def test_a_p_is_said_as_it_was_printed():
    result = find("results/rebuild-p100-crossover")
    said = published_p(result)
    assert said is not None
    assert said[0] == "0.0048"
    assert published_p(result.model_copy(update={"p": None})) is None


def test_what_is_found_prints_and_goes_to_json(found):
    assert "numbers that can be recomputed agree" in str(found)
    data = json.loads(json.dumps(found.to_dict()))
    assert data["new"] == 0
    assert len(data["comparisons"]) == len(found.comparisons)
    assert {each["record"] for each in data["comparisons"] if each["unverified"]} == found.recalled & {
        each.record for each in found.comparisons
    }
