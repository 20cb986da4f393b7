"""Exchanged eyes: found where they are, silent where there is only noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.measure.swap import THRESHOLD, log_ratio, swap_signature

from .vep_rows import frame, latency

FILE = "derivatives/vep/vep_measurements.tsv"


def auto(visit: str, od: float, os: float, se: float = 0.7, person: str = "sub-01") -> list[dict]:
    return [
        latency(visit, "OD", od, se, participant_id=person),
        latency(visit, "OS", os, se, participant_id=person),
    ]


def table(visit: str, od: float, os: float, person: str = "sub-01", **given) -> list[dict]:
    facts = {"condition": "", "source": "", "participant_id": person} | given
    return [latency(visit, "OD", od, np.nan, **facts), latency(visit, "OS", os, np.nan, **facts)]


def test_the_fault_of_the_collection_is_found_and_names_the_table():
    """112 + 2k ms, the left eye 6 ms later, 3 ms faster at M06: there the table has the eyes exchanged."""
    rows = [*auto("M00", 116.4, 121.8), *auto("M06", 112.9, 119.3)]
    rows += [*table("M00", 116.0, 122.0), *table("M06", 119.0, 113.0)]
    (found,) = swap_signature(frame(rows), file=FILE)
    assert (found.participant, found.visit) == ("sub-01", "M06")
    assert found.flag.file == FILE
    assert "eyes look swapped" in found.flag.found
    assert found.flag.quality == "flag"


def test_a_table_that_agrees_or_a_single_eye_says_nothing():
    rows = [*auto("M00", 116.4, 121.8), *table("M00", 116.0, 122.0)]
    assert swap_signature(frame(rows)) == []
    assert swap_signature(frame(table("M00", 130.0, 100.0))) == []
    assert swap_signature(frame([latency("M00", "OD", 116.0), *table("M00", 120.0, 100.0)])) == []
    assert swap_signature(frame([])) == []


def test_equal_eyes_cannot_be_told_apart_and_a_lone_shift_is_no_swap():
    assert swap_signature(frame([*auto("M00", 110.0, 111.5), *table("M00", 111.5, 110.0)])) == []
    assert swap_signature(frame([*auto("M00", 110.0, 120.0), *table("M00", 140.0, 120.0)])) == []


def test_readers_and_check_sizes_are_compared_with_their_own():
    swapped = table("M00", 122.0, 112.0, condition="check=60;reader=AB", source="ab_readings.tsv")
    small = [row | {"condition": "check=15;reader=auto"} for row in auto("M00", 122.0, 112.0)]
    (found,) = swap_signature(frame([*auto("M00", 112.0, 122.0), *small, *swapped]))
    assert found.flag.file == "ab_readings.tsv"
    assert swap_signature(frame([*auto("M00", 112.0, 122.0), *small, *table("M00", 122.0, 112.0)])) == [], (
        "a table that names no check size may be of either"
    )


def test_a_recording_whose_eyes_change_places_at_one_visit_is_found():
    rows = [*auto("M00", 104.0, 125.0), *auto("M06", 124.0, 103.0), *auto("M12", 105.0, 124.0)]
    (found,) = swap_signature(frame(rows))
    assert (found.visit, found.flag.file) == ("M06", "a.edf")
    assert "the other visits" in found.flag.found
    (pair,) = swap_signature(frame(rows[:4]))
    assert pair.visit == "M06"
    assert "at M00" in pair.flag.found


def test_recovery_of_one_eye_is_no_swap():
    assert swap_signature(frame([*auto("M00", 104.0, 135.0), *auto("M06", 104.0, 112.0)])) == []


def simulated(
    rng: np.random.Generator, n: int, se: float, reader_sd: float, change_sd: float
) -> pd.DataFrame:
    """Two visits of recordings and tables, nothing exchanged: eyes differ, drift, and are read with error."""
    rows = []
    for k in range(n):
        person = f"sub-{k:04d}"
        eyes = 115 + rng.normal(0, 10, 2)
        for visit in ("M00", "M06"):
            eyes = np.clip(eyes + (visit == "M06") * rng.normal(0, change_sd, 2), 80, 200)
            rows += auto(visit, *(eyes + rng.normal(0, se, 2)), se, person)
            rows += table(visit, *(eyes + rng.normal(0, reader_sd, 2)), person)
    return frame(rows)


def test_noise_raises_fewer_false_alarms_than_it_may():
    """At the error that is assumed: at most 0.00027 a visit against the recording, and few between visits."""
    rng = np.random.default_rng(11)
    data = simulated(rng, 1500, se=1.0, reader_sd=5.0 / 1.96 / np.sqrt(2), change_sd=2.5)
    alarms = swap_signature(data)
    assert (
        len([found for found in alarms if "recording shows" in found.flag.found]) <= 3
    )  # of 3000; 0.8 expected
    assert len(alarms) <= 3 + 5


def test_a_swap_of_ten_ms_is_found_and_the_smaller_the_rarer():
    rng = np.random.default_rng(12)
    hits = []
    for gap in (4.0, 6.0, 10.0):
        rows = []
        for k in range(200):
            od, os = 112 + rng.normal(0, 1.0, 2) + (0, gap)
            read = 112 + rng.normal(0, 1.8, 2) + (gap, 0)
            rows += [*auto("M00", od, os, 1.0, f"sub-{k:03d}"), *table("M00", *read, f"sub-{k:03d}")]
        hits.append(len(swap_signature(frame(rows))) / 200)
    assert hits[0] < hits[1] < hits[2]
    assert hits[1] > 0.5
    assert hits[2] > 0.98


@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(0.5, 100))
def test_the_ratio_turns_with_one_exchange_and_not_with_two(a, b, variance):
    assert log_ratio(-a, b, variance) == pytest.approx(-log_ratio(a, b, variance))
    assert log_ratio(-a, -b, variance) == pytest.approx(log_ratio(a, b, variance))


def test_the_promised_bound_holds_for_the_ratio():
    """Over true differences from 0 to 10 SD the worst rate is Phi(-sqrt(2 T)) = 0.00027."""
    rng = np.random.default_rng(13)
    noise = rng.normal(0, 1, 400_000)
    rates = [(log_ratio(d, d + noise, 1.0) > THRESHOLD).mean() for d in np.linspace(0.1, 10, 25)]
    assert max(rates) == pytest.approx(0.00027, abs=0.0001)
