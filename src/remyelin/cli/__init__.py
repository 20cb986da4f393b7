"""The command line: parse, call, print."""

from . import commands as commands
from . import evidence as evidence
from . import evidence_add as evidence_add
from . import forecast as forecast
from . import simulate as simulate
from .application import app as app
from .main import main as main
