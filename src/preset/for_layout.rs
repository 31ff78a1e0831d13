//! A [`Layout`] into a preset that makes SillyTavern send it.

use super::fields::{Context, Instruct, NamesBehavior, STORY, UnknownFields};
use super::macros::Macros;
use super::{Preset, Scene};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Frame, Layout, Mark, System, UserTurn};

/// What a story holds, in SillyTavern's order.
const FIELDS: [&str; 9] = [
    "anchorBefore",
    "system",
    "wiBefore",
    "description",
    "personality",
    "scenario",
    "wiAfter",
    "persona",
    "anchorAfter",
];

/// A macro that is nothing: where a sequence is empty, another one stands in for it.
pub(super) const NOTHING: &str = "{{noop}}";

/// Why a layout cannot be sent.
pub(super) const SYSTEM_LAST: &str = "its system prompt is in the last user turn, and a story begins the prompt";
pub(super) const SETTINGS_FIRST: &str =
    "its settings stand before the first user turn, and no sequence stands there alone";

/// Which sequence ends the user's turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Closing {
    /// The user's suffix.
    InUserSuffix,
    /// The prefix of the reply, as in SillyTavern's own presets for v1 to v3.
    InReplyPrefix,
}

impl Preset {
    /// The preset that makes SillyTavern send a layout, for chats of text in which user and assistant take turns.
    ///
    /// The story, with the card, the persona and world info, stands where the layout has its system prompt. What it does
    /// not do: [`Generation::Continue`](super::Generation::Continue) lacks the space that SentencePiece prints before
    /// the reply, and newlines around a system prompt that is a turn of its own are SillyTavern's to trim.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unwritable`]: SillyTavern cannot send the layout. [`Layout::V3`] has its system prompt in the last
    /// user turn, [`Layout::V15`] its settings before the first one, and a frame of one's own could hold `{{`.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, Preset};
    /// use mistral_chat_template::preset::Scene;
    ///
    /// let preset = Preset::for_layout(&Layout::MAGNUM)?.with_system_prompt("Be kind.");
    /// let prompt = preset.with_scene(&Scene::default())?.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.as_str(), "[INST] Be kind.\nHi[/INST]");
    ///
    /// let error = Preset::for_layout(&Layout::V3).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "no preset makes SillyTavern send this layout: its system prompt is in the last user turn, and a story begins the prompt (v3)",
    /// );
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn for_layout(layout: &Layout) -> Result<Preset, Error> {
        Preset::arranged(layout, Closing::InUserSuffix)
    }

    pub(super) fn arranged(layout: &Layout, closing: Closing) -> Result<Preset, Error> {
        let unwritable = |why| Err(Error::new(ErrorKind::Unwritable { why }, "").in_layout(layout.name));
        if layout.settings.are_always_printed() {
            return unwritable(SETTINGS_FIRST);
        }
        let space = layout.word_start.printed();
        let (user, reply) = (Sides::new(layout.user, space), Sides::new(layout.reply, space));
        let (context, instruct) = (context(layout), instruct(layout));
        let mut preset = Preset { context, instruct, system: None, unknown: UnknownFields::default() };
        let Preset { context, instruct, .. } = &mut preset;
        (instruct.input_sequence, instruct.input_suffix) = (user.open.clone(), user.close.clone());
        (instruct.output_sequence, instruct.output_suffix) = (reply.open.clone(), reply.close);
        if !reply.open.is_empty() {
            instruct.last_output_sequence = NOTHING.to_owned();
        }
        match layout.system {
            System::InUser { turn: UserTurn::Last, .. } => {
                return unwritable(SYSTEM_LAST);
            }
            System::InUser { turn: UserTurn::First, join } => {
                context.story_string = format!("{}{}", user.open, story_in_turn(join));
                instruct.first_output_sequence = format!("{}{}", user.close, reply.open);
                instruct.system_same_as_user = true;
                // The first user message has no sequence of its own, since the last one's counts where it is both.
                instruct.output_suffix.push_str(&user.open);
                instruct.input_sequence.clear();
            }
            System::OwnTurn(frame) => {
                let system = Sides::new(frame, space);
                (instruct.system_sequence, instruct.system_suffix) = (system.open, system.close);
                instruct.story_string_prefix.clone_from(&instruct.system_sequence);
                instruct.story_string_suffix.clone_from(&instruct.system_suffix);
            }
        }
        if closing == Closing::InReplyPrefix {
            instruct.input_suffix.clear();
            let or_nothing = |text: &str| if text.is_empty() { NOTHING.to_owned() } else { text.to_owned() };
            if instruct.first_output_sequence.is_empty() {
                instruct.first_output_sequence = or_nothing(&instruct.output_sequence);
            }
            instruct.output_sequence.insert_str(0, &user.close);
            instruct.last_output_sequence.clone_from(&user.close);
        }
        if holds_macros(layout) {
            return unwritable("it writes what SillyTavern takes for a macro");
        }
        Ok(preset)
    }
}

impl Preset {
    /// What the story opens the first turn with, as text before its first tag.
    pub(super) fn story_open(&self) -> &str {
        self.context.story_string.split_once("{{").map_or("", |(before, _)| before)
    }
}

/// What stands before and after a turn, as text.
pub(super) struct Sides {
    pub(super) open: String,
    pub(super) close: String,
}

impl Sides {
    /// The space that the tokenizer sets stands after a control token and before text.
    pub(super) fn new(frame: Frame, space: &str) -> Self {
        let open = match frame.open {
            Mark::Control(control) => format!("{control}{space}"),
            Mark::Text(text) => format!("{space}{text}"),
        };
        Sides { open, close: frame.close.as_str().to_owned() }
    }
}

fn context(layout: &Layout) -> Context {
    Context {
        story_string: STORY.to_owned(),
        example_separator: String::new(),
        chat_start: String::new(),
        use_stop_strings: false,
        names_as_stop_strings: false,
        name: layout.name.to_owned(),
        ..Context::default()
    }
}

fn instruct(layout: &Layout) -> Instruct {
    Instruct {
        wrap: false,
        system_sequence: String::new(),
        system_suffix: String::new(),
        names_behavior: NamesBehavior::None,
        stop_sequence: match layout.reply.close {
            Mark::Control(Control::Eos) => Control::Eos.as_str().to_owned(),
            other => other.as_str().to_owned(),
        },
        sequences_as_stop_strings: false,
        name: layout.name.to_owned(),
        ..Instruct::default()
    }
}

/// The story of a layout whose system prompt begins the first user turn: what there is, and then what joins it to what
/// the user says.
pub(super) fn story_in_turn(join: &str) -> String {
    let on_its_line = |field: &str| format!("{{{{#if {field}}}}}{{{{{field}}}}}\n{{{{/if}}}}");
    match join.strip_prefix('\n') {
        Some(rest) => {
            let lines: String = FIELDS.into_iter().map(on_its_line).collect();
            if rest.is_empty() { lines } else { lines + &if_any(&without_newlines(rest)) }
        }
        // The system prompt is the last, so that nothing but the join follows it.
        None => {
            let lines: String = FIELDS.into_iter().filter(|field| *field != "system").map(on_its_line).collect();
            format!("{lines}{{{{#if system}}}}{{{{system}}}}{}{{{{/if}}}}", without_newlines(join))
        }
    }
}

/// A template that is `text` where any field says anything.
fn if_any(text: &str) -> String {
    let mut template = String::new();
    for (index, field) in FIELDS.into_iter().enumerate() {
        template.push_str(if index == 0 { "{{#if " } else { "{{else if " });
        template.push_str(field);
        template.push_str("}}");
        template.push_str(text);
    }
    template + "{{/if}}"
}

/// Newlines as macros: beside tags, Handlebars takes them away.
pub(super) fn without_newlines(text: &str) -> String {
    text.replace('\n', "{{newline}}")
}

/// Would a macro be replaced in what the layout writes?
pub(super) fn holds_macros(layout: &Layout) -> bool {
    let mut texts = vec![layout.user.open, layout.user.close, layout.reply.open, layout.reply.close];
    let join = match layout.system {
        System::InUser { join, .. } => join,
        System::OwnTurn(frame) => {
            texts.extend([frame.open, frame.close]);
            ""
        }
    };
    let (context, instruct, scene) = (Context::default(), Instruct::default(), Scene::default());
    let mut macros = Macros::new(&context, &instruct, &scene, "", 0);
    let mut texts = texts.into_iter().map(Mark::as_str).chain([join]);
    texts.any(|text| text.contains("{{") || macros.expand_text(text) != text)
}
