"""Errors: five facts, one line, and they survive the way back from a worker process."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import FIELDS, Flag, InputError, RefuseRun, RemyelinError, did_you_mean

FACTS = ("sub-03_mt-on_MTR.json", "MTState", "false", "true in an mt-on file", "exchange the two names")


@pytest.mark.parametrize("kind", [InputError, RefuseRun])
def test_an_error_is_one_line_with_all_five_facts(kind):
    text = str(kind(*FACTS))
    assert all(fact in text for fact in FACTS)
    assert "\n" not in text
    assert kind(*FACTS).facts() == dict(zip(FIELDS, FACTS, strict=True))


@pytest.mark.parametrize("kind", [InputError, RefuseRun])
def test_an_error_survives_pickling(kind):
    back = pickle.loads(pickle.dumps(kind(*FACTS)))
    assert type(back) is kind
    assert back.facts() == kind(*FACTS).facts()


def test_one_item_and_a_whole_run_are_told_apart():
    assert not issubclass(InputError, RefuseRun)
    assert not issubclass(RefuseRun, InputError)
    assert issubclass(InputError, RemyelinError)
    assert issubclass(RefuseRun, RemyelinError)


def test_an_argument_has_no_file_in_front():
    assert str(InputError("", "alpha", "5", "between 0 and 1", "write 0.05")).startswith("alpha is 5,")


def test_a_question_does_not_end_with_a_full_stop():
    assert str(InputError("p.toml", "powr", "unknown", "a key", "did you mean 'power'?")).endswith("'power'?")


def test_a_flag_travels_with_its_quality():
    flag = Flag(*FACTS, quality="fail")
    assert flag.facts() == {**dict(zip(FIELDS, FACTS, strict=True)), "quality": "fail"}
    assert str(flag) == str(InputError(*FACTS))
    assert pickle.loads(pickle.dumps(flag)) == flag


@pytest.mark.parametrize(
    ("word", "options", "fix"),
    [
        ("powr", ["power", "seed"], "did you mean 'power'?"),
        ("sub-2", ["sub-12", "sub-20", "sub-02"], "did you mean 'sub-02'?"),
        ("SUB-02", ["sub-02"], "did you mean 'sub-02'?"),
        ("p100_latency", ["p100_amplitude_uv", "p100_latency_ms"], "did you mean 'p100_latency_ms'?"),
        ("zzz", ["power", "seed"], "use one of power, seed"),
        ("zzz", [], "take it out"),
    ],
)
def test_the_fix_names_the_nearest_option(word, options, fix):
    assert did_you_mean(word, options) == fix


def test_many_options_are_not_all_listed():
    assert did_you_mean("zzz", [f"sub-{i:02d}" for i in range(1, 41)]).endswith("sub-12 and 28 more")


@given(st.text(), st.lists(st.text(), max_size=5))
def test_any_word_gets_a_fix(word, options):
    assert did_you_mean(word, options)


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_an_option_itself_or_its_lower_case_twin_is_suggested(options, data):
    word = data.draw(st.sampled_from(options))
    suggested = did_you_mean(word, options).removeprefix("did you mean '").removesuffix("'?")
    assert suggested in options
