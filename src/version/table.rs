//! The table of models: which names a model goes by, and which version it has.

use super::{Feature, Features, Version};

/// One model, or one family of names that are not models of the table.
#[derive(Debug)]
pub(super) struct Row {
    /// Each is a set of words that, together, name the model; the first is the family.
    pub(super) names: &'static [&'static str],
    pub(super) verdict: Verdict,
}

#[derive(Debug)]
pub(super) enum Verdict {
    Is(Model),
    /// It has another layout; the text says which.
    IsNot(&'static str),
}

/// What is known of a model.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) title: &'static str,
    /// Words that may stand beside the name, such as the size.
    pub(super) also: &'static str,
    pub(super) version: Version,
    pub(super) features: Features,
    pub(super) source: Source,
    pub(super) thinking: ThinkingForm,
}

/// How a model's thinking shows in its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThinkingForm {
    /// As its features say.
    Feature,
    /// In `<think>` tags, which are text, because its system prompt asks for it.
    Tags,
}

/// Who says so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Mistral's code or documentation.
    Mistral,
    /// The card of a fine-tune.
    Card,
    /// The model's public tokenizer file or chat template.
    Files,
    /// Mistral's sources name two versions; the text says which says what.
    Disputed { rival: Version, note: &'static str },
}

const NONE: Features = Features::NONE;
const IMAGE: Features = NONE.with(Feature::Image);
const AUDIO: Features = NONE.with(Feature::Audio);
const THINK: Features = NONE.with(Feature::Think);
const IMAGE_THINK: Features = IMAGE.with(Feature::Think);

const fn is(
    title: &'static str,
    names: &'static [&'static str],
    also: &'static str,
    (version, features, source): (Version, Features, Source),
) -> Row {
    let model = Model { title, also, version, features, source, thinking: ThinkingForm::Feature };
    Row { names, verdict: Verdict::Is(model) }
}

/// This row of a model that thinks in tags.
const fn in_tags(row: Row) -> Row {
    match row.verdict {
        Verdict::Is(model) => Row { verdict: Verdict::Is(Model { thinking: ThinkingForm::Tags, ..model }), ..row },
        Verdict::IsNot(_) => row,
    }
}

const fn is_not(names: &'static [&'static str], reason: &'static str) -> Row {
    Row { names, verdict: Verdict::IsNot(reason) }
}

const CHATML: &str = "its family is trained on ChatML turns";

use Source::{Card, Files, Mistral};
use Version::{Magnum, V1, V2, V3, V3Tekken, V7, V7Tekken, V11, V13, V15};

/// Every name that is known. A name may fit several rows; a row whose words include another's is the better fit.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    is("Mistral-7B-v0.1", &["mistral 7b v0.1"], "", (V1, NONE, Mistral)),
    is("Mistral-7B-v0.2", &["mistral 7b v0.2"], "", (V1, NONE, Mistral)),
    is("Mixtral-8x7B", &["mixtral 8x7b"], "v0.1", (V1, NONE, Mistral)),
    is("Mixtral-8x22B-v0.1", &["mixtral 8x22b v0.1"], "", (V1, NONE, Mistral)),
    is("mistral-medium-2312", &["mistral medium 2312"], "", (V1, NONE, Mistral)),

    is("mistral-tiny-2312", &["mistral tiny 2312"], "", (V2, NONE, Mistral)),
    is("mistral-small-2312", &["mistral small 2312"], "", (V2, NONE, Mistral)),
    is("mistral-small-2402", &["mistral small 2402"], "", (V2, NONE, Mistral)),
    is("mistral-large-2402", &["mistral large 2402"], "", (V2, NONE, Mistral)),

    is("Mistral-7B-v0.3", &["mistral 7b v0.3"], "", (V3, NONE, Mistral)),
    is("Mixtral-8x22B-Instruct-v0.1",
        &["mixtral 8x22b instruct", "mixtral 8x22b instruct v0.1", "mixtral 8x22b open", "mixtral 8x22b 2404"],
        "", (V3, NONE, Mistral)),
    is("Codestral-22B-v0.1", &["codestral 22b", "codestral 2405"], "v0.1", (V3, NONE, Mistral)),
    is("Mathstral-7B-v0.1", &["mathstral"], "7b v0.1", (V3, NONE, Mistral)),
    is("Mamba-Codestral-7B-v0.1", &["codestral mamba"], "7b v0.1 2407", (V3, NONE, Mistral)),
    is("Mistral-Large-Instruct-2407", &["mistral large 2407"], "123b", (V3, NONE, Mistral)),
    is("Mistral-Small-Instruct-2409", &["mistral small 2409", "mistral small 22b"], "2407",
        (V3, NONE, Source::Disputed {
            rival: V3Tekken,
            note: "Mistral's documentation lists it as v3, as its vocabulary of 32768 tokens does, but a table in \
                   Mistral's code says v3-tekken",
        })),
    is("mistral-tiny-2407", &["mistral tiny 2407"], "",
        (V3, NONE, Source::Disputed {
            rival: V3Tekken,
            note: "a table in Mistral's code says v3, but the API served Mistral Nemo under this name, which is \
                   v3-tekken",
        })),

    is("Mistral-Nemo-Instruct-2407", &["mistral nemo"], "12b 2407", (V3Tekken, NONE, Mistral)),
    is("Ministral-8B-Instruct-2410", &["ministral 8b 2410"], "", (V3Tekken, NONE, Mistral)),
    is("Pixtral-12B-2409", &["pixtral 12b", "pixtral 2409"], "", (V3Tekken, IMAGE, Mistral)),

    is("Mistral-Large-Instruct-2411", &["mistral large 2411"], "123b", (V7, NONE, Mistral)),
    is("Pixtral-Large-Instruct-2411", &["pixtral large 2411"], "124b", (V7, IMAGE, Mistral)),

    is("Mistral-Small-24B-Instruct-2501", &["mistral small 2501", "mistral small 3"], "24b",
        (V7Tekken, NONE, Files)),
    is("Mistral-Small-3.1-24B-Instruct-2503", &["mistral small 2503", "mistral small 3.1"], "24b",
        (V7Tekken, IMAGE, Files)),
    is("Voxtral-2507", &["voxtral 2507"], "mini small 3b 24b", (V7Tekken, AUDIO, Files)),
    is("Devstral-Small-2505", &["devstral small 2505", "devstral small 1.0"], "24b", (V7Tekken, NONE, Files)),

    is("Mistral-Small-3.2-24B-Instruct-2506", &["mistral small 2506", "mistral small 3.2"], "24b",
        (V11, IMAGE, Mistral)),
    in_tags(is("Magistral-Small-2506", &["magistral small 2506", "magistral small 1.0"], "24b", (V11, NONE, Mistral))),

    is("Magistral-Small-2507", &["magistral small 2507", "magistral small 1.1"], "24b", (V13, THINK, Files)),
    is("Magistral-Small-2509", &["magistral small 2509", "magistral small 1.2"], "24b", (V13, IMAGE_THINK, Files)),
    is("Devstral-Small-2507", &["devstral small 2507", "devstral small 1.1"], "24b", (V13, NONE, Files)),
    is("Ministral-3-2512", &["ministral 3", "ministral 2512"], "3b 8b 14b", (V13, IMAGE, Files)),
    is("Ministral-3-Reasoning-2512", &["ministral 3 reasoning", "ministral 2512 reasoning"], "3b 8b 14b",
        (V13, IMAGE_THINK, Files)),
    is("Mistral-Large-3-675B-Instruct-2512", &["mistral large 3", "mistral large 2512"], "675b",
        (V13, IMAGE, Files)),
    is("Devstral-2-123B-Instruct-2512", &["devstral 2", "devstral 2512"], "123b", (V13, NONE, Files)),
    is("Devstral-Small-2-24B-Instruct-2512", &["devstral small 2", "devstral small 2512"], "24b",
        (V13, IMAGE, Files)),

    is("Mistral-Small-4-119B-2603", &["mistral small 4", "mistral small 4.0", "mistral small 2603"], "119b",
        (V15, IMAGE_THINK, Files)),
    is("Mistral-Medium-3.5-128B", &["mistral medium 3.5", "mistral medium 2604"], "128b",
        (V15, IMAGE_THINK, Files)),

    is("Magnum-123B", &["magnum 123b v2", "magnum 123b v1", "magnum 123b"], "", (Magnum, NONE, Card)),
    is("Magnum-v4-123B", &["magnum 123b v4"], "", (Magnum, NONE, Files)),
    is_not(&["magnum"],
        "of the Magnum models only those of 123B, over Mistral Large 2407, are known to use the magnum layout"),
    is_not(&["magnum 12b"], "it was trained on ChatML turns over Mistral Nemo"),

    is_not(&["chatml"], "it was trained on ChatML turns"),
    is_not(&["dolphin", "hermes", "openhermes", "openorca"], CHATML),
    is_not(&["zephyr"], "its family is trained on turns with tags of their own"),
    is_not(&["minitron"], "it was trained on turns with tags of its own"),
    is_not(&["alpaca", "vicuna", "metharme"], "its name is that of another layout"),
    is_not(&["mistral embed", "mistral moderation", "mistral ocr", "codestral embed"], "it does not chat"),
    is_not(&["voxtral realtime", "voxtral tts"], "it transcribes or speaks, and does not chat"),
];
