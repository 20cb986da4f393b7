"""The files of a BIDS dataset that hold no recording: what it is, who was there and when."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.files import atomic_write
from remyelin.provenance import BIDS_VERSION, versions

from .subject import Subject

MAKER = "remyelin virtual trial"


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write one file of metadata."""
    atomic_write(path, (json.dumps(content, indent=2) + "\n").encode())


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one table; what is None is ``n/a``."""
    lines = ["\t".join(columns), *("\t".join(_cell(row[name]) for name in columns) for row in rows)]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def write_frame(dataset: Path, people: Sequence[Subject], said: str) -> None:
    """What makes a folder a dataset, and its participants; `said` tells what is virtual in it."""
    maker = {"Name": MAKER, "Version": versions()["remyelin"], "Description": said}
    common = {"BIDSVersion": BIDS_VERSION, "License": "CC0", "Authors": ["remyelin"], "GeneratedBy": [maker]}
    write_json(
        dataset / "dataset_description.json",
        {"Name": "A virtual remyelination trial", "DatasetType": "raw", **common},
    )
    atomic_write(dataset / "README", (said + "\n").encode())
    if any(person.lesions is not None for person in people):
        write_json(
            dataset / "derivatives" / "lesions" / "dataset_description.json",
            {"Name": "Lesions of the virtual trial", "DatasetType": "derivative", **common},
        )
    rows = [
        {"participant_id": p.id, "age": round(p.age_years), "sex": "F" if p.female else "M"} for p in people
    ]
    write_tsv(dataset / "participants.tsv", ("participant_id", "age", "sex"), rows)
    write_json(
        dataset / "participants.json",
        {
            "age": {"Description": "age at baseline", "Units": "year"},
            "sex": {"Description": "sex", "Levels": {"F": "female", "M": "male"}},
        },
    )


def write_sessions(dataset: Path, person: Subject, rng: np.random.Generator) -> None:
    """When a person came."""
    # Dates are shifted by one random number of days a participant, to before 1925, as BIDS asks.
    shift = dt.timedelta(days=int(rng.integers(0, 7000)), minutes=int(rng.integers(0, 480)))
    start = dt.datetime(1900, 1, 1, 9, 0, tzinfo=dt.UTC) + shift
    rows = [
        {
            "session_id": f"ses-{person.visits[v]}",
            "acq_time": f"{start + dt.timedelta(days=person.day[v]):%Y-%m-%dT%H:%M:%S}",
            "day": person.day[v],
        }
        for v in person.attended()
    ]
    path = dataset / person.id / f"{person.id}_sessions.tsv"
    write_tsv(path, ("session_id", "acq_time", "day"), rows)
    write_json(
        path.with_suffix(".json"),
        {
            "acq_time": {"Description": "start of the session; dates shifted by a random number of days"},
            "day": {"Description": "day of the trial, 0 is baseline", "Units": "day"},
        },
    )


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "n/a"
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
