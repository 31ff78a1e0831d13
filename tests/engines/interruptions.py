#!/usr/bin/env python3
"""format_dataset interrupted at many points of a run, and resumed.

    pip install -r tests/engines/requirements.txt
    cargo build --release --manifest-path examples/format_dataset/Cargo.toml
    unshare --map-root-user --mount python tests/engines/interruptions.py

Each run is interrupted by SIGINT, by SIGTERM, by SIGKILL (kill -9), or by a file system that is full (a tmpfs, which is
what `unshare` or root is for), once its output holds one of several shares of what a whole run writes. Then the same
command runs with `--resume`. The output and the rejects have to be, byte for byte, what a run without interruption
writes. The input is JSON Lines, JSON Lines compressed by gzip and by zstd, and Parquet. Exits with 1 if a byte differs, a
run loses a row, or some cause interrupted no run at all.
"""
import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

BINARY = Path(__file__).parents[2] / "examples" / "format_dataset" / "target" / "release" / "format_dataset"
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}
FULL = "full disk"
INTERRUPTED = 130


def rows(count):
    """Conversations, of which every fiftieth is a reject: two questions in a row and no reply."""
    for number in range(count):
        question = {"role": "user", "content": f"Question {number}: " + "wie weit ist der Hafen? " * (number % 7)}
        answer = {"role": "assistant", "content": f"Answer {number}. " * (1 + number % 5)}
        yield {"id": number, "messages": [question, answer if number % 50 else question]}


def write_inputs(folder, count):
    """The rows as JSON Lines, plain and compressed, and as Parquet in several row groups."""
    lines = "".join(json.dumps(row) + "\n" for row in rows(count)).encode()
    inputs = {"JSON Lines": "in.jsonl", "gzip": "in.jsonl.gz", "zstd": "in.jsonl.zst", "Parquet": "in.parquet"}
    inputs = {kind: folder / name for kind, name in inputs.items()}
    inputs["JSON Lines"].write_bytes(lines)
    inputs["gzip"].write_bytes(gzip.compress(lines, 1))
    inputs["zstd"].write_bytes(zstandard.compress(lines, 1))
    pq.write_table(pa.Table.from_pylist(list(rows(count))), inputs["Parquet"], row_group_size=count // 8)
    return inputs


class Run:
    """One command, whose files lie in a folder of its own."""

    def __init__(self, binary, given, folder):
        self.output, self.rejects = folder / "out.jsonl", folder / "rejects.jsonl"
        self.part = folder / "out.jsonl.part"
        self.command = [binary, given, "--output", self.output, "--on-error", self.rejects, "--quiet", "--keep"]
        self.command += ["--threads", "2"]

    def start(self, *more):
        return subprocess.Popen([*self.command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self, *more):
        process = self.start(*more)
        told = process.communicate()[1]
        if process.returncode:
            raise SystemExit(f"{self.command} {more}: exit code {process.returncode}: {told}")

    def written(self):
        return self.output.read_bytes(), self.rejects.read_bytes()


def interrupt_by_signal(run, number, threshold):
    """Sends the signal once the run has written so many bytes; False where the run was faster."""
    process = run.start()
    while process.poll() is None:
        if run.part.exists() and run.part.stat().st_size >= threshold:
            process.send_signal(number)
            break
        time.sleep(0.0002)
    told = process.communicate()[1]
    if process.returncode == 0:
        return False
    expected = -signal.SIGKILL if number == signal.SIGKILL else INTERRUPTED
    if process.returncode != expected or (expected == INTERRUPTED and "--resume" not in told):
        raise SystemExit(f"{signal.Signals(number).name}: exit code {process.returncode}, and not {expected}: {told}")
    return True


def interrupt_by_full_disk(run, ballast, threshold, size):
    """Runs with so many bytes free, and makes room when that has failed."""
    ballast.write_bytes(bytes(max(0, size - threshold)))
    process = run.start()
    told = process.communicate()[1]
    ballast.unlink()
    if process.returncode == 0:
        return False
    if process.returncode != 1 or "space" not in told:
        raise SystemExit(f"{FULL}: exit code {process.returncode}: {told}")
    return True


def mount(folder, size):
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("a full disk needs a file system of its own: run this as root or under unshare (see --help)")


def interrupt(options, folder, given, whole, cause, point, name):
    """One cell of the matrix: was the run interrupted, and is the resumed one the same?"""
    place = folder / name
    # A run needs its rows, its rejects and a journal; blocks are whole pages.
    size = 2 * sum(map(len, whole)) + (1 << 20)
    threshold = max(1, int(len(whole[0]) * point))
    if cause == FULL:
        mount(place, size)
    else:
        place.mkdir()
    try:
        run = Run(options.binary, given, place)
        if cause == FULL:
            was_interrupted = interrupt_by_full_disk(run, place / "ballast", threshold, size)
        else:
            was_interrupted = interrupt_by_signal(run, SIGNALS[cause], threshold)
        if was_interrupted:
            run.finish("--resume")
        return was_interrupted, run.written() == whole and not run.part.exists()
    finally:
        if cause == FULL:
            subprocess.run(["umount", place], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--points", type=int, default=8, help="points of a run, from its first byte on")
    options = parser.parse_args()
    is_right = True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        inputs = write_inputs(folder, options.rows)
        print(f"{'input':12} {'cause':10} {'points':>6} {'interrupted':>11} {'equal':>5}")
        for kind, given in inputs.items():
            reference = folder / f"whole {kind}"
            reference.mkdir()
            run = Run(options.binary, given, reference)
            run.finish()
            whole = run.written()
            told = sum(part.count(b"\n") for part in whole)
            if told != options.rows:
                raise SystemExit(f"{kind}: {options.rows} rows in, {told} rows and rejects out")
            for cause in (*SIGNALS, FULL):
                counts = Counter()
                for index in range(options.points):
                    point = index / options.points
                    interrupted, equal = interrupt(options, folder, given, whole, cause, point, f"{kind} {cause} {index}")
                    counts.update(interrupted=interrupted, equal=equal)
                is_right &= counts["equal"] == options.points and counts["interrupted"] > 0
                print(f"{kind:12} {cause:10} {options.points:6} {counts['interrupted']:11} {counts['equal']:5}", flush=True)
    sys.exit(not is_right)


if __name__ == "__main__":
    main()
