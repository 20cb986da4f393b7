"""The allocation ratio: how many participants go to each arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

IntArray = npt.NDArray[np.intp]


def check_ratio(ratio: object) -> None:
    """Refuse what is no allocation ratio; None means that all arms are alike."""
    if ratio is None:
        return
    entries = list(ratio) if isinstance(ratio, Sequence | np.ndarray) else []
    if not entries or not all(
        isinstance(each, int | np.integer) and not isinstance(each, bool) and each > 0 for each in entries
    ):
        raise InputError(
            "", "ratio", repr(ratio)[:80], "whole numbers of 1 or more, one an arm, the reference first",
            "write as (1, 2): 1 for the reference, 2 for the other arm",
        )  # fmt: skip


def shares(ratio: Sequence[int] | None, arms: int) -> IntArray:
    """(arm,) participants of each arm for one of the smallest unit; InputError for another number of arms."""
    if ratio is not None and len(ratio) != arms:
        raise InputError(
            "", "ratio", str(ratio), f"{arms} whole numbers, one an arm, the reference first",
            "write as (1, 1) or (1, 2)",
        )  # fmt: skip
    return np.ones(arms, dtype=np.intp) if ratio is None else np.asarray(ratio, dtype=np.intp)
