"""How often virtual trials without any effect find one: the whole way from patients to the p-value.

    python benchmarks/virtual/null.py --jobs 2            # all packaged protocols; an hour on 2 cores
    python benchmarks/virtual/null.py --only ccmr-two
    python benchmarks/virtual/null.py --table             # print what is done

10,000 trials a protocol, each drawn, measured into what a table would hold, and analysed by the protocol's
own estimator at its own alpha. The band was stated before the runs: alpha and 3.29 Monte Carlo standard
errors to each side, .0428 to .0572 at .05. A stopped run goes on from its records.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from remyelin.protocol import Protocol  # noqa: E402
from remyelin.virtual.premises import Premises  # noqa: E402
from remyelin.virtual.repeated import run_trials  # noqa: E402
from remyelin.virtual.response import Response  # noqa: E402

SEED, TRIALS, REACH = 2026, 10_000, 3.29
WORK = Path(__file__).parent / "work" / "null"
HEAD = (
    "protocol", "endpoint", "contrast", "estimator", "trials", "no answer", "rejected", "band", "inside",
    "SD of estimates / mean SE",
)  # fmt: skip
LABORATORY = {"rebuild": "rebuild", "renew": "routine"}


def rows(name: str, trials: int, jobs: int) -> list[str]:
    """Run one protocol to `trials` trials; a row of the table for each contrast."""
    protocol = Protocol.read(name)
    found = run_trials(
        protocol, trials, rng=np.random.default_rng(SEED), response=Response.constant(),
        premises=Premises.read(LABORATORY.get(name, "trial")), workers=jobs, out=WORK / f"{name}-{trials}",
    ).significant()  # fmt: skip
    estimators = {endpoint.id: (endpoint.estimator, endpoint.alpha) for endpoint in protocol.endpoint}
    lines = []
    for row in found.to_dict("records"):
        estimator, alpha = estimators[row["endpoint"]]
        reach = REACH * math.sqrt(alpha * (1 - alpha) / trials)
        inside = abs(row["either"] - alpha) <= reach
        cells = [
            name, row["endpoint"], row["contrast"], estimator, f"{row['trials']:,}", row["failed"],
            f"{row['either']:.4f}", f"{alpha - reach:.4f} to {alpha + reach:.4f}",
            "yes" if inside else "**no**", f"{row['sd'] / row['mean_se']:.3f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for name in Protocol.packaged():
        done = (WORK / f"{name}-{given.trials}").exists()
        if given.only in name and (done or not given.table):
            print("\n".join(rows(name, given.trials, given.jobs)), flush=True)


if __name__ == "__main__":
    main()
