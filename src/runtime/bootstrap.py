#!/usr/bin/env python3
"""Brings the model of this image into MODEL_DIR, checked file by file, then becomes the model server.

Usage (the entrypoint of a slim image; the list it works from is model.json beside it):
  docker run IMAGE [serve flags…]     bring the model, then: vllm serve MODEL_DIR … SERVE_ARGS flags
  docker run IMAGE bash               run that command instead; nothing is downloaded

Environment:
  MODEL_DIR            folder of the model
  SERVE_ARGS           flags for the server, quoted as for a shell
  MODEL_ID             another model than the image's: its files are looked up at start, so it is not pinned
  MODEL_REVISION       branch, tag or commit of such a model (default: main)
  HF_TOKEN             token for gated models; HUGGING_FACE_HUB_TOKEN counts where HF_TOKEN is not set
  HF_ENDPOINT, HF_HUB_OFFLINE, proxies and token files: as huggingface_hub knows them
  WEIGHBRIDGE_VERIFY   what a start checks of files that were verified before:
    size  sizes and times against the marker file: one stat a file, milliseconds, no network (default)
    full  every byte again: reads the whole model, about a second a GB
    off   only that the marker file names this revision: does not look at the files

Exit statuses:
    1  no access: gated or private, and no token or one without access
    2  the image or its settings are wrong (model.json, SERVE_ARGS, WEIGHBRIDGE_VERIFY)
   10  repository, revision or file is gone          11  Hub unreachable, or offline
   12  rate limited by the Hub                       13  disk full
   14  folder not writable                           15  wrong bytes, twice
   16  a file in MODEL_DIR is not ours and does not match
   17  no huggingface_hub in the base image          70  unexpected
  126, 127  the command cannot be run, is not there  130, 143  interrupted, terminated
  After that the status is the server's.

In MODEL_DIR: the files of the list, `.weighbridge.json` (the marker: what was verified, with size and time) and
`.weighbridge/` (lock; parts of files while they come). A file gets its own name only once it is verified.
"""

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
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Dict, List, NamedTuple, Optional
from urllib.parse import urlsplit

NO_ACCESS, USAGE, GONE, UNREACHABLE, RATE_LIMITED, DISK_FULL = 1, 2, 10, 11, 12, 13
NOT_WRITABLE, WRONG_BYTES, FOREIGN_FILE, NO_LIBRARY, UNEXPECTED = 14, 15, 16, 17, 70
WORKERS = 8
RETRY_WAITS_SECONDS = (1, 3, 9)
LONGEST_RATE_LIMIT_SECONDS = 310  # the Hub counts in windows of five minutes
NETWORK_ERRORS = {"RequestException", "TransportError", "ConnectionError", "TimeoutError", "ProtocolError", "SSLError"}
PROGRESS_SECONDS, LOCK_NEWS_SECONDS = 5, 15


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
    files: List[File]

    def __str__(self) -> str:
        return f"{self.id} at {self.revision[:12]}"

    def path_of(self, file: File) -> str:
        return os.path.join(self.dir, file.path)


def main(argv: List[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    environment = dict(os.environ)  # what the server gets: as it was given
    try:
        if argv and not argv[0].startswith("-"):
            become(argv, environment)
        image = read_image(os.path.join(os.path.dirname(os.path.realpath(__file__)), "model.json"))
        verify = os.environ.get("WEIGHBRIDGE_VERIFY") or "size"
        if verify not in ("size", "full", "off"):
            raise Fail(USAGE, f"WEIGHBRIDGE_VERIFY is {verify!r}; use size, full or off")
        serve_args = split_serve_args(image)
        model = choose_model(image)
        bring(model, verify)
        become(server_command(image["command"], model, serve_args + argv), environment)
    except Fail as failure:
        say(str(failure))
        os._exit(failure.status)  # at once: download threads may still be at work
    except Exception as error:  # a defect, but still no traceback: it could show a signed link
        say(f"unexpected {type(error).__name__}: {harmless(str(error))}")
        os._exit(UNEXPECTED)


def bring(model: Model, verify: str) -> None:
    """Makes `model.dir` hold every file of the list, verified. Waits for another container that is at it."""
    began, downloaded = time.monotonic(), 0
    try:
        if not is_vouched_for(model, Marker(model.dir), verify):
            with folder_lock(model.dir) as is_writable:
                downloaded = complete(model, verify, is_writable)
    except OSError as error:
        raise explain(error, model, model.dir)
    ready = {"event": "ready", "downloadedBytes": downloaded, "files": len(model.files)}
    say(json.dumps(dict(ready, seconds=round(time.monotonic() - began, 1)), separators=(",", ":")))


def complete(model: Model, verify: str, is_writable: bool) -> int:
    """Gives the bytes that came over the network. Looks anew: the lock's last holder may have brought it all."""
    marker = Marker(model.dir)
    missing = [] if is_vouched_for(model, marker, verify) else find_missing(model, marker, verify)
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
        if image["schemaVersion"] != 1:
            raise ValueError("its schemaVersion is not 1")
        files = [to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in image["files"]]
        if not files:
            raise ValueError("it lists no files")
        return {**{key: image[key] for key in ("id", "revision", "dir", "command", "serveArgs")}, "files": files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fail(USAGE, f"{path} is not a list of model files ({error or type(error)}); build the image again")


def to_file(path: str, size: int, sha256: Optional[str], git_oid: Optional[str]) -> File:
    check_path(path)
    if not isinstance(size, int) or size < 0:
        raise ValueError(f"{path}: size {size!r}")
    if sha256 and re.fullmatch("[0-9a-f]{64}", sha256):
        return File(path, size, "sha256:" + sha256)
    if git_oid and re.fullmatch("[0-9a-f]{40}", git_oid):
        return File(path, size, "git:" + git_oid)
    raise ValueError(f"{path} has no hash")


def check_path(path: str) -> str:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or re.search(r"[\0\\]", path) or path.startswith(".weighbridge"):
        raise ValueError(f"unsafe path {path!r}")
    return path


def choose_model(image: dict) -> Model:
    """The image's own model, pinned; or the one that MODEL_ID and MODEL_REVISION ask for, looked up now."""
    wanted = os.environ.get("MODEL_ID") or image["id"]
    revision = os.environ.get("MODEL_REVISION") or (image["revision"] if wanted == image["id"] else "main")
    folder = os.path.abspath(os.environ.get("MODEL_DIR") or image["dir"])
    if (wanted, revision) == (image["id"], image["revision"]):
        return Model(wanted, revision, folder, image["files"])
    if wanted != image["id"] and folder == os.path.abspath(image["dir"]):
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
        raise Fail(USAGE, f"MODEL_ID {model_id} cannot be looked up: {harmless(str(error))}")
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
        self.id, self.revision = None, None  # type: Optional[str], Optional[str]
        self.files = {}  # type: Dict[str, dict]
        self.lock = threading.Lock()
        try:
            with open(self.path, encoding="utf-8") as file:
                data = json.load(file)
            for path, entry in data["files"].items():
                self.files[check_path(path)] = {key: entry[key] for key in ("size", "mtimeNs", "hash", "ours")}
            self.id, self.revision = data["id"], data["revision"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.files = {}  # none, or not readable as one: then every file is looked at

    def vouches_for(self, file: File) -> bool:
        entry = self.files.get(file.path)
        return bool(entry) and entry["hash"] == file.hash and self.is_untouched(file.path)

    def is_untouched(self, path: str) -> bool:
        entry, found = self.files[path], stat_of(os.path.join(self.folder, path))
        return found is not None and (found.st_size, found.st_mtime_ns) == (entry["size"], entry["mtimeNs"])

    def is_ours(self, path: str) -> bool:
        """Fetched by us, so that we may replace it; what a user put there is only noted as verified."""
        return path in self.files and self.files[path]["ours"] is True

    def listed(self) -> List[File]:
        return [File(path, entry["size"], entry["hash"]) for path, entry in self.files.items()]

    def record(self, file: File, path: str, ours: bool) -> None:
        found = os.stat(path)
        entry = {"size": found.st_size, "mtimeNs": found.st_mtime_ns, "hash": file.hash, "ours": ours}
        with self.lock:
            self.files[file.path] = entry

    def save(self) -> None:
        with self.lock:
            data = {"schemaVersion": 1, "id": self.id, "revision": self.revision, "files": self.files}
            temporary = os.path.join(self.folder, ".weighbridge", "marker.tmp")
            remove(temporary)  # it could be a link
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)


def is_vouched_for(model: Model, marker: Marker, verify: str) -> bool:
    if verify == "full" or (marker.id, marker.revision) != (model.id, model.revision):
        return False
    if verify == "off":
        return set(marker.listed()) == set(model.files)
    return len(marker.files) == len(model.files) and all(marker.vouches_for(file) for file in model.files)


def find_missing(model: Model, marker: Marker, verify: str) -> List[File]:
    """Files to fetch. Hashes what the marker does not vouch for; refuses what is not ours and does not match."""
    if marker.id not in (None, model.id):
        raise Fail(FOREIGN_FILE, f"{model.dir} holds another model ({marker.id}); set MODEL_DIR to a folder of its own")
    unsure = [f for f in model.files if verify == "full" or not marker.vouches_for(f)]
    there = [f for f in unsure if os.path.lexists(place_in(model.dir, f.path))]
    if there:
        say(f"checking {len(there)} files ({in_units(sum(f.size for f in there))}) that are in {model.dir}")
    right = set()

    def check(file: File) -> None:
        path, is_ours = model.path_of(file), marker.is_ours(file.path)
        if has_right_bytes(path, file):
            marker.record(file, path, is_ours)
            right.add(file)
        elif not is_ours:
            why = f"was not put there by this image and is not the file of {model}"
            raise Fail(FOREIGN_FILE, f"{path} {why}; move it away or set MODEL_DIR to another folder")
        elif marker.files[file.path]["hash"] == file.hash:
            say(f"{file.path} has changed since it was verified; fetching it again")

    run_all(there, check)
    return [file for file in unsure if file not in right]


def finish(model: Model, marker: Marker) -> None:
    """Takes away what an earlier revision left (of ours, and untouched), and only then calls the folder whole."""
    for path in set(marker.files) - {file.path for file in model.files}:
        if marker.is_ours(path) and marker.is_untouched(path):
            os.unlink(place_in(model.dir, path))
        del marker.files[path]
    marker.id, marker.revision = model.id, model.revision
    marker.save()
    shutil.rmtree(parts_of(model), ignore_errors=True)


# --- bringing it -------------------------------------------------------------------------------------------


def download(model: Model, missing: List[File], marker: Marker) -> int:
    """Fetches `missing`, several at once; gives the bytes that came over the network."""
    hub = load_library(model.dir)
    os.makedirs(parts_of(model), exist_ok=True)
    clear_parts(model, missing)
    marker.id, marker.revision = model.id, None
    marker.save()
    meter = Meter(model, missing)
    check_space(model, meter, marker)

    def fetch_one(file: File) -> None:
        target = place_in(model.dir, file.path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        meter.running.append(file.path)
        fetch(hub, model, file)
        marker.record(file, part_of(model, file), ours=True)  # first, or a crash here would make it a user's file
        marker.save()
        os.replace(part_of(model, file), target)
        meter.end(file)

    smallest, *others = sorted(missing, key=lambda file: (file.size == 0, file.size))
    run_all([smallest], fetch_one, meter.tell)  # alone, so that a refusal is one request and one line
    run_all(sorted(others, key=lambda file: -file.size), fetch_one, meter.tell)
    return meter.total - meter.here


def fetch(hub, model: Model, file: File) -> None:
    """Brings the verified bytes into the file's part. Each time the part has grown, the retries count anew."""
    part, attempt, most = part_of(model, file), 0, 0
    is_second = False
    while True:
        try:
            transfer(hub, model, file, part)
        except Exception as error:
            failure, have = explain(error, model, file.path), size_of(part)
            if failure.status not in (UNREACHABLE, RATE_LIMITED, WRONG_BYTES, UNEXPECTED):
                raise failure
            if failure.status != WRONG_BYTES or most < have < file.size:
                attempt, most = (1 if have > most else attempt + 1), max(most, have)
                if attempt > len(RETRY_WAITS_SECONDS):
                    raise failure
                pause(RETRY_WAITS_SECONDS[attempt - 1], error, failure)
                continue
        if has_right_bytes(part, file):
            return flush_to_disk(part)
        remove(part)
        if is_second:
            why = "even when fetched again: the Hub or a mirror serves other bytes than at build time"
            raise Fail(WRONG_BYTES, f"{file.path} of {model} does not have the listed size and hash, {why}")
        is_second = True


def transfer(hub, model: Model, file: File, part: str) -> None:
    """One go. Plain files are appended to the part by the library's http_get, because its hf_hub_download begins an
    interrupted file anew in new versions; files in Xet storage need hf_hub_download, which cannot resume them."""
    if size_of(part) > file.size:
        remove(part)
    with open(part, "ab") as out:
        if out.tell() == file.size:
            return
        url = hub.hf_hub_url(model.id, file.path, revision=model.revision)
        found = hub.get_hf_file_metadata(url)
        http_get = getattr(hub.file_download, "http_get", None)
        is_xet = getattr(found, "xet_file_data", None) is not None and is_xet_usable()
        if http_get is not None and not is_xet:
            headers, is_elsewhere = hub.utils.build_hf_headers(), urlsplit(found.location)[:2] != urlsplit(url)[:2]
            if is_elsewhere:
                headers.pop("authorization", None)  # a signed link gets no token
            try:
                return http_get(found.location, out, resume_size=out.tell(), headers=headers, expected_size=file.size)
            except Exception as error:
                if is_elsewhere and status_code(error) in (400, 401, 403, 410):
                    raise ConnectionError(f"the signed link was refused ({status_code(error)})") from None
                raise
    got = hub.hf_hub_download(model.id, file.path, revision=model.revision, local_dir=library_folder(model))
    os.replace(got, part)


def load_library(folder: str):
    """huggingface_hub, told to be quiet and given a place for its caches. Set before the import: it reads them once."""
    token = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        os.environ.pop(name, None)
    if token:
        os.environ["HF_TOKEN"] = token
    if is_set("HF_HUB_OFFLINE") or is_set("TRANSFORMERS_OFFLINE"):
        raise Fail(
            UNREACHABLE, f"HF_HUB_OFFLINE is set, but {folder} does not hold the whole model; start once without"
        )
    os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_ENABLE_HF_TRANSFER="0", HF_HUB_DISABLE_TELEMETRY="1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "critical")  # its warnings show signed links
    os.environ.setdefault("HF_XET_CHUNK_CACHE_SIZE_BYTES", "0")  # nothing is fetched twice
    home = os.path.expanduser(os.environ.get("HF_HOME") or "~/.cache/huggingface")
    token_file = os.environ.get("HF_TOKEN_PATH") or os.path.join(home, "token")
    if not can_write(home):
        os.environ["HF_HOME"] = os.path.join(folder, ".weighbridge", "cache")
        if os.access(token_file, os.R_OK):
            os.environ["HF_TOKEN_PATH"] = token_file
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_XET_CACHE"):
        if name in os.environ and not can_write(os.environ[name]):
            del os.environ[name]  # then it is inside HF_HOME
    try:
        import huggingface_hub
        import huggingface_hub.file_download
        import huggingface_hub.utils
    except Exception as error:
        todo = "use a vLLM base image, or install huggingface_hub 0.23 or later in it"
        raise Fail(
            NO_LIBRARY, f"python3 of the base image cannot import huggingface_hub ({harmless(str(error))}); {todo}"
        )
    return huggingface_hub


def explain(error: BaseException, model: Model, what: str) -> Fail:
    """An exception of the library as one line. By class name and status code: its classes moved between versions."""
    if isinstance(error, Fail):
        return error
    names = {kind.__name__ for link in causes(error) for kind in type(link).__mro__}
    code = status_code(error)
    if "DisabledRepoError" in names:
        return Fail(GONE, f"the Hub has disabled access to {model.id}")
    if any("Invalid credentials" in str(link) for link in causes(error)):
        return Fail(NO_ACCESS, "the Hub does not know the token that is set; set HF_TOKEN to a valid one or to nothing")
    if "GatedRepoError" in names or code in (401, 403):
        why = "is gated" if "GatedRepoError" in names else "is private or not there"
        todo = "set HF_TOKEN (-e HF_TOKEN=hf_…) to the token of an account that has access"
        if os.environ.get("HF_TOKEN"):
            todo = "your token has no access to it: ask for access on its page"
        return Fail(NO_ACCESS, f"{model.id} {why}; {todo}")
    if "RevisionNotFoundError" in names:
        return Fail(GONE, f"{model.id} has no revision {model.revision} any more; publish the image again")
    if "RepositoryNotFoundError" in names:
        return Fail(GONE, f"{model.id} is gone from the Hub, or this token cannot see it")
    if code in (404, 410):
        return Fail(GONE, f"{what} of {model} is gone from the Hub; publish the image again")
    if code == 429:
        return Fail(RATE_LIMITED, "the Hub refuses more requests for now (429); wait some minutes, or set HF_TOKEN")
    if code == 416 or "Consistency check failed" in str(error):
        return Fail(WRONG_BYTES, f"{what} of {model} has another size than listed")
    if code is not None and code >= 500 or names & NETWORK_ERRORS:
        last = causes(error)[-1]
        reason = f"it answers {code}" if code else harmless(str(last) or type(last).__name__)
        hub = harmless(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
        return Fail(UNREACHABLE, f"the Hub at {hub} cannot be used for {what}: {reason}; what has come is kept")
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Fail(DISK_FULL, f"no space left in {model.dir}; what has come is kept")
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return no_permission(model.dir)
    return Fail(UNEXPECTED, f"{what}: unexpected {type(error).__name__}: {harmless(str(error))}")


def causes(error: Optional[BaseException]) -> List[BaseException]:
    chain = []  # type: List[BaseException]
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def status_code(error: BaseException) -> Optional[int]:
    codes = (getattr(getattr(link, "response", None), "status_code", None) for link in causes(error))
    return next((code for code in codes if code), None)


def pause(seconds: float, error: BaseException, failure: Fail) -> None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = re.search(r"^(\d+)$|\bt=(\d+)", headers.get("Retry-After") or headers.get("RateLimit") or "")
    if failure.status == RATE_LIMITED and asked:
        seconds = max(seconds, int(asked.group(1) or asked.group(2)))
        if seconds > LONGEST_RATE_LIMIT_SECONDS:
            raise failure
    say(f"{failure}; trying again in {seconds} s")
    time.sleep(seconds)


class Meter:
    """Counts by the sizes of what lies in the parts folder, so that it sees whatever way the bytes come."""

    def __init__(self, model: Model, missing: List[File]):
        self.folder, self.total, self.ended = parts_of(model), sum(file.size for file in missing), 0
        self.running, self.lock = [], threading.Lock()  # type: List[str], threading.Lock
        self.here = self.done()
        self.history = [(time.monotonic(), self.here)]
        came = f", of which {in_units(self.here)} came earlier" if self.here else ""
        files = f"{len(missing)} of {len(model.files)} files ({in_units(self.total)}{came})"
        self.intro = f"{model}: fetching {files} into {model.dir}"

    def end(self, file: File) -> None:
        with self.lock:
            self.ended += file.size
            self.running.remove(file.path)

    def done(self) -> int:
        walk = os.walk(self.folder)
        return self.ended + sum(size_of(os.path.join(folder, name)) for folder, _, names in walk for name in names)

    def tell(self) -> None:
        now, done = time.monotonic(), min(self.done(), self.total)
        if self.intro and done > self.here:  # not before: where nothing comes, its reason is the only line
            say(self.intro)
            self.intro = ""
        (began, first), running = self.history[0], list(self.running)
        if self.intro or now - self.history[-1][0] < PROGRESS_SECONDS or not running:
            return
        self.history = self.history[-5:] + [(now, done)]
        rate = max(0, done - first) / (now - began)
        left = f"{(self.total - done) / rate:.0f} s left" if rate else "waiting for bytes"
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        amount = f"{100 * done // self.total} % ({in_units(done)} of {in_units(self.total)})"
        say(f"{amount}, {rate / 1e6:.1f} MB/s, {left}: {running[0]}{others}")


# --- the folder --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def folder_lock(folder: str):
    """Holds the folder's lock, which the kernel frees when its holder dies. Gives False in a read-only folder."""
    path = place_in(folder, ".weighbridge/lock")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Fail(DISK_FULL, f"no space left in {folder}")
        if not os.path.isdir(folder):
            raise no_permission(folder)
        yield False
        return
    try:
        wait_for_lock(handle, folder)
        yield True
    finally:
        os.close(handle)


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


def check_space(model: Model, meter: Meter, marker: Marker) -> None:
    """Fails only where it cannot work, even with every old file gone; some file systems tell no sizes at all."""
    old = sum(size_of(os.path.join(model.dir, path)) for path in marker.files)
    usage, needed = shutil.disk_usage(model.dir), meter.total - meter.here
    if usage.total and needed - old > usage.free:
        sizes = f"needs {in_units(needed)} more and has {in_units(usage.free)} free"
        raise Fail(DISK_FULL, f"{model.dir} {sizes}; use a larger volume")


def parts_of(model: Model) -> str:
    return os.path.join(model.dir, ".weighbridge", "parts")


def part_of(model: Model, file: File) -> str:
    """Named by content too, so that a part of an older revision's file is never taken up for this one."""
    place = hashlib.sha256(file.path.encode("utf-8")).hexdigest()
    return os.path.join(parts_of(model), f"{place[:12]}.{file.hash[-40:]}")


def clear_parts(model: Model, missing: List[File]) -> None:
    """Keeps the parts that can be resumed. What Xet leaves has holes; links could lead anywhere."""
    shutil.rmtree(library_folder(model), ignore_errors=True)
    wanted = {part_of(model, file) for file in missing}
    for entry in list(os.scandir(os.path.dirname(place_in(model.dir, ".weighbridge/parts/x")))):
        if entry.path not in wanted or not entry.is_file(follow_symlinks=False):
            remove(entry.path)


def library_folder(model: Model) -> str:
    return os.path.join(parts_of(model), "library")


def has_right_bytes(path: str, file: File) -> bool:
    found = stat_of(path)
    if found is None or found.st_size != file.size or not os.path.isfile(path):
        return False
    kind, _, wanted = file.hash.partition(":")
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % file.size)
    with open(path, "rb") as source:
        for chunk in iter(lambda: source.read(1 << 22), b""):
            digest.update(chunk)
    return digest.hexdigest() == wanted


def flush_to_disk(path: str) -> None:
    """Or a machine that goes down could leave a verified name on bytes that never arrived."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def stat_of(path: str) -> Optional[os.stat_result]:
    try:
        return os.stat(path)
    except OSError:
        return None


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def size_of(path: str) -> int:
    found = stat_of(path)
    return found.st_size if found else 0


def can_write(folder: str) -> bool:
    """Whether `folder` is or could be made writable. Still has "~" where the user has no home: then it is not."""
    while folder.startswith("/") and not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return folder.startswith("/") and os.access(folder, os.W_OK | os.X_OK)


def no_permission(folder: str) -> Fail:
    todo = "mount a volume there that this user may write, or set MODEL_DIR"
    return Fail(NOT_WRITABLE, f"user {os.getuid()} may not read and write in {folder}; {todo}")


# --- becoming the server, and the rest ---------------------------------------------------------------------


def split_serve_args(image: dict) -> List[str]:
    if "SERVE_ARGS" not in os.environ:
        return list(image["serveArgs"])
    try:
        return shlex.split(os.environ["SERVE_ARGS"])
    except ValueError as error:
        raise Fail(USAGE, f"SERVE_ARGS cannot be split into words as a shell would ({error})")


def server_command(command: List[str], model: Model, flags: List[str]) -> List[str]:
    has_name = any(flag.partition("=")[0].replace("_", "-") == "--served-model-name" for flag in flags)
    return command + [model.dir] + ([] if has_name else ["--served-model-name", model.id]) + flags


def become(command: List[str], environment: Dict[str, str]) -> None:
    """Replaces this process, so that signals reach the server."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that would be passed on
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        status = 127 if isinstance(error, FileNotFoundError) else 126
        raise Fail(status, f"cannot run {command[0]}: {os.strerror(error.errno)}")


def run_all(items: List[File], work, tick=lambda: None) -> None:
    """Several at once; the first error ends it. The main thread only waits, so that signals are answered at once."""
    pool = ThreadPoolExecutor(WORKERS)
    waiting = {pool.submit(work, item) for item in items}
    while waiting:
        ended, waiting = wait(waiting, timeout=0.5, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        tick()
    pool.shutdown()


def stop(number, _frame) -> None:
    say(f"{signal.Signals(number).name}: stopping; what has come is kept")
    os._exit(128 + number)


def is_set(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


def is_xet_usable() -> bool:
    return importlib.util.find_spec("hf_xet") is not None and not is_set("HF_HUB_DISABLE_XET")


def in_units(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def harmless(text: str) -> str:
    """A foreign text cut to one line, without what links and settings may carry: queries, logins, the token."""
    token = os.environ.get("HF_TOKEN")
    text = " ".join(text.split())[:400]
    text = text.replace(token, "***") if token else text
    return re.sub(r"\?[^\s'\")]*", "", re.sub(r"//[^/@\s]+@", "//", text))[:200]


def say(text: str) -> None:
    os.write(2, f"weighbridge: {text}\n".encode("utf-8", "replace"))


if __name__ == "__main__":
    main(sys.argv[1:])
