"""The tables of a protocol, each checked by itself; how they fit together is checked in `consistency`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from remyelin.errors import RefuseRun
from remyelin.protocol.toml import dump


def fault(found: str, expected: str, fix: str, field: str = "") -> PydanticCustomError:
    """An error that already knows what was found, what was expected and how to put it right.

    `field` says of which field a fault is that shows only in the whole of a table.
    """
    facts = {"found": found, "expected": expected, "fix": fix, "field": field}
    return PydanticCustomError("fault", "{found}", facts)


def _inside(path: str) -> str:
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    escapes = (
        posix.is_absolute()
        or windows.anchor
        or ".." in (*posix.parts, *windows.parts)
        or path.startswith("~")
    )
    if escapes or not path.strip():
        raise fault(
            f"'{path[:60]}', a path outside the dataset",
            "a relative path inside it",
            "keep outputs inside the dataset",
        )
    return path


def _treatments(name: str) -> str:
    if not all(part.strip() for part in name.split("+")):
        raise fault(
            f"'{name}'", "a treatment, or several joined by +", "name each of them, as clemastine+metformin"
        )
    return name


Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]*$", max_length=64)]
VisitId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]+$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Treatment = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_treatments)]
PLACEBO = "placebo"


class Part(BaseModel):
    """A table of a protocol: frozen, and nothing in it that is not known here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trial(Part):
    """`[trial]`: what kind of trial it is.

    `reference` is the arm that the others are compared with; by default the one without a treatment.
    `output` is where results go, inside the dataset.
    """

    id: Id
    design: Literal["parallel", "crossover", "delayed-start"]
    title: str = ""
    registry: tuple[Text, ...] = ()
    reference: Id | None = None
    output: Annotated[str, AfterValidator(_inside)] | None = None


class Arm(Part):
    """`[[arm]]`: a group of `n` participants with one `treatment`, or a `sequence` of them, one a period.

    No treatment, and ``"placebo"`` in a sequence, mean placebo; several given together are joined by ``+``.
    """

    id: Id
    n: Annotated[int, Field(ge=1, le=100_000)]
    treatment: Treatment | None = None
    sequence: tuple[Treatment, ...] = ()

    @property
    def is_placebo(self) -> bool:
        """Whether the arm has placebo throughout."""
        return self.treatment in (None, PLACEBO) and set(self.sequence) <= {PLACEBO}


class Visit(Part):
    """`[[visit]]`: planned `day` since baseline, and by how many days a visit may be early and late."""

    id: VisitId
    day: Finite
    window_days: tuple[Finite, Finite] | None = None


class Period(Part):
    """`[[period]]` of a crossover or delayed-start trial: from the visit `start` to the visit `end`."""

    id: Id
    start: VisitId
    end: VisitId


class Measuring(Part):
    """`[measure]`: how recordings become measurements.

    `min_volume_mm3` drops what is mostly noise: the change of a lesion of 10 voxels of 1 mm has an SD of 1
    pu from thermal noise alone at an SNR of 50. `rescan_sd_pu` is the scan-rescan SD of a large lesion. A
    lesion is rim up to `rim_mm` from its border, and its surroundings reach `perilesional_mm`.
    Normal-appearing white matter keeps `nawm_clear_mm` from lesions and `nawm_erode_mm` from other tissue.
    `false_positive_rate` is the part of stable voxels that the voxelwise index lets pass as changed. These
    distances are choices: no published value was found. `b1_correction` is that of MTsat, used where there
    is a map of B1; its constant belongs to an MT pulse.

    Of visual evoked potentials (VEP): `vep_channel` is ``"Oz-Fz"``, active less reference; empty takes the
    midline occipital channel. A sweep of more than `vep_reject_uv` from peak to peak is rejected. Replicates
    that differ by more than `vep_replicate_ms`, and readers by more than `vep_reader_ms`, are adjudicated.
    A response is called absent only where one of `vep_absent_uv` would have been seen with a power of 90 %.
    An eye is delayed above `vep_delayed_ms`; eyes that differ by more than `vep_asymmetry_ms` are unequal.
    The first five are choices; the last two have no default, for each trial and laboratory has its own.
    """

    min_volume_mm3: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    erosion_voxels: Annotated[int, Field(ge=0, le=5)] = 0
    interpolation: Literal["none", "halfway"] = "none"
    normalise: Literal["none", "nawm", "phantom"] = "none"
    rescan_sd_pu: Positive | None = None
    rim_mm: Positive = 2.0
    perilesional_mm: Positive = 2.0
    nawm_clear_mm: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 4.0
    nawm_erode_mm: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    false_positive_rate: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    b1_correction: Literal["helms", "lipp", "none"] = "helms"
    vep_channel: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z+]*(-[0-9A-Za-z+]+)?$")] = ""
    vep_reject_uv: Annotated[float, Field(ge=20, le=5000)] = 200.0
    vep_replicate_ms: Annotated[float, Field(ge=0.5, le=50)] = 5.0
    vep_reader_ms: Annotated[float, Field(ge=0.5, le=50)] = 5.0
    vep_absent_uv: Annotated[float, Field(ge=0.5, le=50)] = 4.0
    vep_delayed_ms: Annotated[float, Field(ge=60, le=250)] | None = None
    vep_asymmetry_ms: Annotated[float, Field(ge=0.5, le=100)] | None = None

    def updated(self, given: Mapping[str, Any]) -> Measuring:
        """These settings with those `given` in their place; RefuseRun for one that cannot be.

        Examples
        --------
        >>> Measuring().updated({"erosion_voxels": 1}).erosion_voxels
        1
        """
        from remyelin.protocol.messages import first_fault

        try:
            return Measuring.model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            field, *rest = first_fault(error, Measuring)
            raise RefuseRun("", f"measure.{field}", *rest) from None

    def to_toml(self, version: str) -> str:
        """The settings as TOML, defaults too, with the version of the package that resolved them."""
        return dump({"remyelin": {"version": version}, "measure": self.model_dump(exclude_none=True)})
