"""The installed tree, as `cmake --install --component daemon` lays it out, for several tests."""

import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["REQUESTROUTER_BUILD"])
SYSTEM = "usr/lib/systemd/system"
USER = "usr/lib/systemd/user"


def install(root, component="daemon"):
    """Installs below `root`, stripped."""
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr", "--component", component,
                    "--strip"], env={**os.environ, "DESTDIR": str(root)}, check=True,
                   capture_output=True)
