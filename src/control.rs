//! Control tokens: one table from each [`Control`] to its literal, and the sets of them that a vocabulary has.

use std::fmt;

/// A control token: one id of the vocabulary that no text can produce.
///
/// The literal is what a decoder prints for it. Text that spells the same characters is text.
///
/// ```
/// use mistral_chat_template::Control;
///
/// assert_eq!(Control::Inst.as_str(), "[INST]");
/// assert_eq!(Control::Eos.to_string(), "</s>");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Control {
    /// `<unk>`: what SentencePiece gives for a control token that its vocabulary lacks.
    Unk,
    /// `<s>`: begins every prompt.
    Bos,
    /// `</s>`: ends every assistant turn, and so is the stop token.
    Eos,
    /// `[INST]`: begins a user turn.
    Inst,
    /// `[/INST]`: ends a user turn.
    EndInst,
    /// `[AVAILABLE_TOOLS]`: begins the list of tools.
    AvailableTools,
    /// `[/AVAILABLE_TOOLS]`: ends the list of tools.
    EndAvailableTools,
    /// `[TOOL_RESULTS]`: begins a tool result.
    ToolResults,
    /// `[/TOOL_RESULTS]`: ends a tool result.
    EndToolResults,
    /// `[TOOL_CALLS]`: begins a tool call, or a list of them.
    ToolCalls,
    /// `[IMG]`: one patch of an image; in a prompt's string it stands for the whole image.
    Img,
    /// `[IMG_BREAK]`: ends a row of image patches.
    ImgBreak,
    /// `[IMG_END]`: ends an image.
    ImgEnd,
    /// `[PREFIX]`: fill in the middle: begins the text before the gap.
    Prefix,
    /// `[MIDDLE]`: fill in the middle: begins the gap.
    Middle,
    /// `[SUFFIX]`: fill in the middle: begins the text after the gap.
    Suffix,
    /// `[SYSTEM_PROMPT]`: begins a system prompt (v7 and later).
    SystemPrompt,
    /// `[/SYSTEM_PROMPT]`: ends a system prompt.
    EndSystemPrompt,
    /// `[TOOL_CONTENT]`: between a result's call id and its content (v7, v11).
    ToolContent,
    /// `[AUDIO]`: one frame of audio; in a prompt's string it stands for the whole audio.
    Audio,
    /// `[BEGIN_AUDIO]`: begins audio.
    BeginAudio,
    /// `[ARGS]`: between a call's name and its arguments (v11 and later).
    Args,
    /// `[CALL_ID]`: between a call's name and its id (v11).
    CallId,
    /// `[THINK]`: begins thinking (v13 and later).
    Think,
    /// `[/THINK]`: ends thinking.
    EndThink,
    /// `[MODEL_SETTINGS]`: begins the model settings (v15).
    ModelSettings,
    /// `[/MODEL_SETTINGS]`: ends the model settings.
    EndModelSettings,
}

/// Every control token beside its literal: the only place where the literals stand.
macro_rules! literals {
    ($($control:ident $literal:literal)+) => {
        impl Control {
            const ALL: &'static [Control] = &[$(Control::$control,)+];

            /// The literal, as a decoder prints it and as templates and presets spell it.
            ///
            /// ```
            /// # use mistral_chat_template::Control;
            /// assert_eq!(Control::EndInst.as_str(), "[/INST]");
            /// ```
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Control::$control => $literal,)+
                }
            }

            /// Appends the literal: of known length in each arm, which is faster than a copy of any length.
            #[inline(always)]
            pub(crate) fn append_to(self, text: &mut String) {
                match self {
                    $(Control::$control => text.push_str($literal),)+
                }
            }
        }
    };
}

literals! {
    Unk "<unk>"
    Bos "<s>"
    Eos "</s>"
    Inst "[INST]"
    EndInst "[/INST]"
    AvailableTools "[AVAILABLE_TOOLS]"
    EndAvailableTools "[/AVAILABLE_TOOLS]"
    ToolResults "[TOOL_RESULTS]"
    EndToolResults "[/TOOL_RESULTS]"
    ToolCalls "[TOOL_CALLS]"
    Img "[IMG]"
    ImgBreak "[IMG_BREAK]"
    ImgEnd "[IMG_END]"
    Prefix "[PREFIX]"
    Middle "[MIDDLE]"
    Suffix "[SUFFIX]"
    SystemPrompt "[SYSTEM_PROMPT]"
    EndSystemPrompt "[/SYSTEM_PROMPT]"
    ToolContent "[TOOL_CONTENT]"
    Audio "[AUDIO]"
    BeginAudio "[BEGIN_AUDIO]"
    Args "[ARGS]"
    CallId "[CALL_ID]"
    Think "[THINK]"
    EndThink "[/THINK]"
    ModelSettings "[MODEL_SETTINGS]"
    EndModelSettings "[/MODEL_SETTINGS]"
}

impl Control {
    /// Every control token there is.
    ///
    /// ```
    /// # use mistral_chat_template::Control;
    /// assert!(Control::all().any(|control| control == Control::Think));
    /// ```
    pub fn all() -> impl Iterator<Item = Control> {
        Control::ALL.iter().copied()
    }

    /// Can an answer have this control token and go on?
    pub(crate) const fn is_in_answers(self) -> bool {
        match self {
            Control::ToolCalls | Control::Args | Control::CallId | Control::Think | Control::EndThink => true,
            Control::Unk
            | Control::Bos
            | Control::Eos
            | Control::Inst
            | Control::EndInst
            | Control::AvailableTools
            | Control::EndAvailableTools
            | Control::ToolResults
            | Control::EndToolResults
            | Control::Img
            | Control::ImgBreak
            | Control::ImgEnd
            | Control::Prefix
            | Control::Middle
            | Control::Suffix
            | Control::SystemPrompt
            | Control::EndSystemPrompt
            | Control::ToolContent
            | Control::Audio
            | Control::BeginAudio
            | Control::ModelSettings
            | Control::EndModelSettings => false,
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The set of control tokens that a tokenizer knows; what it does not know is text.
///
/// ```
/// use mistral_chat_template::{Control, Layout};
///
/// assert!(Layout::V3.vocabulary.contains(Control::Inst));
/// assert!(!Layout::V1.vocabulary.contains(Control::Inst), "v1 writes \"[INST]\" as text");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Vocabulary(u32);

/// For each letter the set of control tokens whose literals have it behind their bracket.
#[allow(clippy::indexing_slicing, reason = "done by the compiler, which would refuse it")]
const BY_SECOND: [u32; 128] = {
    let mut sets = [0; 128];
    let mut place = 0;
    while place < Control::ALL.len() {
        let control = Control::ALL[place];
        sets[control.as_str().as_bytes()[1] as usize] |= 1 << control as u8;
        place += 1;
    }
    sets
};

impl Vocabulary {
    /// The set of the given control tokens.
    ///
    /// ```
    /// # use mistral_chat_template::Control;
    /// # use mistral_chat_template::layout::Vocabulary;
    /// let vocabulary = Vocabulary::of(&[Control::Bos, Control::Eos]);
    /// assert!(vocabulary.contains(Control::Bos));
    /// ```
    #[must_use]
    pub const fn of(controls: &[Control]) -> Self {
        Vocabulary(0).with(controls)
    }

    /// This set and the given control tokens.
    ///
    /// ```
    /// # use mistral_chat_template::{Control, Layout};
    /// let vocabulary = Layout::V13.vocabulary.with(&[Control::Think, Control::EndThink]);
    /// assert!(vocabulary.contains(Control::Think));
    /// ```
    #[must_use]
    pub const fn with(mut self, controls: &[Control]) -> Self {
        let mut rest = controls;
        while let [control, tail @ ..] = rest {
            self.0 |= 1 << *control as u8;
            rest = tail;
        }
        self
    }

    /// Is the control token in this set?
    ///
    /// ```
    /// # use mistral_chat_template::{Control, Layout};
    /// assert!(Layout::V7.vocabulary.contains(Control::SystemPrompt));
    /// ```
    #[must_use]
    pub const fn contains(self, control: Control) -> bool {
        self.0 & (1 << control as u8) != 0
    }

    /// The control tokens of this set.
    ///
    /// ```
    /// # use mistral_chat_template::{Control, Layout};
    /// assert!(Layout::V1.vocabulary.iter().eq([Control::Unk, Control::Bos, Control::Eos]));
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Control> {
        Control::all().filter(move |control| self.contains(*control))
    }

    /// The longest literal of this set that `text` begins with.
    fn starting(self, text: &str) -> Option<Control> {
        // The second letter rules most literals out.
        let second = text.as_bytes().get(1).map_or(0, |byte| usize::from(byte & 0x7f));
        let near = Vocabulary(self.0 & BY_SECOND.get(second).copied().unwrap_or_default());
        if near.0 == 0 {
            return None;
        }
        let found = near.iter().filter(|control| text.starts_with(control.as_str()));
        found.max_by_key(|control| control.as_str().len())
    }
}

impl Vocabulary {
    /// Where literals of this set stand in a text that may hold control tokens, in order; of those that begin at one
    /// byte the longest.
    pub(crate) fn find_in(self, text: &str) -> impl Iterator<Item = (usize, Control)> {
        let mut searched = 0;
        std::iter::from_fn(move || {
            loop {
                let at = searched + find_open(text.get(searched..)?)?;
                let found = text.get(at..).and_then(|tail| self.starting(tail));
                searched = at + found.map_or(1, |control| control.as_str().len());
                if let Some(control) = found {
                    return Some((at, control));
                }
            }
        })
    }
}

/// How many bytes are looked at as one, without a way out between them, which vector instructions do.
const BLOCK: usize = 64;

/// The first byte that could begin a control token.
#[inline]
pub(crate) fn find_open(text: &str) -> Option<usize> {
    let is_open = |byte: &u8| matches!(byte, b'[' | b'<');
    let any = |block: &[u8; BLOCK]| block.iter().fold(0, |any, byte| any | u8::from(is_open(byte))) != 0;
    let (blocks, _) = text.as_bytes().as_chunks::<BLOCK>();
    let before: usize = blocks.iter().take_while(|block| !any(block)).map(|block| block.len()).sum();
    let place = text.as_bytes().get(before..)?.iter().position(is_open)?;
    Some(before + place)
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_whole() {
        for (index, control) in Control::all().enumerate() {
            assert_eq!(control as usize, index, "{control}");
            let mut text = String::new();
            control.append_to(&mut text);
            assert_eq!(text, control.as_str());
        }
    }

    #[test]
    fn every_literal_is_bracketed_ascii() {
        for control in Control::all() {
            let literal = control.as_str();
            assert!(literal.starts_with(['[', '<']) && literal.ends_with([']', '>']), "{literal}");
            assert!(literal.is_ascii() && literal.len() > 2, "{literal}");
        }
    }

    #[test]
    fn the_longest_literal_wins() {
        let vocabulary = Vocabulary::of(&[Control::Inst, Control::EndInst, Control::Bos]);
        assert_eq!(vocabulary.starting("[INST] a"), Some(Control::Inst));
        assert_eq!(vocabulary.starting("</s>"), None);
        assert_eq!(vocabulary.starting("<s>[INST]"), Some(Control::Bos));
    }
}
