"""Measurements: what a row must be, and what holds for every table."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.tables import MEASURES, Measurements

ROW = {
    "participant_id": "sub-01",
    "visit": "M00",
    "site": "lesion:001",
    "measure": "mtr_pu",
    "value": 31.25,
    "unit": "pu",
}
CHANGE = {**ROW, "measure": "mtr_change_pu"}
SITES = {
    "lesion": ("lesion:001", "lesion:017"),
    "tissue": ("tissue:nawm", "tissue:wm"),
    "eye": ("eye:OD", "eye:OS"),
    "participant": ("participant",),
}
KEY = ("participant_id", "visit", "site", "measure", "condition")
SUFFIXES = (".tsv", ".parquet")

words = (
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
    .map(str.strip)
    .map(lambda text: "" if text == "n/a" else text)
)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rows(draw):
    measure = MEASURES[draw(st.sampled_from(sorted(MEASURES)))]
    # MTR of 1 pu or less would look like a fraction, which is a fault of its own.
    low = 1.5 if measure.name == "mtr_pu" else measure.low
    value = draw(st.none() | st.floats(low, measure.high))
    quality = draw(st.sampled_from(("pass", "flag", "fail")))
    states = (
        ("absent", "indeterminate", "missing") if value is None else ("present", "absent", "indeterminate")
    )
    return {
        "participant_id": draw(st.sampled_from(("sub-01", "sub-02", "sub-A3"))),
        "visit": draw(st.sampled_from(("M00", "M06"))),
        "day": draw(st.none() | finite),
        "site": draw(st.sampled_from([site for kind in measure.sites for site in SITES[kind]])),
        "measure": measure.name,
        "condition": draw(st.sampled_from(("", "half=a", "check=60;run=1;reader=auto"))),
        "value": value,
        "se": draw(st.none() | st.floats(0, 1e6)),
        "unit": measure.unit,
        "state": draw(st.sampled_from(states)),
        "quality": quality,
        "reason": draw(words) if quality == "pass" else f"doubtful {draw(words)}".strip(),
        "source": draw(words),
    }


tables = st.lists(rows(), max_size=12, unique_by=lambda row: tuple(row[name] for name in KEY))


def message(row: dict[str, object], **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        Measurements.from_rows([{**row, **changes}])
    return str(caught.value)


# ---------------------------------------------------------------- what holds for every table


@settings(max_examples=40, deadline=None)
@given(tables)
@example([{**ROW, "reason": 'a "quoted" µ, 日本, \u2028 and \\t', "source": "'"}])
@example([{**CHANGE, "value": -0.0}, {**CHANGE, "site": "lesion:002", "value": 0.1 + 0.2, "se": 5e-324}])
@example([])
def test_what_is_written_is_read_back_exactly(table):
    measurements = Measurements.from_rows(table)
    with TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            path = Path(folder) / f"measurements{suffix}"
            measurements.write(path)
            back = Measurements.read(path)
            assert back == measurements
            assert back.frame.dtypes.equals(measurements.frame.dtypes)
            signs = [np.signbit(table.frame["value"].to_numpy()) for table in (back, measurements)]
            assert np.array_equal(*signs)


@settings(max_examples=15, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte(table, random):
    shuffled = random.sample(table, len(table))
    with TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            one, two = Path(folder) / f"one{suffix}", Path(folder) / "deeper" / f"two{suffix}"
            Measurements.from_rows(table).write(one)
            Measurements.from_rows(shuffled).write(two)
            assert one.read_bytes() == two.read_bytes()


@settings(max_examples=40, deadline=None)
@given(tables.filter(bool), st.data())
def test_any_single_wrong_unit_is_caught(table, data):
    units = sorted({measure.unit for measure in MEASURES.values()} | {"", "s", "%", "PU", "pu.", "Ms"})
    row = data.draw(st.sampled_from(table))
    wrong = data.draw(st.sampled_from([unit for unit in units if unit != row["unit"]]))
    changed = [{**each, "unit": wrong} if each is row else each for each in table]
    with pytest.raises(InputError) as caught:
        Measurements.from_rows(changed)
    assert caught.value.field == f"row {table.index(row) + 1}, column unit"
    assert row["unit"] in caught.value.expected


@settings(max_examples=40, deadline=None)
@given(tables.filter(bool), st.data())
def test_any_row_given_twice_is_caught(table, data):
    row = data.draw(st.sampled_from(table))
    with pytest.raises(InputError, match="duplicate"):
        Measurements.from_rows([*table, row])


@settings(max_examples=30, deadline=None)
@given(tables, st.integers(0, 12))
def test_cutting_a_table_and_joining_it_changes_nothing(table, cut):
    parts = [Measurements.from_rows(table[:cut]), Measurements.from_rows(table[cut:])]
    assert Measurements.concat(parts) == Measurements.from_rows(table)


@given(st.floats(allow_nan=False), st.sampled_from(sorted(MEASURES)))
def test_a_value_is_taken_exactly_if_it_is_plausible(value, name):
    measure = MEASURES[name]
    row = {**ROW, "measure": name, "unit": measure.unit, "site": SITES[measure.sites[0]][0], "value": value}
    plausible = measure.low <= value <= measure.high and not (name == "mtr_pu" and 0 < abs(value) <= 1)
    if plausible:
        assert Measurements.from_rows([row]).frame["value"].tolist() == [value]
    else:
        assert "column value" in message(row)


# ---------------------------------------------------------------- the same bytes everywhere


def test_the_bytes_do_not_depend_on_process_folder_or_time_zone(tmp_path):
    table = [{**ROW, "site": f"lesion:{i:03d}", "value": 20 + i / 7} for i in range(1, 300)]
    program = (
        "import sys; from pathlib import Path; from remyelin.tables import Measurements\n"
        f"rows = {table[::-1]!r}\n"
        "for name in sys.argv[1:]: Measurements.from_rows(rows).write(Path(name))"
    )
    elsewhere = tmp_path / "ein anderer Ordner's"
    names = [f"measurements{suffix}" for suffix in SUFFIXES]
    environment = {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "PATH": "/usr/bin", "LANG": "C"}
    subprocess.run(
        [sys.executable, "-c", program, *(str(elsewhere / name) for name in names)],
        check=True,
        env=environment,
    )
    for name in names:
        Measurements.from_rows(table).write(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (elsewhere / name).read_bytes()
        assert len(list(elsewhere.iterdir())) == len(names)


@pytest.mark.parametrize("table", [[], [ROW], [{**ROW, "value": None}]], ids=["empty", "one", "missing"])
def test_the_types_of_a_parquet_file_do_not_depend_on_what_is_in_it(table, tmp_path):
    import duckdb

    Measurements.from_rows(table).write(tmp_path / "m.parquet")
    types = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{tmp_path / 'm.parquet'}')").fetchall()
    numbers = ("day", "value", "se")
    assert [(name, kind) for name, kind, *_ in types] == [
        (name, "DOUBLE" if name in numbers else "VARCHAR")
        for name in Measurements.from_rows([]).frame.columns
    ]


def test_a_missing_number_is_null_in_parquet_and_n_a_in_tsv(tmp_path):
    import duckdb

    table = Measurements.from_rows([{**ROW, "value": None}])
    for suffix in SUFFIXES:
        table.write(tmp_path / f"m{suffix}")
    found = duckdb.sql(
        f"SELECT value IS NULL, state FROM read_parquet('{tmp_path / 'm.parquet'}')"
    ).fetchall()
    assert found == [(True, "missing")]
    assert (tmp_path / "m.tsv").read_text() == (
        "participant_id\tvisit\tday\tsite\tmeasure\tcondition\tvalue\tse\tunit\tstate\tquality\treason\tsource\n"
        "sub-01\tM00\tn/a\tlesion:001\tmtr_pu\tn/a\tn/a\tn/a\tpu\tmissing\tpass\tn/a\tn/a\n"
    )


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"participant_id": "01"}, ("participant_id", "'01'", "write sub-01")),
        ({"participant_id": 7}, ("participant_id", "7", "text")),
        ({"participant_id": None}, ("participant_id", "empty")),
        ({"visit": "ses-M00"}, ("visit", "write M00")),
        ({"site": "left eye"}, ("site", "'left eye'", "eye:OD")),
        ({"site": "eye:OD"}, ("site", "mtr_pu is measured", "lesion, tissue, participant")),
        ({"measure": "mtr"}, ("measure", "did you mean 'mtr_pu'?")),
        ({"condition": "half a"}, ("condition", "check=60;run=1")),
        ({"state": "ok"}, ("state", "present, absent")),
        ({"quality": "bad"}, ("quality", "pass, flag, fail")),
        ({"quality": "flag"}, ("reason", "empty", "flag or fail")),
        ({"reason": "a\tb"}, ("reason", "'a\\tb'", "control character")),
        ({"source": "a\nb"}, ("source", "control character")),
        ({"source": "\udcff"}, ("source", "control character")),
        ({"value": math.nan, "state": "present"}, ("value", "missing", "state missing")),
        ({"state": "missing"}, ("value", "a number", "n/a where state is missing")),
        ({"value": math.inf}, ("value", "inf")),
        ({"value": "inf"}, ("value", "inf")),
        ({"value": True}, ("value", "True", "a number")),
        ({"value": "1e400"}, ("value", "inf")),
        ({"value": "1_000"}, ("value", "'1_000'", "a number")),
        ({"value": "3,5"}, ("value", "decimal comma", "write 3.5")),
        ({"se": -0.1}, ("se", "negative")),
        ({"se": math.inf}, ("se", "infinite")),
        ({"day": math.inf}, ("day", "infinite")),
        ({"trial": -1}, ("trial", "-1, not a count")),
        ({"trial": 0.5}, ("trial", "whole number")),
        ({"values": 3}, ("columns", "'values'", "did you mean 'value'?")),
    ],
    ids=str,
)
def test_a_wrong_cell_is_told_by_column(changes, words):
    text = message(ROW, **changes)
    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize(
    ("measure", "unit", "value", "fix"),
    [
        ("p100_latency_ms", "ms", 0.118, "multiply by 1000"),
        ("p100_latency_ms", "ms", 118_000, "divide by 1000"),
        ("lesion_gm_fraction", "1", 37, "divide by 100"),
        ("rnfl_um", "um", 0.09, "multiply by 1000"),
        ("lesion_volume_mm3", "mm3", -999, "write n/a"),
        ("p100_latency_ms", "ms", 9999, "write n/a"),
        ("p100_latency_ms", "s", 0.118, "multiply by 1000 and write ms"),
        ("mtr_pu", "%", 30, "write pu"),
        ("mtr_pu", "1", 0.3, "multiply by 100 and write pu"),
        ("p100_amplitude_uv", "µV", 8, "write uV"),
        ("p100_latency_ms", "", 118, "write ms"),
        ("p100_latency_ms", "furlong", 118, "give the values in ms"),
    ],
)
def test_a_slip_of_unit_is_told_how_to_mend(measure, unit, value, fix):
    site = SITES[MEASURES[measure].sites[0]][0]
    assert fix in message(ROW, measure=measure, unit=unit, value=value, site=site)


def test_a_condition_is_the_same_in_any_order():
    one = {**ROW, "condition": "half=a;part=core"}
    with pytest.raises(InputError, match="duplicate of row 1"):
        Measurements.from_rows([one, {**one, "condition": "part=core;half=a"}])


def test_columns_that_may_be_left_out_are_filled():
    frame = Measurements.from_rows([ROW, {**ROW, "visit": "M06", "value": None}], source="a.tsv").frame
    assert frame["state"].tolist() == ["present", "missing"]
    assert frame["quality"].tolist() == ["pass", "pass"]
    assert frame["source"].tolist() == ["a.tsv", "a.tsv"]
    assert frame[["day", "se"]].isna().all(axis=None)


def test_an_absent_response_is_a_finding_not_a_gap():
    row = {
        **ROW,
        "measure": "p100_latency_ms",
        "unit": "ms",
        "site": "eye:OD",
        "value": None,
        "state": "absent",
    }
    assert Measurements.from_rows([row]).frame["state"].tolist() == ["absent"]


def test_numbers_of_any_kind_are_taken_as_they_are():
    values = [np.float32(30.1), np.int16(31), 32, "33.5", " 3.4e1 "]
    table = [{**ROW, "site": f"lesion:{i:03d}", "value": value} for i, value in enumerate(values)]
    assert Measurements.from_rows(table).frame["value"].tolist() == [
        float(np.float32(30.1)),
        31,
        32,
        33.5,
        34,
    ]


# ---------------------------------------------------------------- the table as an object


def test_trials_of_a_virtual_cohort_stand_in_front_and_in_order(tmp_path):
    table = Measurements.from_rows([{**ROW, "trial": trial} for trial in (10, 2, 0)])
    assert table.frame.columns[0] == "trial"
    assert table.frame["trial"].tolist() == [0, 2, 10]
    table.write(tmp_path / "m.parquet")
    assert Measurements.read(tmp_path / "m.parquet") == table


def test_select_takes_a_site_or_a_kind_of_site():
    sites = ("lesion:001", "lesion:0011", "tissue:nawm", "participant")
    table = Measurements.from_rows([{**ROW, "site": site, "value": 20 + i} for i, site in enumerate(sites)])
    assert table.select(site="lesion").frame["site"].tolist() == ["lesion:001", "lesion:0011"]
    assert table.select(site="lesion:001").frame["value"].tolist() == [20]
    assert table.select(site="participant", measure="mtr_pu").frame["value"].tolist() == [23]
    assert len(table.select(visit="M06")) == 0
    assert len(table.select(condition="", participant_id="sub-01")) == 4


def test_a_column_given_twice_is_refused():
    frame = pd.DataFrame([[*ROW.values(), "pu"]], columns=[*ROW, "unit"])
    with pytest.raises(InputError, match="'unit' twice"):
        Measurements(frame)


def test_altering_the_frame_does_not_alter_the_measurements():
    table = Measurements.from_rows([ROW])
    frame = table.frame
    frame.loc[0, "value"] = 99.0
    frame["unit"] = "ms"
    assert table == Measurements.from_rows([ROW])


def test_the_frame_that_was_given_is_left_alone():
    frame = pd.DataFrame([{**ROW, "site": "lesion:002"}, ROW])
    before = frame.copy()
    Measurements(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_measurements_survive_pickling_and_show_themselves():
    table = Measurements.from_rows([ROW, {**ROW, "visit": "M06"}])
    assert pickle.loads(pickle.dumps(table)) == table
    assert repr(table) == "Measurements(2 values, 1 participants: mtr_pu)"
    assert "31.25" in table._repr_html_()


# ---------------------------------------------------------------- files


def test_a_row_without_a_participant_is_not_lost_when_participants_are_read_apart(tmp_path):
    import duckdb

    Measurements.from_rows([ROW]).write(tmp_path / "m.parquet")
    query = (
        f"SELECT * REPLACE (NULL::VARCHAR AS participant_id) FROM read_parquet('{tmp_path / 'm.parquet'}')"
    )
    duckdb.sql(f"COPY ({query}) TO '{tmp_path / 'n.parquet'}' (FORMAT parquet)")
    good, errors = Measurements.read_each(tmp_path / "n.parquet")
    assert len(good) == 0
    assert "column participant_id is empty" in str(*errors.values())


@pytest.mark.parametrize("data", [b"PAR1 but no table PAR1", b"participant_id\tvisit\n"], ids=["torn", "tsv"])
def test_a_broken_parquet_file_is_told(data, tmp_path):
    (tmp_path / "m.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"m\.parquet: file is not readable .* a whole Parquet file"):
        Measurements.read(tmp_path / "m.parquet")


def test_a_truncated_parquet_file_is_told(tmp_path):
    Measurements.from_rows([ROW]).write(tmp_path / "m.parquet")
    (tmp_path / "m.parquet").write_bytes((tmp_path / "m.parquet").read_bytes()[:-40])
    with pytest.raises(InputError, match="not readable"):
        Measurements.read(tmp_path / "m.parquet")


def test_a_parquet_file_of_other_columns_is_told(tmp_path):
    import duckdb

    duckdb.sql(f"COPY (SELECT 1 AS x) TO '{tmp_path / 'm.parquet'}' (FORMAT parquet)")
    with pytest.raises(InputError, match=r"m\.parquet: columns is 'x'"):
        Measurements.read(tmp_path / "m.parquet")


@pytest.mark.parametrize("name", ["m.csv", "m.xlsx", "m"])
def test_other_formats_are_refused(name, tmp_path):
    (tmp_path / name).write_text("participant_id\n")
    with pytest.raises(InputError, match=r"\.parquet or \.tsv"):
        Measurements.read(tmp_path / name)
    with pytest.raises(InputError, match=r"\.parquet or \.tsv"):
        Measurements.from_rows([ROW]).write(tmp_path / name)


def test_200_000_values_are_checked_in_seconds():

    n = 200_000
    frame = pd.DataFrame(
        {
            "participant_id": [f"sub-{i % 500:03d}" for i in range(n)],
            "visit": "M00",
            "site": [f"lesion:{i // 500:03d}" for i in range(n)],
            "measure": "mtr_pu",
            "value": np.linspace(20, 40, n),
            "unit": "pu",
        }
    )
    start = time.process_time()
    assert len(Measurements(frame)) == n
    assert time.process_time() - start < 3
