# The statistics by name. No module here is called like a function: importing the module would hide it.
from .linear import ancova as ancova
