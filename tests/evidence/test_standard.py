"""The standard as a table: sound rows, honest status, and a user's own table."""

from __future__ import annotations

import pytest

from remyelin.errors import InputError
from remyelin.evidence import read_requirements, requirements, source

ROW = {"id": "a", "area": "stimulus", "words": "w", "looks_at": "field_deg", "unit": "deg"}
ROW |= {"source": "odom2016", "status": "seen", "where": "p"}


def test_what_was_recalled_is_not_called_seen():
    for row in requirements():
        assert (row.status == "unverified") == source(row.source).read.startswith("not read")
    assert {row.status for row in requirements()} == {"seen", "unverified"}


@pytest.mark.parametrize("row", requirements(), ids=lambda row: row.id)
def test_a_requirement_can_be_met_and_broken_or_says_that_it_cannot_be_seen(row):
    assert row.expected
    if not row.looks_at:
        assert row.note
        return
    good = row.one_of[0] if row.one_of else row.low if row.low is not None else row.high
    assert row.allows(good)
    bad = "Cz" if row.one_of and isinstance(row.one_of[0], str) else 0.0 if row.low or row.one_of else 1e6
    assert not row.allows(bad)


def toml(**changes: object) -> str:
    row = {**ROW, **changes}
    lines = [f"{key} = {value!r}" for key, value in row.items() if value is not None]
    return "[[requirement]]\n" + "\n".join(lines) + "\n"


def test_a_table_of_your_own_is_read(tmp_path):
    (tmp_path / "own.toml").write_text(toml(low=20, status="seen"))
    (row,) = read_requirements(tmp_path / "own.toml")
    assert (row.low, row.expected) == (20.0, "20 deg or more")
    assert not row.allows(15.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = 'x'\n", "tables"),
        (toml(area="display"), "one of stimulus"),
        (toml(status="sure"), "one of seen"),
        (toml(source="odom"), "id of a source"),
        (toml(where=None), "without where"),
        (toml(lower=3), "did you mean 'low'"),
        (toml(low="3"), "a number"),
        (toml() + toml(), "twice there"),
    ],
)
def test_a_table_that_is_not_sound_is_refused(tmp_path, text, words):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_requirements(tmp_path / "own.toml")
