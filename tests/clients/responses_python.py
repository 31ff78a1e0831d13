"""OpenAI's client for Python with the Responses API: whole, its events, its own accumulator, and a round with a tool."""

import json

from jobs import work
from openai import OpenAI

QUESTION = {"role": "user", "content": [{"type": "input_text", "text": "How high is the water?"}]}


def client(job):
    return OpenAI(base_url=job["base_url"], api_key="none", max_retries=0)


def asked(job, items=()):
    tools = [{"type": "function", "strict": False, **tool["function"]} for tool in job["tools"]]
    return {"model": job["model"], "instructions": "Be brief.", "input": [QUESTION, *items], "tools": tools}


def of_response(response):
    answer = {"content": response.output_text, "reasoning": None, "calls": []}
    for item in response.output:
        if item.type == "reasoning":
            answer["reasoning"] = "".join(part.text for part in item.content)
        elif item.type == "function_call":
            answer["calls"].append({"id": item.call_id, "name": item.name, "arguments": item.arguments})
    answer["finish_reason"] = finish_reason(response, answer)
    return answer


def finish_reason(response, answer):
    if response.status == "incomplete":
        assert response.incomplete_details.reason == "max_output_tokens"
        return "length"
    return "tool_calls" if answer["calls"] else "stop"


def create(job):
    return of_response(client(job).responses.create(**asked(job)))


def create_stream(job):
    """Puts the answer together from the deltas alone."""
    items, last = [], None
    for event in client(job).responses.create(**asked(job), stream=True):
        if event.type == "response.output_item.added":
            items.append({"item": event.item, "text": ""})
        elif event.type.endswith(".delta"):
            items[event.output_index]["text"] += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            last = event.response
    answer = {"content": "", "reasoning": None, "calls": []}
    for entry in items:
        item, text = entry["item"], entry["text"]
        if item.type == "message":
            answer["content"] += text
        elif item.type == "reasoning":
            answer["reasoning"] = text
        else:
            answer["calls"].append({"id": item.call_id, "name": item.name, "arguments": text})
    answer["finish_reason"] = finish_reason(last, answer)
    return answer


def stream(job):
    with client(job).responses.stream(**asked(job)) as stream:
        last = None
        for event in stream:
            if event.type in ("response.completed", "response.incomplete"):
                last = event.response
    return of_response(last)


def round_with_a_tool(job):
    """Answers the calls, and sends the model's items back as they came."""
    response = client(job).responses.create(**asked(job))
    answer = of_response(response)
    if answer["finish_reason"] == "tool_calls":
        results = [
            {"type": "function_call_output", "call_id": call["id"], "output": json.dumps({"high": 4.2})}
            for call in answer["calls"]
        ]
        items = [item.model_dump(exclude_none=True) for item in response.output] + results
        second = client(job).responses.create(**asked(job, items))
        assert second.output_text == "Done.", second.output_text
    return answer


work({"create": create, "create_stream": create_stream, "stream": stream, "round": round_with_a_tool})
