"""Google's client for Python with Gemini's API: whole, streamed, and a round with a tool in each."""

import functools
import json

from google import genai
from google.genai import types
from jobs import work

REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
QUESTION = types.Content(role="user", parts=[types.Part(text="How high is the water?")])


@functools.cache
def client(base_url):
    """A client, which closes its connections when nobody holds it."""
    options = types.HttpOptions(base_url=base_url.removesuffix("/v1"))
    return genai.Client(api_key="none", http_options=options)


def asked(job, more=()):
    declarations = [
        types.FunctionDeclaration(
            name=tool["function"]["name"],
            description=tool["function"]["description"],
            parameters_json_schema=tool["function"]["parameters"],
        )
        for tool in job["tools"]
    ]
    config = types.GenerateContentConfig(
        system_instruction="Be brief.", tools=[types.Tool(function_declarations=declarations)], temperature=0.2
    )
    return {"model": job["model"], "contents": [QUESTION, *more], "config": config}


def of_parts(parts, last):
    answer = {"content": "", "reasoning": None, "calls": []}
    for part in parts:
        if part.function_call:
            call = part.function_call
            answer["calls"].append({"id": call.id, "name": call.name, "arguments": json.dumps(call.args)})
        elif part.thought:
            answer["reasoning"] = (answer["reasoning"] or "") + part.text
        else:
            answer["content"] += part.text or ""
    reason = REASONS[last.candidates[0].finish_reason.value]
    assert last.usage_metadata.total_token_count == 2, last
    answer["finish_reason"] = "tool_calls" if reason == "stop" and answer["calls"] else reason
    return answer


def whole(job, more=()):
    response = client(job["base_url"]).models.generate_content(**asked(job, more))
    return response.candidates[0].content.parts or [], response


def streamed(job, more=()):
    parts, last = [], None
    for last in client(job["base_url"]).models.generate_content_stream(**asked(job, more)):
        parts.extend(last.candidates[0].content.parts or [])
    return parts, last


def round_with_a_tool(ask):
    """Answers the calls, and sends the model's parts back as they came."""

    def answer(job):
        parts, last = ask(job)
        answer = of_parts(parts, last)
        if answer["finish_reason"] == "tool_calls":
            results = [
                types.Part(function_response=types.FunctionResponse(id=call["id"], name=call["name"], response={"high": 4.2}))
                for call in answer["calls"]
            ]
            more = [types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]
            second = of_parts(*ask(job, more))
            assert second["content"] == "Done.", second
        return answer

    return answer


work(
    {
        "create": lambda job: of_parts(*whole(job)),
        "stream": lambda job: of_parts(*streamed(job)),
        "round": round_with_a_tool(whole),
        "round_stream": round_with_a_tool(streamed),
    }
)
