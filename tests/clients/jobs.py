"""Jobs in, answers out: what every client in Python does around its own calls."""

import json
import sys
import traceback


def work(modes):
    """Answers each job of standard input with the function of its mode."""
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = modes[job["mode"]](job)
        except Exception as error:  # whatever a client raises is the finding
            answer = {"error": f"{type(error).__name__}: {error} {traceback.format_exc()[-600:]}"}
        print(json.dumps(answer), flush=True)


def messages():
    return [{"role": "user", "content": "How high is the water?"}]
