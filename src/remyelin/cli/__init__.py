"""The command line: parse, call, print."""

from . import commands as commands
from . import evidence as evidence
from .application import app as app
from .main import main as main
