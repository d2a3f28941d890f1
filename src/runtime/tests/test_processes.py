"""What only a process of its own can show: the program as it lies in the image."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from fake_hub import listed
from support import SOURCE, write_image


class Processes(unittest.TestCase):
    """The parts that only a process of its own can show."""

    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.root = root.name
        self.folder = os.path.join(self.root, "weighbridge")
        shutil.copytree(SOURCE, self.folder, ignore=shutil.ignore_patterns("__pycache__"))

    def start(self, argv, program=None, **environment):
        return subprocess.Popen(
            [sys.executable, program or os.path.join(self.folder, "bootstrap")] + argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root,
            env=dict({"PATH": os.environ["PATH"], "PYTHONPATH": self.root}, **environment),
        )

    def starts(self, program=None, **environment):
        process = self.start(["download"], program, **environment)
        error = process.communicate()[1]
        self.assertIn(b'"event":"ready"', error)
        self.assertEqual(process.returncode, 0)

    def put_image(self, **changes):
        image = {"dir": os.path.join(self.root, "m"), "command": ["echo"], "files": listed({"a": b"a"})}
        write_image(os.path.join(self.folder, "model.json"), **dict(image, **changes))

    def put_model(self):
        os.makedirs(os.path.join(self.root, "m"))
        with open(os.path.join(self.root, "m", "a"), "w") as out:
            out.write("a")

    def test_a_command_is_run_as_it_is(self):
        process = self.start(["echo", "hello", "--x"])
        self.assertEqual(process.communicate()[0], b"hello --x\n")

    def test_download_brings_the_model_and_ends(self):
        self.put_image(command=["no-such-server"])
        self.put_model()
        self.starts()

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

    def test_a_defect_is_one_line_and_no_traceback(self):
        self.put_image(command=7)
        self.put_model()
        process = self.start([])
        *_, line = process.communicate()[1].splitlines()
        self.assertEqual(process.returncode, 70)
        self.assertTrue(line.startswith(b"weighbridge: unexpected TypeError: "), line)

    def test_it_finds_its_modules_whatever_python_is_told(self):
        self.put_image()
        self.put_model()
        decoy = os.path.join(self.root, "weighbridge_bootstrap")
        os.makedirs(decoy)
        with open(os.path.join(decoy, "__init__.py"), "w") as out:
            out.write("raise SystemExit('imported from elsewhere')")
        for path in (self.root, "", ":", "/no/such/folder:/dev/null:relative"):
            for safe in ("", "1"):
                with self.subTest(path=path, safe=safe):
                    self.starts(PYTHONPATH=path, PYTHONSAFEPATH=safe)

    def test_it_is_found_through_a_link(self):
        self.put_image()
        self.put_model()
        link = os.path.join(self.root, "start")
        os.symlink(os.path.join("weighbridge", "bootstrap"), link)
        self.starts(link)
        self.starts(link, PYTHONSAFEPATH="1")

    def test_nothing_is_written_beside_it(self):
        self.put_image()
        self.put_model()
        before = names_in(self.folder)
        for mode in (0o755, 0o555):
            for folder, _, _ in os.walk(self.folder):
                os.chmod(folder, mode)
                self.addCleanup(os.chmod, folder, 0o755)
            with self.subTest(mode=oct(mode)):
                self.starts()
                self.assertEqual(names_in(self.folder), before)

    def test_the_server_gets_the_environment_as_it_was_given(self):
        self.put_image(
            command=[sys.executable, "-c", "import json,os,sys; print(json.dumps([dict(os.environ), sys.argv]))"]
        )
        self.put_model()
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
            ("file_download", "def http_get(*a, **k):\n  import os, time; os.write(1, b'!'); time.sleep(3600)\n"),
            ("utils", "def build_hf_headers(): return {}\n"),
        ):
            with open(os.path.join(library, name + ".py"), "w") as out:
                out.write(text)
        self.put_image()
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start([])
            self.assertEqual(process.stdout.read(1), b"!")
            process.send_signal(number)
            error = process.communicate(timeout=600)[1]
            self.assertEqual(process.returncode, 128 + number)
            self.assertTrue(error.endswith(b"stopping; what has come is kept\n"), error)
            self.assertNotIn(b"Traceback", error)


def names_in(folder):
    return sorted(os.path.join(place, name) for place, folders, names in os.walk(folder) for name in folders + names)
