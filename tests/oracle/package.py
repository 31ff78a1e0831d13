"""A layout's name in, mistral-common's own tokenizer for it out, wired so that every text run it tokenizes is seen.

No released file exists for some layouts, so Tekken tokenizers are built here: the package's shipped vocabulary with
the control tokens that the layout and its features need. Their ids follow released `tekken.json` files where there
are any. SentencePiece tokenizers are the shipped files.

Three ways to tokenize:
    Tokens.REAL      the shipped vocabularies and the real image and audio encoders (an http image is a small red
                     square: nothing is fetched)
    Tokens.TEXT      the shipped vocabularies; an image or audio becomes one control token, unread
    Tokens.STAND_IN  no vocabulary at all: a text run becomes one made-up id (three for a FIM suffix)
Checks, normalizing and layout are the package's own code in all of them, and so are the segments that come out. What
only a real tokenizer or encoder refuses (a lone surrogate, a broken image) the stand-ins let pass.
"""
import base64
import json
import logging
import os
import re
import warnings
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import mistral_common
import mistral_common.protocol.instruct.request as request_module
import mistral_common.protocol.instruct.validator as validator_module
import mistral_common.tokens.tokenizers.image as image_module
import mistral_common.tokens.tokenizers.model_settings_builder as settings_module
import numpy
from mistral_common.protocol.instruct.normalize import get_normalizer
from mistral_common.protocol.instruct.validator import ValidationMode, get_validator
from mistral_common.tokens.tokenizers import instruct
from mistral_common.tokens.tokenizers.audio import AudioConfig, AudioSpectrogramConfig
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy, TokenizerVersion
from mistral_common.tokens.tokenizers.image import ImageConfig
from mistral_common.tokens.tokenizers.mistral import load_audio_encoder, load_image_encoder
from mistral_common.tokens.tokenizers.model_settings_builder import ModelSettingsBuilder
from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from PIL import Image

DATA = Path(mistral_common.__file__).parent / "data"
SENTENCEPIECE_FILES = {
    "v1": "tokenizer.model.v1",
    "v2": "mistral_instruct_tokenizer_240216.model.v2",
    "v3": "mistral_instruct_tokenizer_240323.model.v3",
    "v3+image": "mistral_instruct_tokenizer_241114.model.v7m1",
    "v7": "mistral_instruct_tokenizer_241114.model.v7",
    "v7+image": "mistral_instruct_tokenizer_241114.model.v7m1",
}
CONTROL_COUNT = 1000
FEATURES = {"image", "audio", "think", "plainthink"}  # plainthink: known to the package's templates alone
IMAGE_SIZES = {"image_patch_size": 16, "max_image_size": 1024}
AUDIO_SIZES = {
    "sampling_rate": 16000,
    "frame_rate": 12.5,
    "encoding_config": AudioSpectrogramConfig(num_mel_bins=128, window_size=400, hop_length=160),
}
DEFAULT_BUILDER = {"reasoning_effort": {"values": ["none", "high"], "default": "none"}}
SMILEY = "☺"  # the package puts it before a FIM suffix and drops the two tokens it takes


class Tokens(Enum):
    REAL = "real"
    TEXT = "real text, media unread"
    STAND_IN = "none"


class Run(int):
    """A token id that remembers the text it was made from and its place among that text's ids."""

    def __new__(cls, token, text, at):
        run = int.__new__(cls, token)
        run.text, run.at = text, at
        return run


def parse_label(label):
    """"v13+think" -> (version, is SentencePiece, features)."""
    name, *features = label.split("+")
    match = re.fullmatch(r"(v\d+)(-spm|-tekken)?", name)
    if match is None or not set(features) <= FEATURES:
        raise ValueError(f"{label!r} names no layout")
    version = TokenizerVersion(match[1])
    old = version <= TokenizerVersion.v7
    if match[2] == "-spm" and not old:
        raise ValueError(f"{label!r}: SentencePiece ends with v7")
    return version, old and match[2] != "-tekken", frozenset(features)


def control_tokens(version, features):
    """Every control token of a Tekken layout, by id."""
    tokens = {t["rank"]: str(t["token_str"]) for t in Tekkenizer.DEPRECATED_SPECIAL_TOKENS}
    if "audio" in features:
        tokens |= {24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 34: "[TRANSCRIBE]", 35: "[REPEAT_AUDIO_TEXT]", 36: "[NEXT_AUDIO_TEXT]"}
    if version >= TokenizerVersion.v11:
        tokens |= {32: "[ARGS]", 33: "[CALL_ID]"}
    if "think" in features and version >= TokenizerVersion.v13:
        if "audio" in features:
            raise ValueError("no layout has both [THINK] and [AUDIO]")
        tokens |= {34: "[THINK]", 35: "[/THINK]"}
    if version >= TokenizerVersion.v15:
        first = 37 if "audio" in features else 36
        tokens |= {first: "[MODEL_SETTINGS]", first + 1: "[/MODEL_SETTINGS]"}
    return [
        {"rank": i, "token_str": tokens.get(i, f"<SPECIAL_{i}>"), "is_control": True} for i in range(max(tokens) + 1)
    ]


@lru_cache(None)
def shipped_vocabulary(name):
    """The text half of a shipped Tekken file. Every layout shares it, since text ids follow the control tokens."""
    return Tekkenizer.from_file(DATA / name)._model


def tekken(version, features, options, tokens):
    """A Tekken tokenizer of this version whose vocabulary is the 256 bytes, or the shipped one put in their place."""
    file = "tekken_240718.json" if version == TokenizerVersion.v3 and "image" not in features else "tekken_240911.json"
    builder = options.get("settings_builder", DEFAULT_BUILDER) if version.supports_model_settings else None
    tokenizer = Tekkenizer(
        vocab=[{"rank": i, "token_bytes": base64.b64encode(bytes([i])).decode(), "token_str": None} for i in range(256)],
        special_tokens=control_tokens(version, features),
        pattern=r"[\s\S]",
        vocab_size=256 + CONTROL_COUNT,
        num_special_tokens=CONTROL_COUNT,
        version=version,
        image_config=ImageConfig(**options.get("image_config", IMAGE_SIZES)) if "image" in features else None,
        audio_config=AudioConfig(chunk_length_s=None, **AUDIO_SIZES) if "audio" in features else None,
        model_settings_builder=ModelSettingsBuilder.model_validate(builder) if builder is not None else None,
    )
    if tokens is not Tokens.STAND_IN:
        tokenizer._model = shipped_vocabulary(file)
    return tokenizer


class Package:
    """The package's check, normalize and encode steps for one layout; `emitted` is what the last encode gave."""

    def __init__(self, label, options, tokens):
        self.version, self.sentencepiece, self.features = parse_label(label)
        self._asked_for = tokens
        if self.sentencepiece:
            name = self.version.value + ("+image" if "image" in self.features else "")
            self.tokenizer = SentencePieceTokenizer(DATA / SENTENCEPIECE_FILES[name], tokenizer_version=self.version)
            image = ImageConfig(**options.get("image_config", IMAGE_SIZES)) if "image" in self.features else None
            audio = None
        else:
            self.tokenizer = tekken(self.version, self.features, options, tokens)
            image, audio = self.tokenizer.image, self.tokenizer.audio
        self.encoder = self._encoder(image, audio)
        self.normalizer = get_normalizer(self.version, self.tokenizer.model_settings_builder)
        self._validators = {mode: get_validator(self.version, mode) for mode in ValidationMode}
        self.tokens, self._controls = None, {}
        self._watch()

    def _encoder(self, image, audio):
        encoders = {}
        if image is not None:
            encoders["image_encoder"] = load_image_encoder(image, self.tokenizer)
        if audio is not None:
            encoders["audio_encoder"] = load_audio_encoder(audio, self.tokenizer)
        encoder = getattr(instruct, "InstructTokenizer" + self.version.value.upper())(self.tokenizer, **encoders)
        if self._asked_for is not Tokens.REAL:
            if image is not None:
                stand_in = SimpleNamespace(tokens=[encoder.image_encoder.special_ids.img_end], image=numpy.zeros(1))
                encoder.image_encoder = lambda chunk: stand_in
            if audio is not None:
                heard = SimpleNamespace(tokens=[encoder.audio_encoder.special_ids.begin_audio], audio=None)
                encoder.audio_encoder = lambda chunk: heard
        return encoder

    def _watch(self):
        """Marks the ids of every text run, and keeps the finished list, which the package hands to `decode`."""
        real = self.tokenizer.encode

        def real_run(s, bos, eos):
            return [Run(token, s, at) for at, token in enumerate(real(s, bos=bos, eos=eos))]

        def stand_in_run(s, bos, eos):
            if not s:
                return []
            return [Run(0, s, at) for at in range(3)] if s.startswith(SMILEY) and len(s) > 1 else [Run(0, s, 0)]

        def decode(tokens, special_token_policy):
            self.tokens = tokens
            return ""

        self.tokenizer.encode = stand_in_run if self._asked_for is Tokens.STAND_IN else real_run
        self.encoder.decode = decode

    def validator(self, mode):
        return self._validators[mode]

    def control(self, token):
        """The literal of a control token's id."""
        if token not in self._controls:
            self._controls[token] = str(self.tokenizer.id_to_piece(token))
        return self._controls[token]

    def emitted(self):
        """What the last encode wrote: {"control"}, {"text"} or {"text", "infill": True}, in order."""
        pieces, runs = [], []
        for token in self.tokens:
            if not isinstance(token, Run):
                pieces.append({"control": self.control(token)})
            elif token.at == 0:
                pieces.append({"text": token.text})
            elif token.at == 2 and (not pieces or pieces[-1].get("text") != token.text):
                pieces.append({"text": token.text.removeprefix(SMILEY), "infill": True})
        return pieces

    def decoded(self):
        """The last encode's ids as the package's own text, with SentencePiece's spaces and bytes spelled out."""
        tokens = [int(t) for t in self.tokens]
        if not self.sentencepiece:
            return self.tokenizer.decode(tokens, special_token_policy=SpecialTokenPolicy.KEEP)
        text = b""
        for token in tokens:
            piece = self.tokenizer.id_to_piece(token)
            byte = re.fullmatch(r"<0x([0-9A-F]{2})>", piece)
            text += bytes([int(byte[1], 16)]) if byte else piece.encode()
        return text.decode(errors="replace").replace("▁", " ")


@lru_cache(None)
def _package(label, options, tokens):
    return Package(label, json.loads(options), tokens)


def package(label, options, tokens):
    """The package for a layout, made once."""
    return _package(label, json.dumps(options, sort_keys=True), tokens)


def _no_download(url, timeout=None):
    return Image.new("RGB", (2, 2), color="red")


def _remember_schema_checks():
    """Checking a JSON schema is slow and the random chats repeat them, so its verdict is kept per schema."""
    check, verdicts = request_module.validate_json_schema_by_draft7, {}

    def remembered(value):
        key = json.dumps(value)
        if key not in verdicts:
            try:
                check(value=value)
                verdicts[key] = None
            except ValueError as error:
                verdicts[key] = str(error)
        if verdicts[key] is not None:
            raise ValueError(verdicts[key])

    for module in (request_module, validator_module, settings_module):
        module.validate_json_schema_by_draft7 = remembered


image_module.download_image = _no_download
_remember_schema_checks()
