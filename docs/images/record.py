"""Draw a command's terminal output as an SVG, for the README.

cd examples/digits && python ../../docs/images/record.py ../../docs/images/build.svg edge build
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100


def main(picture: Path, command: list[str]) -> None:
    """Run the command with colours on, keep what it prints on stdout, write the picture."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.assemble(("$ ", "bold green"), (" ".join(command), "bold")))
    console.print(Text.from_ansi(done.stdout.decode().rstrip()))
    drawing = console.export_svg(title=f"edge_sdk: {' '.join(command[:2])}")
    # The font is the reader's own: a picture in a README must not fetch anything.
    drawing = re.sub(r"@font-face \{.*?\}\s*", "", drawing, flags=re.DOTALL)
    picture.write_text(drawing)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
