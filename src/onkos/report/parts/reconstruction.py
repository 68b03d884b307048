"""Reconstructing an image: how close it is to the reference."""

from __future__ import annotations

from onkos.report.parts.part import Part, all_values, chosen, every_value

RECONSTRUCTION = Part(
    title="Images",
    missed="patients without an image",
    columns=chosen(("ssim", "psnr_db", "nrmse")),
    drawings=lambda judgement, sample: [],
    tables=every_value,
    values=all_values,
)
