"""How far a download is."""

from __future__ import annotations

import os
import time

from .console import in_units, say
from .folder import size_of
from .model import File, Model

PROGRESS_SECONDS = 5


class Progress:
    """Counts what lies in the parts folder, so that it sees the bytes whatever way they come."""

    def __init__(self, model: Model, missing: list[File]):
        self.folder, self.total, self.ended = model.parts, sum(file.size for file in missing), 0
        self.here = self.done()
        self.last = (time.monotonic(), self.here)
        came = f", of which {in_units(self.here)} came earlier" if self.here else ""
        files = f"{len(missing)} of {len(model.files)} files ({in_units(self.total)}{came})"
        self.intro = f"{model}: fetching {files} into {model.dir}"

    def done(self) -> int:
        walk = os.walk(self.folder)
        return self.ended + sum(size_of(os.path.join(place, name)) for place, _, names in walk for name in names)

    def tell(self, running: list[File]) -> None:
        now, done = time.monotonic(), min(self.done(), self.total)
        if self.intro and done > self.here:  # not before: where nothing comes, its reason is the only line
            say(self.intro)
            self.intro = ""
        told, before = self.last
        if self.intro or now - told < PROGRESS_SECONDS or not running:
            return
        self.last = (now, done)
        rate = max(0, done - before) / (now - told)
        left = f"{(self.total - done) / rate:.0f} s left" if rate else "waiting for bytes"
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        amount = f"{100 * done // self.total} % ({in_units(done)} of {in_units(self.total)})"
        say(f"{amount}, {rate / 1e6:.1f} MB/s, {left}: {running[0].path}{others}")
