"""How arms are allocated: minimisation, permuted blocks, simple randomisation; each can be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.ratio import IntArray, check_ratio, shares

Imbalance = Literal["range", "variance"]
# A factor with more levels than this is a measurement that nobody cut into classes.
LEVELS = 100


class Procedure(Protocol):
    """What can allocate: it knows its factors, and gives arms as numbers, participants in order of entry."""

    @property
    def factors(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        ...

    def allocate(
        self, people: pd.DataFrame, arms: int, rng: np.random.Generator, replicates: int
    ) -> IntArray:
        """(replicate, participant) number of the arm."""
        ...


@dataclass(frozen=True, slots=True)
class Minimisation:
    """Probability-weighted minimisation, equal allocation (Pocock & Simon 1975, 10.2307/2529712).

    Each participant is put, with `probability`, into the arm that leaves the smallest weighted sum of
    imbalances over the levels that the participant has; the other arms share the rest, and arms that tie
    share alike.

    Parameters
    ----------
    factors
        Columns with a few levels each.
    probability
        From 1 / arms (simple randomisation) to 1 (deterministic but for ties).
    weights
        Of the factors; equal if absent.
    imbalance
        Of the counts of the arms at one level: their ``"range"`` or ``"variance"``.
    """

    factors: tuple[str, ...]
    probability: float
    weights: tuple[float, ...] | None = None
    imbalance: Imbalance = "range"

    def allocate(
        self, people: pd.DataFrame, arms: int, rng: np.random.Generator, replicates: int
    ) -> IntArray:
        """(replicate, participant) number of the arm, participants in order of entry."""
        from remyelin.trial.allocating import minimised

        weights = self._check(arms)
        codes = levels(people, self.factors)
        uniform = rng.random((replicates, len(people)))
        out = np.empty((replicates, len(people)), dtype=np.intp)
        minimised(codes, weights, arms, self.probability, self.imbalance == "range", uniform, out)
        return out

    def _check(self, arms: int) -> npt.NDArray[np.float64]:
        if not self.factors:
            raise InputError("", "factors", "empty", "the factors of the minimisation", "name its columns")
        if not 1 / arms <= self.probability <= 1:
            raise InputError(
                "", "probability", f"{self.probability:g}", f"from 1/{arms} to 1",
                "give the probability of the arm that minimises the imbalance, as the protocol states it",
            )  # fmt: skip
        if self.imbalance not in ("range", "variance"):
            raise InputError(
                "", "imbalance", repr(self.imbalance), "'range' or 'variance'", "name one of the two"
            )
        weights = np.ones(len(self.factors)) if self.weights is None else np.asarray(self.weights, float)
        if weights.shape != (len(self.factors),) or not (np.isfinite(weights) & (weights > 0)).all():
            raise InputError(
                "", "weights", str(self.weights), f"{len(self.factors)} positive numbers, one a factor",
                "give the weight of each factor",
            )  # fmt: skip
        return weights


@dataclass(frozen=True, slots=True)
class PermutedBlocks:
    """Permuted blocks in each stratum, the size of each block drawn from `sizes`.

    Parameters
    ----------
    sizes
        Multiples of the sum of `ratio`. One block of the size of the trial fixes the numbers in the arms.
    factors
        Columns whose combinations are the strata; none for a single list.
    ratio
        Whole numbers, one an arm, as (2, 1). The first entry belongs to the reference arm of `rerandomise`,
        the others to the other arms in the order of its fit: that of a categorical column, else sorted by
        name. Equal if absent.

    Raises
    ------
    InputError
        For a ratio that is no tuple of whole numbers of 1 or more.

    Examples
    --------
    Two on the drug for one on placebo, where placebo is the reference:

    >>> PermutedBlocks((3, 6), factors=("sex",), ratio=(1, 2))
    PermutedBlocks(sizes=(3, 6), factors=('sex',), ratio=(1, 2))
    """

    sizes: tuple[int, ...]
    factors: tuple[str, ...] = ()
    ratio: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_ratio(self.ratio)

    def allocate(
        self, people: pd.DataFrame, arms: int, rng: np.random.Generator, replicates: int
    ) -> IntArray:
        """(replicate, participant) number of the arm, participants in order of entry."""
        from remyelin.trial.allocating import blocked

        ratio = shares(self.ratio, arms)
        sizes = np.asarray(self.sizes, dtype=np.intp)
        if not len(sizes) or (sizes < 1).any() or (sizes % ratio.sum()).any():
            raise InputError(
                "", "sizes", str(self.sizes), f"multiples of {ratio.sum()}", "give the sizes of the blocks"
            )
        strata = np.zeros(len(people), dtype=np.intp)
        if self.factors:
            _, strata = np.unique(levels(people, self.factors), axis=0, return_inverse=True)
        uniform = rng.random((replicates, len(people), 2))
        out = np.empty((replicates, len(people)), dtype=np.intp)
        blocked(strata.ravel(), sizes, ratio, uniform, out)
        return out


@dataclass(frozen=True, slots=True)
class SimpleRandomisation:
    """Each participant for itself, with the probabilities of `ratio`.

    Parameters
    ----------
    ratio
        As in `PermutedBlocks`: the first entry belongs to the reference arm. Equal if absent.

    Raises
    ------
    InputError
        For a ratio that is no tuple of whole numbers of 1 or more.

    Examples
    --------
    Two on the drug for one on placebo, where placebo is the reference:

    >>> SimpleRandomisation((1, 2))
    SimpleRandomisation(ratio=(1, 2))
    """

    ratio: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_ratio(self.ratio)

    @property
    def factors(self) -> tuple[str, ...]:
        """None."""
        return ()

    def allocate(
        self, people: pd.DataFrame, arms: int, rng: np.random.Generator, replicates: int
    ) -> IntArray:
        """(replicate, participant) number of the arm, participants in order of entry."""
        ratio = shares(self.ratio, arms)
        return rng.choice(arms, size=(replicates, len(people)), p=ratio / ratio.sum()).astype(np.intp)


def minimise(
    factors: pd.DataFrame,
    arms: Sequence[str],
    *,
    probability: float,
    rng: int | np.random.Generator,
    weights: Sequence[float] | None = None,
    imbalance: Imbalance = "range",
) -> pd.Series[str]:
    """Allocate participants by probability-weighted minimisation.

    Parameters
    ----------
    factors
        One row a participant, in order of entry; each column is a factor.
    arms
        Names of the arms; equal allocation.
    probability
        Of the arm that minimises the imbalance: from 1 / arms to 1.
    rng
        A seed or a generator: the same gives the same allocation.
    weights, imbalance
        As in `Minimisation`.

    Returns
    -------
    pandas.Series
        The arm, with the index of `factors`.

    Raises
    ------
    InputError
        For fewer than two arms, factors with gaps or too many levels, or a probability out of range.

    Examples
    --------
    >>> people = pd.DataFrame({"sex": ["F", "M", "F", "F"], "age": ["<40", "<40", ">=40", "<40"]})
    >>> minimise(people, ["drug", "placebo"], probability=0.8, rng=1).tolist()
    ['placebo', 'placebo', 'drug', 'placebo']
    """
    names = [str(arm) for arm in arms]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise InputError("", "arms", ", ".join(names) or "empty", "two different arms or more", "name them")
    procedure = Minimisation(
        tuple(str(name) for name in factors.columns),
        probability,
        None if weights is None else tuple(weights),
        imbalance,
    )
    people = factors.rename(columns=str)
    chosen = procedure.allocate(people, len(names), np.random.default_rng(rng), 1)[0]
    return pd.Series([names[k] for k in chosen], index=factors.index, name="arm", dtype=object)


def levels(people: pd.DataFrame, factors: Sequence[str]) -> IntArray:
    """(participant, factor) number of the level.

    Raises
    ------
    InputError
        For a factor that is no column, has gaps, or has as many levels as a measurement.
    """
    codes = np.empty((len(people), len(factors)), dtype=np.intp)
    for k, name in enumerate(factors):
        if name not in people.columns:
            known = ", ".join(str(each) for each in people.columns)
            raise InputError(
                "", name, f"not a column of the participants, which have {known}",
                "every factor of the allocation", "add the column, or name another",
            )  # fmt: skip
        if people[name].isna().any():
            raise InputError(
                "", name, f"missing in {int(people[name].isna().sum())} participants",
                "the level at the time of allocation for everyone", "complete the column",
            )  # fmt: skip
        codes[:, k], found = pd.factorize(people[name])
        if len(found) > LEVELS:
            raise InputError(
                "", name, f"{len(found)} different values", f"a factor of at most {LEVELS} levels",
                "cut the measurement into the classes that the allocation used",
            )  # fmt: skip
    return codes


def check_procedure(procedure: object) -> None:
    """Refuse what cannot allocate.

    Raises
    ------
    InputError
        For a name, a class that was not called, or anything else without factors and a way to allocate.
    """
    if isinstance(procedure, type) or not (
        hasattr(procedure, "factors") and callable(getattr(procedure, "allocate", None))
    ):
        raise InputError(
            "", "procedure", repr(procedure)[:80], "a procedure with the settings of the trial",
            "give SimpleRandomisation(), PermutedBlocks((4,)) or Minimisation((\"sex\",), 0.8)",
        )  # fmt: skip
