"""The Kotlin compiler of npm on a Java 17, and the class files that projects compile against."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import EdgeError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.scaffold.toolchain.places import (
    Completed,
    Missing,
    check_digest,
    make,
    must,
    need,
    pins,
    place,
    run,
)

_MAIN = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
_COMPILER = (
    "kotlin-compiler",
    "kotlin-stdlib",
    "kotlin-script-runtime",
    "kotlin-reflect",
    "kotlinx-coroutines-core-jvm",
)
JAVA = 17
#: For a JVM that runs for seconds: what its best compiler would gain, it never earns back.
SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@dataclass(frozen=True)
class Kotlin:
    """A compiler that is there.

    Attributes:
        home: The unpacked package.
        java: The `java` that runs it.
        jars: Real class files by the names of pins.toml: "android", "tflite", "coroutines", ...
    """

    home: Path
    java: str
    jars: dict[str, Path]

    @property
    def library(self) -> Path:
        """The standard library."""
        return self.home / "lib" / "kotlin-stdlib.jar"

    @property
    def coroutines(self) -> Path:
        """kotlinx.coroutines, of the version that apps have."""
        return self.jars["coroutines"]

    @property
    def test(self) -> Path:
        """kotlin.test, and what binds it to JUnit 4."""
        return self.home / "lib" / "kotlin-test.jar"

    def compile(
        self,
        sources: Sequence[Path],
        jar: Path,
        *,
        classpath: Sequence[Path] = (),
        options: Sequence[str] = (),
    ) -> Completed:
        """Compile sources (files or folders) into a jar; warnings are errors.

        Messages name sources by their absolute paths.
        """
        path = ":".join(str(item.absolute()) for item in (self.library, *classpath))
        lib = self.home / "lib"
        compiler = [lib / f"{name}.jar" for name in _COMPILER]
        return run(
            [
                self.java, "-Xmx1500m", *SHORT_RUN, "-cp", ":".join(map(str, compiler)), _MAIN,
                "-Werror", "-jvm-target", str(JAVA), "-no-stdlib", "-no-reflect", "-classpath", path,
                *options, "-d", jar.absolute(), *(source.absolute() for source in sources),
            ],
            # The compiler shortens what lies below the folder that it is started in.
            folder=self.home,
        )  # fmt: skip

    def execute(
        self, main: str, classpath: Sequence[Path], arguments: Sequence[str | Path] = ()
    ) -> Completed:
        """Run a compiled `main`."""
        path = ":".join(str(item) for item in (self.library, *classpath))
        return run([self.java, "-Xmx1500m", "-cp", path, main, *arguments])


def find_kotlin() -> Kotlin | Missing:
    """Return the compiler, or what is missing."""
    java = shutil.which("java")
    pinned = pins()
    if java is None:
        return Missing("Kotlin", "there is no java on the PATH", f"install Java {JAVA} or newer")
    home, jars = place("kotlin", pinned["kotlin"]), place("maven", pinned["maven"])
    for folder, title in ((home, "the Kotlin compiler"), (jars, "the class files of Android and TFLite")):
        if not folder.is_dir():
            return Missing("Kotlin", f"{title} was not fetched")
    return Kotlin(
        home, java, {item["name"]: jars / f"{item['name']}.jar" for item in pinned["maven"]["artifacts"]}
    )


def install_kotlin(progress: Progress = silent) -> None:
    """Fetch the compiler and the class files, where they are not there yet.

    Raises:
        ConfigError: npm, Maven or Java is missing.
        EdgeError: Something could not be fetched, or is not what was pinned.
    """
    pinned = pins()
    need(
        "java",
        "compile Kotlin",
        f"install Java {JAVA} or newer (Debian: apt-get install openjdk-17-jdk-headless)",
    )

    def compiler(folder: Path) -> None:
        need("npm", "fetch the Kotlin compiler", "install Node.js with npm (Debian: apt-get install npm)")
        wanted = pinned["kotlin"]
        progress(Step("kotlin", f"fetching {wanted['package']} {wanted['version']} (90 MB)", 0.0))
        must(["npm", "pack", "--silent", f"{wanted['package']}@{wanted['version']}"], folder=folder)
        (archive,) = folder.glob("*.tgz")
        check_digest(archive, wanted["sha256"])
        with tarfile.open(archive) as packed:
            for member in packed:
                name = member.name.removeprefix("package/")
                if (
                    not member.isfile()
                    or not name.startswith("lib/")
                    or "/" in name[4:]
                    or not name.endswith(".jar")
                ):
                    continue
                stream = packed.extractfile(member)
                if stream is not None and "sources" not in name:
                    (folder / "lib").mkdir(exist_ok=True)
                    with stream, (folder / "lib" / name[4:]).open("wb") as out:
                        shutil.copyfileobj(stream, out)
        archive.unlink()

    def classes(folder: Path) -> None:
        need("mvn", "fetch class files", "install Maven (Debian: apt-get install maven)")
        wanted = pinned["maven"]
        for item in wanted["artifacts"]:
            progress(Step("maven", f"fetching {item['coordinates']}", 0.0))
            must(
                ["mvn", "-q", "-B", f"{wanted['plugin']}:copy", f"-Dartifact={item['coordinates']}",
                 f"-DoutputDirectory={folder}"],
                folder=folder,
            )  # fmt: skip
            fetched = folder / item["file"]
            if not fetched.is_file():
                raise EdgeError(f"Maven did not fetch {item['file']}")
            check_digest(fetched, item["sha256"])
            jar = folder / f"{item['name']}.jar"
            if fetched.suffix == ".aar":
                with zipfile.ZipFile(fetched) as packed:
                    jar.write_bytes(packed.read("classes.jar"))
                fetched.unlink()
            else:
                fetched.rename(jar)

    make(place("kotlin", pinned["kotlin"]), compiler)
    make(place("maven", pinned["maven"]), classes)
