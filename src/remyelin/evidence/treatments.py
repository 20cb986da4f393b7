"""The treatments that the evidence base knows, and whether those of a protocol are among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from remyelin.errors import Flag, did_you_mean
from remyelin.evidence.load import read_data
from remyelin.protocol import Protocol
from remyelin.protocol.parts import PLACEBO


@dataclass(frozen=True, slots=True)
class Treatment:
    """A treatment: the name that a protocol gives it, what it does, and the source that says so."""

    id: str
    words: str
    source: str = ""


@cache
def known_treatments() -> Mapping[str, Treatment]:
    """Every treatment by its name."""
    return MappingProxyType(
        {name: Treatment(name, **row) for name, row in read_data("treatments.toml").items()}
    )


def check_treatments(protocol: Protocol, file: str = "") -> list[Flag]:
    """A flag for each treatment of the protocol that the evidence base does not know: new, or misspelt.

    Examples
    --------
    >>> check_treatments(Protocol.read("ccmr-two"))
    []
    """
    flags = []
    for arm in protocol.arm:
        names = [part.strip() for item in (arm.treatment or "", *arm.sequence) for part in item.split("+")]
        for name in dict.fromkeys(names):
            if name and name != PLACEBO and name not in known_treatments():
                fix = did_you_mean(name, known_treatments())
                fix = fix if fix.endswith("?") else "nothing, if it is a new treatment"
                found = f"'{name}', unknown to the evidence base"
                flags.append(Flag(file, f"arm '{arm.id}' treatment", found, "a known treatment", fix))
    return flags
