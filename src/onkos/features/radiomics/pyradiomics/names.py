"""PyRadiomics and Onkos features: which agree, which differ and why, which are missing here.

What is called the same is equal to a millionth of PyRadiomics' published baseline
(``tests/golden/test_pyradiomics.py``).

References
----------
van Griethuysen JJM et al. Computational radiomics system to decode the radiographic phenotype.
Cancer Res 2017;77:e104-e107. doi:10.1158/0008-5472.CAN-17-0339
"""

from __future__ import annotations

from onkos.features.radiomics.catalogue import endings


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


#: Of each class: PyRadiomics' name -> ours, as family and feature, without aggregation.
SAME: dict[str, dict[str, str]] = {
    "firstorder": _pairs("""
        InterquartileRange stat_iqr Skewness stat_skew Uniformity ih_uniformity Median stat_median
        RobustMeanAbsoluteDeviation stat_rmad MeanAbsoluteDeviation stat_mad Maximum stat_max
        90Percentile stat_p90 Minimum stat_min Entropy ih_entropy Range stat_range
        Variance stat_var 10Percentile stat_p10 Mean stat_mean
    """),
    "shape": _pairs("""
        Maximum3DDiameter morph_diam Sphericity morph_sphericity Elongation morph_pca_elongation
        SurfaceVolumeRatio morph_av MeshVolume morph_volume SurfaceArea morph_area_mesh
        Flatness morph_pca_flatness VoxelVolume morph_vol_approx
    """),
    "glcm": _pairs("""
        JointAverage cm_joint_avg SumAverage cm_sum_avg JointEntropy cm_joint_entr
        ClusterShade cm_clust_shade MaximumProbability cm_joint_max Idmn cm_inv_diff_mom_norm
        JointEnergy cm_energy Contrast cm_contrast DifferenceEntropy cm_diff_entr
        InverseVariance cm_inv_var DifferenceVariance cm_diff_var Idn cm_inv_diff_norm
        Idm cm_inv_diff_mom Correlation cm_corr Autocorrelation cm_auto_corr
        SumEntropy cm_sum_entr SumSquares cm_joint_var ClusterProminence cm_clust_prom
        Imc2 cm_info_corr2 Imc1 cm_info_corr1 DifferenceAverage cm_diff_avg Id cm_inv_diff
        ClusterTendency cm_clust_tend
    """),
    "glrlm": _pairs("""
        ShortRunEmphasis rlm_sre LongRunEmphasis rlm_lre LowGrayLevelRunEmphasis rlm_lgre
        HighGrayLevelRunEmphasis rlm_hgre ShortRunLowGrayLevelEmphasis rlm_srlge
        ShortRunHighGrayLevelEmphasis rlm_srhge LongRunLowGrayLevelEmphasis rlm_lrlge
        LongRunHighGrayLevelEmphasis rlm_lrhge GrayLevelNonUniformity rlm_glnu
        GrayLevelNonUniformityNormalized rlm_glnu_norm RunLengthNonUniformity rlm_rlnu
        RunLengthNonUniformityNormalized rlm_rlnu_norm RunPercentage rlm_r_perc
        GrayLevelVariance rlm_gl_var RunVariance rlm_rl_var RunEntropy rlm_rl_entr
    """),
    "glszm": _pairs("""
        SmallAreaEmphasis szm_sze LargeAreaEmphasis szm_lze LowGrayLevelZoneEmphasis szm_lgze
        HighGrayLevelZoneEmphasis szm_hgze SmallAreaLowGrayLevelEmphasis szm_szlge
        SmallAreaHighGrayLevelEmphasis szm_szhge LargeAreaLowGrayLevelEmphasis szm_lzlge
        LargeAreaHighGrayLevelEmphasis szm_lzhge GrayLevelNonUniformity szm_glnu
        GrayLevelNonUniformityNormalized szm_glnu_norm SizeZoneNonUniformity szm_zsnu
        SizeZoneNonUniformityNormalized szm_zsnu_norm ZonePercentage szm_z_perc
        GrayLevelVariance szm_gl_var ZoneVariance szm_zs_var ZoneEntropy szm_zs_entr
    """),
    "gldm": _pairs("""
        SmallDependenceEmphasis ngl_lde LargeDependenceEmphasis ngl_hde
        LowGrayLevelEmphasis ngl_lgce HighGrayLevelEmphasis ngl_hgce
        SmallDependenceLowGrayLevelEmphasis ngl_ldlge
        SmallDependenceHighGrayLevelEmphasis ngl_ldhge
        LargeDependenceLowGrayLevelEmphasis ngl_hdlge
        LargeDependenceHighGrayLevelEmphasis ngl_hdhge GrayLevelNonUniformity ngl_glnu
        DependenceNonUniformity ngl_dcnu DependenceNonUniformityNormalized ngl_dcnu_norm
        GrayLevelVariance ngl_gl_var DependenceVariance ngl_dc_var DependenceEntropy ngl_dc_entr
    """),
    "ngtdm": _pairs("""
        Coarseness ngt_coarseness Contrast ngt_contrast Busyness ngt_busyness
        Complexity ngt_complexity Strength ngt_strength
    """),
    "shape2D": {},
}

_LENGTH = (
    "PyRadiomics divides the covariance by n, IBSI's reference is met with n - 1: ours is longer "
    "by a factor of sqrt(n / (n - 1)), n the number of voxels"
)

#: Comparable but not equal: ours, and how it differs.
OTHER: dict[tuple[str, str], tuple[str, str]] = {
    ("firstorder", "Kurtosis"): (
        "stat_kurt",
        "PyRadiomics gives Pearson's kurtosis, IBSI its excess over a normal distribution: ours "
        "is 3 less",
    ),
    ("shape", "MajorAxisLength"): ("morph_pca_maj_axis", _LENGTH),
    ("shape", "MinorAxisLength"): ("morph_pca_min_axis", _LENGTH),
    ("shape", "LeastAxisLength"): ("morph_pca_least_axis", _LENGTH),
}
#: Equal unless the surface has cells with diagonal corners.
MESH = ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")
MESH_REASON = (
    "cells of the surface with diagonal corners inside are triangulated otherwise; within 0.5 % "
    "in the published baseline"
)
#: Equal unless ``voxelArrayShift`` adds a number to all intensities first.
SHIFTED = {"Energy": "stat_energy", "RootMeanSquared": "stat_rms"}

_LACKS_2D = "not in IBSI; the diameters along and across slices of `onkos read` are the RECIST ones"
#: What PyRadiomics gives and we do not, and why.
ABSENT: dict[tuple[str, str], str] = {
    ("firstorder", "TotalEnergy"): "not in IBSI; it is Energy times the volume of a voxel",
    ("shape", "Maximum2DDiameterSlice"): _LACKS_2D,
    ("shape", "Maximum2DDiameterColumn"): _LACKS_2D,
    ("shape", "Maximum2DDiameterRow"): _LACKS_2D,
    ("glcm", "MCC"): "not in IBSI",
}
#: Only where they are named, never with the whole class: ours, equal as Sphericity is.
REDUNDANT = {
    "Compactness1": "morph_comp_1",
    "Compactness2": "morph_comp_2",
    "SphericalDisproportion": "morph_sph_dispr",
}
#: Never with the whole class either, and we do not have it.
DEPRECATED: dict[tuple[str, str], str] = {
    ("firstorder", "StandardDeviation"): "it is the square root of Variance",
    ("glcm", "Dissimilarity"): "PyRadiomics withdrew it: it is DifferenceAverage",
    ("glcm", "Homogeneity1"): "PyRadiomics withdrew it: it is Id",
    ("glcm", "Homogeneity2"): "PyRadiomics withdrew it: it is Idm",
    ("glcm", "SumVariance"): "PyRadiomics withdrew it: it is ClusterTendency",
    ("gldm", "DependencePercentage"): "PyRadiomics withdrew it: it is always 1",
    ("gldm", "GrayLevelNonUniformityNormalized"): "PyRadiomics withdrew it: it is Uniformity",
}
_FLAT = (
    "Elongation",
    "MajorAxisLength",
    "MaximumDiameter",
    "MeshSurface",
    "MinorAxisLength",
    "Perimeter",
    "PerimeterSurfaceRatio",
    "PixelSurface",
    "Sphericity",
    "SphericalDisproportion",
)
ABSENT |= {("shape2D", name): "we have no shape of a single slice" for name in _FLAT}


def every(group: str) -> tuple[str, ...]:
    """Features that PyRadiomics computes if a whole class is requested."""
    shifted = SHIFTED if group == "firstorder" else {}
    others = [name for of, name in (*OTHER, *ABSENT) if of == group]
    return tuple(sorted({*SAME[group], *shifted, *others}))


def known(group: str) -> tuple[str, ...]:
    """Features of a class in PyRadiomics, including deprecated ones."""
    redundant = REDUNDANT if group == "shape" else {}
    withdrawn = [name for of, name in DEPRECATED if of == group]
    return tuple(sorted({*every(group), *redundant, *withdrawn}))


def tag(group: str, name: str, aggregation: str) -> str | None:
    """Onkos tag of a PyRadiomics feature with an aggregation; None if there is none."""
    found = SAME[group].get(name) or OTHER.get((group, name), (None, ""))[0]
    if found is None:
        found = {"firstorder": SHIFTED, "shape": REDUNDANT}.get(group, {}).get(name)
    if found is None:
        return None
    (ending,) = endings(found.split("_", 1)[0], (aggregation,))
    return f"{found}{ending}"
