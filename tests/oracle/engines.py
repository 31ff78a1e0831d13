"""The engines that render chat templates, each behind `render(template, request)`, which gives a string or raises `Refused`.

    transformers   5.24.0     pip install transformers==5.24.0 jinja2==3.1.6
    jinja2         3.1.6      as llama-cpp-python and others run it: the sandbox, with its own `tojson` and no extension
    hf-jinja       0.5.11     npm install @huggingface/jinja@0.5.11, its folder in HF_JINJA
    llama.cpp      b11549     pip install xllamacpp==2026.10.11549 gguf==0.19.0: the server, over a model of no sense
    minijinja      3.1.0      pip install minijinja==3.1.0, with `pycompat` off, and with values of its own, not Python's

Every engine is given `bos_token`, `eos_token`, `raise_exception`, the messages, the tools and what else the request names:
`variables` are given as `apply_chat_template` is given keywords.
"""
import json
import math
import os
import select
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

        self.environment = minijinja.Environment(pycompat=False, trim_blocks=True, lstrip_blocks=True)
        self.environment.add_function("raise_exception", raise_exception)

    def render(self, template, request):
        try:
            # Python's own dicts would keep their methods.
            given = "".join(f"{{% set {name} = {literal(value)} %}}\n" for name, value in variables(request).items())
            return self.environment.render_str(given + template)
        except Exception as error:
            raise Refused(str(error)) from None


def literal(value):
    """A value as it is written in a template."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False) if value is not None else "none"


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
    """`LlamaCppServer` in a process of its own, which is started again where a server does not end."""

    PATIENCE = 30

    def __init__(self):
        self.process = None

    def start(self):
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen([sys.executable, __file__, "--llama.cpp"], **pipes)

    def ask(self, *question):
        for _ in range(5):
            if self.process is None:
                self.start()
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            if select.select([self.process.stdout], [], [], self.PATIENCE)[0]:
                kind, answer = json.loads(self.process.stdout.readline() or "[0, 0]")
                if kind in ("Refused", "OwnFault"):
                    raise {"Refused": Refused, "OwnFault": OwnFault}[kind](answer)
                if kind == "answer":
                    return answer
            self.process.kill()
            self.process = None
        raise Refused("the server hangs")

    def render(self, template, request):
        return self.ask("render", template, request)

    def abilities(self, template):
        return set(self.ask("abilities", template))

    @staticmethod
    def serve():
        """Answers the questions on standard input."""
        server, answers = LlamaCppServer(), os.fdopen(os.dup(1), "wb")
        # The server prints there as well.
        os.dup2(2, 1)
        for line in sys.stdin:
            what, *given = json.loads(line)
            try:
                answer = server.render(*given) if what == "render" else sorted(server.abilities(*given))
                said = "answer", answer
            except Refused as refused:
                said = type(refused).__name__, str(refused)
            answers.write(json.dumps(said).encode() + b"\n")
            answers.flush()


class LlamaCppServer:
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

if __name__ == "__main__" and "--llama.cpp" in sys.argv:
    LlamaCpp.serve()
