"""MTsat from recordings to rows: what was put into a virtual head by the signal equation comes out again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.analytic_head import Head, VirtualLesion
from tests.analytic_scanner import Scene, draw_pose, scanner_affine

from remyelin.errors import InputError
from remyelin.measure.b1 import read_b1
from remyelin.measure.dataset import Dataset
from remyelin.measure.image import MTPair, Volume, write_volume
from remyelin.measure.lesion_mtr import DEGREE
from remyelin.measure.mts import MTS, read_mts
from remyelin.measure.run import Summary, measure_participants, resolve_settings
from remyelin.measure.spill import Spills
from remyelin.measure.visit import load_visit
from remyelin.measure.weights import soft_masks

SHAPE, VOXEL_MM = (48, 56, 46), 2.5
TR_S, FLIP_DEG = 0.025, {"mtw": 5.0, "pdw": 5.0, "t1w": 12.0}
LABEL = {"mtw": "flip-1_mt-on", "pdw": "flip-1_mt-off", "t1w": "flip-2_mt-off"}
# Amplitude, R1 in 1/s, saturation of one pulse at the nominal angle in pu.
TISSUE = {
    "wm": (0.70, 1.10, 1.80),
    "gm": (0.82, 0.65, 0.90),
    "deep": (0.78, 0.80, 1.20),
    "csf": (1.00, 0.28, 0.05),
    "skull": (0.05, 1.00, 0.50),
    "scalp": (0.90, 1.50, 0.30),
}
LESION_A, LESION_R1 = 0.80, 0.75
LESION_PU = ((1.0, 1.2, 0.8, 1.1), (1.3, 1.2, 0.8, 1.1))
NOISE = 0.0004  # of the amplitude: SNR about 140 in the PD-weighted image
HELMS_C = 0.4


def field(points: np.ndarray) -> np.ndarray:
    """Local over nominal flip angle, 0.8 to 1.2 in the head."""
    return 1 + 0.2 * np.cos(np.linalg.norm(points - [12.0, 5.0, 0.0], axis=-1) / 22)


def echo(amplitude: float, r1: float, flip_deg: float, b1: np.ndarray, pu: float | None) -> np.ndarray:
    """The steady state of a spoiled gradient echo whose magnetisation is saturated before each pulse."""
    angle, e1 = np.deg2rad(flip_deg) * b1, np.exp(-r1 * TR_S)
    kept = 1.0 if pu is None else 1 - pu / 100 * b1**2 * (1 - HELMS_C * b1) / (1 - HELMS_C)
    return amplitude * np.sin(angle) * kept * (1 - e1) / (1 - np.cos(angle) * kept * e1)


def by_convention(pu: float, r1: float) -> float:
    """What MTsat calls a saturation of `pu` (see `mtsat_map`), at the flip angle of the MT-weighted image."""
    part, angle = pu / 100, np.deg2rad(FLIP_DEG["mtw"])
    return 100 * part / (1 - part) * (1 + r1 * TR_S / 2) * (1 + angle**2 / 4)


@dataclass(frozen=True)
class Recorded:
    """One head in one visit; images of any weighting in any pose."""

    scene: Scene
    lesion_pu: tuple[float, ...]

    def points(self, scene: Scene) -> np.ndarray:
        index = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), -1)
        return index @ scene.affine[:3, :3].T + scene.affine[:3, 3]

    def compartments(self, scene: Scene) -> list[tuple[np.ndarray, tuple[float, float, float]]]:
        """Part of each voxel, with amplitude, R1 and saturation."""
        to_head = np.linalg.inv(scene.pose)
        points = self.points(scene).reshape(-1, 3) @ to_head[:3, :3].T + to_head[:3, 3]
        parts = {k: f.reshape(SHAPE) for k, f in scene.head.fractions(points, VOXEL_MM).items()}
        drawn = []
        for lesion, pu in zip(scene.lesions, self.lesion_pu, strict=True):
            voxels, fraction, _ = scene.lesion_voxels(lesion)
            filled = np.zeros(SHAPE)
            filled[tuple(voxels.T)] = fraction
            parts = {k: f * (1 - filled) for k, f in parts.items()}
            drawn.append((filled, (LESION_A, LESION_R1, pu)))
        return [(parts[k], TISSUE[k]) for k in TISSUE] + drawn

    def image(self, weighting: str, pose: np.ndarray, rng: np.random.Generator) -> Volume:
        scene = replace(self.scene, pose=pose @ self.scene.pose)
        b1, on = field(self.points(scene)), weighting == "mtw"
        signal = sum(
            part * echo(a, r1, FLIP_DEG[weighting], b1, pu if on else None)
            for part, (a, r1, pu) in self.compartments(scene)
        )
        real, imaginary = rng.normal(0, NOISE, (2, *SHAPE))
        return Volume(1e5 * np.hypot(signal + real, imaginary), scene.affine)

    def truth(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """MTsat and R1 by parts of voxels, and the mask of each lesion."""
        parts = self.compartments(self.scene)
        mtsat = sum(part * by_convention(pu, r1) for part, (_, r1, pu) in parts)
        r1 = sum(part * r1 for part, (_, r1, _) in parts)
        return mtsat, r1, [part >= 0.5 for part, _ in parts[len(TISSUE) :]]


def put(root: Path, path: str, image: Volume, dtype: type = np.float32, **sidecar: object) -> None:
    write_volume(image, root / f"{path}.nii.gz", dtype=dtype)
    (root / f"{path}.json").write_text(json.dumps(sidecar))


def put_mts(root: Path, folder: str, name: str, image: Volume) -> None:
    stem = folder.replace("/", "_")
    facts = {"MTState": name == "mtw", "FlipAngle": FLIP_DEG[name], "RepetitionTimeExcitation": TR_S}
    put(root, f"{folder}/anat/{stem}_{LABEL[name]}_MTS", image, **facts)


def put_b1(root: Path, folder: str, recorded: Recorded, scale: float) -> None:
    """On a grid of its own, four times as coarse as that of the images, known in the head only."""
    coarse = (13, 15, 13)
    affine = scanner_affine(coarse, 10.0)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in coarse], indexing="ij"), -1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    inside = np.linalg.norm(points / (recorded.scene.head.brain_mm + 20), axis=-1) < 1
    stem = folder.replace("/", "_")
    put(root, f"{folder}/fmap/{stem}_TB1map", Volume(scale * field(points) * inside, affine))


def put_segmentation(root: Path, folder: str, recorded: Recorded) -> None:
    parts = recorded.compartments(recorded.scene)
    shares = np.stack([parts[k][0] for k in range(4)])  # wm, gm, deep, csf
    labels = np.where(shares.max(0) > 0.5, np.array([1, 2, 2, 3])[shares.argmax(0)], 0)
    stem = f"derivatives/seg/{folder}/anat/{folder.replace('/', '_')}"
    put(root, f"{stem}_dseg", Volume(labels, recorded.scene.affine), np.uint8)
    (root / f"{stem}_dseg.tsv").write_text("index\tname\n1\twhite matter\n2\tgrey matter\n3\tCSF\n")
    put(root, f"{stem}_label-brain_mask", Volume(shares.sum(0) > 0.5, recorded.scene.affine), np.uint8)


def put_lesions(root: Path, folder: str, recorded: Recorded) -> None:
    stem = f"derivatives/lesions/{folder}/anat/{folder.replace('/', '_')}"
    mask = np.logical_or.reduce(recorded.truth()[2])
    put(root, f"{stem}_label-lesion_mask", Volume(mask, recorded.scene.affine), np.uint8)


def deep_lesions(head: Head, rng: np.random.Generator) -> tuple[VirtualLesion, ...]:
    """Four balls of different size, with nothing but white matter around: two compartments."""
    found: list[VirtualLesion] = []
    around = rng.normal(size=(200, 3))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    while len(found) < len(LESION_PU[0]):
        centre, radius = rng.uniform(-1, 1, 3) * head.brain_mm, 7.0 - 0.7 * len(found)
        apart = all(np.linalg.norm(centre - other.centre_mm) > 20 for other in found)
        points = centre + (radius + 4) * around * rng.uniform(0, 1, (200, 1)) ** (1 / 3)
        if apart and head.fractions(points, VOXEL_MM)["wm"].mean() > 0.97:
            found.append(VirtualLesion(centre, np.full(3, radius), np.eye(3)))
    return tuple(found)


@dataclass(frozen=True)
class World:
    root: Path
    visits: Mapping[str, Recorded]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """01: two visits with MTS and TB1map only. 02: an MTR pair, MTS elsewhere, no TB1map. 03: TR in ms."""
    root, rng = tmp_path_factory.mktemp("bids"), np.random.default_rng(11)
    description = {"Name": "virtual MTsat", "BIDSVersion": "1.9.0"}
    (root / "dataset_description.json").write_text(json.dumps(description))
    head = Head.draw(rng)
    lesions = deep_lesions(head, rng)
    affine = scanner_affine(SHAPE, VOXEL_MM)
    visits = {}
    for k, visit in enumerate(("M00", "M06")):
        pose = draw_pose(rng, 1.5, 1.5)
        recorded = Recorded(Scene(head, lesions, pose, affine, SHAPE), LESION_PU[k])
        folder = f"sub-01/ses-{visit}"
        for name in LABEL:
            still = np.eye(4) if name == "pdw" else draw_pose(rng, 0.8, 0.5)
            put_mts(root, folder, name, recorded.image(name, still, rng))
        put_b1(root, folder, recorded, (100.0, 1.0)[k])
        put_lesions(root, folder, recorded)
        put_segmentation(root, folder, recorded)
        visits[visit] = recorded
    recorded = visits["M00"]
    for folder in ("sub-02/ses-M00", "sub-03/ses-M00"):
        for name in LABEL:
            put_mts(root, folder, name, recorded.image(name, draw_pose(rng, 0.8, 0.5), rng))
        for state, name in (("off", "pdw"), ("on", "mtw")):
            stem = f"{folder}/anat/{folder.replace('/', '_')}_mt-{state}_MTR"
            put(root, stem, recorded.image(name, np.eye(4), rng), MTState=state == "on")
        put_lesions(root, folder, recorded)
    change(root / "sub-03/ses-M00/anat/sub-03_ses-M00_flip-2_mt-off_MTS.json", RepetitionTimeExcitation=25)
    return World(root, visits)


def change(path: Path, **facts: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


@pytest.fixture(scope="module")
def measured(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("out")
    # Two voxels, so that what is left of white matter is nothing else.
    settings = resolve_settings(given={"nawm_erode_mm": 4.0})
    return out, measure_participants(world.root, out, settings, progress=False)


def table(out: Path, person: str) -> pd.DataFrame:
    path = out / person / f"{person}_measurements.tsv"
    rows = pd.read_csv(path, sep="\t", dtype={"condition": object, "reason": object})
    return rows.fillna({"condition": "", "reason": ""})


def main_rows(rows: pd.DataFrame, measure: str, visit: str) -> pd.DataFrame:
    own = rows[(rows["measure"] == measure) & (rows["visit"] == visit) & (rows["condition"] == "")]
    return own.set_index("site")


def lesion_at(world: World, out: Path) -> list[int]:
    """For each named lesion, which of the virtual ones it is; the names do not follow their order."""
    from scipy import ndimage

    masks = world.visits["M00"].truth()[2]
    _, n = ndimage.label(np.logical_or.reduce(masks), np.ones((3, 3, 3)))
    assert n == len(masks)
    volumes = main_rows(table(out, "sub-01"), "lesion_volume_mm3", "M00")["value"].astype(float)
    sizes = [mask.sum() * VOXEL_MM**3 for mask in masks]
    assert len(set(sizes)) == len(sizes)
    return [int(np.argmin(np.abs(np.array(sizes) - volume))) for volume in volumes.sort_index()]


def weighed(truth: np.ndarray, home: Recorded) -> np.ndarray:
    """A map of known values under the weights that lesions are measured with, without images or poses."""
    labels = np.zeros(SHAPE, int)
    for k, mask in enumerate(home.truth()[2]):
        labels[mask] = k + 1
    ids = tuple(f"{k + 1:03d}" for k in range(labels.max()))
    lesions = SimpleNamespace(ids=ids, home=(0,) * len(ids), labels=(labels,))
    image = Volume(truth.astype(np.float32), home.scene.affine)
    poses = SimpleNamespace(off=[np.eye(4)], on=[np.eye(4)])
    pairs = [MTPair("M00", image, image, labels >= 0)]
    return Spills.of(pairs, poses, soft_masks(lesions), "none", DEGREE).level(image, np.eye(4))[0][:, 0]


@pytest.mark.parametrize("measure", ["mtsat_pu", "r1_per_s"])
def test_what_was_put_in_comes_out_at_every_visit(
    world: World, measured: tuple[Path, Summary], measure: str
) -> None:
    rows, home = table(measured[0], "sub-01"), world.visits["M00"]
    named = lesion_at(world, measured[0])
    for visit, recorded in world.visits.items():
        own = main_rows(rows, measure, visit)
        # On a grid this coarse the pose of the T1-weighted image may be uncertain enough to be flagged.
        assert "fail" not in set(own["quality"]), own["reason"].tolist()
        truth = replace(home, lesion_pu=recorded.lesion_pu).truth()[measure == "r1_per_s"]
        expected = weighed(truth, home)
        for k, which in enumerate(named):
            value, se = own.loc[f"lesion:{k + 1:03d}", ["value", "se"]]
            assert abs(value - expected[which]) < 2 * se + 0.015 * expected[which], (visit, k)
        _, r1, pu = TISSUE["wm"]
        white = by_convention(pu, r1) if measure == "mtsat_pu" else r1
        assert own.loc["tissue:nawm", "value"] == pytest.approx(white, rel=0.02)


def test_a_change_of_mtsat_is_seen_beyond_its_standard_error(
    world: World, measured: tuple[Path, Summary]
) -> None:
    out, _ = measured
    rows, named = table(out, "sub-01"), lesion_at(world, measured[0])
    before, after = (main_rows(rows, "mtsat_pu", visit) for visit in ("M00", "M06"))
    for k, which in enumerate(named):
        site = f"lesion:{k + 1:03d}"
        gain = float(after.loc[site, "value"]) - float(before.loc[site, "value"])
        se = np.hypot(float(after.loc[site, "se"]), float(before.loc[site, "se"]))
        assert 0 < se < 0.1
        if which == 0:
            assert gain > 4 * se
        else:
            assert abs(gain) < 0.06


def test_halves_and_registration_errors_have_rows(measured: tuple[Path, Summary]) -> None:
    rows = table(measured[0], "sub-01")
    halves = rows[(rows["measure"] == "mtsat_pu") & rows["condition"].isin(["half=a", "half=b"])]
    assert len(halves) == 2 * 2 * 4
    registered = rows[rows["measure"] == "registration_error_mm"].groupby("visit")["condition"].agg(set)
    assert {"pair=on-off", "pair=t1w-off"} <= registered["M00"]
    assert not {"pair=pdw-off", "pair=mtw-off"} & registered["M00"]
    other = table(measured[0], "sub-02")
    errors = other[other["measure"] == "registration_error_mm"].set_index("condition")["value"].astype(float)
    assert set(errors.index) == {"pair=on-off", "pair=mtw-off", "pair=pdw-off", "pair=t1w-off"}
    assert errors.max() < 0.3


def test_mts_images_serve_as_the_mt_pair_of_a_visit_without_one(
    world: World, measured: tuple[Path, Summary]
) -> None:
    rows = table(measured[0], "sub-01")
    mtr = main_rows(rows, "mtr_pu", "M00")
    off = echo(*TISSUE["wm"][:2], 5.0, np.ones(1), None)
    on = echo(*TISSUE["wm"][:2], 5.0, np.ones(1), TISSUE["wm"][2])
    expected = float(100 * (1 - on / off)[0])
    assert float(mtr.loc["tissue:nawm", "value"]) == pytest.approx(expected, rel=0.1)  # B1 is in MTR
    assert mtr.loc["tissue:nawm", "source"].endswith("flip-1_mt-off_MTS.nii.gz")
    assert sum(site.startswith("lesion:") for site in mtr.index) == 4


def test_without_a_map_of_b1_the_values_say_so(measured: tuple[Path, Summary]) -> None:
    rows = table(measured[0], "sub-02")
    own = rows[rows["measure"].isin(["mtsat_pu", "r1_per_s"])]
    assert set(own["quality"]) == {"flag"}
    assert own["reason"].str.contains("TB1map: missing: MTsat and R1 are not corrected for B1").all()
    others = rows[~rows["measure"].isin(["mtsat_pu", "r1_per_s"])]
    assert not others["reason"].str.contains("TB1map").any()
    flags = pd.read_csv(measured[0] / "sub-02/sub-02_flags.tsv", sep="\t")
    assert "TB1map" in set(flags["field"])


def test_the_wrong_unit_of_a_time_costs_mtsat_and_nothing_else(measured: tuple[Path, Summary]) -> None:
    out, summary = measured
    assert [(f["participant_id"], f["visit"], f["field"], f["found"]) for f in summary.failures] == [
        ("sub-03", "M00", "MTsat: RepetitionTimeExcitation", "25")
    ]
    assert summary.failures[0]["file"].endswith("sub-03_ses-M00_flip-2_mt-off_MTS.json")
    rows = table(out, "sub-03")
    assert not rows["measure"].isin(["mtsat_pu", "r1_per_s"]).any()
    mtr = main_rows(rows, "mtr_pu", "M00")
    assert (mtr["quality"] == "pass").all()
    assert len(mtr) == 5  # brain and four lesions


def test_maps_are_valid_bids_and_say_how_they_were_made(world: World, measured: tuple[Path, Summary]) -> None:
    import nibabel as nib

    out, _ = measured
    stem = out / "sub-01/ses-M00/anat/sub-01_ses-M00"
    mtsat = nib.load(f"{stem}_MTsat.nii.gz").get_fdata()
    white = world.visits["M00"].compartments(world.visits["M00"].scene)[0][0] > 0.999
    assert np.median(mtsat[white]) == pytest.approx(by_convention(TISSUE["wm"][2], TISSUE["wm"][1]), rel=0.02)
    sidecar = json.loads(Path(f"{stem}_MTsat.json").read_text())
    assert "helms, C 0.4" in sidecar["EstimationAlgorithm"]
    assert sidecar["Sources"][-1].endswith("TB1map.nii.gz")
    assert json.loads(Path(f"{stem}_R1map.json").read_text())["Units"] == "1/s"
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run([str(validator), str(out), "--json"], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue.get("severity") == "error"] == []


def test_uncorrected_mtsat_follows_b1_and_the_correction_takes_it_out(
    world: World, measured: tuple[Path, Summary]
) -> None:
    """In white matter far from its borders, where MTsat is the same everywhere but for B1."""
    from scipy import ndimage

    from remyelin.measure.mtr import mtsat_map

    recorded = world.visits["M00"]
    mts = read(world.root)
    white = ndimage.binary_erosion(recorded.compartments(recorded.scene)[0][0] > 0.999)
    b1 = field(recorded.points(recorded.scene))
    assert np.nanmax(np.abs(mts.b1[white] - b1[white])) < 0.02
    images = [recorded.image(n, np.eye(4), np.random.default_rng(k)).data for k, n in enumerate(LABEL)]
    found = {
        name: mtsat_map(*images, tr_s=mts.tr_s, flip_deg=mts.flip_deg, b1=field_, b1_correction=correction)
        for name, field_, correction in (("helms", mts.b1, "helms"), ("none", None, None))
    }
    low, high = white & (b1 < 0.9), white & (b1 > 1.1)
    spread = {name: np.median(m.mtsat_pu[high]) / np.median(m.mtsat_pu[low]) for name, m in found.items()}
    assert spread["none"] > 1.05 or spread["none"] < 0.95
    assert spread["helms"] == pytest.approx(1, abs=0.02)


def read(root: Path, person: str = "sub-01", *, correct_b1: bool = True) -> MTS:
    visit = Dataset.index(root, [person]).participants[0].visits[0]
    return read_mts(load_visit(visit, root), root, correct_b1=correct_b1)


@pytest.fixture
def one(world: World, tmp_path: Path) -> Path:
    """The visit of participant 02 by itself, to be damaged: `anat`."""
    shutil.copytree(world.root / "sub-02", tmp_path / "sub-02")
    shutil.copy(world.root / "dataset_description.json", tmp_path)
    return tmp_path / "sub-02/ses-M00/anat"


STEM = "sub-02_ses-M00_"


def exchange_angles(anat: Path) -> None:
    change(anat / f"{STEM}flip-1_mt-off_MTS.json", FlipAngle=12)
    change(anat / f"{STEM}flip-2_mt-off_MTS.json", FlipAngle=5)


def without(key: str) -> Callable[[Path], None]:
    def damage(anat: Path) -> None:
        path = anat / f"{STEM}flip-2_mt-off_MTS.json"
        facts = json.loads(path.read_text())
        del facts[key]
        path.write_text(json.dumps(facts))

    return damage


DAMAGE = {
    "flip angles exchanged": (
        exchange_angles,
        "FlipAngle",
        "5 degrees, less T1-weighted than the 12 of flip-1",
    ),
    "MTState against the name": (
        lambda anat: change(anat / f"{STEM}flip-2_mt-off_MTS.json", MTState=True),
        "MTState",
        "true",
    ),
    "one angle for both": (
        lambda anat: change(anat / f"{STEM}flip-2_mt-off_MTS.json", FlipAngle=5),
        "FlipAngle",
        "5 degrees at the same TR",
    ),
    "another angle under one index": (
        lambda anat: change(anat / f"{STEM}flip-1_mt-on_MTS.json", FlipAngle=9),
        "FlipAngle",
        "9 degrees, and 5",
    ),
    "TR in ms": (
        lambda anat: change(anat / f"{STEM}flip-1_mt-on_MTS.json", RepetitionTimeExcitation=25),
        "RepetitionTimeExcitation",
        "25",
    ),
    "angle in radians": (
        lambda anat: change(anat / f"{STEM}flip-1_mt-on_MTS.json", FlipAngle=0.087),
        "FlipAngle",
        "0.087",
    ),
    "no TR": (without("RepetitionTimeExcitation"), "RepetitionTimeExcitation", "missing"),
    "no angle": (without("FlipAngle"), "FlipAngle", "missing"),
    "T1-weighted missing": (
        lambda anat: (anat / f"{STEM}flip-2_mt-off_MTS.nii.gz").unlink(),
        "T1-weighted image",
        "missing",
    ),
    "PD-weighted missing": (
        lambda anat: (anat / f"{STEM}flip-1_mt-off_MTS.nii.gz").unlink(),
        "PD-weighted image",
        "missing",
    ),
    "MT-weighted missing": (
        lambda anat: (anat / f"{STEM}flip-1_mt-on_MTS.nii.gz").unlink(),
        "MT-weighted image",
        "missing",
    ),
    "one copied over another": (
        lambda anat: shutil.copy(
            anat / f"{STEM}flip-1_mt-off_MTS.nii.gz", anat / f"{STEM}flip-2_mt-off_MTS.nii.gz"
        ),
        "voxels",
        "identical to",
    ),
    "a fourth image": (
        lambda anat: [
            shutil.copy(
                anat / f"{STEM}flip-2_mt-off_MTS.{kind}",
                anat / f"sub-02_ses-M00_run-2_flip-2_mt-off_MTS.{kind}",
            )
            for kind in ("nii.gz", "json")
        ],
        "choice",
        "one of several",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_what_is_wrong_with_a_recording_is_named(one: Path, case: str) -> None:
    damage, field_name, found = DAMAGE[case]
    damage(one)
    with pytest.raises(InputError) as caught:
        read(one.parents[2], "sub-02")
    assert caught.value.field == field_name
    assert caught.value.found.startswith(found)


def test_repetition_time_serves_where_that_of_excitation_is_not_told(one: Path) -> None:
    for path in one.glob("*_MTS.json"):
        facts = json.loads(path.read_text())
        facts["RepetitionTime"] = facts.pop("RepetitionTimeExcitation")
        path.write_text(json.dumps(facts))
    assert read(one.parents[2], "sub-02").tr_s == (TR_S,) * 3


def test_no_correction_needs_no_map_and_no_flag(one: Path) -> None:
    assert read(one.parents[2], "sub-02", correct_b1=False).flags == ()
    assert resolve_settings(given={"b1_correction": "none"}).b1_correction == "none"


def test_a_visit_with_mts_of_one_state_only_is_named_and_not_guessed(one: Path) -> None:
    for path in [*one.glob("*_MTR*"), *one.glob("*mt-on_MTS*")]:
        path.unlink()
    dataset = Dataset.index(one.parents[2])
    assert [failure.error.field for failure in dataset.failures] == ["mt-on image"]


GRID = Volume(np.ones((8, 8, 8), np.float32), np.eye(4), "off.nii.gz")
PAIR = MTPair("M00", GRID, GRID, np.ones((8, 8, 8), bool))


def b1_file(folder: Path, values: np.ndarray, shift: float = 0.0, **sidecar: object) -> Path:
    affine = np.eye(4)
    affine[0, 3] = shift
    put(folder, "sub-01_TB1map", Volume(values, affine), **sidecar)
    return folder / "sub-01_TB1map.nii.gz"


RAMP = np.linspace(0.8, 1.2, 512).reshape(8, 8, 8)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_b1_is_recognised_as_ratio_or_percent(tmp_path: Path, scale: float) -> None:
    found, flags = read_b1(b1_file(tmp_path, scale * RAMP), tmp_path, PAIR)
    np.testing.assert_allclose(found, RAMP, rtol=1e-6)
    assert flags == []


@pytest.mark.parametrize(
    ("values", "shift", "sidecar", "field_name"),
    [
        (800 * RAMP, 0.0, {}, "B1"),  # angles times 10
        (RAMP**16, 0.0, {}, "B1"),
        (RAMP, 0.0, {"Units": "percent"}, "Units"),
        (RAMP, 50.0, {}, "position"),
    ],
)
def test_a_map_that_is_not_b1_is_refused(
    tmp_path: Path, values: np.ndarray, shift: float, sidecar: dict[str, object], field_name: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_b1(b1_file(tmp_path, values, shift, **sidecar), tmp_path, PAIR)
    assert caught.value.field == field_name


def test_unknown_voxels_of_b1_stay_unknown_and_are_flagged(tmp_path: Path) -> None:
    values = RAMP.copy()
    values[:2] = 0
    found, flags = read_b1(b1_file(tmp_path, values), tmp_path, PAIR)
    assert np.isnan(found[:2]).all()
    np.testing.assert_allclose(found[2:], RAMP[2:], rtol=1e-6)
    assert [flag.found for flag in flags] == ["known in 75% of the brain"]
