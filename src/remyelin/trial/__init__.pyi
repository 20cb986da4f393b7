# The statistics by name. No module here is called like a function: importing the module would hide it.
from .linear import ancova as ancova
from .meta import meta_analysis as meta_analysis
from .meta import three_level as three_level
from .repeated import mmrm as mmrm
from .sequential import group_sequential as group_sequential
from .sequential import monitor as monitor
from .sequential import multi_arm as multi_arm
from .sequential import power_means as power_means
from .sequential import sample_size_means as sample_size_means
from .sequential import sample_size_rates as sample_size_rates
