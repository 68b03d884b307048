"""NRRD images and label maps, their grid against SimpleITK."""

from __future__ import annotations

from pathlib import Path

import nrrd as pynrrd
import numpy as np
import pytest
import SimpleITK

from onkos.core.errors import ContentError, GeometryError, OnkosError
from onkos.core.geometry import Geometry
from onkos.io import nrrd

GRID = Geometry.upright(
    (7, 9, 5),
    spacing_mm=(0.7, 1.9, 3.1),
    origin_mm=(-31.0, 14.5, 88.0),
    directions=np.array([[0.0, 0.6, -0.8], [1.0, 0.0, 0.0], [0.0, -0.8, -0.6]]),
)


def written(path: Path, data: np.ndarray) -> Path:
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing(GRID.spacing_mm)
    image.SetOrigin(GRID.origin_mm)
    image.SetDirection(GRID.directions.ravel())
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    return path


def header(**changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "space": "left-posterior-superior",
        "space directions": np.diag([2.0, 3.0, 4.0]),
        "space origin": [1.0, 2.0, 3.0],
        "encoding": "raw",
    }
    told.update(changes)
    return {key: value for key, value in told.items() if value is not None}


def saved(path: Path, data: np.ndarray, **changes: object) -> Path:
    pynrrd.write(str(path), data, header(**changes))
    return path


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr"])
def test_what_simpleitk_wrote(suffix: str, tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.integers(-1000, 1000, size=GRID.shape).astype(np.int16)
    read = nrrd.read(written(tmp_path / f"a{suffix}", data))
    np.testing.assert_array_equal(read.data, data)
    assert read.geometry.matches(GRID, tolerance_mm=1e-4)
    assert read.caveats == ()


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
    ],
)
def test_spaces(space: str, signs: tuple[int, int, int], tmp_path: Path) -> None:
    read = nrrd.read(saved(tmp_path / "a.nrrd", np.zeros((4, 5, 3), np.int16), space=space))
    np.testing.assert_allclose(read.geometry.axes_mm, np.diag([2.0, 3.0, 4.0]) * signs)
    np.testing.assert_allclose(read.geometry.origin_mm, np.array([1.0, 2.0, 3.0]) * signs)


def test_a_space_that_is_not_the_body(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nrrd", np.zeros((4, 5, 3), np.int16), space="scanner-xyz")
    with pytest.raises(GeometryError, match="space 'scanner-xyz'; expected one of"):
        nrrd.read(path)


def test_no_space_is_told(tmp_path: Path) -> None:
    changes = {"space": None, "space directions": None, "space origin": None}
    path = saved(tmp_path / "a.nrrd", np.zeros((4, 5, 3), np.int16),
                 **changes, spacings=[2.0, 3.0, 4.0])  # fmt: skip
    read = nrrd.read(path)
    assert read.geometry.spacing_mm == pytest.approx((2, 3, 4))
    assert [c.code for c in read.caveats] == ["orientation-unknown"]


def test_neither_space_nor_spacing(tmp_path: Path) -> None:
    changes = {"space": None, "space directions": None, "space origin": None}
    path = saved(tmp_path / "a.nrrd", np.zeros((4, 5, 3), np.int16), **changes)
    with pytest.raises(GeometryError, match="no space directions and no spacings"):
        nrrd.read(path)


def test_directions_that_span_nothing(tmp_path: Path) -> None:
    flat = np.array([[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0]])
    path = saved(tmp_path / "a.nrrd", np.zeros((4, 5, 3), np.int16), **{"space directions": flat})
    with pytest.raises(GeometryError, match=r"a\.nrrd: .* do not span space"):
        nrrd.read(path)


def test_further_axes(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "a.nrrd",
        np.zeros((2, 4, 5, 3), np.int16),
        **{"space directions": np.array([[np.nan] * 3, *np.eye(3)])},
    )
    with pytest.raises(ContentError, match="expected three axes"):
        nrrd.read(path)


def test_slicers_names(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, size=(4, 5, 3)).astype(np.uint8)
    names = {
        "Segment0_LabelValue": "1", "Segment0_Name": "core",
        "Segment1_LabelValue": "2", "Segment1_Name": "core",
    }  # fmt: skip
    mask = nrrd.read_mask(saved(tmp_path / "a.seg.nrrd", labels, **names), None)
    assert mask.names == {1: "core", 2: "core (2)"}
    np.testing.assert_array_equal(mask.labels, labels)


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.raw", "a/../../secret.raw"])
def test_values_outside_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.raw").write_bytes(bytes(120))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").mkdir()
    path = folder / "a.nhdr"
    text = (
        "NRRD0004\ntype: int16\ndimension: 3\nsizes: 4 5 3\nencoding: raw\nendian: little\n"
        "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        f"space origin: (0,0,0)\ndata file: {name}\n"
    )
    path.write_text(text)
    with pytest.raises(ContentError, match="outside its folder"):
        nrrd.read(path)


def test_values_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    data = np.full((4, 5, 3), np.inf, np.float32)
    path = saved(tmp_path / "a.nrrd", data)
    assert [c.code for c in nrrd.read(path).caveats] == ["not-finite"]


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_damage_is_refused_by_name_or_opened(
    encoding: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 99, size=(6, 5, 4)).astype(np.int16)
    path = saved(tmp_path / "a.nrrd", data, encoding=encoding)
    whole = path.read_bytes()
    outcomes = set()
    for number in range(150):
        changed = bytearray(whole)
        if number % 5 == 0:
            changed = changed[: int(rng.integers(len(changed)))]
        else:
            for at in rng.integers(len(changed), size=3):
                changed[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            nrrd.read(path)
            outcomes.add("opened")
        except OnkosError as error:
            outcomes.add("refused" if str(path) in str(error) else str(error))
    assert "refused" in outcomes
    assert outcomes <= {"refused", "opened"}


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nrrd.read(tmp_path / "a.nrrd")
