"""What is true in recordings of a virtual trial: tables in a folder that no analysis reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bids import write_json, write_tsv
from .patient import Patients
from .true_tables import true_tables

if TYPE_CHECKING:
    import pandas as pd

LESIONS = (
    "participant_id", "arm", "visit", "day", "lesion", "mtr_pu", "drawn_mtr_pu", "volume_mm3", "drawn_mm3",
    "x_mm", "y_mm", "z_mm",
)  # fmt: skip
EYES = (
    "participant_id", "arm", "visit", "day", "eye", "check_arcmin", "affected", "state", "latency_ms",
    "amplitude_uv",
)  # fmt: skip
COLUMNS = {
    "mtr_pu": "of the lesion's own tissue at the nominal transmit field",
    "drawn_mtr_pu": "of the voxels drawn, on images without noise and movement; n/a where none was drawn",
    "volume_mm3": "of the lesion",
    "drawn_mm3": "of the reader's mask",
    "x_mm": "middle of the lesion in the world of that visit's MT-off image; so y_mm and z_mm",
    "affected": "whether the optic nerve has a lesion",
    "latency_ms": "of the P100 after the light; n/a where there is none",
    "amplitude_uv": "from N75 to P100",
    "left_day": "when somebody left the trial; n/a for those who stay",
}


@dataclass(frozen=True)
class Truth:
    """Where a virtual trial was written, and what is true in it.

    Parameters
    ----------
    dataset
        The BIDS dataset.
    allocation
        The sealed allocation, a TSV `participant_id, arm` beside the dataset.
    folder
        The truth, which no analysis reads: the tables below, `poses.json`, `premises.tsv`, `columns.json`.
    participants
        A row a participant.
    lesions
        A row a lesion and visit, columns `LESIONS`; empty without images.
    eyes
        A row an eye, visit and check size, columns `EYES`; empty without potentials.
    """

    dataset: Path
    allocation: Path
    folder: Path
    participants: pd.DataFrame
    lesions: pd.DataFrame
    eyes: pd.DataFrame


def write_truth(
    dataset: Path, allocation: Path, folder: Path, patients: Patients, found: Mapping[str, Mapping[str, Any]]
) -> Truth:
    """Write the truth of one trial; `found` is what was recorded, by participant."""
    arms = dict(zip(patients.ids, patients.arms[0].tolist(), strict=True))
    people = true_tables(patients)["participants"].drop(columns="trial")
    tables = (people, _frame(found, arms, "lesions", LESIONS), _frame(found, arms, "eyes", EYES))
    for name, table in zip(("participants", "lesions", "eyes"), tables, strict=True):
        _write(folder / f"{name}.tsv", table)
    _write(folder / "premises.tsv", patients.premises.to_frame())
    write_json(folder / "poses.json", {name: each["poses"] for name, each in found.items()})
    write_json(folder / "columns.json", COLUMNS)
    return Truth(dataset, allocation, folder, *tables)


def _write(path: Path, table: pd.DataFrame) -> None:
    columns = [str(name) for name in table.columns]
    rows = ({name: row[k] for k, name in enumerate(columns)} for row in table.itertuples(index=False))
    write_tsv(path, columns, rows)


def _frame(
    found: Mapping[str, Mapping[str, Any]], arms: Mapping[str, str], what: str, columns: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    rows = [{**row, "arm": arms[name]} for name, each in found.items() for row in each[what]]
    return pd.DataFrame(rows, columns=list(columns))
