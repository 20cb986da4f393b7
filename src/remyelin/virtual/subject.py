"""One participant of a virtual trial: what is true of a person, as the instruments need it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .lesions import Lesions
from .patient import Patients

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SubjectEyes:
    """Both eyes of a person, in the order of `EYES`.

    Parameters
    ----------
    affected
        (eye,) whether the optic nerve has a lesion.
    responds
        (eye, visit) whether there is a P100.
    latency_ms
        (eye, visit) true latency of the P100.
    delay_ms
        (eye,) what the lesion adds to it at the first visit.
    """

    affected: npt.NDArray[np.bool_]
    responds: npt.NDArray[np.bool_]
    latency_ms: FloatArray
    delay_ms: FloatArray


@dataclass(frozen=True)
class Subject:
    """A participant.

    Parameters
    ----------
    id
        ``"sub-01"`` and on. It does not tell the arm, nor does anything else here.
    age_years, female
        At the first visit.
    visits, day, attends
        Ids of the visits of the protocol, the day of each, and whether the person comes.
    lesions, eyes
        None where no endpoint asks for them.
    rng
        All that instruments and anatomy draw for this person.
    """

    id: str
    age_years: float
    female: bool
    visits: tuple[str, ...]
    day: tuple[int, ...]
    attends: tuple[bool, ...]
    lesions: Lesions | None
    eyes: SubjectEyes | None
    rng: np.random.Generator

    def attended(self) -> tuple[int, ...]:
        """Positions of the visits that the person comes to."""
        return tuple(v for v, comes in enumerate(self.attends) if comes)

    def key(self) -> str:
        """Hash of all that is true of the person and of the randomness that is left."""
        parts = [self.id, f"{self.age_years!r} {self.female}", f"{self.visits} {self.day} {self.attends}"]
        parts.append(repr(self.rng.bit_generator.state))
        for group in (self.lesions, self.eyes):
            if group is not None:
                parts += [getattr(group, name).tobytes().hex() for name in group.__dataclass_fields__]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def subjects(patients: Patients, rng: np.random.Generator) -> tuple[Subject, ...]:
    """The participants of the first trial of `patients`, each with a child of `rng`."""
    people = patients.people
    days = np.rint(people.day[0]).astype(int)
    visits = tuple(visit.id for visit in patients.protocol.visit)
    return tuple(
        Subject(
            id=name,
            age_years=float(people.age_years[0, k]),
            female=bool(people.female[0, k]),
            visits=visits,
            day=tuple(days[k].tolist()),
            attends=tuple(people.attends[0, k].tolist()),
            lesions=None if patients.lesions is None else patients.lesions.of(k),
            eyes=_eyes(patients, k),
            rng=child,
        )
        for k, (name, child) in enumerate(zip(patients.ids, rng.spawn(len(patients.ids)), strict=True))
    )


def _eyes(patients: Patients, k: int) -> SubjectEyes | None:
    eyes = patients.eyes
    if eyes is None:
        return None
    return SubjectEyes(
        eyes.affected[0, k], eyes.responds[0, k], eyes.latency_ms[0, k], eyes.delay_ms[0, k, :, 0]
    )
