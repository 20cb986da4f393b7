from .trials import TrialFits as TrialFits
from .trials import fit_trials as fit_trials
