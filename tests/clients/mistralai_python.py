"""Mistral's client for Python, which does not put the pieces of a call together."""

from jobs import messages, work

try:
    from mistralai import Mistral
except ImportError:
    from mistralai.client import Mistral


def client(job):
    return Mistral(api_key="none", server_url=job["base_url"].removesuffix("/v1"))


def asked(job):
    return {"model": job["model"], "messages": messages(), "tools": job["tools"]}


def add(answer, message):
    content = message.content
    if isinstance(content, str):
        answer["content"] += content
    elif content:
        for chunk in content:
            if chunk.type == "thinking":
                answer["reasoning"] += "".join(part.text for part in chunk.thinking)
            else:
                answer["content"] += chunk.text
    for call in message.tool_calls or []:
        answer["calls"].append({"id": call.id, "name": call.function.name, "arguments": call.function.arguments})


def create(job):
    answer = {"content": "", "reasoning": "", "calls": []}
    choice = client(job).chat.complete(**asked(job)).choices[0]
    add(answer, choice.message)
    return answer | {"finish_reason": choice.finish_reason}


def stream(job):
    answer = {"content": "", "reasoning": "", "calls": [], "finish_reason": None}
    for event in client(job).chat.stream(**asked(job)):
        for choice in event.data.choices:
            add(answer, choice.delta)
            answer["finish_reason"] = choice.finish_reason or answer["finish_reason"]
    return answer


work({"create": create, "stream": stream})
