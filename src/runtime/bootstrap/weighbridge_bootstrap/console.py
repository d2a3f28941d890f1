"""What people read on stderr."""

from __future__ import annotations

import contextlib
import os
import unicodedata


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # the reader is gone
        os.write(2, f"weighbridge: {plain(text)}\n".encode("utf-8", "replace"))


def plain(text: str) -> str:
    """In one line and without what a terminal obeys: names in it may be from a volume or a server."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") else letter for letter in text)


def in_units(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
