"""Where jobs run on other computers: a dask cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .jobs import Attempt, Failure, Job, attempt
from .workers import Function


def in_dask(
    function: Function, jobs: Sequence[Job], out: Path, workers: int
) -> Generator[tuple[Job, Attempt]]:
    """Jobs on the current dask client, on the scheduler that dask knows, or on a cluster made here.

    The output folder must be there, by the same path, on every computer of the cluster.
    """
    distributed: Any = import_module("distributed")
    try:
        client, own = distributed.Client.current(), False
    except ValueError:
        client, own = _client(distributed, workers), True
    try:
        futures = {client.submit(attempt, function, job, out, pure=False): job for job in jobs}
        for future in distributed.as_completed(futures):
            job = futures[future]
            try:
                yield job, future.result()
            except distributed.KilledWorker:
                fix = "ask the cluster for more memory or time for each worker"
                failure = Failure(job.id, "", "worker", "lost twice", "alive until the item is finished", fix)
                yield job, Attempt(failure=failure)
    finally:
        if own:
            cluster = client.cluster
            client.close()
            if cluster is not None:
                cluster.close()


def _client(distributed: Any, workers: int) -> Any:
    config: Any = import_module("dask.config")
    if config.get("scheduler-address", None):
        return distributed.Client()
    with config.set({"distributed.scheduler.allowed-failures": 1}):
        cluster = distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    return distributed.Client(cluster)
