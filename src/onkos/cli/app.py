"""The commands, each a few lines over the verbs."""

from __future__ import annotations

import json as jsonlib
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from typer.core import TyperCommand

from onkos import arms
from onkos.cli import doctor as doctor_page
from onkos.cli import evaluation, extraction, failure, show, work
from onkos.cli import maps as feature_maps
from onkos.cli import readers as reader_study
from onkos.cli import robustness as robust
from onkos.cli.demo import run_demo
from onkos.cli.question import Asked
from onkos.cohort.table import load_table
from onkos.core.errors import UsageError
from onkos.core.plain import to_plain
from onkos.core.version import __version__
from onkos.evaluate import Settings
from onkos.features.radiomics.maps import Window
from onkos.io import intake, results, tables
from onkos.io.whole import write_text
from onkos.read import read as read_study
from onkos.report import folder as folders
from onkos.report import reading as reading_page

app = typer.Typer(
    name="onkos",
    help="AI in tumour imaging: compare methods, read a study. For research use.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Command(TyperCommand):
    """A command whose plain help has no escapes: the library writes them for its coloured one."""

    def get_help(self, ctx: Any) -> str:
        """Text of ``--help``."""
        return super().get_help(ctx).replace("\\[", "[")


command = partial(app.command, cls=Command)

ModelFolder = Annotated[Path, typer.Argument(help="Folder of a fitted model.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
CohortFile = Annotated[Path, typer.Option("--cohort", help="Table of cases, cases.csv.")]
Seed = Annotated[int, typer.Option("--seed", help="Of splits, fits and resampling.")]
Folds = Annotated[int, typer.Option("--folds", help="Folds by patient.", min=2)]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="ROLE=SERIES_UID: which series stands in a role. Repeatable."),
]


def main() -> None:
    """Entry point: run the command line and leave with its exit code."""
    sys.exit(failure.run(_command_line))


def _command_line() -> int:
    """Run Typer; its own usage errors keep their sentence and their exit code 2."""
    try:
        left = app(standalone_mode=False)  # the exit code, where a command left with one
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return left if isinstance(left, int) else 0


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Carry the options of the program itself."""
    if show_version:
        typer.echo(f"onkos {__version__}")
        raise typer.Exit


@command()
def demo(out: Out = Path("demo"), seed: Seed = 2018, json: Json = False) -> None:
    """Simulate a cohort and a new patient (phantom), compare methods, read the patient."""
    with failure.quiet_for_machines(json) as console:
        made = run_demo(out, seed=seed, console=console)
    _tell(json, made, show.demo(made))


@command("open")
def open_path(
    path: Annotated[Path, typer.Argument(help="A file, a folder, an archive.")], json: Json = False
) -> None:
    """Print what studies a file, folder or archive holds, with their caveats."""
    with work.progress(quiet=json) as track:
        found = intake.open_path(path, progress=track(f"Opening {path}"))
    _tell(json, show.intake_plain(found), show.intake(found))
    if not (found.studies or found.lesions):
        raise typer.Exit(failure.REFUSED)


@command()
def fit(
    arm: Annotated[str, typer.Argument(help="Name of the method; see the docs.")],
    cohort: CohortFile,
    out: Out,
    target: Annotated[str, typer.Option(help="Column of the reference class.")] = "target",
    columns: Annotated[str, typer.Option(help="Columns that facts- arms look at.")] = "",
    folds: Folds = 5,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit an arm on a cohort and write the model, with its errors on unseen patients."""
    asked = Asked(cohort=cohort, arms=(arm,), target=target, columns=_listed(columns))
    question = asked.question()
    plan = work.Plan(folds=folds, seed=seed, folder=out)
    with work.progress(quiet=json) as track:
        model = work.fit(question.arms[0], question.cohort, plan, track)
    model.save(out)
    _tell(json, to_plain(model.card), show.card(model.card, out))


@command()
def predict(
    model: ModelFolder,
    cohort: CohortFile,
    out: Out,
    json: Json = False,
) -> None:
    """Apply a model to every case: predictions.csv and masks/<case>.nii.gz."""
    with work.progress(quiet=json) as track:
        made = work.predict(arms.load(model), load_table(cohort), out, track)
    _tell(json, made, show.predictions(made))
    if made["predicted"] == 0:
        raise typer.Exit(failure.REFUSED)


@command()
def compare(
    out: Out,
    recipe: Annotated[str | None, typer.Argument(help="A recipe: its name or TOML file.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the recipe's data sets.")] = None,
    cohort: Annotated[Path | None, typer.Option(help="Table of cases, cases.csv.")] = None,
    arm_names: Annotated[str, typer.Option("--arms", help="Names, separated by commas.")] = "",
    target: Annotated[str, typer.Option(help="Column of the reference class.")] = "target",
    columns: Annotated[str, typer.Option(help="Columns that facts- arms look at.")] = "",
    folds: Annotated[int | None, typer.Option(help="Folds by patient.", min=2)] = None,
    repeats: Annotated[
        int | None, typer.Option(help="How often folds are drawn anew.", min=1)
    ] = None,
    harmonise: Annotated[
        str, typer.Option(help="Column of the site: ComBat on radiomics- and facts- arms.")
    ] = "",
    covariates: Annotated[
        str, typer.Option(help="Columns whose effect --harmonise keeps, never the target.")
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Of splits, fits and resampling.")] = None,
    json: Json = False,
) -> None:
    """Judge several arms on the same folds of a cohort, or follow a recipe."""
    asked = Asked(
        recipe=recipe,
        data=data,
        cohort=cohort,
        arms=_listed(arm_names),
        target=target,
        columns=_listed(columns),
        folds=folds,
        repeats=repeats,
        harmonise=harmonise,
        covariates=_listed(covariates),
        seed=seed,
    )
    question = asked.question()
    with work.progress(quiet=json) as track:
        made = work.compare(question.arms, question.cohort, question.plan(out), track)
    made = question.asked_by(made)
    folders.write_comparison(out, made, question.cohort)
    _tell(json, to_plain(made), show.comparison(made, out))


@command()
def evaluate(
    predictions: Annotated[
        Path, typer.Argument(help="Table: case, patient, and p_CLASS columns or risk (and time).")
    ],
    truth: Annotated[Path, typer.Option("--truth", help="Table of cases with the answers.")],
    out: Out,
    masks: Annotated[Path | None, typer.Option(help="Folder of outlines, CASE.nii.gz.")] = None,
    target: Annotated[str, typer.Option(help="Column of the reference class.")] = "target",
    positive: Annotated[str, typer.Option(help="Class that sensitivity speaks of.")] = "",
    threshold: Annotated[
        float | None, typer.Option(help="Probability a case is called positive from.")
    ] = None,
    tolerance_mm: Annotated[float, typer.Option(help="Of the surface Dice.")] = 2.0,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Judge finished predictions of any model: every metric with interval, n and misses."""
    settings = Settings(threshold=threshold, positive=positive, tolerance_mm=tolerance_mm)
    with work.progress(quiet=json) as track:
        made = evaluation.evaluated(
            predictions,
            truth=(truth, target),
            masks=masks,
            settings=settings,
            seed=seed,
            track=track,
        )
        written = evaluation.write(made, out)
    _tell(json, made.evaluation, evaluation.shown(made.evaluation, written))


@command()
def readers(
    ratings: Annotated[Path, typer.Argument(help="Table: reader, modality, case, truth, rating.")],
    out: Out,
    lesions: Annotated[Path | None, typer.Option(help="FROC: table of case, lesions.")] = None,
    software: Annotated[str, typer.Option(help="The reader that is a program.")] = "",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Analyse a reader study (MRMC): whether readers do better with one modality."""
    made = reader_study.analysed(ratings, lesions, software=software, seed=seed)
    written = reader_study.write(made, out)
    _tell(json, made.plain(), show.readers(made.analysis, made.caveats, written))


@command()
def agree(
    given: Annotated[
        list[Path], typer.Argument(help="A table of readings; or masks; or a folder a reader.")
    ],
    out: Out,
    readers: Annotated[
        str, typer.Option(help="Columns of a wide table, or names of the masks or folders.")
    ] = "",
    scale: Annotated[str, typer.Option(help="Of categories: nominal or ordinal.")] = "",
    order: Annotated[str, typer.Option(help="Categories, least to most, with commas.")] = "",
    weights: Annotated[
        str, typer.Option(help="Of an ordinal scale: quadratic, linear or ordinal.")
    ] = "quadratic",
    unit: Annotated[str, typer.Option(help="Of measurements, e.g. mm; 1 for none.")] = "",
    image: Annotated[Path | None, typer.Option(help="What a SEG or RTSTRUCT was drawn on.")] = None,
    within: Annotated[
        str, typer.Option(help="Where STAPLE looks: box (around all outlines) or image.")
    ] = "box",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Tell how far several readers agree: categories, measurements or outlines."""
    from onkos.cli import agreement

    asked = agreement.Asked(
        paths=tuple(given),
        readers=_listed(readers),
        scale=scale,
        order=_listed(order),
        unit=unit,
        image=image,
        settings=agreement.settings(weights=weights, within=within),
    )
    with work.progress(quiet=json) as track:
        made, written = agreement.agreed(asked, out, seed=seed, track=track)
    _tell(json, made.agreement, agreement.shown(made.agreement, written))


@command()
def features(
    image: Annotated[Path, typer.Argument(help="An image, or a cohort's cases.csv.")],
    out: Annotated[Path, typer.Option("--out", help="Table to write, .csv or .parquet.")],
    mask: Annotated[Path | None, typer.Argument(help="Outlines: NIfTI, SEG, RTSTRUCT.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="TOML, JSON, YAML; PyRadiomics' parameters too.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Cases of a cohort side by side.")] = 1,
    json: Json = False,
) -> None:
    """Extract IBSI radiomic features: one row a region of an image, or of a cohort."""
    tables.require_known(out)
    loaded = extraction.load(settings)
    chosen = loaded.settings
    refused: list[dict[str, str]] = []
    with work.progress(quiet=json) as track:
        if mask is not None:
            rows = extraction.of_image(image, mask, chosen)
        else:
            parts, update = out.with_suffix(".parts"), track("Extracting features")
            with extraction.running(processes) as run:
                rows, refused = extraction.of_cohort(
                    load_table(image), chosen, parts, update, run=run
                )
    made = {"table": str(out), "rows": len(rows), "settings": chosen.hash, "refused": refused}
    made["differences"] = to_plain(loaded.differences)
    if rows:
        tables.write(out, rows)
        made["translated"] = [str(path) for path in extraction.write_translation(loaded, out)]
    _tell(json, made, show.features(made))
    if not rows:
        raise typer.Exit(failure.REFUSED)


@command()
def robustness(
    cohort: Annotated[Path, typer.Argument(help="Table of cases, cases.csv, with masks.")],
    out: Out,
    settings: Annotated[Path | None, typer.Option(help="Of the features: TOML or JSON.")] = None,
    perturbations: Annotated[Path | None, typer.Option(help="A plan: TOML or JSON.")] = None,
    least: Annotated[
        float, typer.Option(help="Lower end of the ICC's interval that counts as stable.")
    ] = 0.75,
    pool: Annotated[
        bool, typer.Option("--pool", help="All outlines are regions of one kind.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Tell which radiomic features stay the same when image and outline are perturbed."""
    asked = robust.Asked(
        settings=extraction.load_settings(settings),
        plan=robust.load_plan(perturbations),
        seed=seed,
        least=least,
        pooled=pool,
    )
    with work.progress(quiet=json) as track:
        made = robust.of_cohort(load_table(cohort), asked, out, track("Perturbing regions"))
    written = robust.write(made, out) if made.groups else ()
    _tell(json, made.plain(), robust.shown(made, written))
    if not made.groups:
        raise typer.Exit(failure.REFUSED)


@command()
def maps(
    image: Annotated[Path, typer.Argument(help="An image, of one series.")],
    mask: Annotated[Path, typer.Argument(help="Outlines: NIfTI, SEG, RTSTRUCT.")],
    out: Out,
    settings: Annotated[Path | None, typer.Option(help="TOML or JSON; see the docs.")] = None,
    feature_names: Annotated[
        str, typer.Option("--features", help="Tags or families, separated by commas.")
    ] = "",
    radius: Annotated[int, typer.Option(help="Voxels around a voxel that are looked at.")] = 1,
    region: Annotated[str, typer.Option(help="The outline that is meant, by name.")] = "",
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="Look beyond the outline too.")
    ] = False,
    json: Json = False,
) -> None:
    """Map radiomic features of the neighbourhood of every voxel: one NIfTI a feature."""
    asked = feature_maps.Asked(
        settings=extraction.load_settings(settings),
        features=_listed(feature_names),
        window=Window(radius=radius, masked=not unmasked),
        region=region,
    )
    with work.progress(quiet=json) as track:
        made = feature_maps.of_image(image, mask, asked, out, track("Mapping features"))
    _tell(json, made, feature_maps.shown(made, out))


@command()
def read(
    model: ModelFolder,
    study: Annotated[Path, typer.Argument(help="The study: DICOM folder, NIfTI, archive.")],
    out: Out,
    roles: Roles = None,
    json: Json = False,
) -> None:
    """Read a study with a model: outline, measure, report; SEG, RTSTRUCT and SR beside it."""
    fitted = arms.load(model)
    with work.progress(quiet=json) as track:
        opened = intake.open_study(study, progress=track(f"Opening {study}"))
        reading = read_study(fitted, work.with_roles(opened, roles or []))
        written = folders.write_reading(out, reading)
    _tell(json, results.read_json(out / "reading.json"), show.reading(reading, written))


@command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a reading or a comparison.")],
    study: Annotated[Path | None, typer.Option(help="The study, for a reading.")] = None,
) -> None:
    """Make report.html of a reading or comparison folder again."""
    page = folder / "report.html"
    if (folder / "comparison.json").is_file():
        folders.rewrite_comparison(folder)
    elif (folder / "reading.json").is_file():
        if study is None:
            raise UsageError(f"{folder} holds a reading: give its images with --study PATH")
        reading = folders.load_reading(folder, intake.open_study(study))
        write_text(page, reading_page.render(reading))
    else:
        raise UsageError(f"{folder}: no reading.json and no comparison.json; name such a folder")
    typer.echo(f"Report: {page}")


@command()
def doctor(json: Json = False) -> None:
    """Check this installation: libraries, decoders, threads, helper programs."""
    findings = doctor_page.examine()
    _tell(json, {"checks": to_plain(findings)}, doctor_page.page(findings))
    if not all(finding.ok or finding.optional for finding in findings):
        raise typer.Exit(failure.OUR_FAULT)


def _listed(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _tell(json: bool, plain: Any, page: Any) -> None:
    """Print the machine's form or the person's."""
    if json:
        typer.echo(jsonlib.dumps(to_plain(plain), indent=2, ensure_ascii=False))
    else:
        show.console.print(page)
