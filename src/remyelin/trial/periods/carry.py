"""What is left of the first treatment in the second period, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError

if TYPE_CHECKING:
    from remyelin.trial.periods.result import Crossover

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def remaining_effect(
    effect: npt.ArrayLike, share: npt.ArrayLike
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What a 2 x 2 crossover shows of an effect of which a share is left in the second period.

    The mean of the two period differences is effect (1 - share / 2): the participants who began with the
    treatment still have `share` of it while on the reference (Grizzle 1965, Biometrics 21:467).

    Parameters
    ----------
    effect
        In the unit of the response.
    share
        0 (washed out) to 1 (lasting).

    Raises
    ------
    InputError
        For a share outside 0 to 1.

    Examples
    --------
    >>> print(remaining_effect(1.7, [0, 0.5, 1]))
    [1.7   1.275 0.85 ]
    """
    part = np.asarray(share, dtype=np.float64)
    if not ((part >= 0) & (part <= 1)).all():
        raise InputError(
            "", "share", str(share), "0 (washed out) to 1 (lasting)", "give a share of the effect"
        )
    return np.asarray(np.asarray(effect, dtype=np.float64) * (1 - part / 2))


def carry_over_rows(fit: Crossover) -> pd.DataFrame:
    """Carry-over, and the error that it makes in the crossover estimate, with t tests and intervals.

    With lambda what the treatment, less the reference, leaves behind, the sum of both periods differs by
    lambda between the sequences, and the crossover estimate by -lambda / 2 from the effect.
    """
    rows = fit.sequence_difference()
    return pd.concat(
        [fit.contrast(2 * rows, ["carry-over"]), fit.contrast(-rows, ["error of the crossover"])]
    )


def losses(estimate: float, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """For each share that may be left: the part of the effect that is shown, and the effect behind it."""
    kept = remaining_effect(1.0, list(shares))
    return pd.DataFrame(
        {"shown": kept, "effect": estimate / kept}, index=pd.Index(list(shares), name="share_left")
    )
