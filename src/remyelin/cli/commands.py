"""The way of a trial: demo, measure, plan, analyse, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from .application import Json, Labels, app, say


@app.command
def demo(out: Path = Path("demo-out"), *, jobs: int = 2, seed: int = 2026, json: Json = False) -> int:
    """A virtual trial, from raw recordings to a report, with nothing to prepare.

    Example: `remyelin demo demo-out`, then open `demo-out/report.html`.

    Parameters
    ----------
    out
        Folder for the recordings (`out/sourcedata/bids`), the measurements and the report.
    jobs
        Participants measured at the same time.
    seed
        Another seed gives another virtual trial.
    json
        Print the summary as JSON.
    """
    from remyelin.demo import run_demo

    return say(run_demo(out, workers=jobs, seed=seed), json)


@app.command
def measure(
    bids: Path,
    out: Path,
    level: Literal["participant", "group"],
    *,
    participant_label: Labels = None,
    protocol: str | None = None,
    min_volume_mm3: float | None = None,
    erosion_voxels: int | None = None,
    interpolation: Literal["none", "halfway"] | None = None,
    normalise: Literal["none", "nawm", "phantom"] | None = None,
    rescan_sd_pu: float | None = None,
    b1_correction: Literal["helms", "lipp", "none"] | None = None,
    vep_channel: str | None = None,
    vep_reject_uv: float | None = None,
    vep_replicate_ms: float | None = None,
    vep_delayed_ms: float | None = None,
    jobs: int = 1,
    timeout_min: float | None = None,
    debug: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Measure a BIDS dataset: recordings to measurements (a BIDS App).

    Level `participant` measures each one into a table, maps and a page.
    Those finished with the same inputs and settings are skipped.
    Level `group` joins their tables and writes the report, without raw data.

    Examples: `remyelin measure BIDS OUT participant --jobs 2`,
    then `remyelin measure BIDS OUT group`.

    Parameters
    ----------
    bids
        The dataset: MT-off and MT-on images with lesion masks in `derivatives/`, recordings of visual evoked
        potentials (VEP) in `eeg/`, or both.
    out
        Results folder, a BIDS derivatives dataset.
    level
        `participant` or `group`.
    participant_label
        Only these participants, without `sub-`: `--participant-label 01 02`.
    protocol
        Take the settings from the `[measure]` table of this protocol: a file, or the name of a packaged one.
    min_volume_mm3
        Leave out lesions smaller than this; how many is reported.
    erosion_voxels
        Erode each lesion by so many voxels first. At 1 mm one erosion leaves 40 % of lesions.
    interpolation
        `none` carries lesion weights to the native images (default); `halfway` resamples each image once.
    normalise
        Remove scanner drift by the mean MTR of normal-appearing white matter (`nawm`) or of a `phantom`.
    rescan_sd_pu
        Scan-rescan SD of a large lesion's MTR, in pu: the error floor that one image cannot show.
    b1_correction
        How MTsat is corrected for B1 where there is a TB1map; default `helms`.
    vep_channel
        Active less reference, `Oz-Fz`; by default the midline occipital channel that is there.
    vep_reject_uv
        Reject sweeps of more than so many uV from peak to peak; how many is reported.
    vep_replicate_ms
        Flag replicates whose P100 differ by more than so many ms and more than their noise.
    vep_delayed_ms
        An eye is delayed above this P100 latency: 118 in CCMR Two, 125 in ReBUILD. No default.
    jobs
        Participants measured at the same time; images of 1 mm take 1 GB of memory each.
    timeout_min
        Give up on a participant after this many minutes, name it, and go on.
    debug
        Write what went wrong inside the program to `OUT/debug.log`.
    json
        Print the summary as JSON.
    """
    from remyelin.measure.group import gather
    from remyelin.measure.run import measure_participants, resolve_settings
    from remyelin.report import missing_pages, trial_page

    if level == "group":
        summary = gather(out)
        trial_page(out)
        return say(summary, json)
    given = {
        "min_volume_mm3": min_volume_mm3,
        "erosion_voxels": erosion_voxels,
        "interpolation": interpolation,
        "normalise": normalise,
        "rescan_sd_pu": rescan_sd_pu,
        "b1_correction": b1_correction,
        "vep_channel": vep_channel,
        "vep_reject_uv": vep_reject_uv,
        "vep_replicate_ms": vep_replicate_ms,
        "vep_delayed_ms": vep_delayed_ms,
    }
    settings = resolve_settings(protocol, {k: v for k, v in given.items() if v is not None})
    if debug:
        _log_to(out / "debug.log")
    summary = measure_participants(
        bids,
        out,
        settings,
        labels=participant_label,
        workers=jobs,
        timeout_s=timeout_min and 60 * timeout_min,
    )
    missing_pages(out, (*summary.measured, *summary.skipped))
    return say(summary, json)


@app.command
def plan(
    protocol: str,
    *,
    effect: float | None = None,
    sd: str | None = None,
    sd_unit: Literal["participant", "eye", "lesion"] | None = None,
    sites: float | None = None,
    icc: float | None = None,
    power: float | None = None,
    simulate: int | None = None,
    out: Path | None = None,
    jobs: int = 1,
    json: Json = False,
) -> int:
    """How many participants a protocol needs, and what it can find.

    Examples: `remyelin plan ccmr-two`,
    `remyelin plan ccmr-two --effect 2.5 --sd 4.33 --sd-unit participant --out OUT`.

    Parameters
    ----------
    protocol
        A protocol file (TOML), or the name of a packaged one. Its `[plan]` is taken unless given here.
    effect
        Difference to be found, in the unit of the measure.
    sd
        SD of one change in that unit, or the source of an SD in the evidence base, as `cc2a`. No default.
    sd_unit
        Whose change it is the SD of. No default.
    sites
        Beside the SD of one eye or lesion: how many a participant has.
    icc
        How alike these change: 0 independent, 1 alike.
    power
        Asked for besides 0.8 and 0.9.
    simulate
        Rehearse so many virtual trials with the endpoint's own estimator.
    out
        Write `plan.html`, `plan.json` and tables into this folder.
    jobs
        Processes that simulate.
    json
        Print the plan as JSON.
    """
    from remyelin.report import plan_folder

    given = {"effect": effect, "sd": sd, "sd_unit": sd_unit, "sites": sites, "icc": icc, "power": power}
    return say(plan_folder(protocol, out, simulate=simulate, workers=jobs, **given), json)


@app.command
def analyse(protocol: str, out: Path, *, allocation: Path | None = None, json: Json = False) -> int:
    """Measurements to treatment effect, as the protocol says.

    Example: `remyelin analyse ccmr-one OUT --allocation allocation.tsv`

    Parameters
    ----------
    protocol
        A protocol file (TOML), or the name of a packaged one.
    out
        The folder that `remyelin measure` filled.
    allocation
        A table `participant_id`, `arm` (or `sequence`), kept apart from the dataset until now.
    json
        Print the results as JSON.
    """
    from remyelin.report import all_pages, analyse_folder

    saved = analyse_folder(protocol, out, allocation)
    all_pages(out)
    return say(saved, json)


@app.command
def report(out: Path, *, json: Json = False) -> int:
    """Write the report again: one self-contained page for the trial and one for each participant.

    Example: `remyelin report OUT`, then open `OUT/report.html`.

    Parameters
    ----------
    out
        The folder that `remyelin measure` and `remyelin analyse` filled.
    json
        Print the paths as JSON.
    """
    from remyelin.report import all_pages

    return say(all_pages(out), json)


def _log_to(path: Path) -> None:
    import logging

    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("remyelin")
    log.addHandler(logging.FileHandler(path, mode="w", encoding="utf-8"))
    log.setLevel(logging.DEBUG)
