"""OpenAI's agents: runs the calls, sends their results, and gets a text.

It runs a call that was cut off, whatever `finish_reason` says; such calls reach it only where calls are streamed.
"""

import asyncio

from agents import Agent, FunctionTool, ModelBehaviorError, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from jobs import work
from openai import AsyncOpenAI

set_tracing_disabled(True)


def agent(job, ran):
    model = OpenAIChatCompletionsModel(
        model=job["model"], openai_client=AsyncOpenAI(base_url=job["base_url"], api_key="none", max_retries=0)
    )

    def tool(function):
        async def invoke(context, arguments):
            ran.append({"id": context.tool_call_id, "name": function["name"], "arguments": arguments})
            return "4 m"

        return FunctionTool(
            name=function["name"],
            description=function["description"],
            params_json_schema=function["parameters"],
            on_invoke_tool=invoke,
            strict_json_schema=False,
        )

    tools = [tool(entry["function"]) for entry in job["tools"]]
    return Agent(name="harbour", instructions="Be brief.", model=model, tools=tools)


def checked(job, ran, output):
    _, scenario, way, _ = job["model"].split("/")
    if scenario == "cut_off_call" and way == "whole" and ran:
        raise ValueError(f"half a call was run: {ran}")
    if scenario != "cut_off_call" and ran and output != "Done.":
        raise ValueError(f"the agent ended with {output!r}")
    order = {entry["function"]["name"]: place for place, entry in enumerate(job["tools"])}
    ran.sort(key=lambda call: order[call["name"]])
    return {"calls": ran, "content": output}


def outcome(job, run):
    ran = []
    try:
        return checked(job, ran, asyncio.run(run(ran)))
    except ModelBehaviorError as error:
        # An answer of nothing but half a call, which was not told: the agent says that it was cut off.
        if "/cut_off_call/whole/" in job["model"] and "finish_reason='length'" in str(error):
            return checked(job, ran, None)
        raise


def create(job):
    async def run(ran):
        return (await Runner.run(agent(job, ran), "How high is the water?", max_turns=3)).final_output

    return outcome(job, run)


def stream(job):
    async def run(ran):
        result = Runner.run_streamed(agent(job, ran), "How high is the water?", max_turns=3)
        async for _ in result.stream_events():
            pass
        return result.final_output

    return outcome(job, run)


work({"create": create, "stream": stream})
