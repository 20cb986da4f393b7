"""The protocol: read, checked, and written again."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from remyelin import files
from remyelin.errors import InputError, RefuseRun, did_you_mean
from remyelin.protocol.consistency import problems
from remyelin.protocol.endpoint import Endpoint
from remyelin.protocol.families import Multiplicity, Sets
from remyelin.protocol.messages import first_fault
from remyelin.protocol.parts import PLACEBO, Arm, Measuring, Part, Period, Trial, Visit
from remyelin.protocol.plan import Plan
from remyelin.protocol.randomisation import Randomisation
from remyelin.protocol.toml import dump


class Protocol(Part):
    """One description of a trial, which planning, simulation, measurement, analysis and report all read.

    The fields are the tables of its TOML file: `trial`, `arm`, `visit`, `period` (crossover and delayed
    start), `endpoint`, `sets`, `multiplicity`,
    `randomisation`, `plan` and `measure`. It is made by `read` or `from_tables`.

    Examples
    --------
    >>> protocol = Protocol.read("ccmr-one")
    >>> protocol.primary.measure, protocol.reference.id
    ('mtr_pu', 'placebo')
    """

    model_config = ConfigDict(title="protocol")

    trial: Trial
    arm: tuple[Arm, ...]
    visit: tuple[Visit, ...]
    period: tuple[Period, ...] = ()
    endpoint: tuple[Endpoint, ...]
    sets: Sets = Sets()
    multiplicity: Multiplicity | None = None
    randomisation: Randomisation | None = None
    plan: Plan | None = None
    measure: Measuring = Measuring()

    @classmethod
    def read(cls, path: Path | str) -> Protocol:
        """Read a TOML file, or a packaged protocol by its name.

        Raises
        ------
        RefuseRun
            Where the file cannot be read, a key is unknown, a value cannot be, or two tables contradict.
        """
        name = str(path)
        if "/" not in name and "\\" not in name and not name.endswith(".toml"):
            if name not in cls.packaged():
                fix = did_you_mean(name, cls.packaged())
                raise RefuseRun(
                    "", "protocol", f"'{name}'", "the path of a .toml file or a packaged protocol", fix
                )
            path = Path(str(_FOLDER / f"{name}.toml"))
        try:
            tables = files.read_toml(Path(path))
        except InputError as error:
            raise RefuseRun(*error.args) from None
        return cls.from_tables(tables, file=files.relative(Path(path), None))

    @classmethod
    def from_tables(cls, tables: dict[str, Any], *, file: str = "") -> Protocol:
        """A protocol from the tables of its TOML file; RefuseRun names `file`."""
        try:
            protocol = cls.model_validate(_frozen(tables))
        except ValidationError as error:
            raise RefuseRun(file, *first_fault(error, cls)) from None
        if problem := next(problems(protocol), None):
            raise RefuseRun(file, *problem)
        return protocol

    def write(self, path: Path | str) -> None:
        """Write the protocol with every setting, defaults too; reading it gives the same protocol."""
        files.atomic_write(Path(path), dump(self.model_dump(exclude_none=True)).encode())

    @staticmethod
    def packaged() -> list[str]:
        """The names of the protocols that come with the package."""
        return sorted(
            file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")
        )

    @property
    def primary(self) -> Endpoint:
        """The primary endpoint."""
        return next(endpoint for endpoint in self.endpoint if endpoint.role == "primary")

    @property
    def reference(self) -> Arm | None:
        """The arm that the others are compared with; None in a crossover, where treatments are compared.

        In a delayed-start trial it is the arm that begins with placebo.
        """
        if self.trial.reference is not None:
            return next(arm for arm in self.arm if arm.id == self.trial.reference)
        if self.trial.design == "delayed-start":
            return next((arm for arm in self.arm if arm.sequence[:1] == (PLACEBO,)), None)
        return next((arm for arm in self.arm if arm.is_placebo), None)

    @property
    def compared(self) -> tuple[str, ...]:
        """What is compared, the reference first: the arms, or the treatments of a crossover.

        Examples
        --------
        >>> Protocol.read("ccmr-one").compared, Protocol.read("rebuild").compared
        (('placebo', 'bexarotene'), ('placebo', 'clemastine'))
        """
        first = self.reference.id if self.reference else PLACEBO
        names = [arm.id for arm in self.arm]
        if self.trial.design == "crossover":
            names = sorted({treatment for arm in self.arm for treatment in arm.sequence})
            first = PLACEBO
        return tuple(sorted(names, key=lambda name: name != first))

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The tests of `[multiplicity]` in their order: each endpoint, or ``endpoint:arm`` with several."""
        listed = self.multiplicity.endpoints if self.multiplicity else ()
        ranked = sorted(self.endpoint, key=lambda each: each.role != "primary")
        ids = listed or [each.id for each in ranked if each.role != "exploratory"]
        if self.multiplicity and self.multiplicity.method == "dunnett" and not listed:
            ids = [self.primary.id]
        others = self.compared[1:]
        return tuple(f"{name}:{arm}" if len(others) > 1 else name for name in ids for arm in others)


_FOLDER = resources.files("remyelin") / "protocols"


def _frozen(value: Any) -> Any:
    """The same tables with tuples for lists: the models are strict, and frozen all the way down."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
