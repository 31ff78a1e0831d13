#!/usr/bin/env python3
"""format_dataset under Apache Spark, which loses an executor on the way and no row.

    pip install pyspark==4.3.0           # needs Java 17
    cargo build --release --manifest-path examples/format_dataset/Cargo.toml
    python tests/engines/spark.py

Two workers of one core each format a data set through `pipe`. One executor is killed once some tasks are done. Then the
parts, in order, are compared with what a single process writes. Exits with 1 if a byte differs or nothing was killed.
"""
import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pyspark import SparkConf, SparkContext

import conversations

BINARY = Path(__file__).parents[2] / "examples" / "format_dataset" / "target" / "release" / "format_dataset"


def children(parent):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found += [int(entry.name), *children(int(entry.name))]
        except OSError:
            pass  # It has ended meanwhile.
    return found


def executors(driver):
    """The executors that this driver's Java process has started."""
    def is_executor(pid):
        try:
            return b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    return [pid for pid in children(driver) if is_executor(pid)]


def kill_one(context, after, killed):
    """Kills an executor once `after` tasks are done and others run."""
    tracker = context.statusTracker()
    while not killed:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info and info.numCompletedTasks >= after and info.numActiveTasks > 0:
                victim = executors(os.getpid())[0]
                os.kill(victim, signal.SIGKILL)
                killed.append((victim, info.numCompletedTasks, info.numTasks))
                return
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--bytes", type=float, default=1e8)
    parser.add_argument("--partitions", type=int, default=16)
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = SparkConf().setMaster("local-cluster[2,1,1024]").setAppName("format_dataset")
    conf = conf.set("spark.ui.enabled", "false").set("spark.driver.host", "127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        source, single, parts = folder / "conversations.jsonl", folder / "single.jsonl", folder / "parts"
        rows = conversations.write(source, options.bytes)
        subprocess.run([options.binary, source, "--quiet", "--output", single], check=True)
        context = SparkContext(conf=conf.set("spark.local.dir", str(folder / "local")))
        killed = []
        killer = threading.Thread(target=kill_one, args=(context, 2, killed), daemon=True)
        killer.start()
        command = f"{shlex.quote(str(options.binary))} --threads 1 --quiet --on-error stop"
        lines = context.textFile(source.as_uri(), options.partitions)
        lines.pipe(command, checkCode=True).saveAsTextFile(parts.as_uri())
        context.stop()
        joined = b"".join(part.read_bytes() for part in sorted(parts.glob("part-*")))
        is_same = joined == single.read_bytes()
        for victim, done, tasks in killed:
            print(f"killed executor {victim} after {done} of {tasks} tasks")
        print(f"{rows:,} rows in, {joined.count(10):,} rows out, the same as a single process writes: {is_same}")
        sys.exit(not (is_same and killed))


main()
