"""Two visits of pattern-reversal recordings of known truth, as a BIDS dataset of EDF files.

    python benchmarks/vep/dataset.py FOLDER [--people 20] [--seed 7] [--noise pink]

Each eye has its own delayed response (`waves.py`) of 3, 6 or 10 uV. At M06 it is the same response 0, 2, 4
or 8 ms earlier. A visit has two replicates of 50 reversals an eye, Oz and Fz at 1 kHz, with triggers 8 ms
before the light (`DisplayDelay`). The truth is written beside the dataset (`FOLDER_truth.tsv`), never into
it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import edfio
import numpy as np
from noise import RATE_HZ, SFREQ_HZ, continuous, reversals
from waves import JITTER_MS, Wave, draw_wave

VISITS = {"M00": 0, "M06": 182}
EYES = ("OD", "OS")
AMPLITUDES_UV, SHIFTS_MS = (3.0, 6.0, 10.0), (0.0, -2.0, -4.0, -8.0)
RUNS, SWEEPS_A_RUN = 2, 50
CHECK_ARCMIN, DELAY_MS = 60, 8.0
# What the 1/f + alpha noise of the first prototype left after its 1 to 100 Hz filter: figures compare.
SD_UV = 9.6
LENGTH_MS = 450
SIDECAR = {
    "TaskName": "prvep",
    "TaskDescription": "Pattern-reversal visual evoked potential, simulated",
    "EEGReference": "single electrode on the left earlobe",
    "SamplingFrequency": SFREQ_HZ,
    "PowerLineFrequency": 50,
    "SoftwareFilters": "n/a",
    "HardwareFilters": {"High-pass": {"CutoffHz": 1}, "Low-pass": {"CutoffHz": 100}},
    "RecordingType": "continuous",
    "Display": "simulated",
    "DisplayDelay": DELAY_MS,
    "Luminance": 50,
    "Contrast": 95,
    "Field": 20,
    "ReversalRate": RATE_HZ,
}


@dataclass(frozen=True)
class Eye:
    """The truth of one eye."""

    participant: str
    eye: str
    amplitude_uv: float
    latency_ms: float
    shift_ms: float
    form: str


def write_dataset(
    folder: Path,
    *,
    people: int = 20,
    seed: int = 7,
    noise: str = "pink",
    sd_uv: float = SD_UV,
    amplitudes_uv: Sequence[float] = AMPLITUDES_UV,
    shifts_ms: Sequence[float] = SHIFTS_MS,
    form: str = "delayed",
) -> list[Eye]:
    """Write the dataset into a folder and return its truth, eye by eye.

    `shifts_ms` holds what may be drawn for an eye; `sd_uv` is the noise of one sweep.
    """
    rng = np.random.default_rng([seed, 3])
    names = [f"sub-{k:02d}" for k in range(1, people + 1)]
    _write_frame(folder, names)
    truth = []
    for name in names:
        for eye in EYES:
            wave = draw_wave(rng, form, float(rng.choice(amplitudes_uv)))
            shift = float(rng.choice(shifts_ms))
            truth.append(Eye(name, eye, float(wave.mean_uv.max()), wave.latency_ms, shift, form))
            for visit, late in zip(VISITS, (0.0, shift), strict=True):
                for run in range(1, RUNS + 1):
                    uv, onsets = recording(rng, wave, late, noise, sd_uv)
                    stem = f"{name}_ses-{visit}_task-prvep_acq-{eye.lower()}{CHECK_ARCMIN}min_run-{run}"
                    _write_recording(folder / name / f"ses-{visit}" / "eeg", stem, uv, onsets, eye)
    return truth


def recording(
    rng: np.random.Generator, wave: Wave, late_ms: float, noise: str, sd_uv: float
) -> tuple[np.ndarray, np.ndarray]:
    """(channel, sample) of Oz and Fz in uV, and the samples of the triggers."""
    onsets = reversals(SWEEPS_A_RUN)
    samples = -(-(int(onsets[-1]) + 1500) // 1000) * 1000  # whole seconds
    response = continuous(rng, noise, samples, sd_uv)
    times = np.arange(LENGTH_MS)
    for onset in onsets:
        late = DELAY_MS + late_ms + rng.normal(0, JITTER_MS)
        response[onset : onset + LENGTH_MS] += wave.at(times - late)
    reference = rng.normal(0, 0.5, samples)
    return np.stack([response + reference, reference]), onsets


def _write_frame(folder: Path, names: Sequence[str]) -> None:
    about = {"Name": "Simulated VEP", "BIDSVersion": "1.9.0", "DatasetType": "raw", "License": "CC0"}
    _write(folder / "dataset_description.json", json.dumps(about, indent=1) + "\n")
    _write(folder / "participants.tsv", _tsv([("participant_id",), *((name,) for name in names)]))
    for name in names:
        rows = [("session_id", "day"), *((f"ses-{visit}", day) for visit, day in VISITS.items())]
        _write(folder / name / f"{name}_sessions.tsv", _tsv(rows))


def _write_recording(folder: Path, stem: str, uv: np.ndarray, onsets: np.ndarray, eye: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    high = float(np.ceil(np.abs(uv).max()))
    signals = [
        edfio.EdfSignal(x, SFREQ_HZ, label=name, physical_dimension="uV", physical_range=(-high, high))
        for x, name in zip(uv, ("Oz", "Fz"), strict=True)
    ]
    seconds = onsets / SFREQ_HZ
    marks = [edfio.EdfAnnotation(onset, None, "reversal") for onset in seconds]
    edfio.Edf(signals, annotations=marks).write(folder / f"{stem}_eeg.edf")
    _write(folder / f"{stem}_eeg.json", json.dumps(SIDECAR, indent=1) + "\n")
    channels = [("name", "type", "units"), ("Oz", "EEG", "uV"), ("Fz", "EEG", "uV")]
    _write(folder / f"{stem}_channels.tsv", _tsv(channels))
    head = ("onset", "duration", "trial_type", "eye", "check_arcmin")
    events = [(f"{onset:.3f}", 0, "reversal", eye, CHECK_ARCMIN) for onset in seconds]
    _write(folder / f"{stem}_events.tsv", _tsv([head, *events]))


def _tsv(rows: Sequence[Sequence[object]]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noise", default="pink")
    options = parser.parse_args()
    truth = write_dataset(options.folder, people=options.people, seed=options.seed, noise=options.noise)
    head = tuple(Eye.__dataclass_fields__)
    rows = [tuple(getattr(eye, name) for name in head) for eye in truth]
    _write(options.folder.with_name(options.folder.name + "_truth.tsv"), _tsv([head, *rows]))
    print(f"{len(truth)} eyes, {2 * RUNS * len(truth)} recordings in {options.folder}")


if __name__ == "__main__":
    main()
