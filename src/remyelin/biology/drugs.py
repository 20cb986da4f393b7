"""What is known of a treatment, before anyone says how large its effects are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remyelin.biology.kinetics import Kinetics


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a drug does: which way a parameter goes, and where that was read.

    `way` is ``"up"``, ``"down"``, or ``"back"`` for the parameter ``"age"``: rates go back towards the young.
    Where works disagree, it is the way of `source`, and `against` is the work that has it otherwise.
    """

    parameter: str
    way: str
    source: str
    harm: bool = False
    against: str = ""

    def __str__(self) -> str:
        harm = " (a harm)" if self.harm else ""
        way = "back towards the young" if self.way == "back" else self.way
        return f"{self.parameter} {way}{harm}"


@dataclass(frozen=True, slots=True, repr=False)
class Drug:
    """What is known of a treatment.

    Attributes
    ----------
    name, words
        Its name, and what it is.
    target, steps
        Ids of the evidence base of trials.
    given
        Dose and way that the trial used, to which ``dose=1`` refers.
    actions
        What it does. Nobody has measured how much in man.
    kinetics
        Half-life and time between doses; None where nothing was read.
    engagement
        Part of the target that is reached, with its source; None where nothing was read.
    contested
        What speaks for either direction; empty where works agree.
    note
        What else must be said.
    """

    name: str
    words: str
    target: tuple[str, ...]
    steps: tuple[str, ...]
    given: str
    actions: tuple[Action, ...]
    kinetics: Kinetics | None = None
    engagement: float | None = None
    contested: str = ""
    note: str = ""

    def __repr__(self) -> str:
        contested = ", direction contested" if self.contested else ""
        return f"Drug({self.name}: {', '.join(map(str, self.actions))}{contested})"


class Drugs(Mapping[str, Drug]):
    """Drugs by name, in the order of the catalogue; printed, each has its line.

    Examples
    --------
    >>> Drugs([Drug("mine", "a drug", (), (), "", (Action("niche", "up", "me2026"),))])
    Drug(mine: niche up)
    """

    def __init__(self, drugs: list[Drug]) -> None:
        self._drugs = {drug.name: drug for drug in drugs}

    def __getitem__(self, name: str) -> Drug:
        return self._drugs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._drugs)

    def __len__(self) -> int:
        return len(self._drugs)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._drugs.values()))
