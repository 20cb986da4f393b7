"""Checks that catch silent harm: what must be refused or flagged, and what must pass without a word."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.checks import check_pair, check_visits
from remyelin.measure.dataset import Dataset, Visit
from remyelin.measure.flip import asymmetry_correlation, check_flips
from remyelin.measure.image import MTPair, Volume, read_volume, write_volume
from remyelin.measure.mask import head_mask
from remyelin.measure.motion import motion
from remyelin.measure.poses import Poses
from remyelin.measure.sidecar import Sidecar
from remyelin.measure.visit import LoadedVisit, load_visit

SHAPE, AFFINE = (36, 44, 36), np.diag([3.0, 3.0, 3.0, 1.0]) @ np.eye(4)
AFFINE[:3, 3] = [-54, -66, -54]
PLAIN = {"RepetitionTime": 0.028, "EchoTime": 0.005, "FlipAngle": 5, "MagneticFieldStrength": 3}


def sidecar(name: str = "off.json", **values) -> Sidecar:
    content = {**PLAIN, **values}
    return Sidecar(content, dict.fromkeys(content, name), name)


BOTH = (sidecar("off.json"), sidecar("on.json"))


def head(seed: int = 0, pose=None, noise: float = 0.02, asymmetry: float = 1.0) -> tuple[Volume, Volume]:
    """MT-off (1000) and MT-on (40 pu in tissue, 5 in fluid) of a head, symmetric but for blobs on a side."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), -1)
    world = grid @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    if pose is not None:
        back = np.linalg.inv(pose)
        world = world @ back[:3, :3].T + back[:3, 3]
    x, y, z = np.moveaxis(world, -1, 0)
    inside = (x / 42) ** 2 + (y / 54) ** 2 + (z / 42) ** 2 < 1
    fluid = ((np.abs(x) - 9) / 6) ** 2 + (y / 20) ** 2 + (z / 9) ** 2 < 1
    places = np.random.default_rng(99).uniform([8, -35, -25], [30, 35, 25], (14, 3))
    tissue = sum(
        np.exp(-(((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / 40))
        * (1 if k % 2 else -1) * asymmetry
        for k, (a, b, c) in enumerate(places)
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    off = np.where(inside, 1000 * (1 - 0.12 * tissue), 0)
    on = off * np.where(fluid, 0.95, 0.6 + 0.05 * tissue)
    scans = [np.abs(image + rng.normal(0, 1000 * noise, SHAPE)).astype(np.float32) for image in (off, on)]
    return Volume(scans[0], AFFINE, f"off{seed}.nii.gz"), Volume(scans[1], AFFINE, f"on{seed}.nii.gz")


def mirrored(volume: Volume) -> Volume:
    return replace(volume, data=np.ascontiguousarray(volume.data[::-1]))


def test_an_ordinary_pair_passes_without_a_word():
    assert check_pair(*head(), BOTH) == []


@given(gain=st.floats(1e-3, 1e3))
@settings(max_examples=8, deadline=None)
def test_the_gain_of_the_scanner_does_not_matter(gain):
    off, on = head()
    off, on = (replace(image, data=image.data * np.float32(gain)) for image in (off, on))
    assert check_pair(off, on, BOTH) == []
    with pytest.raises(InputError, match="swapped"):
        check_pair(on, off, BOTH)


def test_swapped_images_are_refused_and_both_are_named():
    off, on = head()
    with pytest.raises(InputError) as caught:
        check_pair(on, off, BOTH)
    assert "off0.nii.gz" in str(caught.value)
    assert "on0.nii.gz" in str(caught.value)


@pytest.mark.parametrize("factor", [1.0, 0.7, 2.0])
def test_a_copy_is_refused_whatever_its_scale(factor):
    off, _ = head()
    copy = Volume(off.data * np.float32(factor), AFFINE, "on.nii.gz")
    with pytest.raises(InputError, match="identical"):
        check_pair(off, copy, BOTH)


def test_a_second_scan_without_pulse_is_no_copy_but_must_not_be_used():
    off, _ = head(0)
    again, _ = head(1)
    (flag,) = check_pair(off, again, BOTH)
    assert ("pulse" in flag.fix, flag.quality) == (True, "fail")


@pytest.mark.parametrize(("which", "factor"), [("on", 0.1), ("on", 1e-3), ("off", 0.1)])
def test_a_lost_scale_is_refused_and_the_image_that_lost_it_is_named(which, factor):
    off, on = head()
    lost = replace(
        off if which == "off" else on, data=(off if which == "off" else on).data * np.float32(factor)
    )
    with pytest.raises(InputError, match="scale") as caught:
        check_pair(*((lost, on) if which == "off" else (off, lost)), BOTH)
    assert caught.value.file == lost.file


def test_images_that_do_not_overlap_are_refused():
    off, on = head()
    far = AFFINE.copy()
    far[:3, 3] += 500
    with pytest.raises(InputError, match="overlap"):
        check_pair(off, replace(on, affine=far), BOTH)


@pytest.mark.parametrize(("shift_mm", "n_flags"), [(0.0, 0), (1.0, 0), (8.0, 1)])
def test_another_position_is_flagged_beyond_half_a_voxel(shift_mm, n_flags):
    off, on = head()
    moved = AFFINE.copy()
    moved[0, 3] += shift_mm
    assert [flag.field for flag in check_pair(off, replace(on, affine=moved), BOTH)] == ["geometry"] * n_flags


def test_another_grid_of_the_same_place_is_flagged_and_compared_by_place():
    off, on = head()
    half = Volume(on.data[::2, ::2, ::2], AFFINE @ np.diag([2.0, 2, 2, 1]), on.file)
    assert [flag.field for flag in check_pair(off, half, BOTH)] == ["geometry"]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"RepetitionTime": 28.0}, ["RepetitionTime"]),
        ({"RepetitionTime": 0.035}, ["RepetitionTime"]),
        ({"RepetitionTime": 35.0}, ["RepetitionTime", "RepetitionTime"]),
        ({"RepetitionTime": 0.02801}, []),
        ({"EchoTime": 5.0}, ["EchoTime"]),
        ({"FlipAngle": 15}, ["FlipAngle"]),
        ({"Manufacturer": "GE"}, []),
        ({"MTOffsetFrequency": 1200}, []),
    ],
)
def test_times_and_angles_must_be_shared_and_in_seconds(values, fields):
    flags = check_pair(*head(), (sidecar("off.json"), sidecar("on.json", **values)))
    assert [flag.field for flag in flags] == fields
    assert {flag.file for flag in flags} <= {"on.json"}


def loaded(visit: str, pair: tuple[Volume, Volume], off: Sidecar, on: Sidecar) -> LoadedVisit:
    images = MTPair(visit, *pair, np.ones(SHAPE, bool))
    return LoadedVisit(Visit("sub-01", visit, f"sub-01/ses-{visit}"), images, None, None, off, on, ())


def test_visits_that_hold_the_same_voxels_both_fail():
    visits = [loaded(f"M{k:02d}", head(k), *BOTH) for k in range(3)]
    assert check_visits(visits) == ([], [])
    off, _ = head(1)
    visits[2] = loaded("M02", (off, replace(head(2)[1], file="other.nii.gz")), *BOTH)
    failures, findings = check_visits(visits)
    assert [(failure.participant, failure.visit) for failure in failures] == [
        ("sub-01", "M01"),
        ("sub-01", "M02"),
    ]
    assert findings == []


@pytest.mark.parametrize(
    ("first", "later", "changed"),
    [
        ({}, {"MagneticFieldStrength": 1.5}, True),
        ({}, {"MagneticFieldStrength": 2.89}, False),
        ({"MTOffsetFrequency": 1200}, {"MTOffsetFrequency": 2000}, True),
        ({"MTOffsetFrequency": 1200}, {}, False),
        ({"DeviceSerialNumber": "1"}, {"DeviceSerialNumber": "2"}, True),
        ({"SoftwareVersions": "VE11C "}, {"SoftwareVersions": "ve11c"}, False),
        ({"SoftwareVersions": "VE11C"}, {"SoftwareVersions": "XA30"}, True),
    ],
)
def test_a_change_of_scanner_or_protocol_is_flagged_at_the_later_visit(first, later, changed):
    one = loaded("M00", head(0), sidecar(**first), sidecar("on.json", **first))
    two = loaded("M06", head(1), sidecar("off6.json", **later), sidecar("on6.json", **later))
    failures, findings = check_visits([one, two])
    assert failures == []
    assert [(f.visit, f.flag.file) for f in findings] == [("M06", "off6.json"), ("M06", "on6.json")] * changed


def test_another_voxel_size_is_flagged():
    off, on = head(1)
    wide = Volume(off.data[::2, ::2, ::2], AFFINE @ np.diag([2.0, 2, 2, 1]), off.file)
    _, findings = check_visits([loaded("M00", head(0), *BOTH), loaded("M06", (wide, on), *BOTH)])
    assert [finding.flag.field for finding in findings] == ["voxel size"]


def pairs_and_poses(second, matrix) -> tuple[list[MTPair], Poses]:
    first = head(0)
    pairs = [MTPair(v, *images, head_mask(images[0])) for v, images in (("M00", first), ("M06", second))]
    poses = (np.eye(4), matrix)
    return pairs, Poses(("M00", "M06"), poses, poses, ())


POSES = [np.zeros(6), np.array([0.05, -0.08, 0.12, 4, -3, 2]), np.array([-0.1, 0.04, -0.15, -6, 2, 5])]


@pytest.mark.parametrize(("vector", "noise"), list(zip(POSES, [0.0, 0.02, 0.08], strict=True)))
def test_a_moved_and_noisy_follow_up_is_not_taken_for_a_mirror_image(vector, noise):
    pose = motion(vector)
    assert check_flips(*pairs_and_poses(head(7, pose, noise), pose)) == []


@pytest.mark.parametrize(("vector", "noise"), list(zip(POSES, [0.0, 0.02, 0.08], strict=True)))
def test_a_mirrored_follow_up_is_flagged_on_both_of_its_images(vector, noise):
    pose = motion(vector)
    flip = np.diag([-1.0, 1, 1, 1])
    shift = np.eye(4)
    shift[0, 3] = 2 * AFFINE[0, 3] + AFFINE[0, 0] * (SHAPE[0] - 1)
    off, on = (mirrored(image) for image in head(7, pose, noise))
    # Where registration brings a mirrored head: mid-plane on mid-plane.
    found = shift @ flip @ pose @ flip
    flags = check_flips(*pairs_and_poses((off, on), found))
    assert [(k, flag.file, flag.quality) for k, flag in flags] == [
        (1, off.file, "fail"),
        (1, on.file, "fail"),
    ]


@given(seed=st.integers(1, 10_000))
@settings(max_examples=3, deadline=None)
def test_a_symmetric_head_is_never_flagged(seed):
    second = head(seed, noise=0.05, asymmetry=0.0)
    first = head(0, noise=0.05, asymmetry=0.0)
    masks = head_mask(first[0]), head_mask(second[0])
    images = [[(image, np.eye(4)) for image in pair] for pair in (first, second)]
    for follow_up in (images[1], [(mirrored(image), pose) for image, pose in images[1]]):
        assert abs(asymmetry_correlation(images[0], follow_up, masks)) < 0.15


def write_visit(root: Path, **sidecar_values) -> Dataset:
    off, on = head()
    folder = root / "sub-01" / "ses-M00" / "anat"
    for mt, image in (("off", off), ("on", on)):
        stem = folder / f"sub-01_ses-M00_mt-{mt}_MTR"
        write_volume(image, stem.with_suffix(".nii.gz"))
        stem.with_suffix(".json").write_text(json.dumps({**PLAIN, **sidecar_values.get(mt, {})}))
    return Dataset.index(root)


def derived(root: Path, name: str, data) -> None:
    path = root / "derivatives" / "masks" / "sub-01" / "ses-M00" / "anat" / f"sub-01_ses-M00_{name}.nii.gz"
    write_volume(Volume(data, AFFINE), path, dtype=np.uint8)


def only(dataset: Dataset) -> LoadedVisit:
    return load_visit(dataset.participants[0].visits[0], dataset.root)


def test_a_visit_is_loaded_with_what_it_has(tmp_path):
    dataset = write_visit(tmp_path)
    visit = only(dataset)
    assert (visit.pair.visit, visit.lesions, visit.tissue, visit.flags) == ("M00", None, None, ())
    np.testing.assert_array_equal(visit.pair.brain, head_mask(visit.pair.off))
    inside = visit.pair.brain.astype(np.uint8)
    derived(tmp_path, "label-brain_mask", inside)
    derived(tmp_path, "label-lesion_mask", inside * (np.arange(SHAPE[0]) == 20)[:, None, None])
    derived(tmp_path, "dseg", inside * 2)
    (tmp_path / "derivatives/masks/dseg.tsv").write_text("index\tname\n2\tWhite Matter\n3\tCSF\n")
    visit = only(Dataset.index(tmp_path))
    np.testing.assert_array_equal(visit.pair.brain, inside > 0)
    np.testing.assert_array_equal(visit.tissue.white, inside > 0)
    assert visit.lesions.sum() == inside[20].sum()
    assert visit.flags == ()


def test_a_lesion_mask_outside_the_head_must_not_be_used(tmp_path):
    write_visit(tmp_path)
    off = read_volume(tmp_path / "sub-01/ses-M00/anat/sub-01_ses-M00_mt-off_MTR.nii.gz", tmp_path)[0]
    dark = np.where(head_mask(off), off.data, 0)
    write_volume(replace(off, data=dark), tmp_path / off.file)
    mask = np.zeros(SHAPE, np.uint8)
    mask[:6, 10:20, 10:20] = 1
    derived(tmp_path, "label-lesion_mask", mask)
    (flag,) = only(Dataset.index(tmp_path)).flags
    assert ("outside the head" in flag.found, flag.quality) == (True, "fail")


def test_an_empty_brain_mask_is_refused(tmp_path):
    write_visit(tmp_path)
    derived(tmp_path, "label-brain_mask", np.zeros(SHAPE, np.uint8))
    with pytest.raises(InputError, match="brain mask"):
        only(Dataset.index(tmp_path))


@pytest.mark.parametrize("state", [False, "true", 1])
def test_a_sidecar_that_contradicts_the_name_is_refused(tmp_path, state):
    dataset = write_visit(tmp_path, on={"MTState": state})
    with pytest.raises(InputError) as caught:
        only(dataset)
    assert (caught.value.field, caught.value.file[-11:]) == ("MTState", "on_MTR.json")


def test_an_inherited_mt_state_that_contradicts_the_name_is_refused(tmp_path):
    dataset = write_visit(tmp_path)
    (tmp_path / "MTR.json").write_text('{"MTState": true}')
    with pytest.raises(InputError, match=r"^MTR\.json: MTState"):
        only(dataset)


def test_a_name_in_a_sidecar_is_flagged_by_its_key_and_never_repeated(tmp_path):
    private = {
        "PatientName": "DOE^JANE",
        "Nested": {"PatientBirthDate": "19810203"},
        "PatientPosition": "HFS",
    }
    flags = only(write_visit(tmp_path, on=private)).flags
    assert {flag.field for flag in flags} == {
        "identifying key PatientName",
        "identifying key PatientBirthDate",
    }
    assert not any("DOE" in str(flag) or "1981" in str(flag) for flag in flags)


def test_the_real_cord_pair_passes(shared):
    folder = shared / "data" / "mri" / "cord_mt"
    off, on = (read_volume(folder / f"mt{k}.nii.gz", folder)[0] for k in (0, 1))
    assert check_pair(off, on, BOTH) == []
    with pytest.raises(InputError, match="swapped"):
        check_pair(on, off, BOTH)
