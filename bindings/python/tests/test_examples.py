"""The examples, and the README's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import byte_vocabulary_text

PACKAGE = Path(__file__).parents[1]


def run(name, *arguments):
    script = PACKAGE / "examples" / name
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def tekken(tmp_path):
    path = tmp_path / "tekken.json"
    path.write_text(byte_vocabulary_text())
    return str(path)


def test_training(tekken):
    output = run("training.py", tekken)
    assert "learnt: Hello!</s>" in output and "row 1:" in output and "packed: 1 sequence" in output


def test_server_loop(tekken):
    output = run("server_loop.py", tekken)
    assert "Hello! stop" in output and "to be read: [INST]Who are you?[/INST]" in output and "drift: []" in output


def test_evaluate_log():
    assert "3 messages, 0 deviations" in run("evaluate_log.py")


def test_readme():
    for source in re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(source, "README.md", "exec"), {})
