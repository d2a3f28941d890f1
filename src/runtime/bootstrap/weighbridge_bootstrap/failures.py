"""Why a start ends: the exit statuses, and every exception of the library as one of them in one line."""

from __future__ import annotations

import errno
import os
import re
from urllib.parse import urlsplit

from .model import Model

NO_TOKEN, USAGE, NO_ACCESS, BAD_TOKEN = 1, 2, 3, 4
GONE, UNREACHABLE, RATE_LIMITED, DISK_FULL, NOT_WRITABLE, WRONG_BYTES, FOREIGN_FILE, NO_LIBRARY = range(10, 18)
UNTRUSTED = 18
UNEXPECTED = 70
WORTH_ANOTHER_TRY = {UNREACHABLE, RATE_LIMITED, WRONG_BYTES, UNEXPECTED}

NETWORK_ERRORS = {"RequestException", "TransportError", "TooManyRedirects", "ConnectionError", "TimeoutError", "ProtocolError", "SSLError"}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)


class Fail(Exception):
    """Ends the start with one line and this exit status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def explain(error: BaseException, model: Model, what: str) -> Fail:
    """An exception of the library as one line. By class name and status code: its classes moved between versions."""
    if isinstance(error, Fail):
        return error
    chain = causes(error)
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    response = next((r for r in (getattr(link, "response", None) for link in chain) if r is not None), None)
    code, number = getattr(response, "status_code", None), getattr(error, "errno", None)
    hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    is_elsewhere = code is not None and urlsplit(str(getattr(response, "url", hub)))[:2] != urlsplit(hub)[:2]
    has_token = bool(os.environ.get("HF_TOKEN"))
    if "DisabledRepoError" in names:
        return Fail(GONE, f"the Hub has disabled access to {model.id}; choose another model")
    if any("Invalid credentials" in str(link) for link in chain):
        return Fail(BAD_TOKEN, "the Hub does not know the token that is set; set HF_TOKEN to a valid one or to nothing")
    if "RevisionNotFoundError" in names:
        when = " any more" if model.files else ""
        return Fail(GONE, f"{model.id} has no revision {model.revision}{when}; {renewal(model)}")
    is_gated = "GatedRepoError" in names
    if is_elsewhere and not is_gated and code in (400, 401, 403, 410):
        return Fail(UNREACHABLE, f"the link that the Hub gave for {what} was refused ({code})")
    if is_gated or code in (401, 403):
        if has_token:
            why = "is gated, and the token that is set has no access" if is_gated else "cannot be read with this token"
            return Fail(NO_ACCESS, f"{model.id} {why}; ask for access on {hub}/{model.id} with the token's account")
        why = f"is gated; accept its terms on {hub}/{model.id}" if is_gated else "is private or not there; find a token"
        return Fail(NO_TOKEN, f"{model.id} {why} and set HF_TOKEN (-e HF_TOKEN=hf_…)")
    if "RepositoryNotFoundError" in names:
        return Fail(GONE, f"{model.id} is gone from the Hub, or this token cannot see it")
    if code in (404, 410):
        return Fail(GONE, f"{what} of {model} is gone from the Hub; {renewal(model)}")
    if code == 429:
        return Fail(RATE_LIMITED, "the Hub refuses more requests for now (429); wait some minutes, or set HF_TOKEN")
    if code == 416 or "Consistency check failed" in str(error):
        return Fail(WRONG_BYTES, f"{what} of {model} has another size than listed")
    if any("CERTIFICATE_VERIFY_FAILED" in str(link) for link in chain):
        todo = "set SSL_CERT_FILE and REQUESTS_CA_BUNDLE to a file with the certificates to trust"
        return Fail(UNTRUSTED, f"the certificate of {harmless(hub)} is not trusted; {todo}")
    if (code or 0) >= 500 or names & NETWORK_ERRORS:
        why = f"it answers {code}" if code else harmless(chain[-1])
        return Fail(UNREACHABLE, f"the Hub at {harmless(hub)} cannot be used for {what}: {why}; what has come is kept")
    if number in NO_ROOM:
        return Fail(DISK_FULL, f"no space left in {model.dir}; what has come is kept")
    if number in DENIED:
        return no_permission(model.dir)
    return Fail(UNEXPECTED, f"{what}: unexpected {type(error).__name__}: {harmless(error)}")


def renewal(model: Model) -> str:
    """What to do about a revision that is not there: without a list of files it is what the environment asks for."""
    if model.files:
        return "publish the image again"
    return "set MODEL_REVISION to a commit, branch or tag of it, or unset it"


def causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def no_permission(folder: str) -> Fail:
    todo = "mount a volume there that this user may write, or set MODEL_DIR"
    return Fail(NOT_WRITABLE, f"user {os.getuid()} may not read and write in {folder}; {todo}")


def harmless(cause: object) -> str:
    """A foreign text in one line, without what links and settings may carry: queries, logins, the token."""
    text, token = str(cause) or type(cause).__name__, os.environ.get("HF_TOKEN")
    text = text.replace(token, "***") if token else text
    text = " ".join(text[:10_000].split())
    return re.sub(r"\?[^\s'\")]*", "", re.sub(r"//[^/@\s]+@", "//", text))[:200]
