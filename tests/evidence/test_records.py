"""Records: sound, resolved, sorted; what was recalled is hidden; a fault in a file is told in one line."""

from __future__ import annotations

import re
import time
import tomllib
from importlib import resources

import pytest
from pydantic import ValidationError

from remyelin import evidence
from remyelin.errors import InputError
from remyelin.evidence import find, read_file, records, search
from remyelin.evidence.checked import checked
from remyelin.evidence.frames import shown, table
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import ids
from remyelin.protocol import Protocol
from remyelin.tables import MEASURES

CLAIMS = [kind for kind in KINDS if kind not in ("sources", "endpoints", "questions", "gaps")]
FOLDER = resources.files("remyelin") / "evidence"


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"parameters", "steps", "sources", "questions"}))
def test_a_file_is_sorted_by_id_so_that_changes_are_small(kind):
    names = list(tomllib.loads((FOLDER / f"{kind}.toml").read_text("utf-8")))
    assert names == sorted(names, key=str.casefold)


def test_steps_stand_in_their_order():
    assert [step.order for step in records("steps")] == list(range(1, 11))


def test_the_unit_of_a_result_is_that_of_its_endpoint():
    units = {row.id: row.unit for row in records("endpoints")}
    plain = ("odds ratio", "rate ratio", "standardised")
    for row in records("results"):
        assert row.unit == ("1" if row.scale in plain else units[row.endpoint])


def test_the_measure_of_an_endpoint_is_one_that_is_measured_in_the_same_unit():
    known = [row for row in records("endpoints") if row.measure]
    assert known
    assert all(MEASURES[row.measure].unit == row.unit for row in known)


def test_a_trial_names_its_packaged_protocol_and_they_agree():
    packaged = {row.protocol: row for row in records("trials") if row.protocol}
    assert packaged.keys() == {*Protocol.packaged()} - {"demo"}
    for name, trial in packaged.items():
        protocol = Protocol.read(name)
        assert set(protocol.trial.registry) <= set(trial.registry)
        assert sum(arm.n for arm in protocol.arm) == trial.n


def test_all_is_read_in_less_than_a_second():
    start = time.process_time()
    for kind in KINDS:
        checked(kind, tomllib.loads((FOLDER / f"{kind}.toml").read_text("utf-8")), kind, ids)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("kind", CLAIMS)
def test_what_was_recalled_is_hidden_unless_it_is_asked_for(kind):
    every = records(kind)
    given = shown(kind)
    assert shown(kind, unverified=True) == every
    assert [row.id for row in given] == [row.id for row in every if row.status != "unverified"]
    for row in given:
        fields = type(row).model_fields
        assert all(
            getattr(row, name) == fields[name].get_default(call_default_factory=True)
            for name in row.unverified
        )
        parts = [part for name in fields if isinstance(part := getattr(row, name), tuple)]
        assert not any(getattr(item, "status", "") == "unverified" for part in parts for item in part)
    if hasattr(evidence, kind):
        assert len(getattr(evidence, kind)()) == len(given)
        assert len(getattr(evidence, kind)(unverified=True)) == len(every)


def test_fields_that_were_recalled_are_empty_in_a_table():
    trials, all_of_them = (table("trials", unverified=asked).set_index("id") for asked in (False, True))
    assert all_of_them.n["ms-on"] == 93
    assert trials.n.isna()["ms-on"]
    assert (trials.registry["ms-on"], trials.duration["macsimise-brain"]) == ("", "")
    assert "quetiapine-ms" not in trials.index
    assert trials.n.dtype == "Int64"


def test_a_record_cannot_be_altered():
    with pytest.raises(ValidationError):
        find("trials/rebuild").n = 51
    with pytest.raises(TypeError):
        find("trials/synergy").arms["placebo"] = 1


def test_find_by_id_by_kind_and_by_the_name_of_a_parameter():
    assert find("results/renew-p100-pp-w32") is find("renew-p100-pp-w32")
    assert find("LINGO1").lifts == ("lingo1",)
    assert find("lesions_per_participant").value == 32.9
    assert find("p100_change_sd-participant-trial").value == 2.4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rebuildd", "did you mean 'rebuild'"),
        ("gsk239512", "the id of 3 records, expected the id of one. Fix: use one of"),
        (
            "p100_change_sd",
            "use one of parameters/p100_change_sd-eye-routine-laboratory, parameters/",
        ),
        ("trails/rebuild", "kind is 'trails', expected a kind of record. Fix: did you mean 'trials'"),
        ("results/rebuild", "'results/rebuild', expected the id of a record"),
    ],
)
def test_an_id_that_is_not_one_is_told(name, words):
    with pytest.raises(InputError, match=re.escape(words)):
        find(name)


def test_search_finds_words_in_any_order_and_case_and_hides_what_was_recalled():
    found = [(kind, name) for kind, name, _ in search("OPICINUMAB week 32")]
    assert ("trials", "renew") not in found
    assert {name for kind, name in search_ids("ppms") if kind == "trials"} == set()
    assert ("results", "renew-p100-pp-w32") in search_ids("pp week 32")
    assert ("trials", "quetiapine-ms") not in search_ids("quetiapine")
    assert ("trials", "quetiapine-ms") in [row[:2] for row in search("quetiapine", unverified=True)]
    assert search("no such words anywhere") == []


def search_ids(words):
    return [row[:2] for row in search(words)]


GOOD = """
[sources.mine]
work = "My trial"
read = "all of it"

[trials.my-trial]
name = "MINE"
treatments = "clemastine"
n = 40
n_kind = "randomised"
status = "seen"
source = "mine"

[results.my-trial-p100]
trial = "my-trial"
endpoint = "p100_latency_ms"
contrast = "active - control"
scale = "difference"
unit = "ms"
per = "eye"
estimate = -2.0
low = -3.0
high = -1.0
level = 0.95
status = "seen"
source = "mine"
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_file_of_ones_own_may_name_its_own_records(written):
    made = read_file(written(GOOD))
    assert [row.id for row in made["results"]] == ["my-trial-p100"]
    assert made["results"][0].source == ("mine",)
    assert "my-trial" not in ids("trials")


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (
            'status = "seen"',
            'status = "sene"',
            "my-trial status",
            "is 'sene', expected one of seen, derived, unverified",
        ),
        ('source = "mine"\n\n[r', 'source = "mien"\n\n[r', "my-trial source", "did you mean 'mine'"),
        ('source = "mine"\n\n[r', "\n[r", "my-trial", "is without a source"),
        ('unit = "ms"', 'unit = "msec"', "my-trial-p100 unit", "is 'msec', an unknown unit"),
        ("high = -1.0\n", "", "my-trial-p100 high", "is missing: half an interval"),
        ("low = -3.0\n", "", "my-trial-p100 low", "is missing: half an interval"),
        (
            "estimate = -2.0",
            "estimate = -4.0",
            "my-trial-p100 estimate",
            "is -4, outside its interval -3 to -1",
        ),
        ("low = -3.0", "low = -0.5", "my-trial-p100 low", "is -0.5, above high = -1"),
        ("level = 0.95\n", "", "my-trial-p100 level", "is missing, with an interval"),
        ("low = -3.0\nhigh = -1.0\n", "", "my-trial-p100 level", "is there without an interval"),
        ("level = 0.95", "level = 95", "my-trial-p100 level", "is 95, expected 1.0 or less"),
        ("estimate = -2.0", 'estimate = "-2"', "my-trial-p100 estimate", "is '-2', expected a number"),
        ("estimate = -2.0", "estimate = nan", "my-trial-p100 estimate", "expected a finite number"),
        ('scale = "difference"\n', "", "my-trial-p100 scale", "is missing, with an estimate"),
        (
            '"difference"',
            '"diff"',
            "my-trial-p100 scale",
            "is 'diff', expected one of difference, odds ratio, rate ratio, risk ratio, standardised, or",
        ),
        ('contrast = "active - control"\n', "", "my-trial-p100 contrast", "is 'none', with an estimate"),
        ('"active - control"', '"none"', "my-trial-p100 contrast", "is 'none', with an estimate"),
        (
            '"difference"',
            '"odds ratio"',
            "my-trial-p100 estimate",
            "is -2, as an odds ratio, expected a number above 0",
        ),
        ("estimate = -2.0", "p = 0", "my-trial-p100 p", "is 0, expected a number above 0"),
        ("estimate = -2.0", "p_low = 0\np_high = 0.01", "my-trial-p100 p_low", "p is never 0"),
        ('unit = "ms"', 'unit = "s"', "my-trial-p100 unit", "is 's', expected 'ms', that of p100_latency_ms"),
        (
            'scale = "difference"\nunit = "ms"',
            'scale = "standardised"\nunit = "ms"',
            "my-trial-p100 unit",
            "expected '1': standardised has no unit",
        ),
        ('per = "eye"', 'per = "eyes"', "my-trial-p100 per", "did you mean 'eye'"),
        ("n = 40", "n = 40.5", "my-trial n", "is 40.5, expected a whole number"),
        ("n = 40", "n = -4", "my-trial n", "expected 0 or more"),
        (
            "n = 40",
            "nn = 40",
            "my-trial nn",
            "unknown key 'nn', expected a key of this table",
        ),
        ("n = 40", 'unverified = ["nn"]', "my-trial", "is 'nn' among unverified"),
        ("n = 40", 'unverified = ["name"]', "my-trial", "is 'name' among unverified"),
        ('name = "MINE"\n', "", "my-trial name", "is missing"),
        ('"clemastine"', '"clemastin"', "my-trial treatments", "did you mean 'clemastine'"),
        ('"p100_latency_ms"', '"p100_latency"', "my-trial-p100 endpoint", "did you mean 'p100_latency_ms'"),
        ('trial = "my-trial"', 'trial = "my-trail"', "my-trial-p100 trial", "did you mean 'my-trial'"),
        ("[trials.my-trial]", "[trials.rebuild]", "trials.rebuild", "is an id of the package"),
        ("[trials.my-trial]", "[trails.my-trial]", "trails", "is no kind of record"),
        ("[trials.my-trial]", '[trials."my trial"]', "my trial id", "expected letters, digits"),
        ("[sources.mine]", "[sources]\nmine = 3\n[sources.other]", "mine", "is 3, expected a table"),
        ("[trials.my-trial]", "[[trials]]", "trials", "is a list, expected tables [trials.id]"),
        (
            "[sources.mine]",
            "standards = 3\n[sources.mine]",
            "standards",
            "is 3, expected tables [standards.id]",
        ),
    ],
)
def test_a_fault_of_a_file_is_told_by_file_field_found_and_expected(old, new, field, words, written):
    assert old in GOOD
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        read_file(written(GOOD.replace(old, new, 1)))
    assert (caught.value.file, caught.value.field) == ("mine.toml", field)
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.fix


@pytest.mark.parametrize(
    ("scale", "low", "high"), [("odds ratio", -1, 3), ("rate ratio", 0, 3), ("risk ratio", 0, 3)]
)
def test_the_ends_of_a_ratio_are_above_zero(scale, low, high, written):
    text = GOOD.replace('"difference"', f'"{scale}"').replace('"ms"', '"1"').replace("-2.0", "2.0")
    with pytest.raises(
        InputError, match=f"my-trial-p100 low is {low}, as an? {scale}, expected a number above 0"
    ):
        read_file(
            written(text.replace("low = -3.0", f"low = {low}").replace("high = -1.0", f"high = {high}"))
        )


PARAMETER = """
name = "p100_change_sd"
of = "participant"
setting = "my hospital"
value = 2.9
unit = "ms"
status = "seen"
source = "mine"
"""


@pytest.mark.parametrize("head", ["[[parameter]]", "[parameters.my-sd]"])
def test_a_parameter_of_ones_own_in_either_form(head, written):
    (made,) = read_file(written(GOOD + head + PARAMETER))["parameters"]
    assert (made.value, dict(made.qualifiers)) == (2.9, {"of": "participant", "setting": "my hospital"})
    assert made.id == ("my-sd" if "my-sd" in head else "p100_change_sd-participant-my-hospital")


def test_a_parameter_that_the_package_has_is_told(written):
    with pytest.raises(InputError, match="p100_change_sd-participant-trial is an id of the package"):
        read_file(written(GOOD + "[[parameter]]" + PARAMETER.replace("my hospital", "trial")))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "\n[trials.my-trial]\n",
            "line 28 is not TOML (a second table [trials.my-trial]), expected each table once",
        ),
        ("per = 3\n", "is not TOML (a key that its table has already), expected each key once"),
    ],
)
def test_what_stands_twice_is_told_with_its_line(more, words, written):
    with pytest.raises(InputError, match=re.escape(words)):
        read_file(written(GOOD + more))


def test_what_is_no_file_is_not_to_be_removed(tmp_path):
    with pytest.raises(
        InputError, match=r"is a folder, expected a regular file\. Fix: give the path of a file"
    ):
        read_file(tmp_path)


def test_half_a_range_of_p_is_refused(written):
    for more in ("p_low = 0.1", "p = 0.1\np_low = 0.1\np_high = 0.2"):
        with pytest.raises(InputError, match="half a range of p, or p beside one"):
            read_file(written(GOOD + more))


def test_the_values_of_a_conflict_must_resolve(written):
    conflict = """
[conflicts.mine]
words = "two values"
kind = "values"
status = "seen"
source = "reb2"
siblings = [{ record = "RECORD", field = "n", value = 50, status = "seen", source = "reb2" }]
"""
    assert read_file(written(conflict.replace("RECORD", "trials/rebuild")))
    for name, words in (("trials/rebuildd", "did you mean 'rebuild'"), ("rebuild", "kind/id of a record")):
        with pytest.raises(InputError, match=words):
            read_file(written(conflict.replace("RECORD", name)))


def test_what_is_shown_names_nothing_that_is_hidden():
    visible = {kind: {row.id for row in shown(kind)} for kind in KINDS}
    for kind in KINDS:
        for row in shown(kind):
            for field, kinds, name in row.references():
                of, _, wanted = name.rpartition("/")
                there = [visible[one] for one in (of or kinds).split(" or ")]
                assert any(wanted in each for each in there), (kind, row.id, field, name)
