#!/usr/bin/env python3
"""Writes the cases of tests/goldens/mistral_common/extra.jsonl, one a line: what the other files leave out.

    extra.py | oracle.py > ../goldens/mistral_common/extra.jsonl
"""
import base64
import io
import wave

from compact import Raw, written

EVERY = ["v1", "v1-tekken", "v2", "v2-tekken", "v3", "v3-tekken", "v7", "v7-tekken", "v11", "v13+think", "v15+think"]
ROWS = ["v1", "v2", "v3", "v7", "v11", "v13", "v15"]
IDS = ["v3", "v7", "v11", "v13", "v15"]
LATE = ["v7", "v11", "v13+think", "v15+think"]

CASES = []


def case(topic, name, labels, request, **fields):
    for label in labels:
        CASES.append(written({"id": f"extra/{topic}/{name}/{label}", "version": label, **fields, "request": request}))


def chat(*messages, **settings):
    return {"messages": list(messages), **settings}


def user(content):
    return {"role": "user", "content": content}


def system(content):
    return {"role": "system", "content": content}


def assistant(content=None, calls=None, **fields):
    message = {"role": "assistant", "content": content, **fields}
    return message if calls is None else {**message, "tool_calls": calls}


def result(content, call_id="abcdef123", **fields):
    return {"role": "tool", "content": content, "tool_call_id": call_id, **fields}


def call(arguments="{}", call_id="abcdef123", name="look"):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(parameters=None, name="look", **fields):
    return {"type": "function", "function": {"name": name, "parameters": {} if parameters is None else parameters, **fields}}


def text(value):
    return {"type": "text", "text": value}


def think(value, **fields):
    return {"type": "thinking", "thinking": value, **fields}


def image():
    url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    return {"type": "image_url", "image_url": {"url": url}}


def sound():
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1), out.setsampwidth(1), out.setframerate(8000)
        out.writeframes(b"\x80" * 40)
    return base64.b64encode(file.getvalue()).decode()


def audio():
    return {"type": "input_audio", "input_audio": sound()}


def audio_url():
    return {"type": "audio_url", "audio_url": "data:audio/wav;base64," + sound()}


def v1():
    old = ["v1", "v1-tekken"]
    case("v1", "tools_given", old, chat(user("a"), tools=[tool()]))
    case("v1", "tools_empty", old, chat(user("a"), tools=[]))
    case("v1", "tools_bad_schema", old, chat(user("a"), tools=[tool({"type": "objekt"})]))
    case("v1", "tools_bad_name", old, chat(user("a"), tools=[tool(name="a b")]))
    case("v1", "calls", old, chat(user("a"), assistant(calls=[call()]), result("r")))
    case("v1", "calls_empty", old, chat(user("a"), assistant("b", calls=[]), user("c")))
    case("v1", "result_first", old, chat(result("r"), user("a")))
    case("v1", "spaces_kept", old, chat(system(" s "), user(" a "), assistant(" b  "), user("\n")))
    case("v1", "system_between", old, chat(user("a"), system("s"), user("b"), assistant("c"), user("d")))
    case("v1", "prefix", old, chat(user("a"), assistant("b ", prefix=True)))
    case("v1", "assistant_first", old, chat(assistant("b"), user("a")))
    case("v1", "blank_assistant", old, chat(user("a"), assistant(" "), user("b")))
    case("v1", "literals", old, chat(user("[INST] </s><s> [/INST]"), assistant("[/INST]"), user("<s>")))
    case("v1", "serving", old, chat(user("a"), model="m"), mode="serving")


def old_tekken():
    both = ["v1-tekken", "v2-tekken"]
    case("tekken", "system", both, chat(system("s"), user("a"), assistant("b "), user("c")))
    case("tekken", "two_systems", both, chat(system("s"), system("t"), user("a")))
    case("tekken", "system_only", both, chat(system("s")))
    case("tekken", "empty_user", both, chat(user("")))
    case("tekken", "merged", both, chat(user("a"), user("b"), assistant("c"), assistant("d "), user("e")))
    case("tekken", "tools", both, chat(user("a"), user("b"), assistant("c"), user("d"), tools=[tool(description="é")]))
    case("tekken", "round", both, chat(user("a"), assistant(calls=[call('{"x": 1}')]), result("22", name="look"), tools=[tool()]))
    case("tekken", "round_then_user", both, chat(user("a"), assistant(calls=[call()]), result("r"), assistant("c"), user("d")))
    case("tekken", "two_results", both, chat(user("a"), assistant(calls=[call(), call(call_id="bcdefg234")]), result("r"), result("q", "bcdefg234")))
    case("tekken", "finetuning", both, chat(user("a"), assistant("b")), mode="finetuning")


def modes():
    agnostic = {"mode": "agnostic"}
    case("agnostic", "last_assistant", ROWS, chat(user("a"), assistant("b")), **agnostic)
    case("agnostic", "last_system", ROWS, chat(user("a"), system("b")), **agnostic)
    case("agnostic", "single_assistant", ["v1", "v15"], chat(assistant("b")), **agnostic)
    case("agnostic", "prefix_last", ROWS, chat(user("a"), assistant("b", prefix=True)), **agnostic)
    case("agnostic", "prefix_not_last", ["v3", "v13"], chat(user("a"), assistant("b", prefix=True), user("c")), **agnostic)
    case("agnostic", "null_last", IDS, chat(user("a"), assistant(calls=[call(call_id="null")])), **agnostic)
    case("agnostic", "no_id_last", IDS, chat(user("a"), assistant(calls=[{"function": {"name": "look", "arguments": {}}}])), **agnostic)
    case("agnostic", "null_not_last", ["v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(call_id="null")]), result("r"), assistant("b")), **agnostic)
    case("agnostic", "two_nulls_last", ["v3", "v7", "v11"], chat(user("a"), assistant(calls=[call(call_id="null"), call(call_id="null")])), **agnostic)
    case("agnostic", "dangling_calls", ["v2", "v3", "v11"], chat(user("a"), assistant(calls=[call()])), **agnostic)
    case("agnostic", "more_results", ["v2", "v3", "v7", "v11"], chat(user("a"), assistant(calls=[call()]), result("r"), result("q", "bcdefg234")), **agnostic)
    case("agnostic", "weights", ["v3", "v13"], chat(user("a"), assistant("b", weight=0), assistant("c", weight=1)), finetuning_messages=True, **agnostic)
    for mode in ("test", "serving", "finetuning"):
        case("null_ids", f"last_{mode}", ["v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(call_id="null")]), model="m"), mode=mode)
    for mode in ("test", "serving", "finetuning", "agnostic"):
        case("modes", f"single_system_{mode}", ["v3", "v7"], chat(system("s"), model="m"), mode=mode)
        case("modes", f"single_user_{mode}", ["v3"], chat(user("a"), model="m"), mode=mode)
        case("modes", f"last_tool_{mode}", ["v3", "v11"], chat(user("a"), assistant(calls=[call()]), result("r"), model="m"), mode=mode)
        case("modes", f"one_result_of_two_{mode}", ["v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(), call(call_id="bcdefg234")]), result("r"), model="m"), mode=mode)
        case("modes", f"calls_then_user_{mode}", ["v3", "v11"], chat(user("a"), assistant(calls=[call()]), user("b"), model="m"), mode=mode)
        case("modes", f"tool_first_{mode}", ["v7", "v11"], chat(result("r"), user("b"), model="m"), mode=mode)
        case("modes", f"no_model_{mode}", ["v1", "v15"], chat(user("a")), mode=mode)


def weights():
    tuning = {"mode": "finetuning", "finetuning_messages": True}
    for name, pair in (("same", (1, 1)), ("differ", (0, 1)), ("none_one", (None, 1)), ("float", (1.0, 1))):
        case("weights", name, ["v1", "v3-tekken", "v7", "v13"], chat(user("a"), assistant("b", weight=pair[0]), assistant("c", weight=pair[1])), **tuning)
    case("weights", "three_groups", ["v2", "v15"], chat(user("a"), assistant("b", weight=0), assistant("c", weight=1), assistant("d", weight=0)), **tuning)
    for weight in (0.5, 2, -1):
        for mode in ("finetuning", "agnostic", "test"):
            chat_of = chat(user("a"), assistant("b", weight=weight), user("c"), assistant("d"))
            case("weights", f"bad_{weight}_{mode}", ["v3"], chat_of if mode != "test" else chat(*chat_of["messages"][:3]), mode=mode, finetuning_messages=True)
    case("weights", "not_a_number", ["v3"], chat(user("a"), assistant("b", weight="much")), **tuning)
    case("weights", "plain_messages", ["v3"], chat(user("a"), assistant("b", weight=1)), mode="finetuning")
    case("weights", "calls_and_text", ["v3", "v7", "v13"], chat(user("a"), assistant("b", weight=0), assistant(calls=[call()], weight=1)), **tuning)


def regular_expressions():
    case("newline", "tool_name", ["v1", "v3", "v15"], chat(user("a"), tools=[tool(name="look\n")]))
    case("newline", "tool_name_two", ["v3"], chat(user("a"), tools=[tool(name="look\n\n")]))
    case("newline", "tool_name_first", ["v3"], chat(user("a"), tools=[tool(name="\nlook")]))
    case("newline", "tool_name_64", ["v3"], chat(user("a"), tools=[tool(name="n" * 64 + "\n")]))
    case("newline", "tool_name_65", ["v3"], chat(user("a"), tools=[tool(name="n" * 65)]))
    case("newline", "carriage_return", ["v3"], chat(user("a"), tools=[tool(name="look\r")]))
    case("newline", "tool_name_empty", ["v3"], chat(user("a"), tools=[tool(name="")]))
    case("newline", "tool_name_digits", ["v3"], chat(user("a"), tools=[tool(name="٣")]))
    case("newline", "call_name", ["v2", "v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(name="look\n")]), result("r")))
    case("newline", "result_name", ["v2", "v3", "v13"], chat(user("a"), assistant(calls=[call()]), result("r", name="look\n")))
    case("newline", "result_name_bad", ["v2", "v7"], chat(user("a"), assistant(calls=[call()]), result("r", name="a b")))
    case("newline", "result_name_empty", ["v2", "v15"], chat(user("a"), assistant(calls=[call()]), result("r", name="")))
    for call_id, name in (("abcdef123\n", "one"), ("abcdef12\n", "in_nine"), ("abcdef123\n\n", "two"), ("äbcdef123", "umlaut")):
        case("newline", f"id_{name}", ["v2", "v3", "v7", "v11", "v13"], chat(user("a"), assistant(calls=[call(call_id=call_id)]), result("r", call_id)))
    case("ids", "empty", ["v2", "v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(call_id="")]), result("r", "")))
    case("ids", "no_result_id", ROWS, chat(user("a"), assistant(calls=[call()]), {"role": "tool", "content": "r"}))
    case("ids", "null_result_id", ["v3", "v13"], chat(user("a"), assistant(calls=[call()]), result("r", "null")))
    case("ids", "long", ["v13", "v15"], chat(user("a"), assistant(calls=[call(call_id="a long id [ARGS] ü")]), result("r", "a long id [ARGS] ü")))


def results():
    two = [call('{"n": 1}'), call('{"n": 2}', "bcdefg234")]
    case("results", "swapped", IDS, chat(user("a"), assistant(calls=two), result("second", "bcdefg234"), result("first")))
    case("results", "swapped_then_text", ["v3", "v11", "v15"], chat(user("a"), assistant(calls=two), result("second", "bcdefg234"), result("first"), assistant("b"), user("c")))
    case("results", "two_rounds", ["v3", "v11", "v13"], chat(user("a"), assistant(calls=two), result("2", "bcdefg234"), result("1"), assistant(calls=[two[1], two[0]]), result("1"), result("2", "bcdefg234")))
    case("results", "duplicate", IDS, chat(user("a"), assistant(calls=two), result("x"), result("y")))
    case("results", "duplicate_calls", IDS, chat(user("a"), assistant(calls=[two[0], two[0]]), result("x"), result("y")))
    case("results", "unknown", IDS, chat(user("a"), assistant(calls=two), result("x"), result("y", "zzzzzzzzz")))
    case("results", "assistant_first", IDS, chat(assistant(calls=two), result("2", "bcdefg234"), result("1")))
    case("results", "tool_first_unknown", IDS, chat(result("x", "zzzzzzzzz"), assistant("b"), user("a")))
    case("results", "text_then_calls", IDS, chat(user("a"), assistant("b"), assistant(calls=two), result("2", "bcdefg234"), result("1")))
    case("results", "calls_twice", IDS, chat(user("a"), assistant(calls=[two[0]]), assistant(calls=[two[1]]), result("1"), result("2", "bcdefg234")))
    case("results", "first_assistant_calls_twice", IDS, chat(assistant(calls=[two[0]]), assistant(calls=[two[1]]), result("2", "bcdefg234")))
    case("results", "more_than_calls", ["v2", "v3", "v7", "v11"], chat(user("a"), assistant(calls=[two[0]]), result("1"), result("2", "bcdefg234")))
    case("results", "user_between", ["v3", "v11"], chat(user("a"), assistant(calls=two), result("1"), user("b"), assistant("c"), user("d")))
    old = chat(user("a"), assistant(calls=[call()]), result("1"), assistant("b "), user("c"), assistant(calls=[call()]), result("2"))
    case("results", "old_round_dropped", ["v2", "v2-tekken", "v3", "v7"], old)
    case("results", "v2_two_in_old_round", ["v2"], chat(user("a"), assistant(calls=two), result("1"), result("2"), assistant("b"), user("c")))
    case("results", "v2_results_without_calls", ["v2"], chat(user("a"), assistant("b"), result("1"), result("2")))
    case("results", "v2_prefix_calls", ["v2", "v3", "v7", "v13"], chat(user("a"), assistant(calls=[call()], prefix=True)))


def chunk_lists():
    case("system", "empty_text_chunk", EVERY, chat(system([text("")]), system("B"), user("a")))
    case("system", "empty_text_chunk_only", EVERY, chat(system([text("")]), user("a")))
    case("system", "empty_list", ROWS, chat(system([]), system("B"), user("a")))
    case("system", "empty_string", ROWS, chat(system(""), system("B"), system(""), user("a")))
    case("system", "two_chunks", ROWS, chat(system([text("A"), text(""), text("B")]), system([text("C")]), user("a")))
    case("system", "null", ["v3", "v13"], chat(system(None), user("a")))
    case("joins", "user", ROWS, chat(user([text("A"), text("B")]), user([text(""), text("C")]), user("D")))
    case("joins", "assistant", ROWS, chat(user("a"), assistant([text("A "), text("B ")]), assistant("C  "), user("b")))
    case("joins", "around_think", ["v13+think", "v15+think"], chat(user("a"), assistant([text("A"), text("B"), think("t"), text(""), text("C"), text("D ")]), assistant("E "), user("b")))
    case("joins", "blank_chunks", ["v3", "v13", "v15"], chat(user([text(" "), text("\n"), text("")])))
    case("joins", "all_empty", ROWS, chat(user([text(""), text("")]), assistant("b"), user([])))
    case("joins", "result", ROWS[1:], chat(user("a"), assistant(calls=[call()]), result([text("22"), text(""), text("x")])))
    case("joins", "result_number", ROWS[1:], chat(user("a"), assistant(calls=[call()]), result([text("22")])))
    case("joins", "result_empty", ROWS[1:], chat(user("a"), assistant(calls=[call()]), result([text("")])))
    case("joins", "result_empty_list", ["v2", "v3", "v7", "v13", "v15"], chat(user("a"), assistant(calls=[call()]), result([])))
    case("joins", "result_media", ["v13+image", "v15+image", "v15"], chat(user("a"), assistant(calls=[call()]), result([text("x"), text("y"), image(), text("z")])))
    case("joins", "result_image_last", ["v15+image"], chat(user("a"), assistant(calls=[call()]), result([text("x"), image()])))
    case("joins", "result_audio", ["v13+audio", "v15+audio"], chat(user("a"), assistant(calls=[call()]), result([audio(), text("x"), audio_url()])))
    case("joins", "result_think", ["v13+think", "v15+think"], chat(user("a"), assistant(calls=[call()]), result([think("x")])))


def thinking_and_media():
    for name, message in (("user", user([think("t"), text("a")])), ("user_image", user([text("a"), image()])), ("user_audio", user([audio(), text("a")])), ("user_audio_url", user([audio_url()]))):
        case("chunks", name, ROWS, chat(message))
    case("chunks", "assistant_think", ROWS, chat(user("a"), assistant([think("t"), text("b ")]), user("c")))
    case("chunks", "assistant_image", ["v3", "v15"], chat(user("a"), assistant([image()]), user("c")))
    case("chunks", "system_think", ROWS, chat(system([think("t"), text("b")]), user("c")))
    case("chunks", "system_think_known", ["v13+think", "v15+think"], chat(system([text("b"), think("t"), text("c")]), user("c")))
    case("chunks", "system_audio", ["v3", "v7", "v7-tekken+audio", "v11+audio", "v13+audio", "v15+audio"], chat(system([audio(), text("b")]), user("c")))
    case("chunks", "system_audio_url", ["v13+audio", "v15+audio"], chat(system([audio_url()]), user("c")))
    case("chunks", "system_image", ["v15+image"], chat(system([image()]), user("c")))
    case("audio", "beside_system", ["v7-tekken+audio", "v11+audio", "v13+audio", "v15+audio"], chat(system("s"), user([audio(), text("a")])))
    case("audio", "url_beside_system", ["v7-tekken+audio", "v11+audio", "v13+audio"], chat(system("s"), user([audio_url(), text("a")])))
    case("audio", "openai_form", ["v7-tekken+audio", "v13+audio"], chat(user([{"type": "input_audio", "input_audio": {"data": sound(), "format": "wav"}}, text("a")])))
    case("audio", "blank", ["v13+audio"], chat(user([{"type": "input_audio", "input_audio": " "}])))
    case("audio", "with_image", ["v13+image+audio"], chat(user([text("a"), audio(), image()])))
    known = ["v3+image", "v3-tekken+image", "v7+image", "v11+image", "v15+image"]
    case("image", "merged_last", known, chat(user("a"), user([image()])))
    case("image", "merged_first", known, chat(user([image()]), user("a")))
    case("image", "merged_chunks", known, chat(user([text("a"), text("b")]), user([text("c"), image()])))
    case("image", "between", ["v3+image", "v15+image"], chat(user([text("a"), image()]), user([text("b"), image()])))
    case("image", "two_last", ["v3+image", "v15+image"], chat(user([text("a"), image(), image()])))
    case("image", "system", ["v3+image", "v3-tekken+image", "v7+image"], chat(system("S"), user([text("a"), image()])))
    case("image", "system_not_last_user", ["v3+image"], chat(system("S"), user([image(), text("a")]), assistant("b"), user("c")))
    case("image", "alone", ["v3+image", "v7+image"], chat(system("S"), user([image()])))
    case("image", "empty_text", ["v3+image", "v15+image"], chat(user([text(""), image(), text("")])))
    case("image", "tools", ["v3+image", "v13+image"], chat(user([text("a"), image()]), tools=[tool()]))
    both = ["v13+think", "v15+think"]
    case("think", "only", both, chat(user("a"), assistant([think("t")]), user("b")))
    case("think", "empty", both, chat(user("a"), assistant([think("")]), user("b")))
    case("think", "unclosed", both, chat(user("a"), assistant([think("t", closed=False), text("x")]), user("b")))
    case("think", "unclosed_prefix", both, chat(user("a"), assistant([think("t", closed=False)], prefix=True)))
    case("think", "merged", both, chat(user("a"), assistant("x "), assistant([think("t")]), assistant("y "), user("b")))
    case("think", "calls", both, chat(user("a"), assistant([think("t")], calls=[call()]), result("r")))
    case("think", "two", both, chat(user("a"), assistant([think("t"), think("u"), text("x ")]), user("b")))
    case("think", "literal", both, chat(user("[THINK]"), assistant([think("[/THINK]"), text("</s>")]), user("b")))


def calls():
    case("calls", "with_text", EVERY[2:], chat(user("a"), assistant("b  ", calls=[call('{"x": [1]}')]), result("r")))
    case("calls", "with_chunks", LATE, chat(user("a"), assistant([text("b "), text("c ")], calls=[call()]), result("r")))
    case("calls", "with_spaces", ["v3", *LATE], chat(user("a"), assistant("  ", calls=[call()]), result("r")))
    case("calls", "with_empty", ["v3", *LATE], chat(user("a"), assistant("", calls=[call()]), result("r")))
    case("calls", "with_empty_chunk", ["v3", *LATE], chat(user("a"), assistant([text("")], calls=[call()]), result("r")))
    case("calls", "none_and_no_text", ROWS, chat(user("a"), assistant(None, calls=[]), user("b")))
    case("calls", "empty_chunk_alone", ROWS, chat(user("a"), assistant([text("")]), user("b")))
    case("calls", "spaces_alone", ROWS, chat(user("a"), assistant("  "), user("b")))
    case("calls", "text_then_calls", ["v2", "v3", "v7", "v13"], chat(user("a"), assistant("b"), assistant(calls=[call()]), result("r")))
    case("calls", "merged_text_and_calls", ["v2", "v3", "v7", "v11"], chat(user("a"), assistant(calls=[call()]), result("r"), assistant("b"), assistant("c"), user("d")))
    for name, value in (("dict", {"a": "é", "b": [1.0, None]}), ("null", None), ("empty", ""), ("list", "[1, 2]"), ("word", "city=Paris"), ("text", '"Paris"'), ("space", " {\"a\" : 1} "), ("blank", " ")):
        case("arguments", name, ["v2", "v3", "v11", "v15"], chat(user("a"), assistant(calls=[call(value)]), result("r")))
    case("arguments", "list_value", ["v3"], chat(user("a"), assistant(calls=[call([1])]), result("r")))
    case("arguments", "number_value", ["v3"], chat(user("a"), assistant(calls=[call(1)]), result("r")))


def json_spelling():
    numbers = '[1e5,1E22,1e16,1e-7,1.5e-5,5e-324,-0,-0.0,1.0,0.1e1,123456789012345678901234567890,1e400,-1E400,1e-400,0.30000000000000004]'
    case("json", "numbers_in_tool", ["v3", "v15"], chat(user("a"), tools=[tool({"type": "object", "default": Raw(numbers)})]))
    case("json", "numbers_in_dict", ["v3", "v13"], chat(user("a"), assistant(calls=[call({"n": Raw(numbers)})]), result("r")))
    case("json", "numbers_in_string", ["v2", "v3", "v13"], chat(user("a"), assistant(calls=[call(numbers)]), result("r")))
    case("json", "numbers_in_result", ["v2", "v3", "v13"], chat(user("a"), assistant(calls=[call()]), result(numbers)))
    case("json", "duplicate_keys_in_tool", ["v3"], chat(user("a"), tools=[tool({"default": Raw('{"a":1,"b":2,"a":3}'), "x": Raw('{"b":1,"b":2}')})]))
    case("json", "duplicate_keys_in_dict", ["v3"], chat(user("a"), assistant(calls=[call(Raw('{"a":1,"b":2,"a":{"z":1,"z":2}}'))]), result("r")))
    case("json", "duplicate_keys_in_string", ["v3", "v13"], chat(user("a"), assistant(calls=[call('{"a":1,"b":2,"a":3}')]), result('{"k":1,"k":2}')))
    spelled = {
        "escapes": r'{"\u0061\/\n": "\u00e9\ud83d\ude00\u2028\u007f\u0000\u001f\b\f"}',
        "not_a_number": '[NaN, Infinity, -Infinity]',
        "lower_nan": "nan",
        "leading_zero": "007",
        "plus": "+1",
        "half": ".5",
        "half_int": "1.",
        "trailing": "{} x",
        "two": "{}{}",
        "comma": "[1,]",
        "single_quotes": "{'a': 1}",
        "raw_newline": '{"a": "b\nc"}',
        "raw_tab": '"\t"',
        "byte_order_mark": "\ufeff{}",
        "no_break_space": "\u00a0{}",
        "white_space": " \t\r\n{ \"a\"\t:\r[ ]\n} \t\r\n",
        "form_feed": "\f{}",
        "true": "true",
        "null": "null",
        "upper_true": "True",
        "minus": "-",
        "minus_infinity_word": "-Infinit",
        "bad_escape": r'"\x41"',
        "short_escape": r'"\u00e"',
        "big_exponent": "1e999999999",
        "deep_100": "[" * 100 + "]" * 100,
        "deep_200": "[" * 200 + "]" * 200,
        "digits_4300": "1" * 4300,
        "digits_4301": "1" * 4301,
    }
    for name, value in spelled.items():
        labels = ["v3", "v13"] if len(value) < 1000 else ["v3"]
        case("json", name, labels, chat(user("a"), assistant(calls=[call(value)]), result(value)))
    case("json", "tool_fields", ["v3", "v13"], chat(user("a"), tools=[{"function": {"parameters": {"z": {}, "a": {"é": "</s>"}}, "strict": True, "name": "look", "description": "<&'/>\u2028\u007f"}, "type": "function"}]))


def schemas():
    """What the package takes for a Draft 7 schema, in the parameters of a tool."""
    values = [
        "{}", '{"type":[]}', '{"type":["object","object"]}', '{"type":["object","null"]}', '{"type":null}', '{"type":"any"}',
        '{"properties":{"a":true,"b":{}}}', '{"properties":{"a":5}}', '{"properties":{"a":{"properties":{"b":[]}}}}', '{"properties":null}',
        '{"required":[]}', '{"required":["a","a"]}', '{"required":[1]}', '{"required":true}', '{"enum":[]}', '{"enum":[1,1]}', '{"enum":"a"}',
        '{"items":[]}', '{"items":[{},true]}', '{"items":[5]}', '{"items":5}', '{"anyOf":[{}]}', '{"allOf":{}}', '{"oneOf":[1]}', '{"not":5}', '{"not":false}',
        '{"minLength":-1}', '{"minLength":1.0}', '{"minLength":1.5}', '{"maxItems":"1"}', '{"multipleOf":0}', '{"multipleOf":0.1}', '{"multipleOf":-1}',
        '{"minimum":1e400}', '{"minimum":true}', '{"exclusiveMinimum":true}', '{"exclusiveMinimum":1}', '{"maximum":null}', '{"minProperties":123456789012345678901234567890}',
        '{"title":5}', '{"description":null}', '{"default":[{}],"examples":[1]}', '{"examples":1}', '{"readOnly":"x"}', '{"format":"no-such-format"}', '{"format":5}',
        '{"$ref":"#/definitions/x"}', '{"$ref":5}', '{"$ref":":: no uri"}', '{"$id":"%%"}', '{"$id":5}', '{"$schema":"http://json-schema.org/draft-04/schema#"}', '{"$schema":"no uri"}', '{"$schema":5}', '{"$comment":5}',
        '{"definitions":{"a":{"type":"objekt"}}}', '{"definitions":[]}', '{"$defs":{"a":{"type":"objekt"}}}', '{"x-any":{"type":"objekt"}}', '{"const":{"type":"objekt"}}', '{"default":{"type":"objekt"}}',
        '{"dependencies":{"a":["b"],"c":{}}}', '{"dependencies":{"a":["b","b"]}}', '{"dependencies":{"a":5}}', '{"if":{},"then":5}', '{"contains":true}', '{"contains":[]}', '{"additionalProperties":{"type":1}}', '{"additionalItems":[]}',
        '{"propertyNames":{"type":5}}', '{"patternProperties":{"a":5}}', '{"uniqueItems":1}', '{"contentEncoding":1}', '{"unevaluatedProperties":5}', '{"dependentRequired":5}', '{"prefixItems":5}',
    ]
    for number, value in enumerate(values):
        case("schema", number, ["v3"], chat(user("a"), tools=[tool(Raw(value))]))
    # A pattern must be a regular expression, and the judge of that is Python's `re`.
    patterns = ["(", "*", "a{2,1}", "[z-a]", r"\p{L}", "(?<=a+)b", "(?<n>a)", "(?P<n>a)(?P=n)", "^a+$", "", "(?i)é", "a++", r"\d{2}\Z"]
    for number, value in enumerate(patterns):
        case("schema_pattern", number, ["v3"], chat(user("a"), tools=[tool({"pattern": value})]))
    for name, value in (("key", '{"patternProperties":{"(":{}}}'), ("good_key", '{"patternProperties":{"^x-":{}}}'), ("number", '{"pattern":5}'), ("names", '{"propertyNames":{"pattern":"("}}')):
        case("schema_pattern", name, ["v3"], chat(user("a"), tools=[tool(Raw(value))]))
    for name, value in (("list", "[]"), ("true", "true"), ("null", "null"), ("text", '"{}"')):
        case("schema", name, ["v3"], chat(user("a"), tools=[tool(Raw(value))]))
    response = {"type": "json_schema", "json_schema": {"name": "n", "schema": Raw('{"pattern":"("}')}}
    case("schema_pattern", "response", ["v3", "v15"], chat(user("a"), response_format=response))


def settings():
    schema = {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "number"}}}
    formats = {
        "text": {"type": "text"},
        "default": {},
        "object": {"type": "json_object"},
        "schema": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
        "schema_strict": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": {"b": 1, "a": "é"}, "strict": True}},
        "schema_empty": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        "schema_missing": {"type": "json_schema"},
        "schema_bad": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": 1}}},
        "text_with_schema": {"type": "text", "json_schema": {"name": "n", "schema": schema}},
        "object_with_schema": {"type": "json_object", "json_schema": {"name": "n", "schema": schema}},
    }
    effort = {"reasoning_effort": {"values": ["none", "high"], "default": "none"}}
    builders = {
        "default": None,
        "schema": {"json_schema": {}},
        "both": {**effort, "json_schema": {"type": "json_schema", "accepts_none": False, "default": None}},
        "neither": {"reasoning_effort": None, "json_schema": None},
        "one_value": {"reasoning_effort": {"values": ["high"], "default": "high"}},
        "every_value": {"reasoning_effort": {"values": ["none", "minimal", "low", "medium", "high", "xhigh", "max"], "default": "medium"}},
    }
    for builder_name in ("schema", "both", "default"):
        for name, value in formats.items():
            fields = {} if builders[builder_name] is None else {"options": {"settings_builder": builders[builder_name]}}
            case("settings", f"{name}_on_{builder_name}", ["v15"], chat(user("a"), response_format=value), **fields)
    for builder_name, builder in builders.items():
        fields = {} if builder is None else {"options": {"settings_builder": builder}}
        for value in (None, "none", "low", "high"):
            case("settings", f"effort_{value}_on_{builder_name}", ["v15"], chat(user("a"), reasoning_effort=value), **fields)
    case("settings", "effort_on_null", ["v15"], chat(user("a"), reasoning_effort="high"), options={"settings_builder": None})
    case("settings", "none_on_null", ["v15"], chat(user("a")), options={"settings_builder": None})
    case("settings", "unknown_effort", ["v13", "v15"], chat(user("a"), reasoning_effort="extreme"))
    case("settings", "effort", ROWS[:-1], chat(user("a"), reasoning_effort="none"))
    case("settings", "format_ignored", ["v3", "v13"], chat(user("a"), response_format=formats["schema"]))
    case("settings", "format_missing_schema", ["v3"], chat(user("a"), response_format=formats["schema_missing"]))
    case("settings", "unknown_format", ["v3"], chat(user("a"), response_format={"type": "yaml"}))
    both = {"options": {"settings_builder": builders["both"]}}
    case("settings", "both_set", ["v15"], chat(user("a"), user("b"), assistant("c"), user("d"), reasoning_effort="high", response_format=formats["schema"], tools=[tool()]), **both)
    case("settings", "system_only", ["v15"], chat(system("s"), reasoning_effort="high", tools=[tool()]))
    case("settings", "system_later", ["v13", "v15"], chat(user("a"), system("s"), user("b"), tools=[tool()]))
    case("settings", "assistant_first", ["v7", "v13", "v15"], chat(assistant("b"), user("a"), tools=[tool()]))
    for choice in ("auto", "none", "any", "required", {"type": "function", "function": {"name": "look"}}):
        name = choice if isinstance(choice, str) else "named"
        case("settings", f"choice_{name}", ["v3"], chat(user("a"), tools=[tool()], tool_choice=choice, parallel_tool_calls=False))


def prefixes():
    case("prefix", "merged", EVERY, chat(user("a"), assistant("b"), assistant("c ", prefix=True)))
    case("prefix", "both", ["v3", "v13"], chat(user("a"), assistant("b", prefix=True), assistant("c", prefix=True)))
    case("prefix", "empty", ["v3", "v7"], chat(user("a"), assistant("", prefix=True)))
    case("prefix", "spaces", ["v1", "v3", "v7"], chat(user("a"), assistant("  ", prefix=True)))
    case("prefix", "finetuning", ["v3", "v11"], chat(user("a"), assistant("b", prefix=True)), mode="finetuning")
    case("prefix", "weights", ["v3", "v13"], chat(user("a"), assistant("b", weight=0), assistant("c", weight=1, prefix=True)), mode="agnostic", finetuning_messages=True)
    case("prefix", "with_calls", LATE, chat(user("a"), assistant("b", calls=[call()], prefix=True)))
    case("prefix", "only_message", ["v3", "v15"], chat(assistant("b", prefix=True)))
    case("prefix", "first_of_two", ["v3", "v13"], chat(assistant("b", prefix=True), assistant("c", prefix=True)))
    case("prefix", "continue", ["v3", "v13"], chat(user("a"), assistant("b"), continue_final_message=True))
    case("prefix", "continue_user", ["v3"], chat(user("a"), continue_final_message=True))
    case("prefix", "continue_false", ["v3"], chat(user("a"), assistant("b"), continue_final_message=False))


def fim():
    labels = ["v1", "v1-tekken", "v2", "v2-tekken", "v3", "v3-tekken", "v7", "v7-tekken", "v11", "v13", "v15"]
    for name, request in (
        ("both", {"prompt": "def f(", "suffix": "return x"}),
        ("no_suffix", {"prompt": "def f("}),
        ("null_suffix", {"prompt": "def f(", "suffix": None}),
        ("empty", {"prompt": "", "suffix": ""}),
    ):
        case("fim", name, labels, request, kind="fim")
    few = ["v2", "v3", "v3-tekken", "v13"]
    case("fim", "spaces", few, {"prompt": "  a ", "suffix": "  b "}, kind="fim")
    case("fim", "smiley", few, {"prompt": "☺☺", "suffix": "☺☺"}, kind="fim")
    case("fim", "combining", few, {"prompt": "\u200dé", "suffix": "\ufe0f\u0301"}, kind="fim")
    case("fim", "newlines", few, {"prompt": "\n\n", "suffix": "\n"}, kind="fim")
    case("fim", "literals", few, {"prompt": "[SUFFIX]<s>", "suffix": "[PREFIX]</s>▁"}, kind="fim")
    case("fim", "no_prompt", ["v3"], {"suffix": "b"}, kind="fim")
    case("fim", "number", ["v3"], {"prompt": 1}, kind="fim")


def order():
    """Two faults in one chat: which of them is reported."""
    bad_tool, bad_schema = tool(name="a b"), tool({"type": "objekt"})
    case("order", "no_model_and_no_messages", ["v3"], chat(), mode="serving")
    case("order", "no_model_and_bad_order", ["v3"], chat(user("a"), result("r")), mode="serving")
    case("order", "bad_last_and_bad_order", ["v3", "v13"], chat(user("a"), result("r"), assistant("b")))
    case("order", "bad_order_and_bad_pairing", ["v3", "v11"], chat(user("a"), assistant(calls=[call()]), assistant("b"), system("s"), user("c")))
    case("order", "bad_pairing_and_bad_chunk", ["v3", "v11"], chat(user([image()]), assistant(calls=[call()]), assistant("b"), user("c")))
    case("order", "bad_pairing_and_bad_id", ["v3", "v11", "v13"], chat(user("a"), assistant(calls=[call(call_id="x")]), assistant("b"), user("c")))
    case("order", "bad_chunk_and_bad_name", ["v2"], chat(user([image()]), assistant(calls=[call(name="a b")]), result("r")))
    case("order", "bad_id_and_bad_name", ["v3", "v11"], chat(user("a"), assistant(calls=[call(call_id="x", name="a b")]), result("r", "x")))
    case("order", "text_and_calls_and_bad_id", ["v3"], chat(user("a"), assistant("b", calls=[call(call_id="x")]), result("r", "x")))
    case("order", "bad_call_and_bad_weight", ["v3"], chat(user("a"), assistant(calls=[call(call_id="x")], weight=3)), mode="finetuning", finetuning_messages=True)
    case("order", "bad_weight_and_prefix", ["v3"], chat(user("a"), assistant("b", prefix=True, weight=3), user("c")), mode="agnostic", finetuning_messages=True)
    case("order", "bad_result_chunk_and_name", ["v3"], chat(user("a"), assistant(calls=[call()]), result([image()], name="a b")))
    case("order", "bad_result_name_and_id", ["v3"], chat(user("a"), assistant(calls=[call()]), result("r", "x", name="a b")))
    case("order", "no_result_id_and_bad_tool", ["v3"], chat(user("a"), assistant(calls=[call()]), {"role": "tool", "content": "r"}, tools=[bad_tool]))
    case("order", "no_result_id_on_v11", ["v11", "v13"], chat(user("a"), assistant(calls=[call()]), {"role": "tool", "content": "r"}, tools=[bad_tool]))
    case("order", "two_bad_messages", ["v3"], chat(user([image(), audio()]), assistant(calls=[call(name="a b")]), result("r")))
    case("order", "bad_message_and_bad_tool", ["v2", "v15"], chat(user("a"), assistant(calls=[call(name="a b")]), result("r"), tools=[bad_tool]))
    case("order", "bad_schema_and_bad_name", ["v3"], chat(user("a"), tools=[tool({"type": "objekt"}, name="a b")]))
    case("order", "bad_name_then_bad_schema", ["v3"], chat(user("a"), tools=[bad_tool, bad_schema]))
    case("order", "bad_tool_and_effort", ["v3", "v15"], chat(user("a"), tools=[bad_tool], reasoning_effort="low"))
    case("order", "effort_and_empty_assistant", ["v7", "v15"], chat(user("a"), assistant(""), user("b"), reasoning_effort="low"))
    case("order", "builder_and_empty_assistant", ["v15"], chat(user("a"), assistant(""), user("b")), options={"settings_builder": None})
    case("order", "audio_and_bad_order", ["v7-tekken+audio"], chat(system("s"), user([audio()]), result("r")))
    case("order", "audio_and_bad_name", ["v7-tekken+audio"], chat(system("s"), user([audio()]), assistant(calls=[call(name="a b")]), user("b")))
    case("order", "no_image_and_empty_assistant", ["v3", "v13"], chat(user("a"), assistant([text("")]), user([image()])))
    case("order", "image_then_empty_assistant", ["v3", "v13"], chat(user([image()]), assistant([text("")]), user("b")))
    case("order", "no_thinking_and_no_image", ["v13"], chat(user([image()]), assistant([think("t")]), user("b")))
    case("order", "v2_results_and_empty_assistant", ["v2"], chat(user("a"), assistant([text("")]), user("a"), assistant(calls=[call(), call()]), result("1"), result("2")))
    late = assistant(calls=[call(call_id="x")])
    case("order", "bad_last_id_and_bad_order", ["v2", "v3", "v13"], chat(user("a"), result("r"), late), mode="finetuning")
    case("order", "bad_last_name_and_bad_order", ["v2", "v3", "v11"], chat(user("a"), result("r"), assistant(calls=[call(name="a b")])), mode="finetuning")
    case("order", "v1_text_then_calls", ["v1"], chat(user("a"), assistant("b"), assistant(calls=[call()]), result("r")))
    case("order", "bad_field_and_no_messages", ["v3"], chat(user(None), result("r")))


def openai():
    kind = {"kind": "openai"}
    case("openai", "developer", ["v3", "v7"], chat({"role": "developer", "content": "s"}, user("a")), **kind)
    case("openai", "reasoning", ["v3", "v11", "v13+think"], chat(user("a"), assistant("b ", reasoning="t"), user("c")), **kind)
    case("openai", "reasoning_chunks", ["v13+think", "v15+think"], chat(user("a"), assistant([text("b"), text("c")], reasoning_content="t"), user("c")), **kind)
    case("openai", "reasoning_calls", ["v13+think"], chat(user("a"), assistant(None, calls=[call()], reasoning_content=""), result("r")), **kind)
    case("openai", "reasoning_equal", ["v13+think"], chat(user("a"), assistant("b", reasoning="t", reasoning_content="t"), user("c")), **kind)
    case("openai", "reasoning_differ", ["v13+think"], chat(user("a"), assistant("b", reasoning="t", reasoning_content="u"), user("c")), **kind)
    case("openai", "reasoning_twice", ["v13+think"], chat(user("a"), assistant([think("t")], reasoning="t"), user("c")), **kind)
    case("openai", "unknown_fields", ["v3", "v13"], chat({**user("a"), "name": "x"}, assistant(None, calls=[{**call(), "index": 0}], refusal=None, annotations=[]), {**result("r"), "z": 1}, stream=True, n=1, tools=[{**tool(strict=None), "x": 1}]), **kind)
    case("openai", "no_parameters", ["v3"], chat(user("a"), tools=[{"type": "function", "function": {"name": "look", "description": None}}]), **kind)
    case("openai", "no_type", ["v3"], chat(user("a"), tools=[{"function": {"name": "look"}}]), **kind)
    case("openai", "no_tool_call_id", ["v2", "v3"], chat(user("a"), assistant(None, calls=[call()]), {"role": "tool", "content": "r"}), **kind)
    case("openai", "no_content", ["v3"], chat({"role": "user"}), **kind)
    case("openai", "no_assistant_content", ["v3"], chat(user("a"), {"role": "assistant", "tool_calls": [call()]}, result("r")), **kind)
    case("openai", "null_tool_calls", ["v3"], chat(user("a"), {"role": "assistant", "content": "b", "tool_calls": None}, user("c")), **kind)
    case("openai", "calls_not_list", ["v3"], chat(user("a"), assistant(None, calls={}), result("r")), **kind)
    case("openai", "unknown_role", ["v3"], chat({"role": "function", "content": "a"}), **kind)
    case("openai", "unknown_chunk", ["v3"], chat(user([{"type": "video", "video": "x"}])), **kind)
    case("openai", "chunk_without_type", ["v3"], chat(user([{"text": "x"}])), **kind)
    case("openai", "number_content", ["v3"], chat(user(1)), **kind)
    case("openai", "prefix_ignored", ["v3"], chat(user("a"), assistant("b", prefix=True)), **kind)
    case("openai", "continue", ["v3", "v13"], chat(user("a"), assistant("b "), continue_final_message=True), **kind)
    case("openai", "continue_user", ["v3"], chat(user("a"), continue_final_message=True), **kind)
    case("openai", "parallel_null", ["v3"], chat(user("a"), parallel_tool_calls=None, seed=1), **kind)
    for name, faults in (
        ("chunk_then_key", [assistant([image()]), {"role": "tool"}]),
        ("key_then_chunk", [{"role": "user"}, assistant([image()])]),
        ("chunk_then_reasoning", [assistant([image()]), assistant("b", reasoning="t", reasoning_content="u")]),
    ):
        case("openai", name, ["v3"], chat(user("a"), *faults), **kind)
    yaml = {"response_format": {"type": "yaml"}}
    case("openai", "continue_and_format", ["v3"], chat(user("a"), continue_final_message=True, **yaml), **kind)
    case("openai", "continue_and_tool", ["v3"], chat(user("a"), continue_final_message=True, tools=[{"type": "x"}]), **kind)
    case("openai", "continue_and_chunk", ["v3"], chat(user([think("t")]), continue_final_message=True), **kind)
    case("openai", "tool_and_format", ["v3"], chat(user("a"), tools=[{"function": {"name": 1}}], **yaml), **kind)
    case("openai", "two_seeds", ["v3"], chat(user("a"), seed=1, random_seed=2), **kind)
    case("openai", "image_detail", ["v3+image", "v15+image"], chat(user([{"type": "image_url", "image_url": {**image()["image_url"], "detail": "low"}}, text("a")])), **kind)
    case("openai", "format", ["v15"], chat(user("a"), response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}, "x": 1}}), options={"settings_builder": {"json_schema": {}}}, **kind)
    case("openai", "weights", ["v3"], chat(user("a"), assistant("b", weight=1)), mode="finetuning", finetuning_messages=True, **kind)


def main():
    for topic in (v1, old_tekken, modes, weights, regular_expressions, results, chunk_lists, thinking_and_media, calls,
                  json_spelling, schemas, settings, prefixes, fim, order, openai):
        topic()
    print("\n".join(CASES))


if __name__ == "__main__":
    main()
