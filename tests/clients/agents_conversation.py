"""An agent of openai-agents that talks with `examples/server`: it calls its tool, gets the result, and goes on.

    cargo build --release --manifest-path examples/server/Cargo.toml
    python tests/clients/agents_conversation.py                   # 4 agents of 20 turns, whole and streamed by turns

The model is a tiny one of random weights: `tool_choice` makes it call, the tool's strict schema says with what, and the
agent's round ends with a text. The exit code is 1 where a run failed, or the prompt of a
request does not go on with the ids of the one before.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path

from agents import Agent, FunctionTool, ModelSettings, OpenAIChatCompletionsModel, RunConfig, Runner, set_tracing_disabled
from conversations import LAYOUTS, ROOT, TOOL, parted, table
from openai import AsyncOpenAI

set_tracing_disabled(True)


class Client(AsyncOpenAI):
    """The client, which keeps a line of each answer's usage."""

    def __init__(self, lines, layout, number, **options):
        super().__init__(**options)
        self.lines, self.about, self.turn = lines, {"layout": layout, "conversation": number}, 0
        create = self.chat.completions.create

        async def kept(**asked):
            answer = await create(**asked)
            if not asked.get("stream"):
                self.keep(answer.usage)
                return answer
            return self.watch(answer)

        self.chat.completions.create = kept

    async def watch(self, chunks):
        async for chunk in chunks:
            if chunk.usage:
                self.keep(chunk.usage)
            yield chunk

    def keep(self, usage):
        usage = json.loads(usage.model_dump_json())
        details = usage["prompt_tokens_details"]
        self.lines.append({
            **self.about, "turn": self.turn, "prompt": usage["prompt_tokens"], "answer": usage["completion_tokens"],
            "cached": details["cached_tokens"], "encoded": details["encoded_tokens"], "prepared_ms": details["prepared_ms"],
        })


def agent(client, layout, number, ran):
    function = TOOL["function"]

    async def invoke(context, arguments):
        asked = json.loads(arguments)
        if asked["port"] not in ("Brest", "Calais") or not 1 <= asked["days"] <= 9:
            raise ValueError(f"arguments {arguments}")
        ran.append(context.tool_call_id)
        return '{"high": "06:12"}'

    tool = FunctionTool(
        name=function["name"], description=function["description"], params_json_schema=function["parameters"],
        on_invoke_tool=invoke, strict_json_schema=True,
    )
    model = OpenAIChatCompletionsModel(model=layout, openai_client=client)
    # The agent asks for the call once in each run, and then leaves the choice to the model.
    # One call at a time: of several, the last may be cut off, and the agent would run it.
    settings = ModelSettings(tool_choice="required", parallel_tool_calls=False, max_tokens=64, include_usage=True, extra_args={"seed": number})
    return Agent(name="tides", instructions="You know the tides.", model=model, tools=[tool], model_settings=settings)


async def converse(layout, number, options, lines, failed):
    ran, items = [], []
    client = Client(lines, layout, number, base_url=options.base_url, api_key="none", max_retries=0)
    tides = agent(client, layout, number, ran)
    try:
        for turn in range(1, options.turns + 1):
            client.turn = turn
            items.append({"role": "user", "content": f"Question {turn}: how high is the water in Brest, and when?"})
            if turn % 2:
                result = await Runner.run(tides, items, max_turns=8, run_config=RunConfig())
            else:
                result = Runner.run_streamed(tides, items, max_turns=8, run_config=RunConfig())
                async for _ in result.stream_events():
                    pass
            # Where the model may think, it may also speak before it calls, and not come to an end of that.
            has_called = len(ran) >= turn or layout == "v13"
            if not isinstance(result.final_output, str) or not has_called:
                raise ValueError(f"turn {turn}: {result.final_output!r} after {len(ran)} calls")
            items = result.to_input_list()
    except Exception as error:  # whatever the agent raises is the finding
        failed.append(f"agent {number}, {layout}: {type(error).__name__}: {error}")
    return len(ran)


async def main(options):
    lines, failed = [], []
    agents = [
        converse(LAYOUTS[number % len(LAYOUTS)], number, options, lines, failed) for number in range(options.conversations)
    ]
    calls = sum(await asyncio.gather(*agents))
    print(f"{'layout':10} {'turn':>4} {'prompt':>7} {'cached':>7} {'encoded':>7} {'ms':>7}")
    table(lines)
    apart = list(parted(lines))
    for before, now in apart[:5]:
        print("parted:", before, now)
    print(*failed, sep="\n", end="\n" if failed else "")
    print(f"{len(lines)} requests of openai-agents, {calls} calls run, {len(failed)} failed, {len(apart)} parted")
    return bool(failed or apart)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", help="of a running server, up to /v1; without it, one is started")
    parser.add_argument("--binary", type=Path, default=ROOT / "examples/server/target/release/server")
    parser.add_argument("--conversations", type=int, default=4)
    parser.add_argument("--turns", type=int, default=20)
    chosen, server = parser.parse_args(), None
    if not chosen.base_url:
        server = subprocess.Popen([chosen.binary, "--port", "0"], stdout=subprocess.PIPE, text=True)
        chosen.base_url = server.stdout.readline().strip() + "/v1"
    try:
        status = asyncio.run(main(chosen))
    finally:
        if server:
            server.terminate()
    sys.exit(status)
