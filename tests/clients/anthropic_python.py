"""Anthropic's client for Python: whole, its events, its own accumulator, and a round with a tool."""

import json

from anthropic import Anthropic
from jobs import work

REASONS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


def client(job):
    return Anthropic(base_url=job["base_url"].removesuffix("/v1"), api_key="none", max_retries=0)


def asked(job, more=()):
    tools = [
        {"name": tool["function"]["name"], "description": tool["function"]["description"], "input_schema": tool["function"]["parameters"]}
        for tool in job["tools"]
    ]
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    messages = [{"role": "user", "content": "How high is the water?"}, *more]
    return {"model": job["model"], "max_tokens": 100, "system": system, "messages": messages, "tools": tools}


def of_message(message):
    answer = {"content": "", "reasoning": None, "calls": [], "finish_reason": REASONS[message.stop_reason]}
    for block in message.content:
        if block.type == "text":
            answer["content"] += block.text
        elif block.type == "thinking":
            answer["reasoning"] = block.thinking
        else:
            answer["calls"].append({"id": block.id, "name": block.name, "arguments": json.dumps(block.input)})
    return answer


def create(job):
    return of_message(client(job).messages.create(**asked(job)))


def create_stream(job):
    """Puts the answer together from the events alone."""
    blocks, reason = [], None
    for event in client(job).messages.create(**asked(job), stream=True):
        if event.type == "content_block_start":
            blocks.append({"block": event.content_block, "text": ""})
        elif event.type == "content_block_delta":
            delta = event.delta
            more = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}[delta.type]
            blocks[event.index]["text"] += getattr(delta, more)
        elif event.type == "message_delta":
            reason = event.delta.stop_reason
    answer = {"content": "", "reasoning": None, "calls": [], "finish_reason": REASONS[reason]}
    for entry in blocks:
        block, text = entry["block"], entry["text"]
        if block.type == "text":
            answer["content"] += text
        elif block.type == "thinking":
            answer["reasoning"] = text
        else:
            answer["calls"].append({"id": block.id, "name": block.name, "arguments": text})
    return answer


def stream(job):
    with client(job).messages.stream(**asked(job)) as stream:
        return of_message(stream.get_final_message())


def round_with_a_tool(job):
    """Answers the calls, and sends the model's blocks back as they came."""
    message = client(job).messages.create(**asked(job))
    answer = of_message(message)
    if answer["finish_reason"] == "tool_calls":
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "4.2"}]}
            for call in answer["calls"]
        ]
        more = [
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]},
            {"role": "user", "content": results},
        ]
        second = client(job).messages.create(**asked(job, more))
        assert second.content[0].text == "Done.", second
    return answer


work({"create": create, "create_stream": create_stream, "stream": stream, "round": round_with_a_tool})
