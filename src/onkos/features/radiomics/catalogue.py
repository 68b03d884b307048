"""Names of the features: the reference set's tags, IBSI's identifiers, and the aggregations."""

from __future__ import annotations

#: One way to gather texture over slices and directions, with IBSI's identifier of it.
AGGREGATIONS = {
    "2D_avg": "BTW3",
    "2D_comb": "SUJT",
    "2_5D_avg": "JJUI",
    "2_5D_comb": "ZW7Z",
    "3D_avg": "ITBB",
    "3D_comb": "IAZD",
}
#: Textures without a direction know only how the slices are treated.
EXTENTS = {"2D": "8QNN", "2_5D": "62GR", "3D": "KOBO"}

_MORPHOLOGY = """
volume RNU0 vol_approx YEKZ area_mesh C0JK av 2PR5 comp_1 SKGS comp_2 BQWJ sph_dispr KRCK
sphericity QCFX asphericity 25C7 com KLMA diam L0JK pca_maj_axis TDIC pca_min_axis P9VJ
pca_least_axis 7J51 pca_elongation Q3CK pca_flatness N17B vol_dens_aabb PBX1 area_dens_aabb R59B
vol_dens_ombb ZH1A area_dens_ombb IQYR vol_dens_aee 6BDE area_dens_aee RDD2 vol_dens_mvee SWZ1
area_dens_mvee BRI8 vol_dens_conv_hull R3ER area_dens_conv_hull 7T7F integ_int 99N0 moran_i N365
geary_c NPT7
"""
_PEAK = "peak_loc VJGA peak_glob 0F91"
_STATISTICS = """
mean Q4LE var ECT3 skew KE2A kurt IPH6 median Y12H min 1GSF p10 QG58 p90 8DWT max 84IY iqr SALO
range 2OJQ mad 4FUA rmad 1128 medad N72L cov 7TET qcod 9S40 energy N8CA rms 5ZWQ
"""
_HISTOGRAM = """
mean X6K6 var CH89 skew 88K1 kurt C3I7 median WIFQ min 1PR8 p10 GPMT p90 OZ0C max 3NCY mode AMMC
iqr WR0O range 5Z3W mad D2ZX rmad WRZB medad 4RNL cov CWYJ qcod SLWD entropy TLU2 uniformity BJ5W
max_grad 12CE max_grad_g 8E6O min_grad VQB3 min_grad_g RHQZ
"""
_VOLUME_HISTOGRAM = """
v10 BC2M v90 BC2M i10 GBPN i90 GBPN diff_v10_v90 DDTU diff_i10_i90 CNV2 auc 9CMM
"""
_COOCCURRENCE = """
joint_max GYBY joint_avg 60VM joint_var UR99 joint_entr TU9B diff_avg TF7R diff_var D3YU
diff_entr NTRS sum_avg ZGXS sum_var OEEB sum_entr P6QZ energy 8ZQL contrast ACUI
dissimilarity 8S9J inv_diff IB1Z inv_diff_norm NDRX inv_diff_mom WF0Z inv_diff_mom_norm 1QCO
inv_var E8JP corr NI2N auto_corr QWB0 clust_tend DG8W clust_shade 7NFM clust_prom AE86
info_corr1 R8DG info_corr2 JN9H
"""
_RUNS = """
sre 22OV lre W4KF lgre V3SW hgre G3QZ srlge HTZT srhge GD3A lrlge IVPO lrhge 3KUM glnu R5YN
glnu_norm OVBL rlnu W92Y rlnu_norm IC23 r_perc 9ZK5 gl_var 8CE5 rl_var SXLW rl_entr HJ9O
"""
_SIZES = """
sze 5QRC lze 48P8 lgze XMSY hgze 5GN9 szlge 5RAI szhge HW1V lzlge YH51 lzhge J17V glnu JNSA
glnu_norm Y1RO zsnu 4JP3 zsnu_norm VB3A z_perc P30P gl_var BYLV zs_var 3NSA zs_entr GU8N
"""
_DISTANCES = """
sde 0GBI lde MB4I lgze S1RA hgze K26C sdlge RUVG sdhge DKNJ ldlge A7WM ldhge KLTH glnu VFT7
glnu_norm 7HP3 zdnu V294 zdnu_norm IATH z_perc VIWW gl_var QK93 zd_var 7WT1 zd_entr GBDU
"""
_DIFFERENCES = "coarseness QCDE contrast 65HE busyness NQ30 complexity HDEZ strength 1X9X"
_DEPENDENCES = """
lde SODN hde IMOQ lgce TL9H hgce OAE7 ldlge EQ3F ldhge JA6D hdlge NBZI hdhge 9QMG glnu FP8K
glnu_norm 5SPA dcnu Z87G dcnu_norm OKJI dc_perc 6XV8 gl_var 1PFV dc_var DNX2 dc_entr FCBV
dc_energy CAS9
"""


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


#: Families by the first part of their features' tags: name of each feature -> IBSI identifier.
FAMILIES: dict[str, dict[str, str]] = {
    "morph": _pairs(_MORPHOLOGY),
    "loc": _pairs(_PEAK),
    "stat": _pairs(_STATISTICS),
    "ih": _pairs(_HISTOGRAM),
    "ivh": _pairs(_VOLUME_HISTOGRAM),
    "cm": _pairs(_COOCCURRENCE),
    "rlm": _pairs(_RUNS),
    "szm": _pairs(_SIZES),
    "dzm": _pairs(_DISTANCES),
    "ngt": _pairs(_DIFFERENCES),
    "ngl": _pairs(_DEPENDENCES),
}
DIRECTED = ("cm", "rlm")
UNDIRECTED = ("szm", "dzm", "ngt", "ngl")


def tags(families: tuple[str, ...], aggregations: tuple[str, ...]) -> tuple[str, ...]:
    """Tags of all features of some families, in the order of the reference set.

    A tag is the family, the feature and, for textures, the aggregation: ``cm_contrast_3D_comb``.
    """
    made: list[str] = []
    for family in (name for name in FAMILIES if name in families):
        for ending in endings(family, aggregations):
            made.extend(f"{family}_{feature}{ending}" for feature in FAMILIES[family])
    return tuple(made)


def endings(family: str, aggregations: tuple[str, ...]) -> tuple[str, ...]:
    """Endings of a family's tags; one empty ending for a family without aggregation."""
    if family in DIRECTED:
        return tuple(f"_{name}" for name in AGGREGATIONS if name in aggregations)
    if family in UNDIRECTED:
        return tuple(f"_{extent}" for extent in extents(aggregations))
    return ("",)


def extents(aggregations: tuple[str, ...]) -> tuple[str, ...]:
    """Which of 2D, 2_5D and 3D occur among the aggregations."""
    asked = {name.rsplit("_", 1)[0] for name in aggregations}
    return tuple(extent for extent in EXTENTS if extent in asked)


def identifier(tag: str) -> str:
    """IBSI's permanent identifier of the feature a tag names, e.g. ``GYBY``."""
    return _split(tag)[0]


def aggregation_identifier(tag: str) -> str:
    """IBSI's identifier of the aggregation a tag names, e.g. ``IAZD``; empty without one."""
    return _split(tag)[1]


def _split(tag: str) -> tuple[str, str]:
    family, rest = tag.split("_", 1)
    known = AGGREGATIONS if family in DIRECTED else EXTENTS if family in UNDIRECTED else {}
    for ending, code in known.items():
        if rest.endswith(f"_{ending}"):
            feature = rest.removesuffix(f"_{ending}")
            if feature in FAMILIES[family]:
                return FAMILIES[family][feature], code
    return FAMILIES[family][rest], ""
