"""Plain pictures: PNG, JPEG, TIFF. They know nothing of the patient, and mostly not their size."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image, ImageOps

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, Geometry
from onkos.core.mask import Mask
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.io.damage import refusing
from onkos.io.nifti import as_labels, named
from onkos.io.whole import written_whole

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")

_TIFF = (".tif", ".tiff")
_ORIENTATION, _PLANES = 274, 2  # a TIFF tag, and its word for one plane a colour
_BYTE = 255


def read(path: Path, *, modality: str = "") -> Volume:
    """Read a picture; grey values keep their depth (8, 16 bits, float), colours become RGB.

    Axis i runs to the right, j down. The pixel size stays unknown: a resolution in dots per inch
    tells how to print a picture, not how large what it shows was.

    Raises
    ------
    ContentError
        If the file is damaged, absurdly large, or holds several pages.
    """
    pixels, caveats = _pixels(path)
    data = pixels.swapaxes(0, 1)
    colour = data.ndim == 3
    return Volume(
        data=data,
        geometry=Geometry.picture(data.shape[:2]),
        modality=modality,
        unit="rgb" if colour else "1",
        caveats=caveats,
    )


def read_mask(path: Path, names: Mapping[int, str] | None) -> Mask:
    """Read a picture of labels; without names each value n is called ``label-n``.

    Raises
    ------
    ContentError
        If it is coloured without a palette, whose numbers are labels, or was stored with loss so
        that its values are none.
    """
    if path.suffix.lower() in (".jpg", ".jpeg"):
        raise ContentError(f"{path}: JPEG changes values; expected labels as PNG or TIFF")
    pixels, caveats = _pixels(path)
    caveats = tuple(one for one in caveats if one.code == "inverted-greys")
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    elif pixels.ndim == 3:
        pixels, caveats = _numbers_of_colours(path)
    labels = as_labels(pixels.swapaxes(0, 1), str(path))
    return Mask(
        labels=labels,
        geometry=Geometry.picture(labels.shape),
        names=named(labels, names),
        caveats=caveats,
    )


def write_mask(path: Path, mask: Mask) -> None:
    """Write the labels of a picture as a grey PNG, whole or not at all."""
    if mask.geometry.ndim != 2:
        raise ContentError(f"{path}: a mask of three axes is no picture; write it as NIfTI")
    with written_whole(path) as temporary:
        Image.fromarray(np.ascontiguousarray(mask.labels.T)).save(temporary, "PNG")


def _pixels(path: Path) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Values as (rows, columns) or (rows, columns, 3), and what is doubtful about them."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    with refusing(path, *bombs, tifffile.TiffFileError, what="picture"):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _tiff(path) if path.suffix.lower() in _TIFF else _with_pillow(path)


def _with_pillow(path: Path) -> tuple[AnyArray, tuple[Caveat, ...]]:
    with Image.open(path) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise ValueError(f"{image.n_frames} frames, expected one")
        shallow = _shallow(image, path)
        image.load()
        upright = ImageOps.exif_transpose(image)
        caveats = (*_transparency(upright, path), *shallow)
        if upright.mode == "1":
            upright = upright.convert("L")
        if upright.mode not in ("L", "I;16", "I", "F", "RGB"):
            upright = upright.convert("L" if upright.mode == "LA" else "RGB")
        return np.array(upright), caveats


def _shallow(image: Image.Image, path: Path) -> tuple[Caveat, ...]:
    """Caveat where colours of 16 bits will be read with 8, which is all Pillow can."""
    deep = any(isinstance(tile[3], str) and ";16" in tile[3] for tile in image.tile)
    if not deep or image.mode not in ("RGB", "RGBA", "LA", "L"):
        return ()
    text = f"{path.name}: stored with 16 bits a colour and read with 8; fine differences are lost."
    return (Caveat(code="depth-reduced", text=text),)


def _numbers_of_colours(path: Path) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Numbers of a palette's colours, as tools that mark pictures store labels."""
    with refusing(path, tifffile.TiffFileError, what="picture"):
        if path.suffix.lower() in _TIFF:
            with tifffile.TiffFile(path) as file:
                page = file.pages[0]
                is_palette = page.photometric.name == "PALETTE"
                numbers = _turned(page.asarray(), _orientation(page)) if is_palette else None
        else:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image)
                numbers = np.array(upright) if upright.mode == "P" else None
    if numbers is None:
        raise ContentError(
            f"{path}: a coloured picture; expected labels as grey values, or as a palette's "
            "numbers. Save it so"
        )
    text = f"{path.name}: labels are the numbers of its palette's colours."
    return numbers, (Caveat(code="palette-labels", text=text),)


def _transparency(image: Image.Image, path: Path) -> tuple[Caveat, ...]:
    """Caveat where part of a picture is transparent: its colour there is not to be trusted."""
    if "A" not in image.getbands() or image.getchannel("A").getextrema()[0] == 255:
        return ()
    text = f"{path.name}: parts are transparent; their stored colour is used."
    return (Caveat(code="transparent", text=text),)


def _tiff(path: Path) -> tuple[AnyArray, tuple[Caveat, ...]]:
    with tifffile.TiffFile(path) as file:
        if len(file.series) != 1 or len(file.pages) != 1:
            raise ValueError(f"{len(file.pages)} pages, expected one; split the stack")
        page = file.pages[0]
        kind = page.photometric.name
        if kind not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE"):
            return _with_pillow(path)
        if page.imagewidth * page.imagelength > (Image.MAX_IMAGE_PIXELS or 0):
            raise ValueError(f"{page.imagewidth} x {page.imagelength} pixels are absurdly many")
        pixels, colours = page.asarray(), page.colormap
        if pixels.ndim == 3 and int(page.planarconfig) == _PLANES:
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = _turned(pixels, _orientation(page))
    caveats: tuple[Caveat, ...] = ()
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if kind == "MINISWHITE":
        pixels, caveats = _bright_is_high(pixels, path)
    elif kind == "PALETTE":
        return _coloured(pixels, colours, path)
    if pixels.ndim == 3 and pixels.shape[-1] in (3, 4):
        return pixels[..., :3], _opaque(pixels[..., 3:], path)
    if pixels.ndim != 2 or pixels.dtype.kind not in "uif":
        raise ValueError(
            f"array of shape {pixels.shape} and type {pixels.dtype}, expected one grey or colour "
            "picture"
        )
    return pixels, caveats


def _orientation(page: Any) -> int:
    """How a TIFF is to be turned, 1 to 8 as in EXIF; 1 where it says nothing."""
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None else 1


def _turned(pixels: AnyArray, orientation: int) -> AnyArray:
    """Rows from top to bottom and columns from left to right, as the picture is meant."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _coloured(
    numbers: AnyArray, colours: AnyArray, path: Path
) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """RGB of 8 bits of a palette, whose entries are of 16 bits and sometimes filled with 8."""
    if int(colours.max()) > _BYTE:
        return (colours[:, numbers] >> 8).astype(np.uint8).transpose(1, 2, 0), ()
    text = f"{path.name}: its palette is filled in the low byte only; its colours are from there."
    told = Caveat(code="palette-low-byte", text=text)
    return colours[:, numbers].astype(np.uint8).transpose(1, 2, 0), (told,)


def _bright_is_high(pixels: AnyArray, path: Path) -> tuple[AnyArray, tuple[Caveat, ...]]:
    """Turn greys stored the other way round within their own range."""
    text = f"{path.name}: stored with inverted greys; turned so that bright is high."
    wide = pixels.astype(np.float64 if pixels.dtype.kind == "f" else np.int64)
    turned: AnyArray = (wide.max() + wide.min() - wide).astype(pixels.dtype)
    return turned, (Caveat(code="inverted-greys", text=text),)


def _opaque(alpha: AnyArray, path: Path) -> tuple[Caveat, ...]:
    if not alpha.size or (alpha == np.iinfo(alpha.dtype).max).all():
        return ()
    text = f"{path.name}: parts are transparent; their stored colour is used."
    return (Caveat(code="transparent", text=text),)
