"""The stubs are those of the module that was built."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_stubs_are_those_of_the_module():
    pytest.importorskip("mypy")
    allowed = Path(__file__).with_name("stubs_allowed.txt")
    command = [sys.executable, "-m", "mypy.stubtest", "mistral_chat_template", "--allowlist", allowed]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
