"""Delayed and unequal eyes, and the fellow eye as reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.measure.eligibility import COLUMNS, eligibility
from remyelin.measure.facts import write_facts
from remyelin.protocol import Measuring
from remyelin.tables import Measurements

from .vep_rows import frame, latency

CCMR = Measuring(vep_delayed_ms=118.0, vep_asymmetry_ms=8.0)


def answers(rows, settings=CCMR, **given):
    lines = eligibility(frame(rows), settings, **given).lines
    return {(line["visit"], line["eye"]): (line["delayed"], line["reason"]) for line in lines}


@pytest.mark.parametrize(
    ("value", "se", "delayed", "words"),
    [
        (130.0, 1.0, "yes", ""),
        (118.0, np.nan, "no", ""),
        (118.1, np.nan, "yes", ""),
        (116.5, 1.0, "no", "the 95 % interval, 114.5 to 118.5 ms, spans the cut-off"),
        (119.5, 1.0, "yes", "the 95 % interval, 117.5 to 121.5 ms, spans the cut-off"),
    ],
)
def test_an_eye_is_judged_by_its_value_and_doubt_is_said(value, se, delayed, words):
    assert answers([latency("M00", "OD", value, se)]) == {("M00", "OD"): (delayed, words)}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"state": "absent"}, "no P100"),
        ({"state": "indeterminate"}, "P100 indeterminate"),
        ({"state": "missing", "reason": "all sweeps rejected"}, "P100 missing: all sweeps rejected"),
    ],
)
def test_an_eye_without_a_latency_is_unknown(given, words):
    rows = [latency("M00", "OD", np.nan, np.nan, **given), latency("M00", "OS", 130)]
    found = eligibility(frame(rows), CCMR)
    line = next(line for line in found.lines if line["eye"] == "OD")
    assert line["delayed"] == "unknown"
    assert words in line["reason"]
    asymmetry = next(row for row in found.rows if row["measure"] == "p100_asymmetry_ms")
    assert asymmetry["state"] == "missing"
    assert words in asymmetry["reason"]
    assert line["unequal"] == "unknown"


def test_a_failed_value_is_not_used_and_without_a_cut_off_nothing_is_delayed():
    failed = latency("M00", "OD", 140, quality="fail", reason="polarity inverted")
    assert answers([failed])["M00", "OD"] == ("unknown", "not to be used: polarity inverted")
    assert answers([latency("M00", "OD", 140)], Measuring())["M00", "OD"] == (
        "unknown",
        "no cut-off: set measure.vep_delayed_ms",
    )


def test_differences_have_signs_errors_and_the_fellow_at_the_first_visit():
    rows = [latency("M06", "OS", 104.0, 0.4), latency("M06", "OD", 121.0, 0.3)]
    rows += [latency("M00", "OD", 125.0, 0.6), latency("M00", "OS", 105.0, 0.8)]
    found = eligibility(frame(rows), CCMR)
    got = {(r["measure"], r["visit"], r["site"]): (r["value"], r["se"]) for r in found.rows}
    assert got["p100_asymmetry_ms", "M00", "participant"] == (20.0, pytest.approx(1.0))
    assert got["p100_asymmetry_ms", "M06", "participant"] == (17.0, pytest.approx(0.5))
    assert got["p100_fellow_difference_ms", "M06", "eye:OD"] == (16.0, pytest.approx(np.hypot(0.3, 0.8)))
    assert got["p100_fellow_difference_ms", "M06", "eye:OS"] == (-21.0, pytest.approx(np.hypot(0.4, 0.6)))
    assert len(Measurements.from_rows(found.rows)) == 6
    assert {line["unequal"] for line in found.lines} == {"yes"}


def test_the_first_visit_is_by_day_and_without_days_by_name():
    rows = [latency("M00", "OS", 100.0, day=400.0), latency("M06", "OD", 110.0), latency("M06", "OS", 104.0)]
    found = eligibility(frame(rows), CCMR)
    values = {r["visit"]: r["value"] for r in found.rows if r["site"] == "eye:OS"}
    assert values == {"M06": -6.0, "M00": -10.0}
    later = [latency("M10", "OD", 90.0, day=np.nan), latency("M2", "OS", 100.0, day=np.nan)]
    assert [r["value"] for r in eligibility(frame(later), CCMR).rows] == [-10.0]


def test_only_the_pooled_values_of_the_reader_count_and_stimuli_stay_apart():
    rows = [
        latency("M00", "OD", 130.0),
        latency("M00", "OD", 90.0, condition="check=60;reader=auto;run=1"),
        latency("M00", "OD", 91.0, condition="check=60;hump=1;reader=auto"),
        latency("M00", "OD", 92.0, condition="reader=auto;sector=07"),
        latency("M00", "OD", 93.0, condition="check=60;reader=AB"),
        latency("M00", "OD", 94.0, condition="check=15;reader=auto"),
        latency("M00", "OD", 95.0, condition=""),
    ]
    lines = eligibility(frame(rows), CCMR).lines
    assert [line["p100_latency_ms"] for line in lines] == ["95.00", "94.00", "130.00"]
    (human,) = eligibility(frame(rows), CCMR, reader="AB").lines
    assert human["p100_latency_ms"] == "93.00"


def test_doubts_travel_to_the_differences():
    rows = [latency("M00", "OD", 125, quality="flag", reason="one replicate"), latency("M00", "OS", 101)]
    found = eligibility(frame(rows), CCMR)
    assert {row["quality"] for row in found.rows} == {"flag"}
    assert all(row["reason"] == "OD M00: one replicate" for row in found.rows)


def test_nothing_gives_nothing_and_the_table_is_written(tmp_path):
    assert eligibility(frame([latency("M00", "OD", 1.0, measure="vep_snr", unit="1")]), CCMR).rows == []
    found = eligibility(frame([latency("M00", "OD", 130.0)]), CCMR)
    write_facts(tmp_path / "eligibility.tsv", found.lines, COLUMNS)
    assert (tmp_path / "eligibility.tsv").read_text().splitlines()[1].split("\t")[4:8] == [
        "130.00",
        "0.50",
        "present",
        "yes",
    ]
    assert list(found.to_frame().columns) == list(COLUMNS)


@given(st.lists(st.floats(60, 290), min_size=4, max_size=4))
def test_exchanging_the_eyes_changes_the_sign_and_nothing_else(values):
    places = [(visit, eye) for visit in ("M00", "M06") for eye in ("OD", "OS")]
    other = {"OD": "OS", "OS": "OD"}
    rows = [latency(v, e, x) for (v, e), x in zip(places, values, strict=True)]
    swapped = [latency(v, other[e], x) for (v, e), x in zip(places, values, strict=True)]
    a, b = (
        {(r["visit"], r["measure"], r["site"]): r["value"] for r in eligibility(frame(x), CCMR).rows}
        for x in (rows, swapped)
    )
    for (visit, measure, site), value in a.items():
        twin = site if site == "participant" else f"eye:{other[site[4:]]}"
        sign = -1 if site == "participant" else 1
        assert b[visit, measure, twin] == pytest.approx(sign * value)
