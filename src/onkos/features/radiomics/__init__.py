"""Radiomic features to the reference of the Image Biomarker Standardisation Initiative."""

from onkos.features.radiomics.extract import radiomics
from onkos.features.radiomics.filtered import Filtering
from onkos.features.radiomics.normalisation import Normalisation
from onkos.features.radiomics.settings import Settings
from onkos.features.radiomics.table import Table

__all__ = ["Filtering", "Normalisation", "Settings", "Table", "radiomics"]
