"""The comparisons of which a forecast speaks: those of the protocol, and what could be measured besides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.evidence.load import read_data
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES
from remyelin.trial.power import Spread
from remyelin.trial.power.layout import Design, Layout
from remyelin.trial.power.noncentral import t_power
from remyelin.trial.power.question import spread_of, updated
from remyelin.virtual.assumptions import Worlds
from remyelin.virtual.comparison import FOLLOWED, LATENCY, MTR, Followed, Setting, last_day

FloatArray = npt.NDArray[np.float64]
BESIDE = "not in the protocol"
EYES = {"both": "the mean of both eyes", "delayed": "delayed eyes", "affected": "the affected eye"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One comparison of an arm with the reference.

    Attributes
    ----------
    endpoint, arm, role
        Of the protocol; `role` ``"not in the protocol"`` for what could be measured besides.
    measure, eyes, day
        As `Followed.effects` takes them.
    unit, sign
        Of the measure; -1 where a fall is wanted, 1 where a rise is.
    se, df, alpha
        Standard error as planned, degrees of freedom, two-sided level.
    se_source, se_note
        Where its SD was read; and, where it is another comparison's standard error, whose.
    """

    endpoint: str
    arm: str
    role: str
    measure: str
    eyes: str
    day: int
    unit: str
    sign: float
    se: float
    df: float
    alpha: float
    se_source: str
    se_note: str = ""

    def effect(self, followed: Followed, worlds: Worlds) -> FloatArray:
        """(world,) the true effect."""
        return followed.effects(self.measure, worlds, self.day, self.eyes)[self.arm]

    def power(self, effect: FloatArray, se: FloatArray) -> FloatArray:
        """(world,) probability of a significant result in the direction that is wanted."""
        return t_power(self.sign * effect / se, self.df, self.alpha)


def asked_of(protocol: Protocol, setting: Setting) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """What is asked, the primary comparison first, and the endpoints that no model of myelin reaches.

    Raises
    ------
    InputError
        If that is all of them, or one is compared on a day that is not after baseline.

    Examples
    --------
    >>> asked, left_out = asked_of(Protocol.read("ccmr-two"), Setting())
    >>> [(each.endpoint, round(each.se, 2)) for each in asked][0], left_out
    (('p100-latency', 0.59), ())
    """
    ranked = sorted(protocol.endpoint, key=lambda each: each.role != "primary")
    days = {endpoint.id: last_day(protocol, endpoint) for endpoint in ranked}
    known = [endpoint for endpoint in ranked if endpoint.measure in FOLLOWED]
    if not known:
        found = ", ".join(dict.fromkeys(endpoint.measure for endpoint in ranked))
        expected = f"an endpoint that myelin moves: {', '.join(FOLLOWED)}"
        fix = "add such an endpoint"
        raise InputError("", "endpoint measure", found, expected, fix)
    rows = [
        each for endpoint in known for each in _of_endpoint(protocol, endpoint, setting, days[endpoint.id])
    ]
    rows += _beside(protocol, setting, rows, days[known[0].id])
    unknown = tuple(f"{endpoint.id} ({endpoint.measure})" for endpoint in ranked if endpoint not in known)
    return tuple(rows), unknown


def _of_endpoint(protocol: Protocol, endpoint: Endpoint, setting: Setting, day: int) -> list[Asked]:
    return [
        _asked(
            protocol, endpoint.id, arm, endpoint.role, FOLLOWED[endpoint.measure], setting.eyes, day, endpoint
        )
        for arm in protocol.compared[1:]
    ]


def _beside(protocol: Protocol, setting: Setting, rows: Sequence[Asked], day: int) -> list[Asked]:
    """What the same people could be asked besides: P100 of delayed eyes alone, and MTR of their lesions.

    After acute optic neuritis there is one eye, and the lesions of the brain are not as old as its.
    """
    if setting.lesions == "acute":
        return []
    others = {"P100 of delayed eyes": (LATENCY, "delayed"), "MTR of lesions": (MTR, setting.eyes)}
    there = {(each.measure, each.eyes) for each in rows}
    return [
        _asked(protocol, name, rows[0].arm, BESIDE, measure, eyes, day, None)
        for name, (measure, eyes) in others.items()
        if (measure, eyes) not in there
    ]


def _asked(
    protocol: Protocol,
    name: str,
    arm: str,
    role: str,
    measure: str,
    eyes: str,
    day: int,
    endpoint: Endpoint | None,
) -> Asked:
    layout, source = _layout(protocol, measure, endpoint)
    n = _sizes(protocol, arm)
    note = ""
    if endpoint is None and eyes == "delayed":
        note = "of both eyes; fewer eyes have a larger one, so effect / SE is at most this"
    elif endpoint is not None and endpoint.id != protocol.primary.id and _planned(protocol, measure):
        note = f"of {protocol.primary.id}"
    return Asked(
        name,
        arm,
        role,
        measure,
        eyes,
        day,
        MEASURES[measure].unit,
        -1.0 if measure == LATENCY else 1.0,
        layout.se(*n),
        layout.df(*n),
        layout.alpha,
        source,
        note,
    )


def _sizes(protocol: Protocol, arm: str) -> tuple[float, float]:
    """Participants of the two groups that are compared, those who leave taken off."""
    left = 1 - (protocol.plan.dropout or 0.0 if protocol.plan else 0.0)
    if protocol.trial.design == "crossover":
        total = sum(each.n for each in protocol.arm)
        return left * total / 2, left * total / 2
    assert protocol.reference is not None
    sizes = {each.id: each.n for each in protocol.arm}
    return left * sizes[arm], left * sizes[protocol.reference.id]


def _planned(protocol: Protocol, measure: str) -> bool:
    """Whether the plan has the SD of a measure: that of the primary endpoint."""
    plan = updated(protocol, {}) if protocol.plan else None
    return bool(plan and plan.spread_keys and FOLLOWED.get(protocol.primary.measure) == measure)


def _layout(protocol: Protocol, measure: str, endpoint: Endpoint | None) -> tuple[Layout, str]:
    """How participants are compared: by the plan for the primary measure, else by an SD on record."""
    plan = updated(protocol, {}) if protocol.plan else None
    alpha = 0.05 if endpoint is None else endpoint.alpha
    design: Design = "crossover" if protocol.trial.design == "crossover" else "parallel"
    if plan is not None and _planned(protocol, measure):
        spread, correlation = spread_of(plan, protocol), plan.correlation or 0.0
        return Layout(spread, design, alpha=alpha, correlation=correlation), plan.sd_source or ""
    row = read_data("virtual_assumptions.toml")["sd"][measure]
    # A person's difference between two periods varies as two independent changes do.
    sd = row["value"] * (math.sqrt(2) if design == "crossover" else 1.0)
    return Layout(Spread.of_participant(sd, source=row["words"]), design, alpha=alpha), row["words"]
