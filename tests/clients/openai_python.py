"""OpenAI's client for Python: whole, streamed, and through its own accumulator."""

from jobs import messages, work
from openai import OpenAI


def client(job):
    return OpenAI(base_url=job["base_url"], api_key="none", max_retries=0)


def asked(job):
    return {"model": job["model"], "messages": messages(), "tools": job["tools"]}


def of_message(message, finish_reason):
    calls = [
        {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for call in message.tool_calls or []
    ]
    reasoning = getattr(message, "reasoning_content", None)
    return {"content": message.content, "reasoning": reasoning, "calls": calls, "finish_reason": finish_reason}


def create(job):
    choice = client(job).chat.completions.create(**asked(job)).choices[0]
    return of_message(choice.message, choice.finish_reason)


def create_stream(job):
    """Puts the deltas together as OpenAI's guide does: the first of a call has its id and name."""
    answer = {"content": "", "reasoning": "", "calls": [], "finish_reason": None}
    for chunk in client(job).chat.completions.create(**asked(job), stream=True):
        for choice in chunk.choices:
            answer["content"] += choice.delta.content or ""
            answer["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
            answer["finish_reason"] = choice.finish_reason or answer["finish_reason"]
            for call in choice.delta.tool_calls or []:
                if call.index == len(answer["calls"]):
                    assert call.type == "function"
                    answer["calls"].append({"id": call.id, "name": call.function.name, "arguments": ""})
                answer["calls"][call.index]["arguments"] += call.function.arguments
    return answer


def stream(job):
    events = []
    with client(job).chat.completions.stream(**asked(job), stream_options={"include_usage": True}) as stream:
        try:
            events = [event.type for event in stream]
            completion = stream.get_final_completion()
        except Exception as error:
            if type(error).__name__ == "LengthFinishReasonError":
                return {"finish_reason": "length", "content": error.completion.choices[0].message.content}
            raise
    choice = completion.choices[0]
    answer = of_message(choice.message, choice.finish_reason)
    if choice.finish_reason == "tool_calls":
        assert "tool_calls.function.arguments.done" in events, events
    return answer


work({"create": create, "create_stream": create_stream, "stream": stream})
