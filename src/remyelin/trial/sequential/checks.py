"""What a design may be asked for, in words a trialist understands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.sequential.spending import Spending
from remyelin.trial.sequential.walk import FloatArray

FAMILY = ("of", "pocock", "wang-tsiatis")
SPENDING = ("asOF", "asP", "asKD", "asHSD")
FUTILITY = ("bsOF", "bsP", "bsKD", "bsHSD")
SHORTEST = 1e-3
"""Least share of the information between two looks: below it a second look has nothing to see."""


def rates(stages: int | None, information_rates: Sequence[float] | None) -> tuple[float, ...]:
    """Information rates as given, or evenly spaced."""
    if (stages is None) == (information_rates is None):
        found = "neither is given" if stages is None else "both are given"
        raise InputError("", "stages, information_rates", found, "one of the two", "stages=2, for example")
    if stages is not None:
        if isinstance(stages, bool) or int(stages) != stages or not 1 <= stages <= 100:
            raise InputError("", "stages", repr(stages), "a whole number from 1 to 100", "2, for example")
        return tuple((np.arange(1, stages + 1) / stages).tolist())
    times = tuple(float(each) for each in information_rates or ())
    steps = np.diff([0.0, *times])
    if not times or not np.all(steps >= SHORTEST) or abs(times[-1] - 1) > 1e-12:
        raise InputError(
            "", "information_rates", str(list(times)),
            f"shares of the final information that rise by {SHORTEST:g} or more to 1",
            "divide the information of each look by that of the last, as [0.5, 1]",
        )  # fmt: skip
    return times


def kind(name: str, delta: float | None) -> None:
    """Refuse an unknown kind of boundary, and a `delta` that it does not have."""
    known = (*FAMILY, *SPENDING)
    if name not in known:
        raise InputError("", "kind", repr(name), f"one of {', '.join(known)}", did_you_mean(name, known))
    if name != "wang-tsiatis":
        unused(delta, "delta", "kind 'wang-tsiatis'")
    elif delta is None or not -1 <= delta <= 1:
        raise InputError(
            "", "delta", str(delta), "a number from -1 to 1 for Wang & Tsiatis",
            "0 is O'Brien-Fleming, 0.5 Pocock, 0.25 between them",
        )  # fmt: skip


def errors(alpha: float, beta: float, sided: int) -> None:
    """Refuse error probabilities that no trial has."""
    if sided not in (1, 2):
        raise InputError("", "sided", repr(sided), "1 or 2", "one-sided tests have half the alpha")
    if not 0 < alpha < 0.5:
        raise InputError("", "alpha", f"{alpha}", "between 0 and 0.5", "0.025 one-sided, 0.05 two-sided")
    if not 0 < beta < 1 - alpha:
        raise InputError("", "beta", f"{beta}", "between 0 and 1 - alpha", "0.2 for a power of 80 %")


def futility(
    given: Sequence[float] | str | None, stages: int, sided: int, name: str, binding: bool
) -> tuple[float, ...] | str | None:
    """Futility bounds as given: z values, a way of spending beta, or none."""
    if given is None or stages == 1:
        if binding and given is None:
            raise InputError(
                "", "binding", "True", "futility bounds to be binding", "give futility, or leave out"
            )
        return None
    if sided == 2:
        raise InputError(
            "", "futility", "given for a two-sided design", "a one-sided design",
            "take sided=1 with half the alpha: futility looks at one direction",
        )  # fmt: skip
    if isinstance(given, str):
        if given not in FUTILITY:
            raise InputError(
                "", "futility", repr(given), f"z values, or one of {', '.join(FUTILITY)}",
                did_you_mean(given, FUTILITY),
            )  # fmt: skip
        if name not in SPENDING:
            raise InputError(
                "", "futility", f"{given} with kind '{name}'", "beta spent where alpha is spent",
                f"take one of {', '.join(SPENDING)}, or give futility as z values",
            )  # fmt: skip
        return given
    bounds = tuple(float(each) for each in given)
    if len(bounds) != stages - 1 or np.isnan(bounds).any() or max(bounds) == np.inf:
        raise InputError(
            "", "futility", str(list(bounds)), f"{stages - 1} z values, one for each look but the last",
            "write -inf for a look that cannot stop for futility",
        )  # fmt: skip
    return bounds


def apart(lower: FloatArray | None, upper: FloatArray) -> None:
    """Refuse futility bounds that leave no room below the critical values."""
    if lower is not None and np.any(lower >= upper[:-1]):
        look = int(np.argmax(lower >= upper[:-1]))
        raise InputError(
            "", "futility", f"{lower[look]:g} at stage {look + 1}",
            f"less than the critical value {upper[look]:.4g}",
            "lower it: a trial cannot stop for futility where it rejects",
        )  # fmt: skip


def unused(value: float | None, name: str, owner: str) -> None:
    """Refuse a parameter that would have no effect."""
    if value is not None:
        raise InputError("", name, f"{value:g}", f"none: only {owner} has it", "leave it out")


def shape(name: str) -> Spending:
    """The spending function of a kind of boundary: ``"asOF"`` and ``"bsOF"`` spend like ``"OF"``."""
    return cast(Spending, name[2:])


def power_of(name: str, delta: float | None) -> float:
    """Delta of a boundary of the Wang-Tsiatis family."""
    return {"of": 0.0, "pocock": 0.5}.get(name, delta or 0.0)
