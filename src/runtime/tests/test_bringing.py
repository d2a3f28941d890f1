"""What a start brings, and what it finds good enough."""

import errno
import importlib.util
import itertools
import os
import sys
import threading
import time
from unittest import mock

from fake_hub import CONTENT
from support import BootstrapTest
from weighbridge_bootstrap import check, pool
from weighbridge_bootstrap.progress import Progress


class Bringing(BootstrapTest):
    def test_first_start_brings_exactly_the_list(self):
        ready = self.bring()
        self.assertEqual(self.content(), CONTENT)
        self.assertEqual(
            (ready["event"], ready["files"], ready["downloadedBytes"]), ("ready", 4, sum(map(len, CONTENT.values())))
        )
        self.assertEqual(os.listdir(os.path.join(self.folder, ".weighbridge")), ["lock"])

    def test_many_small_files_come_several_at_once(self):
        content = {f"f{index}.json": b"x" for index in range(40)}
        self.hub.content = content
        everyone, get = threading.Barrier(pool.FILES_AT_ONCE, timeout=600), self.hub.http_get

        def together(url, out, **options):
            # The first comes alone, so that a refusal is one request; the next ones, one by one, would wait for ever.
            if 0 < next(turns) <= pool.FILES_AT_ONCE:
                everyone.wait()
            return get(url, out, **options)

        turns = itertools.count()
        self.hub.file_download.http_get = together
        self.bring(content=content)
        self.assertEqual(self.content(), content)

    def test_second_start_needs_no_library_and_reads_no_file(self):
        self.bring()
        with mock.patch.dict(sys.modules, {"huggingface_hub": None}), mock.patch.object(
            check, "has_right_bytes", side_effect=AssertionError("hashed")
        ):
            self.assertEqual(self.bring()["downloadedBytes"], 0)

    def test_whole_folder_is_served_from_a_read_only_volume(self):
        self.bring()
        with mock.patch.object(os, "open", side_effect=OSError(errno.EROFS, "read-only")):
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
        progress = Progress(self.model(), self.model().files)
        progress.tell([])
        self.assertEqual(self.lines, [])
        part = self.part("part-2.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(b"?" * 40_000)
        running = [file for file in self.model().files if file.path == "part-2.safetensors"]
        with mock.patch.object(time, "monotonic", lambda: progress.last[0] + 10):
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
        with mock.patch.object(importlib.util, "find_spec", lambda _: "there"):
            self.bring()
        self.assertIn(("part-2.safetensors", "library"), self.hub.requests)
        self.assertEqual(self.content(), CONTENT)

    def test_http_takes_over_where_xet_does_not_work(self):
        self.hub.is_xet = self.hub.is_xet_broken = True
        with mock.patch.object(importlib.util, "find_spec", lambda _: "there"):
            self.bring()
        self.assertEqual([kind for _, kind in self.hub.requests].count("library"), 1)
        self.assertIn("config.json does not come by Xet (no CAS server); going on by HTTP", self.lines)
        self.assertEqual(self.content(), CONTENT)

    def test_http_takes_over_where_xet_was_interrupted(self):
        self.hub.is_xet = True
        for path in ("config.json", "part-2.safetensors"):
            os.makedirs(self.part(path) + ".library/.cache")
        with mock.patch.object(importlib.util, "find_spec", lambda _: "there"):
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
