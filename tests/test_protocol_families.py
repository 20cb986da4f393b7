"""Estimators, analysis sets, missing data and families of tests: what fits in a protocol, what does not."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources

import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol

COLUMN = {"per_protocol": "kept_to_protocol"}
ESTIMAND = {
    "population": "p", "treatment": "t", "variable": "v", "summary": "s",
    "intercurrent": {"stopped": "hypothetical", "relapse": "composite"},
}  # fmt: skip


def tables(name: str) -> dict:
    return tomllib.loads((resources.files("remyelin") / "protocols" / f"{name}.toml").read_text("utf-8"))


def changed(name: str, change) -> dict:
    content = copy.deepcopy(tables(name))
    change(content)
    return content


def first(**fields):
    return lambda p: p["endpoint"][0].update(fields)


def visits(p):
    p["visit"].append({"id": "M12", "day": 364})
    p["endpoint"][0].update(
        visits=["M00", "M06", "M12"], estimator="mmrm", formula="change ~ arm * visit + baseline * visit"
    )


def then(*changes):
    def change(p):
        for each in changes:
            each(p)

    return change


def three_arms(p):
    p["arm"].append({"id": "high", "n": 5, "treatment": "virtual"})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("demo", first(df="kenward-roger"), ["df", "ancova has no such option"]),
        ("demo", first(covariance="HC9"), ["covariance", "HC3"]),
        ("demo", first(correlation="exchangeable"), ["correlation", "ancova has no such option"]),
        (
            "demo",
            then(visits, first(covariance="unstuctured")),
            ["covariance", "did you mean 'unstructured'"],
        ),
        ("demo", then(visits, first(formula="change ~ arm")), ["formula with visit", "arm * visit"]),
        ("demo", first(formula="change ~ arm + visit"), ["'visit' on the right", "take visit out"]),
        ("demo", first(formula="change ~ arm + period"), ["'period' on the right", "parallel"]),
        (
            "demo",
            first(formula="change ~ arm + baseline_mean"),
            ["'baseline_mean' on the right", "baseline, where"],
        ),
        ("demo", first(formula="change ~ arm + value"), ["'value' on the right", "left only"]),
        ("rebuild", first(formula="change ~ treatment + arm"), ["'arm' on the right", "sequence"]),
        ("rebuild", first(visits=["M00", "M01", "M05"]), ["visits", "end of each period", '"M03"']),
        ("demo", first(estimator="mixed"), ["one value a participant", "site-change"]),
        ("demo", first(analysis_set="per-protocol"), ["per-protocol", "[sets]"]),
        ("demo", first(analysis_set="itt"), ["'itt' with nothing imputed", 'missing = "mar"']),
        ("demo", first(analysis_set="completers", missing="mar"), ["completers", "missing"]),
        ("demo", first(analysis_set="ITT"), ["analysis_set", "did you mean 'itt'"]),
        ("demo", first(delta=1.0), ["delta", "nothing imputed"]),
        ("demo", first(missing="locf"), ["missing", "mar"]),
        ("demo", first(missing="mar", sensitivity=["mar"]), ["'mar', which is the main analysis"]),
        ("demo", first(sensitivity=["j2r", "j2r"]), ["'j2r' twice"]),
        ("demo", first(imputations=1), ["imputations", "5 or more"]),
        ("rebuild", first(missing="mar"), ["missing", "crossover"]),
        ("rebuild", first(sensitivity=["j2r"]), ["sensitivity", "ancova or mmrm"]),
        ("demo", then(visits, first(sensitivity=["re-randomisation"])), ["re-randomisation", "ancova"]),
        (
            "demo",
            first(sensitivity=["re-randomisation"]),
            ["randomisation", "missing", "add [randomisation]"],
        ),
        (
            "demo",
            lambda p: p.update(
                randomisation={"method": "minimisation", "factors": ["sex"], "order": "entry"}
            ),
            ["randomisation.probability", "add probability"],
        ),
        (
            "demo",
            lambda p: p.update(randomisation={"method": "permuted-blocks", "order": "entry"}),
            ["randomisation.block_sizes", "add block_sizes"],
        ),
        (
            "demo",
            lambda p: p.update(randomisation={"method": "simple", "ratio": [2, 1, 1]}),
            ["randomisation.ratio", "one for each of 2 arms"],
        ),
        ("demo", lambda p: p.update(sets={"per_protocol": "a b"}), ["sets.per_protocol"]),
        ("demo", lambda p: p.update(sets={"perprotocol": "a"}), ["did you mean 'per_protocol'"]),
        ("demo", lambda p: p.update(multiplicity={"method": "bonferoni"}), ["multiplicity.method", "holm"]),
        (
            "demo",
            lambda p: p.update(multiplicity={"method": "holm", "endpoints": ["lesion-mtr"]}),
            ["did you mean 'lesion-mtr-weighted'"],
        ),
        (
            "demo",
            lambda p: p.update(multiplicity={"method": "holm", "weights": {"lesion-mtr-weighted": 1.0}}),
            ["multiplicity.weights", "only with graph"],
        ),
        ("demo", lambda p: p.update(multiplicity={"method": "dunnett"}), ["'dunnett' with two arms"]),
        (
            "demo",
            then(three_arms, visits, lambda p: p.update(multiplicity={"method": "dunnett"})),
            ["'dunnett' for 'submedian-lesion-mtr'", "an ancova"],
        ),
        ("demo", lambda p: p.update(multiplicity={"method": "graph"}), ["multiplicity.weights", "missing"]),
        (
            "demo",
            lambda p: p.update(
                multiplicity={
                    "method": "graph",
                    "weights": {"submedian-lesion-mtr": 0.7, "lesion-mtr-weighted": 0.7},
                }
            ),
            ["a sum of 1.4"],
        ),
        (
            "demo",
            lambda p: p.update(multiplicity={"method": "graph", "weights": {"submedian": 1.0}}),
            ["'submedian'", "a hypothesis"],
        ),
        (
            "demo",
            lambda p: p.update(
                multiplicity={
                    "method": "graph",
                    "weights": {"submedian-lesion-mtr": 1.0},
                    "transitions": {"submedian-lesion-mtr": {"submedian-lesion-mtr": 1.0}},
                }
            ),
            ["a part for itself"],
        ),
    ],
)
def test_what_contradicts_is_refused_with_the_fix(name, change, words):
    with pytest.raises(RefuseRun) as caught:
        Protocol.from_tables(changed(name, change), file="p.toml")
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert "\n" not in text


def test_the_own_set_of_an_endpoint_follows_from_how_it_treats_what_is_missing():
    assert Protocol.read("demo").primary.own_set == "completers"
    assert Protocol.read("rebuild").primary.own_set == "itt"
    assert Protocol.from_tables(changed("demo", visits)).primary.own_set == "itt"
    assert Protocol.from_tables(changed("demo", first(missing="j2r"))).primary.own_set == "itt"
    kept = then(first(analysis_set="per-protocol"), lambda p: p.update(sets=COLUMN))
    assert Protocol.from_tables(changed("demo", kept)).primary.own_set == "per-protocol"


def test_all_fields_survive_writing(tmp_path):
    def change(p):
        visits(p)
        three_arms(p)
        first(missing="mar", delta=0.5, sensitivity=["j2r", "tipping-point"], df="kenward-roger-linear")(p)
        p["endpoint"][0]["estimand"] = {**ESTIMAND, "event_days": {"stopped": "stop_day"}}
        p["sets"] = {**COLUMN, "windows": True}
        p["multiplicity"] = {
            "method": "graph",
            "weights": {"submedian-lesion-mtr:treated": 0.5, "submedian-lesion-mtr:high": 0.5},
            "transitions": {"submedian-lesion-mtr:treated": {"submedian-lesion-mtr:high": 1.0}},
        }

    protocol = Protocol.from_tables(changed("demo", change))
    protocol.write(tmp_path / "p.toml")
    assert Protocol.read(tmp_path / "p.toml") == protocol


def test_the_hypotheses_are_named_after_endpoints_and_arms():
    assert Protocol.read("demo").hypotheses == ("submedian-lesion-mtr", "lesion-mtr-weighted", "vep-shift")
    three = Protocol.from_tables(changed("demo", three_arms))
    assert three.compared == ("placebo", "treated", "high")
    assert three.hypotheses[:2] == ("submedian-lesion-mtr:treated", "submedian-lesion-mtr:high")


def test_a_delayed_start_is_compared_with_the_delayed_arm():
    content = tables("rebuild")
    content["trial"] |= {"id": "delayed", "design": "delayed-start"}
    content["arm"][0]["sequence"] = ["clemastine", "clemastine"]
    content["endpoint"][0] |= {"estimator": "mixed", "formula": "change ~ arm * visit"}
    assert Protocol.from_tables(content).reference.id == "placebo-first"
