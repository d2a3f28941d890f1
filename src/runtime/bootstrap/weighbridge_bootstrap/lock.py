"""One container at a time fetches into a folder; the others wait here."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time

from .console import say
from .failures import NO_ROOM
from .folder import place_in

LOCK_NEWS_SECONDS = 15


@contextlib.contextmanager
def folder_lock(folder: str):
    """Holds the folder's lock, which the kernel frees when its holder dies. Gives False in a read-only folder."""
    path = place_in(folder, ".weighbridge/lock")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno in NO_ROOM or not os.path.isdir(folder):
            raise
        yield False
        return
    with os.fdopen(handle):
        wait_for_lock(handle, folder)
        yield True


def wait_for_lock(handle: int, folder: str) -> None:
    began = time.monotonic()
    told = began - LOCK_NEWS_SECONDS
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                why = f"the file system of {folder} has no locks ({os.strerror(error.errno)})"
                return say(f"{why}; let one container at a time fetch into it")
        if time.monotonic() - told >= LOCK_NEWS_SECONDS:
            told = time.monotonic()
            say(f"another container is fetching into {folder}; waiting for it ({told - began:.0f} s so far)")
        time.sleep(0.3)
