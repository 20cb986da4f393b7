"""What virtual patients are drawn from: every number with a source, or named as assumed."""

from __future__ import annotations

import pytest

from remyelin.errors import InputError
from remyelin.evidence.load import source
from remyelin.virtual.premises import NOBODY, Premises, trial_facts

LABORATORIES = ("trial", "rebuild", "routine")


def test_every_number_has_a_source_or_is_unverified() -> None:
    for row in Premises.read("trial").rows.values():
        assert row.unit
        assert row.note
        if row.source == NOBODY:
            assert row.status == "unverified", row.name
        else:
            assert source(row.source).read, row.name


def test_unverified_numbers_say_how_far_they_may_be_off() -> None:
    known = {"demyelinated_mtr_sd_pu", "remyelinated_mtr_sd_pu"}  # spreads whose source has only itself
    for row in Premises.read("trial").unverified:
        if row.name not in known:
            assert row.low is not None, row.name
            assert row.low <= row.value <= row.high, row.name


@pytest.mark.parametrize(("name", "sd", "of"), [
    ("trial", 2.4, "participant"), ("rebuild", 4.33, "participant"), ("routine", 12.4, "eye"),
])  # fmt: skip
def test_laboratories_say_whose_change_their_sd_is(name: str, sd: float, of: str) -> None:
    premises = Premises.read(name)
    assert (premises["p100_change_sd_ms"], premises.change_of) == (sd, of)


def test_no_laboratory_is_a_default() -> None:
    premises = Premises.read()
    with pytest.raises(InputError, match=r"laboratory is not chosen, expected trial: .* of one participant"):
        premises["p100_change_sd_ms"]
    with pytest.raises(InputError, match="choose one"):
        _ = premises.change_of
    with pytest.raises(InputError, match="laboratory is not chosen"):
        Premises.read(p100_change_sd_ms=3.0)


@pytest.mark.parametrize(("given", "words"), [
    ({"dropot": 0.1}, "dropot is unknown.*did you mean 'dropout'"),
    ({"dropout": 1.2}, "dropout is 1.2, expected a finite number, 0 to 0.9"),
    ({"adherence": float("nan")}, "adherence"),
    ({"lesion_thermal_pu": -1}, "lesion_thermal_pu is -1, expected a finite number, 0 to 60"),
])  # fmt: skip
def test_values_that_cannot_be_are_refused(given: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Premises.read("trial", **given)


def test_an_unknown_laboratory_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"laboratory is 'trail'.*one of trial, rebuild, routine.*did you mean 'trial'"
    ):
        Premises.read("trail")


def test_a_given_value_is_no_longer_assumed() -> None:
    assert "adherence" not in [row.name for row in Premises.read("trial", adherence=0.8).unverified]
    assert "adherence" in str(Premises.read("trial"))


def test_trials_have_their_own_limits() -> None:
    assert trial_facts("ccmr-two")["age_high_years"] == 50
    assert trial_facts("somebody-elses") == {}


@pytest.mark.parametrize(("given", "words"), [
    ({"dropout": 1}, "expected a finite number, 0 to 0.9. Fix: correct it; by default it is 0.076"),
    ({"age_mean_years": 5}, "age_mean_years is 5, expected a finite number, 16 to 70"),
    ({"p100_change_sd_ms": 1e6}, r"p100_change_sd_ms is 1e\+06, expected a finite number, 0 to 60"),
    ({"age_low_years": 60}, "age_low_years is 60, expected less than age_high_years, 59"),
    ({"age_low_years": 58, "age_sd_years": 2}, "age_mean_years is 38.7, expected a finite number, 52 to 65"),
    ({"zzz": 1}, "use one of absent_part, .*, white_matter_volume_mm3"),
])  # fmt: skip
def test_values_that_no_people_have_are_refused(given: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Premises.read("trial", **given)


def test_every_premise_can_be_given_its_own_range() -> None:
    premises = Premises.read("trial")
    for row in premises.rows.values():
        for value in (row.value, row.low, row.high):
            if value is not None:
                assert premises.changed(**{row.name: value})[row.name] == value


def test_a_given_value_does_not_keep_its_source() -> None:
    row = Premises.read("trial", p100_change_sd_ms=3).rows["p100_change_sd_ms"]
    assert str(row) == "p100_change_sd_ms = 3 ms, given: in place of 2.4"
    assert (row.source, row.low, row.high) == ("", None, None)
