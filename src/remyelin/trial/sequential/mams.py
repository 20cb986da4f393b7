"""Multi-arm multi-stage trials: arms without promise on an early outcome are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.sequential.arms import PATHS, all_pass, any_passes, pass_all
from remyelin.trial.sequential.walk import FloatArray

CLOSEST = 0.995
"""Two stages whose z values correlate more have the same data."""


@dataclass(frozen=True, slots=True)
class MultiArm:
    """Thresholds of a multi-arm multi-stage trial and what follows from them.

    Attributes
    ----------
    arms, n_per_arm, alpha, outcome_correlation, control_ratio
        The specification, as `multi_arm` takes it.
    mean_z
        (stage,) mean of an arm's z value if the treatment works as assumed.
    """

    arms: int
    n_per_arm: tuple[float, ...]
    alpha: tuple[float, ...]
    outcome_correlation: float
    control_ratio: float
    mean_z: tuple[float, ...]

    @property
    def spec(self) -> dict[str, Any]:
        """The arguments that give this design again: ``multi_arm(**design.spec)``."""
        names = ("arms", "n_per_arm", "alpha", "outcome_correlation", "control_ratio")
        return {**{name: getattr(self, name) for name in names}, "effect": self.effect}

    @property
    def critical_z(self) -> FloatArray:
        """(stage,) an arm goes on, and at the end is better than control, from this z value."""
        from scipy.special import ndtri

        return np.asarray(-ndtri(np.array(self.alpha)))

    @property
    def effect(self) -> tuple[float, ...]:
        """(stage,) assumed effect on the outcome of the stage, in standard deviations."""
        return tuple((np.array(self.mean_z) / self._root_information).tolist())

    @property
    def steps(self) -> tuple[float, ...]:
        """(stage - 1,) correlation of the z values of an arm at successive stages.

        Root of the ratio of the numbers, and at the last step the correlation of the two outcomes as a factor
        (Royston et al. 2003, 10.1002/sim.1430, and 2011, 10.1186/1745-6215-12-81).
        """
        n = np.array(self.n_per_arm)
        steps = np.sqrt(n[:-1] / n[1:])
        steps[-1:] *= self.outcome_correlation
        return tuple(steps.tolist())

    @property
    def between(self) -> float:
        """Correlation of the z values of two arms, which share the control."""
        return 1 / (1 + self.control_ratio)

    @property
    def table(self) -> pd.DataFrame:
        """One row a stage.

        Columns: `n_per_arm`, `n_control`, `alpha` (one-sided), `critical_z`, `critical_effect` and `effect`
        (in standard deviations), `stage_power`, and the probabilities that an arm has passed all stages so
        far without effect (`passed_h0`) and with (`passed_h1`).
        """
        from scipy.special import ndtr

        z, mean = self.critical_z, np.array(self.mean_z)
        stages = range(1, len(z) + 1)
        columns = {
            "n_per_arm": self.n_per_arm,
            "n_control": self.control_ratio * np.array(self.n_per_arm),
            "alpha": self.alpha,
            "critical_z": z,
            "critical_effect": z / self._root_information,
            "effect": self.effect,
            "stage_power": ndtr(mean - z),
            "passed_h0": [self._passed(z, stage) for stage in stages],
            "passed_h1": [self._passed(z - mean, stage) for stage in stages],
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(1, len(z) + 1, name="stage"))

    @property
    def pairwise_alpha(self) -> float:
        """Probability that an arm that affects neither outcome passes all stages."""
        return self._passed(self.critical_z, len(self.alpha))

    @property
    def pairwise_power(self) -> float:
        """Probability that an arm that works as assumed passes all stages."""
        return self._passed(self.critical_z - np.array(self.mean_z), len(self.alpha))

    @property
    def familywise(self) -> float:
        """Probability that any arm passes all stages if none affects either outcome."""
        return any_passes(self.critical_z.tolist(), self.steps, self.arms, self.between)

    @property
    def familywise_most(self) -> float:
        """The greatest probability of a false claim, whatever the arms do to the early outcome.

        If the early outcome is another one, an arm may move it without moving the definitive one, and then
        only the last stage protects (Bratton et al. 2016, 10.1186/s13063-016-1382-5).
        """
        if self.outcome_correlation == 1 or len(self.alpha) == 1:
            return self.familywise
        return any_passes(self.critical_z[-1:].tolist(), (), self.arms, self.between)

    @property
    def any_power(self) -> float:
        """Probability that at least one arm passes all stages if all work as assumed."""
        gap = self.critical_z - np.array(self.mean_z)
        return any_passes(gap.tolist(), self.steps, self.arms, self.between)

    @property
    def all_power(self) -> float:
        """Probability that every arm passes all stages if all work as assumed."""
        gap = self.critical_z - np.array(self.mean_z)
        return all_pass(gap.tolist(), self.steps, self.arms, self.between)

    def expected_n(self, works: bool = False) -> float:
        """Expected participants in all if no arm works, or all do; the control goes on while any arm does."""
        gap = self.critical_z - (np.array(self.mean_z) if works else 0.0)
        more = np.diff(self.n_per_arm, prepend=0.0)
        total = more[0] * (self.arms + self.control_ratio)
        for stage in range(1, len(more)):
            some = any_passes(gap[:stage].tolist(), self.steps[: stage - 1], self.arms, self.between)
            total += more[stage] * (self.arms * self._passed(gap, stage) + self.control_ratio * some)
        return float(total)

    @property
    def _root_information(self) -> FloatArray:
        n, c = np.array(self.n_per_arm), self.control_ratio
        return np.asarray(np.sqrt(n * c / (1 + c)))

    def _passed(self, gap: FloatArray, stages: int) -> float:
        return float(pass_all(gap[None, :stages], self.steps[: stages - 1])[0])

    def to_frame(self) -> pd.DataFrame:
        """The table with the stage as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        lines = [
            f"{self.arms} arm{'s' * (self.arms > 1)} against one control, {len(self.alpha)} stages: "
            f"pairwise power {self.pairwise_power:.3f}, pairwise alpha {self.pairwise_alpha:.4f}, "
            f"familywise {self.familywise:.4f} (at most {self.familywise_most:.4f})"
        ]
        for stage, row in self.table.iterrows():
            lines.append(
                f"  stage {stage}, {row['n_per_arm']:g} an arm: passes at z >= {row['critical_z']:.3f} "
                f"(effect {row['critical_effect']:.3f} SD); without effect {row['passed_h0']:.3f} have "
                f"passed, with {row['effect']:.3f} SD {row['passed_h1']:.3f}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self).splitlines()[0])}</p>{self.table.to_html()}"


def multi_arm(
    *,
    arms: int | None = None,
    n_per_arm: Sequence[float] | None = None,
    alpha: Sequence[float] | None = None,
    effect: Sequence[float] | None = None,
    power: Sequence[float] | None = None,
    outcome_correlation: float | None = None,
    control_ratio: float = 1.0,
) -> MultiArm:
    """Operating characteristics of a trial that drops arms at stages, then tests those that are left.

    Every number of the design must be given; none is assumed.

    Parameters
    ----------
    arms
        Treatment arms, the control not counted.
    n_per_arm
        (stage,) participants of each treatment arm with the outcome of that stage; cumulative. For a time to
        event: events of an arm.
    alpha
        (stage,) one-sided level of each comparison with control at each stage.
    effect
        (stage,) effect on the outcome of that stage in standard deviations of a participant, positive if it
        is a benefit. For a time to event: minus the log hazard ratio.
    power
        Instead of `effect`: (stage,) power of each stage on its own.
    outcome_correlation
        Correlation of the estimated effects on the early and the definitive outcome in the same participants;
        1 if all stages have the same outcome.
    control_ratio
        Participants of the control for each one of a treatment arm.

    Returns
    -------
    MultiArm

    Raises
    ------
    InputError
        For a number that is not given or cannot be.

    Notes
    -----
    Royston, Parmar & Qian (2003), 10.1002/sim.1430; Royston et al. (2011), 10.1186/1745-6215-12-81. Arms are
    dropped for lack of benefit only. Normal theory: z values of an arm at successive stages are a Markov
    chain; probabilities by quadrature, good to 1e-6 for up to 4 stages.

    Examples
    --------
    >>> print(multi_arm(arms=2, n_per_arm=[125, 600], alpha=[0.3, 0.025], power=[0.95, 0.9],
    ...                 outcome_correlation=0.5))
    2 arms against one control, 2 stages: pairwise power 0.860, pairwise alpha 0.0126, familywise ...
      stage 1, 125 an arm: passes at z >= 0.524 (effect 0.066 SD); without effect 0.300 have passed, with ...
      stage 2, 600 an arm: passes at z >= 1.960 (effect 0.113 SD); without effect 0.013 have passed, with ...
    """
    levels = _listed("alpha", alpha, "the one-sided level of each stage", 0, 1)
    stages = len(levels)
    n = _listed("n_per_arm", n_per_arm, "participants an arm at each stage", 0, np.inf, stages)
    if np.any(np.diff(n) <= 0):
        raise InputError(
            "", "n_per_arm", str(list(n)), "numbers that rise", "count from the start of the trial"
        )
    if arms is None or isinstance(arms, bool) or int(arms) != arms or arms < 1:
        raise InputError("", "arms", repr(arms), "the number of treatment arms", "do not count the control")
    if stages > max(PATHS):
        raise InputError("", "alpha", f"of {stages} stages", f"{max(PATHS)} at most", "join stages")
    if not 0 < control_ratio < np.inf:
        raise InputError(
            "", "control_ratio", f"{control_ratio}", "a positive number", "1 for arms of one size"
        )
    if outcome_correlation is None or not 0 <= outcome_correlation <= 1:
        raise InputError(
            "", "outcome_correlation", repr(outcome_correlation), "from 0 to 1",
            "give 1 if all stages have the same outcome, else what earlier trials showed",
        )  # fmt: skip
    draft = MultiArm(int(arms), n, levels, float(outcome_correlation), float(control_ratio), (0.0,) * stages)
    if draft.steps and max(draft.steps) > CLOSEST:
        raise InputError(
            "", "n_per_arm", str(list(n)), "stages that add participants", "leave one of them out"
        )
    mean = _means(draft, effect, power)
    return MultiArm(draft.arms, n, levels, draft.outcome_correlation, draft.control_ratio, mean)


def _means(
    draft: MultiArm, effect: Sequence[float] | None, power: Sequence[float] | None
) -> tuple[float, ...]:
    from scipy.special import ndtri

    stages = len(draft.alpha)
    if (effect is None) == (power is None):
        found = "neither is given" if effect is None else "both are given"
        raise InputError(
            "", "effect, power", found, "one of the two, for each stage",
            "effect in standard deviations, or the power of each stage",
        )  # fmt: skip
    if power is not None:
        strong = _listed("power", power, "the power of each stage", 0, 1, stages)
        return tuple((draft.critical_z + ndtri(np.array(strong))).tolist())
    sizes = _listed("effect", effect, "the effect on the outcome of each stage", -np.inf, np.inf, stages)
    return tuple((np.array(sizes) * draft._root_information).tolist())


def _listed(
    name: str, given: Sequence[float] | None, what: str, low: float, high: float, stages: int | None = None
) -> tuple[float, ...]:
    """One number a stage, each strictly between `low` and `high`."""
    values = tuple(float(each) for each in given) if given is not None else ()
    wrong = not values or not all(low < each < high for each in values)
    if wrong or (stages is not None and len(values) != stages):
        count = "" if stages is None else f", {stages} as alpha has"
        raise InputError(
            "", name, "not given" if given is None else str(list(values)), what + count,
            "take it from the protocol of the trial: there is no default",
        )  # fmt: skip
    return values
