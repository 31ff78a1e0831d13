"""Conversations of ids, completions, repairs, and prompts of logs."""

import pytest
from conftest import GOLDENS, lines

import mistral_chat_template as mct

TOOLS = [{"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]
LAYOUT = mct.Layout("v13")


def ids(vocabulary, *pieces):
    """Ids of control tokens, and of text between them."""
    found = []
    for piece in pieces:
        control = vocabulary.control_id(piece)
        found += [control] if control is not None else vocabulary.encode(piece, word_start=False).tolist()
    return found


def test_a_conversation_goes_on_with_what_was_sampled(vocabulary):
    conversation = mct.Conversation(LAYOUT, [{"role": "user", "content": "Time?"}], vocabulary, TOOLS)
    start = conversation.ids.tolist()
    assert start == LAYOUT.render([{"role": "user", "content": "Time?"}], TOOLS).encode(vocabulary).input_ids.tolist()

    call = ids(vocabulary, "[TOOL_CALLS]", "now", "[ARGS]", '{"a": 1}', "</s>")
    completion = mct.Completion(call, LAYOUT, vocabulary, call_ids=7)
    message = completion.message()
    assert message["tool_calls"][0]["function"] == {"name": "now", "arguments": '{"a": 1}'}
    assert completion.finish_reason == "tool_calls"
    conversation.reply(completion, call)
    call_id = message["tool_calls"][0]["id"]
    first, last = conversation.append([{"role": "tool", "tool_call_id": call_id, "content": "noon"}])
    assert vocabulary.decode(conversation.ids[first:last]) == "[TOOL_RESULTS]noon[/TOOL_RESULTS]"

    said = ids(vocabulary, "It is noon.", "</s>")
    conversation.reply({"role": "assistant", "content": "It is noon."}, said)
    conversation.append([{"role": "user", "content": "Thanks."}])
    assert conversation.ids.tolist()[: len(start) + len(call)] == start + call
    assert conversation.sampled.sum() == len(call) + len(said)
    input_ids, labels = conversation.labelled()
    assert input_ids.tolist() == conversation.ids.tolist()
    assert (labels != -100).tolist() == conversation.sampled.tolist()
    assert conversation.drift() == []
    assert len(conversation.chat) == 5


def test_a_clients_whole_chat_keeps_what_was_sampled(vocabulary):
    asked = [{"role": "user", "content": "Hi"}]
    conversation = mct.Conversation(LAYOUT, asked, vocabulary)
    start = conversation.ids.tolist()
    sampled = ids(vocabulary, "Hel", "lo", "</s>")
    conversation.reply({"role": "assistant", "content": "Hello"}, sampled)
    longer = [*asked, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"}]
    update = conversation.update(longer)
    assert conversation.ids.tolist()[: update["kept"]] == start + sampled
    assert update["new_ids"] == (len(start + sampled), len(conversation))
    assert update["encoded"] == len(conversation) - len(start + sampled)
    assert update["why"] is None
    changed = [{"role": "user", "content": "Ho"}, *longer[1:]]
    assert conversation.update(changed)["why"] == "a message changes"


def test_drift_is_found(vocabulary):
    conversation = mct.Conversation(LAYOUT, [{"role": "user", "content": "?"}], vocabulary)
    conversation.reply({"role": "assistant", "content": "a"}, ids(vocabulary, "b", "</s>"))
    conversation.append([{"role": "user", "content": "!"}])
    drift = conversation.drift()
    assert drift[0]["message"] == 1
    assert drift[0]["ids"] != drift[0]["rendered"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_stream_adds_up(vocabulary, whole):
    output = ids(vocabulary, "[TOOL_CALLS]", "now", "[ARGS]", '{"at": "é"}', "</s>")
    reader = mct.CompletionReader(LAYOUT, calls="whole" if whole else "streamed", call_ids=1)
    deltas = [delta for id in output for delta in reader.push_ids(id, vocabulary)] + reader.finish()
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert "".join(call["function"].get("arguments", "") for call in calls) == '{"at": "é"}'
    assert calls[0]["function"]["name"] == "now" and calls[0]["id"]
    assert reader.completion is reader.completion
    assert reader.completion.message()["tool_calls"][0]["function"]["arguments"] == '{"at": "é"}'
    with pytest.raises(RuntimeError):
        reader.push("more")


def test_text_is_read_too():
    reader = mct.CompletionReader(mct.Layout("v13+think"), stop_strings=["STOP"])
    deltas = [d for char in "[THINK]Hm.[/THINK]Yes STOP no" for d in reader.push(char)] + reader.finish()
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."
    assert "".join(delta.get("content", "") for delta in deltas) == "Yes "
    completion = reader.completion
    assert completion.finish_reason == "stop"
    assert completion.message("mistral")["content"][0]["type"] == "thinking"
    assert completion.response(id="x", model="m")["choices"][0]["finish_reason"] == "stop"


def test_goldens_of_completions(vocabulary):
    """What mistral-common 1.13.1 reads in outputs: the names of its refusals, text and calls."""
    count = 0
    for name in ("outputs", "random"):
        for case in lines(f"completion/{name}.jsonl"):
            layout = mct.Layout(case["version"])
            if layout.tokenizer_kind != "tekken":
                continue
            count += 1
            output = []
            for piece in case["output"]:
                if "control" in piece:
                    output.append(vocabulary.control_id(piece["control"]))
                else:
                    output += vocabulary.encode(piece["text"], word_start=False).tolist()
            completion = mct.Completion(output, layout, vocabulary, call_ids=None)
            if "refused" in case:
                assert completion.error is not None, case["id"]
                assert isinstance(completion.error, mct.ChatError) and completion.error.family == case["refused"], case["id"]
                continue
            assert completion.error is None, (case["id"], completion.error)
            expected, message = case["message"], completion.message()
            names = [call["function"]["name"] for call in expected["tool_calls"] or []]
            assert [call["function"]["name"] for call in message.get("tool_calls") or []] == names, case["id"]
            if isinstance(expected["content"], str):
                assert (message["content"] or "") == expected["content"], case["id"]
    assert count > 100


def test_goldens_of_lenient_reading():
    count = 0
    for case in lines("completion/reports.jsonl"):
        if case.get("tools"):
            continue
        count += 1
        completion = mct.Completion(case["completion"], mct.Layout(case["version"]), lenient=True, call_ids=None)
        assert len(completion.liberties) == len(case["lenient"].get("liberties", [])), case["id"]
        assert completion.rest == case["lenient"]["rest"], case["id"]
    assert count > 10


def test_repair():
    call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    chat = [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "noon"}]  # fmt: skip
    layout = mct.Layout("v3-tekken")
    with pytest.raises(mct.ChatError):
        layout.render(chat)
    repaired, repairs = mct.repair(chat, layout)
    assert [repair["kind"] for repair in repairs] == ["call_id", "call_id"]
    assert "noon" in layout.render(repaired).text
    assert mct.repair(repaired, layout)[1] == []
    with pytest.raises(ValueError, match="stray_results cannot be"):
        mct.repair(chat, layout, stray_results="x")


def test_goldens_of_repair():
    count = 0
    for case in lines("repair.jsonl"):
        layout = mct.Layout(case["version"], mode=case.get("mode", "test"))
        policy = case.get("policy", {})
        if "prompt" not in case:
            continue
        repaired, repairs = mct.repair(case["request"], layout, dialect="legacy", **policy)
        assert layout.render(repaired).text == case["prompt"], case["name"]
        count += 1
    assert count > 20


def test_fit(vocabulary):
    chat = [message for index in range(20) for message in
        ({"role": "user", "content": f"q{index}"}, {"role": "assistant", "content": f"a{index}"})]  # fmt: skip
    chat.append({"role": "user", "content": "?"})
    layout = mct.Layout("v7-tekken")
    fitted, dropped, count = mct.fit(chat, layout, 40, vocabulary)
    assert count <= 40 and len(fitted) + len(dropped) == len(chat)
    assert len(layout.render(fitted).encode(vocabulary)) == count
    with pytest.raises(mct.BudgetError):
        mct.fit(chat, layout, 2, vocabulary)


def test_explanations():
    prompt = "<s><s>[INST] Größe[/INST] Ja</s>[INST] Und?[/INST]"
    explanation = mct.Explanation(prompt, mct.Layout("v3"))
    deviation = explanation.deviations[0]
    assert prompt[deviation["start"] : deviation["stop"]] == "<s>" and deviation["mend"] == ""
    assert explanation.mended == prompt[3:]
    assert [message["role"] for message in explanation.chat.messages] == ["user", "assistant", "user"]
    assert any(found.layout == "v3" for found in mct.Explanation.nearest(prompt))


def test_prefix_breaks():
    chat = [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"}]  # fmt: skip
    assert mct.Layout("v7-tekken").prefix_break(chat, 2) is None
    found = mct.Layout("v3-tekken").prefix_break(chat, 2)
    assert "system prompt moves" in found["cause"]


def test_grammars(vocabulary):
    layout = mct.Layout("v13")
    chat = [{"role": "user", "content": "?"}]
    assert layout.grammar(chat, vocabulary) is None
    assert layout.grammar(chat, vocabulary, TOOLS, tool_choice="required").startswith("start:")
    for form in ("exact_lark", "structural_tag"):
        assert "now" in layout.grammar(chat, vocabulary, TOOLS, format=form, tool_choice="required")


def test_which_layout(tmp_path):
    source = (GOLDENS.parent / "templates").rglob("*.jinja")
    found = next(iter(sorted(source)), None)
    if found is None:
        pytest.skip("there is no template")
    path = tmp_path / "chat_template.jinja"
    path.write_bytes(found.read_bytes())
    assert mct.which_layout(path) == mct.ChatTemplate.from_files(path).nearest_layout()
