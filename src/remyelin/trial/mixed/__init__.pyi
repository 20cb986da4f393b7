from .batch import Fits as Fits
from .batch import fit_each as fit_each
from .batch import fit_many as fit_many
from .fit import MixedFit as MixedFit
from .model import mixed_model as mixed_model
from .spec import Spec as Spec
