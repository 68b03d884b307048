"""Archives unpacked where they cannot do harm."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from onkos.core.errors import ContentError
from onkos.io.damage import DAMAGE, said

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")

_MOST_BYTES = 64 << 30
_MOST_FILES = 500_000
_MOST_TIMES = 250  # unpacked over packed size; images reach about 100 where they are mostly air
_FREE_BYTES = 64 << 20  # below this no ratio is suspicious
_CHUNK = 1 << 20
_BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, tarfile.TarError, *DAMAGE)


def is_archive(path: Path) -> bool:
    """Whether a name is that of an archive Onkos unpacks."""
    return path.name.lower().endswith(SUFFIXES)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack an archive into a temporary folder that is gone at the end of the block.

    Raises
    ------
    ContentError
        If it is damaged, encrypted, would leave its folder (absolute paths, ``..``), or unpacks
        to far more than it is (a bomb). Links and devices in it are refused.
    """
    with tempfile.TemporaryDirectory(prefix="onkos-") as name:
        folder = Path(name)
        try:
            if path.name.lower().endswith(".zip"):
                _unzip(path, folder)
            else:
                _untar(path, folder)
        except _BROKEN as error:
            if isinstance(error, FileNotFoundError) and not path.exists():
                raise
            raise ContentError(
                f"{path}: the archive cannot be unpacked ({said(error)}); copy it again"
            ) from error
        yield folder


def _unzip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        budget = _Budget(path)
        for member in archive.infolist():
            target = _target(path, folder, member.filename)
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise ContentError(f"{path}: {member.filename} is a link; archives hold files only")
            if not member.is_dir():
                with archive.open(member) as packed:
                    budget.copy(packed, target)


def _untar(path: Path, folder: Path) -> None:
    with tarfile.open(path, mode="r:*") as archive:
        budget = _Budget(path)
        for member in archive:
            target = _target(path, folder, member.name)
            if member.isdir():
                continue
            packed = archive.extractfile(member) if member.isfile() else None
            if packed is None:
                raise ContentError(
                    f"{path}: {member.name} is a link or device; archives hold files only"
                )
            with packed:
                budget.copy(packed, target)
        _require_end(archive, path)


def _require_end(archive: tarfile.TarFile, path: Path) -> None:
    """Refuse an archive that stops without its end mark: members behind are lost without a word."""
    if archive.fileobj is None:
        raise ContentError(f"{path}: the archive was closed while it was read; try again")
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise ContentError(
            f"{path}: the archive stops without its end mark; it is cut short or damaged, copy it "
            "again"
        )


def _target(path: Path, folder: Path, name: str) -> Path:
    """Where a member goes; refuses a name that leads out of the folder."""
    inside = PurePosixPath(name.replace("\\", "/"))
    drive = len(name) > 1 and name[1] == ":"  # C:\\...
    if inside.is_absolute() or ".." in inside.parts or drive or "\0" in name:
        raise ContentError(
            f"{path}: the member {name!r} leads out of the archive; it is damaged or malicious, "
            "do not use it"
        )
    target = folder / inside
    if target.exists() and not target.is_dir():
        raise ContentError(
            f"{path}: two members are called {name!r}; which of them is meant is not known. Unpack "
            "it by hand"
        )
    return target


class _Budget:
    """How much an archive may still unpack."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = min(_MOST_BYTES, max(_FREE_BYTES, path.stat().st_size * _MOST_TIMES))
        self._files = _MOST_FILES

    def copy(self, packed: IO[bytes], target: Path) -> None:
        """Write one member, counting what really comes out."""
        self._files -= 1
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while chunk := packed.read(_CHUNK):
                self._bytes -= len(chunk)
                if self._bytes < 0 or self._files < 0:
                    raise ContentError(
                        f"{self._path}: unpacks to far more than images do (a bomb, or many "
                        "times compressed); unpack it by hand if you trust it"
                    )
                out.write(chunk)
