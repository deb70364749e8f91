"""From a template and the facts of a bundle to the files of a project, all in memory.

Jinja with its own marks, because `{{ }}` and `${ }` mean something in Kotlin, Swift and Gradle:
`[[ expression ]]`, `[% statement %]`, `[# comment #]`. The environment is sandboxed and strict: an
undefined name, None, a boolean or a float in the output is an error of the template, never text in a
project. Numbers with a fraction and every text pass through the filters of `FILTERS`, which know the
language that they end up in.

Files that are the user's to edit ("scaffold") cannot see what changes with every training
(`PER_MODEL_VERSION`); so a new version of a model touches generated files only, by construction.

The same input gives the same bytes: nothing here knows the time, the machine or the folder.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import ConfigError, EdgeError, MissingExtraError
from edge_sdk.resources import data_folder
from edge_sdk.scaffold.identifiers import identifiers
from edge_sdk.scaffold.template import GENERATED, PART, Template, TemplateFile, load_template

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions

#: By platform: the folder of its template, and the module with its `context` and `flags`.
TEMPLATES: Mapping[str, tuple[str, str]] = {
    "android": ("android_template", "edge_sdk.scaffold.android"),
    "ios": ("ios_template", "edge_sdk.scaffold.ios"),
}
#: Filters of templates, all in `edge_sdk.scaffold.literals` or `.identifiers`.
FILTERS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "kotlin_string",
            "kotlin_float",
            "kotlin_double",
            "swift_string",
            "swift_float",
            "swift_double",
            "plain_number",
            "xml_text",
            "android_string",
            "toml_string",
            "pbx_string",
            "markdown_text",
            "comment_text",
        ),
        "literals",
    ),
    **dict.fromkeys(("kotlin_name", "swift_name", "camel_case", "type_name", "asset_name"), "identifiers"),
}
#: Fields of the spec that change when a model is trained again; files the user edits do not depend on them.
PER_MODEL_VERSION = frozenset(
    (
        "version",
        "model_sha256",
        "model_size",
        "bundle_sha256",
        "variant",
        "recipe",
        "operators",
        "golden_atol",
        "golden_rtol",
    )
)
#: What the sources of files from a bundle begin with; a name or a number follows.
MODEL_SOURCE = "bundle:model:"
GOLDEN_SOURCE = "bundle:golden:"
SPEC_SOURCE = "bundle:spec:"
LABELS_SOURCE = "bundle:labels:"
#: Where the engine keeps what it must know of a project; no template writes there.
EDGE_FOLDER = ".edge"
_FORBIDDEN = frozenset('\\:*?"<>|')
_MAX_PATH = 200


@dataclass(frozen=True)
class RenderedFile:
    """One file of a project as the template makes it.

    Attributes:
        path: Relative, with forward slashes.
        content: Its bytes.
        kind: "generated", "scaffold" or "user".
        source: What it comes from: a name in the template, or "bundle:" and what it is.
        renamed_from: Sources of earlier templates that it continues.
        executable: Whether it may be run.
    """

    path: str
    content: bytes
    kind: str
    source: str
    renamed_from: tuple[str, ...] = ()
    executable: bool = False


@dataclass(frozen=True)
class Content:
    """What comes from the bundle and not from the template.

    Attributes:
        model: Files of the model, by name below the project's model folder.
        golden: The golden vectors, as the app reads them.
        spec: Facts of the model as JSON.
        labels: Class labels, one a line; None for a model without.
    """

    model: Mapping[str, bytes]
    golden: bytes
    spec: bytes
    labels: bytes | None = None


@dataclass(frozen=True)
class RenderedProject:
    """A whole project in memory.

    Attributes:
        files: By path, sorted.
        template_sha256: Digest of the template.
        spec: The facts it was rendered from.
        options: The choices it was rendered with.
    """

    files: Mapping[str, RenderedFile]
    template_sha256: str
    spec: MobileSpec
    options: ScaffoldOptions


def render_bundle(bundle: Bundle, options: ScaffoldOptions) -> RenderedProject:
    """Render the project of one bundle.

    Raises:
        EdgeError: The bundle has nothing for this platform, or the runtime cannot run it; the message
            says what to do.
        ConfigError: The template is damaged.
    """
    from edge_sdk.scaffold.golden import golden_json
    from edge_sdk.scaffold.selection import mobile_spec, model_content

    spec = mobile_spec(bundle, options)
    content = Content(
        model=model_content(bundle, spec),
        golden=golden_json(bundle, spec),
        spec=spec_json(spec),
        labels=labels_text(spec.labels),
    )
    return render_platform(spec, options, content)


def render_platform(spec: MobileSpec, options: ScaffoldOptions, content: Content) -> RenderedProject:
    """Render the platform's own template with content that is there already."""
    folder, module_name = TEMPLATES[options.platform]
    template = load_template(data_folder(folder))
    module = importlib.import_module(module_name)
    return render(
        template,
        spec,
        options,
        content,
        variables=module.context(spec, options),
        flags=frozenset(module.flags(spec, options)),
    )


def render(
    template: Template,
    spec: MobileSpec,
    options: ScaffoldOptions,
    content: Content,
    *,
    variables: Mapping[str, Any],
    flags: frozenset[str],
) -> RenderedProject:
    """Render one template.

    Args:
        template: A checked template.
        spec: Facts of the model: variable `spec`.
        options: Choices of the user: variable `options`; its runtime is a flag, too.
        content: Files of the bundle.
        variables: Further variables of this platform.
        flags: What `when` asks for; also variable `flags`.

    Raises:
        ConfigError: The template is damaged: what, where.
    """
    environment = _environment(template)
    flags = flags | {options.runtime}
    common = {
        **variables,
        "options": options,
        "versions": template.versions,
        "flags": flags,
        "input_names": identifiers([item.name for item in spec.inputs], fallback="input"),
        "output_names": identifiers([item.name for item in spec.outputs], fallback="output"),
    }
    everything = {**common, "spec": spec}
    stable = {**common, "spec": StableFacts(spec)}
    files: dict[str, RenderedFile] = {}

    def add(file: RenderedFile) -> None:
        check_project_path(file.path, template)
        if file.path in files:
            raise _wrong(template, file.source, f"{file.path} is also made from {files[file.path].source}")
        files[file.path] = file

    for entry in template.files:
        if entry.kind == PART or not entry.holds(flags):
            continue
        given = everything if entry.kind == GENERATED else stable
        # A name may hold what the content may not: a file that moves is not an edit that is lost.
        path = _evaluate(environment, template, entry.source, entry.target, everything)
        body = (
            _render_file(environment, template, entry, given)
            if entry.render
            else (template.folder / entry.source).read_bytes()
        )
        add(
            RenderedFile(
                path=path,
                content=body,
                kind=entry.kind,
                source=entry.source,
                renamed_from=entry.renamed_from,
                executable=entry.executable,
            )
        )
    for file in _content_files(environment, template, content, everything):
        add(file)
    _check_together(template, files)
    return RenderedProject(
        files=dict(sorted(files.items())), template_sha256=template.sha256, spec=spec, options=options
    )


class StableFacts:
    """The facts of a model without those that change with every training.

    Reading one of those is an error of the template: it belongs into a generated file.
    """

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def __getattr__(self, name: str) -> Any:
        if name in PER_MODEL_VERSION:
            raise ConfigError(
                f"a file that users edit asks for spec.{name}",
                why="it changes with every training, so every update would touch the file",
                hint='make the file "generated", or let the app read the fact from ModelSpec',
            )
        return getattr(self._spec, name)


def spec_json(spec: MobileSpec) -> bytes:
    """Return the one canonical form of the facts: UTF-8 JSON, sorted keys, final newline."""
    text = json.dumps(spec.to_dict(), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def labels_text(labels: tuple[str, ...]) -> bytes | None:
    """Return labels one a line, or None where there are none.

    A line break inside a label would shift all that follow, so it becomes a space here; the exact labels are
    in the facts.
    """
    if not labels:
        return None
    return "".join(" ".join(label.splitlines()) + "\n" for label in labels).encode()


def check_project_path(path: str, template: Template | None = None) -> None:
    """Check that a path stays inside a project, and can exist on every system.

    Raises:
        ConfigError: It is absolute, leads upwards or into `.edge`, or some system refuses a character of it.
    """
    parts = path.split("/")
    reason = None
    if not path or len(path) > _MAX_PATH:
        reason = "its length"
    elif any(part in ("", ".", "..") for part in parts):
        reason = 'an empty part, "." or ".."'
    elif parts[0].lower() == EDGE_FOLDER:
        reason = f"{EDGE_FOLDER} is kept for the engine"
    elif any(char in _FORBIDDEN or ord(char) < 32 or ord(char) == 127 for char in path):
        reason = "a character that not every system allows"
    elif any(part != part.strip(" ") or part.endswith(".") for part in parts):
        reason = "a part that begins or ends with a space, or ends with a dot"
    if reason is None:
        return
    if template is not None:
        raise _wrong(template, "", f"{path!r:.120} is no name for a file of a project: {reason}")
    raise ConfigError(f"{path!r:.120} is no name for a file of a project", why=reason)


def _check_together(template: Template, files: Mapping[str, RenderedFile]) -> None:
    lowered: dict[str, str] = {}
    folders: set[str] = set()
    for path in files:
        if lowered.setdefault(path.lower(), path) != path:
            raise _wrong(template, "", f"{path} and {lowered[path.lower()]} differ only in case")
        parts = path.lower().split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    for path in sorted(folders & set(lowered)):
        raise _wrong(template, "", f"{lowered[path]} is a file and a folder")


def _content_files(
    environment: SandboxedEnvironment, template: Template, content: Content, variables: Mapping[str, Any]
) -> list[RenderedFile]:
    def name(text: str) -> str:
        return _evaluate(environment, template, "[content]", text, variables)

    places = template.content
    folder = name(places.model).rstrip("/")
    files = [
        RenderedFile(
            path=f"{folder}/{inner}" if folder else inner,
            content=data,
            kind=GENERATED,
            source=MODEL_SOURCE + inner,
        )
        for inner, data in sorted(content.model.items())
    ]
    for source, targets, data in (
        (GOLDEN_SOURCE, places.golden, content.golden),
        (SPEC_SOURCE, places.spec, content.spec),
        (LABELS_SOURCE, places.labels, content.labels),
    ):
        if data is not None:
            files += [
                RenderedFile(path=name(target), content=data, kind=GENERATED, source=f"{source}{index}")
                for index, target in enumerate(targets)
            ]
    return files


def _environment(template: Template) -> SandboxedEnvironment:
    try:
        import jinja2
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise MissingExtraError("jinja2", extra="host", purpose="render a project") from None
    environment = ImmutableSandboxedEnvironment(
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # no HTML; every value passes a filter of its own language
        finalize=_finalize,
        loader=jinja2.FileSystemLoader(template.folder, encoding="utf-8"),
        auto_reload=False,
    )
    for filter_name, module in FILTERS.items():
        environment.filters[filter_name] = _filter(filter_name, module)
    return environment


def _filter(name: str, module: str) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        function = getattr(importlib.import_module(f"edge_sdk.scaffold.{module}"), name)
        return function(*args, **options)

    return call


def _finalize(value: Any) -> Any:
    """Refuse values whose Python text means something else, or nothing, in other languages."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if value.__class__.__name__ == "StrictUndefined":
        return value  # jinja's own error names what is missing
    raise TypeError(f"{value!r:.80} is {type(value).__name__}; write a text, an integer or a filter's result")


def _render_file(
    environment: SandboxedEnvironment, template: Template, entry: TemplateFile, variables: Mapping[str, Any]
) -> bytes:
    return _guarded(
        template, entry.source, lambda: environment.get_template(entry.source).render(variables)
    ).encode()


def _evaluate(
    environment: SandboxedEnvironment,
    template: Template,
    source: str,
    text: str,
    variables: Mapping[str, Any],
) -> str:
    if "[" not in text:
        return text
    return _guarded(template, source, lambda: environment.from_string(text).render(variables))


def _guarded(template: Template, source: str, work: Callable[[], str]) -> str:
    import jinja2

    try:
        return work()
    except EdgeError as failure:
        raise _placed(failure, template, source) from None
    except jinja2.TemplateSyntaxError as failure:
        raise _wrong(
            template, f"{failure.name or source}:{failure.lineno}", str(failure.message)
        ) from failure
    except (
        jinja2.TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as failure:
        raise _wrong(template, f"{source}:{_line_of(failure, template)}", str(failure)) from failure


def _placed(failure: EdgeError, template: Template, source: str) -> EdgeError:
    """Return an error of a filter or of the facts, now with the file it came from."""
    line = _line_of(failure, template)
    failure.what = f"{template.folder.name}/{source}{f':{line}' if line else ''}: {failure.what}"
    return failure


def _line_of(failure: BaseException, template: Template) -> int:
    """Return the line of a template file in which an error arose; 0 where it cannot be known."""
    line, trace = 0, failure.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(str(template.folder)) or name == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _wrong(template: Template, place: str, why: str) -> ConfigError:
    return ConfigError(
        f"the project template {template.folder.name} is damaged",
        why=f"{place}: {why}" if place else why,
        hint="pip install --force-reinstall edge-sdk (in a checkout of its source: git status)",
    )
