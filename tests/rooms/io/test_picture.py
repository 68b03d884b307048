"""Plain pictures: depth kept, colours, inverted greys, and what is refused."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image, ImageOps

from onkos.core.errors import ContentError, GeometryError, OnkosError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.io import picture


def pixels(rng: np.random.Generator, kind: str, *, colour: bool = False) -> np.ndarray:
    shape = (11, 6, 3) if colour else (11, 6)
    if kind == "float32":
        return rng.normal(size=shape).astype(kind)
    return rng.integers(0, np.iinfo(kind).max, size=shape).astype(kind)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp"])
@pytest.mark.parametrize("colour", [False, True])
def test_simpleitk_reads_the_same(
    suffix: str, colour: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = pixels(rng, "uint8", colour=colour)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(data).save(path)
    read = picture.read(path)
    other = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    if other.ndim == 3 and not colour:
        other = other[..., 0]  # SimpleITK makes colours of grey bitmaps
    np.testing.assert_array_equal(read.data, other.swapaxes(0, 1))
    assert read.geometry.shape == (6, 11)
    assert read.unit == ("rgb" if colour else "1")
    assert read.caveats == ()
    with pytest.raises(GeometryError, match="pixel size is unknown"):
        _ = read.geometry.spacing_mm


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "uint16"), (".tif", "uint16"), (".tif", "float32")]
)
def test_depth_is_kept(suffix: str, kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    data = pixels(rng, kind)
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, data)
    else:
        Image.fromarray(data).save(path)
    np.testing.assert_array_equal(picture.read(path).data, data.T)


def test_jpeg_is_near(tmp_path: Path) -> None:
    data = np.tile(np.arange(64, dtype=np.uint8) * 3, (48, 1))
    Image.fromarray(data).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(picture.read(tmp_path / "a.jpg").data.astype(int) - data.T).max() < 12


def test_exif_turns_the_picture(tmp_path: Path, rng: np.random.Generator) -> None:
    data = pixels(rng, "uint8")
    image = Image.fromarray(data)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(picture.read(tmp_path / "a.png").data, np.rot90(data, -1).T)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_inverted_greys(kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    data = pixels(rng, kind)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="miniswhite")
    read = picture.read(tmp_path / "a.tif")
    wide = data.astype(np.float64)
    np.testing.assert_allclose(read.data, (wide.max() + wide.min() - wide).T, rtol=1e-6)
    assert [c.code for c in read.caveats] == ["inverted-greys"]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_transparency_is_told(suffix: str, tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.integers(0, 255, size=(11, 6, 4)).astype(np.uint8)
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, data, photometric="rgb", extrasamples=["unassalpha"])
    else:
        Image.fromarray(data, "RGBA").save(path)
    read = picture.read(path)
    assert [c.code for c in read.caveats] == ["transparent"]
    np.testing.assert_array_equal(read.data, data[..., :3].swapaxes(0, 1))


def test_several_pages(tmp_path: Path, rng: np.random.Generator) -> None:
    stack = rng.integers(0, 9, size=(3, 11, 6)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    with pytest.raises(ContentError, match="3 pages, expected one; split the stack"):
        picture.read(tmp_path / "a.tif")


def test_moving_pictures(tmp_path: Path) -> None:
    frames = [Image.new("L", (6, 5), shade) for shade in (0, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ContentError, match="2 frames, expected one"):
        picture.read(tmp_path / "a.gif")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_absurd_sizes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a{suffix}"
    Image.new("L", (300, 200)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    with pytest.raises(ContentError, match="not a readable picture"):
        picture.read(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".gif"])
@pytest.mark.parametrize("data", [b"", b"no picture", bytes(500)])
def test_what_is_no_picture(suffix: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    with pytest.raises(ContentError, match="not a readable picture") as caught:
        picture.read(path)
    assert str(path) in str(caught.value)
    assert "export or copy it again" in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".gif"])
def test_damage_is_refused_by_name_or_opened(
    suffix: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(rng, "uint8")).save(path)
    whole = path.read_bytes()
    outcomes = set()
    for number in range(150):
        data = bytearray(whole)
        if number % 5 == 0:
            data = data[: int(rng.integers(len(data)))]
        else:
            for at in rng.integers(len(data), size=3):
                data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            picture.read(path)
            outcomes.add("opened")
        except OnkosError as error:
            outcomes.add("refused" if str(path) in str(error) else str(error))
    assert "refused" in outcomes
    assert outcomes <= {"refused", "opened"}


def test_masks_there_and_back(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 4, size=(6, 11)).astype(np.uint8)
    names = {1: "a", 2: "b", 3: "c"}
    mask = Mask(labels=labels, geometry=Geometry.picture((6, 11)), names=names)
    picture.write_mask(tmp_path / "a.png", mask)
    read = picture.read_mask(tmp_path / "a.png", names)
    np.testing.assert_array_equal(read.labels, labels)


def test_masks_that_are_none(tmp_path: Path, rng: np.random.Generator) -> None:
    Image.fromarray(pixels(rng, "uint8")).save(tmp_path / "a.jpg")
    with pytest.raises(ContentError, match="JPEG changes values; expected labels as PNG or TIFF"):
        picture.read_mask(tmp_path / "a.jpg", None)
    Image.fromarray(pixels(rng, "uint8", colour=True)).save(tmp_path / "a.png")
    with pytest.raises(ContentError, match="a coloured picture; expected labels as grey values"):
        picture.read_mask(tmp_path / "a.png", None)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        picture.read(tmp_path / "a.png")


RAMP = (np.arange(48).reshape(6, 8) * 5).astype(np.uint8)


def told(volume: Volume) -> list[str]:
    return [caveat.code for caveat in volume.caveats]


@pytest.mark.parametrize(("by", "codes"), [(1, ["palette-low-byte"]), (256, [])])
def test_palettes_of_tiff(by: int, codes: list[str], tmp_path: Path) -> None:
    """Entries are of 16 bits; some writers fill the low byte only, which others show black."""
    colours = np.stack([np.arange(256), np.arange(256)[::-1], np.arange(256)]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", RAMP, photometric="palette", colormap=colours * by)
    volume = picture.read(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.data[..., 0], RAMP.T)
    np.testing.assert_array_equal(volume.data[..., 1], 255 - RAMP.T)
    assert told(volume) == codes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_is_turned_as_it_says(orientation: int, tmp_path: Path) -> None:
    tag = (274, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "a.tif", RAMP, extratags=[tag])
    image = Image.fromarray(RAMP)
    image.getexif()[274] = orientation
    expected = np.array(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(picture.read(tmp_path / "a.tif").data, expected.T)


@pytest.mark.parametrize("channels", [2, 3])
def test_colours_of_16_bits_are_told(channels: int, tmp_path: Path) -> None:
    deep = np.dstack([RAMP.astype(np.uint16) * 257] * channels)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(deep))
    assert "depth-reduced" in told(picture.read(tmp_path / "a.png"))


def test_pictures_of_one_bit_and_planes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RAMP > 100, photometric="minisblack")
    np.testing.assert_array_equal(picture.read(tmp_path / "a.tif").data, 255 * (RAMP.T > 100))
    planes = np.stack([RAMP, RAMP // 2, RAMP // 5])
    tifffile.imwrite(tmp_path / "b.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(picture.read(tmp_path / "b.tif").data, planes.transpose(2, 1, 0))


def test_labels_as_numbers_of_a_palette(tmp_path: Path) -> None:
    labels = (RAMP > 100).astype(np.uint8) + (RAMP > 200)
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
    image.save(tmp_path / "mask.png")
    mask = picture.read_mask(tmp_path / "mask.png", None)
    np.testing.assert_array_equal(mask.labels, labels.T)
    assert [caveat.code for caveat in mask.caveats] == ["palette-labels"]
