"""Recordings of known sweeps, written to disk: a response at every reversal, in noise, as EDF in BIDS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import edfio
import numpy as np

from remyelin.measure.dataset import Dataset, Visit
from remyelin.measure.recording import Loaded, load_recordings
from remyelin.protocol import Measuring

SFREQ = 1000
LATENCY_MS = 112.0
SIDECAR = {"SamplingFrequency": SFREQ, "DisplayDelay": 12.0, "PowerLineFrequency": 50}


def response(ms: np.ndarray, latency_ms: float = LATENCY_MS, size_uv: float = 10.0) -> np.ndarray:
    """P100 with its troughs, at times in ms after the light."""
    peak = np.exp(-0.5 * ((ms - latency_ms) / 11) ** 2)
    before = np.exp(-0.5 * ((ms - latency_ms + 33) / 9) ** 2)
    after = np.exp(-0.5 * ((ms - latency_ms - 40) / 15) ** 2)
    return size_uv * (peak - 0.5 * before - 0.4 * after)


def onsets(n: int = 24, rate: float = 1.98, first: float = 0.5) -> np.ndarray:
    return first + np.arange(n) / rate


def signal(
    times: np.ndarray,
    *,
    sfreq: float = SFREQ,
    delay_ms: float = 12.0,
    noise_uv: float = 4.0,
    latency_ms: float = LATENCY_MS,
    size_uv: float = 10.0,
    seed: int = 1,
    length_s: float | None = None,
) -> np.ndarray:
    """(sample,) a whole number of seconds with a response at each time."""
    length = np.ceil(times[-1] + 1) if length_s is None else length_s
    t = np.arange(round(length * sfreq)) / sfreq
    x = noise_uv * np.random.default_rng(seed).normal(size=len(t))
    for onset in times:
        x += response(1000 * (t - onset) - delay_ms, latency_ms, size_uv)
    return x


@dataclass
class Recording:
    """What is written; change a field to break something."""

    name: str = "sub-01_ses-M00_task-prvep_acq-od60min_eeg"
    times: np.ndarray = field(default_factory=onsets)
    channels: dict[str, np.ndarray] = field(default_factory=dict)
    marks: Sequence[tuple[float, str]] | None = None
    rows: Sequence[Sequence[object]] | None = None
    columns: Sequence[str] = ("onset", "duration", "trial_type")
    sidecar: dict[str, Any] | None = field(default_factory=lambda: dict(SIDECAR))
    channels_tsv: str = ""
    sfreq: float = SFREQ
    unit: str = "uV"
    prefilter: str = "HP:0.5Hz LP:100Hz"
    start: float = 0.0

    def write(self, root: Path) -> Path:
        import datetime as dt

        participant, session = self.name.split("_")[:2]
        folder = root / participant / session / "eeg"
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / self.name.removesuffix("_eeg")
        channels = self.channels or {"Oz-Fz": signal(self.times, sfreq=self.sfreq)}
        marks = self.marks if self.marks is not None else [(t, "reversal") for t in self.times]
        edfio.Edf(
            [
                edfio.EdfSignal(
                    values,
                    self.sfreq,
                    label=label,
                    physical_dimension=self.unit,
                    physical_range=_range(values),
                    prefiltering=self.prefilter,
                )
                for label, values in channels.items()
            ],
            annotations=[edfio.EdfAnnotation(float(t), None, text) for t, text in marks],
            starttime=dt.time(9, 30, 0, round(self.start * 1e6)),
        ).write(path := Path(f"{stem}_eeg.edf"))
        if self.rows is not None:
            lines = ["\t".join(self.columns)] + ["\t".join(map(str, row)) for row in self.rows]
            Path(f"{stem}_events.tsv").write_text("\n".join(lines) + "\n")
        if self.sidecar is not None:
            Path(f"{stem}_eeg.json").write_text(json.dumps(self.sidecar))
        if self.channels_tsv:
            Path(f"{stem}_channels.tsv").write_text(self.channels_tsv)
        return path


def _range(values: np.ndarray) -> tuple[float, float]:
    """Limits with room, in 8 characters."""
    top = float(f"{1.5 * max(np.abs(values).max(), 1e-9):.1e}")
    return -top, top


def load(root: Path, *paths: Path, settings: Measuring | None = None) -> Loaded:
    """Read recordings of sub-01 at M00 without an index."""
    eeg = tuple(path for path in paths if "_ave" not in path.name)
    averages = tuple(path for path in paths if "_ave" in path.name)
    visit = Visit("sub-01", "M00", "sub-01/ses-M00", eeg=eeg, averages=averages)
    return load_recordings(visit, root, settings or Measuring())


def index(root: Path) -> Dataset:
    return Dataset.index(root)


def peak_ms(sweeps: Any) -> float:
    """Latency of the average: where `response` fits it best, on a grid of 0.05 ms."""
    average = sweeps.sweeps_uv.mean(axis=0)
    times = sweeps.start_ms + np.arange(len(average)) * 1000 / sweeps.sfreq_hz
    candidates = np.arange(80, 150, 0.05)
    shapes = np.stack([response(times, latency, 1.0) for latency in candidates])
    shapes -= shapes.mean(axis=1, keepdims=True)
    return float(candidates[(shapes @ average / np.linalg.norm(shapes, axis=1)).argmax()])
