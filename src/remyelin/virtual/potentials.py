"""The visual evoked potentials of one virtual participant, as EDF recordings with their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.files import atomic_write
from remyelin.number import check_number

from .bids import write_json, write_tsv
from .eyes import EYES
from .subject import Subject, SubjectEyes

if TYPE_CHECKING:
    from remyelin.signal import VepResponse

TASK, CHANNEL = "prvep", "Oz-Fz"


@dataclass(frozen=True, slots=True)
class Laboratory:
    """How potentials are recorded: settings of an instrument, chosen, not evidence about one.

    Parameters
    ----------
    checks_arcmin
        Check sizes, 60 and 15.
    replicates, sweeps
        Recordings of an eye with one check size at a visit, and reversals in each.
    sfreq_hz, reversal_hz
        Samples and reversals a second.
    display_delay_ms
        From the trigger to the light; the recordings state it.
    noise
        Of the background EEG, 1 is that of `EegNoise`.
    jitter_ms
        SD of the time of single responses.
    form
        How far waves differ between people, coefficient of variation.
    spread
        SD of the delays within a nerve, as a part of its mean delay.

    Raises
    ------
    InputError
        A number that cannot be.

    Examples
    --------
    >>> Laboratory().checks_arcmin
    (60,)
    """

    checks_arcmin: tuple[int, ...] = (60,)
    replicates: int = 2
    sweeps: int = 60
    sfreq_hz: int = 500
    reversal_hz: float = 1.98
    display_delay_ms: float = 8.0
    noise: float = 1.0
    jitter_ms: float = 2.0
    form: float = 0.12
    spread: float = 0.2

    def __post_init__(self) -> None:
        check_number("replicates", self.replicates, least=1, most=20, whole=True)
        check_number("sweeps", self.sweeps, least=10, most=1000, whole=True)
        check_number("sfreq_hz", self.sfreq_hz, least=250, most=5000, whole=True)
        check_number("display_delay_ms", self.display_delay_ms, least=0, most=200)
        for name, most in (("noise", 20), ("jitter_ms", 30), ("form", 0.3), ("spread", 1)):
            check_number(name, getattr(self, name), least=0, most=most)

    def clean(self) -> Laboratory:
        """The same with a tenth of the noise and no jitter.

        Examples
        --------
        >>> Laboratory().clean().noise
        0.1
        """
        return replace(self, noise=self.noise / 10, jitter_ms=0.0)

    @property
    def sidecar(self) -> dict[str, Any]:
        """Metadata of every recording."""
        return {
            "TaskName": TASK,
            "TaskDescription": "Pattern-reversal visual evoked potential, simulated",
            "Manufacturer": "remyelin virtual laboratory",
            "EEGReference": "Fz",
            "SamplingFrequency": self.sfreq_hz,
            "PowerLineFrequency": 50,
            "SoftwareFilters": "n/a",
            "HardwareFilters": {"High-pass": {"CutoffHz": 1}, "Low-pass": {"CutoffHz": 100}},
            "RecordingType": "continuous",
            "Display": "simulated",
            "DisplayDelay": self.display_delay_ms,
            "Luminance": 50,
            "Contrast": 95,
            "Field": 20,
            "ReversalRate": self.reversal_hz,
        }


def write_eeg_frame(dataset: Path, laboratory: Laboratory) -> None:
    """What all recordings of the dataset share."""
    write_json(dataset / f"task-{TASK}_eeg.json", laboratory.sidecar)
    write_json(
        dataset / f"task-{TASK}_events.json",
        {
            "trial_type": {
                "Description": "the pattern reverses",
                "Levels": {"reversal": "checks change places"},
            },
            "eye": {"Description": "eye that sees it", "Levels": {"OD": "right", "OS": "left"}},
            "check_arcmin": {"Description": "edge of a check", "Units": "arcmin"},
        },
    )


def write_potentials(
    person: Subject, laboratory: Laboratory, dataset: Path, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Write all recordings of a person whose eyes were drawn.

    Returns
    -------
    list of dict
        The truth, a row an eye, visit and check size.
    """
    assert person.eyes is not None
    of_cortex, of_sweeps = rng.spawn(2)
    rows = []
    responses = {
        check: _responses(person, person.eyes, check, laboratory, of_cortex)
        for check in laboratory.checks_arcmin
    }
    for v, visit_rng in zip(person.attended(), of_sweeps.spawn(len(person.visits)), strict=False):
        for check in laboratory.checks_arcmin:
            for k, eye in enumerate(EYES):
                response = responses[check][k][v]
                for run in range(1, laboratory.replicates + 1):
                    _write(person, v, eye, check, run, response, laboratory, dataset, visit_rng)
                rows.append(_row(person, v, k, check, response))
    return rows


def _responses(
    person: Subject, eyes: SubjectEyes, check: int, laboratory: Laboratory, rng: np.random.Generator
) -> list[list[VepResponse]]:
    """(eye, visit) the response of each eye, its P100 where the truth has it."""
    from remyelin.signal import Cortex, Delays, vep_response

    cortex = Cortex.draw(rng, shape_cv=laboratory.form, check_arcmin=check)
    # The truth is the latency with checks of 1 degree; smaller ones take as much longer as in healthy people.
    later = Cortex.norm(check_arcmin=check).p100_ms - Cortex.norm(check_arcmin=60).p100_ms
    found: list[list[VepResponse]] = []
    for k in range(len(EYES)):
        conducting = float(rng.uniform(0.6, 1.0)) if eyes.affected[k] else 1.0
        delay = float(eyes.delay_ms[k])
        delays = Delays(mean_ms=delay, sd_ms=laboratory.spread * delay, conducting=conducting)
        wave = vep_response(delays, cortex=cortex, jitter_ms=laboratory.jitter_ms)
        silent = vep_response(Delays(conducting=0.0), cortex=cortex, jitter_ms=laboratory.jitter_ms)
        found.append(
            [
                wave.moved(float(late) + later - wave.latency_ms) if there else silent
                for late, there in zip(eyes.latency_ms[k], eyes.responds[k], strict=True)
            ]
        )
    return found


def _write(
    person: Subject,
    v: int,
    eye: str,
    check: int,
    run: int,
    response: VepResponse,
    laboratory: Laboratory,
    dataset: Path,
    rng: np.random.Generator,
) -> None:
    import edfio

    from remyelin.signal import EegNoise

    noise = EegNoise()
    uv, onset = response.recording(
        laboratory.sweeps, rng, noise=replace(noise, sd_uv=laboratory.noise * noise.sd_uv),
        sfreq_hz=laboratory.sfreq_hz, reversal_hz=laboratory.reversal_hz,
    )  # fmt: skip
    # The trigger comes before the light, by a whole number of samples.
    trigger_s = (
        onset - round(laboratory.display_delay_ms * laboratory.sfreq_hz / 1000)
    ) / laboratory.sfreq_hz
    uv = uv[: len(uv) // laboratory.sfreq_hz * laboratory.sfreq_hz]
    high = float(np.ceil(np.abs(uv).max()))
    signal = edfio.EdfSignal(
        np.asarray(uv), laboratory.sfreq_hz, label=CHANNEL, physical_dimension="uV",
        physical_range=(-high, high), prefiltering="HP:1Hz LP:100Hz",
    )  # fmt: skip
    marks = [edfio.EdfAnnotation(float(t), None, "reversal") for t in trigger_s]
    stem = _stem(person, v, eye, check, run)
    folder = dataset / person.id / f"ses-{person.visits[v]}" / "eeg"
    atomic_write(folder / f"{stem}_eeg.edf", edfio.Edf([signal], annotations=marks).to_bytes())
    channels = [{"name": CHANNEL, "type": "EEG", "units": "uV"}]
    write_tsv(folder / f"{stem}_channels.tsv", ("name", "type", "units"), channels)
    events = [
        {"onset": f"{t:.4f}", "duration": 0, "trial_type": "reversal", "eye": eye, "check_arcmin": check}
        for t in trigger_s
    ]
    write_tsv(
        folder / f"{stem}_events.tsv", ("onset", "duration", "trial_type", "eye", "check_arcmin"), events
    )


def _stem(person: Subject, v: int, eye: str, check: int, run: int) -> str:
    return f"{person.id}_ses-{person.visits[v]}_task-{TASK}_acq-{eye.lower()}{check}min_run-{run}"


def _row(person: Subject, v: int, k: int, check: int, response: VepResponse) -> dict[str, Any]:
    eyes = person.eyes
    assert eyes is not None
    there = response.state == "present"
    return {
        "participant_id": person.id,
        "visit": person.visits[v],
        "day": person.day[v],
        "eye": EYES[k],
        "check_arcmin": check,
        "affected": bool(eyes.affected[k]),
        "state": response.state,
        "latency_ms": round(response.latency_ms, 4) if there else None,
        "amplitude_uv": round(response.amplitude_uv, 4) if there else None,
    }


def check_sizes(conditions: Sequence[str]) -> tuple[int, ...]:
    """Check sizes that the conditions of endpoints name, 60 arcmin where none does.

    Examples
    --------
    >>> check_sizes(["check=15;reader=auto", ""]), check_sizes([])
    ((15,), (60,))
    """
    words = [part for text in conditions for part in text.split(";") if part.startswith("check=")]
    sizes = sorted({round(float(word.removeprefix("check="))) for word in words}, reverse=True)
    return tuple(sizes) or (60,)
