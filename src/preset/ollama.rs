//! A [`Layout`] into a Modelfile of Ollama, whose template is one of Go's.

use std::fmt::Write;

use super::for_layout::{Sides, holds_macros};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{History, Layout, System, ToolCalls, ToolResults, UserTurn};

/// The Modelfile with which Ollama lays chats out as a layout does: system prompts, turns, tools, calls and results.
///
/// `FROM` names the model, `.` for what lies beside the file. Ollama adds `<s>` itself, writes the JSON of tools and
/// arguments without spaces, and knows the ids of calls since 0.13.
///
/// # Errors
///
/// [`ErrorKind::Unwritable`]: the layout has settings, as [`Layout::V15`], or writes what Go takes for an action (`{{`).
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::preset::ollama_modelfile;
///
/// let modelfile = ollama_modelfile(&Layout::V7_TEKKEN, ".")?;
/// assert!(modelfile.starts_with("FROM .\nTEMPLATE \"\"\"{{- $first := -1 }}"));
/// assert!(modelfile.ends_with("PARAMETER stop \"</s>\"\n"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
pub fn ollama_modelfile(layout: &Layout, from: &str) -> Result<String, Error> {
    let unwritable = |why| Err(Error::new(ErrorKind::Unwritable { why }, "").in_layout(layout.name));
    if layout.settings.are_always_printed() {
        return unwritable("its settings are nothing that Ollama's templates are given");
    }
    if holds_macros(layout) {
        return unwritable("it writes what Go's templates take for an action");
    }
    let stop = match layout.reply.close.as_str() {
        text if text.trim().is_empty() => Control::Eos.as_str(),
        text => text,
    };
    let template = Template { layout, space: layout.word_start.printed() }.text();
    Ok(format!("FROM {from}\nTEMPLATE \"\"\"{template}\"\"\"\nPARAMETER stop {stop:?}\n"))
}

struct Template<'l> {
    layout: &'l Layout,
    space: &'static str,
}

/// A text as an action, so that no `-` beside it trims it.
fn literal(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{{{{ {text:?} }}}}") }
}

impl Template<'_> {
    fn text(&self) -> String {
        let (user, reply) = (Sides::new(self.layout.user, self.space), Sides::new(self.layout.reply, self.space));
        let (user_open, user_close) = (literal(&user.open), literal(&user.close));
        let (reply_open, reply_close) = (literal(&reply.open), literal(&reply.close));
        let mut template = String::from(
            "{{- $first := -1 }}{{ $last := -1 }}\n\
             {{- range $i, $m := .Messages }}{{ if eq $m.Role \"user\" }}{{ $last = $i }}\n\
             {{- if lt $first 0 }}{{ $first = $i }}{{ end }}{{ end }}{{ end }}\n\
             {{- range $i, $m := .Messages }}\n",
        );
        let system = match self.layout.system {
            System::OwnTurn(frame) => {
                let system = Sides::new(frame, self.space);
                let (open, close) = (literal(&system.open), literal(&system.close));
                let _ = write!(
                    template,
                    "{{{{- if eq $m.Role \"system\" }}}}{open}{{{{ $m.Content }}}}{close}\n{{{{- else if "
                );
                String::new()
            }
            System::InUser { turn, join } => {
                template.push_str("{{- if ");
                let index = index_of(turn);
                format!("{{{{ if and $.System (eq $i {index}) }}}}{{{{ $.System }}}}{}{{{{ end }}}}", literal(join))
            }
        };
        let tools = self.tools();
        let assistant = match self.layout.old_tool_turns {
            History::Keep => "eq $m.Role \"assistant\"",
            // What has no text is a call, and an old one.
            History::Drop => "and (eq $m.Role \"assistant\") (or $m.Content (gt $i $last))",
        };
        let _ = write!(
            template,
            "eq $m.Role \"user\" }}}}{tools}{user_open}{system}{{{{ $m.Content }}}}{user_close}\n\
             {{{{- else if {assistant} }}}}{{{{ if $m.Content }}}}{reply_open}{{{{ $m.Content }}}}{{{{ end }}}}{}\
             {{{{ if lt $i (len (slice $.Messages 1)) }}}}{reply_close}{{{{ end }}}}\n",
            self.calls(),
        );
        template.push_str(&self.results());
        template + "{{- end }}{{ end }}"
    }

    fn tools(&self) -> String {
        let Some(turn) = self.layout.tools else { return String::new() };
        let (open, close) = (Control::AvailableTools, Control::EndAvailableTools);
        let (open, close) = (literal(&format!("{open}{}", self.space)), literal(close.as_str()));
        format!("{{{{ if and $.Tools (eq $i {}) }}}}{open}{{{{ $.Tools }}}}{close}{{{{ end }}}}", index_of(turn))
    }

    fn calls(&self) -> String {
        let (name, arguments) = ("{{ $c.Function.Name }}", "{{ $c.Function.Arguments }}");
        let open = literal(&format!("{}{}", Control::ToolCalls, self.space));
        let each = "{{ range $k, $c := $m.ToolCalls }}";
        let listed = |id: &str| {
            format!(
                "{{{{ if $m.ToolCalls }}}}{open}[{each}{{{{ if $k }}}}{{{{ \", \" }}}}{{{{ end }}}}\
                 {{\"name\": \"{name}\", \"arguments\": {arguments}{id}}}{{{{ end }}}}]{{{{ end }}}}"
            )
        };
        let (id, args) = (literal(Control::CallId.as_str()), literal(Control::Args.as_str()));
        match self.layout.calls {
            ToolCalls::None => String::new(),
            ToolCalls::List => listed(""),
            ToolCalls::ListWithIds => listed(", \"id\": \"{{ $c.ID }}\""),
            ToolCalls::NameIdArguments => {
                format!("{each}{open}{name}{id}{{{{ $c.ID }}}}{args}{arguments}{{{{ end }}}}")
            }
            ToolCalls::NameArguments => format!("{each}{open}{name}{args}{arguments}{{{{ end }}}}"),
        }
    }

    fn results(&self) -> String {
        let open = literal(&format!("{}{}", Control::ToolResults, self.space));
        let close = literal(Control::EndToolResults.as_str());
        let result = match self.layout.results {
            ToolResults::None => return String::new(),
            ToolResults::NamedList => "[{\"name\": \"{{ $m.ToolName }}\", \"content\": {{ $m.Content }}}]".to_owned(),
            ToolResults::Object => "{\"content\": {{ $m.Content }}, \"call_id\": \"{{ $m.ToolCallID }}\"}".to_owned(),
            ToolResults::IdThenContent => {
                format!(
                    "{{{{ $m.ToolCallID }}}}{}{{{{ $m.Content }}}}",
                    literal(&format!("{}{}", Control::ToolContent, self.space))
                )
            }
            ToolResults::Content => "{{ $m.Content }}".to_owned(),
        };
        let tool = match self.layout.old_tool_turns {
            History::Keep => "eq $m.Role \"tool\"",
            History::Drop => "and (eq $m.Role \"tool\") (gt $i $last)",
        };
        format!("{{{{- else if {tool} }}}}{open}{result}{close}\n")
    }
}

/// The variable that holds the index of a user turn.
fn index_of(turn: UserTurn) -> &'static str {
    match turn {
        UserTurn::First => "$first",
        UserTurn::Last => "$last",
    }
}
