"""A virtual trial of two small heads at 2 mm: recordings that tests can afford."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from remyelin.protocol import Protocol
from remyelin.virtual.dataset import write_trial
from remyelin.virtual.premises import Premises
from remyelin.virtual.recorded import Truth
from remyelin.virtual.response import Response
from remyelin.virtual.scanner import Scanner

SMALL = Scanner(voxel_mm=2, head_scale=0.65, t1w=False)


def protocol(*, eyes: bool = True, lesions: bool = True) -> Protocol:
    """The demo's, without potentials or images where they are not wanted."""
    demo = Protocol.read("demo")
    wanted = {"eye": eyes, "lesion": lesions}
    endpoints = tuple(endpoint for endpoint in demo.endpoint if wanted[endpoint.site])
    return demo.model_copy(update={"endpoint": endpoints})


def write_small(
    out: Path,
    *,
    seed: int = 7,
    eyes: bool = True,
    lesions: bool = True,
    mtr_pu: float = 1.5,
    latency_ms: float = -6.0,
    **given: Any,
) -> Truth:
    """One participant in each arm with 15 lesions, who all come."""
    settings: dict[str, Any] = {
        "rng": np.random.default_rng(seed),
        "response": Response.constant(latency_ms=latency_ms, mtr_pu=mtr_pu),
        "premises": Premises.read("trial", optic_nerve_part=1.0, absent_part=0.0),
        "participants": 1,
        "lesions_per_participant": 15,
        "scanner": SMALL,
    }
    return write_trial(protocol(eyes=eyes, lesions=lesions), out, **{**settings, **given})
