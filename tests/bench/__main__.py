"""`make bench`: every benchmark in a process of its own, each printing its figures beside their alternative."""

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PATH = os.pathsep.join(str(folder) for folder in (HERE.parent.parent, HERE.parent, HERE))


def main() -> int:
    """Run them one after the other, since they would disturb each other; the number that failed."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    failed = 0
    for bench in sorted(HERE.glob("*_bench.py")):
        environment = os.environ | {"PYTHONPATH": PATH}
        failed += subprocess.run([sys.executable, str(bench)], env=environment, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
