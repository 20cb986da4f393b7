"""What `remyelin simulate` asks for, turned into an order."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import InputError
from remyelin.number import check_number
from remyelin.protocol import Protocol

from .actual import true_effect
from .batches import Order
from .folder import Simulated, effect_words, facts, used, write_trials
from .patient import arm_sizes
from .place import check_place
from .premises import Premises


@dataclass(frozen=True)
class Recorded:
    """One virtual trial that was written as recordings."""

    out: Path
    order: Order
    seed: int
    named: str
    exit_code = 0

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"out": str(self.out), **facts(self.order, 1, self.seed)}

    def __str__(self) -> str:
        n = sum(arm_sizes(self.order.protocol, self.order.participants))
        lines = [
            f"1 virtual trial of {self.order.protocol.trial.id} as recordings, {n} participants in all arms, "
            f"seed {self.seed}: {self.out}"
        ]
        lines += [f"true effect, {words}" for words in effect_words(self.order)]
        lines.append(str(used(self.order)))
        bids, named, key = (
            shlex.quote(str(each))
            for each in (self.out / "bids", self.named, self.out / "sealed/allocation.tsv")
        )
        lines += [f"next: remyelin measure {bids} MEASURED {level}" for level in ("participant", "group")]
        lines.append(f"then: remyelin analyse {named} MEASURED --allocation {key}")
        return "\n".join(lines)


def simulate_folder(
    protocol: str | Path,
    out: Path,
    *,
    trials: int = 1,
    participants: int | None = None,
    laboratory: str | None = None,
    latency_ms: float | None = None,
    mtr_pu: float | None = None,
    lesions: int | None = None,
    assume: Sequence[str] = (),
    recordings: bool = False,
    voxel_mm: float | None = None,
    seed: int = 2026,
    workers: int = 1,
) -> Simulated | Recorded:
    """Simulate trials of a protocol and write them into a folder; see `remyelin simulate --help`.

    Raises
    ------
    InputError, RefuseRun
        A protocol, premise or number that cannot be; several trials of recordings; a voxel of tables.
    """
    check_number("seed", seed, least=0, whole=True)
    if voxel_mm is not None and not recordings:
        fix = "add --recordings, or take --voxel-mm out: tables have no images"
        raise InputError("", "voxel-mm", f"{voxel_mm:g} of tables", "only with --recordings", fix)
    if recordings and trials != 1:
        raise InputError("", "trials", str(trials), "1 with --recordings", "simulate tables, or one trial")
    plan = Protocol.read(protocol)
    premises = Premises.read(laboratory, **dict(_given(word) for word in assume))
    order = Order(plan, true_effect(plan, latency_ms, mtr_pu), premises, participants, lesions)
    order.check(trials)
    check_place(out, recordings=recordings)
    if not recordings:
        found = write_trials(order, out, n_trials=trials, seed=seed, workers=workers, progress=True)
        return replace(found, named=str(protocol))
    from .dataset import write_trial
    from .scanner import Scanner

    write_trial(
        plan, out, rng=np.random.default_rng(seed), response=order.response, premises=premises,
        participants=participants, lesions_per_participant=lesions,
        scanner=None if voxel_mm is None else Scanner(voxel_mm=voxel_mm), workers=workers, progress=True,
    )  # fmt: skip
    return Recorded(out, order, seed, str(protocol))


def _given(word: str) -> tuple[str, float]:
    name, _, value = word.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise InputError(
            "", "assume", f"'{word}'", "a name and a number, as dropout=0.1", "write it so"
        ) from None
