from .detection import Detection as Detection
from .detection import detect as detect
from .latency import P100 as P100
from .latency import p100 as p100
from .shift import Shift as Shift
from .shift import latency_shift as latency_shift
