"""Traces of a person's identity in the header of a recording. They are reported, never repeated."""

from __future__ import annotations

import re

from remyelin.errors import Flag
from remyelin.measure.privacy import looks_personal

_FIX = (
    "blank the field (in EDF: 'X X X X') before the file leaves the site (its content is not repeated here)"
)
# What stands in the field when nobody is named: EDF+ writes X for what is withheld.
_NOBODY = {
    "x",
    "m",
    "f",
    "male",
    "female",
    "anonymous",
    "anonymized",
    "anonymised",
    "unknown",
    "none",
    "n/a",
    "na",
}
_CODE = re.compile(r"[A-Za-z]{0,5}[-_]?\d[A-Za-z0-9_-]*")
_BIRTH = re.compile(r"\d{2}-[A-Za-z]{3}-\d{4}")


def edf_identity(patient: str, recording: str, file: str) -> list[Flag]:
    """Flags for the patient and the recording field of EDF, if they may identify a person.

    A code (`sub-01`) and a sex are no identity; a name or a birth date is. The recording field holds the
    date of the recording by rule; a name that is written as a patient's is not part of that.

    Examples
    --------
    >>> edf_identity("X X X X", "Startdate 01-JAN-2024 X X X", "a.edf")
    []
    >>> len(edf_identity("0042 F 03-FEB-1981 Doe", "", "a.edf"))
    1
    """
    flags = []
    words = [word for word in patient.split() if word.casefold() not in _NOBODY]
    if any(_BIRTH.fullmatch(word) or not _CODE.fullmatch(word) for word in words) or looks_personal(patient):
        flags.append(identity_flag(file, "patient field of the EDF header"))
    if looks_personal(recording):
        flags.append(identity_flag(file, "recording field of the EDF header"))
    return flags


def identity_flag(file: str, field: str) -> Flag:
    """The flag of a field that may identify a person."""
    return Flag(file, field, "identifying text", "nothing that identifies a person (privacy)", _FIX)
