"""How the trial was conducted: quality, what was left out, what failed, what ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from . import figures
from .evoked import split_conditions
from .panels import Cell, Panel, Table, quality_chip
from .trial import Trial
from .words import count, listing, number, sentence

STEPS = {"mask": "in the masks", "min-volume": "large enough", "erosion": "left after erosion"}


def panels(trial: Trial) -> list[Panel]:
    """How it was done, in the order of a reader's questions."""
    return [quality_panel(trial), attrition_panel(trial), failures_panel(trial), methods_panel(trial)]


def quality_panel(trial: Trial) -> Panel:
    """Can the measurements be trusted?"""
    question = "Can the measurements be trusted?"
    errors = registration_rows(trial.outputs.measurements)
    flags = trial.outputs.flags
    if not len(errors) and trial.of_eyes:
        return Panel("quality", question, _eye_quality(trial), (), flag_table(flags), unfolded=bool(flags))
    if not len(errors):
        answer = "No registration error stands in the measurements, so their quality is unknown."
        return Panel("quality", question, answer, (), flag_table(flags))
    bad = errors[errors["quality"] != "pass"]
    marked = errors["quality"].value_counts()
    answer = (
        f"{count(len(errors), 'registration')}, median error {number(errors['error_mm'].median(), 3)} mm, "
        f"worst {number(errors['error_mm'].max(), 3)} mm; {marked.get('flag', 0)} flagged, "
        f"{marked.get('fail', 0)} failed. {sentence(count(len(flags), 'other finding'))}."
    )
    caption = (
        "Each point is one pair of images; triangles are flagged, crosses failed. The error is what remains "
        "when the registration is run both ways."
    )
    figure = figures.registrations(errors, "registrations", f"Registration errors. {answer}")
    doubtful = tuple(
        (
            row["participant_id"],
            row["visit"],
            f"registration {row['pair']}",
            f"{number(row['error_mm'])} mm",
            row["reason"],
            quality_chip(row["quality"]),
        )
        for _, row in bad.iterrows()
    )
    table = flag_table(flags, doubtful)
    return Panel("quality", question, answer, ((figure, caption),), table, unfolded=bool(table.rows))


def _eye_quality(trial: Trial) -> str:
    """Pooled responses by their state and quality, in words."""
    own = split_conditions(
        trial.outputs.measurements[trial.outputs.measurements["measure"] == "p100_latency_ms"]
    )
    own = own[(own[["run", "hump", "sector"]] == "").all(axis=1) & own["reader"].isin(["auto", ""])]
    state, quality = own["state"].value_counts(), own["quality"].value_counts()
    return (
        f"{count(len(own), 'response')} measured: {state.get('absent', 0)} absent, "
        f"{state.get('indeterminate', 0)} uncertain; {quality.get('flag', 0)} flagged, "
        f"{quality.get('fail', 0)} failed. {sentence(count(len(trial.outputs.flags), 'finding'))}."
    )


def flag_table(flags: Sequence[Mapping[str, str]], first: tuple[tuple[Cell, ...], ...] = ()) -> Table:
    """Findings as a table, after rows that come `first`."""
    rows = tuple(
        (
            f.get("participant_id", ""),
            f.get("visit", ""),
            f.get("field", ""),
            f.get("found", ""),
            f.get("fix", ""),
            quality_chip(f.get("quality", "flag")),
        )
        for f in flags
    )
    columns = ("participant", "visit", "what", "found", "reason or what to do", "quality")
    return Table("what is doubtful, one row a finding", columns, first + rows, "Nothing was flagged.")


def registration_rows(measurements: pd.DataFrame) -> pd.DataFrame:
    """Registration errors: `participant_id, visit, pair, error_mm, quality, reason`."""
    own = measurements[(measurements["measure"] == "registration_error_mm") & measurements["value"].notna()]
    pair = own["condition"].str.extract(r"pair=([^;]+)", expand=False).fillna("images")
    named = own.assign(pair=pair.replace({"on-off": "MT-on to MT-off"}), error_mm=own["value"])
    columns = ["participant_id", "visit", "pair", "error_mm", "quality", "reason"]
    return named[columns].reset_index(drop=True)


def attrition_panel(trial: Trial) -> Panel:
    """Who and what was left out?"""
    question = "Who and what was left out?"
    people_only = [row for row in trial.outputs.attrition if not row.get("sites", "").isdigit()]
    analysed = [row for row in trial.outputs.attrition if row not in people_only]
    rows = [*people_only, *_measured_steps(trial), *analysed]
    if not rows:
        return Panel("attrition", question, "No step of measurement or analysis recorded how much it left.")
    sites = [int(row["sites"]) for row in rows if row.get("sites", "").isdigit()]
    people = trial.outputs.measurements["participant_id"].nunique()
    answer = f"{count(people, 'participant')} measured, {count(len(trial.outputs.failures), 'failure')}."
    if sites and sites[-1] < sites[0]:
        answer += f" The endpoint uses {sites[-1]:,} of {max(sites):,} {trial.sites}."
    most = max(sites, default=0) or 1
    cells = tuple(
        (
            r.get("step", ""),
            r.get("participants", ""),
            r.get("sites", ""),
            _bar(r.get("sites", ""), most),
            r.get("reason", ""),
        )
        for r in rows
    )
    columns = ("step", "#participants", f"#{trial.sites}", "left", "reason")
    table = Table("one row a step, in order", columns, cells)
    return Panel("attrition", question, answer, (), table, unfolded=True)


def _measured_steps(trial: Trial) -> list[dict[str, str]]:
    frame = trial.outputs.measurements
    if trial.of_eyes:  # the endpoint counts no lesions
        return []
    own = frame[(frame["measure"] == "lesion_count") & (frame["visit"] == trial.changes.first)]
    steps = []
    for step, said in STEPS.items():
        counts = own.loc[own["condition"] == f"step={step}", "value"]
        if len(counts):
            left = {"participants": str((counts > 0).sum()), "sites": str(int(counts.sum()))}
            steps.append({"step": f"{trial.changes.first}: {said}", **left, "reason": ""})
    return steps


def _bar(n: str, most: int) -> Markup:
    if not n.isdigit():
        return Markup("")
    share = 100 * int(n) / most
    return Markup('<span class="bar"><span style="width:{}%"></span></span>').format(f"{share:.1f}")


def failures_panel(trial: Trial) -> Panel:
    """What could not be used?"""
    failures = trial.outputs.failures
    columns = {
        "participant": "participant_id",
        "visit": "visit",
        "file": "file",
        "what": "field",
        "found": "found",
        "expected": "expected",
        "what to do": "fix",
    }
    rows = tuple(tuple(row.get(name, "") for name in columns.values()) for row in failures)
    table = Table("one row a failure", tuple(columns), rows, "Nothing failed.")
    people = sorted({row.get("participant_id", "") or "the dataset" for row in failures})
    answer = "Everything was used: nothing failed."
    if failures:
        answer = (
            f"{count(len(failures), 'failure')} ({listing(people)}). The others were finished without them."
        )
    return Panel("failures", "What could not be used?", answer, (), table, unfolded=bool(failures))


def methods_panel(trial: Trial) -> Panel:
    """How was this done?"""
    answer = trial.outputs.methods or "The methods text is written by the analysis, which has not been run."
    makers = tuple(
        (str(m.get("Name", "")), str(m.get("Version", "")), str(m.get("Description", "")))
        for m in trial.outputs.makers
    )
    columns = ("program", "version", "description")
    table = Table("what produced this, one row a program", columns, makers, "The folder names no program.")
    return Panel("methods", "How was this done, and with what?", answer, (), table, unfolded=True)
