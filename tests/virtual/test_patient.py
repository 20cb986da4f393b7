"""Virtual patients: who may enter, when they come, what is true of their eyes and lesions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Protocol
from remyelin.virtual.eyes import EyeErrors
from remyelin.virtual.patient import Patients, draw_patients
from remyelin.virtual.premises import Premises
from remyelin.virtual.response import Response

NONE = Response.constant()


def drawn(
    name: str = "ccmr-two",
    n: int = 20,
    seed: int = 1,
    response: Any = NONE,
    lab: str = "trial",
    **given: float,
) -> Patients:
    protocol = Protocol.read(name)
    premises = Premises.read(lab, **given)
    return draw_patients(protocol, n, rng=np.random.default_rng(seed), response=response, premises=premises)


def changed(name: str, **tables: Any) -> Protocol:
    return Protocol.read(name).model_copy(update=tables)


def test_arms_have_their_size_in_every_trial_and_another_order() -> None:
    arms = drawn().people.arm
    assert (np.sort(arms, axis=1) == np.repeat([0, 1], [34, 36])).all()
    assert len({tuple(row) for row in arms.tolist()}) == len(arms)


def test_ages_keep_the_limits_of_the_trial() -> None:
    ages = drawn(n=100).people.age_years
    assert 25 <= ages.min() < 26
    assert 49 < ages.max() <= 50


def test_nobody_has_the_disease_before_the_age_of_16() -> None:
    people = drawn(n=100).people
    assert (people.duration_years <= people.age_years - 16 + 1e-9).all()
    assert (people.duration_years >= 0).all()


def test_visits_keep_their_windows_and_begin_on_day_0() -> None:
    day = drawn("demo").people.day
    assert (day[..., 0] == 0).all()
    assert (day[..., 1] == np.rint(day[..., 1])).all()
    assert 168 <= day[..., 1].min() < 172
    assert 192 < day[..., 1].max() <= 196


def test_those_who_leave_come_no_more() -> None:
    people = drawn("rebuild", n=200, dropout=0.3).people
    late = people.day > people.left_day[..., None]
    assert not (people.attends & late).any()
    assert np.isfinite(people.left_day).mean() == pytest.approx(0.3, abs=0.02)
    assert people.attends[..., 0].all()


def test_everyone_is_eligible_by_an_eye() -> None:
    # Without error the recording that made somebody eligible is the truth.
    eyes = drawn(true_part=1.0, n=50).eyes
    assert eyes is not None
    late = eyes.latency_ms[..., 0] >= 118
    assert (late & eyes.responds[..., 0]).any(axis=2).all()
    assert not late.all(axis=2).all()


def test_without_a_threshold_everyone_enters() -> None:
    protocol = Protocol.read("ccmr-two")
    free = protocol.model_copy(
        update={"measure": protocol.measure.model_copy(update={"vep_delayed_ms": None})}
    )
    patients = draw_patients(
        free, 50, rng=np.random.default_rng(1), response=NONE, premises=Premises.read("trial")
    )
    assert patients.eyes is not None
    assert patients.eyes.affected.mean() == pytest.approx(0.617, abs=0.02)


def test_treatment_moves_eyes_with_a_lesion_of_the_treated_arm_and_no_others() -> None:
    untreated, treated = drawn(), drawn(response=Response.constant(latency_ms=-1.2))
    assert untreated.eyes is not None
    assert treated.eyes is not None
    moved = treated.eyes.latency_ms - untreated.eyes.latency_ms
    expected = np.where(untreated.eyes.affected & (untreated.people.arm == 0)[..., None], -1.2, 0.0)
    assert (moved[..., 0] == 0).all()
    # A delay that is shorter than the effect goes to 0.
    assert np.maximum(expected, -untreated.eyes.delay_ms[..., 1]) == pytest.approx(moved[..., 1], abs=1e-9)


def test_adherence_takes_its_part_of_the_effect() -> None:
    half = drawn(n=200, adherence=0.5, response=Response.constant(latency_ms=-1.0))
    assert half.people.adherence.mean() == pytest.approx(0.5, abs=0.01)
    assert half.people.adherence.std() > 0.1


def test_an_effect_stays_after_the_period_as_far_as_it_is_kept() -> None:
    gained = Response.constant(latency_ms=-2.0)
    for kept in (0.0, 0.5, 1.0):
        patients = drawn("rebuild", n=1, response=gained, effect_kept=kept)
        first = patients.latency_effect_ms[patients.people.arm == 0]
        second = patients.latency_effect_ms[patients.people.arm == 1]
        assert first[0].tolist() == [0, -2, -2, -2 * kept]
        assert second[0].tolist() == [0, 0, 0, -2]


def test_acute_optic_neuritis_recovers_without_treatment() -> None:
    eyes = drawn("renew", n=200).eyes
    assert eyes is not None
    assert (eyes.affected.sum(axis=2) == 1).all()
    delay = eyes.delay_ms[eyes.affected]
    assert delay[:, 1].mean() == pytest.approx(20.8, abs=0.5)
    assert delay[:, 0].mean() - delay[:, 1].mean() == pytest.approx(8.0, abs=0.1)  # of 8.6 ms in 6 months
    assert eyes.responds[eyes.affected][:, 0].mean() == pytest.approx(0.8, abs=0.02)
    assert eyes.responds[eyes.affected][:, 1].all()


def test_lesions_are_as_many_and_as_large_as_those_of_real_people() -> None:
    lesions = drawn("gsk239512", n=5).lesions
    assert lesions is not None
    counts = np.bincount(lesions.owner)
    assert (counts.min(), counts.max()) == (8, 213)
    assert np.median(lesions.volume_mm3) == pytest.approx(39, rel=0.05)
    assert lesions.volume_mm3.min() >= 10
    assert lesions.remyelinated.mean() == pytest.approx(0.207, abs=0.01)
    assert (lesions.age_days >= 0).all()
    assert (np.diff(lesions.owner) >= 0).all()


def test_every_lesion_of_the_first_visit_gains_the_effect() -> None:
    before, after = drawn("ccmr-one", n=2), drawn("ccmr-one", n=2, response=Response.constant(mtr_pu=0.2))
    assert before.lesions is not None
    assert after.lesions is not None
    gain = after.lesions.mtr_pu - before.lesions.mtr_pu
    treated = (before.people.arm.ravel() == 0)[before.lesions.owner]
    assert gain[:, 0] == pytest.approx(0)
    assert gain[:, 1] == pytest.approx(np.where(treated, 0.2, 0.0))


def test_new_lesions_appear_later_and_gain_nothing() -> None:
    lesions = drawn(
        "gsk239512", n=2, new_lesions_per_year=2.0, response=Response.constant(mtr_pu=5.0)
    ).lesions
    assert lesions is not None
    new = lesions.onset > 0
    assert new.sum() == pytest.approx(2 * 131 * 2 * 336 / 365.25, rel=0.15)
    assert (lesions.age_days[new] < 0).all()
    assert (lesions.mtr_pu[new, 1] - lesions.mtr_pu[new, 0]).mean() < 1


def test_lesions_change_nobodys_eyes() -> None:
    protocol = Protocol.read("ccmr-two")
    options: dict[str, Any] = {"response": NONE, "premises": Premises.read("trial")}
    with_lesions = draw_patients(protocol, 2, rng=np.random.default_rng(3), lesions=True, **options)
    without = draw_patients(protocol, 2, rng=np.random.default_rng(3), **options)
    assert with_lesions.eyes is not None
    assert without.eyes is not None
    assert (with_lesions.eyes.latency_ms == without.eyes.latency_ms).all()


def test_the_change_of_a_persons_mean_has_the_sd_of_the_laboratory() -> None:
    for alike in (0.0, 0.5, 0.9):
        spread = EyeErrors.of(Premises.read("trial", eyes_alike=alike))
        eye = 2 * spread.error_sd_ms**2 + spread.change_sd_ms**2
        assert np.sqrt(eye * (1 + alike) / 2) == pytest.approx(2.4)


SMALL = Premises.read("trial", white_matter_volume_mm3=100_000)


@pytest.mark.parametrize(("options", "words"), [
    ({"n_trials": 0}, "n_trials is 0, expected a whole number, 1 or more"),
    ({"participants": 0}, "participants is 0"),
    ({"response": {}}, "'clemastine[+]metformin', whose effect is not known"),
    ({"response": {"clemastine+metformn": NONE}}, "whose effect is not known"),
    ({"lesions": True, "lesions_per_participant": 1000, "premises": SMALL}, "1000, together .* no more"),
    ({"lesions": True, "lesions_per_participant": 1001}, "lesions_per_participant is 1001, .* 1 to 1000"),
    ({"rng": 5}, "rng is 5, expected a generator"),
    ({"lesions": True, "lesions_per_participant": 0}, "lesions_per_participant is 0"),
    ({"premises": Premises.read()}, "laboratory is not chosen"),
])  # fmt: skip
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    rng = np.random.default_rng(1)
    asked = {"n_trials": 1, "rng": rng, "response": NONE, "premises": Premises.read("trial")} | options
    with pytest.raises(InputError, match=words):
        draw_patients(Protocol.read("ccmr-two"), **asked)


def test_a_visit_before_baseline_is_refused() -> None:
    protocol = Protocol.read("ccmr-two")
    early = (protocol.visit[0], protocol.visit[1].model_copy(update={"day": -14.0}))
    with pytest.raises(RefuseRun, match="visit 'W26' day is -14, before the baseline W00"):
        draw_patients(
            changed("ccmr-two", visit=early), rng=np.random.default_rng(1), response=NONE,
            premises=Premises.read("trial"),
        )  # fmt: skip


def test_a_latency_that_nobody_reaches_is_refused() -> None:
    with pytest.raises(RefuseRun, match="118 ms, which hardly any of these patients reach"):
        drawn(healthy_p100_ms=70, healthy_p100_sd_ms=4, optic_nerve_delay_ms=1, optic_nerve_delay_sd_ms=0.5)


def test_patients_of_the_same_seed_are_the_same() -> None:
    first, second = drawn("gsk239512", n=2), drawn("gsk239512", n=2)
    assert first.lesions is not None
    assert second.lesions is not None
    assert (first.lesions.mtr_pu == second.lesions.mtr_pu).all()
    assert not (drawn("gsk239512", n=2, seed=2).people.age_years == first.people.age_years).any()
