"""huggingface_hub of the base image, and the token that it is to use."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import urllib.parse

from .console import say
from .failures import NO_LIBRARY, UNREACHABLE, USAGE, Fail, harmless

MAX_TOKEN_CHARACTERS = 16 << 10
# What comes is written in pieces of this size: of a link that breaks, no more than this comes twice.
PIECE_BYTES = 1 << 20


def load_library(folder: str):
    """huggingface_hub, told to be quiet and to keep its caches in the folder. It reads its settings at the import."""
    if is_set("HF_HUB_OFFLINE") or is_set("TRANSFORMERS_OFFLINE"):
        why = f"HF_HUB_OFFLINE is set, but {folder} does not hold the whole model"
        raise Fail(UNREACHABLE, f"{why}; start once without")
    check_settings()
    token, caches = find_token(), os.path.join(folder, ".weighbridge", "cache")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_XET_CACHE"):
        os.environ.pop(name, None)
    if token:
        check_token(token)
        check_transport()
        os.environ["HF_TOKEN"] = token
    os.environ.update(HF_HOME=caches, HF_TOKEN_PATH=os.devnull)
    os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_ENABLE_HF_TRANSFER="0", HF_HUB_DISABLE_TELEMETRY="1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "critical")  # its warnings show signed links
    os.environ.setdefault("HF_XET_CHUNK_CACHE_SIZE_BYTES", "0")  # nothing is fetched twice
    os.environ.setdefault("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "2")  # HTTP takes over in seconds, not in minutes
    try:
        import huggingface_hub.file_download
        import huggingface_hub.utils

        for module in (getattr(huggingface_hub, "constants", None), huggingface_hub.file_download):
            with contextlib.suppress(AttributeError):  # it moved between versions
                module.DOWNLOAD_CHUNK_SIZE = min(module.DOWNLOAD_CHUNK_SIZE, PIECE_BYTES)
        return huggingface_hub
    except Exception as error:
        if "invalid literal for int()" in str(error):
            raise Fail(USAGE, f"a variable that begins with HF_ is not a number ({harmless(error)}); correct or unset it")
        why = f"python3 of the base image cannot import huggingface_hub ({harmless(error)})"
        raise Fail(NO_LIBRARY, f"{why}; use a vLLM base image, or install huggingface_hub 0.23 or later in it")


def check_settings() -> None:
    """What is set to nothing is not set: the library takes an empty text for an address or a number."""
    for name, value in list(os.environ.items()):
        if name.startswith("HF_") and not value.strip():
            del os.environ[name]
    endpoint = unquoted(os.environ.get("HF_ENDPOINT", ""))
    if not endpoint:
        os.environ.pop("HF_ENDPOINT", None)
        return
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", endpoint):
        raise Fail(USAGE, "HF_ENDPOINT is not an address such as https://huggingface.co; correct it or unset it")
    os.environ["HF_ENDPOINT"] = endpoint.rstrip("/")


def check_token(token: str) -> None:
    """What no header can have would be in an error of the library, spelled in a way in which it is not left out."""
    if not re.fullmatch(r"[!-~]+", token):
        raise Fail(USAGE, "the token has blanks, line ends or letters that no token has; set HF_TOKEN to the token alone")


def check_transport() -> None:
    """A token in the clear is anybody's who sees it pass."""
    endpoint = os.environ.get("HF_ENDPOINT", "")
    if not endpoint.startswith("http://") or is_set("WEIGHBRIDGE_PLAIN_HTTP_TOKEN"):
        return
    try:
        host = urllib.parse.urlsplit(endpoint).hostname or ""
    except ValueError:
        host = ""
    if not is_loopback(host):
        why = "HF_ENDPOINT begins with http://: a token would go there for anyone to read"
        raise Fail(USAGE, f"{why}; use https://, unset HF_TOKEN, or set WEIGHBRIDGE_PLAIN_HTTP_TOKEN=1")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_token() -> str:
    """Where the library looks, in its order; a file that this user may not read is none."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if unquoted(os.environ.get(name, "")):
            return unquoted(os.environ[name])
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    path = os.path.expanduser(os.environ.get("HF_TOKEN_PATH") or os.path.join(home, "token"))
    try:
        # A named pipe would keep the start waiting, and a device have no end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as file:
            return file.read(MAX_TOKEN_CHARACTERS).strip()
    except (OSError, ValueError) as error:
        # load_library sets it to os.devnull, which some containers do not have.
        if os.environ.get("HF_TOKEN_PATH", os.devnull) != os.devnull:
            say(f"HF_TOKEN_PATH: {path} cannot be read by user {os.getuid()} ({harmless(error)}); going on without")
        return ""


def unquoted(text: str) -> str:
    """`docker --env-file` keeps the quotes that a shell would take away."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def is_set(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
