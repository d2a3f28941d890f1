"""The command that this process becomes."""

from __future__ import annotations

import os
import shlex
import signal

from .failures import USAGE, Fail
from .model import Model


def split_serve_args(image: dict) -> list[str]:
    if "SERVE_ARGS" not in os.environ:
        return list(image["serveArgs"])
    try:
        return shlex.split(os.environ["SERVE_ARGS"])
    except ValueError as error:
        raise Fail(USAGE, f"SERVE_ARGS cannot be split into words as a shell would ({error})")


def server_command(command: list[str], model: Model, flags: list[str]) -> list[str]:
    has_name = any(flag.partition("=")[0].replace("_", "-") == "--served-model-name" for flag in flags)
    return [*command, model.dir, *([] if has_name else ["--served-model-name", model.id]), *flags]


def become(command: list[str], environment: dict[str, str]) -> None:
    """Replaces this process, so that signals reach the server."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that would be passed on
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        status = 127 if isinstance(error, FileNotFoundError) else 126
        raise Fail(status, f"cannot run {command[0]}: {os.strerror(error.errno)}")
