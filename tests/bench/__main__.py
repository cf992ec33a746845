"""`make bench`: every benchmark in a process of its own, each printing its figures beside their alternative.

python tests/bench [NAME...]     for example: python tests/bench rfid intake
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PATH = os.pathsep.join(str(folder) for folder in (HERE.parent.parent, HERE.parent, HERE))


def main(names: list[str]) -> int:
    """Run those named, or all of them, one after the other, since they would disturb each other; how many failed."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n", flush=True)
    benches = [HERE / f"{name}_bench.py" for name in names] or sorted(HERE.glob("*_bench.py"))
    environment = os.environ | {"PYTHONPATH": PATH}
    return sum(subprocess.run([sys.executable, str(bench)], env=environment).returncode != 0 for bench in benches)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
