"""A small trial of evoked potentials whose truth is known, each participant with a case of its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from .vep_files import SIDECAR, Recording, onsets, response, signal

SFREQ = 500
VISITS = {"M00": 0, "M06": 182}
DELAY_MS = SIDECAR["DisplayDelay"]
STATED = {
    **SIDECAR,
    "SamplingFrequency": SFREQ,
    "Display": "CRT",
    "HardwareFilters": {"High-pass": {"CutoffHz": 0.5}, "Low-pass": {"CutoffHz": 100}},
}


def two_humps(ms: np.ndarray, first_ms: float, second_ms: float, size_uv: float) -> np.ndarray:
    """A bifid response, the first hump higher."""
    pulses = ((1.0, first_ms, 6.5), (0.8, second_ms, 7), (-0.4, first_ms - 28, 7), (-0.6, second_ms + 38, 12))
    return size_uv * sum(a * np.exp(-0.5 * ((ms - top) / width) ** 2) for a, top, width in pulses)


def write_frame(root: Path, people: Sequence[str]) -> None:
    """What makes a folder a dataset, and when its visits were."""
    root.mkdir(parents=True, exist_ok=True)
    about = {"Name": "Eyes", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(about))
    (root / "participants.tsv").write_text("\n".join(["participant_id", *people]) + "\n")
    for name in people:
        write_sessions(root, name)


def write_sessions(root: Path, name: str) -> None:
    (root / name).mkdir(exist_ok=True)
    lines = ["session_id\tday", *(f"ses-{visit}\t{day}" for visit, day in VISITS.items())]
    (root / name / f"{name}_sessions.tsv").write_text("\n".join(lines) + "\n")


def record(
    root: Path,
    name: str,
    visit: str,
    eye: str,
    run: str,
    latency_ms: float,
    *,
    size_uv: float = 10.0,
    also_ms: float | None = None,
    check: int = 60,
    channel: str = "Oz-Fz",
    sweeps: int = 40,
    noise_uv: float = 4.0,
    sidecar: Mapping[str, Any] | None = None,
    prefilter: str = "",
) -> Path:
    """One replicate; with `also_ms` a second hump at that time."""
    stem = f"{name}_ses-{visit}_task-prvep_acq-{eye.lower()}{check}min_run-{run}_eeg"
    times = onsets(sweeps)
    stated = {**STATED, **(sidecar or {})}
    known = {"sfreq": SFREQ, "delay_ms": stated["DisplayDelay"], "latency_ms": latency_ms}
    uv = signal(times, noise_uv=noise_uv, size_uv=size_uv, seed=crc32(stem.encode()), **known)
    if also_ms is not None:  # so close that neither has a trough of its own between them
        seconds = np.arange(len(uv)) / SFREQ
        for onset in times:
            after_ms = 1000 * (seconds - onset) - stated["DisplayDelay"]
            uv += two_humps(after_ms, latency_ms, also_ms, size_uv) - response(after_ms, latency_ms, size_uv)
    return Recording(stem, times, {channel: uv}, sidecar=stated, sfreq=SFREQ, prefilter=prefilter).write(root)


def record_visits(
    root: Path,
    name: str,
    eye: str,
    latency_ms: Sequence[float],
    runs: Sequence[str] = ("1", "2"),
    **given: Any,
) -> None:
    """An eye at both visits, with as many replicates."""
    for visit, own in zip(VISITS, latency_ms, strict=True):
        for run in runs:
            record(root, name, visit, eye, run, own, **given)


def write_average(root: Path, name: str, visit: str, eye: str, run: str, latency_ms: float) -> None:
    """An average of 100 sweeps, as a clinical system exports it: times after the trigger."""
    folder = root / "derivatives" / "clinic" / name / f"ses-{visit}" / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}_ses-{visit}_task-prvep_acq-{eye.lower()}60min_run-{run}_desc-average_ave"
    times = np.arange(-50, 400, 2.0)
    uv = response(times - DELAY_MS, latency_ms)
    uv = uv + np.random.default_rng(crc32(stem.encode())).normal(0, 0.3, len(times))
    lines = ["time_ms\tuV", *(f"{t:g}\t{v:.4f}" for t, v in zip(times, uv, strict=True))]
    (folder / f"{stem}.tsv").write_text("\n".join(lines) + "\n")
    (folder / f"{stem}.json").write_text(json.dumps({"DisplayDelay": DELAY_MS, "Sweeps": 100}))


def record_sectors(root: Path, name: str, visit: str, latency_ms: float, *, silent: str, n: int = 6) -> None:
    """A multifocal recording of the right eye: one sector is silent, of the others every second inverted."""
    stem = f"{name}_ses-{visit}_task-mfvep_acq-od_eeg"
    times = onsets(40, 1.9)
    channels = {}
    for k in range(1, n + 1):
        label = f"S{k:02d}"
        size_uv = 0.0 if label == silent else 8.0 * (-1) ** k
        channels[label] = signal(
            times,
            sfreq=SFREQ,
            latency_ms=latency_ms,
            size_uv=size_uv,
            noise_uv=3.0,
            seed=crc32(f"{stem}{k}".encode()),
        )
    marks = [(t, "segment") for t in times]
    Recording(stem, times, channels, marks, sidecar=STATED, sfreq=SFREQ).write(root)


def lines_of(path: Path) -> list[dict[str, str]]:
    """The lines of a table as they are written."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def write_table(path: Path, header: str, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(line.split()) + "\n" for line in (header, *lines)))
