"""What people read on stderr."""

from __future__ import annotations

import os


def say(text: str) -> None:
    os.write(2, f"weighbridge: {text}\n".encode("utf-8", "replace"))


def in_units(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
