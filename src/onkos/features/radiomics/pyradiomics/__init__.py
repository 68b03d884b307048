"""Parameter files of PyRadiomics, understood: settings of ours and every difference named."""

from onkos.features.radiomics.pyradiomics.notes import Difference
from onkos.features.radiomics.pyradiomics.translation import (
    Translation,
    is_parameters,
    translate,
)

__all__ = ["Difference", "Translation", "is_parameters", "translate"]
