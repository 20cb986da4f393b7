"""Eyes and check sizes, as file names, columns and marks spell them."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from remyelin.errors import InputError

_EYES = {
    "od": "OD",
    "r": "OD",
    "re": "OD",
    "right": "OD",
    "os": "OS",
    "l": "OS",
    "le": "OS",
    "left": "OS",
    "ou": "OU",
    "both": "OU",
    "binocular": "OU",
}
_FIELD = re.compile(r"hemi|field|visual", re.IGNORECASE)
MISSING = ("", "n/a", "N/A")
_ACQ = re.compile(r"(od|os|ou)?(?:(\d+(?:p\d+)?)min)?", re.IGNORECASE)
# Checks of less than 2 arcmin are beyond the acuity of an eye; 0.25 and 1 are the usual sizes in degrees.
_LEAST_ARCMIN = 2.0
_MOST_ARCMIN = 600.0


class Stated(NamedTuple):
    """Eye (`OD`, `OS`, `OU`; empty if not told) and check size (None if not told)."""

    eye: str = ""
    check_arcmin: float | None = None


def from_acq(label: str) -> Stated:
    """What the entity `acq` of a file name tells.

    Examples
    --------
    >>> from_acq("od60min"), from_acq("os")
    (Stated(eye='OD', check_arcmin=60.0), Stated(eye='OS', check_arcmin=None))
    """
    match = _ACQ.fullmatch(label)
    if match is None:
        return Stated()
    check = None if match[2] is None else float(match[2].casefold().replace("p", "."))
    return Stated((match[1] or "").upper(), check)


def eye_in(text: str) -> str:
    """The eye that a mark or `trial_type` tells: `reversal/L` is `OS`; empty if it tells none.

    A half of the visual field is no eye.
    """
    if _FIELD.search(text):
        return ""
    words = re.split(r"[^A-Za-z]+", text.casefold())
    return next((_EYES[word] for word in reversed(words) if word in _EYES), "")


def eye(text: object, file: str, field: str) -> str:
    """The eye that a column or key states; empty for `n/a`.

    Raises
    ------
    InputError
        Another word.
    """
    word = "" if text is None else str(text).strip()
    if word in MISSING:
        return ""
    if word.casefold() not in _EYES:
        raise InputError(file, field, repr(word), "the eye: OD (right) or OS (left)", "correct it")
    return _EYES[word.casefold()]


def check_size(text: object, file: str, field: str) -> float | None:
    """The check size that a column or key states, in minutes of arc; None for `n/a`.

    Raises
    ------
    InputError
        Not a number, or one that can be no size in minutes of arc (degrees, as likely).
    """
    word = "" if text is None else str(text).strip()
    if word in MISSING:
        return None
    fix = "state the side of one check in minutes of arc (1 degree is 60)"
    try:
        value = float(word)
    except ValueError:
        raise InputError(file, field, repr(word), "a number of arcmin", fix) from None
    if not math.isfinite(value) or not _LEAST_ARCMIN <= value <= _MOST_ARCMIN:
        hint = ", as if in degrees" if 0 < value < _LEAST_ARCMIN else ""
        raise InputError(file, field, f"{word}{hint}", "2 to 600 arcmin", fix)
    return value


def agreed(told: list[tuple[str, Stated]], file: str) -> Stated:
    """What several places tell together.

    Parameters
    ----------
    told
        Place (`file name`, `column eye`) and what it tells.

    Raises
    ------
    InputError
        If two disagree on the eye or the check size.
    """
    eyes = [(place, one.eye) for place, one in told if one.eye]
    sizes = [(place, f"{one.check_arcmin:g}") for place, one in told if one.check_arcmin is not None]
    for field, values in (("eye", eyes), ("check size", sizes)):
        if len({value for _, value in values}) > 1:
            found = ", but ".join(f"{value} in the {place}" for place, value in dict(values).items())
            fix = "check the recording log; correct the file name or the table"
            raise InputError(file, field, found, f"one {field}", fix)
    return Stated(eyes[0][1] if eyes else "", float(sizes[0][1]) if sizes else None)
