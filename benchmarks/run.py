"""Run every benchmark, one after the other, and print its table. Hours on 2 cores.

python benchmarks/run.py            # all
python benchmarks/run.py mtr/rtm    # those whose name contains a word
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    ("dataset/index.py",),
    ("dataset/flip.py",),
    ("mtr/registration.py",),
    ("mtr/rtm.py",),
    ("mtr/precision.py", "--jobs", "2"),
    ("signal/mt.py",),
    ("vep/latency.py", "--jobs", "2"),
    ("vep/change.py", "--jobs", "2"),
    ("vep/real.py", "--jobs", "2"),
    ("vep/edf_set.py",),
    ("vep/detection.py", "--jobs", "2"),
    ("vep/patients.py", "--jobs", "2"),
    ("vep/speed.py",),
    ("signal/vep.py",),
    ("patients_saved/vep.py", "--jobs", "2"),
    ("patients_saved/mtr.py",),
    ("statistics/speed.py",),
    ("statistics/boundary.py",),
    ("statistics/crossover.py",),
    ("statistics/rerandomisation.py",),
    ("statistics/few_clusters.py",),
    ("statistics/known_errors.py",),
    ("statistics/doses.py",),
    ("conduction/models.py",),
    ("conduction/accuracy.py",),
    ("conduction/figures.py",),
    ("conduction/failure.py",),
    ("conduction/agreement.py",),
    ("conduction/speed.py",),
    ("conduction/surrogate.py",),
    ("conduction/nerve.py",),
    ("biology/calibrate.py",),
    ("biology/identifiability.py",),
    ("biology/panel.py",),
    ("biology/failure.py",),
    ("biology/people.py",),
    ("biology/limits.py",),
    ("biology/repair_to_delay.py",),
    ("biology/treatments.py",),
    ("biology/sbml_agreement.py",),
    ("biology/speed.py",),
    ("biology/lesion.py",),
    ("biology/section.py",),
    ("virtual/components.py",),
    ("virtual/speed.py",),
    ("virtual/recovery.py",),
    ("virtual/null.py", "--jobs", "2"),
    ("forecast/gate.py",),
    ("forecast/published.py",),
)


def main() -> int:
    worst = 0
    for name, *options in SCRIPTS:
        if all(word in name for word in sys.argv[1:]):
            print(f"\n== {name}", flush=True)
            done = subprocess.run([sys.executable, HERE / name, *options], check=False)
            worst = max(worst, done.returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
