"""Tables of a trial report: files, SAS transport files, panels; and the same bytes every time."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.report import analyse_folder, trial_page
from remyelin.report.adam import EPOCH, write_xpt
from remyelin.report.flow import flow_diagram
from remyelin.tables import Measurements
from remyelin.trial.adam.dataset import Dataset
from remyelin.trial.flow import consort

EVIL = '<script>alert(1)</script> "a" & b'


def fill(out: Path, reason: str = "declined") -> None:
    """What `measure` leaves, with an allocation and a protocol beside it."""
    rng, out_of_it = np.random.default_rng(2), ("sub-03", "sub-04")
    people = [f"sub-{k:02d}" for k in range(1, 21)]
    rows = [
        {"participant_id": person, "visit": visit, "day": day, "site": f"lesion:{k}", "measure": "mtr_pu",
         "value": 25 + k + rng.normal(0, 0.5), "se": 0.5, "unit": "pu"}
        for person in people for visit, day in (("M00", 0), ("M06", 182)) for k in range(6)
        if not (person in out_of_it and visit == "M06")
    ]  # fmt: skip
    Measurements.from_rows(rows).write(out / "measurements.tsv")
    table = ["participant_id\tage\tsite\tnot_randomised\tdiscontinued"]
    table += [f"{p}\t{30 + k}\tA\tn/a\t{'relapse' if p == 'sub-03' else 'n/a'}" for k, p in enumerate(people)]
    table += [f"sub-90\t33\tA\t{reason}\tn/a"]
    (out / "participants.tsv").write_text("\n".join(table) + "\n")
    arms = [f"{person}\t{('placebo', 'bexarotene')[k % 2]}" for k, person in enumerate(people)]
    (out / "allocation.tsv").write_text("\n".join(["participant_id\tarm", *arms]) + "\n")


def digests(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("tables")
    fill(out)
    analyse_folder("ccmr-one", out, out / "allocation.tsv")
    return out


def test_everything_is_written(folder):
    for name in ("baseline", "consort", "reported"):
        as_tsv = pd.read_csv(
            folder / f"{name}.tsv", sep="\t", keep_default_na=False, na_values=["n/a"], quoting=3
        )
        as_csv = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        assert as_tsv.shape == as_csv.shape
    assert (folder / "consort.svg").read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert {path.name for path in (folder / "adam").iterdir()} >= {"ADSL.csv", "ADEFF.csv"}


def test_transport_files_come_back(folder):
    pyreadstat = pytest.importorskip("pyreadstat", reason="needs remyelin[regulatory]")
    for name in ("ADSL", "ADEFF"):
        frame, about = pyreadstat.read_xport(folder / "adam" / f"{name}.xpt")
        as_csv = pd.read_csv(folder / "adam" / f"{name}.csv", dtype=str, keep_default_na=False)
        assert about.table_name == name
        assert all(0 < len(label) <= 40 for label in about.column_labels)
        assert list(frame.columns) == list(as_csv.columns)
        for column in frame:
            if frame[column].dtype == np.float64:
                expected = [float(cell or "nan") for cell in as_csv[column]]
                np.testing.assert_array_equal(frame[column].to_numpy(), expected)
            else:
                assert list(frame[column].fillna("")) == list(as_csv[column])


def test_same_input_same_bytes(folder, tmp_path):
    fill(tmp_path)
    time.sleep(1.1)  # the header of a transport file would hold the second
    analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    assert digests(tmp_path) == digests(folder)


def test_without_the_extra_csv_stays(tmp_path, monkeypatch):
    fill(tmp_path)
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    saved = analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    assert "remyelin[regulatory]" in str(saved)
    assert len(saved.to_dict()["missed"]) == 1
    assert {path.name for path in (tmp_path / "adam").iterdir()} == {"ADSL.csv", "ADEFF.csv"}


def test_an_old_transport_file_does_not_stay(tmp_path, monkeypatch):
    fill(tmp_path)
    (tmp_path / "adam").mkdir()
    (tmp_path / "adam" / "ADSL.xpt").write_bytes(b"of another analysis")
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    assert not (tmp_path / "adam" / "ADSL.xpt").exists()


def test_a_table_that_cannot_be_made_keeps_nothing_back(tmp_path):
    fill(tmp_path)
    text = (
        (tmp_path / "participants.tsv").read_text().replace("sub-02\t31\tA\tn/a", "sub-02\t31\tA\tdeclined")
    )
    (tmp_path / "participants.tsv").write_text(text)
    (tmp_path / "consort.tsv").write_text("of another analysis")
    saved = analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    assert "'declined' for sub-02, who has an arm" in str(saved)
    assert not (tmp_path / "consort.tsv").exists()
    assert (tmp_path / "baseline.tsv").exists()


def test_without_participants_tsv(tmp_path):
    fill(tmp_path)
    (tmp_path / "participants.tsv").unlink()
    analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    assert "lesions\tmean (SD)" in (tmp_path / "baseline.tsv").read_text()
    assert "not recorded" in (tmp_path / "consort.svg").read_text().replace("\xa0", " ")


def dataset(**changes) -> Dataset:
    frame = changes.get("frame", pd.DataFrame({"USUBJID": ["a-1"], "AVAL": [1.5]}))
    labels = changes.get("labels", {name: name.title() for name in frame})
    return Dataset(
        "ADEFF", "Efficacy Analysis Dataset", frame.astype({n: object for n in frame if n != "AVAL"}), labels
    )


def test_time_of_writing_is_pinned(tmp_path):
    pytest.importorskip("pyreadstat", reason="needs remyelin[regulatory]")
    write_xpt(dataset(), tmp_path / "one.xpt")
    content = (tmp_path / "one.xpt").read_bytes()
    assert content.count(EPOCH) == 4
    assert len(content) % 80 == 0
    assert b"HEADER RECORD*******LIBRARY HEADER RECORD" in content  # version 8 says LIBV8


@pytest.mark.parametrize(("changes", "field"), [
    ({"frame": pd.DataFrame({"TOOLONGNAME": ["x"]})}, "TOOLONGNAME"),
    ({"frame": pd.DataFrame({"lower": ["x"]})}, "lower"),
    ({"frame": pd.DataFrame({"SITEID": ["Zürich"]})}, "SITEID"),
    ({"frame": pd.DataFrame({"REMARK": ["x" * 201]})}, "REMARK"),
    ({"labels": {"USUBJID": "x" * 41, "AVAL": "Value"}}, "USUBJID"),
    ({"labels": {"USUBJID": "Größe", "AVAL": "Value"}}, "USUBJID"),
])  # fmt: skip
def test_refuses_what_version_5_cannot_hold(tmp_path, changes, field):
    pytest.importorskip("pyreadstat", reason="needs remyelin[regulatory]")
    with pytest.raises(InputError) as caught:
        write_xpt(dataset(**changes), tmp_path / "one.xpt")
    assert caught.value.field == field
    assert not (tmp_path / "one.xpt").exists()


def test_text_of_200_bytes_comes_back(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat", reason="needs remyelin[regulatory]")
    write_xpt(dataset(frame=pd.DataFrame({"REMARK": ["x" * 200]})), tmp_path / "one.xpt")
    assert pyreadstat.read_xport(tmp_path / "one.xpt")[0]["REMARK"].iloc[0] == "x" * 200


def test_panels(folder):
    page = trial_page(folder).read_text()
    for panel in ("results", "baseline", "flow"):
        assert f'<section id="{panel}" class="panel">' in page
    assert "20 participants were randomised: 10 to bexarotene, 10 to placebo." in page
    assert "no p values on purpose" in page
    assert "1 relapse" in page


def test_words_of_users_stay_words(tmp_path):
    fill(tmp_path, reason=EVIL)
    analyse_folder("ccmr-one", tmp_path, tmp_path / "allocation.tsv")
    for text in (trial_page(tmp_path).read_text(), (tmp_path / "consort.svg").read_text()):
        assert "<script" not in text
    assert EVIL in (tmp_path / "consort.tsv").read_text()


def test_diagram_of_many_arms():
    arms = [f"a very long name of a dose {k} mg/kg" for k in range(5)]
    people = pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(50)], "arm": arms * 10, "analysed": True,
            "baseline_at_entry": 1.0, "change": 1.0, "reason": "",
        }
    )  # fmt: skip
    one, two = (flow_diagram(consort(people, arms=arms)) for _ in range(2))
    assert one == two
    assert one.count("recorded)") == 10
    assert "50 participants randomised" in one


def test_diagram_holds_its_last_stage():
    from remyelin.report.flow import _layout

    people = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-2"], "arm": ["a", "b"], "analysed": True,
            "baseline_at_entry": 1.0, "change": 1.0, "reason": "",
        }
    )  # fmt: skip
    flow = consort(people, arms=["a", "b"])
    _, _, stages = _layout(flow, 3.3, 6.9)
    viewbox = re.findall(r'viewBox="0 0 \S+ (\S+)"', flow_diagram(flow))
    assert float(viewbox[0]) >= 72 * max(low for _, low, _ in stages)
