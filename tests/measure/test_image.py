"""Reading and writing volumes: what a header may say, and what it may not."""

from __future__ import annotations

import gzip
import io
import struct

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.image import Volume, read_labels, read_mask, read_volume, write_volume
from remyelin.measure.nifti import MAX_VOXELS

AFFINE = np.array([[2.0, 0, 0, -9], [0, 2, 0, -11], [0, 0, 3, -7], [0, 0, 0, 1]])
RNG = np.random.default_rng(0)
DATA = RNG.integers(1, 3000, (7, 8, 6)).astype(np.int16)


def raw(data=DATA, affine=AFFINE, codes=(1, 1), kind=nib.Nifti1Image, **header) -> bytearray:
    image = kind(data, affine)
    image.set_qform(affine, codes[0])
    image.set_sform(affine, codes[1])
    image.header.set_xyzt_units("mm")
    for key, value in header.items():
        image.header[key] = value
    return bytearray(image.to_bytes())


def put(folder, content: bytes, name="scan.nii.gz"):
    path = folder / name
    path.write_bytes(gzip.compress(bytes(content), mtime=0) if name.endswith(".gz") else bytes(content))
    return path


def read(folder, content: bytes, name="scan.nii.gz"):
    return read_volume(put(folder, content, name), folder)


def refused(folder, content: bytes, name="scan.nii.gz") -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, content, name)
    assert caught.value.file == name
    assert all(caught.value.facts().values())
    return caught.value


def test_voxels_and_affine_are_those_of_nibabel(tmp_path):
    path = put(tmp_path, raw())
    volume, flags = read_volume(path, tmp_path)
    peer = nib.as_closest_canonical(nib.load(path))
    np.testing.assert_array_equal(volume.data, peer.get_fdata(dtype=np.float32))
    np.testing.assert_array_equal(volume.affine, peer.affine)
    assert volume.data.dtype == np.float32
    assert (volume.file, flags) == ("scan.nii.gz", [])


@pytest.mark.parametrize("axes", ["LAS", "RPI", "PIR", "SLA", "ASR"])
def test_any_order_of_storage_gives_the_same_array(tmp_path, axes):
    turn = nib.orientations.axcodes2ornt(axes)
    there = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn)
    image = nib.Nifti1Image(DATA, AFFINE).as_reoriented(there)
    assert "".join(nib.aff2axcodes(image.affine)) == axes
    volume, flags = read(tmp_path, raw(np.asarray(image.dataobj), image.affine))
    straight, _ = read(tmp_path, raw())
    np.testing.assert_array_equal(volume.data, straight.data)
    np.testing.assert_allclose(volume.affine, straight.affine, atol=1e-12)
    assert volume.data.flags.c_contiguous
    assert volume.data.sum() == straight.data.sum()
    assert flags == []


def test_nifti2_and_plain_and_big_endian_files_are_read(tmp_path):
    wanted, _ = read(tmp_path, raw())
    swapped = nib.Nifti1Image(DATA, AFFINE).header.as_byteswapped(">")
    image = nib.Nifti1Image(DATA, AFFINE, swapped)
    image.set_sform(AFFINE, 1)
    for content, name in (
        (raw(kind=nib.Nifti2Image), "scan.nii.gz"),
        (raw(), "scan.nii"),
        (image.to_bytes(), "scan.nii.gz"),
    ):
        np.testing.assert_array_equal(read(tmp_path, content, name)[0].data, wanted.data)


def test_scaling_gives_physical_values(tmp_path):
    content = raw(DATA)
    content[112:120] = struct.pack("<2f", 0.125, -3.0)
    volume, flags = read(tmp_path, content)
    np.testing.assert_allclose(volume.data, DATA * 0.125 - 3.0, rtol=1e-6)
    assert flags == []


@pytest.mark.parametrize("scaling", [(np.nan, 5.0), (np.inf, 0.0), (2.0, np.nan)])
def test_scaling_that_is_no_number_is_flagged_and_not_used(tmp_path, scaling):
    content = raw()
    content[112:120] = struct.pack("<2f", *scaling)
    volume, flags = read(tmp_path, content)
    np.testing.assert_array_equal(volume.data, DATA)
    assert [flag.field for flag in flags] == ["scaling slope"]


def test_slope_of_zero_means_no_scaling(tmp_path):
    content = raw()
    content[112:120] = struct.pack("<2f", 0.0, 7.0)
    volume, flags = read(tmp_path, content)
    np.testing.assert_array_equal(volume.data, DATA)
    assert flags == []


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        (slice(0, 4), b"\x5d\x01\0\0", "not a NIfTI header"),
        (slice(344, 348), b"ni1\0", "two files"),
        (slice(40, 56), struct.pack("<8h", 3, 20000, 20000, 20000, 1, 1, 1, 1), "too large"),
        (slice(40, 56), struct.pack("<8h", 3, 7, 8, -6, 1, 1, 1, 1), "dimension"),
        (slice(40, 56), struct.pack("<8h", 0, 7, 8, 6, 1, 1, 1, 1), "dimension"),
        (slice(40, 56), struct.pack("<8h", 4, 7, 8, 3, 2, 1, 1, 1), "one 3-D volume"),
        (slice(40, 56), struct.pack("<8h", 3, 7, 8, 5, 1, 1, 1, 1), "trailing"),
        (slice(40, 56), struct.pack("<8h", 3, 7, 8, 7, 1, 1, 1, 1), "truncated"),
        (slice(70, 72), struct.pack("<h", 32), "datatype"),
        (slice(70, 72), struct.pack("<h", 12345), "datatype"),
        (slice(108, 112), struct.pack("<f", np.nan), "vox_offset"),
        (slice(108, 112), struct.pack("<f", 1e30), "vox_offset"),
        (slice(280, 296), struct.pack("<4f", 0, 0, 0, 0), "affine"),
        (slice(280, 296), struct.pack("<4f", np.nan, 0, 0, 0), "affine"),
        (slice(280, 328), struct.pack("<12f", *(500.0 * np.eye(3, 4)).ravel()), "voxel size"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused(tmp_path, place, value, word):
    content = raw(codes=(0, 1))
    content[place] = value
    assert word in str(refused(tmp_path, content, "scan.nii"))


def test_the_largest_size_is_a_limit_and_not_an_allocation():
    assert MAX_VOXELS * 4 <= 2**30


def test_trailing_data_and_bombs_stop_at_what_the_header_asks_for(tmp_path):
    bomb = gzip.compress(bytes(raw()), mtime=0) + gzip.compress(bytes(2**20), mtime=0) * 1000
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(bomb)
    with pytest.raises(InputError, match="larger than"):
        read_volume(path, tmp_path)


def mirrored_x(affine):
    return np.diag([-1.0, 1, 1, 1]) @ affine


@pytest.mark.parametrize(
    ("codes", "change", "outcome"),
    [
        ((1, 1), mirrored_x, "error"),
        ((1, 4), mirrored_x, "error"),
        ((1, 1), lambda a: a + np.eye(4, k=3) * 5, "error"),
        ((1, 4), lambda a: a + np.eye(4, k=3) * 5, "flag"),
        ((1, 1), lambda a: a + np.eye(4, k=3) * 0.1, "accept"),
    ],
)
def test_qform_and_sform_must_agree(tmp_path, codes, change, outcome):
    image = nib.Nifti1Image(DATA, AFFINE)
    image.set_qform(AFFINE, codes[0])
    image.set_sform(change(AFFINE), codes[1])
    if outcome == "error":
        assert refused(tmp_path, image.to_bytes()).field == "qform"
    else:
        _, flags = read(tmp_path, image.to_bytes())
        assert [flag.field for flag in flags] == (["qform"] if outcome == "flag" else [])


def test_an_image_without_orientation_must_not_enter_the_primary_analysis(tmp_path):
    _, flags = read(tmp_path, raw(codes=(0, 0)))
    assert [(flag.field, flag.quality) for flag in flags] == [("orientation", "fail")]


@pytest.mark.parametrize(
    ("unit", "scale", "edge"),
    [("meter", 1.0, 2.0), ("meter", 1e-3, 2.0), ("micron", 1e3, 2.0), ("micron", 1.0, 2.0)],
)
def test_units_other_than_mm_are_flagged_and_believed_only_if_possible(tmp_path, unit, scale, edge):
    affine = np.diag([scale, scale, scale, 1.0]) @ AFFINE
    image = nib.Nifti1Image(DATA, affine)
    image.set_sform(affine, 1)
    image.header.set_xyzt_units(unit)
    volume, flags = read(tmp_path, image.to_bytes())
    assert volume.voxel_mm[0] == pytest.approx(edge)
    assert [flag.field for flag in flags] == ["unit"]


def test_voxels_that_are_no_numbers_become_nan_and_are_counted(tmp_path):
    data = DATA.astype(np.float32)
    data[1, 2, 3], data[4, 5, 1] = np.nan, np.inf
    volume, flags = read(tmp_path, raw(data))
    assert np.isnan(volume.data).sum() == 2
    assert "2 of 336" in flags[0].found


@pytest.mark.parametrize("data", [np.zeros_like(DATA), np.full_like(DATA, 7)])
def test_an_image_without_signal_is_refused(tmp_path, data):
    assert refused(tmp_path, raw(data)).field == "voxels"


def test_numbers_that_wrapped_around_are_refused_and_ringing_is_not(tmp_path):
    wrapped = (DATA.astype(np.int64) * 20).astype(np.int16)
    assert "overflow" in str(refused(tmp_path, raw(wrapped)))
    ringing = DATA.astype(np.float32)
    ringing[0] = -0.1 * ringing[0]
    assert read(tmp_path, raw(ringing))[1] == []


@given(
    shape=st.tuples(*[st.integers(2, 6)] * 3),
    angle=st.floats(-0.5, 0.5),
    edge=st.floats(0.3, 4.0),
    dtype=st.sampled_from([np.float32, np.int16, np.uint8]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(tmp_path, shape, angle, edge, dtype):
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = turn @ np.diag([edge, edge, 2 * edge, 1.0])
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    path = tmp_path / "map.nii.gz"
    write_volume(Volume(data, affine), path, dtype=dtype)
    first = path.read_bytes()
    volume, flags = read_volume(path, tmp_path)
    write_volume(Volume(data, affine), path, dtype=dtype)
    assert path.read_bytes() == first
    np.testing.assert_array_equal(volume.data, data)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-5)
    assert flags == []


def test_an_affine_with_shear_survives_writing(tmp_path):
    affine = AFFINE.copy()
    affine[0, 1] = 0.7
    write_volume(Volume(DATA, affine), tmp_path / "map.nii")
    volume, flags = read_volume(tmp_path / "map.nii", tmp_path)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-5)
    assert flags == []


@given(seed=st.integers(0, 2**32 - 1))
@example(seed=112196)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_header_gives_an_image_or_an_input_error(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = raw()
    for place in rng.integers(0, 352, rng.integers(1, 12)):
        content[place] = rng.integers(0, 256)
    path = put(tmp_path, content, "scan.nii")
    try:
        volume, _ = read_volume(path, tmp_path)
    except InputError:
        return
    assert np.isfinite(volume.affine).all()
    assert abs(np.linalg.det(volume.affine[:3, :3])) > 0
    assert volume.data.ndim == 3


@pytest.fixture
def grid() -> Volume:
    return Volume(DATA.astype(np.float32), AFFINE, "off.nii.gz")


def test_a_mask_may_hold_any_one_value_and_be_stored_in_any_order(tmp_path, grid):
    mask = DATA > 1500
    for stored, affine in (
        (mask.astype(np.uint8), AFFINE),
        (mask.astype(np.float32) * 255, AFFINE),
        (mask[::-1].astype(np.int16), AFFINE @ np.diag([-1.0, 1, 1, 1]) + np.eye(4, k=3) * 0),
    ):
        if affine is not AFFINE:
            affine = affine.copy()
            affine[0, 3] = AFFINE[0, 3] + 2.0 * (DATA.shape[0] - 1)
        read_back, flags = read_mask(put(tmp_path, raw(stored, affine)), tmp_path, grid)
        np.testing.assert_array_equal(read_back, mask)
        assert flags == []


@pytest.mark.parametrize(
    ("data", "affine", "field"),
    [
        (DATA[:, :, :-1] > 0, AFFINE, "shape"),
        (DATA > 0, AFFINE + np.eye(4, k=3) * 2, "affine"),
        (DATA / 3000, AFFINE, "mask"),
        (DATA % 3, AFFINE, "mask"),
    ],
)
def test_a_mask_that_would_need_a_guess_is_refused(tmp_path, grid, data, affine, field):
    with pytest.raises(InputError) as caught:
        read_mask(put(tmp_path, raw(data.astype(np.float32), affine)), tmp_path, grid)
    assert caught.value.field == field


def test_an_empty_mask_is_flagged(tmp_path, grid):
    mask, flags = read_mask(put(tmp_path, raw(np.zeros_like(DATA))), tmp_path, grid)
    assert not mask.any()
    assert "empty" in flags[0].found


def test_labels_must_be_whole_numbers(tmp_path, grid):
    labels, _ = read_labels(put(tmp_path, raw((DATA % 4).astype(np.float32))), tmp_path, grid)
    np.testing.assert_array_equal(labels, DATA % 4)
    with pytest.raises(InputError, match="whole"):
        read_labels(put(tmp_path, raw(DATA / 7.0)), tmp_path, grid)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("DOE^JANE", True),
        ("scan of 1981-02-03", True),
        ("19810203", True),
        ("Doe, Jane", True),
        ("FSL5.0", False),
        ("TE=5;Time=101530.000;phase=1", False),
        ("6.0.5:9e026117", False),
        ("spm - 3D normalized", False),
    ],
)
def test_names_and_dates_in_a_header_are_flagged_and_never_repeated(tmp_path, text, telling):
    _, flags = read(tmp_path, raw(descrip=text.encode()))
    assert len(flags) == telling
    assert all(text not in str(flag) for flag in flags)


def test_an_extension_with_dicom_content_is_flagged(tmp_path):
    image = nib.Nifti1Image(DATA, AFFINE)
    image.set_sform(AFFINE, 1)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"seen by Doe, Jane"))
    stream = io.BytesIO()
    image.to_stream(stream)
    volume, flags = read(tmp_path, stream.getvalue())
    np.testing.assert_array_equal(volume.data, DATA)
    assert [flag.field for flag in flags] == ["identifying text in header extension 6"]


def test_real_cord_images_are_read_without_a_word(shared):
    folder = shared / "data" / "mri" / "cord_mt"
    for name in ("mt0", "mt1"):
        volume, flags = read_volume(folder / f"{name}.nii.gz", folder)
        peer = nib.as_closest_canonical(nib.load(folder / f"{name}.nii.gz"))
        np.testing.assert_array_equal(volume.data, peer.get_fdata(dtype=np.float32))
        assert flags == []
