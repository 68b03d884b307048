"""Agreement and consensus on real data: LIDC's four readers, six algorithms on one glioma.

Usage: ``python bench/agreement_real.py --data DIR [--json FILE] [--part lidc|glioma ...]``; DIR
holds ``lung-lidc-annotations`` and ``brain-mri-bratstoolkit-tcga`` (research only, not in this
repository; origin in their SOURCE.md).

LIDC's readers are anonymous: reader 0 of one scan is not reader 0 of another. So only
coefficients that take readers for exchangeable are right (Krippendorff, Fleiss, AC2, one-way
ICC), and no reader can be judged alone. Their outlines are matched by overlap of voxels.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
import time
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from skimage.draw import polygon
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from onkos.core.estimate import Estimate
from onkos.core.geometry import AnyArray
from onkos.core.mask import Mask
from onkos.io import nifti
from onkos.io.whole import write_json
from onkos.stats.agreement.chance import fleiss_kappa, gwet_ac
from onkos.stats.agreement.icc import icc
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.consensus.inconsistency import disagreements, suspicious_labels
from onkos.stats.consensus.majority import majority_vote
from onkos.stats.consensus.readers import judge_readers
from onkos.stats.consensus.simple import simple
from onkos.stats.consensus.staple import staple
from onkos.stats.consensus.staple_labels import staple_labels
from onkos.stats.overlap import overlap

SEED = 1979
SCALES = ("malignancy", "subtlety", "sphericity", "margin", "lobulation", "spiculation", "texture")
NAMES = {1: "non-enhancing core", 2: "oedema", 4: "enhancing"}
SIDE = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlined:
    """One nodule as one reader saw it."""

    reader: int
    ratings: dict[str, int]
    voxels: AnyArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nodule:
    """One nodule as up to four readers saw it."""

    name: str
    patient: str
    seen: tuple[Outlined, ...]


def nodules(folder: Path) -> list[Nodule]:
    """Every nodule of 3 mm or more, matched between readers by overlap."""
    table = pd.read_csv(folder / "reader_nodules.csv.gz", usecols=["patient_id", "xml"])
    patients = dict(zip(table["xml"], table["patient_id"], strict=True))
    found = []
    with tarfile.open(folder / "lidc_xml.tar.xz") as archive:
        for member in archive:
            name = "/".join(member.name.split("/")[-2:])
            handle = archive.extractfile(member)
            if handle is None or name not in patients:
                continue
            root = ET.parse(handle).getroot()  # noqa: S314 - local files of a known data set
            for number, seen in enumerate(matched(list(outlines(root)))):
                label = f"{patients[name]} {name} nodule {number}"
                found.append(Nodule(name=label, patient=patients[name], seen=tuple(seen)))
    return found


def outlines(root: ET.Element) -> Iterator[Outlined]:
    """Rated nodules of all readers of one scan."""
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]  # without the namespace
    for reader, session in enumerate(root.iter("readingSession")):
        for nodule in session.iter("unblindedReadNodule"):
            told = nodule.find("characteristics")
            rois = list(nodule.iter("roi"))
            if told is None or not len(told) or not rois:
                continue
            ratings = {scale: int(told.findtext(scale) or 0) for scale in SCALES}
            yield Outlined(reader=reader, ratings=ratings, voxels=filled(rois))


def filled(rois: Sequence[ET.Element]) -> AnyArray:
    """Voxels within the contours, as sorted numbers; a contour itself lies outside the nodule."""
    inside: set[int] = set()
    holes: set[int] = set()
    for roi in rois:
        x = np.array([int(float(at.text or 0)) for at in roi.iter("xCoord")])
        y = np.array([int(float(at.text or 0)) for at in roi.iter("yCoord")])
        level = round(float(roi.findtext("imageZposition") or 0) * 100) * SIDE * SIDE
        rows, columns = polygon(y, x, shape=(SIDE, SIDE))
        area = set((rows * SIDE + columns).tolist())
        border = set((y * SIDE + x).tolist())
        kept = {level + at for at in (area - border or border)}
        if (roi.findtext("inclusion") or "TRUE").strip().upper() == "TRUE":
            inside |= kept
        else:
            holes |= kept
    return np.array(sorted(inside - holes or inside), dtype=np.int64)


def matched(found: Sequence[Outlined]) -> list[list[Outlined]]:
    """Groups of outlines of one nodule: the best overlaps first, one outline a reader."""
    pairs = []
    for i, a in enumerate(found):
        for j in range(i + 1, len(found)):
            b = found[j]
            if a.reader == b.reader:
                continue
            both = len(np.intersect1d(a.voxels, b.voxels, assume_unique=True))
            if both:
                pairs.append((both / (len(a.voxels) + len(b.voxels) - both), i, j))
    group = {i: [i] for i in range(len(found))}
    for _, i, j in sorted(pairs, reverse=True):
        first, second = group[i], group[j]
        readers = [found[k].reader for k in (*first, *second)]
        if first is not second and len(set(readers)) == len(readers):
            first.extend(second)
            for k in second:
                group[k] = first
    return [[found[k] for k in members] for members in {id(g): g for g in group.values()}.values()]


def lidc(data: Path) -> dict[str, Any]:
    """Agreement of the four readers on nodules that at least two of them outlined."""
    every = nodules(data / "lung-lidc-annotations")
    rng = np.random.default_rng(SEED)
    shared = [one for one in every if len(one.seen) >= 2]
    four = [one for one in every if len(one.seen) == 4]
    result: dict[str, Any] = {
        "nodules": len(every),
        "patients": len({one.patient for one in every}),
        "outlined_by": dict(sorted(Counter(len(one.seen) for one in every).items())),
        "outlined_by_all_four": bootstrap_mean(
            [float(len(one.seen) == 4) for one in every],
            groups=[one.patient for one in every],
            rng=rng,
        ),
        "scales": {scale: scale_of(shared, four, scale, rng) for scale in SCALES},
    }
    volumes = [[float(len(seen.voxels)) for seen in one.seen] for one in four]
    logs = np.log(np.array(volumes))
    patients = [one.patient for one in four]
    result["log_volume_icc_one_way"] = icc(logs, patients=patients, rng=rng).one_way
    result["dice_of_pairs"] = pairwise_dice(shared, rng)
    result["look_again"] = again(shared)
    result["labels_against_model"] = against_model(shared, rng)
    return result


def scale_of(
    shared: Sequence[Nodule], four: Sequence[Nodule], scale: str, rng: np.random.Generator
) -> dict[str, Any]:
    """Coefficients on one scale of 1 to 5, clustered by patient; 0 is not on the scale."""
    ratings = ratings_of(shared, scale)
    complete = [one for one in four if all(seen.ratings[scale] for seen in one.seen)]
    square = np.array([[seen.ratings[scale] for seen in one.seen] for one in complete], dtype=float)
    coefficients = icc(square, patients=[one.patient for one in complete], rng=rng)
    return {
        "alpha_ordinal": krippendorff_alpha(ratings, metric="ordinal").estimate,
        "alpha_interval": krippendorff_alpha(ratings, metric="interval").estimate,
        "alpha_ordinal_bootstrap": krippendorff_alpha(ratings, metric="ordinal", rng=rng).estimate,
        "fleiss_kappa": fleiss_kappa(ratings).estimate,
        "ac2_ordinal": gwet_ac(ratings, weights="ordinal").estimate,
        "icc_one_way": coefficients.one_way,
        "icc_one_way_mean_of_four": coefficients.one_way_mean,
        "nodules_of_four": len(complete),
    }


def ratings_of(chosen: Sequence[Nodule], scale: str) -> Ratings:
    rows = []
    for one in chosen:
        row: list[int | None] = [None] * 4
        for at, seen in enumerate(one.seen):
            row[at] = seen.ratings[scale] or None
        rows.append(row)
    return Ratings.of(rows, categories=(1, 2, 3, 4, 5), patients=[one.patient for one in chosen])


def pairwise_dice(shared: Sequence[Nodule], rng: np.random.Generator) -> Estimate:
    values, patients = [], []
    for one in shared:
        for i, a in enumerate(one.seen):
            for b in one.seen[i + 1 :]:
                both = len(np.intersect1d(a.voxels, b.voxels, assume_unique=True))
                values.append(2 * both / (len(a.voxels) + len(b.voxels)))
                patients.append(one.patient)
    return bootstrap_mean(values, groups=patients, rng=rng)


def again(shared: Sequence[Nodule]) -> dict[str, Any]:
    """Nodules whose malignancy the readers disagree on most."""
    ratings = ratings_of(shared, "malignancy")
    names = [one.name for one in shared]
    ranked = disagreements(ratings, cases=names, weights="quadratic")
    spans = Counter(max(one.given) - min(one.given) for one in ranked)
    return {
        "nodules_with_disagreement": len(ranked),
        "span_of_ratings": dict(sorted(spans.items())),
        "both_benign_and_malignant": sum(min(x.given) < 3 < max(x.given) for x in ranked),
        "first": [{"case": one.case, "reason": one.reason} for one in ranked[:20]],
    }


def against_model(shared: Sequence[Nodule], rng: np.random.Generator) -> dict[str, Any]:
    """Consensus malignancy (mean below or above 3) against the other ratings of each nodule."""
    rows, labels, names, patients = [], [], [], []
    for one in shared:
        marks = [seen.ratings["malignancy"] for seen in one.seen if seen.ratings["malignancy"]]
        mean = float(np.mean(marks)) if marks else 3.0
        if mean == 3:
            continue
        means = [np.mean([seen.ratings[scale] for seen in one.seen]) for scale in SCALES[1:]]
        size = np.mean([np.log(len(seen.voxels)) for seen in one.seen])
        rows.append([*means, size])
        labels.append("suspicious" if mean > 3 else "benign")
        names.append(one.name)
        patients.append(one.patient)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    p = cross_val_predict(
        model, rows, labels, groups=patients, cv=GroupKFold(10), method="predict_proba"
    )
    found = suspicious_labels(
        labels, p, classes=["benign", "suspicious"], cases=names, patients=patients, rng=rng
    )
    spread = {x.name: np.std([seen.ratings["malignancy"] for seen in x.seen]) for x in shared}
    flagged = [spread[str(one.case)] for one in found.cases]
    others = [spread[name] for name in set(names) - {one.case for one in found.cases}]
    return {
        "nodules": len(labels),
        "suspicious_share": found.share,
        "confident_counts": found.counted.tolist(),
        "rater_sd_flagged": float(np.mean(flagged)),
        "rater_sd_others": float(np.mean(others)),
        "rank_sum_p": float(stats.mannwhitneyu(flagged, others).pvalue),
        "first": [{"case": one.case, "reason": one.reason} for one in found.cases[:20]],
    }


def glioma(data: Path) -> dict[str, Any]:
    """Six algorithms on one patient: consensus three ways, and each against the other five."""
    folder = data / "brain-mri-bratstoolkit-tcga"
    paths = sorted((folder / "TCGA-DU-7294_segmentations").glob("*.nii.gz"))
    readings = [nifti.read_mask(path, NAMES) for path in paths]
    algorithms = [path.name.removesuffix(".nii.gz") for path in paths]
    result: dict[str, Any] = {"algorithms": algorithms, "patients": 1, "seconds": {}}
    timed: dict[str, float] = result["seconds"]
    box = box_around(readings)
    masks: dict[str, Mask] = {}
    began = time.perf_counter()
    whole = staple(readings, within=box)
    timed["staple"] = time.perf_counter() - began
    masks["staple"] = whole.mask
    began = time.perf_counter()
    selected = simple(readings)
    timed["simple"] = time.perf_counter() - began
    masks["simple"] = selected.mask
    began = time.perf_counter()
    vote = majority_vote(readings, *NAMES.values())
    timed["majority"] = time.perf_counter() - began
    masks["majority"] = vote.mask
    shipped = nifti.read_mask(folder / "TCGA-DU-7294_fusions" / "simple.nii.gz", NAMES)
    result |= {
        "staple_converged": whole.converged,
        "staple_iterations": whole.iterations,
        "staple_sensitivity": dict(zip(algorithms, whole.sensitivity, strict=True)),
        "staple_specificity_in_box": dict(zip(algorithms, whole.specificity, strict=True)),
        "simple_kept": [algorithms[at] for at in selected.kept],
        "majority_undecided_voxels": vote.undecided,
        "volume_ml": {name: sum(mask.volumes_ml.values()) for name, mask in masks.items()},
        "dice_with_shipped_simple": {
            name: overlap(
                mask,
                Mask(
                    labels=(shipped.labels != 0),
                    geometry=shipped.geometry,
                    names={1: next(iter(mask.names.values()))},
                ),
            ).dice
            for name, mask in masks.items()
        },
        "leave_one_out": leave_one_out(readings, algorithms, box),
        "tissues": tissues_of(readings, shipped),
    }
    return result


def box_around(readings: Sequence[Mask], margin: int = 10) -> AnyArray:
    """The box around all outlines with a margin: where a tumour could have been outlined."""
    union = np.any([reading.labels != 0 for reading in readings], axis=0)
    inside = np.zeros(union.shape, dtype=bool)
    block = []
    for axis in range(3):
        hit = np.flatnonzero(union.any(axis=tuple(other for other in range(3) if other != axis)))
        block.append(slice(max(0, hit[0] - margin), hit[-1] + margin + 1))
    inside[tuple(block)] = True
    return inside


def leave_one_out(
    readings: Sequence[Mask], algorithms: Sequence[str], box: AnyArray
) -> dict[str, Any]:
    """Each algorithm against the consensus of the other five, and of all six."""
    table: dict[str, Any] = defaultdict(dict)
    for method in ("majority", "staple", "simple"):
        for left_out in (True, False):
            scores = judge_readers(
                [readings],
                method=method,
                rng=np.random.default_rng(SEED),
                leave_out=left_out,
                within=[box],
            )
            key = f"{method}{'' if left_out else ' with own vote'}"
            table[key] = {
                algorithms[score.reader]: {
                    "dice": score.dice,
                    "sensitivity": score.sensitivity,
                    "specificity": score.specificity,
                }
                for score in scores
            }
    return dict(table)


def tissues_of(readings: Sequence[Mask], shipped: Mask) -> dict[str, Any]:
    """Multi-label consensus against the shipped fusion, tissue by tissue."""
    held, free = staple_labels(readings), staple_labels(readings, prior="estimated")
    vote = majority_vote(readings)
    return {
        name: {
            "shipped_ml": shipped.volumes_ml[name],
            "algorithms_ml": [reading.volumes_ml[name] for reading in readings],
            "dice_majority": overlap(vote.mask, shipped, name).dice,
            "dice_staple": overlap(held.mask, shipped, name).dice,
            "dice_staple_prior_estimated": overlap(free.mask, shipped, name).dice,
        }
        for name in NAMES.values()
    }


def told(result: Any, indent: int = 0) -> Iterator[str]:
    """Lines of a nested result."""
    for key, value in result.items():
        if isinstance(value, dict):
            yield f"{'  ' * indent}{key}"
            yield from told(value, indent + 1)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from (f"{'  ' * indent}{key} {at + 1}: {v}" for at, v in enumerate(value[:5]))
        else:
            shown = f"{value} n = {value.n}" if isinstance(value, Estimate) else value
            yield f"{'  ' * indent}{key}: {shown}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", choices=("lidc", "glioma"), action="append")
    asked = parser.parse_args()
    results = {}
    for part in asked.part or ("lidc", "glioma"):
        began = time.perf_counter()
        results[part] = lidc(asked.data) if part == "lidc" else glioma(asked.data)
        results[part]["total_seconds"] = round(time.perf_counter() - began, 1)
        sys.stdout.write("\n".join([part, *told(results[part], 1)]) + "\n")
        sys.stdout.flush()
    if asked.json:
        write_json(asked.json, results)


if __name__ == "__main__":
    main()
