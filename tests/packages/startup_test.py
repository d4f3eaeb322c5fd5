"""tests/packages/startup_test.py: what the program loads before it does anything. Each library takes time at every start, and
is code that strangers' files may reach."""

import os
import pathlib
import re
import subprocess
import unittest

PROGRAM = pathlib.Path(os.environ["HEADSTART_BUILD"]) / "bin/headstart"


class Startup(unittest.TestCase):
    def test_it_loads_few_libraries(self):
        done = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True)
        libraries = done.stdout.splitlines()
        self.assertGreater(len(libraries), 5)
        self.assertLessEqual(len(libraries), 50)
        self.assertEqual([line for line in libraries if re.search("dnnl|opencv|torch|gdal|dcm|OpenCL", line)], [])


if __name__ == "__main__":
    unittest.main()
