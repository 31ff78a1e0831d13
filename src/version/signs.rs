//! The control tokens by which a chat template shows its version, for GGUF files and for templates by themselves.

use super::Version;
use crate::control::Control;

/// Control tokens of other layouts.
const FOREIGN: &[&str] =
    &["<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "<|im_middle|>", "<<SYS>>"];

/// A control token by which a chat template shows its version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sign {
    pub(crate) token: &'static str,
    /// The version that it shows over SentencePiece, if there is one.
    pub(crate) sentencepiece: Option<Version>,
    /// The version that it shows over Tekken.
    pub(crate) tekken: Version,
}

/// Newest first; `[CALL_ID]` came with v11 and went with v13, and so shows v11 where `[ARGS]` alone shows v13.
const SIGNS: &[Sign] = &[
    sign(Control::ModelSettings, None, Version::V15),
    sign(Control::CallId, None, Version::V11),
    sign(Control::Args, None, Version::V13),
    sign(Control::SystemPrompt, Some(Version::V7), Version::V7Tekken),
    sign(Control::AvailableTools, Some(Version::V3), Version::V3Tekken),
];

const fn sign(token: Control, sentencepiece: Option<Version>, tekken: Version) -> Sign {
    Sign { token: token.as_str(), sentencepiece, tekken }
}

/// The newest control token of ours in a template, or the one of another layout that it is built on.
pub(crate) fn of(template: &str) -> Result<Option<Sign>, &'static str> {
    let has = |token: &str| template.contains(token);
    match FOREIGN.iter().find(|token| has(token)) {
        Some(token) if !has(Control::Inst.as_str()) || *token == "<<SYS>>" => Err(token),
        _ => Ok(SIGNS.iter().copied().find(|sign| has(sign.token))),
    }
}
