"""What was taken from what in a posted analysis: the registry does not say, so it is asked, never guessed."""

from __future__ import annotations

import math
import re

from .draft_row import DraftRow
from .posted import Comparison, Outcome, number, p_value

_SCALES = (
    ("odds ratio", r"odds ratio"),
    ("rate ratio", r"rate ratio|incidence ratio"),
    ("risk ratio", r"risk ratio|relative risk"),
    ("standardised", r"cohen|hedges|standardi[sz]ed"),
    ("difference", r"\bdifference\b"),
)
_OTHER_SCALE = r"hazard|\blog\b|slope|ratio of"
_CONTROL = r"placebo|sham|untreated|no treatment|no intervention"


def compare(made: DraftRow, outcome: Outcome, comparison: Comparison, row: str | None) -> None:
    """Add a posted analysis to a result: the p value and the wording, and the sign as a question."""
    values, titles = made.values, {group.id: group.title for group in outcome.groups}
    names = [titles.get(group) or group for group in comparison.groups]
    values["compared"] = "; ".join(names)
    posted = _posted(comparison)
    values["published"] = f"{posted}; groups in the registry's order: {'; '.join(names)}"
    found = p_value(comparison.p)
    if found and found[1] == 0:
        made.ask("p", f"'{comparison.p}' is no p, which is never 0: below what is it?")
    elif found:
        values["p"] = found[1]
        if found[0] != "=":
            values["p_relation"] = found[0]
    elif comparison.p:
        made.ask("p", f"'{comparison.p}' is not a number")
    if comparison.value:
        _ask_sign(made, outcome, comparison, names, row)


def _posted(comparison: Comparison) -> str:
    ends = ""
    if comparison.low or comparison.high:
        percent = f"{comparison.percent} % " if comparison.percent else ""
        ends = f"({percent}CI {comparison.low or '?'} to {comparison.high or '?'}"
        ends += ", one-sided)" if comparison.sides.upper().startswith(("ONE", "1")) else ")"
    spread = comparison.spread_kind.lower().replace("_", " ") if comparison.spread else ""
    parts = (comparison.kind, comparison.value, ends, spread, comparison.spread)
    return " ".join(filter(None, (*parts, f"p {comparison.p}" if comparison.p else ""))) or "no number"


def _ask_sign(
    made: DraftRow, outcome: Outcome, comparison: Comparison, names: list[str], row: str | None
) -> None:
    value, kind = number(comparison.value), comparison.kind.casefold()
    scale = next((name for name, words in _SCALES if re.search(words, kind)), "")
    if value is None or re.search(_OTHER_SCALE, kind) or not scale:
        made.ask("estimate", f"'{comparison.kind or 'an unnamed number'} {comparison.value}': which scale?")
        return
    if len(names) != 2:
        made.ask("estimate", f"{len(names)} groups at once: between which?")
        return
    words = f"'{names[0]}' and '{names[1]}' stand in this order, and which was taken from which is not said"
    control = [bool(re.search(_CONTROL, name, re.I)) for name in names]
    if sum(control) == 1:
        words += f"; '{names[control.index(True)]}' looks like the control"
    made.ask(
        "contrast",
        words
        + (_hint(outcome, comparison, value, row) or _hint_of_counts(outcome, comparison, value, row, scale)),
    )
    interval = _interval(made, comparison)
    ratio = scale.endswith("ratio")
    spread = number(comparison.spread) if comparison.spread_kind.upper().startswith("STANDARD_ERR") else None
    if ratio and (value <= 0 or (interval and interval[0] <= 0)):
        made.ask("estimate", f"'{_posted(comparison)}': the {scale} is above 0")
        return
    made.options.append('Take the lines of one of the two, without "# ":')
    for label, turned in (("as posted", False), ("turned", True)):
        made.options.append(f"{label}:")
        made.options.append('contrast = "active - control"')
        made.options.append(f'scale = "{scale}"')
        made.options.append(f"estimate = {_turned(value, turned, ratio)!r}")
        if interval:
            low, high = sorted(_turned(end, turned, ratio) for end in interval[:2])
            made.options += [f"low = {low!r}", f"high = {high!r}", f"level = {interval[2]!r}"]
        if spread and not ratio:
            made.options.append(f"se = {spread!r}")


def _interval(made: DraftRow, comparison: Comparison) -> tuple[float, float, float] | None:
    """Both ends and the level of a two-sided interval; what is not that is asked."""
    low, high, percent = (number(text) for text in (comparison.low, comparison.high, comparison.percent))
    if low is None and high is None:
        return None
    if low is None or high is None or low > high or percent is None or not 0 < percent < 100:
        made.ask("level", f"'{_posted(comparison)}' is not an interval of two ends and a level")
        return None
    return low, high, percent / 100


def _turned(value: float, turned: bool, ratio: bool) -> float:
    if not turned:
        return value
    return float(f"{1 / value:.4g}") if ratio else -value


def _hint(outcome: Outcome, comparison: Comparison, value: float, row: str | None) -> str:
    """What the groups' own means say of the sign, where they and the posted number are clear."""
    means = [
        number(cell.value)
        for group in comparison.groups
        for cell in outcome.cells
        if cell.row == row and cell.group == group and "MEAN" in outcome.value_kind.upper()
    ]
    if len(means) != 2 or means[0] is None or means[1] is None or means[0] == means[1]:
        return ""
    first = means[0] - means[1]
    near = min(
        (value - first, "first less second"),
        (value + first, "second less first"),
        key=lambda each: abs(each[0]),
    )
    if abs(near[0]) > 0.25 * abs(first):
        return ""
    return f"; the posted means ({means[0]:g}, {means[1]:g}) suggest {near[1]}"


def _hint_of_counts(
    outcome: Outcome, comparison: Comparison, value: float, row: str | None, scale: str
) -> str:
    """What the groups' own counts say of the direction, where they and the posted number are clear."""
    given = [_count(outcome, group, row) for group in comparison.groups]
    if outcome.value_kind.upper().replace(" ", "_") != "COUNT_OF_PARTICIPANTS" or None in given:
        return ""
    (a, n), (c, m) = (each for each in given if each)
    if scale == "difference":
        first, posted, turned = a / n - c / m, value / (100 if abs(value) > 1 else 1), "less"
    elif not (0 < a < n and 0 < c < m and value > 0) or scale not in ("odds ratio", "risk ratio"):
        return ""
    else:
        odds = math.log(a * (m - c) / (c * (n - a)))
        first = odds if scale == "odds ratio" else math.log(a * m / (c * n))
        posted, turned = math.log(value), "over"
    near = min(
        (abs(posted - first), f"first {turned} second"), (abs(posted + first), f"second {turned} first")
    )
    if first == 0 or near[0] > 0.25 * abs(first):
        return ""
    return f"; the posted counts ({a:g} of {n}, {c:g} of {m}) suggest {near[1]}"


def _count(outcome: Outcome, group: str, row: str | None) -> tuple[float, int] | None:
    """The participants of a group with the event, and all that were analysed."""
    people = next((each.people or each.n for each in outcome.groups if each.id == group), None)
    found = [number(cell.value) for cell in outcome.cells if (cell.row, cell.group) == (row, group)]
    return (found[0], people) if len(found) == 1 and found[0] is not None and people else None
