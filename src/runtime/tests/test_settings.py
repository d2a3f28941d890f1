"""What the image and the environment ask for."""

import hashlib
import os
import types
from unittest import mock

from fake_hub import (
    CONTENT,
    OTHER_REVISION,
    REVISION,
    RequestException,
    Response,
    RevisionNotFoundError,
    git_oid,
    listed,
)
from support import BootstrapTest, write_image
from weighbridge_bootstrap import failures
from weighbridge_bootstrap.choice import choose_model
from weighbridge_bootstrap.delivery import bring
from weighbridge_bootstrap.image import read_image
from weighbridge_bootstrap.library import load_library
from weighbridge_bootstrap.server import server_command, split_serve_args


class Settings(BootstrapTest):
    def image(self, **changes):
        image = {"dir": self.folder, "serveArgs": ["--port", "8000"], "files": listed(CONTENT)}
        path = os.path.join(self.root, "model.json")
        write_image(path, **dict(image, **changes))
        return read_image(path)

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
            "\ud800",
            5,
            "",
        ):
            with self.subTest(path=bad), self.assertRaises(failures.Fail) as caught:
                self.image(files=[{"path": bad, "size": 1, "gitOid": "c" * 40}])
            self.assertEqual(caught.exception.status, failures.USAGE)
        for bad in ({"path": "a", "size": 1}, {"path": "a", "size": -1, "gitOid": "c" * 40}, {"path": "a"}):
            with self.subTest(file=bad), self.assertRaises(failures.Fail):
                self.image(files=[bad])

    def command(self, argv=()):
        image = self.image()
        model = choose_model(image, [])
        return server_command(image["command"], model, split_serve_args(image) + list(argv))

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
        with self.assertRaises(failures.Fail) as caught:
            self.command()
        self.assertEqual(caught.exception.status, failures.USAGE)

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
                load_library(self.folder)
                self.assertEqual(os.environ.get("HF_TOKEN"), expected)
                self.assertNotIn("HUGGING_FACE_HUB_TOKEN", os.environ)
        self.assertEqual(self.lines, [])

    def test_a_token_goes_to_no_other_machine_in_the_clear(self):
        for endpoint, more, is_fine in (
            ("http://hub.lab", {}, False),
            ("http://10.0.0.1:8080/", {}, False),
            ("http://127.0.0.1.evil.example", {}, False),
            ("http://[fe80::1", {}, False),
            ("http://hub.lab", {"WEIGHBRIDGE_PLAIN_HTTP_TOKEN": "1"}, True),
            ("https://hub.lab", {}, True),
            ("http://127.0.0.1:8080", {}, True),
            ("http://[::1]:8080", {}, True),
            ("http://localhost", {}, True),
        ):
            for token in ("a", ""):
                given = {"HF_ENDPOINT": endpoint, "HF_TOKEN": token, **more}
                with self.subTest(given=given), mock.patch.dict(os.environ, given):
                    if is_fine or not token:
                        load_library(self.folder)
                        continue
                    with self.assertRaises(failures.Fail) as caught:
                        load_library(self.folder)
                    self.assertEqual(caught.exception.status, failures.USAGE)
                    self.assertIn("WEIGHBRIDGE_PLAIN_HTTP_TOKEN=1", str(caught.exception))

    def test_a_container_without_a_null_device_is_not_warned_about_a_file_that_was_not_named(self):
        with mock.patch.object(os, "devnull", os.path.join(self.root, "no-null")):
            with mock.patch("weighbridge_bootstrap.library.say") as say:
                load_library(self.folder)
                load_library(self.folder)
                say.assert_not_called()

    def test_quotes_around_a_token_are_no_part_of_it(self):
        for given in ('"a"', "'a'", ' "a"\n'):
            with self.subTest(given=given), mock.patch.dict(os.environ, {"HF_TOKEN": given}):
                load_library(self.folder)
                self.assertEqual(os.environ["HF_TOKEN"], "a")

    def test_a_token_that_no_header_can_have_is_not_sent(self):
        for given in ("hf_a\nhf_b", "hf_a b", "hf_\x00".strip("\0") + "é", "hf_a\x7f"):
            with self.subTest(given=given), mock.patch.dict(os.environ, {"HF_TOKEN": given}):
                with self.assertRaises(failures.Fail) as caught:
                    load_library(self.folder)
                self.assertEqual(caught.exception.status, failures.USAGE)
                self.assertNotIn("hf_", str(caught.exception).replace("HF_", ""))

    def test_token_files_that_are_none_end(self):
        pipe = os.path.join(self.root, "pipe")
        os.mkfifo(pipe)
        with mock.patch.dict(os.environ, {"HF_TOKEN_PATH": pipe}):
            load_library(self.folder)
            self.assertNotIn("HF_TOKEN", os.environ)
        with mock.patch.dict(os.environ, {"HF_TOKEN_PATH": "/dev/zero"}):
            with self.assertRaises(failures.Fail) as caught:
                load_library(self.folder)
            self.assertEqual(caught.exception.status, failures.USAGE)

    def test_what_is_set_to_nothing_is_not_set(self):
        for given in ("", "  ", '""'):
            with mock.patch.dict(os.environ, {"HF_ENDPOINT": given, "HF_HUB_DOWNLOAD_TIMEOUT": ""}):
                load_library(self.folder)
                self.assertNotIn("HF_HUB_DOWNLOAD_TIMEOUT", os.environ)
                self.assertNotIn("HF_ENDPOINT", os.environ)

    def test_an_endpoint_that_is_no_address_is_said(self):
        for given in ("hub", "https://", "http://a b", "ftp://a"):
            with self.subTest(given=given), mock.patch.dict(os.environ, {"HF_ENDPOINT": given}):
                with self.assertRaises(failures.Fail) as caught:
                    load_library(self.folder)
                self.assertEqual(caught.exception.status, failures.USAGE)
        with mock.patch.dict(os.environ, {"HF_ENDPOINT": "'http://hub.example/x/'"}):
            load_library(self.folder)
            self.assertEqual(os.environ["HF_ENDPOINT"], "http://hub.example/x")

    def test_the_library_writes_small_pieces(self):
        self.hub.constants = types.SimpleNamespace(DOWNLOAD_CHUNK_SIZE=10 << 20)
        self.hub.file_download.DOWNLOAD_CHUNK_SIZE = 10 << 20
        load_library(self.folder)
        self.assertEqual(self.hub.constants.DOWNLOAD_CHUNK_SIZE, 1 << 20)
        self.assertEqual(self.hub.file_download.DOWNLOAD_CHUNK_SIZE, 1 << 20)

    def test_token_file_that_was_named_and_cannot_be_read_is_said(self):
        os.environ["HF_TOKEN_PATH"] = os.path.join(self.root, "none")
        load_library(self.folder)
        self.assertIn("/none cannot be read by user", self.lines[0])

    def test_caches_are_in_the_folder_whatever_the_home_is(self):
        with mock.patch.dict(os.environ, {"HF_HOME": "/dev/null/x", "HF_HUB_CACHE": "/dev/null/x/hub"}):
            load_library(self.folder)
            self.assertEqual(os.environ["HF_HOME"], os.path.join(self.folder, ".weighbridge", "cache"))
            self.assertNotIn("HF_HUB_CACHE", os.environ)

    def test_an_answer_without_a_commit_is_refused(self):
        os.environ["MODEL_ID"] = "other/y"
        for sha in (None, "main", "../x", "A" * 40):
            info = types.SimpleNamespace(sha=sha, siblings=[])
            self.hub.HfApi = lambda: types.SimpleNamespace(model_info=lambda *_, **__: info)
            with self.subTest(sha=sha), self.assertRaises(failures.Fail) as caught:
                choose_model(self.image(), [])
            self.assertEqual(caught.exception.status, failures.USAGE)

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
        model = choose_model(self.image(), [])
        self.assertEqual(asked, [("other/y", "main")])
        self.assertEqual((model.dir, model.revision), (os.path.join(self.root, "y"), OTHER_REVISION))
        self.assertEqual({file.path for file in model.files}, set(CONTENT))
        self.assertIn("not pinned", self.lines[0])

    def test_serve_args_choose_the_files_of_another_model(self):
        paths = ("consolidated.safetensors", "model.safetensors", "params.json", "2_Dense/pytorch_model.bin")
        siblings = [
            types.SimpleNamespace(rfilename=path, size=1, blob_id=git_oid(b"0"), lfs=None) for path in paths
        ]
        info = types.SimpleNamespace(sha=OTHER_REVISION, siblings=siblings)
        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=lambda *_, **__: info)
        os.environ["MODEL_ID"] = "other/y"
        for flags, left_out in (
            ([], "consolidated.safetensors"),
            (["--load-format", "mistral"], "model.safetensors"),
            (["--load_format=mistral"], "model.safetensors"),
        ):
            with self.subTest(flags=flags):
                model = choose_model(self.image(), flags)
                self.assertEqual({file.path for file in model.files}, set(paths) - {left_out})
        siblings[1:2] = []
        self.assertEqual(len(choose_model(self.image(), []).files), 3)
        self.assertNotIn("no weights", "\n".join(self.lines))

    def test_another_model_without_weights_is_told_before_the_server_fails(self):
        sibling = types.SimpleNamespace(rfilename="adapter_model.safetensors", size=1, blob_id=git_oid(b"0"), lfs=None)
        info = types.SimpleNamespace(sha=OTHER_REVISION, siblings=[sibling])
        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=lambda *_, **__: info)
        os.environ["MODEL_ID"] = "other/y"
        self.assertEqual(len(choose_model(self.image(), []).files), 1)
        self.assertIn("other/y has no weights that vLLM could load", self.lines[-1])

    def test_another_model_that_is_there_is_used_when_the_hub_is_down(self):
        self.bring(model_id="other/y")
        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=mock.Mock(side_effect=RequestException("down")))
        os.environ.update(MODEL_ID="other/y", MODEL_DIR=self.folder)
        model = choose_model(dict(self.image(), dir="/elsewhere"), [])
        self.assertEqual(model.revision, REVISION)
        bring(model, [], "size")

    def test_a_revision_that_the_environment_asks_for_in_vain_is_its_to_correct(self):
        refuse = mock.Mock(side_effect=RevisionNotFoundError("", Response(404)))
        self.hub.HfApi = lambda: types.SimpleNamespace(model_info=refuse)
        os.environ["MODEL_REVISION"] = "nosuch"
        with self.assertRaises(failures.Fail) as caught:
            choose_model(self.image(), [])
        self.assertEqual(caught.exception.status, failures.GONE)
        todo = "set MODEL_REVISION to a commit, branch or tag of it, or unset it"
        self.assertEqual(str(caught.exception), "org/x has no revision nosuch; " + todo)
