"""Each cause of an end has its status and one line."""

import errno
import fcntl
import os
import shutil
import sys
import time
import types
from unittest import mock

from fake_hub import (
    REVISION,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RequestException,
    Response,
    RevisionNotFoundError,
)
from support import BootstrapTest
from weighbridge_bootstrap import console, failures, transfer


class Failing(BootstrapTest):
    def fault(self, status, error, **kind):
        self.hub.faults = [(0, error)] * 40
        message = self.fails(status, **kind)
        self.assertNotIn("\n", message)
        return message

    def test_bytes_without_an_end_stop_at_the_size(self):
        path, sizes = "part-2.safetensors", []

        def endless(url, out, *, resume_size, headers, expected_size):
            if not url.endswith(path):
                return self.hub.http_get(url, out, resume_size=resume_size, headers=headers, expected_size=expected_size)
            for _ in range(20):
                try:
                    out.write(b"?" * 30_000)
                finally:
                    sizes.append(out.tell())

        self.hub.file_download.http_get = endless
        message = self.fails(failures.WRONG_BYTES)
        self.assertIn("does not have the listed size and hash", message)
        self.assertEqual(max(sizes), 100_000)

    def test_redirects_without_an_end_are_a_hub_that_cannot_be_used(self):
        self.fault(failures.UNREACHABLE, type("TooManyRedirects", (Exception,), {})("Exceeded maximum allowed redirects."))

    def test_a_wait_of_five_thousand_digits_is_not_asked_for(self):
        for headers in ({"Retry-After": "9" * 5000}, {"RateLimit": "x;t=" + "9" * 5000}):
            self.fault(failures.RATE_LIMITED, HfHubHTTPError("", Response(429, headers)))

    def test_what_others_wrote_is_said_in_one_line_without_commands(self):
        self.assertEqual(console.plain("a\n##[b]\x1b[31m\u202ec\u2028d"), "a ##[b] [31m c d")

    def test_a_token_is_left_out_wherever_it_is(self):
        with mock.patch.dict(os.environ, {"HF_TOKEN": "hf_secret"}):
            for text in ("x" * 395 + "hf_secret", "?" + "q" * 380 + " hf_secret" * 9, "a hf_secret b"):
                self.assertNotIn("hf_s", failures.harmless(text))

    def test_gated_without_and_with_a_token(self):
        gated = GatedRepoError("gated", Response(401))
        self.assertIn("set HF_TOKEN", self.fault(failures.NO_TOKEN, gated))
        os.environ["HF_TOKEN"] = "hf_secret"
        message = self.fault(failures.NO_ACCESS, gated)
        self.assertIn("the token that is set has no access", message)
        self.assertNotIn("hf_secret", message)

    def test_each_cause_has_its_status(self):
        for status, error in (
            (failures.NO_TOKEN, RepositoryNotFoundError("", Response(401))),
            (failures.BAD_TOKEN, HfHubHTTPError("Invalid credentials in Authorization header", Response(401))),
            (failures.GONE, RepositoryNotFoundError("", Response(404))),
            (failures.GONE, RevisionNotFoundError("", Response(404))),
            (failures.GONE, HfHubHTTPError("", Response(404))),
            (failures.UNREACHABLE, HfHubHTTPError("", Response(503))),
            (failures.UNREACHABLE, RequestException("refused")),
            (failures.RATE_LIMITED, HfHubHTTPError("", Response(429, {"Retry-After": "0"}))),
            (failures.UNTRUSTED, RequestException("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")),
            (failures.DISK_FULL, OSError(errno.ENOSPC, "full")),
            (failures.NOT_WRITABLE, OSError(errno.EROFS, "read-only")),
            (failures.UNEXPECTED, RuntimeError("surprise")),
        ):
            with self.subTest(error=repr(error)):
                self.fault(status, error)

    def test_a_pinned_revision_that_is_gone_needs_another_image(self):
        message = self.fault(failures.GONE, RevisionNotFoundError("", Response(404)))
        self.assertEqual(message, "org/x has no revision %s any more; publish the image again" % REVISION)

    def test_long_rate_limit_is_not_waited_for(self):
        self.fault(failures.RATE_LIMITED, HfHubHTTPError("", Response(429, {"Retry-After": "86400"})))
        self.assertFalse([line for line in self.lines if "trying again" in line])

    def test_reset_time_of_the_rate_limit_header_is_read(self):
        error = HfHubHTTPError("", Response(429, {"RateLimit": '"resolvers";r=0;t=42'}))
        with mock.patch.object(time, "sleep") as sleep:
            transfer.pause(1, error, failures.Fail(failures.RATE_LIMITED, "429"))
        sleep.assert_called_once_with(42)

    def test_wrong_bytes_twice(self):
        self.hub.content["part-2.safetensors"] = b"!" * 100_000
        self.assertIn("part-2.safetensors", self.fails(failures.WRONG_BYTES))
        self.assertEqual(self.hub.requests.count(("part-2.safetensors", 0)), 2)
        self.assertNotIn("part-2.safetensors", self.content())

    def test_shorter_file_than_listed(self):
        self.hub.content["part-2.safetensors"] = b"!"
        self.fails(failures.WRONG_BYTES)

    def test_disk_too_small_is_said_before_anything_is_fetched(self):
        with mock.patch.object(shutil, "disk_usage", lambda _: types.SimpleNamespace(total=9, free=5)):
            self.assertIn("free", self.fails(failures.DISK_FULL))
        self.assertEqual(self.hub.requests, [])

    def test_folder_that_cannot_be_made(self):
        with mock.patch.object(os, "makedirs", side_effect=OSError(errno.EROFS, "read-only")):
            self.assertIn("may not read and write", self.fails(failures.NOT_WRITABLE))

    def test_base_without_the_library(self):
        with mock.patch.dict(sys.modules, {"huggingface_hub": None}):
            self.assertIn("huggingface_hub", self.fails(failures.NO_LIBRARY))

    def test_offline_with_half_a_folder(self):
        os.environ["HF_HUB_OFFLINE"] = "1"
        self.assertIn("HF_HUB_OFFLINE", self.fails(failures.UNREACHABLE))

    def test_file_system_without_locks_is_named_once(self):
        with mock.patch.object(fcntl, "flock", side_effect=OSError(errno.ENOLCK, "no locks")):
            self.bring()
        self.assertEqual(len([line for line in self.lines if "has no locks" in line]), 1)

    def test_foreign_texts_lose_queries_logins_and_the_token(self):
        os.environ["HF_TOKEN"] = "hf_secret"
        text = failures.harmless("GET https://u:p@cdn/x?Signature=abc failed\nfor hf_secret")
        self.assertEqual(text, "GET https://cdn/x failed for ***")
