from .measurements import Measurements as Measurements
from .measures import MEASURES as MEASURES
from .measures import Measure as Measure
from .results import Results as Results
from .rules import KEY as KEY
