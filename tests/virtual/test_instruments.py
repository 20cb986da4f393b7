"""What instruments read: errors of the size that was asked for, absent responses, failed scans."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.protocol import Protocol
from remyelin.virtual.cohort import draw_cohort
from remyelin.virtual.instruments import ABSENT, INDETERMINATE, Readings, asked
from remyelin.virtual.premises import Premises
from remyelin.virtual.response import Response


def read(name: str, n: int = 20, lab: str = "trial", **given: float) -> dict[str, Readings]:
    cohort = draw_cohort(
        Protocol.read(name), n, rng=np.random.default_rng(1), response=Response.constant(),
        premises=Premises.read(lab, **given),
    )  # fmt: skip
    return {each.measure: each for each in cohort.readings}


@pytest.mark.parametrize(("lab", "sd"), [("trial", 2.4), ("rebuild", 4.33), ("routine", 12.4)])
def test_the_change_has_the_sd_of_the_laboratory(lab: str, sd: float) -> None:
    value = read("ccmr-two", 100, lab, true_part=0.0, unusable_part=0.0)["p100_latency_ms"].usable
    change = value[..., 1] - value[..., 0]
    change = change if lab == "routine" else change.mean(axis=2)
    assert np.nanstd(change) == pytest.approx(sd, rel=0.03)


def test_eyes_of_a_person_are_as_alike_as_assumed() -> None:
    value = read("ccmr-two", 100, eyes_alike=0.8, unusable_part=0.0)["p100_latency_ms"].usable
    change = (value[..., 1] - value[..., 0]).reshape(-1, 2)
    change = change[np.isfinite(change).all(axis=1)]
    assert np.corrcoef(change.T)[0, 1] == pytest.approx(0.8, abs=0.03)


def test_a_standard_error_is_that_of_its_own_value() -> None:
    # Without what both eyes share, the error of a recording is what its standard error says.
    found = read("ccmr-two", 100, eyes_alike=0.0, true_part=0.0)["p100_latency_ms"]
    z = (found.usable[..., 1] - found.usable[..., 0]) / np.hypot(found.se[..., 1], found.se[..., 0])
    assert np.nanstd(z) == pytest.approx(1.0, abs=0.02)
    assert np.nanstd(np.log(found.se)) == pytest.approx(0.3, abs=0.01)


def test_absent_and_unusable_recordings_are_told_apart() -> None:
    cohort = draw_cohort(
        Protocol.read("ccmr-two"), 100, rng=np.random.default_rng(1), response=Response.constant(),
        premises=Premises.read("trial", absent_part=0.3),
    )  # fmt: skip
    found, eyes = cohort.readings[0], cohort.patients.eyes
    assert eyes is not None
    assert ((found.state == ABSENT) == ~eyes.responds).all()
    assert 0.1 < (~eyes.responds).mean() < 0.3
    unusable = (found.state == INDETERMINATE)[eyes.responds]
    assert unusable.mean() == pytest.approx(0.05, abs=0.01)
    assert np.isnan(found.value[found.state != 0]).all()


def test_a_shift_needs_both_recordings_and_errs_less_than_a_difference() -> None:
    found = read("ccmr-two", 100, true_part=0.0)
    latency, shift = found["p100_latency_ms"].usable, found["vep_shift_ms"].usable
    assert not found["vep_shift_ms"].listed[..., 0].any()
    assert (np.isfinite(shift[..., 1]) <= np.isfinite(latency).all(axis=3)).all()
    ratio = np.nanstd(shift[..., 1]) / np.nanstd(latency[..., 1] - latency[..., 0])
    assert ratio == pytest.approx(0.56, abs=0.01)


def test_the_fellow_eye_at_baseline_is_what_the_affected_one_is_compared_with() -> None:
    found = read("renew", 20)
    assert set(found) == {"p100_fellow_difference_ms"}
    difference = found["p100_fellow_difference_ms"]
    assert (difference.listed[..., 0].sum(axis=2) == 1).all()
    assert np.nanmean(difference.usable[..., 1]) == pytest.approx(20.8, abs=1.5)


def test_small_lesions_err_more() -> None:
    found = read("ccmr-one", 4, participant_change_sd_pu=0.0, lesion_change_sd_pu=0.0)["mtr_pu"]
    change = found.usable[..., 1] - found.usable[..., 0]
    z = change / np.hypot(found.se[..., 1], found.se[..., 0])
    assert np.nanstd(z) == pytest.approx(1.0, abs=0.03)
    assert np.nanmax(found.se) > 5 * np.nanmin(found.se)


def test_failed_scans_have_a_value_that_is_not_used() -> None:
    found = read("ccmr-one", 4, failed_part=0.2)["mtr_pu"]
    assert np.isfinite(found.value[found.failed]).all()
    assert np.isnan(found.usable[found.failed]).all()
    share = found.failed.any(axis=2).sum() / found.listed.any(axis=2).sum()
    assert share == pytest.approx(0.2, abs=0.05)


def test_scales_have_their_steps_and_limits() -> None:
    edss = read("synergy", 1)["edss"].usable
    assert np.nanmin(edss) >= 0
    assert (2 * edss[np.isfinite(edss)] == np.rint(2 * edss[np.isfinite(edss)])).all()
    letters = read("visionary-ms", 1)["lcla_letters"].usable
    assert np.nanmax(letters) <= 60


@pytest.mark.parametrize(("update", "words"), [
    ({"measure": "n75_latency_ms"}, "n75_latency_ms, which virtual patients have not, expected one of"),
    ({"measure": "mtr_pu", "site": "tissue:nawm"}, "tissue:nawm, expected lesion, for virtual mtr_pu"),
])  # fmt: skip
def test_a_measure_that_patients_have_not_is_refused(update: dict[str, str], words: str) -> None:
    protocol = Protocol.read("ccmr-two")
    other = protocol.model_copy(update={"endpoint": (protocol.primary.model_copy(update=update),)})
    with pytest.raises(InputError, match=words):
        asked(other)


def test_two_conditions_of_one_measure_are_refused() -> None:
    protocol = Protocol.read("ccmr-two")
    other = protocol.primary.model_copy(update={"id": "small", "condition": "check=15;reader=auto"})
    with pytest.raises(InputError, match="endpoint 'small' condition is 'check=15;reader=auto' beside"):
        asked(protocol.model_copy(update={"endpoint": (protocol.primary, other)}))
