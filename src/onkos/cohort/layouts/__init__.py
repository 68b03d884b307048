"""Public data sets as they lie on disk: from a folder to a cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onkos.cohort.layouts.brain_4class import brain_4class
from onkos.cohort.layouts.brats2013 import brats2013
from onkos.cohort.layouts.busi import busi, busi_outlined
from onkos.cohort.layouts.kits19 import kits19_grade, kits19_outlined, kits19_stage
from onkos.cohort.layouts.lgg import lgg_grade, lgg_slices
from onkos.cohort.layouts.lidc import lidc_voi
from onkos.cohort.layouts.lung1 import lung1
from onkos.cohort.layouts.mias import mias, mias_severity
from onkos.cohort.layouts.picai import picai
from onkos.cohort.layouts.ucsf_pdgm import ucsf_pdgm
from onkos.core.case import Cohort

LAYOUTS: dict[str, Callable[[Path], Cohort]] = {
    "brain-4class": brain_4class,
    "brats2013": brats2013,
    "busi": busi,
    "busi-outlined": busi_outlined,
    "kits19-grade": kits19_grade,
    "kits19-outlined": kits19_outlined,
    "kits19-stage": kits19_stage,
    "lgg-grade": lgg_grade,
    "lgg-slices": lgg_slices,
    "lidc-voi": lidc_voi,
    "lung1": lung1,
    "mias": mias,
    "mias-severity": mias_severity,
    "picai": picai,
    "ucsf-pdgm": ucsf_pdgm,
}
