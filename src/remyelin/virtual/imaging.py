"""The images of one virtual participant: MT-off, MT-on and T1-weighted, and the lesion masks of a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import Volume, write_volume

from .acquire import Scene, Seen
from .bids import write_json
from .contrast import contrasts
from .head import Head
from .lesions import Lesions
from .plaque import Plaque, place
from .scanner import FIELD_OF_VIEW_MM, Fields, Scanner, draw_b1, recorded
from .subject import Subject
from .waves import FloatArray

# Where lesions lie: a phantom's, not evidence about people.
PLACES = {"periventricular": 0.45, "deep": 0.3, "juxtacortical": 0.25}
_B1_MM = 8.0
_FAST = 1  # level of gzip: noise packs no better at any other


@dataclass(frozen=True)
class Anatomy:
    """What does not change between the visits of a person, the transmit field of the head too."""

    head: Head
    plaques: tuple[Plaque, ...]
    b1: FloatArray


def draw_anatomy(lesions: Lesions, scanner: Scanner, rng: np.random.Generator) -> Anatomy:
    """The head of a person with these lesions.

    Raises
    ------
    InputError
        More lesions than the head holds.
    """
    head = Head.draw(rng, scale=scanner.head_scale)
    where = rng.choice(list(PLACES), len(lesions.volume_mm3), p=list(PLACES.values()))
    plaques = place(head, lesions.volume_mm3, where.tolist(), rng)
    return Anatomy(head, plaques, draw_b1(scanner, rng))


def write_images(
    person: Subject, scanner: Scanner, dataset: Path, rng: np.random.Generator
) -> dict[str, Any]:
    """Write all images and masks of a person who has lesions.

    Returns
    -------
    dict
        The truth: ``"lesions"``, a row a lesion and visit, and ``"poses"``, of each image by visit.

    Raises
    ------
    InputError
        More lesions than the head holds.
    """
    assert person.lesions is not None
    of_anatomy, of_scans = rng.spawn(2)
    anatomy = draw_anatomy(person.lesions, scanner, of_anatomy)
    drawn_before = np.zeros(len(anatomy.plaques), bool)
    rows: list[dict[str, Any]] = []
    poses: dict[str, Any] = {}
    for v, scans in zip(person.attended(), of_scans.spawn(len(person.visits)), strict=False):
        visit = _Visit(person, v, anatomy, scanner, dataset)
        found, poses[person.visits[v]] = visit.write(drawn_before, scans)
        rows += found
    return {"lesions": rows, "poses": poses}


@dataclass(frozen=True)
class _Visit:
    person: Subject
    v: int
    anatomy: Anatomy
    scanner: Scanner
    dataset: Path

    def write(
        self, drawn_before: NDArray[np.bool_], rng: np.random.Generator
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Write what was recorded at this visit; which lesions were drawn is noted in `drawn_before`."""
        lesions = self.person.lesions
        assert lesions is not None
        tables = contrasts()
        bound, seen_pu = tables.bound_of(lesions.mtr_pu[:, self.v])
        present = np.flatnonzero(lesions.onset <= self.v)
        fields = Fields.draw(self.scanner, self.anatomy.b1, rng)
        scene = Scene(self.anatomy.head, self.anatomy.plaques, present, bound, tables, self.scanner, fields)
        poses = {"mt-off": self.scanner.draw_position(rng)}
        for name in ("mt-on", "t1w"):
            poses[name] = self.scanner.draw_movement(rng) @ poses["mt-off"]
        still = scene.seen(poses["mt-off"], "mt-off", "mt-on")
        self._image("mt-off", still.signal[0], rng)
        on = scene.seen(poses["mt-on"], "mt-on").signal[0]
        self._image("mt-on", on * np.float32(fields.drift), rng)
        if self.scanner.t1w:
            self._image("t1w", scene.seen(poses["t1w"], "t1w").signal[0], rng)
        if self.scanner.b1_map:
            self._b1_map(poses["mt-off"], fields)
        lesions_drawn = drawn(still, self.scanner, drawn_before, rng)
        self._mask("lesion", lesions_drawn > 0)
        self._mask("brain", still.brain)
        rows = self._truth(seen_pu, present, still.signal, lesions_drawn, poses["mt-off"])
        return rows, {name: pose.tolist() for name, pose in poses.items()}

    def _stem(self, folder: str, root: Path | None = None) -> str:
        person, session = self.person.id, f"ses-{self.person.visits[self.v]}"
        return str((root or self.dataset) / person / session / folder / f"{person}_{session}")

    def _image(self, name: str, signal: NDArray[np.float32], rng: np.random.Generator) -> None:
        stem = self._stem("anat") + ("_T1w" if name == "t1w" else f"_{name}_MTR")
        data = recorded(signal, self.scanner, rng)
        write_volume(
            Volume(data.astype(np.float32), self.scanner.affine),
            Path(f"{stem}.nii.gz"),
            dtype=np.int16,
            level=_FAST,
        )
        write_json(Path(f"{stem}.json"), sidecar(name))

    def _mask(self, what: str, mask: NDArray[np.bool_]) -> None:
        stem = self._stem("anat", self.dataset / "derivatives" / "lesions") + f"_label-{what}_mask"
        write_volume(
            Volume(mask.astype(np.float32), self.scanner.affine),
            Path(f"{stem}.nii.gz"),
            dtype=np.uint8,
            level=_FAST,
        )
        write_json(Path(f"{stem}.json"), {"Type": what.capitalize(), "Manual": False})

    def _b1_map(self, pose: FloatArray, fields: Fields) -> None:
        shape = tuple(round(edge / _B1_MM) for edge in FIELD_OF_VIEW_MM)
        affine = np.diag([_B1_MM, _B1_MM, _B1_MM, 1.0])
        affine[:3, 3] = [-_B1_MM * (n - 1) / 2 for n in shape]
        to_head = np.linalg.inv(pose) @ affine
        index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
        percent = 100 * fields.b1_at(index @ to_head[:3, :3].T + to_head[:3, 3])
        stem = self._stem("fmap") + "_TB1map"
        write_volume(Volume(percent, affine), Path(f"{stem}.nii.gz"), level=_FAST)
        write_json(Path(f"{stem}.json"), {"Units": "percent"})

    def _truth(
        self,
        seen_pu: FloatArray,
        present: NDArray[np.int64],
        both: NDArray[np.float32],
        mask: NDArray[np.int32],
        pose: FloatArray,
    ) -> list[dict[str, Any]]:
        n = len(self.anatomy.plaques) + 1
        inside = mask > 0
        voxels = np.bincount(mask[inside], minlength=n)
        off, on = (np.bincount(mask[inside], image[inside].astype(float), n) for image in both)
        drawn_pu = 100 * (1 - on / np.where(voxels > 0, off, np.nan))
        rows = []
        for k in present:
            plaque = self.anatomy.plaques[k]
            centre = pose[:3, :3] @ plaque.centre_mm + pose[:3, 3]
            rows.append(
                {
                    "participant_id": self.person.id,
                    "visit": self.person.visits[self.v],
                    "day": self.person.day[self.v],
                    "lesion": f"{k + 1:03d}",
                    "mtr_pu": round(float(seen_pu[k]), 4),
                    "drawn_mtr_pu": round(float(drawn_pu[k + 1]), 4) if voxels[k + 1] else None,
                    "volume_mm3": round(plaque.volume_mm3, 1),
                    "drawn_mm3": float(voxels[k + 1] * self.scanner.voxel_mm**3),
                    **{f"{axis}_mm": round(float(x), 3) for axis, x in zip("xyz", centre, strict=True)},
                }
            )
        return rows


def drawn(
    seen: Seen,
    scanner: Scanner,
    drawn_before: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """The lesions as a reader draws them: labels where a lesion fills half of a voxel, borders a little off.

    A lesion that was drawn at an earlier visit is followed: if no voxel is half filled, the fullest one is
    drawn. `drawn_before` (lesion,) is brought up to date.
    """
    n = len(drawn_before)
    least = np.clip(0.5 + scanner.reader_mm / scanner.voxel_mm * rng.normal(size=n), 0.05, 0.95)
    at = np.flatnonzero(seen.label)
    owner, part = seen.label.flat[at] - 1, seen.filled.flat[at]
    chosen = part >= least[owner]
    missing = drawn_before & (np.bincount(owner[chosen], minlength=n) == 0)
    fullest = np.zeros(n, np.float32)
    np.maximum.at(fullest, owner, part)
    chosen |= missing[owner] & (part == fullest[owner])
    mask = np.zeros_like(seen.label)
    mask.flat[at[chosen]] = owner[chosen] + 1
    drawn_before |= np.bincount(owner[chosen], minlength=n) > 0
    return mask


def sidecar(name: str) -> Mapping[str, object]:
    """Metadata of an image of the virtual scanner."""
    from remyelin.signal import Sequence

    sequence = Sequence()
    common = {
        "Manufacturer": "remyelin virtual scanner",
        "ManufacturersModelName": "two-pool head",
        "DeviceSerialNumber": "virtual-1",
        "MRAcquisitionType": "3D",
        "PulseSequenceType": "spoiled gradient echo",
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "NonlinearGradientCorrection": False,
        "EchoTime": 0.005,
    }
    if name == "t1w":
        return {
            **common,
            "RepetitionTimeExcitation": sequence.t1w_tr_ms / 1000,
            "FlipAngle": sequence.t1w_flip_deg,
        }
    on = name == "mt-on"
    pulse = {
        "MTOffsetFrequency": sequence.pulse.offset_hz,
        "MTPulseShape": "GAUSSIAN",
        "MTPulseDuration": sequence.pulse.duration_ms / 1000,
        "MTNumberOfPulses": 1,
        "MTFlipAngle": sequence.pulse.angle_deg,
    }
    times = {"RepetitionTimeExcitation": sequence.tr_ms / 1000, "FlipAngle": sequence.flip_deg}
    return {"MTState": on, **common, **times, **(pulse if on else {})}
