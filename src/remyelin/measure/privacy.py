"""Traces of a person's identity in headers and sidecars. They are reported, never repeated."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from remyelin.errors import Flag

# A DICOM person name (FAMILY^GIVEN), "Family, Given", a birth date; not "FSL5.0" nor "TE=5;Time=101530.000".
_NAME = re.compile(r"[^\W\d]\^+[^\W\d]|\b[A-Z][a-z'-]+, ?[A-Z][a-z]+|\b[A-Z][a-z]+_[A-Z][a-z]+\b")
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-/.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?:0[1-9]|[12]\d|3[01])([-/.])(?:0[1-9]|1[0-2])\2(?:19|20)\d\d(?!\d)"
)
_TEXT_FIELDS = ("descrip", "aux_file", "db_name", "intent_name")
_DICOM_EXTENSION = 2
# PatientPosition (head first, supine) tells how the person lay, not who it was.
_HARMLESS = {"patientposition"}
_TELLING = {
    "accessionnumber",
    "medicalrecordlocator",
    "operatorsname",
    "otherpatientids",
    "performingphysicianname",
    "referringphysicianname",
}
_FIX = "remove it before the image leaves the site (its content is not repeated here)"


def looks_personal(text: str) -> bool:
    """Whether a text holds what looks like a person's name or a full date.

    Examples
    --------
    >>> looks_personal("DOE^JOHN"), looks_personal("FSL5.0"), looks_personal("TE=5;Time=101530.000")
    (True, False, False)
    """
    return bool(_NAME.search(text) or _DATE.search(text))


def header_flags(header: Any, extensions: bytes, file: str) -> list[Flag]:
    """Flags for text fields and extensions of a NIfTI header that may identify the person."""
    flags = []
    for field in _TEXT_FIELDS:
        if field in header and looks_personal(bytes(header[field]).decode("latin-1")):
            flags.append(_flag(file, f"identifying text in header field {field}"))
    for code, content in _extensions(extensions, header.endianness):
        if code == _DICOM_EXTENSION or looks_personal(content.decode("latin-1")):
            flags.append(_flag(file, f"identifying text in header extension {code}"))
    return flags


def sidecar_flags(values: Mapping[str, object], sources: Mapping[str, str]) -> list[Flag]:
    """Flags for keys of a sidecar that name the person, at any depth; `sources` gives each top key's file."""
    return [
        _flag(sources.get(top, ""), f"identifying key {key}")
        for top, value in values.items()
        for key in _personal_keys({top: value})
    ]


def _personal_keys(tree: object) -> list[str]:
    found: list[str] = []
    layer: list[object] = [tree]
    while layer:
        item = layer.pop()
        if isinstance(item, dict):
            found += [key for key in item if _is_personal(key)]
            layer += item.values()
        elif isinstance(item, list):
            layer += item
    return found


def _is_personal(key: str) -> bool:
    plain = key.casefold()
    return plain in _TELLING or (plain.startswith("patient") and plain not in _HARMLESS)


def _extensions(block: bytes, order: str) -> list[tuple[int, bytes]]:
    """(code, content) of each header extension; a broken chain ends the list, for nothing depends on it."""
    found, at = [], 4
    while len(block) >= at + 8 and block[0]:
        size, code = struct.unpack(order + "2i", block[at : at + 8])
        if size < 16 or at + size > len(block):
            break
        found.append((code, block[at + 8 : at + size]))
        at += size
    return found


def _flag(file: str, field: str) -> Flag:
    return Flag(file, field, "present", "nothing that identifies a person (privacy)", _FIX)
