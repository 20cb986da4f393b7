"""Whether the treatments of a protocol are known from a trial."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from remyelin.errors import Flag, did_you_mean
from remyelin.protocol import Arm, Protocol
from remyelin.protocol.parts import PLACEBO

from .load import ids


@cache
def tried_treatments() -> Mapping[str, tuple[str, ...]]:
    """Each treatment with the packaged trials that gave it.

    Examples
    --------
    >>> tried_treatments()["clemastine"]
    ('ccmr-two', 'rebuild')
    """
    trials: dict[str, tuple[str, ...]] = {}
    for trial in Protocol.packaged():
        for arm in Protocol.read(trial).arm:
            for name in _treatments(arm):
                trials[name] = tuple(dict.fromkeys((*trials.get(name, ()), trial)))
    return MappingProxyType(trials)


def check_treatments(protocol: Protocol, file: str = "") -> list[Flag]:
    """A flag for each treatment of the protocol that the evidence base does not know: new, or misspelt.

    Examples
    --------
    >>> check_treatments(Protocol.read("ccmr-two"))
    []
    """
    flags = []
    known = {*tried_treatments(), *ids("treatments")}
    for arm in protocol.arm:
        for name in _treatments(arm):
            if name not in known:
                nearest = did_you_mean(name, sorted(known))
                fix = nearest if nearest.endswith("?") else "nothing, if it is a new treatment"
                found = f"'{name}', unknown to the evidence base"
                flags.append(Flag(file, f"arm '{arm.id}' treatment", found, "a known treatment", fix))
    return flags


def _treatments(arm: Arm) -> list[str]:
    names = [part.strip() for item in (arm.treatment or "", *arm.sequence) for part in item.split("+")]
    return [name for name in dict.fromkeys(names) if name and name != PLACEBO]
