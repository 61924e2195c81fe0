"""What this machine can do: python -m course.grading.sandbox. Exit status 0 if it can confine, 1 if not."""

import shutil
import sys
from importlib.util import find_spec

from . import Lost, Sandbox, SandboxMissing, cgroup


def main():
    print(f"bubblewrap        {shutil.which('bwrap') or 'not found: apt-get install bubblewrap'}")
    print(f"pyseccomp         {'found' if find_spec('pyseccomp') else 'not found: pip install pyseccomp'}")
    print(f"control groups    {cgroup.in_words()}")
    try:
        with Sandbox() as sandbox, sandbox.session() as session:
            ran = session.run("import os\nos.getpid()")
            told = ran.outputs[0]["data"]["text/plain"] if ran.outputs and not ran.error else ran.error
    except (SandboxMissing, Lost) as error:
        print(f"trial session     failed: {error}")
        return 1
    print(f"user namespaces   {'a process of its own world, number ' + told}\ntrial session     ran, confined")
    return 0


if __name__ == "__main__":
    sys.exit(main())
