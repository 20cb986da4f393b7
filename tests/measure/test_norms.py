"""Norms: published ones, the laboratory's own, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.norms import Norm, norm_z, published_norms, read_norms

HEAD = "check_arcmin\tsex\tage_low\tage_high\tmean_ms\tsd_ms\tupper_ms\n"


@pytest.fixture
def read(tmp_path):
    def put(text: str) -> tuple[Norm, ...]:
        (tmp_path / "norms.tsv").write_text(text)
        return read_norms(tmp_path / "norms.tsv")

    return put


@pytest.mark.parametrize(
    ("sex", "check", "mean", "sd"),
    [("female", 15, 94.6, 4.7), ("F", 60, 96.1, 4.2), ("male", 15, 97.4, 4.9), ("m", 60, 97.7, 4.2)],
)
def test_the_published_norms_are_those_of_dotto(sex, check, mean, sd):
    score = norm_z(mean + 2 * sd, check_arcmin=check, sex=sex)
    assert score.z == pytest.approx(2)
    assert (score.norm.mean_ms, score.norm.sd_ms, score.norm.source) == (mean, sd, "dotto2017")
    assert not score.is_late


def test_the_limit_lets_one_healthy_person_in_a_hundred_pass_above_it():
    """The limit for one more person, judged by simulation of samples as small as the published one."""
    rng = np.random.default_rng(7)
    samples = rng.normal(100, 5, (4000, 28))
    late = [
        norm_z(float(np.clip(new, 51, 299)), check_arcmin=60, sex="any", norms=[norm]).is_late
        for new, norm in zip(
            rng.normal(100, 5, 4000),
            (Norm(60, "any", 18, 90, row.mean(), row.std(ddof=1), None, 28) for row in samples),
            strict=True,
        )
    ]
    assert np.mean(late) == pytest.approx(0.01, abs=0.005)


def test_without_the_number_of_people_the_limit_is_a_percentile():
    norm = Norm(60, "any", 18, 90, 100, 5)
    assert norm_z(100, check_arcmin=60, sex="any", norms=[norm]).upper_ms == pytest.approx(
        100 + 2.3263 * 5, abs=1e-3
    )


def test_the_laboratory_chooses_by_check_sex_and_age(read):
    norms = read(
        HEAD
        + "60\tfemale\t18\t49\t98\t4\t110\n60\tfemale\t50\t80\t103\t5\tn/a\n60\tmale\t18\t80\t101\t4\t113\n"
    )
    young = norm_z(111, check_arcmin=60, sex="female", age_years=30, norms=norms)
    assert (young.z, young.upper_ms, young.is_late) == (pytest.approx(3.25), 110, True)
    assert norm_z(111, check_arcmin=60, sex="female", age_years=60, norms=norms).norm.mean_ms == 103
    assert norm_z(111, check_arcmin=60.5, sex="male", norms=norms).upper_ms == 113
    with pytest.raises(InputError, match="2, which differ by age"):
        norm_z(111, check_arcmin=60, sex="female", norms=norms)
    assert "line 2" in young.norm.source
    assert young.to_frame()["norm_mean_ms"].tolist() == [98]


def test_an_eye_without_a_norm_asks_for_the_laboratory_s_own():
    with pytest.raises(InputError) as caught:
        norm_z(100, check_arcmin=30, sex="female")
    assert caught.value.found == "none"
    assert "give the norms of your laboratory" in caught.value.fix
    assert "dotto2017" in caught.value.fix
    with pytest.raises(InputError, match="none"):
        norm_z(100, check_arcmin=60, sex="female", age_years=12)


def test_only_what_was_read_is_a_norm():
    assert {norm.source for norm in published_norms()} == {"dotto2017", "baumgarten2022"}
    assert all(norm.n for norm in published_norms())


@pytest.mark.parametrize(
    ("latency", "words"), [(0.1, "as if seconds"), (20.0, "50 to 300 ms"), (float("nan"), "nan")]
)
def test_a_latency_that_cannot_be_one_is_refused(latency, words):
    with pytest.raises(InputError, match=words):
        norm_z(latency, check_arcmin=60, sex="male")


@pytest.mark.parametrize(
    ("line", "field", "found"),
    [
        ("60\tany\t18\t80\t0.1005\t4\tn/a", "line 2, column mean_ms", "0.1005, as if seconds"),
        ("60\tany\t18\t80\t100\t0.004\tn/a", "line 2, column sd_ms", "0.004, as if seconds"),
        ("1\tany\t18\t80\t100\t4\tn/a", "line 2, column check_arcmin", "1, as if degrees"),
        ("60\twoman\t18\t80\t100\t4\tn/a", "line 2, column sex", "'woman'"),
        ("60\tany\t80\t18\t100\t4\tn/a", "line 2, column age_low", "80, above age_high"),
        ("60\tany\t18\t80\t100\t4\t99", "line 2, column upper_ms", "99"),
        ("60\tany\t18\t80\t100,5\t4\t115", "line 2, column mean_ms", "'100,5'"),
        ("60\tany\t18\t80\tn/a\t4\t115", "line 2, column mean_ms", "missing"),
        (
            "60\tany\t18\t80\t100\t4\t115\n60\tmale\t80\t90\t100\t4\t115",
            "line 3",
            "in overlap with a line above",
        ),
    ],
)
def test_a_wrong_table_is_told_by_line_and_column(read, line, field, found):
    with pytest.raises(InputError) as caught:
        read(HEAD + line + "\n")
    assert (caught.value.field, caught.value.found) == (field, found)


@pytest.mark.parametrize("text", [HEAD, HEAD.replace("sd_ms", "sd") + "60\tany\t18\t80\t100\t4\t115\n"])
def test_a_table_without_rows_or_columns_is_refused(read, text):
    with pytest.raises(InputError):
        read(text)


@given(st.floats(50, 300), st.floats(-40, 40))
def test_z_moves_with_the_latency_and_the_limit_does_not(latency, step):
    other = float(np.clip(latency + step, 50, 300))
    a, b = (norm_z(value, check_arcmin=15, sex="male") for value in (latency, other))
    assert a.upper_ms == b.upper_ms
    assert b.z - a.z == pytest.approx((other - latency) / 4.9)
