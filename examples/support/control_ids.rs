//! The ids of control tokens in the tokenizer files that were released with each version.

use mistral_chat_template::layout::WordStart;
use mistral_chat_template::{Control, Layout, Tokenizer};

/// In `mistral_instruct_tokenizer_241114.model.v7`; the files of v2 and v3 have the first of them.
const SENTENCEPIECE: [Control; 19] = [
    Control::Unk,
    Control::Bos,
    Control::Eos,
    Control::Inst,
    Control::EndInst,
    Control::ToolCalls,
    Control::AvailableTools,
    Control::EndAvailableTools,
    Control::ToolResults,
    Control::EndToolResults,
    Control::Img,
    Control::Prefix,
    Control::Middle,
    Control::Suffix,
    Control::ImgBreak,
    Control::ImgEnd,
    Control::SystemPrompt,
    Control::EndSystemPrompt,
    Control::ToolContent,
];

/// Control tokens by their ids, as the layout's released files have them; it encodes no text.
pub(crate) struct ReleasedIds<'l>(pub(crate) &'l Layout);

impl Tokenizer for ReleasedIds<'_> {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, control: Control) -> Option<u32> {
        if !self.0.vocabulary.contains(control) {
            return None;
        }
        match self.0.word_start {
            WordStart::Space => {
                let position = SENTENCEPIECE.iter().position(|other| *other == control)?;
                u32::try_from(position).ok()
            }
            WordStart::Nothing => tekken(control),
        }
    }
}

/// As in the `tekken.json` of Small-3.2, Magistral, Voxtral and Small-4.
const fn tekken(control: Control) -> Option<u32> {
    Some(match control {
        Control::Unk => 0,
        Control::Bos => 1,
        Control::Eos => 2,
        Control::Inst => 3,
        Control::EndInst => 4,
        Control::AvailableTools => 5,
        Control::EndAvailableTools => 6,
        Control::ToolResults => 7,
        Control::EndToolResults => 8,
        Control::ToolCalls => 9,
        Control::Img => 10,
        Control::ImgBreak => 12,
        Control::ImgEnd => 13,
        Control::Prefix => 14,
        Control::Middle => 15,
        Control::Suffix => 16,
        Control::SystemPrompt => 17,
        Control::EndSystemPrompt => 18,
        Control::ToolContent => 19,
        Control::Audio => 24,
        Control::BeginAudio => 25,
        Control::Args => 32,
        Control::CallId => 33,
        Control::Think => 34,
        Control::EndThink => 35,
        Control::ModelSettings => 36,
        Control::EndModelSettings => 37,
        _ => return None,
    })
}
