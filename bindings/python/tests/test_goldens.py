"""The crate's goldens of mistral-common 1.13.1, through Python: strings, segments, and the classes of refusals."""

import copy
import json

import pytest
from conftest import GOLDENS, lines

import mistral_chat_template as mct

FILES = sorted(path.name for path in (GOLDENS / "mistral_common").glob("*.jsonl") if path.stem != "instruct")


#: Refused by mistral-common for a field that does not shape the prompt; such fields are ignored here.
REFUSED_FOR_OTHER_FIELDS = {
    "extra/openai/two_seeds/v3",
    "extra/openai/weights/v3",
    "extra/weights/plain_messages/v3",
    "invalid/extra_message_field/v3",
    "invalid/temperature_out_of_range/v3",
    "invalid/truncate_without_len/v7-tekken",
    "invalid/weight_not_finetuning_msg/v3",
}

#: Refusals whose class is another one here, all of requests in OpenAI's form.
OTHER_FAMILY = {
    "extra/openai/calls_not_list/v3",
    "extra/openai/number_content/v3",
    "extra/openai/chunk_then_key/v3",
    "extra/openai/chunk_then_reasoning/v3",
    "extra/openai/continue_and_format/v3",
    "extra/openai/continue_and_tool/v3",
    "extra/openai/continue_and_chunk/v3",
}


def printed(case):
    if "string" in case:
        return case["string"]
    media = {"image": "[IMG]", "audio": "[AUDIO]"}
    return "".join(s.get("control") or s.get("text") or media.get(s.get("media"), "") for s in case["segments"])


def segments(case):
    return [(kind, text) for segment in case["segments"] for kind, text in segment.items()]


def render(case, request, **options):
    given = case.get("options", {})
    settings = {"settings": json.dumps(given["settings_builder"])} if "settings_builder" in given else {}
    name = case["version"].replace("+plainthink", "")
    layout = mct.Layout(name, mode=case.get("mode", "test"))
    if settings and layout.has_settings:
        layout = mct.Layout(name, mode=case.get("mode", "test"), **settings)
    if case.get("kind") == "fim":
        return layout.render_fim(request["prompt"], request.get("suffix") or "")
    return layout.render(request, dialect="openai" if case.get("kind") == "openai" else "mistral", **options)


def request_of(case):
    request = copy.deepcopy(case["request"])
    if not case.get("finetuning_messages") and isinstance(request, dict):
        for message in request.get("messages") or []:
            if isinstance(message, dict) and message.get("role") == "assistant":
                message.pop("weight", None)
    return request


def is_readable(case):
    """Truncating and what is wrong with a gap's request have functions of their own."""
    request = case["request"]
    if case.get("kind") == "fim":
        return "refused" not in case
    return not (isinstance(request, dict) and request.get("truncate_for_context_length"))


@pytest.mark.parametrize("name", FILES)
def test_goldens(name):
    count = 0
    for case in lines(f"mistral_common/{name}"):
        if not is_readable(case):
            continue
        count += 1
        try:
            prompt = render(case, request_of(case))
        except mct.ChatError as error:
            family = case.get("refused", {}).get("family")
            assert family == error.family or (family and case["id"] in OTHER_FAMILY), (case["id"], error, error.family)
            assert error.kind and isinstance(error.at, str)
            assert error.pointer == "" or error.pointer.startswith("/")
            continue
        if "refused" in case:
            assert case["id"] in REFUSED_FOR_OTHER_FIELDS, case["id"]
            continue
        assert prompt.text == printed(case), case["id"]
        assert [tuple(segment) for segment in prompt.segments] == segments(case), case["id"]
        assert "".join(prompt.text[span.start : span.stop] for span in prompt.spans) == prompt.text, case["id"]
    assert count or name == "truncate.jsonl"


def test_json_text_is_read_as_dicts_are():
    for case in lines("mistral_common/tools.jsonl")[:200]:
        outcomes = []
        for request in (request_of(case), json.dumps(request_of(case)), json.dumps(request_of(case)).encode()):
            try:
                outcomes.append(render(case, request).text)
            except mct.ChatError as error:
                outcomes.append((error.kind, error.at))
        assert outcomes[0] == outcomes[1] == outcomes[2], case["id"]


def test_errors():
    """What the crate says of chats that are wrong, word for word where no line and column of a text is named."""
    count = 0
    for case in lines("errors.jsonl"):
        if set(case) != {"kind", "error", "version", "request"} or isinstance(case["request"], list):
            continue
        count += 1
        with pytest.raises(mct.ChatError) as caught:
            mct.Layout(case["version"]).render(json.dumps(case["request"]), dialect="mistral")
        assert caught.value.kind == case["kind"], case
        assert str(caught.value).split(" at line ")[0] == case["error"].split(" at line ")[0]
    assert count > 20
