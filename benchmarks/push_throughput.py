"""Push of a 20 MB bundle against `scp` of the same file to the same sshd; the bar is 1.0x its throughput.

    .venv/bin/python benchmarks/push_throughput.py [--pairs 7]

A pair is one push and one scp, in turn, each with content the board has never seen. The push's time is the
whole command seen from Python: connection, key exchange, login, the keeper's start, the transfer, fsync,
reading back, comparing digests, and the board's answer that the content is safe ("on the wire"). scp does
nothing after the transfer. A second line adds what comes after the wire: the trial of the release with
its golden vectors in a fresh interpreter, and the switch.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import table, verdict
from edge_sdk.deploy.provision import setup
from edge_sdk.deploy.push import push
from edge_sdk.progress import Step
from tests.deploy.bundles import make_bundle
from tests.deploy.conftest import ENVIRONMENTS
from tests.deploy.server import SSHD, Server

SIZE = 20_000_000
#: Of scp's seconds; 1.0 is its throughput.
BAR = 1.0


def scp(server: Server, source: Path, target: Path) -> float:
    """Copy a file with OpenSSH's scp and return the seconds."""
    started = time.monotonic()
    subprocess.run(
        [
            *("scp", "-q", "-F", "none", "-P", str(server.port), "-i", str(server.key_file)),
            *("-o", f"UserKnownHostsFile={server.folder}/known_hosts", "-o", "IdentitiesOnly=yes"),
            *("-o", "BatchMode=yes", str(source), f"127.0.0.1:{target}"),
        ],
        check=True,
    )
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    if SSHD is None:
        print("skipped: no sshd here (apt-get install openssh-server)")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        server = Server(folder / "sshd")
        server.folder.mkdir()
        server.start()
        try:
            (server.folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
            venv.create(folder / "python", with_pip=False, symlinks=True)
            board = server.board(python=str(folder / "python" / "bin" / "python"))
            setup(board, cache=ENVIRONMENTS)
            rows = []
            for number in range(pairs + 1):
                bundle = make_bundle(
                    folder / "bundle.edge", version=f"{number}", padding=os.urandom(SIZE - 20_000)
                )
                transferred: list[float] = []

                def note(step: Step, transferred: list[float] = transferred) -> None:
                    # Said when the board has answered for the last byte.
                    if step.stage == "install" and not transferred:
                        transferred.append(time.monotonic())

                started = time.monotonic()
                push(bundle, board, progress=note)
                whole = time.monotonic() - started
                copied = scp(server, bundle, folder / "copy.edge")
                rows.append((transferred[0] - started, whole, copied, bundle.stat().st_size))
                (folder / "copy.edge").unlink()
        finally:
            server.stop()
    rows = rows[1:]  # the first pair warms caches up
    megabytes = rows[0][3] / 1e6
    lines = [
        (
            name,
            statistics.median(row[column] for row in rows),
            statistics.median(row[2] / row[column] for row in rows),
        )
        for name, column in (("push, on the wire", 0), ("push, trial and switch too", 1), ("scp", 2))
    ]
    print(
        table(
            f"push of {megabytes:.1f} MB, median of {pairs} pairs",
            ("", "seconds", "MB/s", "throughput / scp"),
            [(name, seconds, megabytes / seconds, ratio) for name, seconds, ratio in lines],
        )
    )
    return 0 if verdict("push on the wire / scp, seconds", 1 / lines[0][2], BAR) else 1


if __name__ == "__main__":
    sys.exit(main())
