"""Virtual patients under a protocol: who they are, what is true of their eyes and lesions at each visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.number import check_generator, check_number
from remyelin.protocol import Protocol

from .exposure import Responses, check_responses, effects
from .eyes import Eyes, draw_acute_eyes, draw_eyes
from .lesions import Lesions, draw_lesions
from .people import People, draw_people, is_acute
from .premises import Premises

FloatArray = npt.NDArray[np.float64]
OF_EYES = ("p100_latency_ms", "vep_shift_ms", "p100_fellow_difference_ms")
OF_LESIONS = ("mtr_pu",)
MOST_PEOPLE, MOST_LESIONS = 10_000, 1_000  # of an arm, and of a person: what fits into memory


@dataclass(frozen=True)
class Patients:
    """The truth of one trial or of many: (trial, participant) and on, visits in the order of the protocol.

    Attributes
    ----------
    protocol, premises
        What they were drawn under, and from which numbers.
    people
        Arm, age, sex, duration of disease, days of the visits, attendance, adherence.
    eyes
        None where nobody asked for them.
    lesions
        None where nobody asked for them.
    latency_effect_ms, mtr_effect_pu
        (trial, participant, visit) full effect of treatment, adherence not taken off.
    """

    protocol: Protocol
    premises: Premises
    people: People
    eyes: Eyes | None
    lesions: Lesions | None
    latency_effect_ms: FloatArray
    mtr_effect_pu: FloatArray

    @property
    def n_trials(self) -> int:
        """Trials."""
        return int(self.people.arm.shape[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """The participants of every trial, ``"sub-01"`` and on."""
        n = self.people.arm.shape[1]
        width = max(2, len(str(n)))
        return tuple(f"sub-{k + 1:0{width}d}" for k in range(n))

    @property
    def arms(self) -> npt.NDArray[np.str_]:
        """(trial, participant) ids of the arms."""
        return np.array([arm.id for arm in self.protocol.arm])[self.people.arm]


def draw_patients(
    protocol: Protocol,
    n_trials: int = 1,
    *,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
    eyes: bool | None = None,
    lesions: bool | None = None,
    lesions_per_participant: int | None = None,
) -> Patients:
    """Draw virtual patients.

    Parameters
    ----------
    protocol
        Its arms, visits and endpoints.
    n_trials
        So many trials of the same protocol.
    rng
        People, eyes and lesions each have a child of their own: asking for lesions changes nobody's eyes.
    response
        What treatment does: one `Response` for every treatment, or one by the treatment's name.
        `Response.constant()` is no effect.
    premises
        Of a laboratory, if there are eyes.
    participants
        In each arm; by default those of the protocol.
    eyes, lesions
        Whether to draw them; by default where an endpoint asks for them.
    lesions_per_participant
        The same number for everyone; by default that of real people.

    Raises
    ------
    InputError
        A number of trials or participants that cannot be, a treatment whose effect is not known, no
        laboratory, more lesions than a brain holds.
    RefuseRun
        A visit before the baseline; a latency that nobody reaches.

    Examples
    --------
    >>> from remyelin.virtual.response import Response
    >>> patients = draw_patients(
    ...     Protocol.read("ccmr-two"), rng=np.random.default_rng(1),
    ...     response=Response.constant(latency_ms=-1.2), premises=Premises.read("trial"))
    >>> patients.eyes.latency_ms.shape, patients.lesions is None
    ((1, 70, 2, 2), True)
    """
    check_number("n_trials", n_trials, least=1, whole=True, fix="ask for at least one trial")
    per_arm = arm_sizes(protocol, participants)
    if lesions_per_participant is not None:
        check_lesions("lesions_per_participant", lesions_per_participant)
    check_generator(rng)
    responses = check_responses(protocol, response)
    of_people, of_eyes, of_lesions = rng.spawn(3)
    people = draw_people(protocol, premises, n_trials, per_arm, of_people)
    plan = protocol.plan
    kept = plan.carry_over if plan and plan.carry_over is not None else premises["effect_kept"]
    latency, mtr = effects(protocol, responses, people.arm, people.age_years, people.day, kept)
    drawn_eyes = drawn_lesions = None
    if _asked(protocol, OF_EYES) if eyes is None else eyes:
        if is_acute(protocol):
            drawn_eyes = draw_acute_eyes(people, premises, latency, of_eyes)
        else:
            drawn_eyes = draw_eyes(people, premises, latency, protocol.measure.vep_delayed_ms, of_eyes)
    if _asked(protocol, OF_LESIONS) if lesions is None else lesions:
        drawn_lesions = draw_lesions(
            people, premises, mtr, protocol.measure.min_volume_mm3, of_lesions, lesions_per_participant
        )
    return Patients(protocol, premises, people, drawn_eyes, drawn_lesions, latency, mtr)


def arm_sizes(protocol: Protocol, participants: int | None) -> tuple[int, ...]:
    """Participants of each arm: `participants`, or by default those of the protocol; 1 to 10,000."""
    sizes = (
        tuple(arm.n for arm in protocol.arm) if participants is None else (participants,) * len(protocol.arm)
    )
    for n in sizes:
        check_number(
            "participants", n, least=1, most=MOST_PEOPLE, whole=True, fix="ask for as many in each arm"
        )
    return sizes


def check_lesions(name: str, n: int) -> None:
    """InputError for a number of lesions that no person has."""
    check_number(name, n, least=1, most=MOST_LESIONS, whole=True, fix="give a number that a person can have")


def _asked(protocol: Protocol, measures: tuple[str, ...]) -> bool:
    return any(endpoint.measure in measures for endpoint in protocol.endpoint)
