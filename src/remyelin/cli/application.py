"""The application that commands join, and what they share: common options, and one way to answer."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Annotated, Any

from cyclopts import App, Parameter

app = App(
    name="remyelin",
    help="Trials of remyelinating treatments in multiple sclerosis: measured, analysed and reported.\n\n"
    "A research tool, not a medical device.\n\n"
    "Exit code 0: all done. 1: something could not be done, and is named; the rest is finished. "
    "2: wrong usage. 130: stopped by Ctrl-C.",
    version=lambda: version("remyelin"),
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="Start with `remyelin demo`: a virtual trial, from raw recordings to a report.",
)

Labels = Annotated[
    list[str] | None,
    Parameter(name=["--participant-label", "--participant_label"], consume_multiple=1, negative=()),
]
Json = Annotated[bool, Parameter(name="--json", negative=())]


def say(summary: Any, as_json: bool) -> int:
    """Print a summary, as text or as JSON, and give its exit code.

    Parameters
    ----------
    summary
        Has `__str__`, `to_dict` and `exit_code`.
    as_json
        What `--json` says.
    """
    print(json.dumps(summary.to_dict(), indent=1, sort_keys=True) if as_json else str(summary))  # noqa: T201
    return int(summary.exit_code)
