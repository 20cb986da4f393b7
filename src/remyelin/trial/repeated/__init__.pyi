from .model import mmrm as mmrm
from .result import MmrmFit as MmrmFit
from .spec import Spec as Spec
from .trials import TrialFits as TrialFits
from .trials import fit_trials as fit_trials
