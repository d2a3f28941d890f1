"""Work on several files at once."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from .model import File

FILES_AT_ONCE = 8


def run_all(files: list[File], work, tick=lambda running: None):
    """Several at once; gives each file with its result as it ends. The first error ends all. The main thread does
    little but wait, so that signals are answered at once."""
    pool = ThreadPoolExecutor(FILES_AT_ONCE)
    futures = {pool.submit(work, file): file for file in files}
    while futures:
        for future in wait(futures, timeout=0.5, return_when=FIRST_COMPLETED).done:
            yield futures.pop(future), future.result()
        tick([file for future, file in futures.items() if future.running()])
    pool.shutdown()
