"""The compilers that check mobile projects: fetched once into a cache, pinned, run without root.

    python -m edge_sdk.scaffold.toolchain install     what `make mobile-tools` runs
    python -m edge_sdk.scaffold.toolchain status      what is there, and what is missing

pins.toml says what and which; one file a tool says how it is found and run:
kotlin.py (npm, Maven Central), debian.py (Swift and aapt2 in a small Debian of their own).
"""
