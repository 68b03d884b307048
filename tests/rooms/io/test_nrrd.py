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


def file(path: Path, data: np.ndarray, *lines: str) -> Path:
    """A file as its lines say, with raw values."""
    names = {"int16": "short", "uint8": "uchar"}
    sizes = " ".join(str(side) for side in data.shape)
    head = ["NRRD0005", f"type: {names[str(data.dtype)]}", f"dimension: {data.ndim}"]
    head += [f"sizes: {sizes}", "endian: little", "encoding: raw", *lines]
    path.write_bytes(("\n".join(head) + "\n\n").encode() + data.tobytes(order="F"))
    return path


IMAGE = np.arange(120, dtype=np.int16).reshape(6, 5, 4, order="F")


def spaced(step: float, units: str) -> list[str]:
    return [
        "space: left-posterior-superior",
        f"space directions: ({step},0,0) (0,{2 * step},0) (0,0,{3 * step})",
        f"space origin: ({step},0,0)",
        *([f"space units: {units}"] if units else []),
    ]


@pytest.mark.parametrize(
    ("step", "units", "mm", "told"),
    [
        (350, '"um" "um" "um"', 0.35, []),
        (350, '"microns" "microns" "microns"', 0.35, []),
        (0.08, '"cm" "cm" "cm"', 0.8, []),
        (0.002, '"m" "m" "m"', 2.0, []),
        (2, '"mm" "mm" "mm"', 2.0, []),
        (2, "", 2.0, []),
        (2, '"???" "???" "???"', 2.0, ["unit-of-length-unknown"]),
    ],
)
def test_units_of_length(step, units, mm, told, tmp_path: Path) -> None:
    volume = nrrd.read(file(tmp_path / "a.nrrd", IMAGE, *spaced(step, units)))
    assert volume.geometry.spacing_mm == pytest.approx((mm, 2 * mm, 3 * mm))
    assert volume.geometry.origin_mm == pytest.approx((mm, 0, 0))
    assert [c.code for c in volume.caveats] == told


@pytest.mark.parametrize("units", ['"mm" "cm" "mm"', '"furlong" "furlong" "furlong"'])
def test_units_that_are_none_are_refused(units, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="expected one unit of length"):
        nrrd.read(file(tmp_path / "a.nrrd", IMAGE, *spaced(2, units)))


def test_units_without_a_space(tmp_path: Path) -> None:
    lines = ["spacings: 100 200 300", 'units: "um" "um" "um"']
    volume = nrrd.read(file(tmp_path / "a.nrrd", IMAGE, *lines))
    assert volume.geometry.spacing_mm == pytest.approx((0.1, 0.2, 0.3))
    assert [c.code for c in volume.caveats] == ["orientation-unknown"]


def test_a_missing_origin_is_told(tmp_path: Path) -> None:
    lines = [line for line in spaced(2, "") if "origin" not in line]
    volume = nrrd.read(file(tmp_path / "a.nrrd", IMAGE, *lines))
    assert [c.code for c in volume.caveats] == ["place-unknown"]


def test_values_that_were_quantised_are_told(tmp_path: Path) -> None:
    volume = nrrd.read(file(tmp_path / "a.nrrd", IMAGE, *spaced(2, ""), "old min: 0", "old max: 9"))
    assert [c.code for c in volume.caveats] == ["quantised"]


LAYERED = [
    "space: left-posterior-superior",
    "space directions: none (1,0,0) (0,1,0) (0,0,1)",
    "space origin: (0,0,0)",
    "kinds: list domain domain domain",
]


def layers(count: int) -> np.ndarray:
    made = np.zeros((count, 6, 5, 4), np.uint8)
    for layer in range(count):
        made[layer, 1 + layer : 4, 1:3, 1:3] = 1
    return made


@pytest.mark.parametrize(
    "lines",
    [
        ["Segment0_Name:=tumour", "Segment0_LabelValue:=1", "Segment0_Layer:=0", "Segment0_ID:=a"],
        ["Segment0_ID:=a", "Segment0_Name:=tumour"],  # until 4.11
    ],
)
def test_a_list_axis_of_one_is_dropped(lines, tmp_path: Path) -> None:
    path = file(tmp_path / "a.seg.nrrd", layers(1), *LAYERED, *lines)
    mask = nrrd.read_mask(path, None)
    assert mask.counts == {"tumour": 12}
    assert mask.geometry.shape == (6, 5, 4)


@pytest.mark.parametrize("new", [True, False])
def test_layers_that_overlap_are_a_mask_each(new, tmp_path: Path) -> None:
    lines = [f"Segment{n}_ID:=s{n}\nSegment{n}_Name:={name}" for n, name in enumerate("ab")]
    if new:
        lines += [f"Segment{n}_LabelValue:=1\nSegment{n}_Layer:={n}" for n in range(2)]
    path = file(tmp_path / "a.seg.nrrd", layers(2), *LAYERED, *lines)
    first, second = nrrd.read_masks(path, None)
    assert (first.counts, second.counts) == ({"a": 12}, {"b": 8})
    with pytest.raises(ContentError, match="2 layers of segments that overlap"):
        nrrd.read_mask(path, None)


@pytest.mark.parametrize("kind", ["vector", "RGB-color", "complex"])
def test_components_are_refused(kind, tmp_path: Path) -> None:
    lines = [line.replace("list", kind) for line in LAYERED]
    path = file(tmp_path / "a.nrrd", layers(3), *lines)
    with pytest.raises(ContentError, match="expected three axes of space"):
        nrrd.read(path)
