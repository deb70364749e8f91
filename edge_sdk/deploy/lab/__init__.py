"""Boards for people without hardware: SSH servers on loopback that behave like small Linux boards.

Each lab board has its own folder `.edge/lab/<name>/` with its own home directory, host key, login key
and a Python environment that holds nothing at all. It is set up, pushed to and asked exactly as a
board on a desk is; nothing in `deploy` knows that it is not one.

    folder.py       what lies where, and the record of a board
    keys.py         Ed25519 keys without ssh-keygen
    interpreter.py  choosing and making the board's Python
    process.py      a detached server: start it, recognise it later, end it and all its children
    sshd.py         the real OpenSSH server, without root
    embedded.py     the same promises kept by paramiko, where no sshd is installed
    boards.py       up, down, list
"""

from edge_sdk.deploy.lab.boards import LabStatus, lab_boards, lab_down, lab_up

__all__ = ["LabStatus", "lab_boards", "lab_down", "lab_up"]
