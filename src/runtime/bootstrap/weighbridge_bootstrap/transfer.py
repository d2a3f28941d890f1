"""The bytes of one file, by Xet or HTTP, tried again where that may help."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import time

from .console import say
from .failures import RATE_LIMITED, WORTH_ANOTHER_TRY, WRONG_BYTES, Fail, explain, harmless
from .folder import open_part, remove, size_of
from .library import is_set
from .model import File, Model

RETRY_WAITS_SECONDS = (1, 3, 9)
LONGEST_RATE_LIMIT_SECONDS = 310  # the Hub counts in windows of five minutes


def receive(hub, model: Model, file: File, part: str) -> None:
    """Gets all bytes, whatever they are. Each time the part has grown, the tries count anew."""
    tries, most = 0, 0
    while True:
        try:
            return transfer(hub, model, file, part)
        except Exception as error:
            failure, have = explain(error, model, file.path), size_of(part)
            if failure.status == WRONG_BYTES and have >= file.size:
                return
            tries, most = (1 if have > most else tries + 1), max(have, most)
            if failure.status not in WORTH_ANOTHER_TRY or tries > len(RETRY_WAITS_SECONDS):
                raise failure
            pause(RETRY_WAITS_SECONDS[tries - 1], error, failure)


def transfer(hub, model: Model, file: File, part: str) -> None:
    """One go, by what hf_hub_download itself uses: in new versions that begins an interrupted file anew."""
    if size_of(part) > file.size:
        remove(part)
    http_get = getattr(hub.file_download, "http_get", None)
    url = hub.hf_hub_url(model.id, file.path, revision=model.revision)
    if http_get is None or (size_of(part) == 0 and comes_by_xet(hub, url)):
        folder = part + ".library"
        try:
            return os.replace(hub.hf_hub_download(model.id, file.path, revision=model.revision, local_dir=folder), part)
        except Exception as error:
            if http_get is None or explain(error, model, file.path).status not in WORTH_ANOTHER_TRY:
                raise
            say(f"{file.path} does not come by Xet ({harmless(error)}); going on by HTTP")
            os.environ["HF_HUB_DISABLE_XET"] = "1"  # for the others too
            shutil.rmtree(folder, ignore_errors=True)
    with open_part(part, file.size) as out:
        headers = {**hub.utils.build_hf_headers(), "Accept-Encoding": "identity"}  # ranges count unpacked bytes
        if out.tell() < file.size:
            http_get(url, out, resume_size=out.tell(), headers=headers, expected_size=file.size)


def comes_by_xet(hub, url: str) -> bool:
    """Faster than HTTP where the base has hf_xet and the Hub keeps the file so, but it cannot be resumed."""
    if importlib.util.find_spec("hf_xet") is None or is_set("HF_HUB_DISABLE_XET"):
        return False
    return getattr(hub.get_hf_file_metadata(url), "xet_file_data", None) is not None


def pause(seconds: float, error: BaseException, failure: Fail) -> None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = re.search(r"^(\d{1,9})$|\bt=(\d{1,9})\b", headers.get("Retry-After") or headers.get("RateLimit") or "")
    if failure.status == RATE_LIMITED and asked:
        seconds = max(seconds, int(asked.group(1) or asked.group(2)))
        if seconds > LONGEST_RATE_LIMIT_SECONDS:
            raise failure
    say(f"{failure}; trying again in {seconds} s")
    time.sleep(seconds)
