"""The response of one eye to one stimulus at one visit: its replicates, measured each and together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remyelin.errors import Flag, InputError

from .condition import AUTO, as_condition, parse_condition
from .findings import Failure
from .recording import Setup, Sweeps
from .vep import P100, p100

if TYPE_CHECKING:
    from remyelin.protocol import Measuring

    from .recording.sweeps import FloatArray

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Response:
    """What was recorded of one eye and one stimulus at one visit.

    Parameters
    ----------
    visit, eye
        `M00` and ``"OD"`` or ``"OS"``.
    stimulus
        `check=60`; empty where the check size is not stated.
    replicates
        The recordings, in the order of their runs.
    pooled
        P100 of all sweeps together.
    each
        P100 of each replicate; empty where there is only one.
    sweeps_uv, sfreq_hz, start_ms
        All sweeps together.
    flags
        What is doubtful about the recordings and their agreement.
    """

    visit: str
    eye: str
    stimulus: str
    replicates: tuple[Sweeps, ...]
    pooled: P100
    each: tuple[P100, ...]
    sweeps_uv: FloatArray
    sfreq_hz: float
    start_ms: float
    flags: tuple[Flag, ...]

    @property
    def site(self) -> str:
        """As it stands in the column `site`."""
        return f"eye:{self.eye}"

    @property
    def file(self) -> str:
        """The first recording, which stands for all in the column `source`."""
        return self.replicates[0].file

    @property
    def setup(self) -> Setup:
        """How the first replicate was recorded."""
        return self.replicates[0].setup

    def condition(self, **more: str) -> str:
        """The condition of a value, with `run` or `hump` where given: `check=60;reader=auto;run=1`."""
        return as_condition({**parse_condition(self.stimulus), "reader": AUTO, **more})


def measure_responses(
    participant: str, visit: str, sweeps: Iterable[Sweeps], settings: Measuring
) -> tuple[list[Response], list[Failure]]:
    """Measure the full-field responses of a visit, each eye and stimulus by itself.

    Returns
    -------
    The responses, right eye and larger checks first; and what could not be measured, which costs no other.
    """
    groups: dict[tuple[str, str], list[Sweeps]] = defaultdict(list)
    for one in sweeps:
        if not one.sector:
            groups[one.eye, one.condition].append(one)
    found, failures = [], []
    for key in sorted(groups, key=lambda key: (key[0], -(groups[key][0].check_arcmin or 0), key[1])):
        try:
            found.append(_measured(visit, sorted(groups[key], key=lambda one: (one.run, one.file)), settings))
        except InputError as error:
            facts = {**error.facts(), "file": groups[key][0].file}
            failures.append(Failure(participant, visit, InputError(**facts)))
    return found, failures


def _measured(visit: str, replicates: Sequence[Sweeps], settings: Measuring) -> Response:
    used, flags = _comparable(replicates)
    flags += [flag for one in used for flag in one.flags]
    rows = [one.sweeps_uv for one in used]
    length = min(row.shape[1] for row in rows)
    together = np.concatenate([row[:, :length] for row in rows])
    sfreq, start = used[0].sfreq_hz, used[0].start_ms
    pooled = p100(together, sfreq, start, absent_uv=settings.vep_absent_uv)
    each: tuple[P100, ...] = ()
    if len(used) > 1:
        each = tuple(p100(row, sfreq, start, absent_uv=settings.vep_absent_uv) for row in rows)
        flags += _disagreement(used, each, settings.vep_replicate_ms)
    return Response(
        visit,
        used[0].eye,
        used[0].condition,
        tuple(used),
        pooled,
        each,
        together,
        sfreq,
        start,
        tuple(dict.fromkeys(flags)),
    )


def _comparable(replicates: Sequence[Sweeps]) -> tuple[list[Sweeps], list[Flag]]:
    """The replicates that can be put together; a flag for each that is left out."""
    kinds = Counter((one.averaged is None, one.sfreq_hz, one.start_ms) for one in replicates)
    raw = [kind for kind in kinds if kind[0]] or list(kinds)
    kept = max(raw, key=lambda kind: (kinds[kind], kind))
    used, flags = [], []
    for one in replicates:
        if (one.averaged is None, one.sfreq_hz, one.start_ms) == kept:
            used.append(one)
            continue
        words = (
            "an average beside raw recordings"
            if one.averaged is not None and kept[0]
            else "sampled otherwise"
        )
        found = f"{words} of {one.eye} ({one.condition or 'check size not stated'})"
        fix = "keep one kind of recording of each eye; it was left out"
        flags.append(Flag(one.file, "replicate", found, "like the other replicates", fix))
    return used, flags


def _disagreement(replicates: Sequence[Sweeps], each: Sequence[P100], limit_ms: float) -> list[Flag]:
    """Replicates whose P100 differ by more than the limit and by more than their noise."""
    flags = []
    for k in range(1, len(each)):
        for j in range(k):
            apart = abs(each[k].latency_ms - each[j].latency_ms)
            noise = _Z95 * float(np.hypot(each[k].se_ms, each[j].se_ms))
            if apart > max(limit_ms, noise):
                found = f"{apart:.1f} ms from that of {replicates[j].file.rpartition('/')[2]}"
                expected = f"the same within {limit_ms:g} ms (noise explains {noise:.1f})"
                fix = "have the replicates read (adjudication), or record the eye again"
                flags.append(Flag(replicates[k].file, "P100 of the replicate", found, expected, fix))
    states = [one.state for one in each]
    if "present" in states and "absent" in states:
        found = "present in one replicate and absent in another"
        fix = "have the replicates read (adjudication), or record the eye again"
        flags.append(Flag(replicates[states.index("absent")].file, "P100", found, "the same in both", fix))
    return flags
