"""The demo: a virtual trial from raw recordings to a report, by the same commands that a user has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# True rise in pu of the lesions below the median, in the treated arm. It is larger than any trial has seen
# (CCMR One: 0.16 pu), so that twelve virtual participants show it.
EFFECT_PU = 1.5


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
                f"Virtual data, true effect {EFFECT_PU:+g} pu in the treated arm's submedian lesions.",
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
    import numpy as np

    from remyelin.measure.group import gather
    from remyelin.measure.run import measure_participants, resolve_settings
    from remyelin.protocol import Protocol
    from remyelin.report import all_pages, analyse_folder
    from remyelin.virtual.dataset import write_trial

    protocol = Protocol.read("demo")
    truth = write_trial(protocol, out / "sourcedata", rng=np.random.default_rng(seed), effect_pu=EFFECT_PU)
    measure_participants(truth.dataset, out, resolve_settings("demo"), workers=workers)
    summary = gather(out)
    saved = analyse_folder("demo", out, truth.allocation)
    all_pages(out)
    return Demo(out, str(saved), len(summary.failures), summary.exit_code)
