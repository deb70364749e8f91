"""Stubs of androidx, LiteRT and Play services, and the class files that stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.toolchain.kotlin import Kotlin
from edge_sdk.scaffold.toolchain.places import Completed

FOLDER = Path(__file__).parent / "kotlin"

#: What every app may use.
_COMMON = (
    "androidx-activity",
    "androidx-annotation",
    "androidx-core",
    "androidx-lifecycle",
    "camerax",
    "compose-foundation",
    "compose-material3",
    "compose-ui",
    "guava",
    "jspecify",
)
#: What a runtime adds, as folders here and as class files of the toolchain.
_RUNTIMES = {
    "litert": (("litert",), ()),
    "play": (("litert", "play-services-litert", "play-services-tasks"), ("coroutines-play-services",)),
    "litert1": (("litert1-flex", "litert1-gpu-api"), ("tflite", "tflite-api", "tflite-gpu")),
}
_CLASSES = ("android", "coroutines", "compose-runtime", "compose-saveable")
#: What tests that run on a device add.
_TESTS = (("androidx-test",), ("junit", "hamcrest", "coroutines-test"))


@dataclass(frozen=True)
class KotlinStubs:
    """What the sources of an app are compiled against.

    Attributes:
        modules: Folders here, sorted.
        classes: Names of the toolchain's class files.
    """

    modules: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def sources(self) -> tuple[Path, ...]:
        """All files, Kotlin and Java."""
        found = (path for module in self.modules for path in (FOLDER / module).iterdir())
        return tuple(sorted(path for path in found if path.suffix in {".kt", ".java"}))

    def compile(self, kotlin: Kotlin, jar: Path) -> Completed:
        """Compile what is Kotlin into a jar.

        What is Java upstream is Java here (an argument has no name then, and null may be unknown); such
        files go into no jar, they stand beside the sources of whoever uses them: no javac is needed.
        """
        return kotlin.compile(
            self.sources, jar, classpath=self._real(kotlin), options=compose_options(kotlin)
        )

    def compile_app(
        self,
        kotlin: Kotlin,
        stubs: Path,
        sources: Sequence[Path],
        jar: Path,
        *,
        classpath: Sequence[Path] = (),
        options: Sequence[str] = (),
    ) -> Completed:
        """Compile an app's sources against the jar that `compile` made; warnings are errors.

        Args:
            kotlin: The compiler.
            stubs: The jar.
            sources: Of the app, files or folders.
            jar: To write.
            classpath: Further jars, such as the app's own modules.
            options: Further options of the compiler.
        """
        java = [path for path in self.sources if path.suffix == ".java"]
        return kotlin.compile(
            [*sources, *java],
            jar,
            classpath=[stubs, *classpath, *self._real(kotlin)],
            options=[*compose_options(kotlin), *options],
        )

    def _real(self, kotlin: Kotlin) -> list[Path]:
        return [kotlin.jars[name] for name in self.classes]


def kotlin_stubs(runtime: str, *, tests: bool = False) -> KotlinStubs:
    """Return what an app with a runtime is compiled against.

    Args:
        runtime: "litert", "play" or "litert1".
        tests: With what tests on a device use, too.

    Raises:
        ConfigError: There is no such runtime on Android.
    """
    if runtime not in _RUNTIMES:
        raise ConfigError(f"no stubs for the runtime {runtime!r}", hint=f"one of {', '.join(_RUNTIMES)}")
    modules, classes = _RUNTIMES[runtime]
    if tests:
        modules, classes = (*modules, *_TESTS[0]), (*classes, *_TESTS[1])
    return KotlinStubs(tuple(sorted((*_COMMON, *modules))), (*_CLASSES, *classes))


def compose_options(kotlin: Kotlin) -> list[str]:
    """Return the options that turn the Compose compiler on: it knows who may call a @Composable."""
    return [f"-Xplugin={kotlin.home / 'lib' / 'compose-compiler-plugin.jar'}"]
