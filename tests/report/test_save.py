"""What an analysis leaves in the folder: each table once, and the same bytes whatever the order of rows."""

from __future__ import annotations

import copy
import hashlib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.report import analyse_folder
from remyelin.tables import Measurements, Results

DAYS = {"M00": 0.0, "M03": 91.0, "M06": 182.0}
WRITTEN = {
    *(
        "results.parquet",
        "results.tsv",
        "results.csv",
        "endpoints.tsv",
        "attrition.tsv",
        "analysis_flags.tsv",
    ),
    *("methods.txt", "protocol.toml"),
}


def protocol() -> Protocol:
    """Two endpoints: visits with imputation beside, and an ANCOVA whose allocation is drawn again."""
    content = copy.deepcopy(
        tomllib.loads((resources.files("remyelin") / "protocols" / "demo.toml").read_text("utf-8"))
    )
    content["visit"] = [{"id": visit, "day": day} for visit, day in DAYS.items()]
    eye = {"measure": "rnfl_um", "site": "eye"}
    content["endpoint"] = [
        {**eye, "id": "visits", "role": "primary", "estimator": "mmrm", "visits": list(DAYS),
         "formula": "change ~ arm * visit + baseline", "imputations": 10,
         "sensitivity": ["j2r", "tipping-point"]},
        {**eye, "id": "last", "role": "secondary", "estimator": "ancova", "visits": ["M00", "M06"],
         "formula": "change ~ arm + baseline", "sensitivity": ["re-randomisation"]},
    ]  # fmt: skip
    content["multiplicity"] = {"method": "fixed-sequence"}
    content["sets"] = {"per_protocol": "kept"}
    content["randomisation"] = {
        "method": "permuted-blocks",
        "block_sizes": [4],
        "order": "entry",
        "replicates": 99,
    }
    return Protocol.from_tables(content)


def folder(path: Path, order: int) -> Path:
    """The files of a trial, their rows in another order each time."""
    rng = np.random.default_rng(8)
    rows: list[dict[str, Any]] = []
    for k in range(24):
        level = rng.normal(80, 8)
        for eye in ("OD", "OS"):
            for j, (visit, day) in enumerate(DAYS.items()):
                if k % 6 == 5 and visit == "M06":
                    continue
                value = level + 3.0 * (k % 2) * j + rng.normal(0, 1.5)
                rows.append(
                    {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": f"eye:{eye}",
                     "measure": "rnfl_um", "value": value, "se": 1.0, "unit": "um"}
                )  # fmt: skip
    out = path / "out"
    shuffled = np.random.default_rng(order).permutation(len(rows))
    Measurements.from_rows([rows[k] for k in shuffled]).write(out / "measurements.tsv")
    people = np.random.default_rng(order).permutation(24)
    lines = [f"sub-{k:02d}\t{'no' if k == 3 else 'yes'}\t{k}\n" for k in people]
    (out / "participants.tsv").write_text("participant_id\tkept\tentry\n" + "".join(lines))
    arms = [f"sub-{k:02d}\t{('placebo', 'treated')[k % 2]}\n" for k in people]
    (path / "allocation.tsv").write_text("participant_id\tarm\n" + "".join(arms))
    protocol().write(path / "trial.toml")
    analyse_folder(path / "trial.toml", out, path / "allocation.tsv")
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("one"), 1)


def test_each_table_that_was_asked_for_is_written(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    assert {*WRITTEN, "multiplicity.tsv", "tipping_point.tsv"} <= names


def test_the_results_are_the_same_in_each_format(out: Path) -> None:
    parquet, tsv = (Results.read(out / f"results.{kind}") for kind in ("parquet", "tsv"))
    pd.testing.assert_frame_equal(parquet.frame, tsv.frame, rtol=1e-12)
    csv = pd.read_csv(out / "results.csv")
    assert list(csv.columns) == list(parquet.frame.columns)
    np.testing.assert_allclose(csv["estimate"], parquet.frame["estimate"], rtol=1e-12)
    assert csv["prespecified"].tolist() == parquet.frame["prespecified"].tolist()


def test_sets_and_sensitivity_are_rows_and_one_row_an_endpoint_decides(out: Path) -> None:
    frame = Results.read(out / "results.tsv").frame
    assert frame.loc[frame["prespecified"], "endpoint"].tolist() == ["last", "visits"]
    assert set(frame["analysis_set"]) == {"itt", "completers", "per-protocol"}
    names = set(frame["endpoint"])
    assert {"visits (jump to reference)", "visits (at M03)", "last (re-randomisation)"} <= names


def test_the_family_is_a_table_of_its_own(out: Path) -> None:
    table = pd.read_csv(out / "multiplicity.tsv", sep="\t")
    assert table["hypothesis"].tolist() == ["visits", "last"]
    assert (table["p_adjusted"] >= table["p"] - 1e-12).all()


def test_the_order_of_rows_and_people_changes_no_byte(out: Path, tmp_path: Path) -> None:
    other = folder(tmp_path, 2)
    for name in sorted({*WRITTEN, "multiplicity.tsv", "tipping_point.tsv"}):
        one, two = (hashlib.sha256((place / name).read_bytes()).hexdigest() for place in (out, other))
        assert one == two, name


def test_tables_of_another_analysis_do_not_stay(tmp_path: Path) -> None:
    out = folder(tmp_path, 3)
    plain = protocol().model_copy(update={"multiplicity": None, "endpoint": protocol().endpoint[1:2]})
    only = plain.endpoint[0].model_copy(update={"role": "primary", "sensitivity": ()})
    plain.model_copy(update={"endpoint": (only,)}).write(tmp_path / "trial.toml")
    analyse_folder(tmp_path / "trial.toml", out, tmp_path / "allocation.tsv")
    assert not (out / "multiplicity.tsv").exists()
    assert not (out / "tipping_point.tsv").exists()
