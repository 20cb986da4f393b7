from .cortex import Cortex as Cortex
from .delays import Delays as Delays
from .eeg import EegNoise as EegNoise
from .vep import VepResponse as VepResponse
from .vep import vep_response as vep_response
