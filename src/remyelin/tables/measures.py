"""What can be measured: the unit, the plausible range and the site of every measure."""

from __future__ import annotations

from dataclasses import dataclass

LESION, TISSUE, EYE, PARTICIPANT = "lesion", "tissue", "eye", "participant"
SITES = (LESION, TISSUE, EYE, PARTICIPANT)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Parameters
    ----------
    name
        As it stands in the column `measure` and in a protocol; ends in the unit.
    unit
        The only unit in which it is written; ``"1"`` for a count or a fraction.
    low, high
        What can be meant: wide enough for any patient, too narrow for another unit or a code such as -999.
    sites
        Kinds of site at which it is measured.
    words
        Its name in a report.
    change_of
        The measure of which this is a change since the first visit; empty for a measure of one visit.
    """

    name: str
    unit: str
    low: float
    high: float
    sites: tuple[str, ...]
    words: str
    change_of: str = ""


_PLACES = (LESION, TISSUE, PARTICIPANT)
_ROWS = (
    Measure("mtr_pu", "pu", -100, 100, _PLACES, "magnetisation transfer ratio"),
    Measure("mtr_change_pu", "pu", -100, 100, _PLACES, "change of the magnetisation transfer ratio"),
    Measure("mtsat_pu", "pu", -20, 20, _PLACES, "magnetisation transfer saturation"),
    Measure("r1_per_s", "1/s", 0, 10, _PLACES, "longitudinal relaxation rate R1"),
    Measure("lesion_volume_mm3", "mm3", 0, 500_000, (LESION, PARTICIPANT), "lesion volume"),
    Measure("lesion_count", "1", 0, 10_000, (PARTICIPANT,), "number of lesions"),
    Measure("lesion_distance_to_csf_mm", "mm", 0, 100, (LESION,), "distance of the lesion to CSF"),
    Measure("lesion_gm_fraction", "1", 0, 1, (LESION,), "part of the lesion in grey matter"),
    Measure(
        "mtr_calibration_slope", "1", -10, 10, (LESION, PARTICIPANT), "measured part of an injected change"
    ),
    Measure(
        "mtr_border_error_pu",
        "pu",
        0,
        100,
        (LESION,),
        "what half a voxel of a lesion's border does to its MTR",
    ),
    # False positives are subtracted, so an unchanged lesion scatters about 0.
    Measure("remyelinated_fraction", "1", -1, 1, _PLACES, "part of the voxels that remyelinated"),
    Measure("demyelinated_fraction", "1", -1, 1, _PLACES, "part of the voxels that demyelinated"),
    Measure("registration_error_mm", "mm", 0, 300, (PARTICIPANT,), "registration error"),
    Measure("p100_latency_ms", "ms", 50, 300, (EYE, PARTICIPANT), "P100 latency"),
    Measure("n75_latency_ms", "ms", 30, 250, (EYE, PARTICIPANT), "N75 latency"),
    Measure("n135_latency_ms", "ms", 70, 400, (EYE, PARTICIPANT), "N135 latency"),
    Measure("p100_amplitude_uv", "uV", -100, 200, (EYE, PARTICIPANT), "P100 amplitude"),
    Measure(
        "vep_shift_ms",
        "ms",
        -150,
        150,
        (EYE, PARTICIPANT),
        "shift of the VEP against its reference",
        change_of="p100_latency_ms",
    ),
    Measure("p100_asymmetry_ms", "ms", -250, 250, (PARTICIPANT,), "P100 latency of OD less that of OS"),
    Measure(
        "p100_fellow_difference_ms",
        "ms",
        -250,
        250,
        (EYE,),
        "P100 latency of the eye less that of the other eye at the first visit",
    ),
    Measure("vep_snr", "1", 0, 10_000, (EYE, PARTICIPANT), "signal-to-noise ratio of the VEP"),
    Measure("rnfl_um", "um", 10, 300, (EYE,), "retinal nerve fibre layer thickness"),
    Measure("gcipl_um", "um", 10, 200, (EYE,), "ganglion cell and inner plexiform layer thickness"),
    Measure("rnfl_asymmetry_um", "um", -290, 290, (PARTICIPANT,), "RNFL thickness of OD less that of OS"),
    Measure("gcipl_asymmetry_um", "um", -190, 190, (PARTICIPANT,), "GCIPL thickness of OD less that of OS"),
    Measure("lcla_letters", "letters", 0, 140, (EYE, PARTICIPANT), "low-contrast letter acuity"),
    Measure("edss", "points", 0, 10, (PARTICIPANT,), "Expanded Disability Status Scale"),
)

MEASURES: dict[str, Measure] = {row.name: row for row in _ROWS}
"""Every measure by name; a measurement of anything else is refused."""
