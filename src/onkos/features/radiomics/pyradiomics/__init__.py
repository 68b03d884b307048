"""Translation of PyRadiomics parameter files to Onkos settings, with a list of differences."""

from onkos.features.radiomics.pyradiomics.notes import Difference
from onkos.features.radiomics.pyradiomics.translation import (
    Translation,
    is_parameters,
    translate,
)

__all__ = ["Difference", "Translation", "is_parameters", "translate"]
