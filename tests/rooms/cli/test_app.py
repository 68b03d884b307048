"""The command line: exit codes, sentences instead of tracebacks, JSON for machines."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer

from builders import PROVENANCE, shell, sourced, study_of
from onkos.cli.app import app
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.source import PHANTOM
from onkos.core.volume import Volume
from onkos.io import export, nifti

GRID = Geometry.upright((12, 10, 8), spacing_mm=(1.0, 2.0, 3.0), origin_mm=(5, -7, 9))


def test_the_version_is_printed(run):
    code, out, _ = run("--version")
    assert (code, out.split()[0]) == (0, "onkos")


def test_every_word_of_every_command_is_explained_without_escapes(run):
    commands = typer.main.get_command(app).commands
    assert len(commands) > 10
    for name, command in commands.items():
        mute = [one.name for one in command.params if not one.help]
        assert (name, mute) == (name, [])
        code, out, _ = run(name, "--help")
        assert code == 0
        assert "\\" not in out
        assert "[required]" in out or not any(one.required for one in command.params)


def test_open_prints_one_json_object(run, tmp_path, rng):
    data = rng.normal(size=GRID.shape).astype(np.float32)
    nifti.write_volume(
        tmp_path / "flair.nii.gz", Volume(data=data, geometry=GRID, modality="MR", unit="1")
    )
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2:5, 3:6, 1:3] = 1
    mask = Mask(labels=labels, geometry=GRID, names={1: "core"})
    nifti.write_mask(tmp_path / "mask.nii.gz", mask)
    code, out, _ = run("open", tmp_path, "--json")
    assert code == 0
    found = json.loads(out)
    assert set(found) == {"studies", "lesions", "refused"}
    (study,) = found["studies"]
    assert {"patient", "date", "volumes", "masks"} <= set(study)
    (volume,) = study["volumes"]
    assert volume["role"] == "flair"
    assert volume["shape"] == list(GRID.shape)
    assert volume["spacing_mm"] == pytest.approx([1.0, 2.0, 3.0])
    assert np.allclose(volume["affine_lps"], GRID.affine)
    assert {"modality", "unit", "series_uid", "caveats"} <= set(volume)
    assert sum(study["masks"][0]["volumes_ml"].values()) == pytest.approx(18 * 6 / 1000)


def test_open_of_what_is_refused_leaves_with_3(run, tmp_path):
    (tmp_path / "notes.txt").write_text("no images here")
    code, out, _ = run("open", tmp_path, "--json")
    assert code == 3
    (refused,) = json.loads(out)["refused"]
    assert set(refused) == {"path", "error", "reason"}
    assert refused["path"].endswith("notes.txt")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["open", "nowhere"], 3, "no such file"),
        (["read", "nowhere", "nowhere", "--out", "x"], 3, "card"),
        (["fit", "no-arm", "--cohort", "nowhere", "--out", "x"], 2, "supervoxel-forest"),
        (["fit", "trivial", "--cohort", "nowhere.csv", "--out", "x"], 3, "no such table"),
        (["compare", "--cohort", "nowhere.csv", "--arms", "trivial", "--out", "x"], 3, "table"),
        (["report", "nowhere"], 2, "no reading.json"),
        (["read"], 2, "Missing"),
        (["no-command"], 2, "No such command"),
    ],
)
def test_wrong_input_is_a_sentence(run, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    left, out, err = run(*arguments)
    assert left == code
    assert words in err
    assert "Traceback" not in out + err
    assert list(tmp_path.iterdir()) == []


def test_open_reads_a_segmentation_beside_nothing(run, tmp_path):
    volume = sourced(GRID)
    study = study_of(volume)
    export.seg.write(
        tmp_path / "seg.dcm",
        masks=[shell(GRID, 5.0)],
        volume=volume,
        study=study,
        provenance=PROVENANCE,
    )
    code, out, _ = run("open", tmp_path / "seg.dcm", "--json")
    assert code == 0
    (study,) = json.loads(out)["studies"]
    assert study["volumes"] == []
    assert sorted(study["masks"][0]["names"]) == ["core", "oedema"]
    assert PHANTOM.code not in out
