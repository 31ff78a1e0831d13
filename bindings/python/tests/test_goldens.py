"""The crate's goldens of mistral-common 1.13.1, through Python: strings, segments, and the classes of refusals."""

import copy
import json
from pathlib import Path

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


def json_text(request):
    """JSON has no infinite numbers; readers take what is too large for one."""
    try:
        return json.dumps(request, allow_nan=False)
    except ValueError:
        return json.dumps(request).replace("Infinity", "1e999")


@pytest.mark.parametrize("name", FILES)
def test_json_text_is_read_as_dicts_are(name):
    """A dict is read without JSON text where it can be, and the same comes of both: the prompt, or the error."""
    count = 0
    for case in lines(f"mistral_common/{name}"):
        request = request_of(case)
        if case.get("kind") == "fim" or not isinstance(request, dict):
            continue
        count += 1
        layout = mct.Layout(case["version"].replace("+plainthink", ""), mode=case.get("mode", "test"))
        dialect = "openai" if case.get("kind") == "openai" else "mistral"
        for options in ({}, {"dialect": dialect}):
            outcomes = []
            for given in (request, json_text(request), json_text(request).encode()):
                try:
                    prompt = layout.render(given, **options)
                    outcomes.append((prompt.text, [tuple(segment) for segment in prompt.segments]))
                except mct.ChatError as error:
                    # A dict has no lines and columns.
                    outcomes.append((error.kind, error.at, str(error).split(" at line ")[0]))
            assert outcomes[0] == outcomes[1] == outcomes[2], (case["id"], options)
    assert count or name == "fim.jsonl"


SMALL = GOLDENS.parents[1] / "examples" / "server" / "vocabulary" / "tekken.json"


def encodable(case, vocabulary):
    """The prompt of a golden without media, for layouts of the vocabulary's kind that it has all control tokens of."""
    if not is_readable(case) or "refused" in case or any("media" in segment for segment in case["segments"]):
        return None
    prompt = render(case, request_of(case))
    controls = [text for kind, text in prompt.segments if kind == "control"]
    is_ours = mct.Layout(case["version"].replace("+plainthink", "")).tokenizer_kind == vocabulary.kind
    return prompt if is_ours and all(vocabulary.control_id(text) is not None for text in controls) else None


@pytest.mark.parametrize("name", FILES)
def test_ids_of_goldens(name):
    """The ids are those of the golden's segments, a control token or a text at a time, and decode to its string."""
    vocabulary = mct.Vocabulary(SMALL)
    for case in lines(f"mistral_common/{name}"):
        prompt = encodable(case, vocabulary)
        if prompt is None:
            continue
        encoded = prompt.encode(vocabulary)
        expected = []
        for kind, text in segments(case):
            expected += [vocabulary.control_id(text)] if kind == "control" else vocabulary.encode(text).tolist()
        assert encoded.input_ids.tolist() == expected, case["id"]
        assert vocabulary.decode(encoded.input_ids) == printed(case), case["id"]
        learnt = [part.encode() for part in (prompt.text[start:stop] for start, stop in prompt.mask)]
        assert vocabulary.decode(encoded.input_ids[encoded.loss_mask]).encode() == b"".join(learnt), case["id"]
        assert (encoded.labels[encoded.loss_mask] == encoded.input_ids[encoded.loss_mask]).all(), case["id"]
        assert (encoded.labels[~encoded.loss_mask] == -100).all(), case["id"]


@pytest.mark.oracle
def test_ids_of_goldens_are_those_of_mistral_common():
    """mistral-common is asked for the ids of each text and control token, through the vocabularies that it brings."""
    mistral_common = pytest.importorskip("mistral_common")
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    data = Path(mistral_common.__file__).parent / "data"
    files = [SMALL, *sorted(data.glob("tekken*.json")), *sorted(data.glob("*.model*"))]
    counts = {}
    for path in files:
        vocabulary = mct.Vocabulary(path)
        theirs = MistralTokenizer.from_file(str(path)).instruct_tokenizer.tokenizer
        # The layout that the file is of; the others have other control tokens, or spaces elsewhere.
        version = mct.Layout.from_files(path).name
        for name in FILES:
            for case in lines(f"mistral_common/{name}"):
                # A text behind a suffix is encoded without the space that SentencePiece sets.
                is_asked = case["version"] == version and case.get("kind") != "fim"
                prompt = encodable(case, vocabulary) if is_asked else None
                if prompt is None:
                    continue
                expected = []
                for kind, text in segments(case):
                    if kind == "control":
                        expected.append(theirs.get_special_token(text))
                    else:
                        expected += theirs.encode(text, bos=False, eos=False)
                assert prompt.encode(vocabulary).input_ids.tolist() == expected, (path.name, case["id"])
                counts[path.name] = counts.get(path.name, 0) + 1
    assert sum(counts.values()) > 1000, counts


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
