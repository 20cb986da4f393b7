"""What is assumed about a participant who left: the reference-based rules.

Carpenter, Roger & Kenward 2013 (10.1080/10543406.2013.834911), with one covariance matrix for all arms. A
rule changes the mean of the participant's visits; the values are then those of this normal distribution given
what was observed, so each keeps their own distance from the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import FloatArray
from remyelin.trial.missing.panel import Panel
from remyelin.trial.missing.sampler import Parameters

Strategy = Literal["MAR", "J2R", "CR", "CIR"]
STRATEGIES = ("MAR", "J2R", "CR", "CIR")


def joint_means(panel: Panel, parameters: Parameters, strategies: npt.NDArray[np.str_]) -> FloatArray:
    """(participant, visit) mean of the joint distribution that each participant's strategy supposes."""
    own, reference = parameters.means(panel.own), parameters.means(panel.referenced)
    found = own.copy()
    before = np.maximum(panel.last - 1, 0)[:, None]
    step = np.take_along_axis(own, before, 1) - np.take_along_axis(reference, before, 1)
    # Increments are copied from the last visit seen, or from the baseline, where the arms do not differ.
    step = np.where(panel.last[:, None] > 0, step, 0.0)
    after = panel.after
    for name, left in (("J2R", reference), ("CIR", reference + step)):
        at = (strategies == name)[:, None] & after
        found[at] = left[at]
    copied = strategies == "CR"
    found[copied] = reference[copied]
    return found


def complete(
    Y: FloatArray, panel: Panel, means: FloatArray, parameters: Parameters, noise: FloatArray | None
) -> FloatArray:
    """Values after the withdrawal: the mean, what is carried over from earlier visits, and noise.

    Without `noise` (participant, visit), of variance 1, conditional expectations.
    """
    filled = Y.copy()
    for j in range(Y.shape[1]):
        rows = panel.last <= j
        carried = (filled[rows, :j] - means[rows, :j]) @ parameters.phi[j, :j]
        filled[rows, j] = means[rows, j] + carried
        if noise is not None:
            filled[rows, j] += parameters.sigma[j] * noise[rows, j]
    return filled


def strategy_of(panel: Panel, method: str | Mapping[str, str]) -> npt.NDArray[np.str_]:
    """(participant,) strategy; participants that a mapping does not name are MAR.

    Raises
    ------
    InputError
        For a strategy or a participant that does not exist.
    """
    if isinstance(method, str):
        _check(method)
        return np.full(len(panel.subjects), method, dtype="<U3")
    found = np.full(len(panel.subjects), "MAR", dtype="<U3")
    place = {name: i for i, name in enumerate(panel.subjects)}
    for who, each in method.items():
        _check(each)
        if str(who) not in place:
            raise InputError(
                "", "method", f"for participant {who}", "participants of the data",
                did_you_mean(str(who), panel.subjects),
            )  # fmt: skip
        found[place[str(who)]] = each
    return found


def needs_reference(panel: Panel, strategies: npt.NDArray[np.str_], reference: str | None) -> None:
    """Refuse a reference-based strategy without a reference that was named.

    Raises
    ------
    InputError
        Naming the arms.
    """
    if reference is None and (strategies != "MAR").any():
        raise InputError(
            "", "reference", "not said",
            f"the arm that leavers are compared with: one of {', '.join(panel.arms)}",
            "name it, for example reference='placebo'",
        )  # fmt: skip


def deltas_of(panel: Panel, delta: float | Mapping[str, float]) -> FloatArray:
    """(arm,) shift of values after withdrawal; a number is for all arms but the reference.

    Raises
    ------
    InputError
        For an arm that does not exist, or a delta that is not finite.
    """
    if isinstance(delta, Mapping):
        for name in delta:
            if name not in panel.arms:
                raise InputError(
                    "", "delta", f"for arm {name!r}", "arms of the data", did_you_mean(str(name), panel.arms)
                )
        found = np.array([float(delta.get(name, 0.0)) for name in panel.arms])
    else:
        found = np.full(len(panel.arms), float(delta))
        found[0] = 0.0
    if not np.isfinite(found).all():
        raise InputError(
            "", "delta", "not finite", "a number in the unit of the outcome", "give one, or leave it 0"
        )
    return found


def _check(name: str) -> None:
    if name not in STRATEGIES:
        raise InputError(
            "", "method", repr(name), f"one of {', '.join(STRATEGIES)}", did_you_mean(str(name), STRATEGIES)
        )
