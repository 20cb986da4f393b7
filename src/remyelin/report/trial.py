"""The trial as the panels of its page see it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from remyelin.tables import MEASURES

from . import figures
from .colour import BLINDED, arm_colours
from .eyes import eye_changes
from .lesions import LesionChanges, visit_order
from .outputs import Outputs
from .panels import Headline
from .words import count, interval, number, p_value, signed


@dataclass(frozen=True)
class Trial:
    """What the panels share: the folder, the effect to show first, the arms and their colours."""

    outputs: Outputs

    @cached_property
    def changes(self) -> LesionChanges:
        """Lesions between the visits of the main effect, or the first and the last visit."""
        return LesionChanges.of(self.outputs.measurements)

    @cached_property
    def of_eyes(self) -> bool:
        """Whether the page answers for eyes: its endpoint is one of eyes, or only eyes were measured."""
        site = str(self.endpoint_table.get("site", ""))
        if site:
            return site == "eye"
        sites = self.outputs.measurements["site"]
        return bool(sites.str.startswith("eye:").any() and not sites.str.startswith("lesion:").any())

    @property
    def sites(self) -> str:
        """What the endpoint counts, in the plural."""
        return "eyes" if self.of_eyes else "lesions"

    @cached_property
    def eyes(self) -> pd.DataFrame:
        """One row an eye followed between the visits of the endpoint, see `remyelin.report.eyes`."""
        own = self.endpoint_table
        measure, condition = str(own.get("measure", "vep_shift_ms")), str(own.get("condition", ""))
        return eye_changes(self.outputs.measurements, measure, condition, self.span)

    @property
    def span(self) -> tuple[str, str]:
        """The visits compared: of eyes those of the endpoint, or their first and last; else the lesions'."""
        if not self.of_eyes:
            return self.changes.first, self.changes.last
        measured = self.outputs.measurements
        own = self.endpoint_table.get("visits")
        visits = own or visit_order(measured[measured["site"].str.startswith("eye:")])
        return str(visits[0]), str(visits[-1])

    @cached_property
    def effect(self) -> Mapping[str, Any] | None:
        """The prespecified effect of the primary endpoint; None before `analyse`."""
        results = self.outputs.results
        if results is None or not len(results):
            return None
        own = results[results["endpoint"] == self.endpoint]
        prespecified = own[own["prespecified"]]
        return dict((prespecified if len(prespecified) else own).iloc[0])

    @cached_property
    def endpoint(self) -> str:
        """Name of the primary endpoint."""
        listed = self.outputs.settings.get("endpoint", ())
        named = [str(e.get("id", "")) for e in listed if isinstance(e, dict) and e.get("role") == "primary"]
        results = self.outputs.results
        known = [] if results is None else list(dict.fromkeys(results["endpoint"]))
        return next((name for name in named if name in known), known[0] if known else "")

    @cached_property
    def people(self) -> pd.DataFrame:
        """One row a participant of the primary endpoint; without an allocation the arm is empty."""
        endpoints = self.outputs.endpoints
        if endpoints is not None and len(endpoints):
            own = endpoints[endpoints["endpoint"] == self.endpoint] if self.endpoint else endpoints
            return own.reset_index(drop=True)
        if self.of_eyes:
            chosen = self.eyes[self.eyes["change"].notna()]
        else:
            followed = self.changes.followed
            chosen = followed[followed["submedian"]]
        frame = chosen.groupby("participant_id")[["baseline", "follow_up", "change"]].mean().reset_index()
        return frame.assign(
            arm="", quality="pass", reason="", n_selected=chosen.groupby("participant_id").size().to_numpy()
        )

    @cached_property
    def arms(self) -> dict[str, str]:
        """Arms in the order of the protocol with their colours; one nameless arm while blinded."""
        listed = [arm for arm in self.outputs.settings.get("arm", ()) if isinstance(arm, dict)]
        named = [str(arm.get("id", "")) for arm in listed]
        without = [str(arm.get("id", "")) for arm in listed if not arm.get("treatment")]
        control = self.outputs.settings.get("trial", {}).get("reference", next(iter(without), ""))
        known = set(self.people["arm"]) - {""}
        present = [arm for arm in dict.fromkeys([*named, *sorted(known)]) if arm in known]
        return arm_colours(present, str(control)) if present else {"": BLINDED}

    @property
    def blinded(self) -> bool:
        """Whether no allocation has been used."""
        return list(self.arms) == [""]

    @property
    def endpoint_table(self) -> Mapping[str, Any]:
        """The primary endpoint as the protocol has it; empty where no protocol stands in the folder."""
        listed = self.outputs.settings.get("endpoint", ())
        return next((e for e in listed if isinstance(e, dict) and e.get("id") == self.endpoint), {})

    @property
    def level(self) -> float:
        """Coverage of the intervals, per cent."""
        return round(100 * (1 - float(self.endpoint_table.get("alpha", 0.05))), 6)

    @property
    def unit(self) -> str:
        """Unit of the primary endpoint."""
        return str(self.effect["unit"]) if self.effect else "ms" if self.of_eyes else "pu"


def headline(trial: Trial) -> Headline:
    """The answer of the page."""
    effect = trial.effect
    if effect is None:
        return _blinded(trial)
    estimate, low, high = effect["estimate"], effect["ci_low"], effect["ci_high"]
    aside = f"{trial.level:g} % CI {interval(low, high)} · {p_value(effect['p'])}"
    said = (
        f"The {_endpoint_words(trial)} was {number(abs(estimate))} {trial.unit} "
        f"{'higher' if estimate >= 0 else 'lower'} {_contrast_words(effect['contrast'])}, in "
        f"{count(int(effect['n_participants']), 'participant')} with "
        f"{count(int(effect['n_sites']), trial.sites[:-1])}. {_verdict(low, high)}"
    )
    drawn = figures.strip(estimate, low, high, trial.unit) if math.isfinite(low + high) else None
    return Headline("Treatment effect", f"{signed(estimate)} {trial.unit}", aside, said, drawn)


def _blinded(trial: Trial) -> Headline:
    people = trial.people[trial.people["change"].notna()]
    said = (
        "No treatment effect is shown: the allocation has not been used, and no arm is known to this page. "
        f"{count(trial.outputs.measurements['participant_id'].nunique(), 'participant')} measured."
    )
    if len(people) and trial.of_eyes:
        first, last = trial.span
        mean = people["change"].mean()
        said += (
            f" From {first} to {last}, the response came {number(abs(mean))} {trial.unit} "
            f"{'earlier' if mean < 0 else 'later'} on average, all arms together."
        )
    elif len(people):
        said += (
            f" From {trial.changes.first} to {trial.changes.last}, MTR of lesions below the participant's "
            f"median changed by {signed(people['change'].mean())} pu on average, all arms together."
        )
    return Headline("Treatment effect", "Blinded", "", said)


def _verdict(low: float, high: float) -> str:
    if not math.isfinite(low + high):
        return "No interval could be computed, so nothing can be concluded."
    if low > 0 or high < 0:
        return f"The interval lies {'above' if low > 0 else 'below'} 0."
    return "The interval includes 0: these data fit no effect, and effects as large as its ends."


def _contrast_words(contrast: str) -> str:
    active, minus, control = contrast.partition(" - ")
    return f"with {active} than with {control}" if minus else f"({contrast})"


def _endpoint_words(trial: Trial) -> str:
    """What was compared, in words."""
    own = trial.endpoint_table
    measure = MEASURES.get(str(own.get("measure", "")))
    if own.get("measure") == "mtr_pu" and own.get("site") == "lesion":
        chosen = "lesions below the participant's median" if own.get("select") == "submedian" else "lesions"
        return f"change of MTR in {chosen}"
    if measure is None or own.get("site") != "eye":
        return f"change of {trial.endpoint}"
    return f"{measure.words} (negative: earlier)" if measure.change_of else f"change of the {measure.words}"
