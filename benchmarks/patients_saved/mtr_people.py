"""Virtual people with lesions, recorded twice at 1 mm, and what two pipelines read of them.

A head of the package is registered in one pair of visits by each pipeline; in the same positions it then has
the lesions of `SETS` people, one set after the other, with fresh fields and noise. So registration, which
takes most of the time, is done once for all of them, and intervals draw heads, not people. Lesions are those
of virtual patients of CCMR One: numbers and sizes as real people have them. All lesions of a person change by
one amount (SD 1 pu between people), so that it is seen what a method makes of a change. Heads are of 0.6 of
their size, for speed; voxels and lesions are not made smaller, but none is larger than `MOST_MM3`, and people
with more lesions than such a head holds are drawn again. Drift of the scanner is left out here: `mtr.py` adds
it to what was measured.

Conventional: `../mtr/ordinary.py`. Remyelin: its functions at their defaults, and normal-appearing white
matter with its standard error, from the true segmentation.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk  # noqa: N813, its own habit

sys.path.insert(0, str(Path(__file__).parents[1] / "mtr"))
from ordinary import Aligned, align, lesion_means, matrix
from precision import LPS, baseline_lesions

from remyelin.errors import InputError
from remyelin.measure import maps
from remyelin.measure.image import MTPair, Volume
from remyelin.measure.lesion_mtr import lesion_values
from remyelin.measure.poses import Poses, register_participant
from remyelin.measure.segmentation import Tissue
from remyelin.measure.tissue import TissueValue, nawm_mask, tissue_values
from remyelin.protocol import Measuring, Protocol
from remyelin.virtual.acquire import Scene
from remyelin.virtual.contrast import contrasts
from remyelin.virtual.head import Head
from remyelin.virtual.imaging import PLACES, drawn
from remyelin.virtual.lesions import Lesions
from remyelin.virtual.patient import draw_patients
from remyelin.virtual.plaque import Plaque, place
from remyelin.virtual.premises import Premises
from remyelin.virtual.response import Response
from remyelin.virtual.scanner import Fields, Scanner, draw_b1, recorded

YEAR, CHANGE_SD_PU, SETS, MOST_MM3 = 2026, 1.0, 8, 400.0
SCANNER = Scanner(voxel_mm=1, head_scale=0.6, drift_sd=0, b1_session_sd=0, t1w=False)
# Nothing changes by itself and everybody comes: change is added below, by hand.
STILL = {
    "lesion_change_sd_pu": 0,
    "participant_change_sd_pu": 0,
    "lesion_change_percent_per_year": 0,
    "visit_missed": 0,
    "dropout": 0,
}
WHITE = 0.95  # of a voxel that the segmentation calls white
VISITS = ("M00", "M06")
STATES = ("mt-off", "mt-on")


@dataclass(frozen=True)
class Position:
    """Where a head lies in four images, and where both pipelines find it."""

    true: dict[tuple[str, str], np.ndarray]
    ours: Poses
    script: Aligned

    def between_mm(self, brain: np.ndarray) -> np.ndarray:
        """Mean error between the visits over the brain: ours, the script's."""
        points = np.c_[np.argwhere(brain)[::500], np.ones(len(np.argwhere(brain)[::500]))] @ SCANNER.affine.T
        true = self.true["M06", "mt-off"] @ np.linalg.inv(self.true["M00", "mt-off"])
        found = self.ours.off[1] @ np.linalg.inv(self.ours.off[0]), LPS @ matrix(self.script.between) @ LPS
        return np.array([np.linalg.norm((points @ (m - true).T)[:, :3], axis=1).mean() for m in found])


def draw_lesions(rng: np.random.Generator) -> tuple[Lesions, float]:
    """The lesions of a person, and by how much all of them change, pu."""
    patients = draw_patients(
        Protocol.read("ccmr-one"),
        rng=rng,
        response=Response.constant(),
        premises=Premises.read("trial", **STILL),
        participants=1,
        eyes=False,
    )
    return patients.lesions.of(0), float(rng.normal(0, CHANGE_SD_PU))


def record(
    head: Head,
    plaques: tuple[Plaque, ...],
    mtr_pu: np.ndarray,
    poses: dict[tuple[str, str], np.ndarray],
    rng: np.random.Generator,
) -> tuple[list[MTPair], list[np.ndarray]]:
    """Both visits as the package reads them, and the masks of a reader."""
    tables, b1 = contrasts(), draw_b1(SCANNER, rng)
    before, pairs, masks = np.zeros(len(plaques), bool), [], []
    for v, visit in enumerate(VISITS):
        bound, _ = tables.bound_of(mtr_pu[:, v])
        scene = Scene(
            head, plaques, np.arange(len(plaques)), bound, tables, SCANNER, Fields.draw(SCANNER, b1, rng)
        )
        seen = [scene.seen(poses[visit, state], state) for state in STATES]
        volumes = [
            Volume(recorded(one.signal[0], SCANNER, rng).astype(np.float32), SCANNER.affine) for one in seen
        ]
        pairs.append(MTPair(visit, *volumes, seen[0].brain))
        masks.append(drawn(seen[0], SCANNER, before, rng) > 0)
    return pairs, masks


def as_sitk(volume: Volume) -> sitk.Image:
    """The same image for the script: SimpleITK counts left and back as positive."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.data.T))
    affine = LPS @ volume.affine
    edge = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(edge.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / edge).ravel().tolist())
    return image


def measure(work: Path, seed: int) -> Path:
    """Record a head with its sets of lesions, measure by both pipelines, and keep the numbers."""
    file = work / "mtr" / f"head-{seed:03d}.npz"
    if file.exists():
        return file
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rng = np.random.default_rng([YEAR, seed])
    poses = {}
    for visit in VISITS:
        poses[visit, "mt-off"] = SCANNER.draw_position(rng)
        poses[visit, "mt-on"] = SCANNER.draw_movement(rng) @ poses[visit, "mt-off"]
    head = Head.draw(rng, scale=SCANNER.head_scale)
    position, classes, found = None, None, {}
    for k, own in enumerate(rng.spawn(SETS)):
        lesions, plaques, change = draw_person(head, own)
        level = lesions.mtr_pu[:, :1] + [0, change]
        pairs, masks = record(head, plaques, level, poses, own)
        images = [[as_sitk(getattr(pair, state)) for pair in pairs] for state in ("off", "on")]
        if position is None:
            begun = time.process_time()
            ours = register_participant(pairs)
            middle = time.process_time()
            position = Position(poses, ours, align(*images))
            found["cpu_s"] = np.array([middle - begun, time.process_time() - middle])
            found["between_mm"] = position.between_mm(pairs[0].brain)
            classes = [
                _classes(head, pair, poses[visit, "mt-off"])
                for pair, visit in zip(pairs, VISITS, strict=True)
            ]
        found |= {f"{name}_{k}": values for name, values in _values(pairs, masks, images, position, classes)}
        found[f"change_{k}"] = change
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part.npz")
    np.savez(beside, **found)
    beside.replace(file)
    return file


def draw_person(head: Head, rng: np.random.Generator) -> tuple[Lesions, tuple[Plaque, ...], float]:
    """Lesions, their places in this head, and their change; who has more than it holds is drawn again."""
    while True:
        lesions, change = draw_lesions(rng)
        where = rng.choice(list(PLACES), len(lesions.volume_mm3), p=list(PLACES.values()))
        try:
            placed = place(head, np.minimum(lesions.volume_mm3, MOST_MM3), where.tolist(), rng)
        except InputError:
            continue
        return lesions, placed, change


def _values(pairs, masks, images, position: Position, classes):
    lesions = baseline_lesions(SimpleNamespace(pairs=pairs, masks=masks), position.ours)
    values = lesion_values(pairs, position.ours, lesions)
    reference = [
        _nawm(pair, mask, position.ours, v, classes[v])
        for v, (pair, mask) in enumerate(zip(pairs, masks, strict=True))
    ]
    twice, once = lesion_means(*images, position.script, lesions.labels[0])
    yield "pu", values.mtr_pu
    yield "se", values.se_pu
    yield "nawm", np.array([[one.mean, one.se] for one in reference])
    yield "twice", twice
    yield "once", once
    yield "mm3", lesions.volumes_mm3[:, 0]


def _classes(head: Head, pair: MTPair, pose: np.ndarray) -> Tissue:
    """The true segmentation on the MT-off grid of a visit."""
    at = np.argwhere(pair.brain)
    to_head = np.linalg.inv(pose) @ SCANNER.affine
    tissue = head.tissue_at(at @ to_head[:3, :3].T + to_head[:3, 3])
    classes = np.zeros((3, *pair.brain.shape), bool)
    for k, least in enumerate((WHITE, 0.5, 0.5)):
        classes[k][tuple(at.T)] = tissue[:, k] > least
    return Tissue(*classes)


def _nawm(pair: MTPair, lesion: np.ndarray, poses: Poses, v: int, classes: Tissue) -> TissueValue:
    settings = Measuring()
    clear, erode = settings.nawm_clear_mm, settings.nawm_erode_mm
    mask = nawm_mask(classes, lesion, pair.off.voxel_mm, clear_mm=clear, erode_mm=erode)
    mtr = maps.native_map(SimpleNamespace(pair=pair), poses, v)
    return tissue_values(mtr, {"nawm": mask})["nawm"]
