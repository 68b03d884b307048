"""Whether what was opened may be trusted, told from the builder's truth and pydicom alone."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from onkos.core.errors import OnkosError
from onkos.core.volume import Volume
from onkos.io.intake import Intake, open_path
from slices import placed, real

ALWAYS = {"phantom"}  # the caveat of the undamaged series


@dataclass
class Truth:
    """Where each slice really lies and what it holds, by its SOP Instance UID.

    ``values`` is None where damage to the pixels themselves cannot be seen by any reader; then
    what pydicom reads from the file counts.
    """

    affines: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, np.ndarray | None] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)

    def add(self, datasets: Sequence[Dataset]) -> None:
        """Remember sound slices; those of one call follow each other."""
        twins: dict[bytes, int] = {}
        for k, one in enumerate(datasets):
            uid = str(one.SOPInstanceUID)
            self.affines[uid] = placed(one)
            self.values[uid] = real(one)
            self.order[uid] = twins.setdefault(self.affines[uid].tobytes() + one.PixelData, k)

    def rename(self, sound: Sequence[Dataset], paths: Sequence[Path]) -> None:
        """Know the slices also by the UIDs that the damaged files now bear."""
        for one, path in zip(sound, paths, strict=True):
            now = _uid_in(path)
            for known in (self.affines, self.values, self.order):
                known[now] = known.pop(str(one.SOPInstanceUID))


def _uid_in(path: Path) -> str:
    """SOP Instance UID as pydicom reads it now; the path where it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(pydicom.dcmread(path, force=True).get("SOPInstanceUID") or path)
        except Exception:  # noqa: BLE001 - whatever a damaged file does to pydicom
            return str(path)


@dataclass(frozen=True)
class Verdict:
    """``right``, ``caveat``, ``refused``, ``wrong`` or ``traceback``, and why."""

    kind: str
    why: str = ""


def judge(path: Path, truth: Truth, *, blind_pixels: bool = False) -> Verdict:
    """Open a path and say whether the outcome is one that a user may trust.

    Parameters
    ----------
    path
        What to open.
    truth
        What the sound slices are.
    blind_pixels
        Whether pixels were changed in a way no reader can notice.
    """
    try:
        found = open_path(path)
    except OnkosError as error:
        return Verdict("refused", str(error))
    except Exception as error:  # noqa: BLE001 - any other is the failure looked for
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "onkos" in f.filename]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "test"
        return Verdict("traceback", f"{where}: {type(error).__name__}: {error}")
    caveats = {c.code for study in found.studies for c in study.all_caveats} - ALWAYS
    if not any(study.volumes for study in found.studies):
        if not found.refused:
            return Verdict("wrong", "nothing opened and nothing refused")
        return Verdict("refused", found.refused[0].reason)
    for about, what in _mistakes(found, truth, blind_pixels=blind_pixels):
        if not caveats & EXCUSES[about]:
            return Verdict("wrong", f"{what}; caveats: {sorted(caveats)}")
    return Verdict("caveat", ", ".join(sorted(caveats))) if caveats else Verdict("right")


Mistake = tuple[str, str]  # what it is about, and how

#: Caveats that tell of a difference from the truth, by what differs.
EXCUSES = {
    "study": {"study-contradiction", "study-of-several-patients", "no-patient-id", "uid-damaged"},
    "slices": {
        "files-refused",
        "instance-numbers-missing",
        "mixed-orientations",
        "no-instance-uid",
    },
    "place": {"uneven-spacing", "mixed-orientations", "spacing-contradiction", "single-slice"},
    "values": {"rescale-varies", "unknown-unit", "not-finite"},
    "instance": {"no-instance-uid"},
}


def _mistakes(found: Intake, truth: Truth, *, blind_pixels: bool) -> list[Mistake]:
    """Everything in which what was opened differs from the truth."""
    wrong: list[Mistake] = []
    seen: set[str] = set()
    for study in found.studies:
        if (study.patient.id, str(study.date)) != ("PHANTOM-1", "2001-02-03"):
            wrong.append(("study", f"study of {study.patient.id!r} on {study.date}"))
        for volume in study.volumes.values():
            wrong += _of_volume(volume, truth, blind_pixels=blind_pixels)
            seen |= {instance.uid for instance in volume.source.instances}
    held = {truth.order[uid] for uid in seen if uid in truth.order}
    lost = sorted(set(truth.order.values()) - held)
    inner = [k for k in lost if held and min(held) < k < max(held)]
    return [*wrong, ("slices", f"slices {inner} are not there")] if inner else wrong


def _of_volume(volume: Volume, truth: Truth, *, blind_pixels: bool) -> list[Mistake]:
    affine = volume.geometry.affine
    between = float(np.linalg.norm(affine[:3, 2]))
    wrong: list[Mistake] = []
    for k, instance in enumerate(volume.source.instances):
        if instance.uid not in truth.affines:
            wrong.append(("instance", f"plane {k} is of the unknown instance {instance.uid!r}"))
            continue
        expected = truth.affines[instance.uid]
        corners = [(0, 0), (volume.geometry.shape[0] - 1, 0), (0, volume.geometry.shape[1] - 1)]
        for i, j in corners:
            here = affine @ (i, j, k, 1)
            there = expected @ (i, j, 1)
            finest = min(np.linalg.norm(expected[:, 0]), np.linalg.norm(expected[:, 1]))
            allowed = 0.02 * between + 0.11 * finest + 2.5e-3 * finest * max(i, j) + 0.02
            off = float(np.linalg.norm(here[:3] - there))
            if off > allowed:
                wrong.append(("place", f"plane {k} lies {off:.3g} mm off at ({i}, {j})"))
        values = truth.values[instance.uid]
        if not blind_pixels and values is not None:
            plane = np.asarray(volume.data[..., k], dtype=np.float64)
            if plane.shape != values.shape or np.abs(plane - values).max() > 1e-3 * np.ptp(values):
                wrong.append(("values", f"plane {k} has other values"))
    return wrong
