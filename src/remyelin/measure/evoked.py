"""Visual evoked potentials of one participant: recordings to rows, waveforms and doubts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.errors import Flag

from .evoked_rows import response_rows, shift_rows
from .findings import Failure, Finding
from .iscev import check_iscev
from .polarity import with_polarity
from .recording import Sweeps, load_recordings
from .responses import Response, measure_responses
from .sector_rows import sector_rows
from .setups import with_changes
from .waveforms import waveform_rows

if TYPE_CHECKING:
    from remyelin.protocol import Measuring

    from .dataset import Participant


@dataclass(slots=True)
class Evoked:
    """What the VEP of a participant gave.

    Parameters
    ----------
    rows
        For `Measurements`.
    waveforms
        Lines of `sub-01_waveforms.tsv`.
    standard
        Lines of `sub-01_iscev.tsv`.
    eligibility, adjudication
        Lines of the tables of these names, made from the rows and from readers.
    failures, findings
        What could not be measured, and what is doubtful.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    waveforms: list[dict[str, str]] = field(default_factory=list)
    standard: list[dict[str, str]] = field(default_factory=list)
    eligibility: list[dict[str, str]] = field(default_factory=list)
    adjudication: list[dict[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def measure_evoked(participant: Participant, root: Path, settings: Measuring) -> Evoked:
    """Measure every VEP recording of a participant.

    Parameters
    ----------
    participant
        From `Dataset.index`; visits in the order of time.
    root
        The dataset.
    settings
        The `vep_` settings count.
    """
    found = Evoked()
    responses: list[Response] = []
    doubts: dict[str, list[Flag]] = {}
    sectors: dict[str, list[Sweeps]] = {}
    days = {visit.id: visit.day for visit in participant.visits}
    for visit in participant.visits:
        if not visit.eeg and not visit.averages:
            continue
        loaded = load_recordings(visit, root, settings)
        measured, lost = measure_responses(participant.id, visit.id, loaded.sweeps, settings)
        found.failures += [*loaded.failures, *lost]
        doubts[visit.id] = list(loaded.flags)
        for one in measured:
            found.standard += check_iscev(one.replicates).rows(participant.id, visit.id)
        responses += [_with_single(one) for one in measured]
        sectors[visit.id] = [one for one in loaded.sweeps if one.sector]
    responses = with_changes(with_polarity(responses))
    for one in responses:
        doubts[one.visit] += one.flags
    of_sectors = sector_rows(participant.id, days, sectors)
    for name, flags in of_sectors.flags.items():
        doubts[name] += flags
    for name, flags in doubts.items():
        found.findings += [Finding(participant.id, name, flag) for flag in _bundled(dict.fromkeys(flags))]
    for one in responses:
        found.rows += response_rows(participant.id, days[one.visit], one)
        found.waveforms += waveform_rows(one)
    for own in _by_eye_and_stimulus(responses):
        found.rows += shift_rows(participant.id, days, own)
    found.rows += of_sectors.rows
    found.failures += of_sectors.failures
    return found


def _with_single(response: Response) -> Response:
    """Two replicates are asked for; one alone cannot show that it would come again."""
    if len(response.replicates) > 1 or (response.replicates[0].averaged or 0) > 0:
        return response
    fix = "record each eye and check size twice (run-1, run-2), as the standard asks"
    flag = Flag(response.file, "replicates", f"1 of {response.eye}", "2 or more", fix)
    return replace(response, flags=(*response.flags, flag))


def _bundled(flags: Iterable[Flag]) -> list[Flag]:
    """One flag for the same fault of several recordings of a visit, naming the first and how many more."""
    groups: dict[tuple[str, ...], list[Flag]] = defaultdict(list)
    for flag in flags:
        groups[flag.field, _without_eye(flag.found), flag.expected, flag.fix, flag.quality].append(flag)
    bundled = []
    for same in groups.values():
        files = list(dict.fromkeys(flag.file for flag in same))
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        found = " and ".join(dict.fromkeys(flag.found for flag in same)) if len(same) > 1 else same[0].found
        bundled.append(replace(same[0], file=files[0] + more, found=found))
    return bundled


def _without_eye(found: str) -> str:
    return found.replace("OD", "").replace("OS", "")


def _by_eye_and_stimulus(responses: Sequence[Response]) -> Iterable[list[Response]]:
    groups: dict[tuple[str, str], list[Response]] = defaultdict(list)
    for one in responses:
        groups[one.eye, one.stimulus].append(one)
    return groups.values()
