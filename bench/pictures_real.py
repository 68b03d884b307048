"""Benign or malignant on real breast ultrasound pictures, by the classic 2-D descriptors.

Usage: ``python bench/pictures_real.py --data DIR [--json FILE]``; DIR holds ``breast-us-busi``
(research only, not in this repository; origin in its SOURCE.md). Whole pictures: 5 folds, repeated,
HOG, textures and a bag of visual words learnt on each fold's training pictures. There is no patient
identifier: pictures that look nearly alike are kept on one side of every split, and groups of
them are what is resampled for the interval. The few pictures with outlines: BI-RADS-like
descriptors, 7 folds.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from skimage.transform import resize
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.pictures import (
    bag_of_words,
    binary_patterns,
    cooccurrence,
    dense_keypoints,
    gradients,
    joined,
    learn_vocabulary,
    ultrasound_lesion,
    waves,
)
from onkos.features.pictures.picture import region
from onkos.io import picture
from onkos.io.whole import write_json

SEED = 2020
REPEATS = 3
RESAMPLES = 500
WORDS = 300
ALIKE = 0.93  # correlation of thumbnails from which two pictures count as near duplicates
Scores = np.ndarray


def near_duplicates(pictures: Sequence[Volume]) -> np.ndarray:
    """Group of each picture: those linked by nearly equal thumbnails share one."""
    greys = [resize(region(one, None).grey, (32, 32), anti_aliasing=True) for one in pictures]
    flat = np.array([((one - one.mean()) / (one.std() or 1.0)).ravel() for one in greys])
    linked = flat @ flat.T / flat.shape[1] > ALIKE
    groups = np.arange(len(pictures))
    while True:
        least = np.array([groups[row].min() for row in linked])
        if np.array_equal(least, groups):
            return groups
        groups = least


def svm(seed: int) -> Any:
    return make_pipeline(SimpleImputer(), StandardScaler(), SVC(C=3.0, gamma="scale"))


def trees(seed: int) -> Any:
    forest = ExtraTreesClassifier(200, min_samples_leaf=2, random_state=seed, n_jobs=1)
    return make_pipeline(SimpleImputer(), forest)


def scores(model: Any, train: np.ndarray, truth: np.ndarray, test: np.ndarray) -> Scores:
    model.fit(train, truth)
    if hasattr(model, "decision_function"):
        return model.decision_function(test)
    return model.predict_proba(test)[:, 1]


def ranks(values: Scores) -> Scores:
    """Scores of a fold on one scale, so that folds and arms can be put together."""
    return (values - values.mean()) / (values.std() or 1.0)


def whole(folder: Path) -> dict[str, Any]:
    with (folder / "labels.csv").open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["label"] != "normal"]
    pictures = [picture.read(folder / row["file"], modality="US") for row in rows]
    truth = np.array([row["label"] == "malignant" for row in rows])
    groups = near_duplicates(pictures)
    hog = np.array([gradients(one).values for one in pictures])
    texture = np.array(
        [joined([binary_patterns(one), cooccurrence(one), waves(one)]).values for one in pictures]
    )
    words = [
        dense_keypoints(one, step=12, sizes=(32.0, 48.0, 72.0)).descriptors for one in pictures
    ]
    arms: dict[str, list[Scores]] = {}
    for repeat in range(REPEATS):
        found: dict[str, Scores] = {}
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=SEED + repeat)
        for train, test in folds.split(hog, truth, groups):
            rng = np.random.default_rng([SEED, repeat, int(test[0])])
            vocabulary = learn_vocabulary([words[n] for n in train], count=WORDS, rng=rng)
            bags = np.sqrt([bag_of_words(one, vocabulary, neighbours=5).values for one in words])
            tables = {"hog": hog, "texture": texture, "words": bags}
            tables["all"] = np.hstack([hog, texture, bags])
            one = {
                f"{name}-{kind}": ranks(
                    scores(make(repeat), table[train], truth[train], table[test])
                )
                for name, table in tables.items()
                for kind, make in (("svm", svm), ("extra-trees", trees))
            }
            one["mean-of-svms"] = one["hog-svm"] + one["texture-svm"] + one["words-svm"]
            one["mean-of-all"] = (
                one["mean-of-svms"] + one["texture-extra-trees"] + one["words-extra-trees"]
            )
            for name, values in one.items():
                found.setdefault(name, np.empty(len(truth)))[test] = values
        for name, values in found.items():
            arms.setdefault(name, []).append(values)
    return {
        "pictures": len(rows),
        "malignant": int(truth.sum()),
        "groups": len(set(groups)),
        "arms": {name: judged(truth, values, groups) for name, values in arms.items()},
    }


def outlined(folder: Path) -> dict[str, Any]:
    with (folder / "with_masks" / "masks.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    truth = np.array([row["label"] == "malignant" for row in rows])
    pictures, tables = [], {"birads": [], "size": []}
    for row in rows:
        path = folder / row["file"]
        seen = picture.read(path, modality="US")
        labels = picture.read(path.with_name(path.stem + "_mask.png")).data > 0
        mask = Mask(labels=labels, geometry=Geometry.picture(labels.shape), names={1: "lesion"})
        made = ultrasound_lesion(seen, mask)
        pictures.append(seen)
        unsized = [n for n, name in enumerate(made.names) if not name.endswith(("-px", "-px2"))]
        tables["birads"].append(made.values[unsized])
        tables["size"].append([made["shape-area-px2"] ** 0.5])
    groups = near_duplicates(pictures)
    arms: dict[str, list[Scores]] = {}
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(7, shuffle=True, random_state=SEED + repeat)
        for name, table in ((name, np.array(table)) for name, table in tables.items()):
            for kind, make in (("svm", svm), ("extra-trees", trees)):
                values = np.empty(len(truth))
                for train, test in folds.split(table, truth, groups):
                    # no scaling by fold: a fold of four pictures has no spread worth the name
                    values[test] = scores(make(repeat), table[train], truth[train], table[test])
                arms.setdefault(f"{name}-{kind}", []).append(values)
    return {
        "pictures": len(rows),
        "malignant": int(truth.sum()),
        "groups": len(set(groups)),
        "arms": {name: judged(truth, values, groups) for name, values in arms.items()},
    }


def auc(truth: np.ndarray, values: Scores) -> float:
    """Area under the ROC curve, ties as halves."""
    malignant = int(truth.sum())
    over = rankdata(values)[truth].sum() - malignant * (malignant + 1) / 2
    return float(over / (malignant * (len(truth) - malignant)))


def judged(truth: np.ndarray, repeats: Sequence[Scores], groups: np.ndarray) -> dict[str, Any]:
    """Mean AUC of the repeats, with the interval from resampling groups."""
    rng = np.random.default_rng(SEED)
    members = {group: np.flatnonzero(groups == group) for group in set(groups.tolist())}
    keys = list(members)
    drawn = []
    while len(drawn) < RESAMPLES:
        picked = np.concatenate([members[keys[n]] for n in rng.integers(len(keys), size=len(keys))])
        if 0 < truth[picked].sum() < len(picked):
            drawn.append(np.mean([auc(truth[picked], one[picked]) for one in repeats]))
    each = [auc(truth, one) for one in repeats]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"auc": float(np.mean(each)), "low": float(low), "high": float(high), "repeats": each}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    folder = asked.data / "breast-us-busi"
    if not folder.is_dir():
        sys.exit(f"{folder} is absent; expected the pictures of SOURCE.md there")
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {"outlined": outlined, "whole": whole}
    told = {}
    for name, part in parts.items():
        began = time.perf_counter()
        told[name] = part(folder)
        told[name]["seconds"] = time.perf_counter() - began
        print(
            f"{name}: {told[name]['pictures']} pictures in {told[name]['groups']} groups, "
            f"{told[name]['malignant']} malignant, {told[name]['seconds']:.0f} s"
        )
        for arm, figures in told[name]["arms"].items():
            print(
                f"  {arm:22} AUC {figures['auc']:.3f} ({figures['low']:.3f}-{figures['high']:.3f})"
            )
    if asked.json:
        write_json(asked.json, told)


if __name__ == "__main__":
    main()
