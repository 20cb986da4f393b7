"""Run the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError, UnusedCliTokensError

from remyelin.errors import RemyelinError
from remyelin.files.atomic import named

from .application import app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line, never in a traceback."""
    try:
        tokens = sys.argv[1:] if arguments is None else arguments
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        error.verbose = False
        sys.stderr.write(f"{_wrong_usage(error)} See `remyelin --help`.\n")
        code = 2
    except RemyelinError as error:
        sys.stderr.write(f"{error}\n")
        code = 1
    except BrokenPipeError:  # whoever read our output, `head` say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        sys.stderr.write(f"{_meant_file(error)}: {error.strerror}. What is finished is kept.\n")
        code = 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What is finished is kept; run the same command to go on.\n")
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _wrong_usage(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError):
        command = " ".join(("remyelin", *(error.command_chain or ())))
        return f"`{command}` takes fewer words; too many are: {' '.join(error.unused_tokens or ())}."
    return " ".join(str(error).split())


def _meant_file(error: OSError) -> str:
    """The file that was to be written, not the temporary one beside it."""
    return named(error.filename) if error.filename else "disk"
