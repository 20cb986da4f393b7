"""Names of lesions: what must not change them, and what may happen to a lesion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from remyelin.errors import InputError
from remyelin.measure.lesions import VisitMask, label_lesions

SHAPE = (14, 12, 10)
masks = arrays(bool, (7, 6, 5), elements=st.sampled_from([False, False, False, True]))


def boxes(*corners, shape=SHAPE):
    mask = np.zeros(shape, bool)
    for low, high in corners:
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def follow(*by_visit, **options):
    visits = [VisitMask(f"M{6 * v:02d}", mask, np.eye(4)) for v, mask in enumerate(by_visit)]
    return label_lesions(visits, **options)


def kinds(lesions, lesion):
    return [event.kind for event in lesions.events if event.lesion == lesion]


A = ((1, 1, 1), (5, 5, 5))
B = ((7, 1, 1), (10, 5, 5))
C = ((10, 8, 6), (13, 11, 9))
BRIDGE = ((5, 2, 2), (7, 4, 4))


def test_persistent_new_vanished_and_reappeared():
    lesions = follow(boxes(A, B), boxes(A, C), boxes(A, B, C))
    assert lesions.ids == ("001", "002", "003")
    assert lesions.home == (0, 0, 1)
    assert kinds(lesions, "001") == ["first", "persistent", "persistent"]
    assert kinds(lesions, "002") == ["first", "vanished", "reappeared"]
    assert kinds(lesions, "003") == ["new", "persistent"]
    assert lesions.reason("003", "M06") == "new at M06"
    assert lesions.reason("002", "M06") == "vanished at M06"
    assert lesions.reason("001", "M12") == ""
    assert_array_equal(lesions.volumes_mm3, [[64, 64, 64], [48, 0, 48], [0, 27, 27]])
    assert [set(np.unique(image)) for image in lesions.labels] == [{0, 1, 2}, {0, 1, 3}, {0, 1, 2, 3}]


def test_merged_lesions_keep_their_names_and_share_the_bridge():
    lesions = follow(boxes(A, B), boxes(A, B, BRIDGE), boxes(A, B))
    assert lesions.ids == ("001", "002")
    assert kinds(lesions, "001") == kinds(lesions, "002") == ["first", "merged", "persistent"]
    assert lesions.reason("001", "M06") == "merged with lesion:002 at M06"
    assert (lesions.labels[1][5, 2:4, 2:4] == 1).all()
    assert (lesions.labels[1][6, 2:4, 2:4] == 2).all()
    assert_array_equal(lesions.volumes_mm3, [[64, 68, 64], [48, 52, 48]])


def test_split_lesion_stays_one():
    lesions = follow(boxes(A, B, BRIDGE), boxes(A, B), boxes(A))
    assert lesions.ids == ("001",)
    assert kinds(lesions, "001") == ["first", "split", "persistent"]
    assert lesions.reason("001", "M06") == "split into 2 at M06"
    assert_array_equal(lesions.labels[1], boxes(A, B))


def test_growth_over_a_neighbour_is_a_merger_but_touching_its_rim_is_not():
    grown = ((1, 1, 1), (8, 5, 5))  # takes 16 of 48 voxels of B
    assert kinds(follow(boxes(A, B), boxes(grown)), "002") == ["first", "merged"]
    near = follow(boxes(A, B), boxes(A, ((9, 4, 4), (13, 10, 9))))  # 1 voxel of B in a big new lesion
    assert near.ids == ("001", "002", "003")
    assert kinds(near, "002") == ["first", "vanished"]


def test_a_visit_without_a_mask_is_not_a_visit_without_lesions():
    visits = [
        VisitMask("M00", boxes(A), np.eye(4)),
        VisitMask("M06", None, np.eye(4)),
        VisitMask("M12", boxes(A, C), np.eye(4)),
    ]
    lesions = label_lesions(visits)
    assert_array_equal(lesions.volumes_mm3, [[64, np.nan, 64], [0, np.nan, 27]])
    assert [(e.lesion, e.visit, e.kind) for e in lesions.events] == [
        ("001", "M00", "first"), ("001", "M12", "persistent"), ("002", "M12", "new")
    ]  # fmt: skip
    assert lesions.labels[1].shape == (0, 0, 0)
    empty = label_lesions([visits[0], replace(visits[1], mask=np.zeros(SHAPE, bool))])
    assert kinds(empty, "001") == ["first", "vanished"]


def test_one_visit_and_no_lesion():
    one = follow(boxes(A, C))
    assert (one.ids, one.home) == (("001", "002"), (0, 0))
    none = follow(np.zeros(SHAPE, bool))
    assert len(none) == 0
    assert none.volumes_mm3.shape == (0, 1)
    assert [(row.step, row.n_lesions) for row in none.attrition if row.visit == ""] == [
        ("mask", 0), ("min-volume", 0), ("erosion", 0)
    ]  # fmt: skip


def test_connectivity():
    diagonal = boxes(((2, 2, 2), (4, 4, 4)), ((4, 4, 4), (6, 6, 6)))
    assert [len(follow(diagonal, connectivity=c)) for c in (6, 18, 26)] == [2, 2, 1]


def test_size_counts_at_home_only_and_names_do_not_move():
    small, large = ((1, 8, 1), (2, 9, 2)), ((1, 8, 1), (4, 11, 4))
    visits = boxes(A, small), boxes(A, large, C)
    every, chosen = follow(*visits), follow(*visits, min_volume_mm3=10)
    assert every.ids == ("001", "002", "003")
    assert chosen.ids == ("001", "003")  # 002 grew to 27 mm3, but was 1 mm3 when first seen
    assert chosen.home == (0, 1)
    assert (chosen.labels[1][boxes(large)] == 0).all()
    assert (chosen.labels[1][boxes(C)] == 2).all()
    assert follow(*visits, min_volume_mm3=64.0).ids == ("001",)


def test_erosion_is_reported_step_by_step():
    line = ((1, 9, 8), (7, 10, 9))
    lesions = follow(boxes(A, line, C), boxes(A, C), min_volume_mm3=5, erosion_voxels=1)
    table = {(row.step, row.visit): (row.n_lesions, row.volume_mm3) for row in lesions.attrition}
    assert table == {
        ("mask", ""): (3, 97), ("mask", "M00"): (3, 97), ("mask", "M06"): (2, 91),
        ("min-volume", ""): (3, 97), ("min-volume", "M00"): (3, 97), ("min-volume", "M06"): (2, 91),
        ("erosion", ""): (2, 9), ("erosion", "M00"): (2, 9), ("erosion", "M06"): (2, 9),
    }  # fmt: skip
    assert lesions.ids == ("001", "003")
    assert_array_equal(lesions.volumes_mm3, [[64, 64], [27, 27]])  # the lesion, not its eroded core
    assert [(image > 0).sum() for image in lesions.labels] == [9, 9]


def test_matching_goes_through_the_poses():
    """The same three balls drawn in two heads, the second turned, moved and on another grid."""
    centres = np.array([[10.3, 12.4, 9.2], [20.4, 10.3, 12.4], [14.2, 20.4, 15.8]])
    radii = np.array([3.0, 2.2, 4.0])
    turn = np.deg2rad(8)
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    pose[:3, 3] = [5.0, -3.0, 2.0]

    def draw(affine, shape, halfway_to_world):
        index = np.indices(shape).reshape(3, -1).T
        world = index @ affine[:3, :3].T + affine[:3, 3]
        back = np.linalg.inv(halfway_to_world)
        points = world @ back[:3, :3].T + back[:3, 3]
        inside = (np.linalg.norm(points[:, None] - centres, axis=2) < radii).any(axis=1)
        return VisitMask("M00", inside.reshape(shape), affine, halfway_to_world)

    first = draw(np.eye(4), (32, 32, 24), np.eye(4))
    scaled = np.diag([0.8, 1.1, 1.5, 1.0])
    scaled[:3, 3] = [-2.0, -6.0, 0.0]
    second = replace(draw(scaled, (50, 40, 20), pose), visit="M06")
    lesions = label_lesions([first, second])
    assert lesions.ids == ("001", "002", "003")
    assert {event.kind for event in lesions.events} == {"first", "persistent"}
    truth = 4 / 3 * np.pi * np.sort(radii) ** 3
    assert_allclose(np.sort(lesions.volumes_mm3, axis=0), np.tile(truth, (2, 1)).T, rtol=0.1)
    moved = replace(second, pose=np.eye(4))
    assert len(label_lesions([first, moved])) > 3  # without the pose they do not meet


@given(first=masks, second=masks, third=masks, order=st.permutations(range(3)), data=st.data())
@settings(max_examples=60, deadline=None)
def test_order_of_visits_is_irrelevant(first, second, third, order, data):
    visits = [VisitMask(f"M{6 * v:02d}", m, np.eye(4)) for v, m in enumerate((first, second, third))]
    if data.draw(st.booleans()):
        visits = [replace(visit, visit="cba"[v], day=182.0 * v) for v, visit in enumerate(visits)]
    straight, shuffled = label_lesions(visits), label_lesions([visits[v] for v in order])
    assert straight.ids == shuffled.ids
    assert straight.events == shuffled.events
    assert straight.attrition == shuffled.attrition
    assert straight.home == tuple(order[v] for v in shuffled.home)
    for place, v in enumerate(order):
        assert_array_equal(straight.labels[v], shuffled.labels[place])
        assert_array_equal(straight.volumes_mm3[:, v], shuffled.volumes_mm3[:, place])


@given(first=masks, second=masks, shift=st.tuples(*3 * [st.integers(0, 4)]), move=st.floats(-50, 50))
@settings(max_examples=60, deadline=None)
def test_position_in_the_image_and_in_the_scanner_is_irrelevant(first, second, shift, move):
    pad = [(s, 4 - s) for s in shift]
    affine = np.diag([1.0, 1.2, 3.0, 1.0])
    affine[:3, 3] = -np.array(shift) * [1.0, 1.2, 3.0]
    pose = np.eye(4)
    pose[0, 3] = move
    there = pose @ affine
    plain = [VisitMask(f"M{v}", m, np.diag([1.0, 1.2, 3.0, 1.0])) for v, m in enumerate((first, second))]
    moved = [VisitMask(f"M{v}", np.pad(m, pad), there, pose) for v, m in enumerate((first, second))]
    one, other = label_lesions(plain), label_lesions(moved)
    assert (one.ids, one.home, one.events) == (other.ids, other.home, other.events)
    assert_allclose(one.volumes_mm3, other.volumes_mm3, rtol=1e-9)
    for a, b in zip(one.labels, other.labels, strict=True):
        assert_array_equal(np.pad(a, pad), b)


@given(first=masks, second=masks, third=masks, connectivity=st.sampled_from([6, 18, 26]))
@settings(max_examples=60, deadline=None)
def test_labels_add_up_to_the_mask_and_follow_the_components(first, second, third, connectivity):
    drawn = (first, second, third)
    lesions = follow(*drawn, connectivity=connectivity)
    structure = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    for v, (mask, labels) in enumerate(zip(drawn, lesions.labels, strict=True)):
        assert_array_equal(labels > 0, mask)
        assert_allclose(
            np.bincount(labels.ravel(), minlength=len(lesions) + 1)[1:], lesions.volumes_mm3[:, v]
        )
        for k, home in enumerate(lesions.home):
            if home == v:  # at home a lesion is one whole component
                component = ndimage.label(mask, structure)[0]
                mine = np.unique(component[labels == k + 1])
                assert len(mine) == 1
                assert_array_equal(component == mine[0], labels == k + 1)
        for k in range(len(lesions)):
            seen = v >= lesions.home[k] and lesions.volumes_mm3[k, v] > 0
            story = [
                e.kind for e in lesions.events if e.lesion == lesions.ids[k] and e.visit == f"M{6 * v:02d}"
            ]
            assert bool(story) == (v >= lesions.home[k])
            if story:
                assert seen == (not set(story) & {"vanished", "absent"})


@given(mask=masks)
@settings(max_examples=40, deadline=None)
def test_nothing_changed_means_all_persistent(mask):
    lesions = follow(mask, mask)
    assert {event.kind for event in lesions.events} <= {"first", "persistent"}
    assert_array_equal(lesions.labels[0], lesions.labels[1])


@pytest.mark.parametrize(
    ("visits", "options", "says"),
    [
        ([VisitMask("M00", None, np.eye(4))], {}, "missing at every visit"),
        ([VisitMask("M00", boxes(A), np.eye(4))] * 2, {}, "M00 twice"),
        ([VisitMask("M00", boxes(A).astype(float), np.eye(4))], {}, "3-D float64"),
        ([VisitMask("M00", boxes(A)[0], np.eye(4))], {}, "2-D bool"),
        ([VisitMask("M00", boxes(A), np.eye(4))], {"connectivity": 8}, "6, 18 or 26"),
        ([VisitMask("M00", boxes(A), np.eye(4))], {"min_volume_mm3": -1}, "min_volume_mm3 is -1"),
        ([VisitMask("M00", boxes(A), np.eye(4))], {"min_volume_mm3": np.nan}, "0 or more"),
        ([VisitMask("M00", boxes(A), np.eye(4))], {"erosion_voxels": 0.5}, "whole number"),
        ([VisitMask("M00", boxes(A), np.eye(4))], {"min_overlap": 0}, "at most 1"),
    ],
)
def test_mistakes_are_named(visits, options, says):
    with pytest.raises(InputError) as error:
        label_lesions(visits, **options)
    assert says in str(error.value)


def test_real_masks_drawn_in_a_turned_head_keep_their_names(shared):
    path = shared / "data" / "mri" / "ms_lesion_masks" / "patient03_gt.nii.gz"
    if not path.is_file():
        pytest.skip("the real lesion masks are not in the folder of real data")
    nib = pytest.importorskip("nibabel")
    image = nib.load(path)
    whole = np.asarray(image.dataobj) > 0
    mask = np.pad(whole[ndimage.find_objects(whole.astype(np.int8))[0]], 6)
    affine = np.diag([*image.header.get_zooms()[:3], 1.0])
    turn, pose = np.deg2rad(4), np.eye(4)
    pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    pose[:3, 3] = [1.3, -2.7, 0.4]
    to_first = np.linalg.inv(affine) @ np.linalg.inv(pose) @ affine
    turned = (
        ndimage.affine_transform(mask.astype(np.float32), to_first[:3, :3], to_first[:3, 3], order=1) > 0.5
    )
    lesions = label_lesions([VisitMask("M00", mask, affine), VisitMask("M06", turned, affine, pose)])
    assert set(lesions.home) == {0}  # nothing is called new
    assert len(lesions) == ndimage.label(mask, np.ones((3, 3, 3)))[1]
    kept = lesions.volumes_mm3[:, 1] > 0
    assert kept[lesions.volumes_mm3[:, 0] > 3].all()
    assert_allclose(lesions.volumes_mm3[:, 1].sum(), lesions.volumes_mm3[:, 0].sum(), rtol=0.05)
