"""Ollama's client for Python: whole, streamed, and a round with a tool."""

import json

from jobs import messages, work
from ollama import Client


def client(job):
    return Client(host=job["base_url"].removesuffix("/v1"))


def asked(job, more=()):
    return {"model": job["model"], "messages": [*messages(), *more], "tools": job["tools"]}


def add(answer, response):
    """Adds what a response says; the whole one, or the next of a stream."""
    message = response.message
    answer["content"] += message.content or ""
    answer["reasoning"] = (answer["reasoning"] or "") + message.thinking if message.thinking else answer["reasoning"]
    for call in message.tool_calls or []:
        function = call.function
        # Ollama's client does not keep ids.
        call_id = f"call_{len(answer['calls'])}"
        answer["calls"].append({"id": call_id, "name": function.name, "arguments": json.dumps(function.arguments)})
    if response.done:
        assert response.prompt_eval_count == 1 and response.eval_count == 1, response
        reason = response.done_reason
        answer["finish_reason"] = "tool_calls" if reason == "stop" and answer["calls"] else reason


def empty():
    return {"content": "", "reasoning": None, "calls": [], "finish_reason": None}


def create(job):
    answer = empty()
    add(answer, client(job).chat(**asked(job)))
    return answer


def stream(job):
    answer = empty()
    for response in client(job).chat(**asked(job), stream=True):
        assert answer["finish_reason"] is None, "nothing comes after the last"
        add(answer, response)
    return answer


def round_with_a_tool(job):
    """Answers the calls, and sends the model's message back as it came; the second answer is streamed."""
    response = client(job).chat(**asked(job))
    answer = empty()
    add(answer, response)
    if answer["finish_reason"] == "tool_calls":
        results = [{"role": "tool", "tool_name": call["name"], "content": "4.2"} for call in answer["calls"]]
        second = client(job).chat(**asked(job, [response.message, *results]), stream=True)
        said = "".join(response.message.content or "" for response in second)
        assert said == "Done.", said
    return answer


work({"create": create, "stream": stream, "round": round_with_a_tool})
