"""The tables that a trial report has, as panels: results of all endpoints, baseline, participant flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from remyelin.trial.baseline import WHY_NO_P
from remyelin.trial.flow import Consort

from .flow import alt_text, flow_diagram
from .panels import Panel, Table
from .trial import Trial
from .words import count, sentence

CONSORT_DOI = "10.1136/bmj-2024-081123"
BASELINE_DOI = "10.1136/bmj.c869"


def panels(trial: Trial) -> list[Panel]:
    """Those whose table stands in the folder: `analyse` writes them."""
    outputs = trial.outputs
    return [
        *([results_panel(outputs.reported)] if outputs.reported else []),
        *([baseline_panel(outputs.baseline)] if outputs.baseline else []),
        *([flow_panel(trial, outputs.consort)] if outputs.consort else []),
    ]


def results_panel(rows: Sequence[Mapping[str, str]]) -> Panel:
    """What did each endpoint show?"""
    adjusted = any(_known(row["p_adjusted"]) for row in rows)
    names = dict.fromkeys(row["endpoint"] for row in rows)
    answer = (
        f"{sentence(count(len(names), 'prespecified endpoint'))}. "
        + ("The p values are adjusted as the protocol says; intervals are not." if adjusted else "")
        + ("" if adjusted or len(rows) == 1 else "The p values are not adjusted for their number.")
    )
    columns = {
        "endpoint": "endpoint",
        "contrast": "contrast",
        "treated, mean change": "treated",
        "control, mean change": "control",
        "#adjusted difference": "difference",
        "#p": "p",
        **({"#adjusted p": "p_adjusted"} if adjusted else {}),
    }
    named = [{**row, "endpoint": f"{row['endpoint']} ({row['role']})"} for row in rows]
    cells = tuple(tuple(_text(row[name]) for name in columns.values()) for row in named)
    table = Table("one row a prespecified contrast, the primary endpoint first", tuple(columns), cells)
    method = (
        "The mean change of each arm is as seen in those analysed; the difference is that of the protocol's "
        "model, with its covariates."
    )
    return Panel("results", "What did each endpoint show?", answer.strip(), (), table, method, unfolded=True)


def baseline_panel(rows: Sequence[Mapping[str, str]]) -> Panel:
    """Who took part?"""
    arms = [name for name in rows[0] if name not in ("characteristic", "statistic", "all")]
    total = next(row for row in rows if row["characteristic"] == "participants")
    each = ", ".join(f"{total[arm]} to {arm}" for arm in arms)
    answer = f"{total['all']} participants were randomised: {each}."
    cells, last = [], ""
    for row in rows:
        shown = "" if row["characteristic"] == last else row["characteristic"]
        last = row["characteristic"]
        cells.append((shown, row["statistic"], *(_text(row[arm]) for arm in (*arms, "all"))))
    columns = ("characteristic", "statistic", *(f"#{arm}" for arm in arms), "#all")
    table = Table("everyone randomised, one row a statistic", columns, tuple(cells))
    method = f"There are no p values on purpose. {WHY_NO_P.partition(' (')[0]}."
    return Panel("baseline", "Who took part?", answer, (), table, method, BASELINE_DOI, unfolded=True)


def flow_panel(trial: Trial, rows: Sequence[Mapping[str, str]]) -> Panel:
    """What became of everyone who was randomised?"""
    frame = pd.DataFrame(rows).replace({"n/a": ""})
    frame["participants"] = pd.to_numeric(frame["participants"], errors="coerce").astype("Int64")
    arms = tuple(frame.loc[frame["stage"] == "allocated", "arm"].drop_duplicates())
    flow = Consort(arms, frame, trial.span[1])
    answer = alt_text(flow)
    missing = [stage for stage in ("assessed", "received", "discontinued") if _unrecorded(flow, stage)]
    caption = "CONSORT flow of the primary endpoint."
    if missing:
        caption += (
            f" Not recorded: who was {', '.join(missing)}. Columns of participants.tsv can say it: "
            "not_randomised, not_received, discontinued, each with the reason."
        )
    figure = flow_diagram(flow)
    return Panel(
        "flow", "What became of everyone who was randomised?", answer, ((figure, caption),), doi=CONSORT_DOI
    )


def _unrecorded(flow: Consort, stage: str) -> bool:
    arms = ("",) if stage == "assessed" else flow.arms
    return all(flow.n(stage, arm) is None for arm in arms)


def _known(cell: str) -> bool:
    return cell not in ("", "n/a")


def _text(cell: str) -> str:
    return cell if _known(cell) else ""
