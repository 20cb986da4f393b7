"""From EDF files to the change of latency: the whole path of the package, and a recipe of MNE.

    python benchmarks/vep/edf_set.py --replicates 3 [--only pink]
    python benchmarks/vep/edf_set.py --table

A replicate is a dataset of `dataset.py`: 20 people, two eyes, two visits, two replicates of 50 sweeps;
delayed responses of 3, 6 and 10 uV that come 0, 2, 4 or 8 ms earlier at visit 2. Noise 9.6 uV a sweep. The
recipe: Oz less Fz, epochs with the baseline taken off, the average of both replicates, a 30 Hz low-pass,
the positive peak from 75 to 180 ms; change = difference.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import bench
import mne
import numpy as np
import pandas as pd
from estimators import low_passed, mne_peak_ms
from noise import NOISES, available

from dataset import CHECK_ARCMIN, DELAY_MS, RUNS, VISITS, Eye, write_dataset

CONDITION = f"check={CHECK_ARCMIN};reader=auto"
METHODS = ("get_peak", "lp30", "ours")
WORDS = {"get_peak": "MNE get_peak", "lp30": "MNE get_peak, 30 Hz", "ours": "remyelin"}


def one_set(noise: str, seed: int, work: Path, people: int = 20) -> pd.DataFrame:
    """Write one dataset, measure it by both ways, and join with the truth: a row an eye."""
    bids, out = work / "edf" / f"bids-{noise}-{seed}", work / "edf" / f"out-{noise}-{seed}"
    for folder in (bids, out):
        shutil.rmtree(folder, ignore_errors=True)
    truth = write_dataset(bids, people=people, seed=seed, noise=noise)
    rows = [vars_of(eye) | recipe(bids, eye) for eye in truth]
    table = pd.DataFrame(rows)
    begun = time.process_time()
    ours = measured(bids, out)
    if len(ours):
        table = table.merge(ours, on=["participant", "eye"], how="left")
        table["cpu_s"] = (time.process_time() - begun) / len(table)
    for folder in (bids, out):
        shutil.rmtree(folder, ignore_errors=True)
    return table


def vars_of(eye: Eye) -> dict[str, Any]:
    return {name: getattr(eye, name) for name in Eye.__dataclass_fields__}


def recipe(bids: Path, eye: Eye) -> dict[str, float]:
    """What the ordinary script of MNE finds for one eye."""
    found: dict[str, float] = {}
    for visit in VISITS:
        folder = bids / eye.participant / f"ses-{visit}" / "eeg"
        stem = f"{eye.participant}_ses-{visit}_task-prvep_acq-{eye.eye.lower()}{CHECK_ARCMIN}min"
        epochs = mne.concatenate_epochs(
            [_epochs(folder / f"{stem}_run-{run}_eeg.edf") for run in range(1, RUNS + 1)]
        )
        average = epochs.average()
        found[f"get_peak_{visit}"] = mne_peak_ms(average) - DELAY_MS
        found[f"lp30_{visit}"] = mne_peak_ms(low_passed(average)) - DELAY_MS
    return found


def _epochs(file: Path) -> mne.Epochs:
    raw = mne.io.read_raw_edf(file, preload=True, verbose="ERROR")
    raw = mne.set_bipolar_reference(raw, "Oz", "Fz", ch_name="Oz-Fz", verbose="ERROR")
    events, codes = mne.events_from_annotations(raw, verbose="ERROR")
    return mne.Epochs(
        raw,
        events,
        codes,
        tmin=-0.1,
        tmax=0.4,
        baseline=(None, 0),
        picks="Oz-Fz",
        preload=True,
        verbose="ERROR",
    )


def measured(bids: Path, out: Path) -> pd.DataFrame:
    """What the package writes: from recordings to Measurements."""
    import remyelin

    settings = remyelin.resolve_settings(given={"vep_channel": "Oz-Fz"})
    remyelin.measure_participants(bids, out, settings, progress=False)
    remyelin.gather(out)
    frame = remyelin.Measurements.read(out / "measurements.tsv").frame
    frame = frame[frame["condition"].astype(str) == CONDITION]
    if not len(frame):
        return pd.DataFrame()
    rows = frame.assign(participant=frame["participant_id"].astype(str), eye=frame["site"].str[-2:])
    wide = []
    for (participant, eye), own in rows.groupby(["participant", "eye"]):
        wide.append({"participant": participant, "eye": eye, **_of_eye(own)})
    return pd.DataFrame(wide)


def _of_eye(own: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (visit, measure), row in own.set_index(["visit", "measure"]).iterrows():
        if measure == "p100_latency_ms":
            found |= {f"ours_{visit}": row["value"], f"state_{visit}": row["state"]}
        elif measure == "vep_shift_ms" and visit == list(VISITS)[-1]:
            found |= {"shift": row["value"], "se": row["se"], "quality": row["quality"]}
    return found


def run(chosen: Any) -> None:
    for noise in NOISES[:2]:
        for seed in range(7, 7 + chosen.replicates):
            file = chosen.work / "edf_set" / f"{noise}-{seed}.tsv"
            if file.exists() or (chosen.only and noise not in chosen.only) or available(noise):
                continue
            done = one_set(noise, seed, chosen.work)
            file.parent.mkdir(parents=True, exist_ok=True)
            done.to_csv(file, sep="\t", index=False, float_format="%.4f")
            print(file, flush=True)


def changes(done: pd.DataFrame) -> dict[str, np.ndarray]:
    """Error of each method's change, ms."""
    first, last = VISITS
    error = {k: done[f"{k}_{last}"] - done[f"{k}_{first}"] - done["shift_ms"] for k in ("get_peak", "lp30")}
    ours = done["shift"] if "shift" in done else pd.Series(np.nan, done.index)
    error["ours"] = ours - done["shift_ms"]
    return {k: e.to_numpy(float) for k, e in error.items()}


def table(work: Path) -> str:
    parts = ["## Two visits, from EDF to Measurements"]
    for noise in NOISES[:2]:
        files = sorted((work / "edf_set").glob(f"{noise}-*.tsv"))
        if files:
            done = pd.concat([bench.load(file) for file in files], ignore_index=True)
            parts += [f"{noise}: {len(files)} sets, {len(done)} eyes.", _methods(done), _verdict(done)]
    return "\n\n".join(part for part in parts if part)


def _methods(done: pd.DataFrame) -> str:
    error = changes(done)
    rows = []
    for method in METHODS:
        own = error[method]
        given = np.isfinite(own)
        by_size = [bench.rmse(own[given & (done["amplitude_uv"].round() == uv)]) for uv in (3, 6, 10)]
        bias, half = bench.mean_interval(own[given]) if given.sum() > 1 else (np.nan, np.nan)
        filled = np.where(given, own, error["lp30"])
        rows.append(
            [
                WORDS[method],
                f"{bench.rmse(own[given]):.2f}",
                f"{bench.rmse(filled):.2f}",
                f"{bias:+.2f} ± {half:.2f}",
                *(f"{value:.2f}" for value in by_size),
                bench.percent(~given, 1),
                bench.percent(np.abs(own[given]) > 10, 1),
            ]
        )
    head = (
        "method",
        "change RMSE, ms",
        "all eyes",
        "bias",
        "3 uV",
        "6 uV",
        "10 uV",
        "no value",
        "beyond 10 ms",
    )
    return bench.markdown(head, rows)


def _verdict(done: pd.DataFrame) -> str:
    if "shift" not in done:
        return "remyelin: the recordings are not measured yet"
    error = changes(done)["ours"]
    given = np.isfinite(error)
    z = error[given] / done["se"][given]
    first = next(iter(VISITS))
    late = (done[f"ours_{first}"] - done["latency_ms"]).dropna()
    peer = done[f"lp30_{first}"] - done["latency_ms"]
    met = bench.rmse(error[given]) <= 4 and abs(error[given].mean()) <= 0.3
    return (
        f"- goal: change RMSE <= 4 ms and bias within 0.3 ms: {'met' if met else '**NOT MET**'}\n"
        f"- error within 1.96 se: {bench.percent(np.abs(z) < 1.96)}; SD of error / se {z.std():.2f}; "
        f"states at {first}: {done[f'state_{first}'].value_counts().to_dict()}; "
        f"quality of the shift: {done['quality'].value_counts().to_dict()}\n"
        f"- latency at {first}: RMSE {bench.rmse(late.to_numpy()):.2f} ms ({len(late)} eyes), "
        f"MNE after 30 Hz {bench.rmse(peer.to_numpy()):.2f} ms\n"
        f"- {done['cpu_s'].mean():.2f} CPU s an eye, from file to table"
    )


def main() -> None:
    chosen = bench.options(__doc__, replicates=3)
    if not chosen.table:
        run(chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
