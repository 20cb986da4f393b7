"""An output folder of visual evoked potentials, as `measure` leaves it, made without measuring."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.tables import Measurements

from .conftest import Folder, write_tsv

DAYS = {"W00": 0, "W12": 84, "W26": 182}
TIME_MS = np.arange(-50.0, 401.0, 1.0)
WAVE_COLUMNS = ("visit", "site", "condition", "time_ms", "average_uv", "se_uv", "fit_uv")


@dataclass
class Eye:
    """What an eye shows: latency and shift in ms, amplitude in uV; a second hump some ms after the first."""

    latency_ms: float = 104.0
    shift_ms: float = -2.0
    amplitude_uv: float = 9.0
    hump_gap_ms: float = 0.0
    absent: tuple[str, ...] = ()
    apart_ms: float = 1.2  # of the replicates
    more: dict[str, Any] = field(default_factory=dict)


def wave(latency: float, eye: Eye) -> np.ndarray:
    """N75, P100, N135 and a late wave; the latency is that of the largest positive peak."""

    def bump(at: float, width: float) -> np.ndarray:
        return np.exp(-0.5 * ((TIME_MS - at) / width) ** 2)

    size = eye.amplitude_uv / 1.5
    out = -0.5 * bump(latency - 30, 9) + bump(latency, 13) - 0.55 * bump(latency + 38, 17)
    out += 0.4 * bump(latency + 95, 32)
    if eye.hump_gap_ms:
        out += 0.8 * bump(latency + eye.hump_gap_ms, 9) - 0.35 * bump(latency + eye.hump_gap_ms / 2, 6)
    return size * out


def noise(rng: np.random.Generator, sd_uv: float) -> np.ndarray:
    white = rng.normal(0, 1, len(TIME_MS) + 40)
    smooth = np.convolve(white, np.hanning(25) / np.sqrt((np.hanning(25) ** 2).sum()), "same")
    return sd_uv * smooth[20:-20]


def recorded(
    participant: str, eyes: dict[str, Eye], visits: tuple[str, ...] = ("W00", "W26"), check: int = 60
) -> tuple[list[dict], list[dict]]:
    """Rows and waveforms of one participant."""
    rng = np.random.default_rng([7, int(participant[-2:]), check])
    rows: list[dict] = []
    waves: list[dict] = []

    def add(visit: str, site: str, measure: str, value: float | None, unit: str, **more: Any) -> None:
        row = {"participant_id": participant, "visit": visit, "day": DAYS[visit], "site": site}
        row |= {"measure": measure, "value": value, "se": None, "unit": unit, "state": "present"}
        rows.append({**row, "quality": "pass", "reason": "", **more})

    for name, eye in eyes.items():
        site = f"eye:{name}"
        for k, visit in enumerate(visits):
            share = k / max(len(visits) - 1, 1)
            latency = eye.latency_ms + share * eye.shift_ms
            pooled = f"check={check};reader=auto"
            gone = visit in eye.absent
            runs = []
            for run in (1, 2):
                true = wave(latency + (run - 1.5) * eye.apart_ms, eye) * (not gone)
                runs.append(true + noise(rng, 0.8))
            for run, average in (*enumerate(runs, 1), (0, np.mean(runs, axis=0))):
                condition = f"{pooled};run={run}" if run else pooled
                measured = latency + (run - 1.5) * eye.apart_ms if run else latency
                state = {"state": "absent", "reason": "no response above the noise"} if gone else {}
                extra = {"condition": condition, **state, **(eye.more if visit == visits[-1] else {})}
                se = 1.3 if run else 0.9
                for measure, value, unit, error in (
                    ("p100_latency_ms", measured, "ms", se),
                    ("n75_latency_ms", measured - 30, "ms", 1.5 * se),
                    ("n135_latency_ms", measured + 38, "ms", 2 * se),
                    ("p100_amplitude_uv", eye.amplitude_uv, "uV", 0.7),
                ):
                    add(visit, site, measure, None if gone else value, unit,
                        **{"se": None if gone else error, **extra})  # fmt: skip
                add(visit, site, "vep_snr", 0.9 if gone else eye.amplitude_uv / 1.6, "1", **extra)
                fit = wave(latency, eye) if not run and not gone else np.full(len(TIME_MS), np.nan)
                waves += [
                    dict(zip(WAVE_COLUMNS, (visit, site, condition, *numbers), strict=True))
                    for numbers in zip(
                        TIME_MS,
                        average.round(4),
                        np.full(len(TIME_MS), 0.8 if run else 0.57),
                        fit.round(4),
                        strict=True,
                    )
                ]
            if eye.hump_gap_ms and not gone:
                for hump, at in ((1, latency), (2, latency + eye.hump_gap_ms)):
                    add(visit, site, "p100_latency_ms", at, "ms", se=1.0,
                        condition=f"check={check};hump={hump};reader=auto")  # fmt: skip
            if k:
                lost = {"state": "absent", "reason": "no response above the noise"}
                change = {"value": None, **lost} if gone else {"value": share * eye.shift_ms, "se": 0.8}
                add(visit, site, "vep_shift_ms", **{"unit": "ms", "condition": pooled, **change})
    return rows, waves


BIFID = Eye(98.0, -1.4, 7.0, hump_gap_ms=27.0, apart_ms=6.4, more={"quality": "flag", "reason": "two humps"})
EYES = {
    "sub-01": {"OD": Eye(121.0, -2.1), "OS": BIFID},
    "sub-02": {"OD": Eye(128.0, -4.0, 5.0), "OS": Eye(104.0, 0.5, absent=("W26",))},
}


def write_eyes(
    folder: Folder, people: dict[str, tuple[list[dict], list[dict]]], extra: list[dict] | None = None
) -> None:
    """Tables and waveforms of several participants."""
    folder.tables([row for rows, _ in people.values() for row in rows] + (extra or []))
    for participant, (_, waves) in people.items():
        write_tsv(folder.root / participant / f"{participant}_waveforms.tsv", waves, WAVE_COLUMNS)


def readers(rows: list[dict], reader: str, offset_ms: float) -> list[dict]:
    """The same pooled peaks, read by a person."""
    return [
        {**row, "condition": f"check=60;reader={reader}", "value": row["value"] + offset_ms, "se": None}
        for row in rows
        if row["condition"] == "check=60;reader=auto"
        and row["measure"] == "p100_latency_ms"
        and row["value"] is not None
    ]


def sectors(participant: str, n: int = 60, visits: tuple[str, ...] = ("W00", "W26")) -> list[dict]:
    """Multifocal rows: a block of sectors of the right eye is delayed and recovers; some have no response."""
    rng = np.random.default_rng(11)
    rows = []
    for eye in ("OD", "OS"):
        for sector in range(1, n + 1):
            slow = eye == "OD" and 20 <= sector <= 34
            start = 108 + 14 * slow + rng.normal(0, 3)
            shift = -5.0 * slow + rng.normal(0, 1.2)
            absent = rng.random() < 0.06
            for visit in visits:
                state = "absent" if absent else "present"
                base = {"participant_id": participant, "visit": visit, "day": DAYS[visit], "state": state,
                        "site": f"eye:{eye}", "condition": f"reader=auto;sector={sector:02d}", "unit": "ms",
                        "quality": "pass", "reason": ""}  # fmt: skip
                numbers = {"p100_latency_ms": start + shift * (visit != visits[0])}
                if visit != visits[0]:
                    numbers["vep_shift_ms"] = shift
                for measure, value in numbers.items():
                    rows.append({**base, "measure": measure, "value": None if absent else value, "se": 1.2})
    return rows


def table_of(rows: list[dict]) -> Measurements:
    return Measurements.from_rows(rows, source="remyelin")


def write_folder(root: Path) -> None:
    """Two participants with evoked potentials only; the second has three visits and multifocal sectors."""
    folder = Folder(root)
    folder.describe(virtual=False)
    one = recorded("sub-01", EYES["sub-01"])
    two = recorded("sub-02", EYES["sub-02"], ("W00", "W12", "W26"))
    write_eyes(folder, {"sub-01": one, "sub-02": two}, readers(one[0], "AB", 1.4) + sectors("sub-02", 20))
    (root / "remyelin.toml").write_text("[measure]\nvep_replicate_ms = 5.0\n")
