"""MTR of each lesion at each visit, with its own standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from remyelin.errors import InputError
from remyelin.measure.image import FloatArray, MTPair
from remyelin.measure.noise import noise_sd
from remyelin.measure.spill import Interpolation, Spills, lay
from remyelin.measure.weights import SoftMask, soft_masks

if TYPE_CHECKING:
    from remyelin.measure.lesions import Lesions
    from remyelin.measure.poses import Poses

DEGREE = 2  # of the weight's splines: in benchmarks/mtr the least error of a patient's change among 0 to 5
UNIFORM_SD = 1 / np.sqrt(12)  # of a border that lies anywhere between half a voxel in and half a voxel out


@dataclass(frozen=True, slots=True)
class LesionValues:
    """What was measured in n lesions at each visit; all arrays are (lesion, visit).

    Parameters
    ----------
    ids, visits
        Names of the rows and columns.
    mtr_pu
        100 (1 - MT-on / MT-off), each the mean of the image over the lesion's voxels. NaN outside the field
        of view or where there is no MT-off signal.
    se_noise_pu
        From thermal noise.
    se_registration_pu
        From the expected errors of position: of MT-on to MT-off, and of the visit to the lesion's home visit.
    se_partial_volume_pu
        What half a voxel of the lesion's border does to the level. The same border serves at all visits, so
        it hardly touches a change and is not in `se_pu`.
    se_pu
        Of all that is independent between visits: noise and registration.
    half_a_pu, half_b_pu
        The same from two halves that share no voxel, a chessboard of fields of 3 x 3 x 3 voxels about the
        lesion's centre: one half can select lesions while the other measures their change.
    voxels
        Number of voxels whose plain mean would be as noisy.
    covered
        Part of the lesion inside the field of view of both images.
    """

    ids: tuple[str, ...]
    visits: tuple[str, ...]
    mtr_pu: FloatArray
    se_noise_pu: FloatArray
    se_registration_pu: FloatArray
    se_partial_volume_pu: FloatArray
    se_pu: FloatArray
    half_a_pu: FloatArray
    half_b_pu: FloatArray
    voxels: FloatArray
    covered: FloatArray


def lesion_values(
    pairs: Sequence[MTPair],
    poses: Poses,
    lesions: Lesions,
    *,
    interpolation: Interpolation = "none",
    degree: int = DEGREE,
) -> LesionValues:
    """Measure MTR in every lesion at every visit.

    Every lesion is a smooth weight on the grid of its home visit, carried into each of the images through the
    poses. MTR is the ratio of the weighted means. With ``"none"`` no image is interpolated, so no visit is
    smoothed more than another: that, more than registration, is what makes an ordinary script find changes of
    0.2 pu where there are none.

    Parameters
    ----------
    pairs
        MT-off and MT-on of each visit.
    poses
        Of the same visits, from `register_participant`.
    lesions
        From `label_lesions`.
    interpolation
        ``"halfway"`` interpolates every image once, linearly, into halfway space before the weights are laid
        on it; for comparison.
    degree
        Of the B-spline that shapes the border of the weight: larger is smoother. 0 is the plain mask.

    Returns
    -------
    LesionValues

    Raises
    ------
    InputError
        An option is not one of those above, or pairs, poses and lesions differ in their visits.

    Notes
    -----
    What the smooth weight takes from beside the lesion is removed by the ring around it (`Spills`), so that
    the value is the mean over the voxels of the mask, at every visit and without interpolation. A change that
    fills the lesion is still seen reduced where those voxels are partial volume; `calibrate` measures by how
    much.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from remyelin.measure.image import Volume
    >>> labels = np.zeros((12, 12, 12), int)
    >>> labels[4:8, 4:8, 4:8] = 1
    >>> off = np.full(labels.shape, 900.0, np.float32)
    >>> pair = MTPair("M00", Volume(off, np.eye(4)), Volume(0.7 * off, np.eye(4)), labels >= 0)
    >>> still = SimpleNamespace(pair="M00:on-off", error_mm=0.03)
    >>> poses = SimpleNamespace(off=[np.eye(4)], on=[np.eye(4)], registrations=[still])
    >>> lesions = SimpleNamespace(ids=("001",), home=(0,), labels=(labels,))
    >>> lesion_values([pair], poses, lesions).mtr_pu.round(3)
    array([[30.]])
    """
    _check(pairs, poses, lesions, interpolation, degree)
    masks = soft_masks(lesions)
    own = Spills.of(pairs, poses, masks, interpolation, degree)
    columns = [_column(pairs, poses, masks, visit, own) for visit in range(len(pairs))]
    arrays = {name: np.array([column[name] for column in columns]).T for name in columns[0]}
    return LesionValues(tuple(lesions.ids), tuple(pair.visit for pair in pairs), **arrays)


def ratio_pu(off: FloatArray, on: FloatArray) -> FloatArray:
    """100 (1 - on / off), NaN where there is no MT-off signal."""
    kept = np.divide(on, off, out=np.full(off.shape, np.nan), where=np.asarray(off > 0))
    return np.asarray(100 * (1 - kept))


def _column(
    pairs: Sequence[MTPair],
    poses: Poses,
    masks: Sequence[SoftMask],
    visit: int,
    own: Spills,
) -> dict[str, FloatArray]:
    """All that is measured at one visit, by name, (lesion,)."""
    pair, degree = pairs[visit], own.degree
    images = [(pair.off, poses.off[visit]), (pair.on, poses.on[visit])]
    (level_off, off), (level_on, on) = (own.level(*image) for image in images)
    native = [off, on]
    if own.interpolation == "halfway":
        # Linear interpolation convolves with one more spline of degree 1, which raises the degree by 2.
        native = [lay(*image, pairs, poses, masks, degree + 2) for image in images]
    full_mm3 = np.array([mask.voxels * pairs[mask.home].off.voxel_mm3 for mask in masks])
    covered = np.minimum(
        *(s.w[:, 0] * image.voxel_mm3 / full_mm3 for s, (image, _) in zip(native, images, strict=True))
    )
    gains = [s.noise_gain * own.noise for s in native]
    levels = np.array([ratio_pu(level_off[:, edge], level_on[:, edge]) for edge in range(5)])
    means = level_off[:, 0], level_on[:, 0]
    noise = noise_sd(pair.off.data, pair.brain), noise_sd(pair.on.data, _on_mask(pair))
    se_noise = _noise_pu(means, gains, noise)
    per_mm = 1 / np.array([pairs[mask.home].off.voxel_mm for mask in masks])
    slopes = per_mm * own.slope(off), per_mm * own.slope(on)
    se_registration = _registration_pu(means, slopes, _errors_mm(pairs, poses, masks, visit))
    return {
        "mtr_pu": levels[0],
        "se_noise_pu": se_noise,
        "se_registration_pu": se_registration,
        "se_partial_volume_pu": UNIFORM_SD * np.abs(levels[1] - levels[2]),
        "se_pu": np.hypot(se_noise, se_registration),
        "half_a_pu": levels[3],
        "half_b_pu": levels[4],
        "voxels": 2 / (gains[0] + gains[1]),
        "covered": covered,
    }


def _noise_pu(
    means: tuple[FloatArray, FloatArray], gains: Sequence[FloatArray], sd: tuple[float, float]
) -> FloatArray:
    """From noise of MT-off and MT-on, `gains` variances of the means per variance of a voxel."""
    off, on = means
    variance = gains[1] * sd[1] ** 2 + (on / off) ** 2 * gains[0] * sd[0] ** 2
    return np.asarray(100 * np.sqrt(variance) / off)


def _registration_pu(
    means: tuple[FloatArray, FloatArray],
    slopes: tuple[FloatArray, FloatArray],
    errors_mm: tuple[float, FloatArray],
) -> FloatArray:
    """First-order effect of a displacement, whose three components share its mean square equally."""
    off, on = (mean[:, None] for mean in means)
    on_moves = -100 * slopes[1] / off
    both_move = on_moves + 100 * on / off**2 * slopes[0]
    within, between = errors_mm
    square = within**2 * (on_moves**2).sum(1) + between**2 * (both_move**2).sum(1)
    return np.asarray(np.sqrt(square / 3))


def _errors_mm(
    pairs: Sequence[MTPair], poses: Poses, masks: Sequence[SoftMask], visit: int
) -> tuple[float, FloatArray]:
    """Expected error of MT-on to MT-off, and (lesion,) of the visit to each lesion's home visit."""
    known = {found.pair: found.error_mm for found in poses.registrations}
    name = [pair.visit for pair in pairs]
    to_home = {visit: 0.0} | {
        home: known[f"{name[min(home, visit)]}-{name[max(home, visit)]}"]
        for home in range(len(pairs))
        if home != visit
    }
    return known[f"{name[visit]}:on-off"], np.array([to_home[mask.home] for mask in masks])


def _on_mask(pair: MTPair) -> NDArray[np.bool_]:
    """The brain mask on the MT-on grid, by the headers: near enough to tell tissue from air."""
    if pair.on.data.shape == pair.off.data.shape and np.allclose(pair.on.affine, pair.off.affine, atol=1e-3):
        return pair.brain
    to_off = np.linalg.inv(pair.off.affine) @ pair.on.affine
    moved = ndimage.affine_transform(
        pair.brain.astype(np.uint8), to_off, output_shape=pair.on.data.shape, order=0
    )
    return np.asarray(moved > 0)


def _check(pairs: Sequence[MTPair], poses: Poses, lesions: Lesions, interpolation: str, degree: int) -> None:
    if interpolation not in get_args(Interpolation):
        choices = " or ".join(get_args(Interpolation))
        raise InputError("", "interpolation", repr(interpolation), choices, f"write {choices}")
    if not 0 <= degree <= 9:
        raise InputError("", "degree", str(degree), "0 to 9", "leave it at its default")
    found = {len(pairs), len(poses.off), len(poses.on), len(lesions.labels)}
    if len(found) > 1:
        numbers = f"{len(pairs)} pairs, {len(poses.off)} poses, {len(lesions.labels)} label images"
        raise InputError("", "visits", numbers, "one of each per visit", "register and label the same visits")
