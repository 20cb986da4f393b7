"""`python -m remyelin.cli`."""

from . import main

main()
