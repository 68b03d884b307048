"""Archives: unpacked where they do no harm, refused where they would."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.core.geometry import Geometry
from onkos.io import archive
from onkos.io.intake import open_path, open_study
from slices import slices, write

GRID = Geometry.upright((7, 6, 5), spacing_mm=(1.1, 0.7, 3.0), origin_mm=(5, -6, 70))
MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}


def packed(source: Path, target: Path) -> Path:
    files = sorted(p for p in source.rglob("*") if p.is_file())
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for file in files:
                made.write(file, str(file.relative_to(source)))
        return target
    mode = next(mode for suffix, mode in MODES.items() if target.name.endswith(suffix))
    with tarfile.open(target, mode) as made:
        for file in files:
            made.add(file, str(file.relative_to(source)))
    return target


@pytest.mark.parametrize("suffix", [".zip", ".ZIP", *MODES])
def test_an_archive_is_what_its_folder_is(
    suffix: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    write(tmp_path / "in" / "deep", slices(GRID, rng))
    target = packed(tmp_path / "in", tmp_path / f"out{suffix.lower()}")
    target = target.rename(tmp_path / f"out{suffix}")
    inside, outside = open_study(target), open_study(tmp_path / "in")
    np.testing.assert_array_equal(inside.volume("ct").data, outside.volume("ct").data)
    assert inside.volume("ct").geometry == outside.volume("ct").geometry


def test_refusals_name_the_file_within(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path / "in", slices(GRID, rng))
    (tmp_path / "in" / "notes.txt").write_text("hello")
    target = packed(tmp_path / "in", tmp_path / "out.zip")
    found = open_path(target)
    assert [refused.path for refused in found.refused] == [str(target / "notes.txt")]
    assert "files-refused" in {c.code for c in found.studies[0].caveats}


def zipped(path: Path, name: str, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(zipfile.ZipInfo(name), data)
    return path


def tarred(path: Path, member: tarfile.TarInfo, data: bytes = b"") -> Path:
    member.size = len(data)
    with tarfile.open(path, "w") as made:
        made.addfile(member, io.BytesIO(data))
    return path


ESCAPES = ["../out", "a/../../out", "/out", "..\\out", "a\\..\\..\\out", "C:\\out", "c:out"]


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / f"bad.{kind}"
    path.parent.mkdir()
    if kind == "zip":
        zipped(path, name)
    else:
        tarred(path, tarfile.TarInfo(name), b"x")
    (refused,) = open_path(path).refused
    assert refused.error == "ContentError"
    assert "leads out of the archive" in refused.reason
    assert "do not use it" in refused.reason
    assert sorted(p.name for p in tmp_path.rglob("*")) == [path.name, "in"]


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        member = tarfile.TarInfo("odd")
        member.type, member.linkname = kind, "/etc/passwd"
        tarred(tmp_path / f"{kind.decode()}.tar", member)
    found = open_path(tmp_path)
    assert len(found.refused) == 5
    assert all("archives hold files only" in refused.reason for refused in found.refused)


@pytest.mark.parametrize("kind", [".zip", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_a_bomb_stops_early(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_FREE_BYTES", 1 << 20)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "zeros").write_bytes(bytes(64 << 20))
    target = packed(tmp_path / "in", tmp_path / f"bomb{kind}")
    written = []
    real = Path.open

    def watched(self: Path, *args: str) -> object:
        written.append(self)
        return real(self, *args)

    monkeypatch.setattr(Path, "open", watched)
    words = "unpacks to far more than images do"
    with pytest.raises(ContentError, match=words), archive.unpacked(target):
        pytest.fail("unpacked")
    assert not any(path.exists() for path in written)


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_FILES", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        for number in range(4):
            made.writestr(str(number), "x")
    (refused,) = open_path(tmp_path).refused
    assert "a bomb" in refused.reason


def test_two_members_of_one_name(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as made:
        for data in (b"one", b"other"):
            member = tarfile.TarInfo("same")
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    (refused,) = open_path(tmp_path).refused
    assert "two members are called 'same'" in refused.reason


def test_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", "x", b"secret")
    data = bytearray(path.read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        data[at] |= 1
    path.write_bytes(data)
    (refused,) = open_path(path).refused
    assert refused.error == "ContentError"
    assert "encrypted" in refused.reason


def test_an_archive_within_an_archive(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", "x")
    zipped(tmp_path / "outer.zip", "inner.zip", inner.read_bytes())
    (refused,) = open_path(tmp_path / "outer.zip").refused
    assert "an archive within an archive; unpack it" in refused.reason


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_damaged_archives_never_raise(kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path / "in", slices(GRID, rng))
    path = packed(tmp_path / "in", tmp_path / f"a{kind}")
    whole = path.read_bytes()
    for number in range(30):
        data = bytearray(whole)
        if number % 3 == 0 or kind == ".tar":  # which has no checksum of what is in it
            data = data[: int(rng.integers(len(data)))]
        else:
            for at in rng.integers(len(data), size=4):
                data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        found = open_path(path)
        whole_study = found.studies and found.studies[0].volumes["ct"].geometry.shape == GRID.shape
        assert whole_study or found.refused


def test_a_damaged_member_in_a_tar(tmp_path: Path, rng: np.random.Generator) -> None:
    write(tmp_path / "in", slices(GRID, rng))
    path = packed(tmp_path / "in", tmp_path / "a.tar")
    data = bytearray(path.read_bytes())
    data[data.index(b"ustar", 2000) - 100] ^= 1  # in the second member's header
    path.write_bytes(data)
    (refused,) = open_path(path).refused
    assert refused.error == "ContentError"
    assert "cut short or damaged, copy it again" in refused.reason


def test_nothing_is_left_behind(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in", slices(GRID, rng))
    path = packed(tmp_path / "in", tmp_path / "a.zip")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    open_path(path)
    assert list((tmp_path / "temporary").iterdir()) == []
