"""Is there a response? False "present" without one, power with one, and true ones called absent.

    python benchmarks/vep/detection.py --replicates 1000 [--only 0uV 100 pink]
    python benchmarks/vep/detection.py --table

Responses are of the three forms in turn. Peers: Fsp above 3 and a split-half correlation above 0.6, 50 to
250 ms.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bench
import numpy as np
import pandas as pd
from estimators import fsp, ours_missing, split_half_r
from noise import NOISES, SFREQ_HZ, TIMES_MS, available, noise_sweeps
from waves import FORMS, draw_wave, sweeps

CONDITIONS = tuple(f"{uv}uV-{n}-{noise}" for noise in NOISES for n in (100, 50) for uv in ("0", "2.5", "4"))
MIN_FSP, MIN_R = 3.0, 0.6
INSIDE = (TIMES_MS >= 50) & (TIMES_MS <= 250)
HEAD = (
    "uV, sweeps, noise",
    "n",
    "Fsp > 3",
    "r > 0.6",
    "present",
    "absent",
    "indeterminate",
    "p < 0.05",
    "goal",
)
GOALS = {"0uV": ("present", 0.02, False), "4uV": ("present", 0.90, True)}


def one(condition: str, rng: np.random.Generator, replicate: int) -> dict[str, Any]:
    """Record one eye, or nothing but noise, and ask every method."""
    uv, n, noise = condition.split("-")
    amplitude = float(uv.removesuffix("uV"))
    wave = draw_wave(rng, FORMS[replicate % len(FORMS)], amplitude) if amplitude else None
    recorded = sweeps(rng, wave, noise_sweeps(rng, noise, int(n)))
    found: dict[str, Any] = {"fsp": fsp(recorded, INSIDE), "r": split_half_r(recorded, INSIDE)}
    return found if ours_missing() else found | _ours(recorded)


def _ours(recorded: np.ndarray) -> dict[str, Any]:
    from remyelin.measure.vep import detect

    found = detect(recorded, SFREQ_HZ)
    return {"state": str(found.state), "p": found.p}


def row(name: str, done: pd.DataFrame) -> list[str]:
    words = [
        name,
        str(len(done)),
        bench.percent(done["fsp"] > MIN_FSP, 1),
        bench.percent(done["r"] > MIN_R, 1),
    ]
    if "state" not in done:
        return [*words, *[""] * 5]
    shares = [bench.percent(done["state"] == state, 1) for state in ("present", "absent", "indeterminate")]
    return [*words, *shares, bench.percent(done["p"] < 0.05, 1), _goal(name, done)]


def _goal(name: str, done: pd.DataFrame) -> str:
    uv, n, _ = name.split("-")
    if uv not in GOALS or (n != "100" and uv != "0uV"):
        return ""
    state, limit, least = GOALS[uv]
    share = float((done["state"] == state).mean())
    met = share >= limit if least else share <= limit
    return f"{'>=' if least else '<='} {100 * limit:.0f} % {'met' if met else '**NOT MET**'}"


def table(work: Path) -> str:
    files = [(name, work / "detection" / f"{name}.tsv") for name in CONDITIONS]
    rows = [row(name, bench.load(file)) for name, file in files if file.exists()]
    parts = [
        "## Detection\n\nShare of recordings. At 0 uV, `present` is false; with a response, `absent` is.",
        bench.markdown(HEAD, rows),
        *[reason for noise in NOISES if (reason := available(noise))],
    ]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    chosen = bench.options(__doc__, replicates=1000)
    if not chosen.table:
        possible = [c for c in CONDITIONS if not available(c.split("-")[-1])]
        bench.run("detection", possible, one, chosen)
    print(table(chosen.work))


if __name__ == "__main__":
    main()
