"""The page of all VEP benchmarks, from what their scripts left in the work folder.

python benchmarks/vep/summary.py > docs/theory/vep-precision.md
"""

from __future__ import annotations

import bench
import change
import detection
import edf_set
import latency
import patients
import speed

import real

INTRODUCTION = """# How exact are the latency of a VEP and its change?

Made by `python benchmarks/vep/summary.py` from `benchmarks/vep/`; seeds are fixed and MNE runs on the
same sweeps in the same run. Simulated pattern-reversal responses of known latency: sums of pulses that
are gamma-shaped, raised cosine, hyperbolic secant or impulse responses of a filter, or curves through
random knots. `normal`: P100 at 103 +- 5 ms; `delayed`: 10 to 45 ms later, 1 to 1.5 times wider; `bifid`:
a second hump 22 to 32 ms later. Sizes are from the baseline to P100, before noise; sweep jitter is 2 ms
(SD). Noise of a sweep is 11.7 uV (SD) after 1 to 100 Hz (in the EDF set and for patients 9.6): `pink` is
1/f + alpha; `eeg` is nonstationary, with bursts of alpha and muscle, rests of blinks and heavy tails;
`real` is what is left of real single trials when their mean is taken off. In brackets: 95 % intervals.
What is not in it: recordings of people with MS, of whom none could be had.

`get_peak` is `mne.Evoked.get_peak`, positive, 75 to 180 ms; `30 Hz` is the same after MNE's low-pass
(Butterworth, order 4, forwards and backwards)."""


def main() -> None:
    chosen = bench.options(__doc__, replicates=0)
    modules = (latency, change, real, edf_set, detection, patients, speed)
    print("\n\n".join([INTRODUCTION, *(module.table(chosen.work) for module in modules)]))


if __name__ == "__main__":
    main()
