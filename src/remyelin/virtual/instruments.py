"""What instruments read from virtual patients: values with their errors, absent responses, failed scans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES

from .eyes import EYES, EyeErrors
from .lesions import LEAST_MTR, MOST_MTR
from .patient import Patients

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
STATES = ("present", "absent", "indeterminate", "missing")
ABSENT, INDETERMINATE = 1, 2
FAILED = "images that failed the quality check"


@dataclass(frozen=True)
class Readings:
    """One measure of everyone, (trial, participant, site, visit).

    Attributes
    ----------
    measure, condition
        As in the measurements.
    sites
        Names of the third axis.
    value, se
        NaN where there is none.
    state
        Position in `STATES`.
    failed
        Whether the value is of quality ``"fail"``.
    listed
        Whether there is a row at all.
    """

    measure: str
    condition: str
    sites: tuple[str, ...]
    value: FloatArray
    se: FloatArray
    state: npt.NDArray[np.int8]
    failed: BoolArray
    listed: BoolArray

    @property
    def usable(self) -> FloatArray:
        """The values that an analysis takes; NaN elsewhere."""
        return np.where(self.listed & ~self.failed & (self.state == 0), self.value, np.nan)


def read_patients(patients: Patients, rng: np.random.Generator) -> tuple[Readings, ...]:
    """Measure what the endpoints of the protocol ask for.

    Parameters
    ----------
    patients
        The truth.
    rng
        Eyes, lesions and scales each have a child of their own.

    Raises
    ------
    InputError
        An endpoint of a measure or site that virtual patients have not.

    Examples
    --------
    >>> from remyelin.virtual.patient import draw_patients
    >>> from remyelin.virtual.premises import Premises
    >>> from remyelin.virtual.response import Response
    >>> rng = np.random.default_rng(1)
    >>> patients = draw_patients(Protocol.read("ccmr-two"), rng=rng, response=Response.constant(),
    ...                          premises=Premises.read("trial"))
    >>> [(each.measure, each.value.shape) for each in read_patients(patients, rng)]
    [('p100_latency_ms', (1, 70, 2, 2)), ('vep_shift_ms', (1, 70, 2, 2))]
    """
    conditions = asked(patients.protocol)
    of_eyes, of_lesions, of_scales = rng.spawn(3)
    found: dict[str, Readings] = {}
    if patients.eyes is not None:
        found |= _eyes(patients, conditions, of_eyes)
    if "mtr_pu" in conditions:
        found["mtr_pu"] = _lesions(patients, conditions["mtr_pu"], of_lesions)
    for measure, read in SCALES.items():
        if measure in conditions:
            found[measure] = read(patients, conditions[measure], of_scales.spawn(1)[0])
    return tuple(found[measure] for measure in conditions)


def asked(protocol: Protocol) -> Mapping[str, str]:
    """The measures that the endpoints need, each with its condition.

    Examples
    --------
    >>> asked(Protocol.read("ccmr-one"))
    {'mtr_pu': ''}
    """
    found: dict[str, str] = {}
    for endpoint in protocol.endpoint:
        _check_endpoint(endpoint)
        own = [endpoint.measure]
        if MEASURES[endpoint.measure].change_of:
            own.insert(0, MEASURES[endpoint.measure].change_of)
        for measure in own:
            known = found.setdefault(measure, endpoint.condition)
            if known != endpoint.condition:
                raise InputError(
                    "", f"endpoint '{endpoint.id}' condition", f"{endpoint.condition!r} beside {known!r}",
                    f"one condition of {measure} in a virtual trial", "leave one of the endpoints out",
                )  # fmt: skip
    return found


def _check_endpoint(endpoint: Endpoint) -> None:
    where = SITES.get(endpoint.measure)
    if where is None:
        raise InputError(
            "", f"endpoint '{endpoint.id}' measure", f"{endpoint.measure}, which virtual patients have not",
            f"one of {', '.join(SITES)}", "leave the endpoint out, or measure virtual recordings",
        )  # fmt: skip
    if endpoint.site != where:
        raise InputError(
            "", f"endpoint '{endpoint.id}' site", endpoint.site, f"{where}, for virtual {endpoint.measure}",
            "name that site, or measure virtual recordings",
        )  # fmt: skip


def _eyes(patients: Patients, conditions: Mapping[str, str], rng: np.random.Generator) -> dict[str, Readings]:
    """P100 of both eyes at each visit, and what is made of it."""
    assert patients.eyes is not None
    eyes, premises, spread = patients.eyes, patients.premises, EyeErrors.of(patients.premises)
    true = eyes.latency_ms
    shape = true.shape
    of_latency, of_shift = rng.spawn(2)
    here = np.broadcast_to(patients.people.attends[:, :, None, :], shape)
    se = spread.own_sd_ms * _factor(shape, premises["se_spread"], of_latency)
    shared = spread.shared_sd_ms * of_latency.standard_normal((*shape[:2], 1, shape[3]))
    measured = true + shared + se * of_latency.standard_normal(shape)
    state = np.where(of_latency.uniform(size=shape) < premises["unusable_part"], INDETERMINATE, 0)
    state = np.where(eyes.responds, state, ABSENT).astype(np.int8)
    made = {"p100_latency_ms": (measured, se, state, here)}
    if "vep_shift_ms" in conditions:
        ratio = premises["shift_error_ratio"]
        noise = np.hypot(se, se[..., :1]) * ratio
        common = (
            np.sqrt(2) * ratio * spread.shared_sd_ms * of_shift.standard_normal((*shape[:2], 1, shape[3]))
        )
        shift = true - true[..., :1] + common + noise * of_shift.standard_normal(shape)
        later = here & here[..., :1] & (np.arange(shape[3]) > 0)
        made["vep_shift_ms"] = (shift, noise, np.maximum(state, state[..., :1]), later)
    if "p100_fellow_difference_ms" in conditions:
        fellow, error = measured[..., ::-1, :1], np.hypot(se, se[..., ::-1, :1])
        known = np.maximum(state, state[..., ::-1, :1])
        made["p100_fellow_difference_ms"] = (measured - fellow, error, known, here & eyes.affected[..., None])
    sites = tuple(f"eye:{eye}" for eye in EYES)
    return {
        name: _readings(name, conditions[name], sites, *made[name], np.zeros(shape, dtype=bool))
        for name in made
        if name in conditions
    }


def _lesions(patients: Patients, condition: str, rng: np.random.Generator) -> Readings:
    """MTR of every lesion, (trial, participant, lesion, visit)."""
    assert patients.lesions is not None
    lesions, premises, people = patients.lesions, patients.premises, patients.people
    trials, participants, visits = people.day.shape
    owner, slot = lesions.owner, lesions.number - 1
    most = int(lesions.number.max(initial=1))
    noise = premises["lesion_thermal_pu"] / np.sqrt(lesions.volume_mm3)
    noise = noise[:, None] * _factor((len(owner), visits), premises["se_spread"], rng)
    shared_sd = premises["participant_change_sd_pu"] * np.sqrt((1 - premises["true_part"]) / 2)
    shared = shared_sd * rng.standard_normal((trials * participants, visits))
    measured = lesions.mtr_pu + shared[owner] + noise * rng.standard_normal(noise.shape)

    def dense(values: npt.NDArray[np.generic], empty: float) -> npt.NDArray[np.generic]:
        out = np.full((trials * participants, most, visits), empty, dtype=values.dtype)
        out[owner, slot] = values
        return out.reshape(trials, participants, most, visits)

    appeared = np.arange(visits) >= lesions.onset[:, None]
    here = np.asarray(dense(np.ones_like(appeared), False)) & people.attends[:, :, None, :]
    failed = rng.uniform(size=people.day.shape) < premises["failed_part"]
    return _readings(
        "mtr_pu",
        condition,
        tuple(f"lesion:{k + 1:03d}" for k in range(most)),
        np.asarray(dense(np.clip(measured, LEAST_MTR, MOST_MTR), np.nan), dtype=np.float64),
        np.asarray(dense(noise, np.nan), dtype=np.float64),
        np.asarray(dense(np.where(appeared, 0, ABSENT).astype(np.int8), 0), dtype=np.int8),
        here,
        np.broadcast_to(failed[:, :, None, :], here.shape) & here,
    )


def _edss(patients: Patients, condition: str, rng: np.random.Generator) -> Readings:
    value = _scale(patients, "edss", 0.0, 10.0, rng)
    return _one_site(patients, "edss", condition, "participant", np.rint(2 * value) / 2)


def _lcla(patients: Patients, condition: str, rng: np.random.Generator) -> Readings:
    value = _scale(patients, "lcla", 0.0, 60.0, rng)
    return _one_site(patients, "lcla_letters", condition, "eye:OD", np.rint(value))


SCALES: Mapping[str, Callable[[Patients, str, np.random.Generator], Readings]] = {
    "edss": _edss,
    "lcla_letters": _lcla,
}
SITES: Mapping[str, str] = {
    "p100_latency_ms": "eye",
    "vep_shift_ms": "eye",
    "p100_fellow_difference_ms": "eye",
    "mtr_pu": "lesion",
    "edss": "participant",
    "lcla_letters": "eye",
}
"""What is measured in virtual patients, and where."""


def _scale(patients: Patients, name: str, low: float, high: float, rng: np.random.Generator) -> FloatArray:
    """Values of a scale, error included: no biology reaches them, so treatment changes nothing."""
    premises, day = patients.premises, patients.people.day
    start = rng.normal(premises[f"{name}_mean"], premises[f"{name}_sd"], size=day.shape[:2])
    each = premises[f"{name}_change_sd"] / np.sqrt(2) * rng.standard_normal(day.shape)
    return np.asarray(np.clip(start[..., None] + each, low, high))


def _one_site(patients: Patients, measure: str, condition: str, site: str, value: FloatArray) -> Readings:
    shape = (*value.shape[:2], 1, value.shape[2])
    here = patients.people.attends[:, :, None, :]
    nothing = np.zeros(shape, dtype=bool)
    state = np.zeros(shape, dtype=np.int8)
    return _readings(
        measure, condition, (site,), value[:, :, None, :], np.full(shape, np.nan), state, here, nothing
    )


def _readings(
    measure: str,
    condition: str,
    sites: tuple[str, ...],
    value: FloatArray,
    se: FloatArray,
    state: npt.NDArray[np.int8],
    listed: BoolArray,
    failed: BoolArray,
) -> Readings:
    there = listed & (state == 0)
    return Readings(
        measure=measure,
        condition=condition,
        sites=sites,
        value=np.where(there, value, np.nan),
        se=np.where(there, se, np.nan),
        state=state,
        failed=failed & there,
        listed=listed,
    )


def _factor(shape: tuple[int, ...], spread: float, rng: np.random.Generator) -> FloatArray:
    """Log-normal factors of a standard error whose mean square is 1."""
    return np.asarray(np.exp(spread * rng.standard_normal(shape) - spread**2))
