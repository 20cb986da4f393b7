"""The output folder as a page reads it: tables, settings and maps; whatever is not there yet is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError
from remyelin.files import read_json, read_text, read_toml, read_tsv

from .words import sentence

if TYPE_CHECKING:
    import pandas as pd

    from remyelin.tables import Measurements

ENDPOINT_NUMBERS = (
    "baseline",
    "follow_up",
    "change",
    "se",
    "n_sites",
    "n_selected",
    "rtm",
    "change_rtm_removed",
    "change_precision_weighted",
)


@dataclass(frozen=True)
class Outputs:
    """The output folder `root`, read when asked for."""

    root: Path

    @property
    def measurements(self) -> pd.DataFrame:
        """All measurements as a frame; InputError when the group level has not been run."""
        return self.table.frame

    @cached_property
    def table(self) -> Measurements:
        """All measurements; InputError when the group level has not been run."""
        from remyelin.tables import Measurements

        for name in ("measurements.parquet", "measurements.tsv"):
            if (self.root / name).is_file():
                return Measurements.read(self.root / name, root=self.root)
        raise InputError(
            "measurements.parquet",
            "table",
            "absent",
            "in the output folder",
            "run `remyelin measure BIDS OUT group` first",
        )

    @cached_property
    def covariates(self) -> pd.DataFrame:
        """`participants.tsv`; empty where there is none."""
        from remyelin.measure.covariates import read_covariates

        return read_covariates(self.root / "participants.tsv", self.root).frame()

    def of_participant(self, participant_id: str) -> pd.DataFrame:
        """The measurements of one participant; InputError when there are none."""
        from remyelin.tables import Measurements

        path = self.root / participant_id / f"{participant_id}_measurements.tsv"
        if not path.is_file():
            found = "absent"
            fix = "measure this participant first, or correct the name"
            raise InputError(f"{participant_id}/{path.name}", "table", found, "in the output folder", fix)
        return Measurements.read(path, root=self.root).frame

    def flags_of(self, participant_id: str) -> list[dict[str, str]]:
        """The flags of one participant, with five facts each."""
        return self._rows(f"{participant_id}/{participant_id}_flags.tsv")

    @cached_property
    def results(self) -> pd.DataFrame | None:
        """Treatment effects; None before `analyse`."""
        from remyelin.tables import Results

        for name in ("results.parquet", "results.tsv"):
            if (self.root / name).is_file():
                return Results.read(self.root / name, root=self.root).frame
        return None

    @cached_property
    def endpoints(self) -> pd.DataFrame | None:
        """One row a participant and endpoint; None before `analyse`."""
        import pandas as pd

        if not (self.root / "endpoints.tsv").is_file():
            return None
        frame = pd.DataFrame(self._rows("endpoints.tsv"), dtype=object)
        for name in ENDPOINT_NUMBERS:
            cells = frame[name] if name in frame else pd.Series(index=frame.index, dtype=object)
            frame[name] = pd.to_numeric(cells.replace({"n/a": None, "": None}), errors="coerce").astype(float)
        for name in ("endpoint", "participant_id", "arm", "quality", "reason"):
            frame[name] = frame[name].replace({"n/a": ""}) if name in frame else ""
        return frame

    @cached_property
    def attrition(self) -> list[dict[str, str]]:
        """Steps of `analyse` that left something out: `step, participants, sites, reason`."""
        return self._rows("attrition.tsv")

    @cached_property
    def reported(self) -> list[dict[str, str]]:
        """Prespecified results as text; empty before `analyse`."""
        return self._rows("reported.tsv")

    @cached_property
    def baseline(self) -> list[dict[str, str]]:
        """The baseline table: `characteristic, statistic`, the arms, `all`; empty before `analyse`."""
        return self._rows("baseline.tsv")

    @cached_property
    def consort(self) -> list[dict[str, str]]:
        """Numbers of the flow diagram: `stage, arm, participants, reason`; empty before `analyse`."""
        return self._rows("consort.tsv")

    @cached_property
    def failures(self) -> list[dict[str, str]]:
        """What could not be used, with five facts each."""
        return self._rows("failures.tsv")

    @cached_property
    def flags(self) -> list[dict[str, str]]:
        """What is doubtful, with five facts and the quality each."""
        return [*self._rows("flags.tsv"), *self._rows("analysis_flags.tsv")]

    @cached_property
    def methods(self) -> str:
        """The methods text of `analyse`; empty before."""
        path = self.root / "methods.txt"
        return read_text(path, self.root).strip() if path.is_file() else ""

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """dataset_description.json; empty where there is none."""
        path = self.root / "dataset_description.json"
        return read_json(path, self.root) if path.is_file() else {}

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The tables of remyelin.toml (how it was measured) and protocol.toml (the trial), where they are."""
        found = [self.root / name for name in ("remyelin.toml", "protocol.toml")]
        return {key: value for path in found if path.is_file() for key, value in read_toml(path).items()}

    @property
    def makers(self) -> list[Mapping[str, str]]:
        """GeneratedBy of the description: who made the measurements and, for virtual data, the recordings."""
        listed = self.description.get("GeneratedBy", [])
        return [maker for maker in listed if isinstance(maker, dict)] if isinstance(listed, list) else []

    @property
    def virtual(self) -> str:
        """What is to be said of virtual data; empty for people's."""
        said = (str(m.get("Description", "")) for m in self.makers if "virtual" in str(m.get("Name", "")))
        return sentence(next(said, "").removeprefix("Virtual data: "))

    def _rows(self, name: str) -> list[dict[str, str]]:
        path = self.root / name
        return read_tsv(path, self.root) if path.is_file() else []
