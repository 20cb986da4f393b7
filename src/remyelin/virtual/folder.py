"""Virtual trials in a folder: tables as a real trial leaves them, the allocation sealed, the truth apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import RefuseRun
from remyelin.files import atomic_write
from remyelin.provenance import versions
from remyelin.tables.storage import join_tables, write_table

from .batches import Batch, Order, run_batches
from .cohort import Cohort
from .exposure import check_responses
from .instruments import SCALES, asked
from .patient import OF_EYES
from .people import is_acute
from .premises import Premises
from .repeated import Trials, answer_lists, answer_table

NOTE, PARTS, KINDS = "simulation.json", "parts", ("parquet", "tsv")
SAID = "Virtual data: no person was measured. Patients, instruments and errors are computed."


@dataclass(frozen=True)
class Simulated:
    """What was simulated, and where it lies.

    Attributes
    ----------
    out
        The folder.
    order, n_trials, seed
        What was asked for.
    trials
        What the protocol's estimators found, where there are several trials; the analysis of one is left to
        `remyelin analyse`.
    """

    out: Path
    order: Order
    n_trials: int
    seed: int
    trials: Trials | None
    exit_code = 0

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        found = None if self.trials is None else self.trials.significant().to_dict("records")
        return {"out": str(self.out), **facts(self.order, self.n_trials, self.seed), "found": found}

    def __str__(self) -> str:
        protocol = self.order.protocol
        people = self.order.participants
        n = people * len(protocol.arm) if people else sum(arm.n for arm in protocol.arm)
        trials = f"{self.n_trials:,} virtual trials" if self.n_trials > 1 else "1 virtual trial"
        lines = [f"{trials} of {protocol.trial.id}, {n} participants each, seed {self.seed}: {self.out}"]
        lines += [f"true effect, {words}" for words in effect_words(self.order)]
        for measure in SCALES:
            if measure in asked(protocol):
                lines.append(f"{measure}: no biology reaches it, so it is simulated without an effect")
        if self.order.premises.laboratory:
            lines.append(str(self.order.premises.rows["p100_change_sd_ms"]))
        lines.append(str(used(self.order)))
        if self.trials is not None:
            lines.append(str(self.trials))
        else:
            key = self.out / "sealed" / "allocation.tsv"
            lines.append(f"next: remyelin analyse {protocol.trial.id} {self.out} --allocation {key}")
        return "\n".join(lines)


def write_trials(
    order: Order, out: Path, *, n_trials: int = 1, seed: int = 2026, workers: int = 1, progress: bool = False
) -> Simulated:
    """Simulate trials and write their tables.

    Parameters
    ----------
    order
        What is simulated.
    out
        Gets `measurements`, `participants`, `sealed/allocation`, `truth/` and `simulation.json`. One trial
        has the tables of a real one (TSV, and Parquet of the measurements), ready for `remyelin analyse`;
        several have Parquet tables with `trial` in front, and `trials`, what was found in each.
    n_trials, seed
        The same seed gives the same bytes, for any number of workers.
    workers
        Processes.
    progress
        Tell on standard error what happens.

    Raises
    ------
    InputError
        What `draw_patients` refuses.
    RefuseRun
        A folder that holds the measurements of something else.
    """
    batches = order.batches(n_trials, np.random.default_rng(seed))
    _claim(out)
    ids = tuple(endpoint.id for endpoint in order.protocol.endpoint) if n_trials > 1 else ()
    parts = out / PARTS
    results = run_batches(_written, batches, (str(parts), ids), workers=workers, out=parts, progress=progress)
    for name in results[0]["tables"]:
        _join([parts / f"{batch.first:08d}" / f"{name}.parquet" for batch in batches], out, name, n_trials)
    shutil.rmtree(parts)
    trials = None
    if n_trials > 1:
        trials = Trials(order.protocol, order.premises, answer_table(order.protocol, results))
        for kind in KINDS:
            write_table(_strings(trials.frame), out / f"trials.{kind}")
    _write_note(order, out, n_trials, seed)
    return Simulated(out, order, n_trials, seed, trials)


def _claim(out: Path) -> None:
    """Take the folder: refuse one of real measurements, and clear one of an earlier simulation."""
    if not (out / NOTE).exists():
        if any((out / f"measurements.{kind}").exists() for kind in KINDS):
            raise RefuseRun(
                "", str(out), "a folder that holds measurements which were not simulated",
                "an empty folder, or one of an earlier simulation", "name another folder",
            )  # fmt: skip
        return
    for folder in ("sealed", "truth", PARTS):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in ("measurements", "participants", "trials"):
        for kind in KINDS:
            (out / f"{name}.{kind}").unlink(missing_ok=True)


def _written(task: tuple[Batch, tuple[str, Sequence[str]]]) -> Mapping[str, Any]:
    """Write the tables of a batch; give the answers of its trials."""
    batch, (folder, ids) = task
    cohort = batch.draw()
    tables = _tables(cohort)
    for name, table in tables.items():
        path = Path(folder) / f"{batch.first:08d}" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(_strings(table), path)
    return {"tables": list(tables), **answer_lists(cohort, ids)}


def _tables(cohort: Cohort) -> dict[str, pd.DataFrame]:
    whole = cohort.covariates().astype({"age": "int64"})
    named = {
        "measurements": cohort.measurements().frame,
        "participants": whole,
        "sealed/allocation": cohort.allocation(),
    }
    return named | {f"truth/{name}": table for name, table in cohort.truth().items()}


def _join(paths: list[Path], out: Path, name: str, n_trials: int) -> None:
    """One table of all batches; that of a single trial without `trial`, and as text."""
    target = out / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if n_trials > 1:
        join_tables(paths, target.with_suffix(".parquet"))
        return
    from remyelin.tables.storage import read_table

    table = _strings(read_table(paths[0])[0].drop(columns="trial"))
    write_table(table, target.with_suffix(".tsv"))
    if name == "measurements":
        write_table(table, target.with_suffix(".parquet"))


def _strings(table: pd.DataFrame) -> pd.DataFrame:
    """Words as words: what a table on disk can hold."""
    kinds = {name: "str" for name, kind in table.dtypes.items() if str(kind) in ("object", "string", "str")}
    kinds |= {name: "int64" for name, kind in table.dtypes.items() if kind.kind in "iu"}
    return table.astype(kinds)


def _write_note(order: Order, out: Path, n_trials: int, seed: int) -> None:
    content = {"Description": SAID, "GeneratedBy": versions(), **facts(order, n_trials, seed)}
    atomic_write(out / NOTE, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    write_table(_strings(used(order).to_frame()), out / "truth" / "premises.tsv")


def facts(order: Order, n_trials: int, seed: int) -> dict[str, Any]:
    """What was simulated, in words and numbers that JSON can hold."""
    premises = used(order)
    return {
        "protocol": order.protocol.trial.id,
        "n_trials": n_trials,
        "participants_in_each_arm": order.participants,
        "seed": seed,
        "laboratory": order.premises.laboratory,
        "true_effect": list(effect_words(order)),
        "unverified": [str(row) for row in premises.unverified],
    }


def used(order: Order) -> Premises:
    """The premises that these patients are drawn from."""
    wanted = {"person"}
    for measure in asked(order.protocol):
        wanted |= {"mtr_pu": {"lesion"}, "lcla_letters": {"lcla"}, "edss": {"edss"}}.get(measure, set())
        wanted |= {"eye", "acute"} if measure in OF_EYES and is_acute(order.protocol) else set()
        wanted |= {"eye"} if measure in OF_EYES else set()
    return order.premises.about(*sorted(wanted))


def effect_words(order: Order) -> tuple[str, ...]:
    """The true effect of each treatment at the last visit, at the mean age."""
    last = order.protocol.visit[-1].day - order.protocol.visit[0].day
    age, day = np.array(order.premises["age_mean_years"]), np.array(last)
    return tuple(
        f"{name}: {float(each.latency_at(age, day)):+.3g} ms in an eye with a lesion of its optic nerve, "
        f"{float(each.mtr_at(age, day)):+.3g} pu in a lesion, after {last:g} days"
        for name, each in check_responses(order.protocol, order.response).items()
    )
