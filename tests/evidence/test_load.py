"""The evidence base: every number has a source, and none that was not read is given unasked."""

from __future__ import annotations

import math
import re

import pytest

from remyelin.errors import InputError
from remyelin.evidence import check_treatments, parameter, source, tried_treatments
from remyelin.evidence.checked import checked
from remyelin.evidence.claim import STATUSES
from remyelin.evidence.load import ids, parameter_rows, records
from remyelin.protocol import Protocol

ALL = parameter_rows()
DOI = re.compile(r"10\.\d{4,9}/\S+")


@pytest.mark.parametrize("row", ALL, ids=str)
def test_every_row_has_a_source_that_resolves(row):
    (name,) = row.source
    found = source(name)
    assert found.work
    assert found.read
    assert DOI.fullmatch(found.doi) or re.fullmatch(r"https://[^\s/]+\.[a-z]+/\S*", found.url)


@pytest.mark.parametrize("row", ALL, ids=str)
def test_every_row_has_a_unit_a_status_and_a_sound_interval(row):
    assert row.unit
    assert row.status in STATUSES
    assert math.isfinite(row.value)
    if row.low is not None:
        assert row.low <= row.value <= row.high
        assert row.note, "the note names the kind of interval"
    if row.status == "derived":
        said = row.formula + row.note
        assert re.search(r"\d", said), "the formula or the note says how the value was computed"


@pytest.mark.parametrize("row", ALL, ids=str)
def test_a_row_is_found_by_its_qualifiers_and_an_unverified_one_only_when_asked_for(row):
    if row.status == "unverified":
        with pytest.raises(InputError, match="unverified"):
            parameter(row.name, **row.qualifiers)
        assert parameter(row.name, allow_unverified=True, **row.qualifiers) == row
    else:
        assert parameter(row.name, **row.qualifiers) == row


def test_what_was_not_read_is_never_verified():
    unread = {row.id for row in records("sources") if row.read.startswith("not read")}
    assert unread
    assert all(row.status == "unverified" for row in ALL if unread & set(row.source))


def test_derived_numbers_are_what_their_notes_compute():
    from scipy import stats

    routine = 6.155 / stats.t.ppf(0.975, 17) * math.sqrt(18)
    assert parameter("p100_change_sd", of="eye").value == pytest.approx(routine, abs=0.05)
    trial = 1.15 / 1.96 / math.sqrt(1 / 33 + 1 / 34)
    assert parameter("p100_change_sd", of="participant").value == pytest.approx(trial, abs=0.05)
    contrast = 1.2 / 1.96 * math.sqrt(50)
    assert parameter("p100_treatment_contrast_sd").value == pytest.approx(contrast, abs=0.01)
    assert parameter("lesions_per_participant").value == pytest.approx(1613 / 49, abs=0.05)


ROW = {"name": "a", "value": 1.5, "unit": "ms", "source": "reb2", "status": "seen"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{**ROW, "status": "guessed"}], "status is 'guessed', expected one of seen, derived, unverified"),
        ([{**ROW, "unit": ""}], "unit is '', an unknown unit"),
        ([{**ROW, "unit": "msec"}], "did you mean 'ms'"),
        ([{**ROW, "value": math.nan}], "value is nan, expected a finite number"),
        ([{**ROW, "value": "94"}], "value is '94', expected a number"),
        ([{**ROW, "low": 2, "high": 3}], "a value is 1.5, outside its interval 2 to 3"),
        ([{**ROW, "low": 0}], "a high is missing: half an interval"),
        ([{**ROW, "source": "reb22"}], "did you mean 'reb2'"),
        ([{**ROW, "source": []}], "is without a source"),
        (
            [{**ROW, "sexx": "male"}],
            "unknown key 'sexx', expected a field or a qualifier",
        ),
        (
            [{**ROW, "sex": "male"}, {**ROW, "sex": "male", "value": 2}],
            "parameter[2] a is a second record of parameters with the id 'a-male'",
        ),
        ([{key: ROW[key] for key in ROW if key != "unit"}], "unit is missing"),
        (["a"], "parameter[1] is 'a', expected a table"),
    ],
)
def test_a_data_file_that_is_not_sound_is_refused(rows, words):
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        checked("parameters", {"parameter": rows}, "evidence/parameters.toml", ids)
    assert caught.value.file == "evidence/parameters.toml"


def test_an_ambiguous_question_lists_the_answers():
    with pytest.raises(InputError) as caught:
        parameter("white_matter_mtr")
    assert "ambiguous: 2 rows" in caught.value.found
    assert "people='healthy'" in caught.value.fix
    assert "people='ms'" in caught.value.fix


def test_an_unknown_name_and_an_unknown_qualifier_are_told_apart():
    with pytest.raises(InputError, match="did you mean 'white_matter_mtr'"):
        parameter("white_mater_mtr")
    with pytest.raises(InputError, match=r"not known for people='mice'.*people='healthy'"):
        parameter("white_matter_mtr", people="mice")
    with pytest.raises(InputError, match="did you mean 'loevner1995'"):
        source("loevner")


def test_an_unverified_row_does_not_make_a_verified_one_ambiguous():
    assert parameter("lesion_mtr").qualifiers["tissue"] == "black-hole"
    with pytest.raises(InputError, match="ambiguous: 3 rows"):
        parameter("lesion_mtr", allow_unverified=True)


def test_a_parameter_says_itself():
    assert str(parameter("lesion_mtr", tissue="black-hole")) == (
        "lesion_mtr(tissue='black-hole', field_t=1.5): 22 pu (13 to 35), seen, riva2009"
    )


def test_qualifiers_cannot_be_altered():
    with pytest.raises(TypeError):
        ALL[0].qualifiers["people"] = "mice"


@pytest.mark.parametrize("name", Protocol.packaged())
def test_the_treatments_of_packaged_protocols_are_known(name):
    assert check_treatments(Protocol.read(name)) == []
    treatments = {"bexarotene", "clemastine", "cnm-au8", "gsk239512", "metformin", "opicinumab", "virtual"}
    assert set(tried_treatments()) == treatments


def test_an_unknown_treatment_is_flagged_and_a_misspelt_one_corrected():
    protocol = Protocol.read("ccmr-one")
    arms = [
        {"id": "a", "n": 3, "treatment": "clemastin + metformin"},
        {"id": "b", "n": 3, "treatment": "xyz-42"},
        {"id": "c", "n": 3},
    ]
    tables = protocol.model_dump(exclude_none=True) | {"arm": tuple(arms)}
    misspelt, new = check_treatments(Protocol.from_tables(tables), "p.toml")
    assert misspelt.fix == "did you mean 'clemastine'?"
    assert new.fix == "nothing, if it is a new treatment"
    assert "arm 'b'" in str(new)
    assert misspelt.quality == "flag"
