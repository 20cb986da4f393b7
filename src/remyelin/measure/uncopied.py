"""Participants without their copies: visits of copied images, and recordings that are copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .copies import copied_recordings, find_copies
from .findings import Failure

if TYPE_CHECKING:
    from .dataset import Participant


def without_copies(
    participants: Sequence[Participant], root: Path
) -> tuple[tuple[Participant, ...], list[Failure]]:
    """Leave out what is a copy.

    Returns
    -------
    The participants who have visits left, and a failure for each copy. An image that is a copy costs its
    visit, a recording only itself.
    """
    images = find_copies(_images(participants), root)
    recordings = copied_recordings(_recordings(participants), root)
    rest = _without_recordings(_without_visits(participants, images), recordings)
    return tuple(rest), [*images, *recordings.values()]


def _images(participants: Iterable[Participant]) -> Iterable[tuple[tuple[str, str], Path]]:
    for person in participants:
        for visit in person.visits:
            for path in (visit.mt_off, visit.mt_on):
                if path is not None:
                    yield (person.id, visit.id), path


def _recordings(participants: Iterable[Participant]) -> Iterable[tuple[tuple[str, str], Path]]:
    for person in participants:
        for visit in person.visits:
            for path in (*visit.eeg, *visit.averages):
                yield (person.id, visit.id), path


def _without_visits(
    participants: Iterable[Participant], failures: Iterable[Failure]
) -> Iterable[Participant]:
    bad = defaultdict(set)
    for failure in failures:
        bad[failure.participant].add(failure.visit)
    for person in participants:
        visits = tuple(visit for visit in person.visits if visit.id not in bad.get(person.id, ()))
        if visits:
            yield replace(person, visits=visits)


def _without_recordings(
    participants: Iterable[Participant], copies: Collection[Path]
) -> Iterable[Participant]:
    for person in participants:
        if not any(path in copies for visit in person.visits for path in (*visit.eeg, *visit.averages)):
            yield person
            continue
        visits = [
            replace(
                visit,
                eeg=tuple(path for path in visit.eeg if path not in copies),
                averages=tuple(path for path in visit.averages if path not in copies),
            )
            for visit in person.visits
        ]
        yield replace(person, visits=tuple(visits))
