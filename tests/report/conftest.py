"""An output folder as `measure` and `analyse` leave it, made from the phantom without measuring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analytic_head import Head, draw_lesions
from tests.analytic_scanner import Receiver, Scene, scanner_affine

from remyelin.measure.image import Volume, write_volume
from remyelin.tables import Measurements, Results

VIRTUAL = "Virtual data: no person was scanned. The true effect is set to +1.5 pu."
ARMS = {"sub-01": "treated", "sub-02": "placebo", "sub-03": "treated", "sub-04": "placebo"}
ARMS |= {"sub-05": "treated", "sub-06": "placebo"}
MAPPED = ("sub-01", "sub-02", "sub-03")  # those in the middle of their arm are shown on the trial page
FACTS = ("participant_id", "visit", "file", "field", "found", "expected", "fix")


@dataclass
class Folder:
    """Writes an output folder; every method adds one part of it."""

    root: Path

    def describe(self, virtual: bool = True) -> None:
        makers = [{"Name": "remyelin", "Version": "0.1.0", "Description": "with numpy 2.4"}]
        if virtual:
            makers.append({"Name": "remyelin virtual trial", "Version": "0.1.0", "Description": VIRTUAL})
        content = {"Name": "measurements", "BIDSVersion": "1.10.0", "GeneratedBy": makers}
        (self.root / "dataset_description.json").write_text(json.dumps(content))

    def tables(self, rows: list[dict], flags: list[dict] = (), failures: list[dict] = ()) -> None:
        table = Measurements.from_rows(rows, source="remyelin")
        table.write(self.root / "measurements.parquet")
        for participant in table.frame["participant_id"].unique():
            folder = self.root / participant
            folder.mkdir(exist_ok=True)
            table.select(participant_id=participant).write(folder / f"{participant}_measurements.tsv")
            own = [flag for flag in flags if flag["participant_id"] == participant]
            write_tsv(folder / f"{participant}_flags.tsv", own, (*FACTS, "quality"))
        write_tsv(self.root / "flags.tsv", flags, (*FACTS, "quality"))
        write_tsv(self.root / "failures.tsv", failures, FACTS)

    def maps(self, participant: str, head: Head, lesions, before, after, seed: int) -> None:
        rng = np.random.default_rng(seed)
        affine = scanner_affine()
        scene = Scene(head, lesions, np.eye(4), affine)
        for visit, mtr in (("M00", before), ("M06", after)):
            receiver = Receiver.draw(rng)
            off, on = (scene.record(signal, receiver, rng).data for signal in scene.signals(mtr))
            value = np.where(off > 150, 100 * (1 - on / np.maximum(off, 1)), np.nan)
            name = f"{participant}_ses-{visit}_space-halfway_MTRmap.nii.gz"
            write_volume(Volume(value, affine), self.root / participant / f"ses-{visit}" / "anat" / name)
        labels = np.zeros(scene.shape, np.float32)
        for k, lesion in enumerate(lesions):
            voxels, fraction, _ = scene.lesion_voxels(lesion)
            labels[tuple(voxels[fraction >= 0.5].T)] = k + 1
        name = f"{participant}_space-halfway_desc-lesion_dseg.nii.gz"
        write_volume(Volume(labels, affine), self.root / participant / "anat" / name, dtype=np.int16)


def write_tsv(path: Path, rows: list[dict], columns: tuple[str, ...] = ()) -> None:
    pd.DataFrame(list(rows), columns=list(columns) or None).to_csv(path, sep="\t", index=False, na_rep="n/a")


def measured(participant: str, before: np.ndarray, after: np.ndarray, volumes: np.ndarray) -> list[dict]:
    """The rows of one participant: every lesion at both visits, tissue, registrations, calibration."""
    rows: list[dict] = []

    def add(visit: str, site: str, measure: str, value: float, unit: str, **more: object) -> None:
        day = {"M00": 0, "M06": 180}[visit]
        row = {"participant_id": participant, "visit": visit, "day": day, "site": site, "measure": measure}
        rows.append(
            {
                **row,
                "value": float(value),
                "unit": unit,
                "se": 0.3,
                "state": "present",
                "quality": "pass",
                **more,
            }
        )

    for visit, mtr in (("M00", before), ("M06", after)):
        for k, value in enumerate(mtr):
            site = f"lesion:{k + 1:03d}"
            add(visit, site, "mtr_pu", value, "pu", se=0.6)
            add(visit, site, "mtr_pu", value - 1, "pu", condition="part=core")
            add(visit, site, "lesion_volume_mm3", volumes[k], "mm3")
        add(visit, "tissue:nawm", "mtr_pu", 40 + 0.1 * (visit == "M06"), "pu")
        add(visit, "participant", "lesion_count", len(mtr), "1", condition="step=mask")
        add(visit, "participant", "lesion_count", len(mtr) - 1, "1", condition="step=min-volume")
        add(
            visit,
            "participant",
            "registration_error_mm",
            0.02 + 0.001 * len(mtr),
            "mm",
            condition="pair=on-off",
        )
    doubt = {"quality": "flag", "reason": "moved 6 mm"} if participant == "sub-03" else {}
    error = {"condition": "pair=M00-M06", **doubt}
    add("M06", "participant", "registration_error_mm", 0.031 + 0.2 * bool(doubt), "mm", **error)
    add("M06", "participant", "mtr_calibration_slope", 0.78, "1", se=0.03)
    return rows


@pytest.fixture(scope="session")
def trial_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analysed trial of six participants with maps. Read only: copy it before altering it."""
    folder = Folder(tmp_path_factory.mktemp("out"))
    folder.describe()
    rows: list[dict] = []
    endpoints: list[dict] = []
    for i, (participant, arm) in enumerate(ARMS.items()):
        rng = np.random.default_rng([20, i])
        head = Head.draw(rng)
        lesions = draw_lesions(head, 14 + i, rng)
        before = rng.normal(31, 3, len(lesions))
        low = before < np.median(before)
        after = before + rng.normal(0.1, 0.6, len(lesions)) + 1.5 * (low & (arm == "treated"))
        volumes = np.array([lesion.volume_mm3 for lesion in lesions])
        rows += measured(participant, before, after, volumes)
        change = float((after - before)[low].mean())
        endpoints.append(
            {
                "endpoint": "submedian-lesion-mtr",
                "participant_id": participant,
                "arm": arm,
                "baseline": before[low].mean(),
                "follow_up": after[low].mean(),
                "change": change,
                "se": 0.25,
                "n_sites": len(lesions),
                "n_selected": int(low.sum()),
                "rtm": 0.1,
                "change_rtm_removed": change - 0.1,
                "change_precision_weighted": change,
                "quality": "pass",
                "reason": "",
            }
        )
        if participant in MAPPED:
            folder.maps(participant, head, lesions, before, after, i)
    rows.append(vanished := {**rows[0], "site": "lesion:099", "value": 30.0, "visit": "M00", "day": 0})
    rows.append({**vanished, "visit": "M06", "day": 180, "value": None, "se": None, "state": "absent"})
    rows[-1]["reason"] = "vanished at M06"
    flag = dict(
        zip(
            FACTS,
            ("sub-04", "M06", "sub-04_M06.nii.gz", "qform", "unlike sform", "alike", "resave"),
            strict=True,
        )
    )
    folder.tables(rows, [{**flag, "quality": "flag"}])
    write_tsv(folder.root / "endpoints.tsv", endpoints)
    write_tsv(folder.root / "attrition.tsv", ATTRITION)
    Results.from_rows(results()).write(folder.root / "results.tsv")
    (folder.root / "methods.txt").write_text(
        "MTR was computed from MT-off and MT-on images.\nLesions were followed.\n"
    )
    (folder.root / "remyelin.toml").write_text("[measure]\nmin_volume_mm3 = 0.0\n")
    (folder.root / "protocol.toml").write_text(SETTINGS)
    return folder.root


ATTRITION = [
    {"step": "lesions with a baseline", "participants": 6, "sites": 93, "reason": ""},
    {"step": "below the median", "participants": 6, "sites": 45, "reason": "the endpoint selects them"},
]

SETTINGS = """
[trial]
id = "demo"
title = "A virtual trial of lesional MTR"
design = "parallel"
[[arm]]
id = "treated"
n = 3
treatment = "virtual"
[[arm]]
id = "placebo"
n = 3
[[endpoint]]
id = "submedian-lesion-mtr"
role = "primary"
measure = "mtr_pu"
site = "lesion"
select = "submedian"
"""


def results() -> list[dict]:
    base = {
        "endpoint": "submedian-lesion-mtr",
        "contrast": "treated - placebo",
        "df": 3.0,
        "statistic": 4.9,
        "p": 0.0162,
        "unit": "pu",
        "n_participants": 6,
        "n_sites": 45,
    }
    rows = []
    for sibling, estimate, half, said in (
        ("", 1.412, 0.914, True),
        (" (regression to the mean removed)", 1.395, 0.95, False),
        (" (precision-weighted mean of lesions)", 1.36, 0.71, False),
        (" (regression to the mean removed, calibrated)", 1.81, 1.22, False),
    ):
        low, high = estimate - half, estimate + half
        row = {
            "estimate": estimate,
            "se": half / 3.18,
            "ci_low": low,
            "ci_high": high,
            "estimator": "ancova",
        }
        name = base["endpoint"] + sibling
        rows.append({**base, **row, "endpoint": name, "analysis_set": "completers", "prespecified": said})
    return rows


@pytest.fixture(scope="session")
def eye_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measured evoked potentials of two participants. Read only: copy it before altering it."""
    from .eyes import write_folder

    root = tmp_path_factory.mktemp("eyes")
    write_folder(root)
    return root


@pytest.fixture
def folder(trial_folder: Path, tmp_path: Path) -> Path:
    """A copy of the analysed trial that a test may alter."""
    import shutil

    target = tmp_path / "out"
    shutil.copytree(trial_folder, target)
    return target
