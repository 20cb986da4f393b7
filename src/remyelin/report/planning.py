"""A plan written into a folder: one page, and its tables for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.files import atomic_write
from remyelin.run import output_lock

if TYPE_CHECKING:
    from remyelin.trial.power import TrialPlan


def plan_folder(protocol: str | Path, out: Path | None = None, **given: Any) -> TrialPlan:
    """Plan a protocol and, with a folder, write the plan there.

    Parameters
    ----------
    protocol
        A protocol file or the name of a packaged one.
    out
        The folder, or None.
    given
        As for `remyelin.plan`.

    Raises
    ------
    RefuseRun
        A protocol or a value that cannot be.
    """
    from remyelin.trial.power import plan

    planned = plan(protocol, out=out, **given)
    if out is not None:
        save_plan(planned, out)
    return planned


def save_plan(plan: TrialPlan, out: Path) -> tuple[Path, ...]:
    """Write `plan.html`, `plan.json`, `plan.txt` and a `plan_NAME.tsv` for each table.

    The same plan gives the same bytes.
    """
    from remyelin.provenance import versions

    from .page import render
    from .plan_panels import headline, panels

    version = versions()["remyelin"]
    title = plan.protocol.trial.title or plan.protocol.trial.id
    said = {"remyelin": version, **plan.to_dict()}
    written = {
        "plan.html": render(f"Plan: {title}", headline(plan), panels(plan), version=version),
        "plan.json": (json.dumps(said, indent=1, sort_keys=True) + "\n").encode(),
        "plan.txt": f"{plan}\n".encode(),
    }
    for name, table in plan.tables.items():
        text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
        written[f"plan_{name}.tsv"] = text.encode()
    with output_lock(out):
        # Tables of an earlier plan that this one does not have would speak for it.
        for stale in out.glob("plan_*.tsv"):
            if stale.name not in written:
                stale.unlink()
        for name, content in written.items():
            atomic_write(out / name, content)
    return tuple(out / name for name in written)
