"""The engines that render chat templates, each behind `render(template, request)`, which gives a string or raises `Refused`.

    transformers   5.24.0     pip install transformers==5.24.0 jinja2==3.1.6
    jinja2         3.1.6      as llama-cpp-python and others run it: the sandbox, with its own `tojson` and no extension
    hf-jinja       0.5.11     npm install @huggingface/jinja@0.5.11, its folder in HF_JINJA
    llama.cpp      b11549     pip install xllamacpp==2026.10.11549 gguf==0.19.0: the server, over a model of no sense
    minijinja      3.1.0      pip install minijinja==3.1.0, with `pycompat` off

Every engine is given `bos_token`, `eos_token`, `raise_exception`, the messages, the tools and what else the request names:
`variables` are given as `apply_chat_template` is given keywords.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

VARIABLES = ("reasoning_effort", "response_format")
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


class Refused(Exception):
    """The engine, or the template, refused."""


class OwnFault(Refused):
    """The program around the engine refused before a template was asked."""


def raise_exception(message):
    raise Refused(message)


def variables(request):
    return {"messages": request["messages"], "tools": request.get("tools"), **TOKENS} | {
        key: request[key] for key in VARIABLES if key in request
    } | request.get("variables", {})


class Transformers:
    def render(self, template, request):
        from transformers.utils.chat_template_utils import render_jinja_template

        given = variables(request)
        try:
            rendered, _ = render_jinja_template(
                conversations=[given.pop("messages")],
                tools=given.pop("tools"),
                chat_template=template,
                continue_final_message=bool(request.get("continue_final_message")),
                **given,
            )
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {error}") from None
        return rendered[0]


class Jinja2:
    def __init__(self):
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self.environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self.environment.globals["raise_exception"] = raise_exception
        self.known = {}

    def render(self, template, request):
        try:
            if template not in self.known:
                self.known[template] = self.environment.from_string(template)
            return self.known[template].render(**variables(request))
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {error}") from None


class MiniJinja:
    def __init__(self):
        import minijinja

        self.environment = minijinja.Environment(pycompat=False)
        self.environment.add_function("raise_exception", raise_exception)
        self.known = set()

    def render(self, template, request):
        try:
            if template not in self.known:
                self.environment.add_template(str(hash(template)), template)
                self.known.add(template)
            return self.environment.render_template(str(hash(template)), **variables(request))
        except Exception as error:
            raise Refused(str(error)) from None


class HfJinja:
    def __init__(self):
        program = Path(__file__).parent / "hf_jinja.mjs"
        self.node = subprocess.Popen(
            ["node", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=os.environ
        )

    def render(self, template, request):
        self.node.stdin.write(json.dumps({"template": template, "given": variables(request)}) + "\n")
        self.node.stdin.flush()
        answer = json.loads(self.node.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["string"]


class LlamaCpp:
    """A server for each template. It leaves out the first `<s>`, which its tokenizer adds: it is put back."""

    def __init__(self):
        self.model = Path(tempfile.mkdtemp()) / "tiny.gguf"
        tiny_model(self.model)
        self.template, self.server = None, None

    def start(self, template):
        if template == self.template:
            return
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self.model)
        parameters.port, parameters.n_ctx, parameters.n_parallel = 0, 256, 1
        parameters.use_jinja, parameters.warmup, parameters.verbosity = True, False, -1
        parameters.chat_template = template
        self.server = None
        self.template = template
        try:
            self.server = xllamacpp.Server(parameters)
        except Exception as error:
            raise Refused(f"the server does not start: {error}") from None

    def ask(self, path, body=None):
        if self.server is None:
            raise Refused("the server does not start")
        body = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.server.listening_address + path, body, {"Content-Type": "application/json"}
        )
        try:
            return json.loads(urllib.request.urlopen(request).read())
        except urllib.error.HTTPError as error:
            message = json.loads(error.read())["error"]["message"]
            by_template = "While executing" in message or "Jinja Exception" in message
            raise (Refused if by_template else OwnFault)(message) from None

    def abilities(self, template):
        self.start(template)
        return {name for name, can in self.ask("/props")["chat_template_caps"].items() if can}

    def render(self, template, request):
        self.start(template)
        body = {"messages": request["messages"]} | {
            key: request[key] for key in ("tools", *VARIABLES) if request.get(key) is not None
        }
        if "variables" in request:
            body["chat_template_kwargs"] = request["variables"]
        prompt = self.ask("/apply-template", body)["prompt"]
        return prompt if prompt.startswith("<s>") else "<s>" + prompt


def tiny_model(path):
    """A model of one layer of zeros over a vocabulary of bytes."""
    import gguf
    import numpy

    size, texts = 32, ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(32768)
    writer.add_embedding_length(size)
    writer.add_feed_forward_length(size)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(size)
    writer.add_vocab_size(len(texts))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores([0.0] * len(texts))
    writer.add_token_types([2, 3, 3] + [6] * 256)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    shapes = {"token_embd": (len(texts), size), "output": (len(texts), size), "output_norm": (size,)}
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        shapes[f"blk.0.{name}"] = (size, size)
    for name in ("attn_norm", "ffn_norm"):
        shapes[f"blk.0.{name}"] = (size,)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", numpy.zeros(shape, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def finite(value):
    """A value whose infinities, which Python writes as words that are not JSON, are marked texts."""
    if isinstance(value, float) and value in (math.inf, -math.inf):
        return "-1e999!" if value < 0 else "1e999!"
    if isinstance(value, list):
        return [finite(item) for item in value]
    return {key: finite(item) for key, item in value.items()} if isinstance(value, dict) else value


class Ours:
    """`render_jsonl`, the program of the library."""

    def __init__(self, binary):
        self.program = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
        )

    def render(self, template, request):
        line = {"id": "", "template": template, "special_tokens": TOKENS, "request": finite(request)}
        self.program.stdin.write(json.dumps(line).replace('"1e999!"', "1e999").replace('"-1e999!"', "-1e999") + "\n")
        self.program.stdin.flush()
        answer = json.loads(self.program.stdout.readline())
        if "string" not in answer:
            raise Refused(str(answer.get("error")))
        return answer["string"]


ENGINES = {
    "transformers": Transformers,
    "jinja2": Jinja2,
    "hf-jinja": HfJinja,
    "llama.cpp": LlamaCpp,
    "minijinja": MiniJinja,
}
