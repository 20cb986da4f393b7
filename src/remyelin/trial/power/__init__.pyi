from .proportions import power_proportions as power_proportions
from .proportions import sample_size_proportions as sample_size_proportions
from .size import SampleSize as SampleSize
from .size import detectable_effect as detectable_effect
from .size import sample_size as sample_size
from .size import trial_power as trial_power
from .spread import Spread as Spread
