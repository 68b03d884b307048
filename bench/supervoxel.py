"""Seconds and memory from the files of a four-channel patient to the mask, beside a peer.

Run as ``python bench/supervoxel.py [--json FILE] [--shape 240 240 155]``. The peer is the same
method put together from libraries that a user has: supervoxels by scikit-image's SLIC, the 96
Gabor filters by FFT slice by slice, nearest textons, statistics by region, a forest of
scikit-learn. Both read the same compressed NIfTI files, are fitted beforehand on smaller patients
and write a mask. All patients are phantoms. Each runs in a process of its own; numba's
compilation, paid once after an installation, is done before and not counted.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from timing import measured, report, row

ROLES = ("t1", "t1c", "t2", "flair")
FITTED_ON = 6
SMALL = (96, 112, 80)
EDGE_MM = 6.0
TEXTONS = 16


def write_phantoms(folder: Path, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Patients to fit on, a table of them, the patient to outline, and a fitted model."""
    import numpy as np

    from onkos.arms import ARMS
    from onkos.cohort.table import load_table
    from onkos.io import nifti
    from onkos.io.whole import write_table
    from onkos.phantom.brain import BrainPhantom, simulated

    rows = []
    for number in range(FITTED_ON + 1):
        case = "patient" if number == FITTED_ON else f"small-{number}"
        settings = BrainPhantom(shape=shape if number == FITTED_ON else SMALL)
        patient = simulated(settings, seed=7, number=number + 1)
        for role in ROLES:
            volume = patient.study.volumes[role]
            nifti.write_volume(folder / case / f"{role}.nii.gz", volume)
        nifti.write_mask(folder / "truth" / f"{case}.nii.gz", patient.truth)
        files = {role: f"{case}/{role}.nii.gz" for role in ROLES}
        mask = f"truth/{case}.nii.gz"
        rows.append({"case": case, "patient": case, **files, "mask": mask, "simulated": "yes"})
    write_table(folder / "cases.csv", rows[:FITTED_ON])
    (folder / "labels.json").write_text(json.dumps({"core": [1], "oedema": [2]}))
    cohort = load_table(folder / "cases.csv")
    model = ARMS["supervoxel-forest"].fit(cohort.cases, rng=np.random.default_rng(7))
    model.save(folder / "model")
    return {}


def onkos_outlines(folder: Path) -> None:
    from onkos import arms
    from onkos.io import nifti
    from onkos.io.intake import open_study

    model = arms.load(folder / "model")

    def work() -> dict[str, Any]:
        prediction = model.predict(open_study(folder / "patient"))
        mask = prediction.mask
        with tempfile.TemporaryDirectory() as made:
            nifti.write_mask(Path(made) / "mask.nii.gz", mask)
        return {"dice": _dice(mask.labels > 0, folder)}

    report(work)


def peer_outlines(folder: Path) -> None:
    import nibabel as nib
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.ensemble import ExtraTreesClassifier

    centres: list[Any] = []
    tables, truths = [], []
    for number in range(FITTED_ON):
        image, head, spacing, _ = _read(folder / f"small-{number}")
        if not centres:
            sampled = np.random.default_rng(0).choice(np.flatnonzero(head), 2000)
            centres = [
                MiniBatchKMeans(TEXTONS, random_state=0).fit(answers).cluster_centers_
                for answers in _sampled(image, spacing, sampled)
            ]
        regions, table = _described(image, head, spacing, centres)
        truth = np.asarray(nib.load(folder / "truth" / f"small-{number}.nii.gz").dataobj)
        tables.append(table)
        truths.append(_commonest(regions, truth.astype(np.intp)))
    forest = ExtraTreesClassifier(100, min_samples_leaf=3, n_jobs=2, random_state=0)
    forest.fit(np.concatenate(tables), np.concatenate(truths))

    def work() -> dict[str, Any]:
        image, head, spacing, affine = _read(folder / "patient")
        regions, table = _described(image, head, spacing, centres)
        labels = np.concatenate([[0], forest.predict(table)]).astype(np.uint8)[regions]
        with tempfile.TemporaryDirectory() as made:
            nib.save(nib.Nifti1Image(labels, affine), Path(made) / "mask.nii.gz")
        return {"dice": _dice(labels > 0, folder), "regions": len(table)}

    report(work)


def _read(folder: Path) -> tuple[Any, Any, Any, Any]:
    """Image (i, j, k, channels) standardised in the head, head, spacing and affine."""
    import nibabel as nib
    import numpy as np
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    files = [nib.load(folder / f"{role}.nii.gz") for role in ROLES]
    image = np.stack([np.asarray(file.dataobj, dtype=np.float32) for file in files], axis=-1)
    bright = image.mean(axis=-1)
    head = ndimage.binary_fill_holes(bright > 0.5 * threshold_otsu(bright[::2, ::2, ::2]))
    values = image[head]
    image -= values.mean(axis=0)
    image /= values.std(axis=0)
    image[~head] = 0
    spacing = np.asarray(files[0].header.get_zooms()[:3], dtype=float)
    return image, head, spacing, files[0].affine


def _described(image: Any, head: Any, spacing: Any, centres: Any) -> tuple[Any, Any]:
    """Regions 1, 2, ... and one row each: first-order statistics and texton histograms."""
    import numpy as np
    from skimage.segmentation import relabel_sequential, slic

    wanted = int(head.sum() * np.prod(spacing) / EDGE_MM**3)
    regions = slic(
        image, n_segments=wanted, compactness=0.1, max_num_iter=5, spacing=spacing, mask=head,
        channel_axis=-1,
    )  # fmt: skip
    regions = relabel_sequential(regions)[0]
    inside = regions > 0
    numbers = regions[inside] - 1
    count = int(numbers.max()) + 1
    size = np.bincount(numbers, minlength=count)
    columns = []
    for channel in range(image.shape[-1]):
        columns.extend(_first_order(image[..., channel][inside], numbers, size))
        textons = _textons(image[..., channel], spacing, centres[channel])[inside]
        found = np.bincount(numbers * TEXTONS + textons, minlength=count * TEXTONS)
        columns.extend((found.reshape(count, TEXTONS) / size[:, None]).T)
    return regions, np.stack(columns, axis=1).astype(np.float32)


def _first_order(values: Any, numbers: Any, size: Any) -> list[Any]:
    """Mean, deviation, skewness, kurtosis and three percentiles of each region."""
    import numpy as np

    count = len(size)
    mean = np.bincount(numbers, values, count) / size
    away = values - mean[numbers]
    second = np.bincount(numbers, away**2, count) / size + 1e-12
    third = np.bincount(numbers, away**3, count) / size
    fourth = np.bincount(numbers, away**4, count) / size
    order = np.lexsort((values, numbers))
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    ranked = [values[order][start + (q * (size - 1)).astype(int)] for q in (0.1, 0.5, 0.9)]
    return [mean, np.sqrt(second), third / second**1.5, fourth / second**2, *ranked]


def _answers(plane: Any, spectra: Any, size: tuple[int, int]) -> Any:
    """Answers of all filters at the pixels of one slice, (filters, i, j), by FFT."""
    import numpy as np
    from scipy import fft

    seen = fft.rfft2(plane, size, workers=2)
    every = fft.irfft2(seen[None] * spectra, size, workers=2)
    return np.asarray(every[:, : plane.shape[0], : plane.shape[1]])


def _spectra(shape: tuple[int, ...], spacing: Any) -> tuple[Any, tuple[int, int]]:
    """Spectra of the filters, shifted so that answers lie at their pixels."""
    import numpy as np
    from scipy import fft

    from onkos.features.gabor import GaborBank

    kernels = GaborBank().kernels((spacing[0], spacing[1])).astype(np.float32)
    half = [side // 2 for side in kernels.shape[1:]]
    size = [fft.next_fast_len(shape[n] + 2 * half[n], real=True) for n in (0, 1)]
    padded = np.zeros((len(kernels), *size), dtype=np.float32)
    padded[:, : kernels.shape[1], : kernels.shape[2]] = kernels[:, ::-1, ::-1]
    padded = np.roll(padded, (-half[0], -half[1]), axis=(1, 2))
    return fft.rfft2(padded, workers=2), (size[0], size[1])


def _textons(channel: Any, spacing: Any, centres: Any) -> Any:
    """Nearest texton of each voxel, slice by slice so that memory stays small."""
    import numpy as np

    spectra, size = _spectra(channel.shape, spacing)
    offset = (centres**2).sum(axis=1).astype(np.float32) / 2
    nearest = np.zeros(channel.shape, dtype=np.intp)
    for k in range(channel.shape[2]):
        answers = _answers(channel[..., k], spectra, size).reshape(len(spectra), -1)
        score = centres.astype(np.float32) @ answers - offset[:, None]
        nearest[..., k] = score.argmax(axis=0).reshape(channel.shape[:2])
    return nearest


def _sampled(image: Any, spacing: Any, places: Any) -> Any:
    """Answers of all filters at some voxels, channel by channel."""
    import numpy as np

    index = np.unravel_index(places, image.shape[:3])
    spectra, size = _spectra(image.shape, spacing)
    for channel in range(image.shape[-1]):
        found = np.empty((len(places), len(spectra)), dtype=np.float32)
        for k in np.unique(index[2]):
            here = index[2] == k
            answers = _answers(image[..., k, channel], spectra, size)
            found[here] = answers[:, index[0][here], index[1][here]].T
        yield found


def _commonest(regions: Any, truth: Any) -> Any:
    import numpy as np

    inside = regions > 0
    counted = np.bincount((regions[inside] - 1) * 3 + truth[inside], minlength=3 * regions.max())
    return counted.reshape(-1, 3).argmax(axis=1)


def _dice(found: Any, folder: Path) -> float:
    import nibabel as nib
    import numpy as np

    truth = np.asarray(nib.load(folder / "truth" / "patient.nii.gz").dataobj) > 0
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


CONTENDERS = {"onkos": onkos_outlines, "libraries": peer_outlines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--shape", type=int, nargs=3, default=[240, 240, 155])
    parser.add_argument("--once", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        name, folder, *shape = asked.once
        if name == "write":
            sides = tuple(int(side) for side in shape)
            report(lambda: write_phantoms(Path(folder), sides))
        else:
            CONTENDERS[name](Path(folder))
        return
    with tempfile.TemporaryDirectory() as made:
        measured(__file__, "write", made, *map(str, asked.shape), repeats=1)
        figures = {}
        for name in CONTENDERS:
            repeats = 3 if name == "onkos" else 1
            figures[name] = measured(__file__, name, made, repeats=repeats)
            note = f"Dice of the whole tumour {figures[name]['dice']:.3f} (phantom)"
            print(row(name, figures[name], note), flush=True)
    ratio = figures["libraries"]["seconds"] / figures["onkos"]["seconds"]
    print(f"{ratio:.1f} times faster")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
