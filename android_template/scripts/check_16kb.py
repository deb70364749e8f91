#!/usr/bin/env python3
"""Check that the native libraries of an APK load on devices with pages of 16 KB; Google Play asks for it.

    python3 scripts/check_16kb.py app/build/outputs/apk/release/*.apk

A library is right when it lies uncompressed at a multiple of 16 KB, and its loaded segments are aligned so.
Needs nothing but Python 3; exit code 1 where a library is wrong, 2 where a file cannot be read.
"""

import struct
import sys
import zipfile

PAGE = 16 * 1024
PT_LOAD = 1


def data_offset(apk, entry):
    """Return where an entry's bytes begin; its local header has name and extra fields of its own length."""
    apk.fp.seek(entry.header_offset)
    header = apk.fp.read(30)
    if len(header) < 30:
        raise ValueError(f"{entry.filename} has no local header")
    name, extra = struct.unpack("<HH", header[26:30])
    return entry.header_offset + 30 + name + extra


def segment_problems(library):
    """Return what is wrong with the segments of a 64-bit ELF library."""
    if library[:4] != b"\x7fELF" or library[4] != 2:
        return ["is no 64-bit ELF library"]
    order = "<" if library[5] == 1 else ">"
    (table,) = struct.unpack_from(order + "Q", library, 0x20)
    size, count = struct.unpack_from(order + "HH", library, 0x36)
    problems = []
    for number in range(count):
        place = table + number * size
        (kind,) = struct.unpack_from(order + "I", library, place)
        offset, address = struct.unpack_from(order + "QQ", library, place + 8)
        (align,) = struct.unpack_from(order + "Q", library, place + 48)
        if kind == PT_LOAD and (align < PAGE or align % PAGE or (offset - address) % PAGE):
            problems.append(f"segment {number} is aligned to {align:#x} bytes")
    return problems


def check(path):
    """Return the problems of an APK's libraries, and how many libraries there are."""
    problems, count = [], 0
    with zipfile.ZipFile(path) as apk:
        for entry in apk.infolist():
            parts = entry.filename.split("/")
            # Devices with pages of 16 KB are 64-bit.
            if parts[0] != "lib" or len(parts) != 3 or "64" not in parts[1] or not parts[2].endswith(".so"):
                continue
            count += 1
            found = segment_problems(apk.read(entry))
            if entry.compress_type != zipfile.ZIP_STORED:
                found.append("is compressed in the APK")
            elif data_offset(apk, entry) % PAGE:
                found.append("lies at no multiple of 16 KB in the APK")
            problems += [f"{path}: {entry.filename}: {problem}" for problem in found]
    return problems, count


def main(paths):
    """Check files, tell what is wrong, and return the exit code."""
    if not paths:
        print("name an APK", file=sys.stderr)
        return 2
    wrong = False
    for path in paths:
        try:
            problems, count = check(path)
        except (OSError, ValueError, struct.error, zipfile.BadZipFile) as failure:
            print(f"{path}: {failure}", file=sys.stderr)
            return 2
        print("\n".join(problems) if problems else f"{path}: native libraries aligned to 16 KB: {count}")
        wrong = wrong or bool(problems)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
