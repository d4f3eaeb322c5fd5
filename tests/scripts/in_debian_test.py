"""tests/scripts/in_debian_test.py: scripts/in-debian refuses what it can't do in one line, and leaves nothing behind when
making the root file system fails. A whole Debian takes minutes: scripts/test nightly makes one."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/in-debian"


def in_debian(*arguments, **environment):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False,
                          env=os.environ | environment)


class InDebian(unittest.TestCase):
    def test_wrong_usage_is_one_line_and_2(self):
        for arguments, said in [((), "unknown release: none"), (("11", "true"), "unknown release: 11"),
                                (("13",), "no command")]:
            done = in_debian(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertRegex(done.stderr, rf"^in-debian: error: {said}: [^\n]+\n$")

    @unittest.skipUnless(os.geteuid() == 0, "only root gets that far")
    def test_a_mirror_that_fails_leaves_no_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder, "scratch")
            scratch.mkdir()
            fake = pathlib.Path(folder, "mmdebstrap")
            fake.write_text('#!/bin/sh\nmkdir -p "$4"\necho "E: no mirror"\nexit 1\n')
            fake.chmod(0o755)
            done = in_debian("13", "true", PATH=f"{folder}:{os.environ['PATH']}", TMPDIR=str(scratch))
            self.assertEqual(done.returncode, 1)
            self.assertIn("E: no mirror", done.stderr)
            self.assertIn("in-debian: error: mmdebstrap failed: trixie", done.stderr)
            self.assertEqual(list(scratch.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
