"""Adapters: what comes with the model, where it is, and the flags that serve it."""

import json
import os
import subprocess
import sys
from unittest import mock

from fake_hub import CONTENT, REVISION, listed
from support import SOURCE, BootstrapTest, write_image
from weighbridge_bootstrap import check, failures
from weighbridge_bootstrap.adapters import choose_adapters, with_adapters
from weighbridge_bootstrap.delivery import bring
from weighbridge_bootstrap.image import read_image

LORA = {"adapter_config.json": b'{"r":8}', "adapter_model.safetensors": os.urandom(50_000)}


class Adapters(BootstrapTest):
    def setUp(self):
        super().setUp()
        self.hub.content.update(LORA)
        self.image = {"id": "org/x", "adapters": [self.entry("sql", "acme/sql-lora")]}

    def entry(self, name, repository, content=LORA):
        files = listed(content)
        path = os.path.join(self.root, "model.json")
        adapters = [{"name": name, "id": repository, "revision": REVISION, "files": files}]
        write_image(path, dir=self.folder, files=listed(CONTENT), adapters=adapters)
        return read_image(path)["adapters"][0]

    def chosen(self):
        return choose_adapters(self.image, self.model())

    def bring_all(self, verify="size"):
        self.hub.requests.clear()
        bring(self.model(), [adapter.files for adapter in self.chosen()], verify)
        return json.loads(self.lines[-1])

    def test_they_come_before_the_model_into_its_folder(self):
        ready = self.bring_all()
        paths = [path for path, _ in self.hub.requests]
        self.assertEqual(set(paths[:2]), set(LORA))
        self.assertEqual(ready["files"], len(CONTENT) + len(LORA))
        self.assertEqual(ready["downloadedBytes"], sum(map(len, [*CONTENT.values(), *LORA.values()])))
        [adapter] = self.chosen()
        self.assertEqual(adapter.files.dir, os.path.join(self.folder, ".weighbridge", "adapters", "acme/sql-lora"))
        for path, data in LORA.items():
            with open(os.path.join(adapter.files.dir, path), "rb") as file:
                self.assertEqual(file.read(), data)
        self.assertEqual(self.content(), CONTENT)
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, ".weighbridge"))), ["adapters", "lock"])

    def test_second_start_fetches_nothing_and_a_changed_file_comes_again(self):
        self.bring_all()
        with mock.patch.object(check, "has_right_bytes", side_effect=AssertionError("hashed")):
            self.assertEqual(self.bring_all()["downloadedBytes"], 0)
        [adapter] = self.chosen()
        with open(os.path.join(adapter.files.dir, "adapter_config.json"), "wb") as out:
            out.write(b"{}")
        self.assertEqual(self.bring_all()["downloadedBytes"], len(LORA["adapter_config.json"]))

    def test_an_interrupted_one_is_resumed(self):
        self.hub.faults = [(0, OSError("x"))] * 4
        with self.assertRaises(failures.Fail):
            self.bring_all()
        self.bring_all()
        self.assertEqual(self.content(), CONTENT)

    def test_wrong_bytes_stop_the_start(self):
        self.hub.content["adapter_model.safetensors"] = b"?" * 50_000
        with self.assertRaises(failures.Fail) as caught:
            self.bring_all()
        self.assertEqual(caught.exception.status, failures.WRONG_BYTES)
        self.assertIn("acme/sql-lora", str(caught.exception))

    def test_another_model_is_served_without_them(self):
        model = self.model(model_id="org/y")
        self.assertEqual(choose_adapters(self.image, model), [])
        self.assertIn("not served with org/y", self.lines[-1])

    def test_a_link_in_their_place_is_refused(self):
        os.makedirs(os.path.join(self.folder, ".weighbridge"))
        os.symlink(self.root, os.path.join(self.folder, ".weighbridge", "adapters"))
        with self.assertRaises(failures.Fail) as caught:
            self.bring_all()
        self.assertEqual(caught.exception.status, failures.FOREIGN_FILE)

    def test_a_link_in_place_of_their_owner_is_not_written_through(self):
        outside = os.path.join(self.root, "outside")
        os.makedirs(outside)
        os.makedirs(os.path.join(self.folder, ".weighbridge", "adapters"))
        os.symlink(outside, os.path.join(self.folder, ".weighbridge", "adapters", "acme"))
        with self.assertRaises(failures.Fail) as caught:
            self.bring_all()
        self.assertEqual(caught.exception.status, failures.FOREIGN_FILE)
        self.assertEqual(os.listdir(outside), [])

    def test_an_id_that_leads_out_is_refused(self):
        for repository in ("../x", "a/../../x", "/x", "a//x"):
            with self.assertRaises(failures.Fail, msg=repository):
                self.entry("sql", repository)

    def test_flags(self):
        [adapter] = self.chosen()
        own = f"sql={adapter.files.dir}"
        cases = [
            ([], ["--enable-lora", "--lora-modules", own, "--max-lora-rank", "8"]),
            (["--port", "1"], ["--enable-lora", "--lora-modules", own, "--max-lora-rank", "8", "--port", "1"]),
            (["--enable_lora", "--max-lora-rank=64"], ["--lora-modules", own, "--enable_lora", "--max-lora-rank=64"]),
            (
                ["--lora-modules", "b=/b", "--port", "1"],
                ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", own, "b=/b", "--port", "1"],
            ),
            (["--lora-modules=b=/b"], ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", own, "b=/b"]),
            (["--lora-modules", "sql=/mine"], ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", "sql=/mine"]),
            (
                ["--lora-modules", '{"name": "sql", "path": "/p"}'],
                ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", '{"name": "sql", "path": "/p"}'],
            ),
        ]
        for flags, expected in cases:
            self.assertEqual(with_adapters(flags, [adapter], 8), expected)
            self.assertEqual(with_adapters(expected, [adapter], 8), expected)
        self.assertEqual(with_adapters(["--port", "1"], [], 8), ["--port", "1"])
        self.assertNotIn("--max-lora-rank", with_adapters([], [adapter], None))

    def test_the_server_gets_them(self):
        self.bring_all()
        program = os.path.join(self.root, "weighbridge")
        os.symlink(SOURCE, program)
        script = os.path.join(self.root, "run.py")
        path = os.path.join(self.root, "model.json")
        adapters = [{"name": "sql", "id": "acme/sql-lora", "revision": REVISION, "files": listed(LORA)}]
        fields = dict(dir=self.folder, files=listed(CONTENT), adapters=adapters, maxLoraRank=16)
        write_image(path, command=["echo"], serveArgs=["--port", "1"], **fields)
        with open(os.path.join(SOURCE, "bootstrap")) as source, open(script, "w") as out:
            text = source.read().replace('os.path.join(FOLDER, "model.json")', repr(path))
            out.write(text.replace("FOLDER = os.path.dirname(os.path.realpath(__file__))", f"FOLDER = {SOURCE!r}"))
        run = subprocess.run([sys.executable, script, "--seed", "2"], capture_output=True, text=True)
        lora = f"--enable-lora --lora-modules sql={self.folder}/.weighbridge/adapters/acme/sql-lora --max-lora-rank 16"
        expected = f"{self.folder} --served-model-name org/x {lora} --port 1 --seed 2\n"
        self.assertEqual((run.stdout, run.returncode), (expected, 0), run.stderr)
