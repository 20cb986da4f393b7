"""The family of tests of a protocol, and the flags of an estimand that its analysis contradicts."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.protocol import Estimand, Multiplicity, Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse
from remyelin.trial.estimand_words import estimand_flags
from remyelin.trial.family import family_table

FIRST, SECOND = "submedian-lesion-mtr", "lesion-mtr-weighted"


def with_family(protocol: Protocol, **fields: object) -> Protocol:
    """A family of the two endpoints of MTR: `FIRST` and `SECOND`."""
    both = protocol.endpoint[:2]
    return protocol.model_copy(update={"endpoint": both, "multiplicity": Multiplicity(**fields)})


def rows(**p: float) -> list[dict]:
    names = {"first": FIRST, "second": SECOND}
    return [
        {"endpoint": names[name], "contrast": "treated - placebo", "p": value, "prespecified": True}
        for name, value in p.items()
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"method": "holm"}, [0.04, 0.06]),
        ({"method": "hochberg"}, [0.04, 0.06]),
        ({"method": "fixed-sequence"}, [0.02, 0.06]),
        ({"method": "fixed-sequence", "endpoints": (SECOND, FIRST)}, [0.06, 0.06]),
        ({"method": "graph", "weights": {FIRST: 1.0}, "transitions": {FIRST: {SECOND: 1.0}}}, [0.02, 0.06]),
        ({"method": "graph", "weights": {FIRST: 0.5, SECOND: 0.5}}, [0.04, 0.12]),
    ],
)
def test_the_p_values_are_those_of_the_method(protocol, fields, expected):
    table = family_table(with_family(protocol, **fields), rows(first=0.02, second=0.06))
    order = fields.get("endpoints") or (FIRST, SECOND)
    assert tuple(table["hypothesis"]) == order
    np.testing.assert_allclose(table["p_adjusted"], expected)
    assert table["rejected"].tolist() == [value <= 0.05 for value in expected]


def test_what_could_not_be_tested_lets_nothing_after_it_pass(protocol):
    table = family_table(with_family(protocol, method="fixed-sequence"), rows(second=0.001))
    assert np.isnan(table["p"].iloc[0])
    assert not table["rejected"].any()


def test_three_arms_are_three_hypotheses_less_one(measurements, protocol, allocation):
    high = protocol.arm[0].model_copy(update={"id": "high"})
    three = protocol.model_copy(update={"arm": (*protocol.arm, high)})
    allocation["arm"] = [["placebo", "treated", "high"][k % 3] for k in range(20)]
    analysis = analyse(measurements, with_family(three, method="holm"), allocation)
    assert analysis.multiplicity["hypothesis"].tolist() == [
        f"{endpoint}:{arm}" for endpoint in (FIRST, SECOND) for arm in ("treated", "high")
    ]
    assert (analysis.multiplicity["p_adjusted"] >= analysis.multiplicity["p"]).all()
    assert "Holm's procedure" in analysis.methods
    assert "not adjusted for the number of arms" not in analysis.methods


def test_dunnett_compares_the_arms_of_one_endpoint(measurements, protocol, allocation):
    high = protocol.arm[0].model_copy(update={"id": "high"})
    three = protocol.model_copy(update={"arm": (*protocol.arm, high)})
    allocation["arm"] = [["placebo", "treated", "high"][k % 3] for k in range(20)]
    analysis = analyse(measurements, with_family(three, method="dunnett"), allocation)
    table = analysis.multiplicity
    assert table["hypothesis"].tolist() == [f"{FIRST}:treated", f"{FIRST}:high"]
    direct = analysis.fits[FIRST].contrasts(adjust="dunnett")["p_adjusted"]
    expected = [direct["treated - placebo"], direct["high - placebo"]]
    np.testing.assert_allclose(table["p_adjusted"], expected)
    assert "10.1080/01621459.1955.10501294" in analysis.methods


def test_nothing_is_adjusted_that_was_not_planned(measurements, protocol, allocation):
    analysis = analyse(measurements, protocol, allocation)
    assert analysis.multiplicity.empty
    assert "family-wise" not in analysis.methods


def test_the_methods_name_what_was_not_tested(rows, protocol, allocation):
    lost = protocol.endpoint[1].model_copy(update={"measure": "mtsat_pu"})
    changed = protocol.model_copy(update={"endpoint": (protocol.endpoint[0], lost)})
    analysis = analyse(Measurements.from_rows(rows()), with_family(changed, method="hochberg"), allocation)
    assert f"counted as not rejected: {SECOND}" in analysis.methods


@pytest.mark.parametrize(
    ("strategy", "changes", "words"),
    [
        ("treatment-policy", {}, "the analysis set is completers"),
        ("treatment-policy", {"missing": "mar"}, ""),
        ("hypothetical", {"missing": "j2r"}, "imputed by j2r"),
        ("hypothetical", {"missing": "mar"}, ""),
        ("while-on-treatment", {"missing": "mar"}, "imputed by mar"),
        ("principal-stratum", {}, "the analysis set is completers"),
        ("composite", {}, "holds no value for the event"),
    ],
)
def test_a_strategy_that_the_analysis_contradicts_is_flagged(protocol, strategy, changes, words):
    estimand = Estimand(
        population="p", treatment="t", variable="v", intercurrent={"relapse": strategy}, summary="s"
    )
    endpoint = protocol.endpoint[0].model_copy(update={"estimand": estimand, **changes})
    found = [flag.found for flag in estimand_flags(endpoint)]
    assert bool(found) == bool(words)
    assert all(words in each for each in found)


def test_the_five_attributes_stand_in_the_methods(measurements, protocol, allocation):
    estimand = Estimand(
        population="people with relapsing MS", treatment="drug or placebo", variable="change of lesional MTR",
        intercurrent={"stopped the drug": "treatment-policy"}, summary="difference of means",
    )  # fmt: skip
    first = protocol.endpoint[0].model_copy(update={"estimand": estimand})
    analysis = analyse(measurements, protocol.model_copy(update={"endpoint": (first,)}), allocation)
    for words in (
        "ICH E9(R1)",
        "people with relapsing MS",
        "stopped the drug: whatever happened",
        "difference of means",
    ):
        assert words in analysis.methods
    assert any("stopped the drug" in flag.found for flag in analysis.flags)
