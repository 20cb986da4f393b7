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
from .power import Spread as Spread
from .power import detectable_effect as detectable_effect
from .power import plan as plan
from .power import power_proportions as power_proportions
from .power import sample_size as sample_size
from .power import sample_size_proportions as sample_size_proportions
from .power import trial_power as trial_power
