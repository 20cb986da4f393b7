"""Results of one's own as a file of the evidence base has them, and datasets of metafor as such results."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from remyelin.protocol.toml import inline


def study(name: str, scale: str = "difference", **fields: Any) -> dict[str, Any]:
    return {
        "trial": name, "endpoint": "outcome", "contrast": "active - control", "scale": scale, "unit": "1",
        "status": "seen", "source": "mine", **fields,
    }  # fmt: skip


def own_file(rows: list[dict[str, Any]]) -> str:
    lines = ['[sources.mine]\nwork = "mine"\nread = "all"']
    lines.append('[endpoints.outcome]\nname = "outcome"\nunit = "1"\nbetter = "lower"')
    for number, row in enumerate(rows, start=1):
        if not any(f"[trials.{row['trial']}]" in line for line in lines):
            lines.append(
                f'[trials.{row["trial"]}]\nname = "{row["trial"]}"\nstatus = "seen"\nsource = "mine"'
            )
        fields = "\n".join(f"{key} = {inline(value)}" for key, value in row.items())
        lines.append(f"[results.row-{number}]\n{fields}")
    return "\n\n".join(lines) + "\n"


def arm(name: str, **numbers: float) -> dict[str, Any]:
    return {"arm": name, **numbers}


def bcg(stats: Path, scale: str) -> list[dict[str, Any]]:
    """By counts alone: effects and errors are computed on the way."""
    return [
        study(
            f"bcg-{row.trial}",
            scale,
            arms=(
                arm("vaccine", events=row.tpos, n=row.tpos + row.tneg),
                arm("control", events=row.cpos, n=row.cpos + row.cneg),
            ),
        )
        for row in pd.read_csv(stats / "e_bcg_rr.csv").itertuples()
    ]


def bcg_printed(stats: Path) -> list[dict[str, Any]]:
    """By the ratio and the standard error of its logarithm."""
    return [
        study(f"bcg-{row.trial}", "risk ratio", estimate=math.exp(row.yi), se=math.sqrt(row.vi))
        for row in pd.read_csv(stats / "e_bcg_rr.csv").itertuples()
    ]


def normand(stats: Path) -> list[dict[str, Any]]:
    """By means and SD."""
    return [
        study(
            f"stroke-{row.study}",
            arms=(
                arm("specialist", n=row.n1i, mean=float(row.m1i), sd=float(row.sd1i)),
                arm("control", n=row.n2i, mean=float(row.m2i), sd=float(row.sd2i)),
            ),
        )
        for row in pd.read_csv(stats / "e_normand_md.csv").itertuples()
    ]


SETS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "bcg_rr": lambda stats: bcg(stats, "risk ratio"),
    "bcg_or": lambda stats: bcg(stats, "odds ratio"),
    "normand_md": normand,
}
