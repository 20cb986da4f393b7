"""Virtual trials in batches, each with randomness of its own: the number of workers changes nothing."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import InputError, RefuseRun
from remyelin.number import check_generator, check_number
from remyelin.protocol import Protocol
from remyelin.provenance import settings_hash
from remyelin.run import Job, map_jobs
from remyelin.tables import Measurements

from .cohort import Cohort, draw_cohort
from .exposure import Responses, check_responses
from .eyes import EyeErrors
from .instruments import asked
from .patient import OF_EYES, OF_LESIONS, arm_sizes, check_lesions
from .people import check_visits
from .premises import Premises
from .response import Response

MOST_TRIALS, MOST_PEOPLE, MOST_LESIONS = 10_000_000, 100_000_000, 1_000_000
EYE_BATCH, LESION_BATCH = 250, 25  # trials a batch: what fits into memory
IN_BATCH = 500_000  # people, or lesions where their number was given: fewer trials a batch above


@dataclass(frozen=True)
class Order:
    """What is simulated; the arguments are those of `draw_cohort`."""

    protocol: Protocol
    response: Responses
    premises: Premises
    participants: int | None = None
    lesions_per_participant: int | None = None

    def check(self, n_trials: int) -> None:
        """Refuse what cannot be simulated, before anything is.

        Raises
        ------
        InputError, RefuseRun
            What `draw_patients` and `read_patients` refuse.
        """
        check_number("trials", n_trials, least=1, most=MOST_TRIALS, whole=True, fix="ask for so many")
        people = sum(arm_sizes(self.protocol, self.participants))
        if self.lesions_per_participant is not None:
            self._check_lesions(people)
        if n_trials * people > MOST_PEOPLE:
            raise InputError(
                "", "trials", f"{n_trials:,} of {people:,} participants each, {n_trials * people:,} people",
                f"at most {MOST_PEOPLE:,}", "ask for fewer trials, or smaller ones",
            )  # fmt: skip
        check_visits(self.protocol)
        check_responses(self.protocol, self.response)
        if set(asked(self.protocol)) & set(OF_EYES):
            EyeErrors.of(self.premises)

    def _check_lesions(self, people: int) -> None:
        assert self.lesions_per_participant is not None
        check_lesions("lesions", self.lesions_per_participant)
        found = f"{self.lesions_per_participant}"
        if not set(asked(self.protocol)) & set(OF_LESIONS):
            expected = f"nothing: no endpoint of {self.protocol.trial.id} is of lesions"
            raise InputError("", "lesions", found, expected, "take it out")
        if people * self.lesions_per_participant > MOST_LESIONS:
            expected = f"at most {MOST_LESIONS:,} lesions in a trial"
            fix = "ask for fewer lesions or participants"
            raise InputError("", "lesions", f"{found} in each of {people:,} people", expected, fix)

    def batches(self, n_trials: int, rng: np.random.Generator) -> tuple[Batch, ...]:
        """The trials, cut into batches whose size does not depend on the computer."""
        check_generator(rng)
        self.check(n_trials)
        size = LESION_BATCH if "mtr_pu" in asked(self.protocol) else EYE_BATCH
        people = sum(arm_sizes(self.protocol, self.participants)) * (self.lesions_per_participant or 1)
        size = max(1, min(size, IN_BATCH // people))
        firsts = range(0, n_trials, size)
        children = rng.spawn(len(firsts))
        return tuple(
            Batch(self, first, min(size, n_trials - first), child)
            for first, child in zip(firsts, children, strict=True)
        )


@dataclass(frozen=True)
class Batch:
    """Some trials of an order, from number `first`."""

    order: Order
    first: int
    trials: int
    rng: np.random.Generator

    def draw(self) -> Cohort:
        """Simulate them; the same batch gives the same trials again."""
        order = self.order
        # A copy: a generator that has been drawn from would give other trials the next time.
        rng = copy.deepcopy(self.rng)
        return draw_cohort(
            order.protocol, self.trials, rng=rng, response=order.response, premises=order.premises,
            participants=order.participants, lesions_per_participant=order.lesions_per_participant,
            first_trial=self.first,
        )  # fmt: skip


def simulate(
    protocol: Protocol,
    *,
    n_trials: int,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
    workers: int = 1,
) -> Measurements:
    """The measurements of many virtual trials, with `trial` in front.

    `run_trials` analyses the same trials, given a generator of the same seed; `write_trials` writes them with
    the allocation and the truth.

    Parameters
    ----------
    protocol, n_trials, rng, response, premises, participants
        As of `draw_patients`.
    workers
        Processes; their number changes nothing.

    Examples
    --------
    >>> table = simulate(Protocol.read("ccmr-two"), n_trials=3, rng=np.random.default_rng(1),
    ...                  response=Response.constant(latency_ms=-1.2), premises=Premises.read("trial"))
    >>> table.frame["trial"].nunique(), table.frame["participant_id"].nunique()
    (3, 70)
    """
    batches = Order(protocol, response, premises, participants).batches(n_trials, rng)
    if workers == 1:
        return Measurements.concat([batch.draw().measurements() for batch in batches])
    with tempfile.TemporaryDirectory() as folder:
        found = run_batches(_measured, batches, folder, workers=workers, out=Path(folder))
        return Measurements.concat([Measurements.read(Path(folder) / each["table"]) for each in found])


def _measured(task: tuple[Batch, str]) -> Mapping[str, Any]:
    batch, folder = task
    name = f"{batch.first:08d}.parquet"
    batch.draw().measurements().write(Path(folder) / name)
    return {"table": name}


def run_batches(
    function: Callable[[tuple[Batch, Any]], Mapping[str, Any]],
    batches: Sequence[Batch],
    option: Any = None,
    *,
    workers: int = 1,
    out: Path | None = None,
    progress: bool = False,
) -> list[Mapping[str, Any]]:
    """Call `function` with each batch and `option`, in as many processes as there are workers.

    Raises
    ------
    RefuseRun
        A batch that failed.
    """
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return run_batches(
                function, batches, option, workers=workers, out=Path(folder), progress=progress
            )
    check_number("jobs", workers, least=1, whole=True, fix="ask for at least one process")
    shared = _settings(batches[0].order) | {"option": str(option)}
    jobs = []
    for batch in batches:
        own = {"first": batch.first, "trials": batch.trials, "rng": str(batch.rng.bit_generator.state)}
        payload = (function, (batch, option))
        jobs.append(Job(f"trials-{batch.first + 1:08d}", settings_hash(shared | own), payload))
    outcome = map_jobs(
        _refusing, jobs, record=out / "records", where="processes" if workers > 1 else "serial",
        workers=workers, progress=progress,
    )  # fmt: skip
    if outcome.failures:
        raise RefuseRun("", *list(outcome.failures[0].facts().values())[2:])
    return list(outcome.results.values())


def _refusing(payload: tuple[Callable[[Any], Mapping[str, Any]], Any]) -> Mapping[str, Any]:
    """What one batch cannot be, none can: the run ends with it, and it is said once."""
    function, task = payload
    try:
        return function(task)
    except InputError as error:
        raise RefuseRun(**error.facts()) from None


def _settings(order: Order) -> dict[str, Any]:
    """All that the trials of an order depend on, but for their randomness."""
    responses = check_responses(order.protocol, order.response)
    return {
        "protocol": order.protocol.model_dump(mode="json"),
        "participants": order.participants,
        "lesions": order.lesions_per_participant,
        "premises": {name: row.value for name, row in order.premises.rows.items()},
        "change_of": order.premises.laboratory,
        "response": {name: _numbers(each) for name, each in responses.items()},
    }


def _numbers(response: Response) -> dict[str, Any]:
    return {name: getattr(response, name).tolist() for name in ("age_years", "day", "latency_ms", "mtr_pu")}
