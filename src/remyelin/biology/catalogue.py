"""The treatments that are known, and what is not known of them: from a name to a `Treatment`."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping
from functools import cache
from typing import Any

from remyelin.biology.drugs import Action, Drug, Drugs
from remyelin.biology.kinetics import Kinetics, relative_level
from remyelin.biology.treatment import Effect, Rejuvenation, Treatment
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data, source
from remyelin.number import check_number, shown
from remyelin.protocol.parts import PLACEBO

# A size: the median alone, or median, low and high of 95 %.
Size = float | tuple[float, float, float]
WAYS = ("up", "down", "back")
SIGNS = ("helps", "hinders")


@cache
def known_treatments() -> Mapping[str, Drug]:
    """Every treatment of the catalogue, by its name.

    Examples
    --------
    >>> from remyelin import biology
    >>> drug = biology.known_treatments()["metformin"]
    >>> drug.target, drug.actions[0].way
    (('AMPK_ageing',), 'back')
    >>> drug
    Drug(metformin: age back towards the young)
    """
    rows = read_data("biology_treatments.toml")["drug"]
    return Drugs([_drug(name, row) for name, row in rows.items()])


def treat(
    name: str,
    *,
    effect: Size | Mapping[str, Size] | None = None,
    assumed: bool = False,
    sign: str | None = None,
    engagement: float | None = None,
    dose: float = 1.0,
    onset_days: float | None = None,
    start_day: float = 0.0,
    stop_day: float = math.inf,
) -> Treatment:
    """A treatment of the catalogue, or several joined by ``+`` as in a protocol.

    How much a drug changes a rate in man nobody has measured, so there is no default: say the size, or say
    ``assumed=True`` and get the same wide prior for every drug, which never crosses to the wrong side of 1.

    Parameters
    ----------
    name
        One of `known_treatments`, ``"placebo"``, or a combination, as ``"metformin+clemastine"``.
    effect
        The fold under full exposure, as a median or (median, low, high), for a drug with one effect; else a
        mapping from parameter to fold. For the parameter ``"age"`` the part, 0 to 1, that is given back.
    assumed
        True or False: take what is not given from the prior, sizes, and the onset where no half-life was
        read.
    sign
        ``"helps"`` or ``"hinders"``, for a drug whose direction is contested, and only for one.
    engagement
        Part of the target that the trial's dose reaches at its mean level, 0 to 1; by default what was read,
        else all of it.
    dose
        In multiples of the trial's dose, where `engagement` is below 1.
    onset_days
        Time in which two thirds of the effect come; by default from the half-life.
    start_day, stop_day
        Of the lesion's life; leave `stop_day` out for a treatment that is never stopped.

    Raises
    ------
    InputError
        For an unknown treatment, a size that is neither given nor assumed or goes against the known
        direction, a contested direction that is not chosen, a dose or a time that cannot be.

    Examples
    --------
    >>> from remyelin import biology
    >>> biology.treat("gsk239512", effect=(1.4, 1.1, 1.8), onset_days=2)
    Treatment(gsk239512, from day 0)
      differentiation_per_day x 1.4 (1.1 to 1.8), given; direction from gsk239512
    >>> biology.treat("metformin+clemastine", assumed=True).status
    'unverified'
    """
    _check_said(name, assumed)
    parts = [part.strip() for part in name.split("+")]
    if len(parts) > 1:
        if (effect, sign, engagement, dose) != (None, None, None, 1.0):
            fix = "add drug to drug: treat('a', effect=...) + treat('b', effect=...)"
            raise _wrong(name, "with an effect, sign, engagement or dose for all", "one for each drug", fix)
        made = [
            treat(part, assumed=assumed, onset_days=onset_days, start_day=start_day, stop_day=stop_day)
            for part in parts
        ]
        return functools.reduce(operator.add, made)
    if name == PLACEBO:
        return Treatment(PLACEBO, (), start_day, stop_day)
    drug = _known(name)
    prior = read_data("biology_treatments.toml")["prior"]
    asked = _asked(drug, effect)
    helps = _helps(drug, sign)
    kinetics = drug.kinetics
    if kinetics is not None and kinetics.status == "unverified" and not assumed:
        kinetics = None
    if not assumed:
        _refuse_silence(drug, asked, kinetics is not None or onset_days is not None)
    effects = tuple(_effect(drug, each, asked.get(each.parameter), prior, helps) for each in drug.actions)
    onset = onset_days
    if onset is None:
        onset = prior["onset_days"] if kinetics is None else kinetics.onset_days
    occupancy = drug.engagement if engagement is None else engagement
    reached = _reached(kinetics, 1.0 if occupancy is None else occupancy, dose)
    contested = f"taken to {'help' if helps else 'hinder'}; {drug.contested}" if drug.contested else ""
    return Treatment(name, effects, start_day, stop_day, onset, reached, contested)


def _check_said(name: object, assumed: object) -> None:
    """Refuse what is no name, and a word in the place of yes or no."""
    if isinstance(name, list | tuple | set) and name and all(isinstance(each, str) for each in name):
        joined = "+".join(sorted(name) if isinstance(name, set) else name)
        raise _wrong("name", f"of type {type(name).__name__}", "one text", f"join the names: {joined!r}")
    if not isinstance(name, str):
        fix = f"use one of {', '.join([*known_treatments(), PLACEBO])}"
        raise _wrong("name", shown(name), "the name of a treatment, a text", fix)
    if not isinstance(assumed, bool):
        fix = "write assumed=True to take the prior, or leave it out"
        raise _wrong(f"{name} assumed", shown(assumed), "True or False", fix)


def _known(name: str) -> Drug:
    known = known_treatments()
    if name not in known:
        names = [*known, PLACEBO]
        raise _wrong(repr(name), "unknown", f"one of {', '.join(names)}", did_you_mean(name, names))
    return known[name]


def _asked(drug: Drug, effect: Size | Mapping[str, Size] | None) -> Mapping[str, Size]:
    """By parameter, the sizes that the user gave."""
    if effect is None:
        return {}
    own = [action.parameter for action in drug.actions]
    if not isinstance(effect, Mapping):
        if len(own) > 1:
            sizes = ", ".join(f"{parameter!r}: ..." for parameter in own)
            raise _wrong(drug.name, "of several effects", "a size for each", f"give effect={{{sizes}}}")
        effect = {own[0]: effect}
    for parameter in effect:
        if parameter not in own:
            fix = did_you_mean(parameter, own)
            raise _wrong(f"{drug.name} effect", repr(parameter), f"one of {', '.join(own)}", fix)
    return effect


def _helps(drug: Drug, sign: str | None) -> bool:
    if not drug.contested:
        if sign is not None:
            raise _wrong(
                f"{drug.name} sign", repr(sign), "none: its direction is not contested", "leave it out"
            )
        return True
    if sign not in SIGNS:
        found = f"contested ({drug.contested})" if sign is None else repr(sign)
        raise _wrong(f"{drug.name} sign", found, " or ".join(map(repr, SIGNS)), "simulate both, apart")
    return sign == "helps"


def _refuse_silence(drug: Drug, asked: Mapping[str, Size], timed: bool) -> None:
    missing = [action.parameter for action in drug.actions if action.parameter not in asked]
    if missing:
        sizes = ", ".join(f"{parameter!r}: (median, low, high)" for parameter in missing)
        found = f"unverified ({', '.join(missing)})"
        fix = f"give effect={{{sizes}}}, or assumed=True and say so in the report"
        raise _wrong(f"{drug.name} size", found, "a size that somebody measured", fix)
    if not timed:
        fix = "give onset_days, or assumed=True and say so in the report"
        raise _wrong(f"{drug.name} half-life", "unverified", "a half-life that was read", fix)


def _effect(
    drug: Drug, action: Action, asked: Size | None, prior: Mapping[str, Any], helps: bool
) -> Effect | Rejuvenation:
    status = "unverified" if asked is None else "given"
    if action.way == "back":
        part = (prior["part"], prior["part_low"], prior["part_high"]) if asked is None else _three(asked)
        return Rejuvenation(part[0], part[1], part[2], source=action.source, status=status)
    up = (action.way == "up") == helps
    read_in = action.source if helps else action.against
    if asked is None:
        fold, low, high = prior["fold"], prior["low"], prior["high"]
        size = (fold, low, high) if up else (1 / fold, 1 / high, 1 / low)
    else:
        size = _three(asked)
        if size[0] != 1 and (size[0] > 1) != up:
            way = "above" if up else "below"
            fix = "correct it, or make a biology.Treatment of your own"
            expected = f"{way} 1, the direction of {read_in}"
            raise _wrong(f"{drug.name} effect on {action.parameter}", f"{size[0]:g}", expected, fix)
    return Effect(action.parameter, *size, source=read_in, status=status, harm=action.harm)


def _three(size: Size) -> tuple[float, float, float]:
    three = (size, size, size) if isinstance(size, int | float) else tuple(size)
    if len(three) != 3:
        raise _wrong("effect", f"{size!r}", "a median, or a median with low and high", "correct it")
    for value in three:
        check_number("treatment effect", value, least=0.0)
    return three


def _reached(kinetics: Kinetics | None, occupancy: float, dose: float) -> float:
    level = relative_level(occupancy, dose)
    if level == math.inf:
        return 1.0
    steady = level / (1 + level)
    return steady if kinetics is None else kinetics.engagement(steady)


def _drug(name: str, row: Mapping[str, Any]) -> Drug:
    actions = tuple(Action(**action) for action in row["effect"])
    for action in actions:
        for work in filter(None, (action.source, action.against)):
            source(work)
        if action.way not in WAYS or (action.way == "back") != (action.parameter == "age"):
            fix = "correct evidence/biology_treatments.toml"
            raise _wrong(f"{name} {action.parameter}", f"of way {action.way!r}", " or ".join(WAYS), fix)
    kinetics = None
    if "half_life_hours" in row:
        source(row["kinetics_source"])
        kinetics = Kinetics(
            row["half_life_hours"], row["every_hours"], row["kinetics_source"], row["kinetics_status"]
        )
    return Drug(
        name, row["words"], tuple(row["target"]), tuple(row["steps"]), row["given"], actions, kinetics,
        row.get("engagement"), row.get("contested", ""), row.get("note", ""),
    )  # fmt: skip


def _wrong(what: str, found: str, expected: str, fix: str) -> InputError:
    return InputError("", f"treatment {what}", found, expected, fix)
