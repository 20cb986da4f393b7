"""A virtual trial written as recordings: a BIDS dataset, the sealed allocation beside it, the truth apart.

The dataset holds only what a site would send. Nothing in it tells the arm of a participant.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from remyelin.files import atomic_write
from remyelin.measure.image import Volume, write_volume
from remyelin.provenance import versions

from .course import courses, draw_history, visit_days
from .phantom import FloatArray, Head, VirtualLesion
from .scanner import ACQUISITION, MT_PULSE, Receiver, Scene, draw_pose, scanner_affine

if TYPE_CHECKING:
    from remyelin.protocol import Protocol, Visit

BIDS_VERSION = "1.10.0"


@dataclass(frozen=True, slots=True)
class Truth:
    """Where a virtual trial was written, and what is true in it.

    Parameters
    ----------
    dataset
        The BIDS dataset.
    allocation
        The sealed allocation, a TSV `participant_id, arm` beside the dataset.
    folder
        `lesions.tsv`, `participants.tsv` and `poses.json`: the truth, which no analysis reads.
    lesions
        One row a lesion and visit: `participant_id, arm, visit, lesion, mtr_pu, volume_mm3, submedian, onset,
        x_mm, y_mm, z_mm` (centre in the world of that visit's MT-off image).
    participants
        One row a participant: `participant_id, arm, n_lesions, submedian_change_pu` (last visit minus first).
    """

    dataset: Path
    allocation: Path
    folder: Path
    lesions: pd.DataFrame
    participants: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Participant:
    id: str
    arm: str
    treated: bool
    rng: np.random.Generator


def write_trial(
    protocol: Protocol,
    out: Path,
    *,
    rng: np.random.Generator,
    n_per_arm: int | None = None,
    effect_pu: float = 1.5,
) -> Truth:
    """Write a virtual trial of MT images under a protocol.

    Parameters
    ----------
    protocol
        Its arms (an arm with a `treatment` gets the effect) and visits.
    out
        A folder; `bids/`, `sealed/allocation.tsv` and `truth/` are written into it.
    rng
        Every participant draws from a child of its own, so one participant's recordings do not depend on
        the others'.
    n_per_arm
        Participants in each arm; by default those of the protocol.
    effect_pu
        True rise, in pu at the last visit, of the lesions that lie below their participant's median at
        baseline, in a treated arm. It grows linearly with the day.

    Returns
    -------
    Truth
        Paths and true values.

    Notes
    -----
    Modelled: head position within and between visits, partial volume, receive field and gain, Rician noise of
    2 %, untreated change of lesions, new lesions. Not modelled: atrophy, deformation, transmit field,
    disagreement between readers of the lesion masks.
    """
    dataset, sealed, folder = out / "bids", out / "sealed" / "allocation.tsv", out / "truth"
    people = _randomise(protocol, n_per_arm, rng)
    _write_head(dataset, people, rng.spawn(1)[0], effect_pu)
    rows: list[dict[str, object]] = []
    poses: dict[str, object] = {}
    for person in people:
        written, pose = _write_participant(person, protocol.visit, dataset, effect_pu)
        rows += written
        poses[person.id] = pose
    lesions = pd.DataFrame(rows)
    participants = _summary(lesions, protocol.visit)
    _write_tsv(sealed, [{"participant_id": p.id, "arm": p.arm} for p in people])
    _write_tsv(folder / "lesions.tsv", rows)
    _write_tsv(folder / "participants.tsv", participants.to_dict("records"))
    _write_json(folder / "poses.json", poses)
    return Truth(dataset, sealed, folder, lesions, participants)


def _randomise(protocol: Protocol, n_per_arm: int | None, rng: np.random.Generator) -> list[_Participant]:
    arms = [arm for arm in protocol.arm for _ in range(n_per_arm or arm.n)]
    order = rng.permutation(len(arms))
    children = rng.spawn(len(arms))
    width = max(2, len(str(len(arms))))
    return [
        _Participant(f"sub-{i + 1:0{width}d}", arms[k].id, arms[k].treatment is not None, children[i])
        for i, k in enumerate(order)
    ]


def _write_participant(
    person: _Participant, visits: Sequence[Visit], dataset: Path, effect_pu: float
) -> tuple[list[dict[str, object]], dict[str, object]]:
    anatomy, biology, scans = person.rng.spawn(3)
    head = Head.draw(anatomy)
    lesions = draw_history(head, len(visits), anatomy)
    affine = scanner_affine()
    days = visit_days(visits, biology)
    mtr, submedian = courses(lesions, days, biology, effect_pu if person.treated else 0.0)
    rows: list[dict[str, object]] = []
    poses: dict[str, object] = {}
    for v, visit in enumerate(visits):
        placed = draw_pose(scans, 2.0, 1.5)
        moved = draw_pose(scans, 0.3, 0.25) @ placed
        poses[visit.id] = {"mt-off": placed.tolist(), "mt-on": moved.tolist()}
        seen = [k for k, lesion in enumerate(lesions) if lesion.onset <= v]
        present = tuple(lesions[k] for k in seen)
        receiver = Receiver.draw(scans)
        still, turned = Scene(head, present, placed, affine), Scene(head, present, moved, affine)
        off = still.record(still.signals(mtr[seen, v])[0], receiver, scans)
        on = turned.record(turned.signals(mtr[seen, v])[1], receiver, scans)
        _write_visit(dataset, person.id, visit.id, off, on, Volume(still.mask().astype(np.float32), affine))
        centres = [placed[:3, :3] @ lesions[k].centre_mm + placed[:3, 3] for k in seen]
        rows += [
            _truth_row(person, visit.id, k, lesions[k], mtr[k, v], bool(submedian[k]), centre)
            for k, centre in zip(seen, centres, strict=True)
        ]
    _write_sessions(dataset, person.id, visits, days, biology)
    return rows, poses


def _truth_row(
    person: _Participant,
    visit: str,
    index: int,
    lesion: VirtualLesion,
    mtr_pu: float,
    submedian: bool,
    centre: FloatArray,
) -> dict[str, object]:
    return {
        "participant_id": person.id,
        "arm": person.arm,
        "visit": visit,
        "lesion": f"{index + 1:03d}",
        "mtr_pu": round(float(mtr_pu), 4),
        "volume_mm3": round(lesion.volume_mm3, 1),
        "submedian": submedian,
        "onset": lesion.onset,
        **{f"{axis}_mm": round(float(x), 3) for axis, x in zip("xyz", centre, strict=True)},
    }


def _summary(lesions: pd.DataFrame, visits: Sequence[Visit]) -> pd.DataFrame:
    rows = []
    for (person, arm), own in lesions.groupby(["participant_id", "arm"], sort=True):
        wide = own[own["submedian"]].pivot(index="lesion", columns="visit", values="mtr_pu")
        change = float((wide[visits[-1].id] - wide[visits[0].id]).mean())
        at_start = int((own["visit"] == visits[0].id).sum())
        rows.append(
            {
                "participant_id": person,
                "arm": arm,
                "n_lesions": at_start,
                "submedian_change_pu": round(change, 4),
            }
        )
    return pd.DataFrame(rows)


def _write_head(
    dataset: Path, people: Sequence[_Participant], rng: np.random.Generator, effect_pu: float
) -> None:
    said = (
        "Virtual data: no person was scanned. Heads, lesions and noise are computed; the true effect "
        f"is set to {effect_pu:+g} pu, in lesions of the treated arm below their participant's median."
    )
    maker = {"Name": "remyelin virtual trial", "Version": versions()["remyelin"], "Description": said}
    common = {"BIDSVersion": BIDS_VERSION, "License": "CC0", "Authors": ["remyelin"]}
    _write_json(
        dataset / "dataset_description.json",
        {"Name": "A virtual remyelination trial", "DatasetType": "raw", **common, "GeneratedBy": [maker]},
    )
    _write_json(
        dataset / "derivatives" / "lesions" / "dataset_description.json",
        {
            "Name": "Lesions of the virtual trial",
            "DatasetType": "derivative",
            **common,
            "GeneratedBy": [maker],
        },
    )
    atomic_write(dataset / "README", (said + "\n").encode())
    ages = np.clip(rng.normal(40, 8, len(people)), 18, 50).round().astype(int)
    sexes = np.where(rng.uniform(size=len(people)) < 0.7, "F", "M")
    rows = [
        {"participant_id": p.id, "age": int(age), "sex": str(sex)}
        for p, age, sex in zip(people, ages, sexes, strict=True)
    ]
    _write_tsv(dataset / "participants.tsv", rows)
    _write_json(
        dataset / "participants.json",
        {
            "age": {"Description": "age at baseline", "Units": "year"},
            "sex": {"Description": "sex", "Levels": {"F": "female", "M": "male"}},
        },
    )


def _write_visit(dataset: Path, person: str, visit: str, off: Volume, on: Volume, mask: Volume) -> None:
    stem = f"{person}_ses-{visit}"
    anat = dataset / person / f"ses-{visit}" / "anat"
    for state, image in (("off", off), ("on", on)):
        path = anat / f"{stem}_mt-{state}_MTR.nii.gz"
        write_volume(image, path, dtype=np.int16)
        pulse = MT_PULSE if state == "on" else {}
        _write_json(anat / f"{stem}_mt-{state}_MTR.json", {"MTState": state == "on", **ACQUISITION, **pulse})
    drawn = dataset / "derivatives" / "lesions" / person / f"ses-{visit}" / "anat"
    write_volume(mask, drawn / f"{stem}_label-lesion_mask.nii.gz", dtype=np.uint8)
    _write_json(drawn / f"{stem}_label-lesion_mask.json", {"Type": "Lesion", "Manual": False})


def _write_sessions(
    dataset: Path, person: str, visits: Sequence[Visit], days: Sequence[int], rng: np.random.Generator
) -> None:
    # Dates are shifted by one random number of days a participant, to before 1925, as BIDS asks.
    start = dt.datetime(1900, 1, 1, 9, 0, tzinfo=dt.UTC) + dt.timedelta(
        days=int(rng.integers(0, 7000)), minutes=int(rng.integers(0, 480))
    )
    rows = [
        {
            "session_id": f"ses-{v.id}",
            "acq_time": f"{start + dt.timedelta(days=day):%Y-%m-%dT%H:%M:%S}",
            "day": day,
        }
        for v, day in zip(visits, days, strict=True)
    ]
    _write_tsv(dataset / person / f"{person}_sessions.tsv", rows)
    _write_json(
        dataset / person / f"{person}_sessions.json",
        {
            "acq_time": {"Description": "start of the session; dates shifted by a random number of days"},
            "day": {"Description": "day of the trial, 0 is baseline", "Units": "day"},
        },
    )


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, (json.dumps(content, indent=2) + "\n").encode())


def _write_tsv(path: Path, rows: Sequence[Mapping[Any, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(map(str, rows[0])), *("\t".join(_cell(x) for x in row.values()) for row in rows)]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
