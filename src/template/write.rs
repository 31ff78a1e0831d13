//! A [`Layout`] into the Jinja chat template that says the same, to be put beside a model's weights.
//!
//! The template's blocks are the `.jinja` files beside this one. A line that begins with `%` chooses the lines up to its
//! `%end` by what the layout has (`%if spaces`, `%else`), and `@name@` stands for a value of the layout.

use crate::chat::Role;
use crate::control::Control;
use crate::layout::{CallIds, ChunkKind, Layout, Mark, Settings, System, ToolCalls, ToolResults, UserTurn};
use crate::version::Feature;

/// Do the replies of a written template stand in `{% generation %}` blocks?
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::template::GenerationMarks;
///
/// assert!(Layout::V7.chat_template_with(GenerationMarks::Written).contains("{%- generation %}"));
/// assert!(!Layout::V7.chat_template_with(GenerationMarks::Left).contains("generation %}"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenerationMarks {
    /// They do: trainers learn what stands in these blocks (`return_assistant_tokens_mask` of transformers).
    Written,
    /// They do not: plain jinja2 and minijinja refuse the blocks.
    Left,
}

impl Layout {
    /// The layout as a Jinja chat template for transformers, with what a trainer learns in `{% generation %}` blocks.
    ///
    /// [`chat_template_with`](Layout::chat_template_with) leaves the blocks out, for engines that refuse them.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, ChatTemplate, Format, Layout, Message};
    ///
    /// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    /// let template = ChatTemplate::new(&Layout::MAGNUM.chat_template())?;
    /// assert_eq!(template.render(&chat)?.as_str(), Layout::MAGNUM.render(&chat)?.as_str());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn chat_template(&self) -> String {
        self.chat_template_with(GenerationMarks::Written)
    }

    /// The layout as a Jinja chat template for `tokenizer_config.json`.
    ///
    /// It renders alike in transformers, plain jinja2, `@huggingface/jinja`, llama.cpp, minijinja and
    /// [`ChatTemplate`](crate::ChatTemplate). Its `raise_exception` refuses what the layout refuses, as far as Jinja can
    /// tell, and names the message. Jinja cannot read JSON: arguments that are sent as text are printed as they are, and
    /// results of v2 and v3 are taken for JSON by how they look.
    ///
    /// ```
    /// use mistral_chat_template::template::GenerationMarks;
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// let template = ChatTemplate::new(&Layout::V13.chat_template_with(GenerationMarks::Left))?;
    /// assert!(!template.marks_generated());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn chat_template_with(&self, marks: GenerationMarks) -> String {
        let blocks = self.blocks(marks);
        let mut body = String::new();
        let tools = blocks.has("tools_first") || blocks.has("tools_last");
        for (needed, block) in [
            (tools || blocks.has("calls"), JSON_TEXT),
            (tools || blocks.has("calls"), JSON),
            (blocks.has("calls"), TOOL_CALLS),
            (blocks.has("ids_of_nine") || blocks.has("ids_not_empty"), CHECK_ID),
            (blocks.has("results_named") || blocks.has("results_object"), RESULT_JSON),
            (!blocks.has("no_results"), TOOL_RESULT),
            (blocks.has("trims"), TRIM_REPLY),
            (tools, BEFORE_USER),
            (blocks.has("system_in_user"), SYSTEM_PROMPT),
            (true, FIRST),
            (true, MESSAGES),
        ] {
            if needed {
                blocks.write(block, &mut body);
            }
        }
        let used = VARIABLES.iter().filter(|(name, _)| body.contains(&format!("ns.{name}")));
        let variables: Vec<_> = used.map(|(name, value)| format!("{name}={value}")).collect();
        let learnt = match marks {
            GenerationMarks::Written => ": what stands in `generation` blocks is learnt",
            GenerationMarks::Left => "",
        };
        format!(
            "{{#- The layout {}{learnt}. #}}\n{{%- set ns = namespace({}) %}}\n{{%- set bracket = '[]'[:1] %}}\n{body}",
            self.name,
            variables.join(", ")
        )
    }

    /// What the blocks of this layout's template ask for.
    fn blocks(&self, marks: GenerationMarks) -> Blocks {
        let mut blocks = Blocks::default();
        self.texts(&mut blocks);
        self.turns(&mut blocks, marks);
        self.tool_blocks(&mut blocks);
        self.setting_blocks(&mut blocks);
        blocks
    }

    /// Content: runs of text, and what else the messages of each role hold.
    fn texts(&self, blocks: &mut Blocks) {
        let spaces = self.word_start.is_space();
        blocks.fact("spaces", spaces);
        blocks.value("space", self.word_start.printed().to_owned());
        blocks.value("chunk_join", quoted(self.chunk_join));
        let kinds = [Role::System, Role::User, Role::Assistant, Role::Tool].map(|role| (role, self.kinds(role)));
        let any = |name: &str| kinds.iter().any(|(_, kinds)| kinds.iter().any(|kind| kind.as_str() == name));
        blocks.fact("thinking", any("thinking"));
        blocks.fact("images", any("image") || any("image_url"));
        blocks.fact("audio", any("input_audio") || any("audio_url"));
        blocks
            .fact("tracks_pieces", spaces || self.trim_reply || any("image") || any("image_url") || any("input_audio"));
        for (role, kinds) in &kinds {
            let names: Vec<_> = kinds.iter().map(|kind| quoted(kind.as_str())).collect();
            let name = match role {
                Role::System => "system_kinds",
                Role::User => "user_kinds",
                Role::Assistant => "assistant_kinds",
                Role::Tool => "tool_kinds",
            };
            blocks.value(name, names.join(", "));
        }
        blocks.value("open_thinking", control(Control::Think));
        blocks.value("close_thinking", control(Control::EndThink));
        let thinking_space = if spaces { "(' ' if chunk.thinking else '')" } else { "''" };
        blocks.value("space_of_thinking", thinking_space.to_owned());
        blocks.value("image", control(Control::Img));
        blocks.value("image_length", Control::Img.as_str().len().to_string());
        blocks.value("audio", control(Control::Audio));
    }

    /// The kinds of chunks beside text that a role's messages hold.
    fn kinds(&self, role: Role) -> Vec<ChunkKind> {
        let has = |feature| self.features.contains(feature);
        let holds = |kind: &ChunkKind| match kind {
            ChunkKind::Text => false,
            ChunkKind::Thinking => self.thinking.has_tokens() && has(Feature::Think),
            ChunkKind::Image | ChunkKind::ImageUrl => has(Feature::Image),
            ChunkKind::InputAudio | ChunkKind::AudioUrl => has(Feature::Audio),
        };
        let chunks = self.rules.chunks.of(role);
        let kinds =
            [ChunkKind::Thinking, ChunkKind::Image, ChunkKind::ImageUrl, ChunkKind::InputAudio, ChunkKind::AudioUrl];
        kinds.into_iter().filter(|kind| chunks.contains(*kind) && holds(kind)).collect()
    }

    /// The frames of turns, and where the system prompt goes.
    fn turns(&self, blocks: &mut Blocks, marks: GenerationMarks) {
        let spaces = self.word_start.is_space();
        blocks.value("user_open", self.opening(self.user.open));
        blocks.value("user_close", quoted(self.user.close.as_str()));
        let goes_on = matches!(self.user.open, Mark::Text(text) if !text.is_empty());
        let in_user = self.system.in_user().is_some();
        blocks.value("space_of_system", if spaces && !goes_on { "' '" } else { "''" }.to_owned());
        let space = match (spaces && !goes_on, in_user) {
            (false, _) => "",
            (true, false) => "(' ' if ns.begins_with == 'text' else '') ~ ",
            (true, true) => "(' ' if ns.begins_with == 'text' and (ns.media or not system) else '') ~ ",
        };
        blocks.value("space_of_user", space.to_owned());
        let place = match self.system {
            System::InUser { turn, join } => {
                blocks.value("system_join", quoted(join));
                Some(turn)
            }
            System::OwnTurn(frame) => {
                blocks.fact("system_turn", true);
                blocks.value("system_open", self.opening(frame.open));
                blocks.value("system_close", quoted(frame.close.as_str()));
                None
            }
        };
        blocks.fact("system_in_user", in_user);
        blocks.fact("system_last", place.is_some_and(UserTurn::is_last));
        let any_place = |is_meant: fn(UserTurn) -> bool| [place, self.tools].into_iter().flatten().any(is_meant);
        blocks.fact("at_first", any_place(UserTurn::is_first));
        let drops_old = self.old_tool_turns.drops();
        blocks.fact("drops_old", drops_old);
        blocks.fact("last_user", any_place(UserTurn::is_last) || drops_old);
        blocks.fact("generation", marks == GenerationMarks::Written);
        blocks.fact("trims", self.trim_reply);
        let thinks = !self.kinds(Role::Assistant).is_empty();
        blocks.value("only_text", if thinks { " and not ns.media" } else { "" }.to_owned());
        blocks.fact("either", self.rules.text_and_calls.exclude_each_other());
        let open = match self.reply.open {
            Mark::Text("") => String::new(),
            open => format!("{} ~ ", self.opening(open)),
        };
        blocks.value("reply_open", open);
        let close = match self.reply.close {
            Mark::Control(Control::Eos) => "eos_token".to_owned(),
            close => quoted(close.as_str()),
        };
        blocks.value("reply_close", close);
    }

    /// Tools, calls and results.
    fn tool_blocks(&self, blocks: &mut Blocks) {
        let space = self.word_start.printed();
        match self.tools {
            None => {}
            Some(UserTurn::First) => blocks.fact("tools_first", true),
            Some(UserTurn::Last) => blocks.fact("tools_last", true),
        }
        blocks.value("open_tools", quoted(&format!("{}{space}[{{", Control::AvailableTools)));
        blocks.value("close_tools", quoted(&format!("]{}", Control::EndAvailableTools)));
        let (calls, in_list, with_ids) = match self.calls {
            ToolCalls::None => (false, false, false),
            ToolCalls::List => (true, true, false),
            ToolCalls::ListWithIds => (true, true, true),
            ToolCalls::NameIdArguments => (true, false, true),
            ToolCalls::NameArguments => (true, false, false),
        };
        blocks.fact("calls", calls);
        blocks.fact("calls_in_list", in_list);
        blocks.fact("calls_with_ids", with_ids);
        blocks.value("open_calls", quoted(&format!("{}{space}", Control::ToolCalls)));
        blocks.value("call_id", quoted(&format!("{}{space}", Control::CallId)));
        blocks.value("args", quoted(&format!("{}{space}", Control::Args)));
        blocks.value("print_calls", if calls { " ~ tool_calls(ns.calls)" } else { "" }.to_owned());
        match self.rules.call_ids {
            CallIds::Unchecked => {}
            CallIds::NineAlphanumeric => blocks.fact("ids_of_nine", calls),
            CallIds::NotEmpty => blocks.fact("ids_not_empty", calls),
        }
        let results = match self.results {
            ToolResults::None => "no_results",
            ToolResults::NamedList => "results_named",
            ToolResults::Object => "results_object",
            ToolResults::IdThenContent => "results_by_id",
            ToolResults::Content => "results_bare",
        };
        blocks.fact(results, true);
        blocks.fact(if self.rules.pairing.is_by_id() { "by_id" } else { "in_order" }, self.results.are_written());
        // A result that is printed as JSON has no space of its own.
        blocks.value("results_run", if self.results.are_json() { " or role == 'tool'" } else { "" }.to_owned());
        blocks.value("open_result", control(Control::ToolResults));
        blocks.value("close_result", control(Control::EndToolResults));
        blocks.value("tool_content", control(Control::ToolContent));
    }

    fn setting_blocks(&self, blocks: &mut Blocks) {
        let space = self.word_start.printed();
        blocks.value("open_settings", quoted(&format!("{}{space}", Control::ModelSettings)));
        blocks.value("close_settings", control(Control::EndModelSettings));
        match self.settings {
            Settings::Unknown => blocks.fact("no_effort", true),
            Settings::Missing => blocks.fact("no_settings", true),
            Settings::Block { effort, schema } => {
                blocks.fact("settings", true);
                blocks.fact("schema", schema.is_printed());
                if let Some(effort) = effort {
                    let efforts: Vec<_> = effort.values.iter().map(|value| quoted(value.as_str())).collect();
                    blocks.fact("effort", true);
                    blocks.value("efforts", efforts.join(", "));
                    blocks.value("default_effort", quoted(effort.default.as_str()));
                }
            }
        }
    }

    /// A frame's mark before which no text stands: text there begins a run.
    fn opening(&self, mark: Mark) -> String {
        match mark {
            Mark::Text(text) if !text.is_empty() => quoted(&format!("{}{text}", self.word_start.printed())),
            mark => quoted(mark.as_str()),
        }
    }
}

/// A text as a Jinja string.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

fn control(control: Control) -> String {
    quoted(control.as_str())
}

/// What a template keeps in mind, and how it begins.
const VARIABLES: [(&str, &str); 14] = [
    ("before", "''"),
    ("said", "''"),
    ("text", "false"),
    ("run", "false"),
    ("glue", "''"),
    ("begins_with", "''"),
    ("media", "false"),
    ("late_image", "false"),
    ("thinks", "false"),
    ("calls", "[]"),
    ("results", "[]"),
    ("last_user", "-1"),
    ("user_first", "false"),
    ("told_first", "false"),
];

const JSON_TEXT: &str = include_str!("write/json_text.jinja");
const JSON: &str = include_str!("write/json.jinja");
const TOOL_CALLS: &str = include_str!("write/tool_calls.jinja");
const CHECK_ID: &str = include_str!("write/check_id.jinja");
const RESULT_JSON: &str = include_str!("write/result_json.jinja");
const TOOL_RESULT: &str = include_str!("write/tool_result.jinja");
const TRIM_REPLY: &str = include_str!("write/trim_reply.jinja");
const BEFORE_USER: &str = include_str!("write/before_user.jinja");
const SYSTEM_PROMPT: &str = include_str!("write/system_prompt.jinja");
const FIRST: &str = include_str!("write/first.jinja");
const MESSAGES: &str = include_str!("write/messages.jinja");

/// What holds of a layout, by name, and the values that its blocks print.
#[derive(Default)]
struct Blocks {
    facts: Vec<&'static str>,
    values: Vec<(&'static str, String)>,
}

impl Blocks {
    fn fact(&mut self, name: &'static str, holds: bool) {
        if holds {
            self.facts.push(name);
        }
    }

    fn value(&mut self, name: &'static str, value: String) {
        self.values.push((name, value));
    }

    fn has(&self, fact: &str) -> bool {
        self.facts.contains(&fact)
    }

    /// Adds a block's lines that the layout asks for.
    fn write(&self, block: &str, out: &mut String) {
        let mut chosen = Vec::new();
        for line in block.lines() {
            match line.strip_prefix('%').map(|directive| directive.split_once(' ').unwrap_or((directive, ""))) {
                Some(("if", fact)) => chosen.push(self.has(fact)),
                Some(("else", _)) => {
                    if let Some(last) = chosen.last_mut() {
                        *last = !*last;
                    }
                }
                Some(_) => {
                    chosen.pop();
                }
                None if chosen.iter().all(|chosen| *chosen) => self.line(line, out),
                None => {}
            }
        }
    }

    fn line(&self, line: &str, out: &mut String) {
        let mut parts = line.split('@');
        out.push_str(parts.next().unwrap_or_default());
        while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
            if let Some((_, value)) = self.values.iter().find(|(known, _)| *known == name) {
                out.push_str(value);
            }
            out.push_str(rest);
        }
        out.push('\n');
    }
}
