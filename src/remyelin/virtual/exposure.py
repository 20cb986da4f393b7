"""Who gets what and when: the effect of an arm's treatments at a participant's age and day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin import number
from remyelin.errors import InputError, did_you_mean
from remyelin.protocol import Arm, Protocol
from remyelin.protocol.parts import PLACEBO

from .response import Response

FloatArray = npt.NDArray[np.float64]
Responses = Response | Mapping[str, Response]


@dataclass(frozen=True, slots=True)
class Course:
    """A treatment that an arm gets from one day to another, counted from its first visit."""

    treatment: str
    start_day: float
    end_day: float


def courses(protocol: Protocol, arm: Arm) -> tuple[Course, ...]:
    """The treatments of an arm, placebo left out; the same one in two periods running is one course.

    Examples
    --------
    >>> rebuild = Protocol.read("rebuild")
    >>> courses(rebuild, rebuild.arm[1])
    (Course(treatment='clemastine', start_day=90.0, end_day=150.0),)
    """
    start = protocol.visit[0].day
    if arm.treatment is not None or not arm.sequence:
        given = arm.treatment or PLACEBO
        return () if given == PLACEBO else (Course(given, 0.0, math.inf),)
    days = {visit.id: visit.day - start for visit in protocol.visit}
    found: list[Course] = []
    for period, given in zip(protocol.period, arm.sequence, strict=True):
        begin, end = days[period.start], days[period.end]
        if found and found[-1].treatment == given and found[-1].end_day == begin:
            found[-1] = Course(given, found[-1].start_day, end)
        elif given != PLACEBO:
            found.append(Course(given, begin, end))
    return tuple(found)


def check_responses(protocol: Protocol, response: Responses) -> Mapping[str, Response]:
    """The response to each treatment of the protocol.

    Raises
    ------
    InputError
        A treatment whose effect is not known, or what is no `Response`.

    Examples
    --------
    >>> list(check_responses(Protocol.read("ccmr-two"), Response.constant(latency_ms=-1.2)))
    ['clemastine+metformin']
    """
    wanted = dict.fromkeys(each.treatment for arm in protocol.arm for each in courses(protocol, arm))
    if isinstance(response, Response):
        return dict.fromkeys(wanted, response)
    given = response.values() if isinstance(response, Mapping) else [response]
    for each in given:
        if not isinstance(each, Response):
            expected, fix = (
                "a Response, or one by the treatment's name",
                "give Response.constant(latency_ms=-1.2)",
            )
            raise InputError("", "response", number.shown(each), expected, fix)
    for name in wanted:
        if name not in response:
            hint = did_you_mean(name, response) if response else "give its Response"
            raise InputError(
                "", "treatment", f"'{name}', whose effect is not known", "a response to each treatment", hint
            )
    return response


def effects(
    protocol: Protocol,
    responses: Mapping[str, Response],
    arm: npt.NDArray[np.int64],
    age_years: FloatArray,
    day: FloatArray,
    kept: float,
) -> tuple[FloatArray, FloatArray]:
    """Full effect on latency (ms) and MTR (pu) at each visit, (trial, participant, visit).

    A course that has ended leaves the part `kept` of what it had reached.
    """
    latency, mtr = np.zeros_like(day), np.zeros_like(day)
    age = np.broadcast_to(age_years[..., None], day.shape)
    for k, each in enumerate(protocol.arm):
        here = arm == k
        for course in courses(protocol, each):
            response = responses[course.treatment]
            on = np.clip(day[here] - course.start_day, 0.0, course.end_day - course.start_day)
            left = np.where(day[here] > course.end_day, kept, 1.0)
            latency[here] += left * response.latency_at(age[here], on)
            mtr[here] += left * response.mtr_at(age[here], on)
    return latency, mtr
