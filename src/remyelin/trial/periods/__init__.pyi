from .carry import remaining_effect as remaining_effect
from .fit import crossover as crossover
from .result import Crossover as Crossover
