"""The plan of a trial: what was asked, what is needed, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Plan, Protocol
from remyelin.tables import MEASURES
from remyelin.trial.power.layout import Layout
from remyelin.trial.power.question import planned_groups


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The plan of the primary endpoint of a protocol.

    Attributes
    ----------
    protocol, plan
        What was asked; `plan` holds also what was given beside the protocol.
    layout
        The comparison with its spread; None where the SD is missing.
    tables
        Frames by name, those that apply: ``sizes``, ``detectable``, ``curve`` (power by participants),
        ``effects`` (power by effect), ``sites``, ``measuring``, ``carry_over``, ``assurance``, ``on_record``
        (what each published SD would need), ``published`` (sizes of other trials), ``simulated``.
    missing
        What is needed before there is an answer, each an error with its five facts.
    warnings
        What must be said beside the numbers.
    """

    protocol: Protocol
    plan: Plan
    layout: Layout | None
    tables: Mapping[str, pd.DataFrame]
    missing: tuple[InputError | RefuseRun, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where something is missing."""
        return 1 if self.missing else 0

    @property
    def unit(self) -> str:
        """Unit of the measure."""
        return MEASURES[self.protocol.primary.measure].unit

    @property
    def n(self) -> tuple[int, ...]:
        """Participants of the two groups of the protocol, reference first."""
        return planned_groups(self.protocol)[1]

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the two groups, reference first."""
        return planned_groups(self.protocol)[0]

    def to_frame(self) -> pd.DataFrame:
        """The sizes; where there are none, what each published SD would need."""
        return self.tables.get("sizes", self.tables.get("on_record", pd.DataFrame()))

    def to_dict(self) -> dict[str, Any]:
        """For machines; a missing number is null, an infinite one ``"inf"``."""
        return {
            "protocol": self.protocol.trial.id,
            "endpoint": self.protocol.primary.id,
            "unit": self.unit,
            "plan": self.plan.model_dump(exclude_none=True),
            "tables": {name: _records(table) for name, table in self.tables.items()},
            "missing": [error.facts() for error in self.missing],
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        from remyelin.trial.power.text import plan_text

        return plan_text(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else "inf" if math.isinf(value) else value
    return value
