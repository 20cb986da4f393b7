"""The protocol: what it holds, how its tables must fit together, and the ones that are packaged."""

from __future__ import annotations

import copy
import pickle
import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from remyelin.errors import RefuseRun
from remyelin.protocol import Measuring, Protocol
from remyelin.protocol.toml import dump
from remyelin.tables import MEASURES

TRIALS = {
    "ccmr-one": "CCMR-One",
    "ccmr-two": "CCMR-Two",
    "gsk239512": "GSK239512-MS",
    "rebuild": "ReBUILD",
    "renew": "RENEW",
    "synergy": "SYNERGY",
    "visionary-ms": "VISIONARY-MS",
}
PACKAGED = tuple(sorted((*TRIALS, "demo")))


def tables(name: str) -> dict:
    return tomllib.loads((resources.files("remyelin") / "protocols" / f"{name}.toml").read_text("utf-8"))


def refusal(name: str, change) -> str:
    content = copy.deepcopy(tables(name))
    change(content)
    with pytest.raises(RefuseRun) as caught:
        Protocol.from_tables(content, file="p.toml")
    assert caught.value.file == "p.toml"
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- packaged protocols


def test_the_packaged_protocols_are_these():
    assert tuple(Protocol.packaged()) == PACKAGED


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_protocol_is_sound_and_survives_writing(name, tmp_path):
    protocol = Protocol.read(name)
    assert protocol.trial.id == name
    protocol.write(tmp_path / "protocol.toml")
    assert Protocol.read(tmp_path / "protocol.toml") == protocol
    assert Protocol.read(str(tmp_path / "protocol.toml")) == protocol
    protocol.write(str(tmp_path / "again.toml"))
    assert (tmp_path / "again.toml").read_bytes() == (tmp_path / "protocol.toml").read_bytes()


def test_the_facts_of_the_trials():
    one, two, rebuild = (Protocol.read(name) for name in ("ccmr-one", "ccmr-two", "rebuild"))
    assert [arm.n for arm in one.arm] == [26, 26]
    assert (one.primary.measure, one.primary.select) == ("mtr_pu", "submedian")
    assert sum(arm.n for arm in two.arm) == 70
    assert (two.plan.sd, two.plan.sd_unit, two.plan.effect) == (2.4, "participant", -1.2)
    assert [arm.n for arm in rebuild.arm] == [25, 25]
    days = {visit.id: visit.day for visit in rebuild.visit}
    assert [days[period.end] - days[period.start] for period in rebuild.period] == [90, 60]
    assert rebuild.reference is None
    assert one.reference.id == two.reference.id == "placebo"


@pytest.mark.parametrize("name", TRIALS)
def test_the_packaged_numbers_are_those_of_the_evidence(name, shared):
    import json

    evidence = json.loads((shared / "evidence" / "evidence.json").read_text("utf-8"))
    trial = next(row for row in evidence["trials"] if row["id"] == TRIALS[name])
    protocol = Protocol.read(name)
    assert sum(arm.n for arm in protocol.arm) == trial["n_randomised"]
    assert list(protocol.trial.registry) == trial["registry_ids"]
    assert protocol.trial.design in trial["design"]["type"]
    if arms := trial["design"].get("arms_n"):
        assert sorted(arm.n for arm in protocol.arm) == sorted(arms.values() if type(arms) is dict else arms)
    if "periods" in trial["design"]:
        days = {visit.id: visit.day for visit in protocol.visit}
        lengths = [f"{days[period.end] - days[period.start]:g} d" for period in protocol.period]
        assert lengths == trial["design"]["periods"]
    if protocol.plan:
        assert protocol.plan.effect in [result.get("estimate") for result in trial["results"]]


@pytest.mark.parametrize("name", TRIALS)
def test_each_packaged_number_has_its_source_beside_it(name):
    text = (resources.files("remyelin") / "protocols" / f"{name}.toml").read_text("utf-8")
    numbered = [
        line
        for line in text.splitlines()
        if line.split(" = ")[0] in ("n", "day", "sd", "effect", "alpha") and "day = 0" not in line
    ]
    bare = [line for line in numbered if "#" not in line]
    assert len(numbered) >= 4
    # The second arm of a pair shares the comment of the first.
    assert [line for line in bare if not line.startswith("n = ")] == []


def test_a_misspelt_name_is_told_the_nearest():
    with pytest.raises(RefuseRun, match="did you mean 'ccmr-one'"):
        Protocol.read("ccmr-oen")


# ---------------------------------------------------------------- frozen


def test_a_protocol_cannot_be_altered_and_can_be_sent_to_a_worker():
    protocol = Protocol.read("ccmr-one")
    with pytest.raises(ValidationError):
        protocol.trial = None
    with pytest.raises(ValidationError):
        protocol.arm[0].n = 3
    assert isinstance(protocol.endpoint[0].visits, tuple)
    assert pickle.loads(pickle.dumps(protocol)) == protocol


# ---------------------------------------------------------------- one table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.pop("trial"), ["trial", "missing", "add trial"]),
        (lambda p: p.update(arms=p.pop("arm")), ["arms", "did you mean 'arm'?"]),
        (lambda p: p.update(visit=3), ["visit", "is 3", "tables in [[ ]]"]),
        (lambda p: p["trial"].update(design="parallel2"), ["trial.design", "did you mean 'parallel'?"]),
        (lambda p: p["trial"].update(id="a b"), ["trial.id", "'a b'", "letters"]),
        (lambda p: p["arm"][0].update(n=0), ["arm[1].n", "is 0", "1 or more"]),
        (lambda p: p["arm"][0].update(n=True), ["arm[1].n", "True", "whole number"]),
        (lambda p: p["arm"][0].update(n="26"), ["arm[1].n", "'26'", "whole number"]),
        (lambda p: p["arm"][0].update(treatment="a + "), ["arm[1].treatment", "joined by +"]),
        (lambda p: p["visit"][1].update(day="182"), ["visit[2].day", "'182'", "a number"]),
        (lambda p: p["visit"][1].update(day=float("inf")), ["visit[2].day", "inf", "finite"]),
        (lambda p: p["visit"][1].update(window_days=[-14]), ["visit[2].window_days", "missing"]),
        (lambda p: p["endpoint"][0].update(site="lesions"), ["endpoint[1].site", "'lesions'"]),
        (lambda p: p["endpoint"][0].update(select="sub-median"), ["select", "did you mean 'submedian'?"]),
        (lambda p: p["endpoint"][0].update(summary="mean"), ["summary", "participant-mean-change"]),
        (lambda p: p["endpoint"][0].update(estimator="ancov"), ["estimator", "did you mean 'ancova'?"]),
        (lambda p: p["endpoint"][0].update(alpha=1), ["alpha", "is 1", "between 0 and 1"]),
        (lambda p: p["endpoint"][0].update(visits=["M00"]), ["endpoint[1].visits", "2"]),
        (lambda p: p.update(plan={"sd": -1.0}), ["plan.sd", "-1", "above 0"]),
        (lambda p: p.update(plan={"correlation": 1.5}), ["plan.correlation", "1.5", "below 1"]),
        (lambda p: p.update(plan={"n_simulations": 10**40}), ["plan.n_simulations", "10,000,000"]),
        (lambda p: p.update(plan={"n_simulations": 0}), ["plan.n_simulations", "is 0"]),
        (lambda p: p.update(measure={"interpolation": "linear"}), ["measure.interpolation", "halfway"]),
        (lambda p: p.update(measure={"erosion_voxels": 9}), ["measure.erosion_voxels", "is 9"]),
        (lambda p: p.update(measure={"rescan_sd": 0.5}), ["measure", "did you mean 'rescan_sd_pu'?"]),
        (lambda p: p["endpoint"][0].update(estimand={"population": "all"}), ["estimand", "missing"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_value_is_told_by_table_and_key(change, words):
    text = refusal("ccmr-one", change)
    assert [word for word in words if word not in text] == [], text


def test_an_intercurrent_event_needs_a_strategy_of_the_guideline():
    estimand = {
        "population": "people with relapsing MS",
        "treatment": "bexarotene or placebo",
        "variable": "change of submedian lesional MTR",
        "intercurrent": {"stopped the drug": "treatment-policy"},
        "summary": "difference of means",
    }
    content = tables("ccmr-one")
    content["endpoint"][0]["estimand"] = estimand
    protocol = Protocol.from_tables(content)
    assert protocol.primary.estimand.intercurrent == {"stopped the drug": "treatment-policy"}
    estimand["intercurrent"] = {"stopped the drug": "treatment policy"}
    with pytest.raises(RefuseRun, match="did you mean 'treatment-policy'"):
        Protocol.from_tables(content)


def test_several_faults_are_counted_and_a_misspelt_key_comes_first():
    def change(p):
        p["endpoint"][0]["alpha"] = 5
        p["arm"][0]["count"] = p["arm"][0].pop("n")

    text = refusal("ccmr-one", change)
    assert "arm[1].count" in text
    assert "2 more" in text


def test_settings_of_a_measurement_can_be_replaced_one_by_one_and_are_written_whole():
    settings = Measuring().updated({"min_volume_mm3": 10, "normalise": "nawm"}).updated({"erosion_voxels": 1})
    assert settings == Measuring(min_volume_mm3=10, normalise="nawm", erosion_voxels=1)
    written = tomllib.loads(settings.to_toml("1.2.3"))
    assert written["remyelin"] == {"version": "1.2.3"}
    assert Measuring().updated(written["measure"]) == settings
    with pytest.raises(RefuseRun, match=r"^measure\.erosion_voxels is -1, expected 0 or more"):
        settings.updated({"erosion_voxels": -1})
    with pytest.raises(RefuseRun, match="did you mean 'normalise'"):
        settings.updated({"normalize": "nawm"})


# ---------------------------------------------------------------- tables together


def _third_arm(p):
    p["arm"].append({"id": "also-placebo", "n": 5})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("ccmr-one", lambda p: p["arm"].pop(), ["arm", "1 arm", "at least 2"]),
        ("ccmr-one", lambda p: p["arm"][1].update(id="bexarotene"), ["arm.id", "'bexarotene' twice"]),
        ("ccmr-one", lambda p: p["visit"][1].update(id="M00"), ["visit.id", "'M00' twice"]),
        ("ccmr-one", _third_arm, ["trial.reference", "2 arms have placebo"]),
        ("ccmr-one", lambda p: p["arm"][1].update(treatment="x"), ["trial.reference", "0 arms"]),
        ("ccmr-one", lambda p: p["trial"].update(reference="plcebo"), ["reference", "'placebo'?"]),
        (
            "ccmr-one",
            lambda p: p["arm"][0].update(sequence=["a", "b"]),
            ["'bexarotene' sequence", "treatment"],
        ),
        ("ccmr-one", lambda p: p["visit"].pop(), ["visit", "1 visit", "follow-up"]),
        ("ccmr-one", lambda p: p["visit"][1].update(day=0), ["'M06' day", "in the order"]),
        (
            "ccmr-one",
            lambda p: p["visit"][1].update(window_days=[14, -14]),
            ["'M06' window_days", "14 to -14"],
        ),
        (
            "ccmr-one",
            lambda p: p["visit"][1].update(window_days=[3, 14]),
            ["'M06' window_days", "days early"],
        ),
        (
            "ccmr-one",
            lambda p: p["visit"][1].update(window_days=[-200, 1]),
            ["'M06' window_days", "overlaps"],
        ),
        ("ccmr-one", lambda p: p["endpoint"][0].update(visits=["M00", "M60"]), ["visits", "'M06'?"]),
        ("ccmr-one", lambda p: p["endpoint"][0].update(visits=["M06", "M00"]), ["visits", "baseline first"]),
        ("ccmr-one", lambda p: p["endpoint"][0].update(visits=["M00", "M00"]), ["visits", "each visit once"]),
        ("ccmr-one", lambda p: p["endpoint"][0].update(role="secondary"), ["endpoint.role", "exactly 1"]),
        ("ccmr-one", lambda p: p["endpoint"].append(p["endpoint"][0]), ["endpoint.id", "twice"]),
        ("ccmr-one", lambda p: p["endpoint"][0].update(site="eye"), ["site", "'eye'", "mtr_pu is measured"]),
        ("demo", lambda p: p["endpoint"][0].update(site="tissue:nawm"), ["select", "submedian", "lesion"]),
        (
            "ccmr-one",
            lambda p: p["endpoint"][0].update(estimator="crossover"),
            ["estimator", "parallel trial"],
        ),
        ("rebuild", lambda p: p["endpoint"][0].update(estimator="ancova"), ["estimator", "crossover trial"]),
        ("ccmr-one", lambda p: p["endpoint"][0].update(summary="site-change"), ["estimator", "mixed or gee"]),
        (
            "demo",
            lambda p: p["endpoint"][0].update(
                site="participant", select="all", summary="site-change", estimator="mixed"
            ),
            ["summary", "lesion", "eye"],
        ),
        (
            "demo",
            lambda p: (
                p["visit"].append({"id": "M12", "day": 364}),
                p["endpoint"][0].update(visits=["M00", "M06", "M12"]),
            ),
            ["estimator", "'ancova' with 3 visits", "mmrm"],
        ),
        ("rebuild", lambda p: p["period"][1].update(end="M55"), ["period 'second'", "'M05'?"]),
        (
            "ccmr-one",
            lambda p: p["endpoint"][0].update(estimator="mmrm"),
            ["estimator", "2 or more follow-ups"],
        ),
        (
            "ccmr-one",
            lambda p: p["endpoint"][0].update(formula="change ~ baseline"),
            ["formula", "add + arm"],
        ),
        ("ccmr-one", lambda p: p["endpoint"][0].update(formula="arm ~ arm"), ["formula", "on the left"]),
        (
            "rebuild",
            lambda p: p["endpoint"][0].update(formula="change ~ arm"),
            ["formula", "add + treatment"],
        ),
        ("rebuild", lambda p: p["period"].pop(), ["period", "1 periods", "at least 2"]),
        ("rebuild", lambda p: p["arm"][0].update(sequence=["clemastine"]), ["sequence", "1 treatments"]),
        (
            "rebuild",
            lambda p: p["arm"][0].update(sequence=["placebo", "clemastine"]),
            ["at least 2 sequences"],
        ),
        ("rebuild", lambda p: p["arm"][0].update(sequence=["a", "a"]), ["one treatment throughout"]),
        ("rebuild", lambda p: p["arm"][0].update(treatment="a"), ["treatment", "write sequence"]),
        ("rebuild", lambda p: p["period"][0].update(start="M0"), ["period 'first'", "'M00'?"]),
        ("rebuild", lambda p: p["period"][1].update(start="M01"), ["'second' start", "one after another"]),
        ("rebuild", lambda p: p["period"][0].update(end="M00"), ["'first' end", "later visit"]),
        ("rebuild", lambda p: p["trial"].update(design="delayed-start"), ["sequence", "ends with placebo"]),
        ("ccmr-two", lambda p: p["plan"].pop("sd_unit"), ["plan.sd_unit", "whose change"]),
        ("ccmr-two", lambda p: p["plan"].pop("sd_source"), ["plan.sd_source", "where the SD was found"]),
        ("ccmr-two", lambda p: p["plan"].update(effect=0.0), ["plan.effect", "difference"]),
        ("ccmr-two", lambda p: p.update(period=[{"id": "a", "start": "W00", "end": "W26"}]), ["no periods"]),
    ],
)
def test_tables_that_contradict_each_other_are_refused(name, change, words):
    text = refusal(name, change)
    assert [word for word in words if word not in text] == [], text


def test_a_delayed_start_trial_is_sound():
    content = tables("rebuild")
    content["trial"] |= {"id": "delayed", "design": "delayed-start"}
    content["arm"][0]["sequence"] = ["clemastine", "clemastine"]
    content["endpoint"][0] |= {"estimator": "mixed", "formula": "change ~ arm"}
    assert Protocol.from_tables(content).arm[0].sequence == ("clemastine", "clemastine")
    content["arm"][1]["sequence"] = ["clemastine", "clemastine"]
    with pytest.raises(RefuseRun, match="begins with placebo"):
        Protocol.from_tables(content)


def test_an_arm_that_is_called_placebo_is_placebo():
    content = tables("ccmr-one")
    content["arm"][1] |= {"id": "control", "treatment": "placebo"}
    assert Protocol.from_tables(content).reference.id == "control"


def test_the_reference_may_be_an_arm_with_a_treatment():
    content = tables("ccmr-one")
    content["arm"][1]["treatment"] = "interferon"
    content["trial"]["reference"] = "placebo"
    assert Protocol.from_tables(content).reference.treatment == "interferon"


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_every_measure_can_be_an_endpoint(measure):
    content = tables("ccmr-one")
    site = MEASURES[measure].sites[0]
    endpoint = {"measure": measure, "site": "tissue:nawm" if site == "tissue" else site, "select": "all"}
    content["endpoint"][0] |= endpoint
    assert Protocol.from_tables(content).primary.measure == measure


# ---------------------------------------------------------------- TOML text

scalars = (
    st.text(st.characters(exclude_categories=("Cs",)))
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.booleans()
)
keys = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
leaves = scalars | st.lists(scalars, max_size=3).map(tuple)
table = st.dictionaries(keys, leaves, max_size=4)


@given(st.dictionaries(keys, leaves | table | st.lists(table, min_size=1, max_size=3).map(tuple), max_size=5))
def test_toml_text_is_read_back_as_it_was(content):
    def listed(value):
        if isinstance(value, dict):
            return {key: listed(item) for key, item in value.items()}
        return [listed(item) for item in value] if isinstance(value, tuple) else value

    assert tomllib.loads(dump(content)) == listed(content)
