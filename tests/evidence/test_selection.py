"""Rows chosen for pooling in Python: what is no name, no field and no list is told."""

from __future__ import annotations

import pytest

from remyelin.errors import InputError
from remyelin.evidence import parameter, select, source


def test_one_name_stands_for_a_list_of_it() -> None:
    found = select("p100_latency_ms", results="ccmr-two-p100")
    assert found == select("p100_latency_ms", results=["ccmr-two-p100"])
    assert [study.label for study in found.studies] == ["CCMR-Two"]
    assert select("p100_latency_ms", trials="ccmr-two").studies == found.studies


def test_rows_are_chosen_by_subgroup() -> None:
    found = select("p100_latency_ms", trials=["ccmr-one", "ccmr-two"], only={"subgroup": ""}, anyway=True)
    assert [study.result.id for study in found.studies] == ["ccmr-one-p100-followup", "ccmr-two-p100"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parameter(3), "name is 3, expected the name of a parameter"),
        (lambda: source(3), "name is 3, expected the id of a source"),
        (lambda: select(3), "endpoint is '3', unknown"),
        (lambda: select("p100_latency_ms", results=[3]), "results is 3, expected one that has results of"),
        (lambda: select("p100_latency_ms", results="ccmr-two"), "results is 'ccmr-two', expected"),
        (lambda: select("p100_latency_ms", only={"estimnd": "x"}), "did you mean 'estimand'?"),
        (lambda: select("p100_latency_ms", only={"low": "x"}), "only is 'low', expected a field"),
    ],
)
def test_what_cannot_be_meant_is_told(call, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)
