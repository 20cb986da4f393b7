"""Results: what an effect must be to stand in the table."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.tables import Results

ROW = {
    "endpoint": "submedian-lesion-mtr",
    "contrast": "drug - placebo",
    "estimate": 0.5,
    "se": 0.25,
    "df": 46.0,
    "statistic": 2.0,
    "p": 0.051,
    "ci_low": -0.003,
    "ci_high": 1.003,
    "unit": "pu",
    "n_participants": 49,
    "n_sites": 806,
    "analysis_set": "completers",
    "estimator": "ancova",
    "prespecified": True,
}
SUFFIXES = (".tsv", ".parquet")
words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() != "n/a"
)
finite = st.floats(-1e6, 1e6)


@st.composite
def rows(draw):
    low, estimate, high = sorted(draw(st.tuples(finite, finite, finite)))
    missing = draw(st.booleans())
    return {
        **{name: draw(words) for name in ("endpoint", "contrast", "unit", "analysis_set", "estimator")},
        "estimate": estimate,
        "se": None if missing else draw(st.floats(0, 1e6)),
        "df": draw(st.none() | st.just(math.inf) | st.floats(0.1, 1e6)),
        "statistic": None if missing else draw(finite),
        "p": draw(st.none() | st.floats(0, 1)),
        "ci_low": None if missing else low,
        "ci_high": None if missing else high,
        "n_participants": draw(st.integers(0, 2**40)),
        "n_sites": draw(st.integers(0, 2**40)),
        "prespecified": draw(st.booleans()),
    }


KEY = ("endpoint", "contrast", "analysis_set", "estimator")
tables = st.lists(rows(), max_size=6, unique_by=lambda row: tuple(row[name] for name in KEY))


@settings(max_examples=20, deadline=None)
@given(table=tables, random=st.randoms(use_true_random=False))
def test_what_is_written_is_read_back_whatever_the_order(table, random, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    results = Results.from_rows(table)
    shuffled = Results.from_rows(random.sample(table, len(table)))
    for suffix in SUFFIXES:
        results.write(folder / f"one{suffix}")
        shuffled.write(folder / f"two{suffix}")
        back = Results.read(folder / f"one{suffix}")
        assert back == results
        assert back.frame.dtypes.equals(results.frame.dtypes)
        assert (folder / f"one{suffix}").read_bytes() == (folder / f"two{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"p": 1.2}, ("column p", "outside 0 to 1")),
        ({"p": -0.1}, ("column p", "outside 0 to 1")),
        ({"se": -1}, ("column se", "negative")),
        ({"df": 0}, ("column df", "not positive")),
        ({"estimate": math.inf}, ("column estimate", "infinite")),
        ({"ci_low": 0.6}, ("column ci_low", "beside its estimate")),
        ({"ci_high": 0.4}, ("column ci_low", "beside its estimate")),
        ({"n_participants": -1}, ("column n_participants", "not a count")),
        ({"n_sites": 0.5}, ("column n_sites", "not a count")),
        ({"n_sites": None}, ("column n_sites", "not a count")),
        ({"n_sites": math.inf}, ("column n_sites", "not a count")),
        ({"n_sites": 1e30}, ("column n_sites", "not a count")),
        ({"prespecified": "yes"}, ("column prespecified", "true or false")),
        ({"prespecified": 1}, ("column prespecified", "true or false")),
        ({"prespecified": None}, ("column prespecified", "true or false")),
        ({"endpoint": ""}, ("column endpoint", "empty")),
        ({"unit": None}, ("column unit", "empty")),
        ({"pvalue": 0.1}, ("columns", "'pvalue'")),
    ],
    ids=str,
)
def test_an_effect_that_cannot_be_is_told_by_column(changes, words):
    with pytest.raises(InputError) as caught:
        Results.from_rows([{**ROW, **changes}])
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize("name", sorted(ROW))
def test_no_column_may_be_left_out(name):
    with pytest.raises(InputError, match=f"without '{name}'"):
        Results.from_rows([{key: value for key, value in ROW.items() if key != name}])


def test_the_same_contrast_twice_is_refused():
    with pytest.raises(InputError, match="row 2 is a duplicate of row 1"):
        Results.from_rows([ROW, {**ROW, "estimate": 0.6}])


def test_what_was_prespecified_comes_first():
    post_hoc = {**ROW, "endpoint": "a-first-in-the-alphabet", "prespecified": False}
    assert Results.from_rows([post_hoc, ROW]).frame["prespecified"].tolist() == [True, False]


def test_results_say_themselves_in_words():
    text = str(Results.from_rows([ROW, {**ROW, "endpoint": "z", "p": 0.0, "prespecified": False}]))
    first, second = text.splitlines()
    assert first == (
        "submedian-lesion-mtr, drug - placebo: +0.5 pu (CI -0.003 to +1), p 0.051; "
        "49 participants, 806 sites; ancova, completers, prespecified"
    )
    assert "p < 0.0001" in second
    assert second.endswith("post hoc")


def test_results_survive_pickling_and_show_themselves():
    results = Results.from_rows([ROW])
    assert pickle.loads(pickle.dumps(results)) == results
    assert "submedian-lesion-mtr" in results._repr_html_()
    assert repr(results) == "Results(1 contrasts: submedian-lesion-mtr)"
    assert len(Results.from_rows([])) == 0
    frame = results.frame
    frame.loc[0, "p"] = 0.5
    assert results == Results.from_rows([ROW])


def test_an_estimate_without_an_interval_says_so():
    text = str(Results.from_rows([ROW | {"ci_low": None, "ci_high": None}]))
    assert "+0.5 pu (no interval), p 0.051" in text
    assert "nan" not in text


def test_endpoints_are_told_in_the_order_asked_for_with_their_siblings():
    names = ("a", "b", "b (weighted)", "c")
    results = Results.from_rows([ROW | {"endpoint": name, "prespecified": "(" not in name} for name in names])
    told = [line.partition(",")[0] for line in results.told(["b", "a"]).splitlines()]
    assert told == ["b", "b (weighted)", "a", "c"]
    assert [line.partition(",")[0] for line in str(results).splitlines()] == ["a", "b", "c", "b (weighted)"]
