# The statistics by name. No module here is called like a function: importing the module would hide it.
from .linear import ancova as ancova
from .meta import meta_analysis as meta_analysis
from .meta import three_level as three_level
