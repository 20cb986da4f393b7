"""The collected evidence, `../shared/evidence/evidence.json`, and under which ids the package holds it."""

from __future__ import annotations

from collections.abc import Iterator

# Works that the package knew under a name of its own; the others have the id of the collection in lower case.
SOURCES = {
    "BOY": "boyd2013", "DOT": "dotto2017", "GOM": "dellaflora2025", "GSK1": "gsk239512", "HES": "hess2020",
    "HUA": "huang2011", "HUB": "hubler2018", "IGM1": "rhigm22", "KOT": "kotter2006", "NEU": "neumann2019",
    "NIK": "niklas2009", "PIP3": "pipe307", "SIM": "simvastatin_on", "SYE": "syed2011", "TCF": "weng2017",
    "TRAP": "kocot2024", "URL1": "sdtvep", "URL2": "p1fellow", "URL3": "klistorner2021",
}  # fmt: skip
STATUSES = {
    "general": "unverified",  # nobody read it in a source
    "judgement": "unverified",
    "NOT SEEN (2 tries)": "unverified",
    "exists, numbers not seen": "unverified",
    "seen(PyPI list)": "unverified",  # what the list says of it was seen, what it carries was not
}  # the others begin with what they are


def source_ids(given: str | list[str] | None) -> tuple[str, ...]:
    """Ids of the package for ids of the collection."""
    names = [given] if isinstance(given, str) else given or []
    return tuple(SOURCES.get(name, name.lower()) for name in names)


def status_of(given: str) -> str:
    """The status in the package."""
    return STATUSES.get(given) or given.split("(")[0].split("/")[0].strip()


# Treatments that have another name in the package.
TREATMENTS = {
    "biotin md1003": "md1003", "md1003 biotin": "md1003", "u50,488": "u50-488", "vitamin d": "vitamin-d",
    "9-cis-retinoic acid": "9-cis-retinoic-acid", "alternate-day fasting": "alternate-day-fasting",
}  # fmt: skip


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every text and number with where it stands; a key that names an arm is one too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif value is not None:
        yield path, value


# What is not there in the words of the collection, and the words that are there in their place.
REWORDED = {
    "n and NCT id unverified": "number of people and registry id recalled",
    "planned stage 1": "n is that of stage 1",
    "walking (T25FW, unverified)": "walking (T25FW)",
    "?": "",
    "not seen": "",
    "ids and mechanism unverified; nothing seen. Verify or drop.": "nothing of it was read: verify or drop",
    "canonical view: delays differentiation; Weng 2017 reports TCF7L2 PROMOTES it -> record as contested": (
        "canonical view: delays differentiation; Weng 2017 reports TCF7L2 promotes it"
    ),
    "-/?": "-",  # and contested
    "inhibit (sign contested: sterol supply)": "sign contested: sterol supply",
    "no table obtained; do not invent": "no table obtained: do not invent",
    "SAFETY SIGNAL": "safety signal",
}

# Every planning parameter of the collection: names of its rows, what qualifies them, values in order.
PARAMETERS: dict[str, tuple[tuple[str, dict[str, object], tuple[float, ...]], ...]] = {
    "P100 healthy women 15'": (
        ("p100_latency", {"sex": "female", "check_arcmin": 15}, (94.6,)),
        ("p100_latency_sd", {"sex": "female", "check_arcmin": 15}, (4.7,)),
    ),
    "P100 healthy women 60'": (
        ("p100_latency", {"sex": "female", "check_arcmin": 60}, (96.1,)),
        ("p100_latency_sd", {"sex": "female", "check_arcmin": 60}, (4.2,)),
    ),
    "P100 healthy men 15'": (
        ("p100_latency", {"sex": "male", "check_arcmin": 15}, (97.4,)),
        ("p100_latency_sd", {"sex": "male", "check_arcmin": 15}, (4.9,)),
    ),
    "P100 healthy men 60'": (
        ("p100_latency", {"sex": "male", "check_arcmin": 60}, (97.7,)),
        ("p100_latency_sd", {"sex": "male", "check_arcmin": 60}, (4.2,)),
    ),
    "P100 healthy 40-60 y (India)": (
        ("p100_latency", {"study": "ind"}, (98.79,)),
        ("p100_latency_sd", {"study": "ind"}, (5.75,)),
    ),
    "P100 abnormal cut-offs used": (
        ("p100_cutoff", {"trial": "niklas2009"}, (116,)),
        ("p100_cutoff", {"trial": "ccmr-one"}, (118,)),
        ("p100_cutoff", {"trial": "ccmr-two"}, (118,)),
        ("p100_cutoff", {"trial": "rebuild"}, (125,)),
    ),
    "P100 MS eyes never ON": (("p100_latency", {"people": "ms", "eyes": "never optic neuritis"}, (110.2,)),),
    "P100 subclinically delayed eyes, 3 visits": (
        ("p100_latency", {"eyes": "subclinically delayed"}, (124.8, 123.5, 122.8)),
        ("p100_latency_sd", {"eyes": "subclinically delayed"}, (10.7, 13.6, 13.1)),
    ),
    "within-eye change, delayed+stable eyes": (("p100_change", {"of": "eye"}, (0.735,)),),
    "SD of between-visit P100 change, routine lab": (("p100_change_sd", {"of": "eye"}, (12.4,)),),
    "SD of P100 change, trial grade": (("p100_change_sd", {"of": "participant"}, (2.4,)),),
    "SD within-person treatment contrast ReBUILD": (("p100_treatment_contrast_sd", {}, (4.33,)),),
    "SD of latency-delay at wk24, acute ON": (("p100_fellow_difference_sd", {}, (16.0, 16.5, 14.8)),),
    "FF-VEP affected-eye residual delay wk24 placebo": (("p100_fellow_difference", {}, (20.8,)),),
    "mfVEP latency HC / MS / ON / nonON eyes": (
        ("mfvep_latency", {}, (149.33, 161.72, 168.54, 159.83)),
        ("mfvep_latency_sd", {}, (8.44, 14.09, 17.15, 14.141)),
    ),
    "T2 lesions per patient (alemtuzumab-era RMS cohort, n=30)": (
        ("t2_lesions_per_participant", {}, (44.3,)),
        ("t2_lesions_per_participant_sd", {}, (31.7,)),
    ),
    "lesions per patient CCMR One": (("lesions_per_participant", {}, (32.9,)),),
    "new enhancing lesions per patient vdElskamp": (("enhancing_lesions_per_participant", {}, (10.9, 6)),),
    "submedian lesional MTR change SD 6 mo": (("submedian_mtr_change_sd", {}, (0.98, 0.84)),),
    "lesion MTR drift, RRMS placebo": (
        ("lesion_mtr_drift", {}, (-0.07,)),
        ("brain_tissue_mtr_drift", {}, (-0.02,)),
    ),
    "latency-to-length": (("demyelination_per_latency", {}, (0.5,)),),
    "OL loss/gain kinetics mouse V1": (
        ("oligodendrocyte_recovery_time", {}, (7,)),
        ("oligodendrocyte_loss_fully_replaced", {}, (50,)),
    ),
    "SD-tVEP repeatability CV P100 latency": (("p100_latency_cv", {}, (3, 6)),),
    "mfVEP latency change v baseline latency r": (("mfvep_change_baseline_correlation", {}, (-0.43, -0.45)),),
    "SEP/MEP critical difference, 20/arm longitudinal": (
        ("evoked_potential_critical_difference", {}, (0.4, 1.8, 0.36, 0.62, 1.2, 5.8)),
    ),
    "MS lesions with few OPCs (recruitment failure)": (("lesions_with_few_progenitors", {}, (37,)),),
    "demyelinated lesions with oligodendroglia in arrested maturation": (
        ("lesions_with_arrested_progenitors", {}, (60, 70)),
    ),
    "P1 affected v fellow eye after ON": (("p100_affected_fellow_effect", {}, (-1.47,)),),
    # Not found by those who collected: gaps/reliability-of-p100-and-mtr.
    "P100 ICC, interocular SD, lesional MTR mean/SD, scan-rescan MTR CV": (),
}
