"""Tests of bootstrap.py without network: a fake huggingface_hub serves files from memory."""

import errno
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import types
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("bootstrap", os.path.join(HERE, "bootstrap.py"))
bootstrap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bootstrap)

REVISION, OTHER_REVISION = "a" * 40, "b" * 40
CONTENT = {
    "config.json": b'{"model_type":"x"}',
    "empty.txt": b"",
    "weights/part-1.safetensors": os.urandom(300_000),
    "part-2.safetensors": os.urandom(100_000),
}


def git_oid(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def listed(content):
    """As model.json has it: sha256 for weights, the git blob id for small files."""
    return [
        dict(
            path=path,
            size=len(data),
            **(
                {"sha256": hashlib.sha256(data).hexdigest()}
                if path.endswith("safetensors")
                else {"gitOid": git_oid(data)}
            ),
        )
        for path, data in content.items()
    ]


class Response:
    def __init__(self, status_code, headers=None, url="https://huggingface.co/org/x"):
        self.status_code, self.headers, self.url = status_code, headers or {}, url


class HfHubHTTPError(OSError):
    def __init__(self, message, response):
        super().__init__(message)
        self.response = response


class RepositoryNotFoundError(HfHubHTTPError):
    pass


class GatedRepoError(RepositoryNotFoundError):
    pass


class RevisionNotFoundError(HfHubHTTPError):
    pass


class RequestException(OSError):
    pass


class FakeHub(types.ModuleType):
    """Acts like the library: errors by class, http_get appends from `resume_size`. `faults` are raised, first to last."""

    def __init__(self, content):
        super().__init__("huggingface_hub")
        self.content, self.requests, self.faults = dict(content), [], []
        self.is_xet, self.is_xet_broken = False, False
        self.file_download = types.ModuleType("huggingface_hub.file_download")
        self.file_download.http_get = self.http_get
        self.utils = types.ModuleType("huggingface_hub.utils")
        self.utils.build_hf_headers = lambda: {"authorization": "Bearer " + os.environ.get("HF_TOKEN", "none")}

    def hf_hub_url(self, repo_id, filename, *, revision):
        return "https://hub.example/%s/resolve/%s/%s" % (repo_id, revision, filename)

    def get_hf_file_metadata(self, url):
        return types.SimpleNamespace(xet_file_data="x" if self.is_xet else None)

    def http_get(self, url, out, *, resume_size, headers, expected_size):
        path = url.split("/resolve/")[1].split("/", 1)[1]
        self.requests.append((path, resume_size))
        data = self.content[path][resume_size:]
        if self.faults:
            fault = self.faults.pop(0)
            out.write(data[: fault[0]])
            raise fault[1]
        out.write(data)
        if out.tell() != expected_size:
            raise EnvironmentError("Consistency check failed: file should be of size %d" % expected_size)

    def hf_hub_download(self, repo_id, filename, *, revision, local_dir):
        self.requests.append((filename, "library"))
        if self.is_xet_broken:
            raise RuntimeError("no CAS server")
        target = os.path.join(local_dir, filename)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(self.content[filename])
        return target

    def modules(self):
        return {
            "huggingface_hub": self,
            "huggingface_hub.file_download": self.file_download,
            "huggingface_hub.utils": self.utils,
        }


class BootstrapTest(unittest.TestCase):
    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.root, self.folder = root.name, os.path.join(root.name, "x")
        self.hub, self.lines, self.pools = FakeHub(CONTENT), [], []
        for patch in (
            mock.patch.object(bootstrap, "ThreadPoolExecutor", self.new_pool),
            mock.patch.dict(sys.modules, self.hub.modules()),
            mock.patch.dict(os.environ, {"HOME": root.name}, clear=True),
            mock.patch.object(bootstrap, "say", self.lines.append),
            mock.patch.object(bootstrap, "RETRY_WAITS_SECONDS", (0, 0, 0)),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def new_pool(self, workers):
        self.pools.append(ThreadPoolExecutor(workers))
        return self.pools[-1]

    def model(self, content=CONTENT, revision=REVISION, model_id="org/x"):
        files = [bootstrap.to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in listed(content)]
        return bootstrap.Model(model_id, revision, self.folder, files)

    def bring(self, verify="size", **kind):
        self.hub.requests.clear()
        bootstrap.bring(self.model(**kind), verify)
        return json.loads(self.lines[-1])

    def fails(self, status, **kind):
        with self.assertRaises(bootstrap.Fail) as caught:
            self.bring(**kind)
        for pool in self.pools:  # a process would be gone by now
            pool.shutdown()
        self.assertEqual(caught.exception.status, status, str(caught.exception))
        return str(caught.exception)

    def put(self, path, data):
        target = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(data)

    def content(self):
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name != ".weighbridge"]
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.relpath(os.path.join(folder, name), self.folder)] = file.read()
        found.pop(".weighbridge.json", None)
        return found

    def part(self, path):
        model = self.model()
        return model.part_of(next(file for file in model.files if file.path == path))


class Bringing(BootstrapTest):
    def test_first_start_brings_exactly_the_list(self):
        ready = self.bring()
        self.assertEqual(self.content(), CONTENT)
        self.assertEqual(
            (ready["event"], ready["files"], ready["downloadedBytes"]), ("ready", 4, sum(map(len, CONTENT.values())))
        )
        self.assertEqual(os.listdir(os.path.join(self.folder, ".weighbridge")), ["lock"])

    def test_second_start_needs_no_library_and_reads_no_file(self):
        self.bring()
        with mock.patch.dict(sys.modules, {"huggingface_hub": None}), mock.patch.object(
            bootstrap, "has_right_bytes", side_effect=AssertionError("hashed")
        ):
            self.assertEqual(self.bring()["downloadedBytes"], 0)

    def test_whole_folder_is_served_from_a_read_only_volume(self):
        self.bring()
        with mock.patch.object(bootstrap.os, "open", side_effect=OSError(errno.EROFS, "read-only")):
            self.assertEqual(self.bring()["downloadedBytes"], 0)
            self.assertEqual(self.bring(verify="full")["downloadedBytes"], 0)

    def test_lost_and_changed_files_are_fetched_again(self):
        self.bring()
        os.unlink(os.path.join(self.folder, "config.json"))
        self.put("part-2.safetensors", b"?" * 100_000)
        self.bring()
        self.assertEqual(sorted(path for path, _ in self.hub.requests), ["config.json", "part-2.safetensors"])
        self.assertEqual(self.content(), CONTENT)

    def test_new_times_alone_cost_a_check_but_no_download(self):
        self.bring()
        os.utime(os.path.join(self.folder, "config.json"), (1, 1))
        self.bring()
        self.assertEqual(self.hub.requests, [])
        self.bring()
        self.assertNotIn("checking", self.lines[-2])

    def test_full_finds_what_sizes_and_times_hide(self):
        self.bring()
        path = os.path.join(self.folder, "part-2.safetensors")
        times = os.stat(path)
        self.put("part-2.safetensors", b"?" * 100_000)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assertEqual(self.bring()["downloadedBytes"], 0)
        self.bring(verify="full")
        self.assertEqual(self.content(), CONTENT)

    def test_off_trusts_the_marker_alone(self):
        self.bring()
        os.unlink(os.path.join(self.folder, "config.json"))
        self.assertEqual(self.bring(verify="off")["downloadedBytes"], 0)

    def test_off_still_sees_another_list_of_the_same_revision(self):
        self.bring()
        self.hub.content["more.json"] = b"more"
        self.bring(verify="off", content=dict(CONTENT, **{"more.json": b"more"}))
        self.assertEqual([path for path, _ in self.hub.requests], ["more.json"])
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_lines_of_a_download_come_with_its_first_bytes(self):
        progress = bootstrap.Progress(self.model(), self.model().files)
        progress.tell([])
        self.assertEqual(self.lines, [])
        part = self.part("part-2.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(b"?" * 40_000)
        running = [file for file in self.model().files if file.path == "part-2.safetensors"]
        with mock.patch.object(bootstrap.time, "monotonic", lambda: progress.last[0] + 10):
            progress.tell(running)
        self.assertEqual(
            self.lines,
            [
                "org/x at aaaaaaaaaaaa: fetching 4 of 4 files (0.4 MB) into " + self.folder,
                "9 % (0.0 MB of 0.4 MB), 0.0 MB/s, 90 s left: part-2.safetensors",
            ],
        )

    def test_files_in_xet_storage_go_through_hf_hub_download(self):
        self.hub.is_xet = True
        with mock.patch.object(bootstrap.importlib.util, "find_spec", lambda _: "there"):
            self.bring()
        self.assertIn(("part-2.safetensors", "library"), self.hub.requests)
        self.assertEqual(self.content(), CONTENT)

    def test_http_takes_over_where_xet_does_not_work(self):
        self.hub.is_xet = self.hub.is_xet_broken = True
        with mock.patch.object(bootstrap.importlib.util, "find_spec", lambda _: "there"):
            self.bring()
        self.assertEqual([kind for _, kind in self.hub.requests].count("library"), 1)
        self.assertIn("config.json does not come by Xet (no CAS server); going on by HTTP", self.lines)
        self.assertEqual(self.content(), CONTENT)

    def test_http_takes_over_where_xet_was_interrupted(self):
        self.hub.is_xet = True
        for path in ("config.json", "part-2.safetensors"):
            os.makedirs(self.part(path) + ".library/.cache")
        with mock.patch.object(bootstrap.importlib.util, "find_spec", lambda _: "there"):
            self.bring()
        self.assertNotIn("library", [kind for _, kind in self.hub.requests])
        self.assertEqual(len([line for line in self.lines if "by Xet was interrupted" in line]), 1)
        self.assertEqual(self.content(), CONTENT)

    def test_xet_is_not_tried_where_it_is_switched_off_or_missing(self):
        self.hub.is_xet = True
        os.environ["HF_HUB_DISABLE_XET"] = "1"
        self.bring()
        self.assertNotIn("library", [kind for _, kind in self.hub.requests])

    def test_library_without_http_get(self):
        del self.hub.file_download.http_get
        self.bring()
        self.assertEqual(self.content(), CONTENT)


class Resuming(BootstrapTest):
    def test_part_is_resumed_after_a_broken_connection(self):
        self.hub.faults = [(1000, RequestException("reset")), (2000, RequestException("reset"))]
        self.hub.content = {"w.safetensors": os.urandom(10_000)}
        self.bring(content=self.hub.content)
        self.assertEqual(self.hub.requests, [("w.safetensors", 0), ("w.safetensors", 1000), ("w.safetensors", 3000)])

    def test_part_of_an_earlier_run_is_resumed(self):
        part = self.part("weights/part-1.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(CONTENT["weights/part-1.safetensors"][:200_000])
        ready = self.bring()
        self.assertIn(("weights/part-1.safetensors", 200_000), self.hub.requests)
        self.assertEqual(ready["downloadedBytes"], sum(map(len, CONTENT.values())) - 200_000)
        self.assertEqual(self.content(), CONTENT)

    def test_wrong_part_is_fetched_again_from_its_start(self):
        part = self.part("weights/part-1.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(b"?" * 200_000)
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_parts_that_are_too_long_or_of_other_files_are_dropped(self):
        part = self.part("part-2.safetensors")
        os.makedirs(os.path.dirname(part))
        for path in (part, os.path.join(os.path.dirname(part), "other")):
            with open(path, "wb") as out:
                out.write(b"?" * 400_000)
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_file_in_place_but_not_yet_in_the_marker_is_kept(self):
        self.bring()
        marker = bootstrap.Marker(self.folder)
        marker.revision = None
        del marker.files["config.json"]
        marker.save()
        self.bring()
        self.assertEqual(self.hub.requests, [])

    def test_half_a_folder_is_not_whole(self):
        self.hub.faults = [(0, RequestException("down"))] * 40
        self.fails(bootstrap.UNREACHABLE)
        self.assertNotEqual(self.content(), CONTENT)
        self.fails(bootstrap.UNREACHABLE, verify="off")
        self.hub.faults.clear()
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_refused_link_is_asked_for_again(self):
        os.environ["HF_TOKEN"] = "hf_secret"
        self.hub.faults = [(0, HfHubHTTPError("expired", Response(403, url="https://cdn.example/x?Signature=y")))]
        self.bring()
        self.assertEqual(self.content(), CONTENT)
        self.assertIn("the link that the Hub gave for config.json was refused (403); trying again in 0 s", self.lines)


class FoldersOfOthers(BootstrapTest):
    def test_matching_folder_is_used_as_it_is(self):
        for path, data in CONTENT.items():
            self.put(path, data)
        self.put("notes.txt", b"mine")
        self.assertEqual(self.bring()["downloadedBytes"], 0)
        self.assertEqual(self.content(), dict(CONTENT, **{"notes.txt": b"mine"}))

    def test_file_that_does_not_match_is_refused_and_kept(self):
        self.put("config.json", b"mine")
        message = self.fails(bootstrap.FOREIGN_FILE)
        self.assertIn(os.path.join(self.folder, "config.json"), message)
        self.assertIn("move it away or set MODEL_DIR", message)
        self.assertEqual(self.content(), {"config.json": b"mine"})

    def test_missing_files_are_added_to_it(self):
        self.put("config.json", CONTENT["config.json"])
        self.bring()
        self.assertNotIn("config.json", [path for path, _ in self.hub.requests])
        self.assertEqual(self.content(), CONTENT)

    def test_folder_of_another_model_is_refused(self):
        self.bring()
        self.assertIn("org/x", self.fails(bootstrap.FOREIGN_FILE, model_id="org/y"))

    def test_new_revision_replaces_what_changed_and_takes_away_only_its_own(self):
        self.bring()
        self.put("notes.txt", b"mine")
        new = dict(CONTENT, **{"config.json": b"new", "part-3.safetensors": b"3" * 9})
        del new["part-2.safetensors"]
        self.hub.content = new
        self.bring(content=new, revision=OTHER_REVISION)
        self.assertEqual(sorted(path for path, _ in self.hub.requests), ["config.json", "part-3.safetensors"])
        self.assertEqual(self.content(), dict(new, **{"notes.txt": b"mine"}))

    def test_file_of_an_old_revision_that_was_edited_stays(self):
        self.bring()
        self.put("part-2.safetensors", b"edited")
        new = {"config.json": CONTENT["config.json"]}
        self.bring(content=new, revision=OTHER_REVISION)
        self.assertEqual(self.content(), dict(new, **{"part-2.safetensors": b"edited"}))

    def test_link_out_of_the_folder_is_not_written_through(self):
        outside = os.path.join(self.root, "outside")
        os.makedirs(outside)
        os.makedirs(self.folder)
        os.symlink(outside, os.path.join(self.folder, "weights"))
        self.assertIn("a link leads", self.fails(bootstrap.FOREIGN_FILE))
        self.assertEqual(os.listdir(outside), [])

    def test_links_in_our_own_corner_are_not_followed(self):
        outside = os.path.join(self.root, "outside")
        self.put(".weighbridge/parts/x", b"")
        os.makedirs(outside)
        with open(os.path.join(outside, "victim"), "w"):
            pass
        for name in ("parts/x", "marker.tmp", os.path.relpath(self.part("config.json"), self.folder + "/.weighbridge")):
            link = os.path.join(self.folder, ".weighbridge", name)
            bootstrap.remove(link)
            os.symlink(os.path.join(outside, "new"), link)
        self.bring()
        os.unlink(os.path.join(self.folder, "config.json"))
        os.symlink(outside, os.path.join(self.folder, ".weighbridge", "parts"))
        self.fails(bootstrap.FOREIGN_FILE)
        self.assertEqual(os.listdir(outside), ["victim"])

    def test_files_of_the_user_are_neither_replaced_nor_removed_by_a_new_revision(self):
        for path, data in CONTENT.items():
            self.put(path, data)
        self.bring()
        self.bring(content={"empty.txt": b""}, revision=OTHER_REVISION)
        self.assertEqual(self.content(), CONTENT)
        self.assertIn("config.json", self.fails(bootstrap.FOREIGN_FILE, content={"config.json": b"new"}))

    def test_marker_with_paths_out_of_the_folder_counts_for_nothing(self):
        victim = os.path.join(self.root, "victim")
        with open(victim, "w"):
            pass
        found = os.stat(victim)
        entry = {"size": 0, "mtimeNs": found.st_mtime_ns, "hash": "git:" + git_oid(b""), "ours": True}
        self.put(
            ".weighbridge.json",
            json.dumps(
                {"schemaVersion": 1, "id": "org/x", "revision": OTHER_REVISION, "files": {"../victim": entry}}
            ).encode(),
        )
        self.bring()
        self.assertTrue(os.path.exists(victim))


class Failing(BootstrapTest):
    def fault(self, status, error, **kind):
        self.hub.faults = [(0, error)] * 40
        message = self.fails(status, **kind)
        self.assertNotIn("\n", message)
        return message

    def test_gated_without_and_with_a_token(self):
        gated = GatedRepoError("gated", Response(401))
        self.assertIn("set HF_TOKEN", self.fault(bootstrap.NO_TOKEN, gated))
        os.environ["HF_TOKEN"] = "hf_secret"
        message = self.fault(bootstrap.NO_ACCESS, gated)
        self.assertIn("the token that is set has no access", message)
        self.assertNotIn("hf_secret", message)

    def test_each_cause_has_its_status(self):
        for status, error in (
            (bootstrap.NO_TOKEN, RepositoryNotFoundError("", Response(401))),
            (bootstrap.BAD_TOKEN, HfHubHTTPError("Invalid credentials in Authorization header", Response(401))),
            (bootstrap.GONE, RepositoryNotFoundError("", Response(404))),
            (bootstrap.GONE, RevisionNotFoundError("", Response(404))),
            (bootstrap.GONE, HfHubHTTPError("", Response(404))),
            (bootstrap.UNREACHABLE, HfHubHTTPError("", Response(503))),
            (bootstrap.UNREACHABLE, RequestException("refused")),
            (bootstrap.RATE_LIMITED, HfHubHTTPError("", Response(429, {"Retry-After": "0"}))),
            (bootstrap.UNTRUSTED, RequestException("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")),
            (bootstrap.DISK_FULL, OSError(errno.ENOSPC, "full")),
            (bootstrap.NOT_WRITABLE, OSError(errno.EROFS, "read-only")),
            (bootstrap.UNEXPECTED, RuntimeError("surprise")),
        ):
            with self.subTest(error=repr(error)):
                self.fault(status, error)

    def test_long_rate_limit_is_not_waited_for(self):
        self.fault(bootstrap.RATE_LIMITED, HfHubHTTPError("", Response(429, {"Retry-After": "86400"})))
        self.assertFalse([line for line in self.lines if "trying again" in line])

    def test_reset_time_of_the_rate_limit_header_is_read(self):
        error = HfHubHTTPError("", Response(429, {"RateLimit": '"resolvers";r=0;t=42'}))
        with mock.patch.object(bootstrap.time, "sleep") as sleep:
            bootstrap.pause(1, error, bootstrap.Fail(bootstrap.RATE_LIMITED, "429"))
        sleep.assert_called_once_with(42)

    def test_wrong_bytes_twice(self):
        self.hub.content["part-2.safetensors"] = b"!" * 100_000
        self.assertIn("part-2.safetensors", self.fails(bootstrap.WRONG_BYTES))
        self.assertEqual(self.hub.requests.count(("part-2.safetensors", 0)), 2)
        self.assertNotIn("part-2.safetensors", self.content())

    def test_shorter_file_than_listed(self):
        self.hub.content["part-2.safetensors"] = b"!"
        self.fails(bootstrap.WRONG_BYTES)

    def test_disk_too_small_is_said_before_anything_is_fetched(self):
        with mock.patch.object(bootstrap.shutil, "disk_usage", lambda _: types.SimpleNamespace(total=9, free=5)):
            self.assertIn("free", self.fails(bootstrap.DISK_FULL))
        self.assertEqual(self.hub.requests, [])

    def test_folder_that_cannot_be_made(self):
        with mock.patch.object(bootstrap.os, "makedirs", side_effect=OSError(errno.EROFS, "read-only")):
            self.assertIn("may not read and write", self.fails(bootstrap.NOT_WRITABLE))

    def test_base_without_the_library(self):
        with mock.patch.dict(sys.modules, {"huggingface_hub": None}):
            self.assertIn("huggingface_hub", self.fails(bootstrap.NO_LIBRARY))

    def test_offline_with_half_a_folder(self):
        os.environ["HF_HUB_OFFLINE"] = "1"
        self.assertIn("HF_HUB_OFFLINE", self.fails(bootstrap.UNREACHABLE))

    def test_file_system_without_locks_is_named_once(self):
        with mock.patch.object(bootstrap.fcntl, "flock", side_effect=OSError(errno.ENOLCK, "no locks")):
            self.bring()
        self.assertEqual(len([line for line in self.lines if "has no locks" in line]), 1)

    def test_foreign_texts_lose_queries_logins_and_the_token(self):
        os.environ["HF_TOKEN"] = "hf_secret"
        text = bootstrap.harmless("GET https://u:p@cdn/x?Signature=abc failed\nfor hf_secret")
        self.assertEqual(text, "GET https://cdn/x failed for ***")


class Settings(BootstrapTest):
    def image(self, **changes):
        image = {
            "schemaVersion": 1,
            "id": "org/x",
            "short": "x",
            "revision": REVISION,
            "dir": self.folder,
            "command": ["vllm", "serve"],
            "serveArgs": ["--port", "8000"],
            "files": listed(CONTENT),
        }
        image.update(changes)
        path = os.path.join(self.root, "model.json")
        with open(path, "w") as out:
            json.dump(image, out)
        return bootstrap.read_image(path)

    def test_unsafe_paths_and_lists_without_hash_are_refused(self):
        for bad in (
            "../x",
            "/etc/passwd",
            "a//b",
            "a/../b",
            ".weighbridge.json",
            ".weighbridge/lock",
            "a\\b",
            "a\0b",
            "",
        ):
            with self.subTest(path=bad), self.assertRaises(bootstrap.Fail) as caught:
                self.image(files=[{"path": bad, "size": 1, "gitOid": "c" * 40}])
            self.assertEqual(caught.exception.status, bootstrap.USAGE)
        for bad in ({"path": "a", "size": 1}, {"path": "a", "size": -1, "gitOid": "c" * 40}, {"path": "a"}):
            with self.subTest(file=bad), self.assertRaises(bootstrap.Fail):
                self.image(files=[bad])

    def command(self, argv=()):
        image = self.image()
        model = bootstrap.choose_model(image)
        return bootstrap.server_command(image["command"], model, bootstrap.split_serve_args(image) + list(argv))

    def test_command_line(self):
        name = ["--served-model-name", "org/x"]
        self.assertEqual(
            self.command(["--max-model-len", "4096"]),
            ["vllm", "serve", self.folder] + name + ["--port", "8000", "--max-model-len", "4096"],
        )
        os.environ["SERVE_ARGS"] = '--limit \'{"image": 2}\' --name "a b"'
        self.assertEqual(self.command()[5:], ["--limit", '{"image": 2}', "--name", "a b"])
        os.environ["SERVE_ARGS"] = ""
        self.assertEqual(self.command(), ["vllm", "serve", self.folder] + name)

    def test_own_served_model_name(self):
        for own in (["--served-model-name", "y"], ["--served-model-name=y"], ["--served_model_name", "y"]):
            self.assertEqual(self.command(own), ["vllm", "serve", self.folder, "--port", "8000"] + own)

    def test_unbalanced_serve_args(self):
        os.environ["SERVE_ARGS"] = "--name 'x"
        with self.assertRaises(bootstrap.Fail) as caught:
            self.command()
        self.assertEqual(caught.exception.status, bootstrap.USAGE)

    def test_tokens(self):
        file, empty = os.path.join(self.root, "token"), os.path.join(self.root, "none")
        with open(file, "w") as out:
            out.write("c\n")
        for given, expected in (
            ({"HF_TOKEN": "a", "HUGGING_FACE_HUB_TOKEN": "b"}, "a"),
            ({"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "b"}, "b"),
            ({"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": ""}, None),
            ({"HF_TOKEN_PATH": file}, "c"),
            ({"HF_TOKEN_PATH": file, "HF_TOKEN": "a"}, "a"),
            ({"HF_HOME": self.root}, "c"),
            ({"HF_HOME": empty}, None),
        ):
            with self.subTest(given=given), mock.patch.dict(os.environ, given):
                bootstrap.load_library(self.folder)
                self.assertEqual(os.environ.get("HF_TOKEN"), expected)
                self.assertNotIn("HUGGING_FACE_HUB_TOKEN", os.environ)
        self.assertEqual(self.lines, [])

    def test_token_file_that_was_named_and_cannot_be_read_is_said(self):
        os.environ["HF_TOKEN_PATH"] = os.path.join(self.root, "none")
        bootstrap.load_library(self.folder)
        self.assertIn("/none cannot be read by user", self.lines[0])

    def test_caches_are_in_the_folder_whatever_the_home_is(self):
        with mock.patch.dict(os.environ, {"HF_HOME": "/dev/null/x", "HF_HUB_CACHE": "/dev/null/x/hub"}):
            bootstrap.load_library(self.folder)
            self.assertEqual(os.environ["HF_HOME"], os.path.join(self.folder, ".weighbridge", "cache"))
            self.assertNotIn("HF_HUB_CACHE", os.environ)

    def test_another_model_is_looked_up_and_not_pinned(self):
        files = dict(CONTENT, **{"pytorch_model.bin": b"0", ".gitattributes": b"0", "original/x.pth": b"0"})
        siblings = [
            types.SimpleNamespace(
                rfilename=path,
                size=len(data),
                blob_id=git_oid(data),
                lfs={"sha256": hashlib.sha256(data).hexdigest()} if path.endswith("safetensors") else None,
            )
            for path, data in files.items()
        ]
        asked = []

        def model_info(model_id, **options):
            asked.append((model_id, options["revision"]))
            return types.SimpleNamespace(sha=OTHER_REVISION, siblings=siblings)

        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=model_info)
        os.environ["MODEL_ID"] = "other/y"
        model = bootstrap.choose_model(self.image())
        self.assertEqual(asked, [("other/y", "main")])
        self.assertEqual((model.dir, model.revision), (os.path.join(self.root, "y"), OTHER_REVISION))
        self.assertEqual({file.path for file in model.files}, set(CONTENT))
        self.assertIn("not pinned", self.lines[0])

    def test_another_model_that_is_there_is_used_when_the_hub_is_down(self):
        self.bring(model_id="other/y")
        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=mock.Mock(side_effect=RequestException("down")))
        os.environ.update(MODEL_ID="other/y", MODEL_DIR=self.folder)
        model = bootstrap.choose_model(dict(self.image(), dir="/elsewhere"))
        self.assertEqual(model.revision, REVISION)
        bootstrap.bring(model, "size")


class Processes(unittest.TestCase):
    """The parts that only a process of its own can show."""

    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.root = root.name
        with open(os.path.join(HERE, "bootstrap.py"), "rb") as file, open(
            os.path.join(self.root, "bootstrap"), "wb"
        ) as out:
            out.write(file.read())

    def start(self, argv, **environment):
        return subprocess.Popen(
            [sys.executable, os.path.join(self.root, "bootstrap")] + argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict({"PATH": os.environ["PATH"], "PYTHONPATH": self.root}, **environment),
        )

    def put_image(self, **changes):
        image = {
            "schemaVersion": 1,
            "id": "org/x",
            "short": "x",
            "revision": REVISION,
            "dir": os.path.join(self.root, "m"),
            "command": ["echo"],
            "serveArgs": [],
            "files": listed({"a": b"a"}),
        }
        image.update(changes)
        with open(os.path.join(self.root, "model.json"), "w") as out:
            json.dump(image, out)

    def test_a_command_is_run_as_it_is(self):
        process = self.start(["echo", "hello", "--x"])
        self.assertEqual(process.communicate()[0], b"hello --x\n")

    def test_download_brings_the_model_and_ends(self):
        self.put_image(command=["no-such-server"])
        os.makedirs(os.path.join(self.root, "m"))
        with open(os.path.join(self.root, "m", "a"), "w") as out:
            out.write("a")
        process = self.start(["download"])
        self.assertIn(b'"event":"ready"', process.communicate()[1])
        self.assertEqual(process.returncode, 0)

    def test_a_command_that_is_not_there(self):
        process = self.start(["no-such-command"])
        self.assertEqual(
            process.communicate()[1], b"weighbridge: cannot run no-such-command: No such file or directory\n"
        )
        self.assertEqual(process.returncode, 127)

    def test_a_broken_list_is_one_line_and_status_2(self):
        process = self.start([])
        error = process.communicate()[1]
        self.assertEqual((process.returncode, error.count(b"\n")), (2, 1))

    def test_the_server_gets_the_environment_as_it_was_given(self):
        self.put_image(
            command=[sys.executable, "-c", "import json,os,sys; print(json.dumps([dict(os.environ), sys.argv]))"]
        )
        os.makedirs(os.path.join(self.root, "m"))
        with open(os.path.join(self.root, "m", "a"), "w") as out:
            out.write("a")
        process = self.start(["--flag"], HUGGING_FACE_HUB_TOKEN="t", HF_HOME="/dev/null/x")
        environment, argv = json.loads(process.communicate()[0])
        self.assertEqual((environment["HUGGING_FACE_HUB_TOKEN"], environment["HF_HOME"]), ("t", "/dev/null/x"))
        self.assertEqual(argv[1:], [os.path.join(self.root, "m"), "--served-model-name", "org/x", "--flag"])

    def test_signals_end_a_download_that_hangs(self):
        library = os.path.join(self.root, "huggingface_hub")
        os.makedirs(library)
        for name, text in (
            (
                "__init__",
                "def hf_hub_url(*a, **k): return 'http://hub/'\n"
                "def get_hf_file_metadata(url): return None\n",
            ),
            ("file_download", "def http_get(*a, **k):\n  import os, time; os.write(1, b'!'); time.sleep(60)\n"),
            ("utils", "def build_hf_headers(): return {}\n"),
        ):
            with open(os.path.join(library, name + ".py"), "w") as out:
                out.write(text)
        self.put_image()
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start([])
            self.assertEqual(process.stdout.read(1), b"!")
            process.send_signal(number)
            error = process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 128 + number)
            self.assertTrue(error.endswith(b"stopping; what has come is kept\n"), error)
            self.assertNotIn(b"Traceback", error)


if __name__ == "__main__":
    unittest.main()
