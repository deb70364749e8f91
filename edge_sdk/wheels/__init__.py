"""Python packages and interpreters for a TFLite runtime: for a board, or for a trial on this machine.

fetch.py        chooses and fetches wheels for another machine's Python, architecture and C library
interpreter.py  finds a Python of this machine for which a runtime has wheels
environment.py  one runtime version on this machine, away from everything else that is installed
"""
