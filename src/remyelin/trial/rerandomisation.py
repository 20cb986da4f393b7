"""The re-randomisation test: what the estimate would be, had the allocation been drawn again."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.linear import Ancova, ancova
from remyelin.trial.procedures import Procedure, check_procedure, levels
from remyelin.trial.ratio import IntArray
from remyelin.trial.replay import Refits, Replay

# Replicates at a time, so that memory stays small.
CHUNK = 2_000
# A statistic this close to the observed one, relative to it, is as large.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Rerandomisation:
    """The test, and what it was made of.

    Attributes
    ----------
    table
        Index the term; ``estimate, se, df, t`` of the ANCOVA; ``p, ci_low, ci_high`` of the
        re-randomisation; ``p_se``, the Monte Carlo standard error of p; ``p_ancova``. The interval inverts
        the test and stands for two arms only.
    p_any
        P value that no arm differs (F statistic).
    replicates, distinct
        Allocations drawn, and how many of them differ.
    flags
        What is doubtful about the replay.
    """

    table: pd.DataFrame
    p_any: float
    replicates: int
    distinct: int
    procedure: Procedure
    flags: tuple[Flag, ...]
    alpha: float
    ancova: Ancova = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The table with the term as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        lines = [
            f"re-randomisation test of {self.ancova.formula}; {self.replicates} allocations, "
            f"{self.distinct} of them different, by {self.procedure}"
        ]
        level = f"{100 * (1 - self.alpha):g} % CI"
        for name, row in self.table.iterrows():
            lines.append(
                f"  {name}: {row['estimate']:+.4g} ({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), "
                f"p = {row['p']:.3g} (Monte Carlo SE {row['p_se']:.1g}; ANCOVA {row['p_ancova']:.3g})"
            )
        return "\n".join([*lines, *(f"  {flag}" for flag in self.flags)])

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self).splitlines()[0])}</p>{self.table.to_html()}"


def rerandomise(
    formula: str,
    data: pd.DataFrame,
    procedure: Procedure,
    *,
    rng: int | np.random.Generator,
    arm: str = "arm",
    reference: str | None = None,
    participant: str | None = None,
    randomised: pd.DataFrame | None = None,
    replicates: int = 10_000,
    alpha: float = 0.05,
) -> Rerandomisation:
    """Test arms by drawing the allocation again, as it was drawn, and fitting the ANCOVA each time.

    The p value is exact for the null hypothesis that no participant's outcome depends on the arm, whatever
    the distribution of outcomes, the correlation of rows within participants and the procedure (Simon & Simon
    2011, 10.1016/j.spl.2010.12.018). It counts the drawn allocations whose ``abs(t)`` is as large as that
    observed, the observed one with them (Phipson & Smyth 2010, 10.2202/1544-6115.1585).

    Parameters
    ----------
    formula
        As ``"change ~ arm + baseline"``; the arm in no interaction.
    data
        One row a participant in order of entry; or lesions, eyes or visits with `participant`.
    procedure
        `Minimisation`, `PermutedBlocks` or `SimpleRandomisation` with the settings of the trial. The first
        entry of a `ratio` is that of `reference`, the others follow the arms of the ANCOVA.
    rng
        A seed or a generator: the same gives the same p value.
    arm, reference
        As in `ancova`.
    participant
        The column that says who a row belongs to: arms are drawn for participants.
    randomised
        Everyone who was allocated, in order of entry, with `participant`, `arm` and the factors: the
        procedure looked also at those without outcome. `data` if absent.
    replicates
        Number of allocations drawn.
    alpha
        The interval covers 1 - alpha.

    Returns
    -------
    Rerandomisation

    Raises
    ------
    InputError
        What `ancova` refuses; an arm in an interaction; participants or arms that disagree between the
        tables; no procedure, or one that can give one allocation only.

    Examples
    --------
    >>> from remyelin.trial.procedures import Minimisation, minimise
    >>> draw = np.random.default_rng(3)
    >>> table = pd.DataFrame({"sex": draw.choice(["F", "M"], 40), "relapse": draw.choice([0, 1], 40)})
    >>> table["arm"] = minimise(table, ["drug", "placebo"], probability=0.8, rng=3)
    >>> table["change"] = 1.2 * (table["arm"] == "drug") + draw.normal(0, 1, 40)
    >>> found = rerandomise("change ~ arm + sex + relapse", table, Minimisation(("sex", "relapse"), 0.8),
    ...                     reference="placebo", rng=11)
    >>> found.table.round(3)[["estimate", "p", "ci_low", "ci_high"]]
                 estimate      p  ci_low  ci_high
    term
    arm[T.drug]     1.047  0.002   0.374    1.729
    """
    if replicates < 99:
        raise InputError(
            "", "replicates", str(replicates), "99 or more, better 10,000", "draw more allocations"
        )
    check_procedure(procedure)
    fit = ancova(formula, data, arm=arm, reference=reference, alpha=alpha)
    replay = Replay.of(fit, data, participant, randomised)
    seen = levels(replay.people, procedure.factors)
    generator = np.random.default_rng(rng)
    drawn, uneven = [], []
    different: set[bytes] = set()
    for start in range(0, replicates, CHUNK):
        some = procedure.allocate(replay.people, len(fit.arms), generator, min(CHUNK, replicates - start))
        drawn.append(replay.refit(some))
        uneven.append(_uneven(seen, some, len(fit.arms)))
        different.update(each.tobytes() for each in some.astype(np.int8))
    if len(different) < 2:
        raise InputError(
            "", "procedure", "able to give one allocation only", "an element of chance",
            "give the probability or the blocks that the trial used",
        )  # fmt: skip
    again = Refits.joined(drawn)
    observed = replay.refit(replay.arms[None])
    p = _p(np.abs(again.t), np.abs(observed.t[0]))
    result = fit.table.loc[replay.terms, ["estimate", "se", "df", "t"]].assign(p=p)
    result["ci_low"], result["ci_high"] = _interval(again, observed, alpha) if len(p) == 1 else (np.nan,) * 2
    result["p_se"] = np.sqrt(p * (1 - p) / replicates)
    result["p_ancova"] = fit.table.loc[replay.terms, "p"]
    reach = float(np.min(_p(np.abs(again.t), np.max(np.abs(again.t), axis=0))))
    odd = _p(np.concatenate(uneven)[:, None], _uneven(seen, replay.arms[None], len(fit.arms)))
    return Rerandomisation(
        table=result,
        p_any=float(_p(again.f[:, None], observed.f)[0]),
        replicates=replicates,
        distinct=len(different),
        procedure=procedure,
        flags=_flags(reach, float(odd[0]), alpha),
        alpha=alpha,
        ancova=fit,
    )


def _p(drawn: FloatArray, observed: FloatArray) -> FloatArray:
    """Share of the statistics (replicate, test) as large as the observed, which counts as one of them."""
    as_large = np.sum(drawn >= observed * (1 - SAME), axis=0)
    return np.asarray((1 + as_large) / (1 + len(drawn)))


def _interval(again: Refits, observed: Refits, alpha: float) -> tuple[float, float]:
    """Limits of the effects that the test does not reject at alpha; infinite where it cannot reject any.

    The estimate plus d is taken off the response of the treated. A drawn allocation is then as extreme as
    the observed one if |u - d v| >= |d| g, with u its product with the residuals, v with the observed arm,
    and g = sqrt(size x observed size) >= |v|: for all d between two bounds, as |u| / (g + v) above 0 where u
    is positive. So p falls on both sides of the estimate, and each limit is one of these bounds.
    """
    size, score = float(observed.size[0]), float(observed.score[0])
    u = again.score - score / size * again.cross
    g = np.sqrt(again.size * size)
    side = np.where(u >= 0, again.cross, -again.cross)
    # Limits beyond this replicate's bound are rejected by it; k of them must agree.
    k = int(np.floor(alpha * (1 + len(u)) - 1)) + 1
    if k < 1:
        return -np.inf, np.inf
    up, down = (
        np.sort(np.where(g + each > SAME * g, np.abs(u) / np.maximum(g + each, SAME * g), np.inf))[-k]
        for each in (side, -side)
    )
    return score / size - float(down), score / size + float(up)


def _uneven(seen: IntArray, drawn: IntArray, arms: int) -> FloatArray:
    """(replicate,) sum over the levels of all factors of the range of the counts of the arms."""
    total = np.zeros(len(drawn))
    for column in seen.T:
        for level in range(int(column.max()) + 1):
            here = drawn[:, column == level]
            counts = np.stack([np.sum(here == k, axis=1) for k in range(arms)])
            total += counts.max(axis=0) - counts.min(axis=0)
    return total


def _flags(reach: float, odd: float, alpha: float) -> tuple[Flag, ...]:
    found = []
    if reach > alpha:
        found.append(
            Flag(
                "",
                "procedure",
                f"so predictable that p cannot fall below {reach:.3g}",
                f"less than {alpha:g}",
                "report the test as not informative; use more chance in the next trial",
            )
        )
    if odd < 0.001:
        found.append(
            Flag(
                "",
                "allocation",
                f"less balanced than {1 - odd:.2%} of those replayed",
                "like those replayed",
                "check the factors, their classes and the order of entry",
            )
        )
    return tuple(found)
