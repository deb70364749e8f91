"""`edge scaffold`: projects for phones, made, kept up to date, and checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stderr, verb

if TYPE_CHECKING:
    from edge_sdk.scaffold.project import Project
    from edge_sdk.scaffold.update import UpdatePlan

#: Exit code where somebody has to decide about a file, and where a check failed.
UNDECIDED = FAILED = 1

BundleArgument = Annotated[Path, typer.Argument(help="A .edge file.", show_default=False)]
NewBundleArgument = Annotated[
    Path | None, typer.Argument(help="A .edge file; by default the model stays the one it has.")
]
ProjectArgument = Annotated[Path, typer.Argument(help="The project's top folder.", show_default=False)]
OutOption = Annotated[Path, typer.Option(help="The new project's folder.", show_default=False)]
VariantOption = Annotated[
    str | None, typer.Option(help="Ship this variant instead of the best one that fits.")
]
TargetOption = Annotated[
    str | None, typer.Option(help="The bundle's target; by default its first one of the platform.")
]
IdOption = Annotated[
    str | None,
    typer.Option("--application-id", help="As the store knows the app: com.example.digits."),
]
TitleOption = Annotated[str | None, typer.Option(help="Name of the app for people.")]
ForceOption = Annotated[
    bool,
    typer.Option("--force-generated", help="Replace generated files that were edited; a copy is kept."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True, help="Android and iOS projects around a bundle: make, update, check."
    )
    group.command("android", epilog="Example: edge scaffold android build/digits.edge --out digits-android")(
        android
    )
    group.command("ios", epilog="Example: edge scaffold ios build/digits.edge --out digits-ios")(ios)
    group.command("diff", epilog="Example: edge scaffold diff digits-android build/digits.edge")(diff)
    group.command("update", epilog="Example: edge scaffold update digits-android build/digits.edge")(update)
    group.command("verify", epilog="Example: edge scaffold verify digits-android")(verify)
    app.add_typer(group, name="scaffold")


@verb
def android(
    bundle: BundleArgument,
    *,
    out: OutOption,
    runtime: Annotated[
        str,
        typer.Option(
            help="litert (CompiledModel, in the app), litert1 (Interpreter: Flex operators, 32-bit devices), "
            "or play (Google Play services)."
        ),
    ] = "litert",
    variant: VariantOption = None,
    target: TargetOption = None,
    application_id: IdOption = None,
    title: TitleOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a Gradle project with the bundle's model, its contract in Kotlin, and a demo app."""
    _create("android", bundle, out, runtime, variant, target, application_id, title, json)


@verb
def ios(
    bundle: BundleArgument,
    *,
    out: OutOption,
    variant: VariantOption = None,
    target: TargetOption = None,
    application_id: IdOption = None,
    title: TitleOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write an Xcode project with the bundle's Core ML package, its contract in Swift, and a demo app."""
    _create("ios", bundle, out, None, variant, target, application_id, title, json)


@verb
def diff(
    project: ProjectArgument,
    bundle: NewBundleArgument = None,
    *,
    force_generated: ForceOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show what an update would change, line by line; exit code 1 if somebody had to decide."""
    from edge_sdk.cli.scaffold_view import changes_to_dict, print_diff

    plan = _plan(project, bundle, force_generated)
    if json:
        print_json(changes_to_dict(plan, with_diff=True))
    else:
        print_diff(plan)
    if plan.conflicts:
        raise typer.Exit(UNDECIDED)


@verb
def update(
    project: ProjectArgument,
    bundle: NewBundleArgument = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")] = False,
    force_generated: ForceOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Render the project again, after a model or edge_sdk has changed; what was edited is merged.

    Exit code 1 if somebody has to decide about a file: it holds marks then, or was left as it is. Nothing
    that was written by hand is ever lost.
    """
    from edge_sdk.cli.scaffold_view import changes_to_dict, print_changes
    from edge_sdk.scaffold.update import apply_update

    plan = _plan(project, bundle, force_generated)
    left = () if dry_run else apply_update(plan)
    if json:
        print_json({**changes_to_dict(plan), "applied": not dry_run, "left_alone": list(left)})
    else:
        print_changes(plan, left, applied=not dry_run)
    if plan.conflicts or left:
        raise typer.Exit(UNDECIDED)


@verb
def verify(
    project: ProjectArgument,
    *,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this check alone; repeat for several.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check a project with the compilers that this machine has; exit code 1 if a check fails.

    Nothing is written into the project. `python -m edge_sdk.scaffold.toolchain install` fetches compilers.
    """
    from edge_sdk.cli.scaffold_view import print_report
    from edge_sdk.scaffold.verify import verify_project

    _open(project)
    with progress(quiet=json) as show:
        report = verify_project(project, progress=show, only=only or ())
    if json:
        print_json({"project": str(project), **report.to_dict()})
    else:
        print_report(report)
    if report.failed:
        raise typer.Exit(FAILED)


def _create(
    platform: str,
    bundle: Path,
    out: Path,
    runtime: str | None,
    variant: str | None,
    target: str | None,
    application_id: str | None,
    title: str | None,
    json: bool,
) -> None:
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.cli.scaffold_view import print_created, project_to_dict
    from edge_sdk.scaffold.project import create_project, refuse_occupied
    from edge_sdk.scaffold.render import render_bundle
    from edge_sdk.scaffold.spec import default_options

    refuse_occupied(out)
    with Bundle.open(bundle) as opened:
        options = default_options(opened, platform=platform, runtime=runtime)
        options = replace(
            options,
            variant=variant,
            target=target,
            application_id=options.application_id if application_id is None else application_id,
            title=options.title if title is None else title,
        )
        rendered = render_bundle(opened, options)
    project = create_project(out, rendered)
    if json:
        print_json(project_to_dict(project))
    else:
        print_created(project)


def _open(folder: Path) -> Project:
    from edge_sdk.scaffold.project import open_project

    project = open_project(folder)
    if project.recovered is not None:
        talk = stderr()
        talk.print(f"An update of {folder} had been interrupted; it is finished now.", soft_wrap=True)
        for path in project.recovered:
            talk.print(f"  {path} was edited meanwhile and left alone", soft_wrap=True, markup=False)
    return project


def _plan(folder: Path, bundle: Path | None, force_generated: bool) -> UpdatePlan:
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.scaffold.update import plan_update, render_again

    project = _open(folder)
    if bundle is None:
        rendered = render_again(project, None)
    else:
        with Bundle.open(bundle) as opened:
            rendered = render_again(project, opened)
    return plan_update(project, rendered, force_generated=force_generated)
