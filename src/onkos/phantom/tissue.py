"""MR properties of tissues: proton density, relaxation times, contrast uptake."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onkos.core.errors import UsageError

#: Longitudinal and transverse relaxivity of gadopentetate in plasma at 37 degrees, 1/(mM s), by
#: field strength in tesla (Rohrer 2005, doi:10.1097/01.rli.0000184756.66360.d3).
RELAXIVITY = {1.5: (4.1, 4.6), 3.0: (3.7, 5.2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """One tissue at one field strength.

    Parameters
    ----------
    density
        Proton density relative to water.
    t1_ms, t2_ms
        Relaxation times without contrast agent.
    gadolinium_mm
        Concentration of contrast agent after injection, mmol/l; 0 behind an intact blood-brain
        barrier.
    """

    density: float
    t1_ms: float
    t2_ms: float
    gadolinium_mm: float = 0.0

    def enhanced(self, field_t: float) -> Tissue:
        """Return the tissue after injection: R1 and R2 rise in proportion to the concentration."""
        r1, r2 = RELAXIVITY[field_t]
        return replace(
            self,
            t1_ms=1.0 / (1.0 / self.t1_ms + r1 * self.gadolinium_mm / 1000.0),
            t2_ms=1.0 / (1.0 / self.t2_ms + r2 * self.gadolinium_mm / 1000.0),
        )


def _tissue(density: float, t1_ms: float, t2_ms: float, gadolinium_mm: float = 0.0) -> Tissue:
    return Tissue(density=density, t1_ms=t1_ms, t2_ms=t2_ms, gadolinium_mm=gadolinium_mm)


_AIR = _tissue(0.0, 1000.0, 100.0)
_CSF = _tissue(1.0, 4300.0, 2000.0)

_AT_1_5_T = {
    "air": _AIR,
    "fat": _tissue(1.0, 350.0, 70.0),
    "muscle": _tissue(0.8, 1008.0, 44.0, 0.08),
    "bone": _tissue(0.05, 300.0, 5.0),
    "csf": _CSF,
    "dura": _tissue(0.7, 900.0, 50.0, 0.5),
    "grey": _tissue(0.86, 1124.0, 95.0),
    "white": _tissue(0.77, 884.0, 72.0),
    "nuclei": _tissue(0.84, 1020.0, 84.0),
    "choroid": _tissue(0.9, 1300.0, 120.0, 0.5),
    "blood": _tissue(0.9, 1441.0, 25.0, 1.2),
    "gliosis": _tissue(0.83, 1150.0, 112.0),
    "oedema": _tissue(0.87, 1350.0, 150.0),
    "tumour": _tissue(0.86, 1300.0, 125.0),
    "enhancing": _tissue(0.86, 1300.0, 115.0, 0.5),
    "necrosis": _tissue(0.95, 2300.0, 260.0, 0.02),
}

_AT_3_T = {
    "air": _AIR,
    "fat": _tissue(1.0, 382.0, 68.0),
    "muscle": _tissue(0.8, 1412.0, 50.0, 0.08),
    "bone": _tissue(0.05, 350.0, 5.0),
    "csf": _CSF,
    "dura": _tissue(0.7, 1100.0, 45.0, 0.5),
    "grey": _tissue(0.86, 1331.0, 95.0),
    "white": _tissue(0.77, 832.0, 76.0),
    "nuclei": _tissue(0.84, 1200.0, 80.0),
    "choroid": _tissue(0.9, 1600.0, 110.0, 0.5),
    "blood": _tissue(0.9, 1932.0, 25.0, 1.2),
    "gliosis": _tissue(0.83, 1250.0, 108.0),
    "oedema": _tissue(0.87, 1500.0, 140.0),
    "tumour": _tissue(0.86, 1500.0, 118.0),
    "enhancing": _tissue(0.86, 1500.0, 108.0, 0.5),
    "necrosis": _tissue(0.95, 2600.0, 240.0, 0.02),
}

_TABLES = {1.5: _AT_1_5_T, 3.0: _AT_3_T}


def tissues(field_t: float) -> dict[str, Tissue]:
    """Tissues of a head with a glioma at 1.5 or 3 T.

    Healthy tissue follows published measurements; those of the tumour, of oedema and of gliosis
    are chosen inside the wide ranges measured in patients, and vary from phantom to phantom. Two
    are effective, not measured values: blood has a short T2, which stands for flow void, and
    bone has the little water that is visible at the echo time.

    Raises
    ------
    UsageError
        For another field strength.

    References
    ----------
    Grey and white matter, muscle and blood T1 at 1.5 T, muscle and blood T1 at 3 T: Stanisz
    2005, doi:10.1002/mrm.20605. Grey and white matter at 3 T: Wansapura 1999,
    doi:10.1002/(SICI)1522-2586(199904)9:4<531::AID-JMRI4>3.0.CO;2-L. Proton densities, fat at
    1.5 T: Kwan 1999, doi:10.1109/42.816072. Fat at 3 T: Bojorquez 2017,
    doi:10.1016/j.mri.2016.08.021. Cerebrospinal fluid: Hopkins 1986, Magn Reson Med 3:604.
    Scatter and overlap of tumours: doi:10.3109/02841859109177614 and
    doi:10.1007/978-3-642-74337-5_144.
    """
    if field_t not in _TABLES:
        raise UsageError(f"field strength {field_t} T: expected one of {sorted(_TABLES)}")
    return dict(_TABLES[field_t])
