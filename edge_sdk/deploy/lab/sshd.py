"""The real OpenSSH server for one lab board: loopback only, own keys, no root needed.

The login is the user who runs the lab, because an unprivileged sshd can open a session for nobody else.
Every command goes through a small script that gives it the board's home and an environment made from
nothing, so that neither the user's shell files nor the host's Python reach the board.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
from pathlib import Path

from edge_sdk.deploy.lab.folder import LabFolder, LabRecord
from edge_sdk.deploy.lab.keys import public_file
from edge_sdk.deploy.lab.process import MARK

_LOGIN_SCRIPT = """\
#!/bin/sh
# Runs instead of every command that comes in: the board's home, and nothing of the host's environment.
cd {home} || exit 126
set -- env -i {variables} ${{TERM:+"TERM=$TERM"}}
if [ -n "$SSH_ORIGINAL_COMMAND" ]; then
    exec "$@" /bin/sh -c "$SSH_ORIGINAL_COMMAND"
fi
exec "$@" /bin/sh
"""

_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {host_key}
AuthorizedKeysFile {authorized}
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
AllowUsers {user}
DisableForwarding yes
PermitUserRC no
PrintMotd no
PrintLastLog no
UseDNS no
PidFile none
MaxStartups 100:30:200
LogLevel VERBOSE
SetEnv {home}
ForceCommand {login}
"""


def find_sshd() -> Path | None:
    """Return the OpenSSH server's absolute path, or None where it is not installed."""
    # /usr/sbin is not on everybody's PATH.
    path = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/usr/libexec")
    return Path(path).absolute() if path else None


def unusable_login() -> str | None:
    """Return why sshd could not open a session for this user, or None."""
    shell = pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    if Path(shell).name in ("nologin", "false") or not os.access(shell, os.X_OK):
        return f"the login shell of this user is {shell}"
    return None


def board_environment(folder: LabFolder, user: str) -> dict[str, str]:
    """Return the whole environment of a command on the board."""
    return {
        "HOME": str(folder.home),
        "PATH": f"{folder.environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        MARK: str(folder.path),
    }


def server_command(folder: LabFolder, record: LabRecord, sshd: Path) -> list[str]:
    """Write the server's files and return the command that runs it in the foreground."""
    variables = board_environment(folder, record.user)
    login = folder.server / "login"
    login.write_text(
        _LOGIN_SCRIPT.format(
            home=shlex.quote(str(folder.home)),
            variables=" ".join(shlex.quote(f"{name}={value}") for name, value in variables.items()),
        ),
        "utf-8",
    )
    login.chmod(0o700)
    configuration = folder.server / "sshd_config"
    authorized = str(public_file(folder.client_key)).replace("%", "%%")
    configuration.write_text(
        _CONFIGURATION.format(
            port=record.port,
            host_key=_quoted(str(folder.host_key)),
            authorized=_quoted(authorized),
            user=record.user,
            # The login shell reads its start-up files from here: the board's home has none.
            home=_quoted(f"HOME={folder.home}"),
            login=shlex.quote(str(login)),
        ),
        "utf-8",
    )
    if os.getuid() == 0:
        # As root sshd separates privileges and wants this folder, which Debian's service makes at boot.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return [str(sshd), "-D", "-e", "-f", str(configuration)]


def login_name() -> str:
    """Return the login of the user who runs the lab."""
    return pwd.getpwuid(os.getuid()).pw_name


def _quoted(value: str) -> str:
    return f'"{value}"'
