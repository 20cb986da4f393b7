"""Where white matter, grey matter and CSF are, read from the user's segmentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag, InputError

BoolArray = NDArray[np.bool_]

# Codes and abbreviations that BIDS reserves (common image-derived labels).
_BIDS_CODE = {1: "grey", 2: "white", 3: "csf", 8: "grey", 9: "grey"}
_ABBREVIATION = {"GM": "grey", "CGM": "grey", "SGM": "grey", "WM": "white", "CSF": "csf"}
_NAME = {
    "white": re.compile(r"white matter|\bwm\b"),
    "grey": re.compile(r"gr[ae]y matter|\bgm\b|cortex"),
    "csf": re.compile(r"\bcsf\b|cerebrospinal fluid|ventricle"),
}
_NO_TISSUE = re.compile(r"lesion|hyperintens|hypointens|non |background|unknown")


@dataclass(frozen=True, slots=True)
class Tissue:
    """Where white matter, grey matter and CSF are, (x, y, z) bool each, and what is doubtful about it."""

    white: BoolArray
    grey: BoolArray
    csf: BoolArray
    flags: tuple[Flag, ...] = ()


def tissue_classes(
    dseg: NDArray[np.integer], table: Sequence[Mapping[str, str]] | None, *, file: str = ""
) -> Tissue:
    """Read the three classes out of a discrete segmentation.

    Parameters
    ----------
    dseg
        (x, y, z) whole numbers, on the MT-off grid.
    table
        Rows of the `*_dseg.tsv` beside it: `index` and `name`, perhaps `abbreviation` and `mapping` (to the
        codes of BIDS). None: the codes of BIDS itself (1 grey, 2 white, 3 CSF), with a flag, because FSL and
        others number differently; `check_tissue` then tells by the MTR.
    file
        Name for messages.

    Returns
    -------
    Tissue

    Raises
    ------
    InputError
        A row without a whole-number index, or no class of white matter.

    References
    ----------
    BIDS, imaging derivatives, "Common image-derived labels".

    Examples
    --------
    >>> rows = [{"index": "1", "name": "CSF"}, {"index": "3", "name": "White Matter"}]
    >>> tissue = tissue_classes(np.array([[[0, 1, 3]]]), rows)
    >>> tissue.white.ravel().tolist(), tissue.csf.ravel().tolist()
    ([False, False, True], [False, True, False])
    """
    flags: tuple[Flag, ...] = ()
    if table is None:
        classes = dict(_BIDS_CODE)
        expected = "a table that names the classes"
        fix = "write the table beside the image; read here as 1 grey, 2 white, 3 CSF (BIDS)"
        flags = (Flag(file, "dseg.tsv", "missing", expected, fix),)
    else:
        classes = {_index(row, file): kind for row in table if (kind := _class_of(row))}
    if "white" not in classes.values():
        names = ", ".join(sorted(str(row.get("name", "")) for row in table or ()))
        raise InputError(
            file, "dseg.tsv", f"without white matter ({names})", "a class named white matter or WM",
            "name it so, or map it to code 2 in the column 'mapping'",
        )  # fmt: skip
    found = {kind: [code for code, k in classes.items() if k == kind] for kind in _NAME}
    return Tissue(**{kind: np.isin(dseg, codes) for kind, codes in found.items()}, flags=flags)


def _class_of(row: Mapping[str, str]) -> str | None:
    mapping = row.get("mapping", "").strip()
    if mapping.isdigit():
        return _BIDS_CODE.get(int(mapping))
    if kind := _ABBREVIATION.get(row.get("abbreviation", "").strip().upper()):
        return kind
    name = re.sub(r"[^a-z0-9]+", " ", row.get("name", "").lower())
    if _NO_TISSUE.search(name):
        return None
    return next((kind for kind, pattern in _NAME.items() if pattern.search(name)), None)


def _index(row: Mapping[str, str], file: str) -> int:
    text = row.get("index", "").strip()
    if not re.fullmatch(r"\d+", text):
        raise InputError(
            file, "index", repr(text), "a whole number", "give each class its number in the image"
        )
    return int(text)
