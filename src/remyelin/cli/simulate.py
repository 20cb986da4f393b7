"""Virtual trials: tables, or a whole dataset of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from .application import Json, app, say


@app.command
def simulate(
    protocol: str,
    out: Path,
    *,
    trials: int = 1,
    participants: int | None = None,
    laboratory: Literal["trial", "rebuild", "routine"] | None = None,
    latency_ms: float | None = None,
    mtr_pu: float | None = None,
    lesions: int | None = None,
    assume: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    recordings: Annotated[bool, Parameter(negative=())] = False,
    voxel_mm: float | None = None,
    seed: int = 2026,
    jobs: int = 1,
    json: Json = False,
) -> int:
    """Simulate trials under a protocol: tables, or with --recordings a whole BIDS dataset.

    Examples: `remyelin simulate ccmr-two OUT --laboratory trial --latency-ms -1.2`,
    then `remyelin analyse ccmr-two OUT --allocation OUT/sealed/allocation.tsv`;
    `remyelin simulate demo REC --recordings --laboratory trial --latency-ms -8 --mtr-pu 2`.

    Parameters
    ----------
    protocol
        A protocol file (TOML), or the name of a packaged one.
    out
        Folder of the measurements; the allocation lies in `OUT/sealed`, the truth in `OUT/truth`. Tables of
        an earlier simulation are replaced; an analysis, or anything else, is refused.
    trials
        With more than 1, Parquet tables with `trial` in front, and what the estimator finds in each.
    participants
        In each arm, up to 10,000; by default those of the protocol.
    laboratory
        Whose P100: `trial` (SD of a person's change 2.4 ms), `rebuild` (4.33) or `routine` (12.4 of an eye).
        No default.
    latency_ms
        True change of a delayed eye's P100 by every treatment, as -1.2 (-30 to 30). Without this and
        --mtr-pu, what the treatment's target makes; with one of the two, the other is 0. Refused if no
        endpoint shows it.
    mtr_pu
        True change of a lesion's MTR by every treatment, as 0.2 (-10 to 10); see --latency-ms.
    lesions
        The same number for everyone, up to 1,000; by default as real people have them.
    assume
        Other premises, as `dropout=0.1`; `OUT/truth/premises.tsv` lists them, and so does an unknown name.
    recordings
        Write recordings (MRI, EEG) of one trial and no tables; `remyelin measure OUT/bids` reads them.
    voxel_mm
        Of the images, 1 or 2 (the default).
    seed
        The same seed gives the same bytes, for any number of jobs.
    jobs
        Processes.
    json
        Print the summary as JSON.
    """
    from remyelin.virtual.asking import simulate_folder

    found = simulate_folder(
        protocol, out, trials=trials, participants=participants, laboratory=laboratory, latency_ms=latency_ms,
        mtr_pu=mtr_pu, lesions=lesions, assume=assume or (), recordings=recordings, voxel_mm=voxel_mm,
        seed=seed, workers=jobs,
    )  # fmt: skip
    return say(found, json)
