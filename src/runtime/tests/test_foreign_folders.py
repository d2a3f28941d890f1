"""Folders that hold what others put there: files of a user, another model, an older revision, links."""

import json
import os
import shutil
import socket

from fake_hub import CONTENT, OTHER_REVISION, git_oid
from support import BootstrapTest
from weighbridge_bootstrap import failures, folder
from weighbridge_bootstrap.folder import remove
from weighbridge_bootstrap.marker import MAX_MARKER_BYTES, Marker


class FoldersOfOthers(BootstrapTest):
    def test_matching_folder_is_used_as_it_is(self):
        for path, data in CONTENT.items():
            self.put(path, data)
        self.put("notes.txt", b"mine")
        self.assertEqual(self.bring()["downloadedBytes"], 0)
        self.assertEqual(self.content(), dict(CONTENT, **{"notes.txt": b"mine"}))

    def test_file_that_does_not_match_is_refused_and_kept(self):
        self.put("config.json", b"mine")
        message = self.fails(failures.FOREIGN_FILE)
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
        self.assertIn("org/x", self.fails(failures.FOREIGN_FILE, model_id="org/y"))

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
        self.assertIn("a link leads", self.fails(failures.FOREIGN_FILE))
        self.assertEqual(os.listdir(outside), [])

    def test_links_in_our_own_corner_are_not_followed(self):
        outside = os.path.join(self.root, "outside")
        self.put(".weighbridge/parts/x", b"")
        os.makedirs(outside)
        with open(os.path.join(outside, "victim"), "w"):
            pass
        for name in ("parts/x", "marker.tmp", os.path.relpath(self.part("config.json"), self.folder + "/.weighbridge")):
            link = os.path.join(self.folder, ".weighbridge", name)
            remove(link)
            os.symlink(os.path.join(outside, "new"), link)
        self.bring()
        os.unlink(os.path.join(self.folder, "config.json"))
        os.symlink(outside, os.path.join(self.folder, ".weighbridge", "parts"))
        self.fails(failures.FOREIGN_FILE)
        self.assertEqual(os.listdir(outside), ["victim"])

    def test_files_of_the_user_are_neither_replaced_nor_removed_by_a_new_revision(self):
        for path, data in CONTENT.items():
            self.put(path, data)
        self.bring()
        self.bring(content={"empty.txt": b""}, revision=OTHER_REVISION)
        self.assertEqual(self.content(), CONTENT)
        self.assertIn("config.json", self.fails(failures.FOREIGN_FILE, content={"config.json": b"new"}))

    def test_marker_that_is_no_marker_counts_for_nothing(self):
        entry = {"size": 1, "mtimeNs": 1, "hash": "x", "ours": True}
        marker = {"schemaVersion": 1, "id": "org/x", "revision": OTHER_REVISION}
        for text in (
            "[" * 100_000,
            json.dumps({**marker, "files": {"a": {**entry, "hash": []}}}),
            json.dumps({**marker, "files": {"\ud800": entry}}),
        ):
            self.put(".weighbridge.json", text.encode())
            self.bring()
            self.assertEqual(self.content(), CONTENT)

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

    def test_marker_of_another_shape_counts_for_nothing(self):
        self.bring()
        path = os.path.join(self.folder, ".weighbridge.json")
        with open(path) as file:
            whole = json.load(file)
        entry = next(iter(whole["files"].values()))
        odd = (
            *({"files": {"config.json": dict(entry, **change)}} for change in ({"size": []}, {"hash": {}}, {"mtimeNs": "1"})),
            {"files": {"config.json": dict(entry, ours=1)}},
            {"files": {"\ud800": entry}},
            *({"revision": value} for value in ([], 1, {"a": 1})),
            {"id": ["org/x"]},
        )
        texts = [json.dumps(dict(whole, **change)) for change in odd] + ["[" * 200_000, "[]", "null", '{"files":1}', "9" * 5000]
        for text in texts:
            with self.subTest(text=text[:80]):
                self.put(".weighbridge.json", text.encode())
                marker = Marker(self.folder)
                self.assertEqual((marker.id, marker.revision, marker.files), (None, None, {}))
                self.assertEqual(self.bring()["downloadedBytes"], 0)

    def test_marker_without_an_end_is_not_read(self):
        self.bring()
        with open(os.path.join(self.folder, ".weighbridge.json"), "ab") as file:
            file.write(b" " * MAX_MARKER_BYTES)
        self.assertEqual(Marker(self.folder).files, {})
        self.assertEqual(self.bring()["downloadedBytes"], 0)

    def test_folder_in_place_of_the_new_marker_is_said(self):
        os.makedirs(os.path.join(self.folder, ".weighbridge", "marker.tmp"))
        self.assertIn("marker.tmp is a folder, where", self.fails(failures.FOREIGN_FILE))

    def test_odd_entries_in_place_of_ours_are_refused_and_stay(self):
        def socket_at(path):
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(path)

        outside = os.path.join(self.root, "outside")
        os.makedirs(outside)
        makers = {
            "a named pipe": os.mkfifo,
            "a link": lambda path: os.symlink(outside, path),
            "a device or a socket": socket_at,
            "a folder": os.mkdir,
            "a file": lambda path: open(path, "w").close(),
        }
        for name, is_folder in folder.OURS.items():
            for kind, make in makers.items():
                if kind == ("a folder" if is_folder else "a file"):
                    continue
                with self.subTest(name=name, kind=kind):
                    shutil.rmtree(self.folder, ignore_errors=True)
                    path = os.path.join(self.folder, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    make(path)
                    message = self.fails(failures.FOREIGN_FILE)
                    self.assertIn(f"{path} is {kind}, where this image has", message)
                    self.assertTrue(os.path.lexists(path))
                    self.assertEqual(os.listdir(outside), [])

    def test_model_folder_that_is_a_link_or_no_folder_is_refused(self):
        outside = os.path.join(self.root, "outside")
        os.makedirs(outside)
        os.symlink(outside, self.folder)
        self.assertIn(f"is a link to {os.path.realpath(outside)}", self.fails(failures.FOREIGN_FILE))
        self.assertEqual(os.listdir(outside), [])
        os.unlink(self.folder)
        os.mkfifo(self.folder)
        self.assertIn("is a named pipe", self.fails(failures.FOREIGN_FILE))

    def test_the_folder_of_the_program_and_the_root_are_no_places_for_a_model(self):
        for place in ("/", folder.PROGRAM, os.path.join(folder.PROGRAM, "x"), os.path.dirname(folder.PROGRAM)):
            with self.subTest(place=place), self.assertRaises(failures.Fail) as caught:
                folder.check_folder(place)
            self.assertEqual(caught.exception.status, failures.USAGE)
        folder.check_folder(folder.PROGRAM + "-models")

    def test_part_that_is_a_hard_link_is_begun_anew(self):
        victim = os.path.join(self.root, "victim")
        data = CONTENT["part-2.safetensors"]
        with open(victim, "wb") as out:
            out.write(data[:1000])
        part = self.part("part-2.safetensors")
        os.makedirs(os.path.dirname(part))
        os.link(victim, part)
        self.bring()
        self.assertEqual(self.content(), CONTENT)
        self.assertIn(("part-2.safetensors", 0), self.hub.requests)
        with open(victim, "rb") as file:
            self.assertEqual(file.read(), data[:1000])

    def test_folder_where_a_file_of_ours_was_is_said(self):
        for name in ("config.json", "weights"):
            with self.subTest(name=name):
                shutil.rmtree(self.folder, ignore_errors=True)
                self.bring()
                path = os.path.join(self.folder, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                    open(path, "w").close()
                else:
                    os.unlink(path)
                    os.mkdir(path)
                self.assertIn("cannot be put in its place", self.fails(failures.FOREIGN_FILE))
