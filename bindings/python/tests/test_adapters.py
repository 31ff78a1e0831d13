"""Stand-ins with the method names of other libraries."""

import pytest
from conftest import lines

import mistral_chat_template as mct
from mistral_chat_template.adapters import ChatTemplateTokenizer, Renderer

NAMES = ["v1", "v2", "v3", "v3-tekken", "v7", "v7-tekken", "v11", "v13", "v13+think", "v15+think", "magnum"]
TURNS = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
    {"role": "assistant", "content": "d"},
    {"role": "user", "content": "e"},
    {"role": "assistant", "content": "f"},
]
TOOLS = [{"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "now", "arguments": "{}"}}
WITH_TOOLS = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "abcdefghi", "name": "now", "content": "noon"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
    {"role": "assistant", "content": "d"},
]


def controls(vocabulary):
    names = [literal for literal in map(vocabulary.decode, ([id] for id in range(28)))]
    return {literal: id for id, literal in enumerate(names) if literal}


def renderer(name, vocabulary):
    """The layout with a tokenizer of its kind."""
    layout = mct.Layout(name)
    if layout.tokenizer_kind == "tekken":
        return Renderer(layout, vocabulary)
    encode = lambda text, prefix: [28 + byte for byte in ((" " if prefix else "") + text).encode()]
    return Renderer(layout, mct.CallableTokenizer(encode, controls(vocabulary), kind="sentencepiece"))


@pytest.mark.parametrize("name", NAMES)
def test_prefix_stability_is_what_the_prompts_say(name, vocabulary):
    """A layout is stable exactly where no ending of a chat changes when the chat goes on."""
    it = renderer(name, vocabulary)
    breaks = 0
    for chat, tools in [(TURNS, None), (TURNS, TOOLS), (WITH_TOOLS, TOOLS)]:
        if tools and name in ("v1",):
            continue
        ends = [index + 1 for index, message in enumerate(chat) if message["role"] == "assistant"]
        for end in ends:
            for longer in ends:
                if longer <= end:
                    continue
                try:
                    one, other = it.render_ids(chat[:end], tools=tools), it.render_ids(chat[:longer], tools=tools)
                except mct.ChatError:
                    continue
                breaks += other[: len(one)] != one
    assert it.is_prefix_stable == (breaks == 0)


def test_rendered_tokens(vocabulary):
    it = Renderer(mct.Layout("v7-tekken"), vocabulary)
    rendered = it.render(TURNS)
    assert rendered.token_ids == it.render_ids(TURNS)
    lengths = {len(getattr(rendered, n)) for n in ("token_ids", "message_indices", "sampled_mask", "is_content")}
    assert lengths == {len(rendered.token_ids)}
    pick = lambda mask: vocabulary.decode([id for id, is_so in zip(rendered.token_ids, mask) if is_so])
    assert pick(rendered.sampled_mask) == "b</s>d</s>f</s>"
    assert pick(rendered.is_content) == "Sab</s>cd</s>ef</s>"
    assert rendered.message_roles == [message["role"] for message in TURNS]
    assert it.render(WITH_TOOLS, tools=TOOLS).message_tool_names == [None, None, "now", None, None, None]


def test_bridges(vocabulary):
    it = Renderer(mct.Layout("v13"), vocabulary)
    assert it.is_prefix_stable
    prompt = it.render_ids(TURNS[:2], add_generation_prompt=True)
    completion = [*vocabulary.encode("b", word_start=False).tolist(), *it.get_stop_token_ids()]
    bridged = it.bridge_to_next_turn(prompt, completion, [TURNS[3]])
    assert bridged.token_ids == it.render_ids([*TURNS[:3], TURNS[3]])
    assert bridged.message_indices[: len(prompt) + len(completion)] == [-1] * (len(prompt) + len(completion))
    assert not any(bridged.sampled_mask)
    content = [id for id, is_so in zip(bridged.token_ids, bridged.is_content) if is_so]
    assert vocabulary.decode(content) == "c"
    # Not complete, not the user's, nothing new, and a layout that moves its system prompt.
    assert it.bridge_to_next_turn(prompt, completion[:-1], [TURNS[3]]) is None
    assert it.bridge_to_next_turn(prompt, completion, [TURNS[4]]) is None
    assert it.bridge_to_next_turn(prompt, completion, []) is None
    assert Renderer(mct.Layout("v3-tekken"), vocabulary).bridge_to_next_turn(prompt, completion, [TURNS[3]]) is None


def test_bridges_over_calls(vocabulary):
    it = Renderer(mct.Layout("v13"), vocabulary)
    prompt = it.render_ids(WITH_TOOLS[:1], tools=TOOLS)
    whole = it.render_ids(WITH_TOOLS[:2], tools=TOOLS)
    completion = whole[len(prompt) :]
    bridged = it.bridge_to_next_turn(prompt, completion, [WITH_TOOLS[2]], tools=TOOLS)
    assert bridged.token_ids == it.render_ids(WITH_TOOLS[:3], tools=TOOLS)
    assert it.bridge_to_next_turn(prompt, completion, [WITH_TOOLS[4]], tools=TOOLS) is None, "a call without a result"


def test_responses_are_parsed(vocabulary):
    it = Renderer(mct.Layout("v13+think"), vocabulary)
    ids = []
    for piece in ("[THINK]", "Hm.", "[/THINK]", "Yes.", "[TOOL_CALLS]", "now", "[ARGS]", '{"a": 1}', "</s>"):
        control = vocabulary.control_id(piece)
        ids += [control] if control is not None else vocabulary.encode(piece, word_start=False).tolist()
    parsed = it.parse_response(ids, tools=TOOLS)
    assert (parsed.content, parsed.reasoning_content, parsed.reasoning_complete) == ("Yes.", "Hm.", True)
    assert [(call.name, call.arguments, call.status) for call in parsed.tool_calls] == [("now", {"a": 1}, "ok")]
    assert it.parse_response(ids[:2]).reasoning_complete is False
    broken = it.parse_response([*ids[:-3], *it.get_stop_token_ids()])
    assert [call.status for call in broken.tool_calls if call.status != "ok"] == ["invalid_json"]


def test_apply_chat_template(vocabulary):
    layout = mct.Layout("v7-tekken")
    tokenizer = ChatTemplateTokenizer(layout, vocabulary)
    chat = TURNS[:2]
    assert tokenizer.apply_chat_template(chat, tokenize=False) == layout.render(chat).text
    given = tokenizer.apply_chat_template(TURNS, return_assistant_tokens_mask=True)
    row = layout.render(TURNS, mode="finetuning").encode(vocabulary)
    assert given["input_ids"] == row.input_ids.tolist()
    assert given["assistant_masks"] == row.loss_mask.astype(int).tolist()
    assert given["attention_mask"] == [1] * len(row)
    assert tokenizer.apply_chat_template([chat, TURNS], return_dict=False)[1] == row.input_ids.tolist()
    assert tokenizer.apply_chat_template(chat, return_tensors="np")["input_ids"].dtype == "int32"
    with pytest.raises(TypeError, match="padding is not done here"):
        tokenizer.apply_chat_template(chat, padding=True)
    with pytest.raises(AttributeError):
        tokenizer.pad_token_id
    assert ChatTemplateTokenizer(layout, vocabulary, base=chat).count(chat[0]) == 1


def test_goldens_of_templates_through_apply_chat_template():
    """transformers' own renderings of templates that are given chats as they were sent."""
    count = 0
    for case in lines("template/sent.jsonl"):
        if "string" not in case:
            continue
        count += 1
        tokenizer = ChatTemplateTokenizer(mct.ChatTemplate(case["template"]))
        request = case["request"]
        given = {**case.get("given", {}), "tokenize": False}
        if request.get("continue_final_message"):
            given["continue_final_message"] = request["continue_final_message"]
        text = tokenizer.apply_chat_template(request["messages"], request.get("tools"), **given)
        assert text == case["string"], case["id"]
    assert count > 50
