"""The demo: a virtual trial from raw recordings to a report, by the same commands that a user has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remyelin.virtual.recorded import Truth

# True effects in the treated arm: on every lesion, and on every eye whose optic nerve has a lesion. They are
# larger than any trial has seen (CCMR One: 0.16 pu; CCMR Two: -1.2 ms), so that eight participants show them.
EFFECT_PU, EFFECT_MS = 2.0, -8.0
# Participants as alike as eight must be to show anything; people differ more.
ALIKE = {
    "participant_change_sd_pu": 0.3,
    "lesion_change_sd_pu": 0.3,
    "p100_change_sd_ms": 1.0,
    "optic_nerve_part": 1.0,
    "absent_part": 0.0,
}
LESIONS = 20
VOXEL_MM, HEAD_SCALE = 2.0, 0.65  # a small head is measured in a third of the time


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo left behind."""

    out: Path
    results: str
    failures: int
    exit_code: int

    def __str__(self) -> str:
        return "\n".join(
            [
                f"Virtual data, true effect {EFFECT_PU:+g} pu in lesions and {EFFECT_MS:+g} ms in affected "
                "eyes of the treated arm.",
                self.results,
                f"Open {self.out / 'report.html'}",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"report": str(self.out / "report.html"), "results": self.results, "failures": self.failures}


def run_demo(out: Path, *, workers: int = 2, seed: int = 2026) -> Demo:
    """Write a virtual trial as recordings, measure them, analyse them, and report.

    Parameters
    ----------
    out
        `out/sourcedata` gets the BIDS dataset (with the sealed allocation and the truth beside it), `out` the
        measurements and the pages.
    workers
        Participants at the same time.
    seed
        Of the virtual trial.
    """
    from remyelin.measure.group import gather
    from remyelin.measure.run import measure_participants, resolve_settings
    from remyelin.report import all_pages, analyse_folder

    truth = write_demo(out / "sourcedata", workers=workers, seed=seed)
    measure_participants(truth.dataset, out, resolve_settings("demo"), workers=workers)
    summary = gather(out)
    saved = analyse_folder("demo", out, truth.allocation)
    all_pages(out)
    return Demo(out, str(saved), len(summary.failures), summary.exit_code)


def write_demo(out: Path, *, workers: int, seed: int) -> Truth:
    """The recordings of the demo."""
    import numpy as np

    from remyelin.protocol import Protocol
    from remyelin.virtual.dataset import write_trial
    from remyelin.virtual.premises import Premises
    from remyelin.virtual.response import Response
    from remyelin.virtual.scanner import Scanner

    return write_trial(
        Protocol.read("demo"),
        out,
        rng=np.random.default_rng(seed),
        response=Response.constant(latency_ms=EFFECT_MS, mtr_pu=EFFECT_PU),
        premises=Premises.read("trial", **ALIKE),
        lesions_per_participant=LESIONS,
        scanner=Scanner(voxel_mm=VOXEL_MM, head_scale=HEAD_SCALE),
        workers=workers,
        progress=True,
    )
