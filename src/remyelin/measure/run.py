"""Measuring a dataset: one job a participant, and the settings that all of them share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin import files, provenance
from remyelin.errors import InputError
from remyelin.run import Job, Outcome, map_jobs, output_lock

from .brought import Brought, read_brought
from .dataset import Dataset, Participant
from .findings import Failure, Finding
from .participant import Task, measure_participant

if TYPE_CHECKING:
    from remyelin.protocol import Measuring

RECORDS = "records"
# The record of what concerns the dataset as a whole, beside those of the participants.
DATASET = "dataset"
IGNORED = (
    "*.html\n*.toml\n*.parquet\n*_measurements.tsv\n*_flags.tsv\n*_waveforms.tsv\n*_iscev.tsv\n"
    "*_eligibility.tsv\n*_adjudication.tsv\n/*.tsv\n/*.txt\n/*.log\n/records\n"
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Parameters
    ----------
    out
        The output folder.
    measured, skipped, failed
        Participants measured now, finished earlier, and with at least one failure.
    failures
        One mapping a failure: participant, visit and the five facts.
    flags
        How many values are doubtful.
    """

    out: Path
    measured: tuple[str, ...]
    skipped: tuple[str, ...]
    failures: tuple[Mapping[str, str], ...]
    flags: int

    @property
    def exit_code(self) -> int:
        """0 if nothing failed, else 1; a doubtful value is not a failure."""
        return 1 if self.failures else 0

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "measured": list(self.measured),
            "skipped": list(self.skipped),
            "failures": [dict(failure) for failure in self.failures],
            "flags": self.flags,
        }

    def __str__(self) -> str:
        lines = [f"{len(self.measured)} measured, {len(self.skipped)} finished earlier, {self.flags} flags."]
        for row in self.failures:
            who = " ".join(word for word in (row["participant_id"], row["visit"]) if word) or "the dataset"
            facts = InputError(*(row[name] for name in ("file", "field", "found", "expected", "fix")))
            lines.append(f"Not measured: {who}. {facts}")
        return "\n".join(lines)


def resolve_settings(protocol: str | None = None, given: Mapping[str, Any] | None = None) -> Measuring:
    """The settings of a measurement: those of a protocol's `[measure]` table, then those given.

    Parameters
    ----------
    protocol
        A protocol file or the name of a packaged one; None for the defaults.
    given
        Settings by name, which win.

    Raises
    ------
    RefuseRun
        An unknown setting or one out of range.

    Examples
    --------
    >>> resolve_settings(given={"erosion_voxels": 1}).erosion_voxels
    1
    """
    from remyelin.protocol import Measuring, Protocol

    base = Protocol.read(protocol).measure if protocol else Measuring()
    return base.updated(given or {})


def measure_participants(
    bids: Path | str,
    out: Path | str,
    settings: Measuring | None = None,
    *,
    labels: Collection[str] | None = None,
    workers: int = 1,
    timeout_s: float | None = None,
    progress: bool = True,
) -> Summary:
    """Measure the participants of a BIDS dataset, each into its own table, maps and flags.

    Participants already measured with the same inputs and settings are skipped. What fails is named and
    costs only the visit or participant it belongs to.

    Parameters
    ----------
    bids
        The dataset.
    out
        The output folder, a BIDS derivatives dataset; made if need be, never inside a participant's folder.
    settings
        See `resolve_settings`.
    labels
        Only these participants (`01` or `sub-01`).
    workers
        Participants at the same time.
    timeout_s
        Longest time for one.
    progress
        Tell on standard error what happens.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        `bids` is no dataset.
    RefuseRun
        The dataset tells the allocation, or another run holds `out`.
    """
    bids, out = Path(bids), Path(out)
    settings = settings or resolve_settings()
    dataset = Dataset.index(bids, labels)
    brought = read_brought(dataset)
    failures = [*dataset.failures, *brought.failures]
    flags = [*dataset.flags, *brought.findings]
    wanted = None if labels is None else {"sub-" + label.removeprefix("sub-") for label in labels}
    jobs = [_dataset_job(failures, flags), *_jobs(dataset, failures, brought, settings, out, wanted)]
    with output_lock(out):
        _write_frame(out, settings, dataset)
        outcome = map_jobs(
            measure_participant,
            jobs,
            record=out / RECORDS,
            where="processes" if workers > 1 else "serial",
            workers=workers,
            timeout_s=timeout_s,
            progress=progress,
        )
    return _summary(out, outcome)


def _write_frame(out: Path, settings: Measuring, dataset: Dataset) -> None:
    """What makes the folder a BIDS derivative, and the covariates; the same for every participant."""
    makers = provenance.made_by_us(dataset.root)
    provenance.write_dataset_description(out, "remyelin measurements", makers=makers)
    files.atomic_write(out / ".bidsignore", IGNORED.encode())
    files.atomic_write(out / "remyelin.toml", settings.to_toml(provenance.versions()["remyelin"]).encode())
    covariates = dataset.covariates
    if len(covariates):
        text = covariates.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
        files.atomic_write(out / "participants.tsv", text.encode())


def _jobs(
    dataset: Dataset,
    failures: Sequence[Failure],
    brought: Brought,
    settings: Measuring,
    out: Path,
    wanted: Collection[str] | None,
) -> list[Job]:
    found = {person.id: person for person in dataset.participants}
    lost: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        lost[failure.participant].append(failure)
    names = [name for name in dataset.known if wanted is None or name in wanted]
    jobs = []
    for name in names:
        person = found.get(name, Participant(name, ()))
        flags = tuple(finding for finding in dataset.flags if finding.participant == name)
        readings = tuple(brought.readings.get(name, ()))
        table = brought.tables.get(name)
        task = Task(dataset.root, out, person, settings, tuple(lost[name]), flags, table, readings)
        jobs.append(Job(name, task.key(), task))
    return jobs


def _dataset_job(failures: Sequence[Failure], flags: Sequence[Finding]) -> Job:
    """What belongs to no participant is recorded like a participant, so that the group level finds it."""
    whole = Task(
        None,
        None,
        Participant("", ()),
        None,
        tuple(failure for failure in failures if not failure.participant),
        tuple(finding for finding in flags if not finding.participant),
        None,
    )
    return Job(DATASET, whole.key(), whole)


def failure_rows(outcome: Outcome) -> list[dict[str, str]]:
    """What could not be measured, one mapping each: participant, visit and the five facts."""
    rows = [row for result in outcome.results.values() for row in result["failures"]]
    for failure in outcome.failures:
        facts = failure.facts()
        rows.append({"participant_id": facts.pop("id"), "visit": "", **facts})
    return rows


def _summary(out: Path, outcome: Outcome) -> Summary:
    failures = failure_rows(outcome)
    return Summary(
        out,
        tuple(name for name in outcome.results if name not in (*outcome.skipped, DATASET)),
        tuple(name for name in outcome.skipped if name != DATASET),
        tuple(failures),
        sum(result["flags"] for result in outcome.results.values()),
    )
