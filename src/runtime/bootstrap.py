#!/usr/bin/env python3
"""Brings the model of this image into MODEL_DIR, checked file by file, then becomes the model server.

  docker run IMAGE [flags]     brings the model, then: vllm serve MODEL_DIR --served-model-name ID SERVE_ARGS flags
  docker run IMAGE download    brings the model and ends
  docker run IMAGE bash        runs that command instead; nothing is downloaded

MODEL_DIR, SERVE_ARGS, HF_TOKEN, WEIGHBRIDGE_VERIFY and the other variables: docs/slim.md, like the exit statuses.
The files to bring, with size and hash, are listed in model.json beside this file.

In MODEL_DIR are then: the files of the list, each under its own name only once it is verified; `.weighbridge.json`, the
marker of what was verified; `.weighbridge/` with the lock and, while files come, their parts.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple
from urllib.parse import urlsplit

NO_TOKEN, USAGE, NO_ACCESS, BAD_TOKEN = 1, 2, 3, 4
GONE, UNREACHABLE, RATE_LIMITED, DISK_FULL, NOT_WRITABLE, WRONG_BYTES, FOREIGN_FILE, NO_LIBRARY = range(10, 18)
UNTRUSTED = 18
UNEXPECTED = 70
WORTH_ANOTHER_TRY = {UNREACHABLE, RATE_LIMITED, WRONG_BYTES, UNEXPECTED}

FILES_AT_ONCE = 8
RETRY_WAITS_SECONDS = (1, 3, 9)
LONGEST_RATE_LIMIT_SECONDS = 310  # the Hub counts in windows of five minutes
PROGRESS_SECONDS, LOCK_NEWS_SECONDS = 5, 15
NETWORK_ERRORS = {"RequestException", "TransportError", "ConnectionError", "TimeoutError", "ProtocolError", "SSLError"}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)


class Fail(Exception):
    """Ends the start with one line and this exit status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class File(NamedTuple):
    path: str
    size: int
    hash: str  # "sha256:<hex>", or "git:<hex>" for a git blob


class Model(NamedTuple):
    id: str
    revision: str
    dir: str
    files: list[File]

    def __str__(self) -> str:
        return f"{self.id} at {self.revision[:12]}"

    @property
    def parts(self) -> str:
        return os.path.join(self.dir, ".weighbridge", "parts")

    def part_of(self, file: File) -> str:
        """Named by content too, so that a part of an older revision's file is never taken up for this one."""
        return os.path.join(self.parts, hashlib.sha256(f"{file.hash} {file.path}".encode()).hexdigest())


def main(argv: list[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    environment = dict(os.environ)  # what the server gets: as it was given
    is_download = argv == ["download"]
    try:
        if argv and not argv[0].startswith("-") and not is_download:
            become(argv, environment)
        image = read_image(os.path.join(os.path.dirname(os.path.realpath(__file__)), "model.json"))
        verify, serve_args = os.environ.get("WEIGHBRIDGE_VERIFY") or "size", split_serve_args(image)
        if verify not in ("size", "full", "off"):
            raise Fail(USAGE, f"WEIGHBRIDGE_VERIFY is {verify!r}; use size, full or off")
        model = choose_model(image)
        bring(model, verify)
        if not is_download:
            become(server_command(image["command"], model, serve_args + argv), environment)
    except Fail as failure:
        say(str(failure))
        os._exit(failure.status)  # at once: download threads may still be at work
    except Exception as error:  # a defect, but still no traceback: it could show a signed link
        say(f"unexpected {type(error).__name__}: {harmless(error)}")
        os._exit(UNEXPECTED)


def bring(model: Model, verify: str) -> None:
    """Makes `model.dir` hold every file of the list, verified. Waits for another container that is at it."""
    began, downloaded = time.monotonic(), 0
    try:
        if not Marker(model.dir).vouches_for_all(model, verify):
            with folder_lock(model.dir) as is_writable:
                downloaded = complete(model, verify, is_writable)
    except OSError as error:
        raise explain(error, model, model.dir)
    seconds = round(time.monotonic() - began, 1)
    ready = {"event": "ready", "downloadedBytes": downloaded, "files": len(model.files), "seconds": seconds}
    say(json.dumps(ready, separators=(",", ":")))


def complete(model: Model, verify: str, is_writable: bool) -> int:
    """Gives the bytes that came over the network."""
    marker = Marker(model.dir)  # read anew: the lock's last holder may have brought it all
    missing = [] if marker.vouches_for_all(model, verify) else find_missing(model, marker, verify)
    if not is_writable:
        if missing:
            raise no_permission(model.dir)
        say(f"cannot write {model.dir}, so the next start has to check every byte again")
        return 0
    downloaded = download(model, missing, marker) if missing else 0
    finish(model, marker)
    return downloaded


# --- what to bring -----------------------------------------------------------------------------------------


def read_image(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as file:
            image = json.load(file)
        image["files"] = [to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in image["files"]]
        if image["schemaVersion"] != 1 or not image["files"]:
            raise ValueError("schemaVersion is not 1, or no files are listed")
        return {key: image[key] for key in ("id", "revision", "dir", "command", "serveArgs", "files")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fail(USAGE, f"{path} is not a list of model files ({error or type(error)}); build the image again")


def to_file(path: str, size: int, sha256: str | None, git_oid: str | None) -> File:
    check_path(path)
    digest = f"sha256:{sha256}" if sha256 else f"git:{git_oid}"
    if not isinstance(size, int) or size < 0 or not re.fullmatch("sha256:[0-9a-f]{64}|git:[0-9a-f]{40}", digest):
        raise ValueError(f"{path} has no size and hash")
    return File(path, size, digest)


def check_path(path: str) -> None:
    if set(path.split("/")) & {"", ".", ".."} or re.search(r"[\0\\]", path) or path.startswith(".weighbridge"):
        raise ValueError(f"unsafe path {path!r}")


def choose_model(image: dict) -> Model:
    """The image's own model, pinned; or the one that MODEL_ID and MODEL_REVISION ask for, looked up now."""
    wanted = os.environ.get("MODEL_ID") or image["id"]
    revision = os.environ.get("MODEL_REVISION") or (image["revision"] if wanted == image["id"] else "main")
    own_folder = os.path.abspath(image["dir"])
    folder = os.path.abspath(os.environ.get("MODEL_DIR") or own_folder)
    if (wanted, revision) == (image["id"], image["revision"]):
        return Model(wanted, revision, folder, image["files"])
    if wanted != image["id"] and folder == own_folder:
        folder = os.path.join(os.path.dirname(folder), wanted.split("/")[-1])
    say(f"{wanted} at {revision} is not what this image was built for ({image['id']}): it is not pinned")
    try:
        return look_up(wanted, revision, folder)
    except Fail as failure:
        marker = Marker(folder)
        if failure.status != UNREACHABLE or marker.id != wanted or not marker.revision:
            raise
        say(f"{failure}; going on with revision {marker.revision[:12]} that is in {folder}")
        return Model(wanted, marker.revision, folder, marker.listed())


def look_up(model_id: str, revision: str, folder: str) -> Model:
    hub = load_library(folder)
    try:
        info = hub.HfApi().model_info(model_id, revision=revision, files_metadata=True)
        files = [to_file(s.rfilename, s.size, (s.lfs or {}).get("sha256"), s.blob_id) for s in info.siblings]
    except ValueError as error:
        raise Fail(USAGE, f"MODEL_ID {model_id} cannot be looked up: {harmless(error)}")
    except Exception as error:
        raise explain(error, Model(model_id, revision, folder, []), "its list of files")
    unwanted = r"\.gitattributes$"
    if any(file.path.endswith(".safetensors") for file in files):
        unwanted += r"|.*\.(bin|pt|pth|h5|msgpack|onnx|gguf)$|original/|consolidated"
    return Model(model_id, info.sha, folder, [file for file in files if not re.match(unwanted, file.path)])


# --- what is there -----------------------------------------------------------------------------------------


class Marker:
    """`.weighbridge.json`: what we put or found in the folder and verified. `revision` is set once all is there."""

    def __init__(self, folder: str):
        self.folder, self.path = folder, os.path.join(folder, ".weighbridge.json")
        self.id: str | None = None
        self.revision: str | None = None
        self.files: dict[str, dict] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            with open(self.path, encoding="utf-8") as file:
                data = json.load(file)
            files = {p: {key: e[key] for key in ("size", "mtimeNs", "hash", "ours")} for p, e in data["files"].items()}
            for path in files:
                check_path(path)
            self.id, self.revision, self.files = data["id"], data["revision"], files

    def vouches_for_all(self, model: Model, verify: str) -> bool:
        """Whether nothing has to be looked at more closely: the cost of a start on a complete volume."""
        if verify == "full" or (self.id, self.revision) != (model.id, model.revision):
            return False
        return set(self.listed()) == set(model.files) and (verify == "off" or all(map(self.is_untouched, self.files)))

    def vouches_for(self, file: File) -> bool:
        return file.path in self.files and self.files[file.path]["hash"] == file.hash and self.is_untouched(file.path)

    def is_untouched(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            entry, found = self.files[path], os.stat(os.path.join(self.folder, path))
            return (found.st_size, found.st_mtime_ns) == (entry["size"], entry["mtimeNs"])
        return False

    def is_ours(self, path: str) -> bool:
        """Fetched by us, so that we may replace it; what a user put there is only noted as verified."""
        return path in self.files and self.files[path]["ours"] is True

    def listed(self) -> list[File]:
        return [File(path, entry["size"], entry["hash"]) for path, entry in self.files.items()]

    def record(self, file: File, path: str, ours: bool) -> None:
        found = os.stat(path)
        self.files[file.path] = dict(size=found.st_size, mtimeNs=found.st_mtime_ns, hash=file.hash, ours=ours)

    def save(self) -> None:
        data = {"schemaVersion": 1, "id": self.id, "revision": self.revision, "files": self.files}
        temporary = os.path.join(self.folder, ".weighbridge", "marker.tmp")
        remove(temporary)  # it could be a link
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)


def find_missing(model: Model, marker: Marker, verify: str) -> list[File]:
    """Files to fetch. Hashes what the marker does not vouch for; refuses what is not ours and does not match."""
    if marker.id not in (None, model.id):
        raise Fail(FOREIGN_FILE, f"{model.dir} holds another model ({marker.id}); set MODEL_DIR to a folder of its own")
    unsure = [file for file in model.files if verify == "full" or not marker.vouches_for(file)]
    there = [file for file in unsure if os.path.lexists(place_in(model.dir, file.path))]
    if there:
        say(f"checking {len(there)} files ({in_units(sum(file.size for file in there))}) that are in {model.dir}")
    missing = set(unsure)
    for file, is_right in run_all(there, lambda file: has_right_bytes(os.path.join(model.dir, file.path), file)):
        path, is_ours = os.path.join(model.dir, file.path), marker.is_ours(file.path)
        if is_right:
            marker.record(file, path, is_ours)
            missing.remove(file)
        elif not is_ours:
            why = f"was not put there by this image and is not the file of {model}"
            raise Fail(FOREIGN_FILE, f"{path} {why}; move it away or set MODEL_DIR to another folder")
        elif marker.files[file.path]["hash"] == file.hash:
            say(f"{file.path} has changed since it was verified; fetching it again")
    return list(missing)


def finish(model: Model, marker: Marker) -> None:
    """Takes away what an earlier revision left (of ours, and untouched), and only then calls the folder whole."""
    for path in set(marker.files) - {file.path for file in model.files}:
        if marker.is_ours(path) and marker.is_untouched(path):
            os.unlink(place_in(model.dir, path))
        del marker.files[path]
    marker.id, marker.revision = model.id, model.revision
    marker.save()
    for name in ("parts", "cache"):
        shutil.rmtree(os.path.join(model.dir, ".weighbridge", name), ignore_errors=True)


# --- bringing it -------------------------------------------------------------------------------------------


def download(model: Model, missing: list[File], marker: Marker) -> int:
    """Fetches `missing`, several at once; gives the bytes that came over the network."""
    hub = load_library(model.dir)
    clear_parts(model, missing)
    marker.id, marker.revision = model.id, None
    marker.save()
    progress = Progress(model, missing)
    old = sum(size_of(os.path.join(model.dir, path)) for path in marker.files)
    needed, volume = progress.total - progress.here, shutil.disk_usage(model.dir)
    if volume.total and needed - old > volume.free:  # not even with every old file gone; some tell no sizes at all
        sizes = f"needs {in_units(needed)} more and has {in_units(volume.free)} free"
        raise Fail(DISK_FULL, f"{model.dir} {sizes}; use a larger volume")
    smallest, *others = sorted(missing, key=lambda file: (file.size == 0, file.size))
    # The smallest alone, so that a refusal is one request and one line.
    for files in [smallest], sorted(others, key=lambda file: -file.size):
        for file, part in run_all(files, lambda file: fetch(hub, model, file), progress.tell):
            target = place_in(model.dir, file.path)
            marker.record(file, part, ours=True)  # first, or a crash here would make it a user's file
            marker.save()
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(part, target)
            progress.ended += file.size
    return progress.total - progress.here


def fetch(hub, model: Model, file: File) -> str:
    """Gives the path of the whole file, verified and on disk, and not yet under its own name."""
    part = model.part_of(file)
    for _ in range(2):
        receive(hub, model, file, part)
        if has_right_bytes(part, file):
            with open(part, "rb+") as whole:
                os.fsync(whole.fileno())  # or a power cut leaves a verified name on bytes that never arrived
            return part
        remove(part)
    why = "even when fetched again: the Hub or a mirror serves other bytes than at build time"
    raise Fail(WRONG_BYTES, f"{file.path} of {model} does not have the listed size and hash, {why}")


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
    with open(part, "ab") as out:
        headers = {**hub.utils.build_hf_headers(), "Accept-Encoding": "identity"}  # ranges count unpacked bytes
        if out.tell() < file.size:
            http_get(url, out, resume_size=out.tell(), headers=headers, expected_size=file.size)


def comes_by_xet(hub, url: str) -> bool:
    """Faster than HTTP where the base has hf_xet and the Hub keeps the file so, but it cannot be resumed."""
    if importlib.util.find_spec("hf_xet") is None or is_set("HF_HUB_DISABLE_XET"):
        return False
    return getattr(hub.get_hf_file_metadata(url), "xet_file_data", None) is not None


def load_library(folder: str):
    """huggingface_hub, told to be quiet and to keep its caches in the folder. It reads its settings at the import."""
    if is_set("HF_HUB_OFFLINE") or is_set("TRANSFORMERS_OFFLINE"):
        why = f"HF_HUB_OFFLINE is set, but {folder} does not hold the whole model"
        raise Fail(UNREACHABLE, f"{why}; start once without")
    token, caches = find_token(), os.path.join(folder, ".weighbridge", "cache")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_XET_CACHE"):
        os.environ.pop(name, None)
    if token:
        os.environ["HF_TOKEN"] = token
    os.environ.update(HF_HOME=caches, HF_TOKEN_PATH=os.path.join(caches, "token"))
    os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_ENABLE_HF_TRANSFER="0", HF_HUB_DISABLE_TELEMETRY="1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "critical")  # its warnings show signed links
    os.environ.setdefault("HF_XET_CHUNK_CACHE_SIZE_BYTES", "0")  # nothing is fetched twice
    os.environ.setdefault("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "2")  # HTTP takes over in seconds, not in minutes
    try:
        import huggingface_hub.file_download
        import huggingface_hub.utils

        return huggingface_hub
    except Exception as error:
        why = f"python3 of the base image cannot import huggingface_hub ({harmless(error)})"
        raise Fail(NO_LIBRARY, f"{why}; use a vLLM base image, or install huggingface_hub 0.23 or later in it")


def find_token() -> str:
    """Where the library looks, in its order; a file that this user may not read is none."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if os.environ.get(name):
            return os.environ[name]
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    path = os.path.expanduser(os.environ.get("HF_TOKEN_PATH") or os.path.join(home, "token"))
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        if os.environ.get("HF_TOKEN_PATH"):
            say(f"HF_TOKEN_PATH: {path} cannot be read by user {os.getuid()} ({harmless(error)}); going on without")
        return ""


def pause(seconds: float, error: BaseException, failure: Fail) -> None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = re.search(r"^(\d+)$|\bt=(\d+)", headers.get("Retry-After") or headers.get("RateLimit") or "")
    if failure.status == RATE_LIMITED and asked:
        seconds = max(seconds, int(asked.group(1) or asked.group(2)))
        if seconds > LONGEST_RATE_LIMIT_SECONDS:
            raise failure
    say(f"{failure}; trying again in {seconds} s")
    time.sleep(seconds)


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


# --- what went wrong ---------------------------------------------------------------------------------------


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
        return Fail(GONE, f"{model.id} has no revision {model.revision} any more; publish the image again")
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
        return Fail(GONE, f"{what} of {model} is gone from the Hub; publish the image again")
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
    text, token = " ".join((str(cause) or type(cause).__name__).split())[:400], os.environ.get("HF_TOKEN")
    text = text.replace(token, "***") if token else text
    return re.sub(r"\?[^\s'\")]*", "", re.sub(r"//[^/@\s]+@", "//", text))[:200]


# --- the folder --------------------------------------------------------------------------------------------


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


def place_in(folder: str, path: str) -> str:
    """Where something is to be written, refused where a link on the way leads out of the folder."""
    target = os.path.join(folder, path)
    root, parent = os.path.realpath(folder), os.path.realpath(os.path.dirname(target))
    if parent != root and not parent.startswith(root + os.sep):
        raise Fail(FOREIGN_FILE, f"a link leads {target} out of the folder; take the link away or set MODEL_DIR")
    return target


def clear_parts(model: Model, missing: list[File]) -> None:
    """Keeps the parts that can be resumed. What Xet leaves has holes; links could lead anywhere."""
    os.makedirs(os.path.dirname(place_in(model.dir, ".weighbridge/parts/x")), exist_ok=True)
    wanted = {model.part_of(file) for file in missing}
    for entry in list(os.scandir(model.parts)):
        if entry.is_dir(follow_symlinks=False):
            if not is_set("HF_HUB_DISABLE_XET"):
                say("a download by Xet was interrupted, which starts anew; going on by HTTP, which can be resumed")
            os.environ["HF_HUB_DISABLE_XET"] = "1"  # or one that is killed again and again would never be done
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.path not in wanted or entry.is_symlink():
            remove(entry.path)


def has_right_bytes(path: str, file: File) -> bool:
    if size_of(path) != file.size or not os.path.isfile(path):
        return False
    kind, _, wanted = file.hash.partition(":")
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % file.size)
    with open(path, "rb") as source:
        for chunk in iter(lambda: source.read(1 << 22), b""):
            digest.update(chunk)
    return digest.hexdigest() == wanted


def size_of(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.path.getsize(path)
    return 0


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


# --- becoming the server, and the rest ---------------------------------------------------------------------


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


def stop(number, _frame) -> None:
    say(f"{signal.Signals(number).name}: stopping; what has come is kept")
    os._exit(128 + number)


def is_set(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


def in_units(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def say(text: str) -> None:
    os.write(2, f"weighbridge: {text}\n".encode("utf-8", "replace"))


if __name__ == "__main__":
    main(sys.argv[1:])
