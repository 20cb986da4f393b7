"""May forecasts print a probability of success? Each published P100 result, predicted from the others.

    python benchmarks/forecast/gate.py            # prints the table
    python benchmarks/forecast/gate.py --write    # and writes evidence/forecast_gate.toml

The rule stands in `remyelin.virtual.gate`. `tests/virtual/test_gate.py` computes the verdict anew.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib import resources
from pathlib import Path

import numpy as np

from remyelin.virtual.assumptions import draw_worlds
from remyelin.virtual.gate import judge, verdict

DRAWS, SEED = 4096, 2026
HEAD = f"""# How well published P100 results are predicted when each is left out in turn; {DRAWS} worlds,
# seed {SEED}. Made by `python benchmarks/forecast/gate.py --write`; the scores and the rule stand in
# `virtual/gate.py`.
"""


def main() -> None:
    judged = judge(draw_worlds(DRAWS, np.random.default_rng(SEED)))
    print(
        "| left out | published (SE), ms | model (SD) | mean of the others (SD) | log score, model | mean "
        "| CRPS, model | mean | worlds left |"
    )
    print("| --- " * 9 + "|")
    for row in judged:
        print(
            f"| {row.trial} | {row.estimate:g} ({row.se:.2f}) | {row.model_mean:.2f} ({row.model_sd:.2f}) "
            f"| {row.mean_mean:.2f} ({row.mean_sd:.2f}) | {row.model_log:.2f} | {row.mean_log:.2f} "
            f"| {row.model_crps:.2f} | {row.mean_crps:.2f} | {row.worlds:.0f} |"
        )
    print(f"\n{verdict(judged)}")
    if "--write" in sys.argv[1:]:
        lines = [HEAD]
        for row in judged:
            lines.append("[[judged]]")
            lines += [
                f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value:.6g}"
                for key, value in asdict(row).items()
            ]
            lines.append("")
        target = Path(str(resources.files("remyelin") / "evidence" / "forecast_gate.toml"))
        target.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
