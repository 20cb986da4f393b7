"""Virtual trials in a folder: tables as a real trial leaves them, the allocation sealed, the truth apart."""

from __future__ import annotations

import json
import math
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import RemyelinError
from remyelin.files import atomic_write
from remyelin.provenance import settings_hash, versions
from remyelin.tables.storage import join_tables, write_table

from .batches import Batch, Order, run_batches
from .cohort import Cohort
from .exposure import check_responses
from .instruments import SCALES, asked
from .patient import OF_EYES, OF_LESIONS, Patients, arm_sizes
from .people import is_acute
from .place import KINDS, NOTE, PARTS, check_place, clear_place
from .premises import Premises
from .repeated import Trials, answer_lists, answer_table

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
    applied_ms
        Mean change of the P100 of treated eyes with a lesion at the last visit, as it came about; NaN where
        there is none.
    named
        The protocol as the user named it; its id by default.
    """

    out: Path
    order: Order
    n_trials: int
    seed: int
    trials: Trials | None
    applied_ms: float = math.nan
    named: str = ""
    exit_code = 0

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        applied = self.applied_ms if math.isfinite(self.applied_ms) else None
        found = None if self.trials is None else self.trials.significant().to_dict("records")
        return {
            "out": str(self.out),
            **facts(self.order, self.n_trials, self.seed),
            "applied_ms": applied,
            "found": found,
        }

    def __str__(self) -> str:
        protocol = self.order.protocol
        n = sum(arm_sizes(protocol, self.order.participants))
        trials = f"{self.n_trials:,} virtual trials" if self.n_trials > 1 else "1 virtual trial"
        each = " of each trial" if self.n_trials > 1 else ""
        lines = [
            f"{trials} of {protocol.trial.id}, {n} participants in all arms{each}, "
            f"seed {self.seed}: {self.out}"
        ]
        lines += [f"true effect, {words}" for words in effect_words(self.order)]
        if math.isfinite(self.applied_ms):
            lines.append(
                f"of that came about: {self.applied_ms:+.3g} ms on average in these eyes (adherence and what "
                "treatment has ended take their part, and no eye loses more than its delay)"
            )
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
            named, out, sealed = (
                shlex.quote(str(each)) for each in (self.named or protocol.trial.id, self.out, key)
            )
            lines.append(f"next: remyelin analyse {named} {out} --allocation {sealed}")
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
        A folder that holds something else, or the analysis of an earlier simulation.

    Notes
    -----
    Tables of an earlier simulation stay until all trials are drawn.
    """
    check_place(out)
    batches = order.batches(n_trials, np.random.default_rng(seed))
    ids = tuple(endpoint.id for endpoint in order.protocol.endpoint) if n_trials > 1 else ()
    parts = out / PARTS
    try:
        results = run_batches(
            _written, batches, (str(parts), ids), workers=workers, out=parts, progress=progress
        )
    except RemyelinError:
        shutil.rmtree(parts, ignore_errors=True)
        raise
    clear_place(out)
    for name in results[0]["tables"]:
        _join([parts / f"{batch.first:08d}" / f"{name}.parquet" for batch in batches], out, name, n_trials)
    shutil.rmtree(parts)
    trials = None
    if n_trials > 1:
        trials = Trials(order.protocol, order.premises, answer_table(order.protocol, results))
        for kind in KINDS:
            write_table(_strings(trials.frame), out / f"trials.{kind}")
    _write_note(order, out, n_trials, seed)
    sums = np.sum([each["applied"] for each in results], axis=0)
    applied_ms = float(sums[0] / sums[1]) if sums[1] else math.nan
    return Simulated(out, order, n_trials, seed, trials, applied_ms)


def _written(task: tuple[Batch, tuple[str, Sequence[str]]]) -> Mapping[str, Any]:
    """Write the tables of a batch; give the answers of its trials."""
    batch, (folder, ids) = task
    cohort = batch.draw()
    tables = _tables(cohort)
    for name, table in tables.items():
        path = Path(folder) / f"{batch.first:08d}" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(_strings(table), path)
    return {"tables": list(tables), "applied": _applied(cohort.patients), **answer_lists(cohort, ids)}


def _applied(patients: Patients) -> tuple[float, int]:
    """Sum of the change (ms) of treated eyes with a lesion at the last visit, and their number."""
    if patients.eyes is None:
        return 0.0, 0
    wanted = patients.latency_effect_ms[:, :, None, -1] * patients.eyes.affected != 0
    return float(patients.eyes.effect_ms[..., -1][wanted].sum()), int(wanted.sum())


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
        "protocol_sha256": settings_hash(order.protocol.model_dump(mode="json")),
        "n_trials": n_trials,
        "participants_in_each_arm": order.participants,
        "lesions_in_each_participant": order.lesions_per_participant,
        "assumed": {row.name: row.value for row in order.premises.rows.values() if row.status == "given"},
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
    measures = set(asked(order.protocol))
    found = []
    for name, each in check_responses(order.protocol, order.response).items():
        words = []
        if measures & set(OF_EYES):
            words.append(
                f"{float(each.latency_at(age, day)):+.3g} ms in an eye with a lesion of its optic nerve"
            )
        if measures & set(OF_LESIONS):
            words.append(f"{float(each.mtr_at(age, day)):+.3g} pu in a lesion")
        found.append(f"{name}: {', '.join(words) or 'none that an endpoint shows'}, after {last:g} days")
    return tuple(found)
