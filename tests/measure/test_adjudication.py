"""Double reading: who differs, who decides, what stands; and work that tells a reader nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.adjudication import COLUMNS, adjudicate
from remyelin.measure.cells import find_tables
from remyelin.measure.facts import write_facts
from remyelin.measure.readings import PATTERN, Reading, read_readings
from remyelin.measure.worklist import KEY, SHEET, unblind, worklist
from remyelin.tables import Measurements

from .vep_rows import frame, latency


def read(reader: str, ms: float, **given) -> Reading:
    facts = {"participant": "sub-01", "visit": "M00", "eye": "OD", "check_arcmin": 60.0, "run": ""}
    facts |= {
        "peak": "P100",
        "amplitude_uv": 7.0,
        "time": "2026-03-09T14:05:00",
        "reason": "",
        "file": "r.tsv",
    }
    return Reading(**(facts | {"reader": reader, "latency_ms": ms} | given))


def test_readers_within_the_limit_agree_on_their_mean():
    found = adjudicate([read("AB", 118.0), read("CD", 123.0)], 5.0, days={"M00": 0.0})
    assert found.lines == []
    assert found.findings == []
    (row,) = found.rows
    assert (row["value"], row["condition"], row["day"]) == (120.5, "check=60;reader=adjudicated", 0.0)
    assert row["reason"] == "mean of AB, CD"
    assert str(found) == "no readers differ by more than the limit"


def test_readers_beyond_it_are_open_until_the_adjudicator_has_read():
    two = [read("AB", 118.0), read("CD", 123.1)]
    found = adjudicate(two, 5.0)
    (case,) = found.lines
    assert (case["reader_a"], case["reader_b"], case["status"]) == ("AB", "CD", "open")
    assert (case["difference_ms"], case["limit_ms"], case["adjudicated_ms"]) == ("5.1", "5", "")
    assert found.rows == []
    (finding,) = found.findings
    assert (finding.participant, finding.visit, finding.flag.file) == ("sub-01", "M00", "r.tsv")
    assert "118 ms by AB and 123.1 ms by CD" in str(finding.flag)
    decided = adjudicate([*two, read("adjudicator", 119.0, reason="first hump")], 5.0)
    assert decided.findings == []
    assert (decided.lines[0]["status"], decided.lines[0]["adjudicated_ms"]) == ("resolved", "119")
    assert decided.lines[0]["reason"] == "first hump"
    assert [row["value"] for row in decided.rows] == [119.0]
    assert Measurements.from_rows(decided.rows).frame["reason"][0].endswith("first hump")


def test_one_reader_is_held_against_the_automatic_value_of_the_same_trace():
    machine = frame(
        [latency("M00", "OD", 110.0), latency("M00", "OD", 118.0, condition="check=15;reader=auto")]
    )
    (case,) = adjudicate([read("AB", 118.0)], 5.0, automatic=machine).lines
    assert (case["reader_b"], case["value_b_ms"]) == ("auto", "110")
    assert adjudicate([read("AB", 114.0)], 5.0, automatic=machine).lines == []
    failed = frame([latency("M00", "OD", 110.0, quality="fail", reason="flat")])
    assert adjudicate([read("AB", 118.0)], 5.0, automatic=failed).lines == []


def test_a_peak_that_one_saw_and_another_did_not_is_a_case():
    found = adjudicate([read("AB", np.nan, reason="flat"), read("CD", 118.0)], 5.0)
    assert (found.lines[0]["value_a_ms"], found.lines[0]["difference_ms"]) == ("absent", "")
    neither = adjudicate([read("AB", np.nan), read("CD", np.nan)], 5.0)
    assert neither.lines == []
    assert [row["state"] for row in neither.rows] == ["absent"]
    Measurements.from_rows(neither.rows)


def test_of_three_readers_the_pair_farthest_apart_is_named_and_repeats_do_not_count():
    found = adjudicate([read("AB", 118.0), read("CD", 124.0), read("EF", 127.0)], 5.0)
    assert [(c["reader_a"], c["reader_b"]) for c in found.lines] == [("AB", "EF")]
    again = adjudicate([read("AB", 118.0), read("AB", 140.0, repeat=2), read("CD", 118.0)], 5.0)
    assert again.lines == []


def test_doubts_of_a_reader_stay_with_the_mean_and_the_table_is_written(tmp_path):
    found = adjudicate([read("AB", 118.0, quality="flag", reason="noisy"), read("CD", 119.0)], 5.0)
    assert (found.rows[0]["quality"], found.rows[0]["reason"]) == ("flag", "mean of AB, CD; AB: noisy")
    far = adjudicate([read("AB", 118.0), read("CD", 129.0)], 5.0)
    write_facts(tmp_path / "adjudication.tsv", far.lines, COLUMNS)
    assert (tmp_path / "adjudication.tsv").read_text().splitlines()[1].split("\t")[11] == "open"
    assert list(far.to_frame().columns) == list(COLUMNS)


@given(st.lists(st.floats(80, 200), min_size=2, max_size=4), st.floats(0.5, 20), st.randoms())
def test_the_order_of_readers_and_their_names_change_no_verdict(values, limit, random):
    readings = [read(f"R{k}", value) for k, value in enumerate(values)]
    a = adjudicate(readings, limit)
    random.shuffle(readings)
    assert adjudicate(readings, limit).lines == a.lines
    assert bool(a.lines) == (max(values) - min(values) > limit)


def measured(n: int = 6) -> pd.DataFrame:
    rows = []
    for k in range(1, n + 1):
        for visit in ("M00", "M06"):
            for eye in ("OD", "OS"):
                rows.append(latency(visit, eye, 110.0 + k, participant_id=f"sub-{k:02d}"))
                run = {"condition": "check=60;reader=auto;run=1", "participant_id": f"sub-{k:02d}"}
                rows.append(latency(visit, eye, 110.0 + k, **run))
    return frame(rows)


def test_the_sheet_tells_nothing_and_the_key_tells_all():
    work = worklist(measured(), seed=3)
    assert tuple(work.sheet.columns) == SHEET
    assert tuple(work.key.columns) == KEY
    assert len(work.sheet) == 24  # replicates are not read apart
    text = work.sheet.to_csv()
    assert not any(word in text for word in ("sub-", "M00", "M06", "OD", "OS", "eye"))
    assert set(work.key["condition"]) == {"check=60;reader=auto"}
    assert not work.key["participant_id"].is_monotonic_increasing


def test_the_same_seed_gives_the_same_work_in_whatever_order_the_rows_are():
    data = measured()
    one, other = worklist(data, seed=3), worklist(data.sample(frac=1, random_state=1), seed=3)
    pd.testing.assert_frame_equal(one.key, other.key)
    assert not worklist(data, seed=4).key.equals(one.key)


def test_waveforms_are_blinded_without_the_fit():
    work = worklist(measured(2), seed=1, repeats=2)
    waves = (
        work.key.drop(columns=["trace", "repeat"])
        .drop_duplicates()
        .merge(
            pd.DataFrame(
                {"time_ms": [0.0, 1.0], "average_uv": [0.5, 0.6], "se_uv": [0.1, 0.1], "fit_uv": [9.0, 9.0]}
            ),
            how="cross",
        )
    )
    blind = work.blinded(waves)
    assert list(blind.columns) == ["trace", "time_ms", "average_uv", "se_uv"]
    assert blind["trace"].nunique() == len(work.sheet) == 10
    assert len(blind) == 20


def test_a_filled_sheet_finds_its_way_back_into_a_table_of_readings(tmp_path):
    work = worklist(measured(1), seed=5, repeats=1)
    sheet = work.sheet.copy()
    sheet["P100_ms"], sheet["N75_ms"], sheet["time"] = "118.5", "80", "2026-03-09T14:05"
    sheet.loc[0, "time"] = ""  # not read yet
    table = unblind(sheet, work.key, "AB")
    path = tmp_path / "derivatives" / "centre" / "ab_readings.tsv"
    path.parent.mkdir(parents=True)
    table.to_csv(path, sep="\t", index=False)
    found, failures = read_readings(find_tables(tmp_path, PATTERN), tmp_path, ["sub-01"])
    assert failures == []
    readings = found["sub-01"]
    assert len(readings) == 3 * (len(sheet) - 1)
    assert {one.reason for one in readings if one.peak == "N135"} == {"not found"}
    places = {(row.visit, row.site) for row in work.key.iloc[1:].itertuples()}
    assert {(one.visit, f"eye:{one.eye}") for one in readings} == places


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.assign(trace="T9999"), "a trace of the key"),
        (lambda s: s.assign(trace=s["trace"][0]), "twice"),
        (lambda s: s.drop(columns="time"), "without 'time'"),
    ],
)
def test_a_sheet_that_was_altered_is_refused(change, words):
    work = worklist(measured(1), seed=5)
    with pytest.raises(InputError, match=words):
        unblind(change(work.sheet), work.key, "AB")


def test_more_repeats_than_traces_are_refused():
    with pytest.raises(InputError, match="number of traces"):
        worklist(measured(1), seed=5, repeats=5)
