"""One family of errors: where, what was found, what was expected, how to put it right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

FIELDS = ("file", "field", "found", "expected", "fix")


def _line(file: str, field: str, found: str, expected: str, fix: str) -> str:
    where = f"{file}: {field}" if file else field
    return f"{where} is {found}, expected {expected}. Fix: {fix}" + ("" if fix.endswith("?") else ".")


def did_you_mean(word: str, options: Iterable[str], limit: int = 12) -> str:
    """The words of a fix: the option most like `word`, or, where none is like it, the options.

    Zero padding that was lost is the likeliest slip of all, so it goes before any likeness of letters.

    Examples
    --------
    >>> did_you_mean("powr", ["power", "seed"])
    "did you mean 'power'?"
    >>> did_you_mean("sub-2", ["sub-12", "sub-02"])
    "did you mean 'sub-02'?"
    >>> did_you_mean("zzz", ["power", "seed"])
    'use one of power, seed'
    """
    names = list(dict.fromkeys(options))
    unpadded = [name for name in names if _unpadded(name) == _unpadded(word)]
    nearest = unpadded or difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if nearest:
        return f"did you mean '{nearest[0]}'?"
    listed = ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
    return f"use one of {listed}" if names else "take it out"


def _unpadded(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold())


class RemyelinError(ValueError):
    """What every error of this package is: five facts and one line that a clinician understands.

    Parameters
    ----------
    file
        Path relative to the dataset, or the name of the table or protocol; empty for an argument.
    field
        The header field, column, option or quantity that is wrong.
    found, expected
        What stands there and what should.
    fix
        What the user can do about it.

    Examples
    --------
    >>> print(InputError("sub-03_mt-on_MTR.json", "MTState", "false", "true in an mt-on file",
    ...                  "exchange the names of the mt-on and mt-off files, or correct the JSON"))
    sub-03_mt-on_MTR.json: MTState is false, expected true in an mt-on file. Fix: exchange the names ...
    """

    def __init__(self, file: str, field: str, found: str, expected: str, fix: str) -> None:
        # Positional, so that the error survives the way back from a worker process.
        super().__init__(file, field, found, expected, fix)
        self.file, self.field, self.found, self.expected, self.fix = file, field, found, expected, fix

    def __str__(self) -> str:
        return _line(self.file, self.field, self.found, self.expected, self.fix)

    def facts(self) -> dict[str, str]:
        """The five facts by name, as they stand in `failures.tsv`."""
        return {name: getattr(self, name) for name in FIELDS}


class InputError(RemyelinError):
    """This item cannot be used; the others are finished without it."""


class RefuseRun(RemyelinError):
    """Nothing may be analysed until this is put right: blinding, a protocol that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something doubtful that does not stop a measurement but must travel with it.

    `quality` is ``"flag"`` (look at it) or ``"fail"`` (do not use it in the primary analysis).
    """

    file: str
    field: str
    found: str
    expected: str
    fix: str
    quality: str = "flag"

    def __str__(self) -> str:
        return _line(self.file, self.field, self.found, self.expected, self.fix)

    def facts(self) -> dict[str, str]:
        """The five facts and the quality by name, as they stand in `flags.tsv`."""
        return asdict(self)
