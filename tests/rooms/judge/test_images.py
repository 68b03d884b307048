"""Made images judged: as the field's engine says, inside the body, every case counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity

from onkos.core.answers import ReconstructedImage
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, FoldResult, Predicted
from onkos.core.errors import CohortError, ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.core.volume import Volume
from onkos.judge import judge
from onkos.stats.fidelity import body, nrmse, psnr_db, ssim
from onkos.work.store import Store

GRID = Geometry.upright((31, 26, 13), spacing_mm=(1.0, 1.5, 3.0), origin_mm=(7, -3, 40))
HU = "[hnsf'U]"


def phantom(seed):
    """A body of soft tissue with a bright spot, in air (phantom)."""
    rng = np.random.default_rng(seed)
    i, j, k = np.indices(GRID.shape)
    inside = ((i - 15) / 12) ** 2 + ((j - 12) / 10) ** 2 < 1
    data = np.where(inside, 40.0 + 10 * np.sin(i / 2 + k), -1000.0)
    data[12:16, 10:14, 4:8] = 120.0 + 20 * rng.normal()
    return Volume(data=data.astype(np.float32), geometry=GRID, modality="CT", unit=HU)


def noisy(volume, sd, seed):
    noise = np.random.default_rng(seed).normal(0, sd, volume.data.shape).astype(np.float32)
    return replace(volume, data=volume.data + noise)


def cohort(n):
    return Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{k}",
                patient=f"P{k}",
                load=lambda: Study(patient=Patient(id="P")),
                truths=known_truths(image=lambda k=k: phantom(k)),
            )
            for k in range(n)
        ),
    )


def said(*repeats, name="model"):
    return Predicted(
        name=name,
        repeats=tuple(
            tuple(
                Answered(
                    case=f"c{k}",
                    patient=f"P{k}",
                    answers={Task.RECONSTRUCT: ReconstructedImage(volume=volume)},
                )
                for k, volume in enumerate(volumes)
                if volume is not None
            )
            for volumes in repeats
        ),
    )


def judged(predicted, truth):
    return judge([predicted], truth, tasks=(Task.RECONSTRUCT,)).judgements[0]


@pytest.mark.parametrize("axes", [2, 3])
def test_over_a_whole_image_the_values_are_those_of_scikit_image(axes):
    truth = phantom(0).data.astype(float)
    image = noisy(phantom(0), 15.0, 1).data.astype(float)
    if axes == 2:
        truth, image = truth[..., 6], image[..., 6]
    everywhere, span = np.ones(truth.shape, dtype=bool), float(np.ptp(truth))
    asked = {"data_range": span, "mask": everywhere}
    expected = structural_similarity(
        image, truth, data_range=span, gaussian_weights=True, use_sample_covariance=False
    )
    assert ssim(image, truth, window="volume", **asked) == pytest.approx(expected, abs=1e-12)
    assert psnr_db(image, truth, **asked) == pytest.approx(
        peak_signal_noise_ratio(truth, image, data_range=span)
    )
    assert nrmse(image, truth, **asked) == pytest.approx(
        normalized_root_mse(truth, image, normalization="min-max")
    )


def test_slices_are_compared_one_by_one():
    truth = phantom(0).data.astype(float)
    image = noisy(phantom(0), 15.0, 1).data.astype(float)
    everywhere = np.ones(truth.shape, dtype=bool)
    each = [
        structural_similarity(
            image[..., k], truth[..., k], data_range=1120.0, gaussian_weights=True,
            use_sample_covariance=False,
        )
        for k in range(truth.shape[2])
    ]  # fmt: skip
    found = ssim(image, truth, data_range=1120.0, mask=everywhere)
    assert found == pytest.approx(np.mean(each), abs=1e-12)


def test_air_does_not_flatter():
    truth, image = phantom(0), noisy(phantom(0), 15.0, 1)
    inside = body(truth.data, unit=HU)
    clean = np.where(inside, image.data, truth.data)
    asked = {"data_range": 1120.0}
    everywhere = np.ones(GRID.shape, dtype=bool)
    for metric in (ssim, psnr_db):
        assert metric(clean, truth.data, mask=inside, **asked) < metric(
            clean, truth.data, mask=everywhere, **asked
        )


def test_the_body_of_an_image_without_hounsfield_units_is_otsus():
    data = np.where(body(phantom(0).data, unit=HU), 300.0, 10.0)
    assert np.array_equal(body(data, unit="1"), data == 300)
    with pytest.raises(ContentError, match="flat"):
        body(np.zeros((4, 4)), unit="1")


def test_every_case_counts_and_every_metric_has_its_interval():
    truth = cohort(6)
    images = [noisy(phantom(k), 10.0 + k, k) for k in range(6)]
    found = judged(said(images), truth)
    assert set(found.metrics) == {"ssim", "psnr_db", "nrmse"}
    values = [one.values["ssim"] for one in found.cases]
    assert found.metrics["ssim"].value == pytest.approx(np.mean(values))
    for one in found.metrics.values():
        assert one.low < one.value < one.high
        assert one.n == 6
        assert "data range of each case" in str(one.method)
    gone = judged(said([*images[:5], None]), truth)
    assert gone.unanswered == ("c5",)
    assert gone.metrics["ssim"].value == pytest.approx(np.sum(values[:5]) / 6)
    assert gone.metrics["ssim"].missed == 1
    assert gone.metrics["nrmse"].value > found.metrics["nrmse"].value


def test_two_models_are_told_apart_case_by_case():
    truth = cohort(6)
    good, poor = ([noisy(phantom(k), sd, k) for k in range(6)] for sd in (5.0, 20.0))
    tests = judge(
        [said(good, name="a"), said(poor, name="b")], truth, tasks=(Task.RECONSTRUCT,)
    ).tests
    assert [one.metric for one in tests] == ["ssim", "psnr_db", "nrmse"]
    assert tests[0].difference.low > 0
    assert tests[2].difference.high < 0
    both = judged(said(good, poor), truth)
    alone = [judged(said(one), truth).metrics["ssim"].value for one in (good, poor)]
    assert both.metrics["ssim"].value == pytest.approx(np.mean(alone))
    assert both.spread["ssim"].values == pytest.approx(alone)


def test_an_equal_image_is_perfect_and_finite():
    found = judged(said([phantom(k) for k in range(3)]), cohort(3))
    assert found.metrics["ssim"].value == pytest.approx(1)
    assert found.metrics["psnr_db"].value == 100
    assert found.metrics["nrmse"].value == 0


def test_what_does_not_fit_is_refused():
    truth = cohort(2)
    shifted = replace(phantom(0), geometry=Geometry.upright(GRID.shape, spacing_mm=(1.0, 1.5, 3.1)))
    with pytest.raises(GeometryError, match="case c0"):
        judged(said([shifted, phantom(1)]), truth)
    with pytest.raises(ContentError, match=r"case c1.*one unit"):
        judged(said([phantom(0), replace(phantom(1), unit="1")]), truth)
    broken = phantom(1).data.copy()
    broken[15, 12, 6] = np.nan
    with pytest.raises(ContentError, match=r"case c1.*not finite"):
        judged(said([phantom(0), replace(phantom(1), data=broken)]), truth)
    with pytest.raises(CohortError, match="no case of the truth"):
        judged(Predicted(name="nothing", repeats=((),)), truth)
    with pytest.raises(ContentError, match="window is 11 wide"):
        ssim(np.eye(8), np.eye(8), data_range=1.0, mask=np.ones((8, 8), dtype=bool))


def test_a_kept_image_comes_back_as_it_was(tmp_path):
    store, made = Store(root=tmp_path), ReconstructedImage(volume=phantom(3), role="full-dose")
    kept = Store.image(store.folder("key"), "c3", made)
    fold = FoldResult(
        answered=(Answered(case="c3", patient="P3", answers={Task.RECONSTRUCT: kept}),),
        fit_seconds=1.0,
        predict_seconds=1.0,
    )
    store.keep("key", fold)
    again = store.take("key").answered[0].answers[Task.RECONSTRUCT]
    volume = again.load()
    assert np.array_equal(volume.data, phantom(3).data)
    assert volume.data.dtype == np.float32
    assert volume.geometry.matches(GRID)
    assert (volume.modality, volume.unit, again.role) == ("CT", HU, "full-dose")
    next(store.folder("key").glob("image-*")).unlink()
    assert store.take("key") is None
