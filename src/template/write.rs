//! A [`Layout`] into the Jinja chat template that says the same, to be put beside a model's weights.
//!
//! The template is made of blocks, one for each thing that a layout says; the layout's fields choose among them.

use crate::chat::Role;
use crate::control::Control;
use crate::layout::{
    CallIds, ChunkKind, History, Layout, Mark, Pairing, SchemaSetting, Settings, System, TextAndCalls, Thinking,
    ToolCalls, ToolResults, UserTurn, WordStart,
};
use crate::version::Feature;

impl Layout {
    /// The layout as a Jinja chat template for `tokenizer_config.json`, for transformers and whoever renders as it does.
    ///
    /// What a trainer learns stands in `{% generation %}` blocks, and `raise_exception` refuses what the layout refuses,
    /// as far as Jinja can tell. Jinja cannot read JSON: arguments that are sent as text are printed as they are, and
    /// results of v2 and v3 are taken for JSON by how they look.
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
        let mut writer = TemplateWriter { layout: self, out: String::new() };
        writer.write();
        writer.out
    }
}

struct TemplateWriter<'l> {
    layout: &'l Layout,
    out: String,
}

/// A text as a Jinja string.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

fn control(control: Control) -> String {
    quoted(control.as_str())
}

/// What a template keeps in mind, and how it begins.
const VARIABLES: [(&str, &str); 11] = [
    ("text", "false"),
    ("run", "false"),
    ("fresh", "false"),
    ("image_first", "false"),
    ("shape", "''"),
    ("reply", "''"),
    ("calls", "[]"),
    ("open", "[]"),
    ("results", "[]"),
    ("last_user", "-1"),
    ("tools_done", "false"),
];

const ALPHANUMERIC: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl TemplateWriter<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Adds a block with its names in `@` replaced.
    fn block(&mut self, text: &str, names: &[(&str, &str)]) {
        let mut block = text.to_owned();
        for (name, value) in names {
            block = block.replace(&format!("@{name}@"), value);
        }
        self.out.push_str(&block);
    }

    /// Is a space printed before each run of text?
    fn spaces(&self) -> bool {
        self.layout.word_start == WordStart::Space
    }

    fn has(&self, feature: Feature) -> bool {
        self.layout.features.contains(feature)
    }

    fn write(&mut self) {
        self.say();
        self.content();
        self.tools();
        if let System::InUser { join, .. } = self.layout.system {
            self.system_prompt(join);
        }
        self.calls();
        self.results();
        self.line("\n{{- bos_token }}");
        self.checks();
        self.messages();
        let body = std::mem::take(&mut self.out);
        let name = self.layout.name;
        self.line(&format!("{{#- The layout {name}: what is said in `generation` blocks is learnt. #}}"));
        let used = VARIABLES.iter().filter(|(name, _)| body.contains(&format!("ns.{name}")));
        let variables: Vec<_> = used.map(|(name, value)| format!("{name}={value}")).collect();
        self.line(&format!("{{%- set ns = namespace({}) %}}", variables.join(", ")));
        self.out.push_str(&body);
    }

    /// Does anything stand at a user turn that is told from others by this?
    fn stands_at(&self, turn: UserTurn) -> bool {
        let system = matches!(self.layout.system, System::InUser { turn: other, .. } if other == turn);
        system || self.layout.tools == Some(turn) || (turn == UserTurn::Last && self.drops_old_calls())
    }

    fn drops_old_calls(&self) -> bool {
        self.layout.old_tool_turns == History::Drop
    }

    /// Do the messages of a role hold anything but text?
    fn holds_more_than_text(&self, role: Role) -> bool {
        self.kinds(role) != "[]"
    }

    /// The macro that prints a text: with what stands before it.
    fn say(&mut self) {
        let space = if self.spaces() {
            "(join if ns.text else (' ' if not ns.run else ''))"
        } else {
            "(join if ns.text else '')"
        };
        self.block(SAY, &[("before", space)]);
    }

    /// The macro that prints a message's content.
    fn content(&mut self) {
        // Messages are joined by this, and so may chunks be.
        match self.layout.chunk_join {
            "\n\n" => self.block(CONTENT, &[("before", ""), ("join", "'\\n\\n'"), ("after", "")]),
            join => {
                let join = format!("'\\n\\n' if ns.fresh else {}", quoted(join));
                self.block(CONTENT, &[("before", FRESH), ("join", &join), ("after", NOT_FRESH)]);
            }
        }
        if self.layout.thinking == Thinking::Tokens && self.has(Feature::Think) {
            let tokens = [("open", &*control(Control::Think)), ("close", &*control(Control::EndThink))];
            self.block(CONTENT_THINKING, &tokens);
        }
        if self.has(Feature::Image) {
            self.block(CONTENT_IMAGE, &[("token", &control(Control::Img))]);
        }
        if self.has(Feature::Audio) {
            self.block(CONTENT_AUDIO, &[("token", &control(Control::Audio))]);
        }
        self.out.push_str(CONTENT_END);
    }

    /// The kinds of chunks that a role's messages hold, as a Jinja list.
    fn kinds(&self, role: Role) -> String {
        let chunks = self.layout.rules.chunks.of(role);
        let mut kinds = Vec::new();
        if chunks.contains(ChunkKind::Thinking) && self.has(Feature::Think) {
            kinds.push("'thinking'");
        }
        if chunks.contains(ChunkKind::Image) && self.has(Feature::Image) {
            kinds.push("'image'");
        }
        if (chunks.contains(ChunkKind::AudioUrl) || chunks.contains(ChunkKind::InputAudio)) && self.has(Feature::Audio)
        {
            kinds.push("'audio'");
        }
        format!("[{}]", kinds.join(", "))
    }

    fn tools(&mut self) {
        let space = if self.spaces() { " " } else { "" };
        if self.layout.tools.is_none() {
            return;
        }
        self.line("\n{#- The tools and the settings, before a user turn. #}\n{%- macro before_user() %}");
        self.block(
            TOOLS,
            &[
                ("open", &quoted(&format!("{}{space}[", Control::AvailableTools))),
                ("close", &quoted(&format!("]{}", Control::EndAvailableTools))),
            ],
        );
        if let Settings::Block { effort, schema } = self.layout.settings {
            self.line("    {%- set settings = namespace(parts=[]) %}");
            if schema == SchemaSetting::Printed {
                self.out.push_str(SCHEMA);
            }
            if let Some(effort) = effort {
                let values: Vec<_> = effort.values.iter().map(|value| quoted(value.as_str())).collect();
                self.block(EFFORT, &[("values", &values.join(", ")), ("default", &quoted(effort.default.as_str()))]);
            }
            self.block(
                SETTINGS,
                &[
                    ("open", &quoted(&format!("{}{space}", Control::ModelSettings))),
                    ("close", &control(Control::EndModelSettings)),
                ],
            );
        }
        self.line("{%- endmacro %}");
    }

    fn system_prompt(&mut self, join: &str) {
        let cut = if self.holds_more_than_text(Role::User) { SYSTEM_CUT } else { "" };
        self.block(SYSTEM_IN_USER, &[("join", &quoted(join)), ("cut", cut)]);
    }

    fn calls(&mut self) {
        let space = if self.spaces() { " " } else { "" };
        let open = quoted(&format!("{}{space}", Control::ToolCalls));
        let id_check = match self.layout.rules.call_ids {
            CallIds::Unchecked => "",
            CallIds::NineAlphanumeric => CHECK_NINE,
            CallIds::NotEmpty => CHECK_NOT_EMPTY,
        };
        if self.layout.calls != ToolCalls::None {
            self.block(CHECK_NAME, &[("letters", ALPHANUMERIC)]);
            if !id_check.is_empty() {
                self.block(CHECK_ID, &[("check", id_check), ("letters", ALPHANUMERIC)]);
            }
        }
        let checked = if id_check.is_empty() { "" } else { "        {{- check_id(call.id) }}\n" };
        let names = |id: &str| vec![("open", open.clone()), ("id", id.to_owned()), ("checked", checked.to_owned())];
        let (block, names) = match self.layout.calls {
            ToolCalls::None => return,
            ToolCalls::List => (CALL_LIST, names("")),
            ToolCalls::ListWithIds => (CALL_LIST, names(CALL_LIST_ID)),
            ToolCalls::NameArguments => (CALL, names("")),
            ToolCalls::NameIdArguments => {
                let call_id = quoted(&format!("{}{space}", Control::CallId));
                (CALL, names(&CALL_ID.replace("@call_id@", &call_id)))
            }
        };
        let args = quoted(&format!("{}{space}", Control::Args));
        let mut names: Vec<(&str, &str)> = names.iter().map(|(name, value)| (*name, &**value)).collect();
        names.push(("args", &args));
        self.out.push_str(ARGUMENTS);
        self.block(block, &names);
    }

    fn results(&mut self) {
        let space = if self.spaces() { " " } else { "" };
        let open = control(Control::ToolResults);
        let open_text = quoted(&format!("{}{space}", Control::ToolResults));
        let tool_content = control(Control::ToolContent);
        let kinds = self.kinds(Role::Tool);
        let block = match self.layout.results {
            ToolResults::None => return,
            ToolResults::NamedList => RESULT_NAMED,
            ToolResults::Object => RESULT_OBJECT,
            ToolResults::IdThenContent => RESULT_ID,
            ToolResults::Content => RESULT_CONTENT,
        };
        if matches!(self.layout.results, ToolResults::NamedList | ToolResults::Object) {
            self.block(RESULT_JSON, &[("join", &quoted(self.layout.chunk_join))]);
        }
        self.block(
            block,
            &[
                ("open", &open),
                ("open_text", &open_text),
                ("tool_content", &tool_content),
                ("kinds", &kinds),
                ("close", &control(Control::EndToolResults)),
            ],
        );
    }

    /// What is refused of the messages' order.
    fn checks(&mut self) {
        let last_user = if self.stands_at(UserTurn::Last) { LAST_USER } else { "" };
        self.block(CHECK_ORDER, &[("last_user", last_user)]);
        if self.layout.settings == Settings::Unknown {
            self.out.push_str(NO_EFFORT);
        }
    }

    fn messages(&mut self) {
        self.line("\n{#- The messages: those of one role in a row are one turn. #}");
        if let System::InUser { turn, .. } = self.layout.system {
            let at = |turn: UserTurn, what: &str| match turn {
                UserTurn::First => format!("    {{{{- {what} }}}}\n"),
                UserTurn::Last => {
                    format!("    {{%- if ns.last_user == -1 %}}\n        {{{{- {what} }}}}\n    {{%- endif %}}\n")
                }
            };
            let tools = self.layout.tools.map(|turn| at(turn, "before_user()")).unwrap_or_default();
            let done = if self.stands_at(UserTurn::First) { "    {%- set ns.tools_done = true %}\n" } else { "" };
            self.block(
                LEADING_USER,
                &[
                    ("system", &at(turn, "system_prompt()")),
                    ("tools", &tools),
                    ("done", done),
                    ("open", &self.mark(self.layout.user.open)),
                    ("close", &self.mark_after_text(self.layout.user.close)),
                    ("run", &self.opens_run("    ")),
                ],
            );
        }
        self.line("{%- for message in messages %}");
        self.line("    {%- set begins = loop.first or loop.previtem.role != message.role %}");
        self.line("    {%- set ends = loop.last or loop.nextitem.role != message.role %}");
        self.user();
        self.assistant();
        self.tool();
        self.system();
        self.out.push_str(UNKNOWN_ROLE);
    }

    /// A frame's mark, where no text stands before it.
    fn mark(&self, mark: Mark) -> String {
        match mark {
            Mark::Text(text) if self.spaces() && !text.is_empty() => quoted(&format!(" {text}")),
            mark => quoted(mark.as_str()),
        }
    }

    /// A frame's mark that goes on with the text before it.
    fn mark_after_text(&self, mark: Mark) -> String {
        quoted(mark.as_str())
    }

    /// Where a user turn begins with text, its content goes on with that.
    fn opens_run(&self, indent: &str) -> String {
        match self.layout.user.open {
            Mark::Text(_) => format!("{indent}{{%- set ns.run = true %}}\n"),
            Mark::Control(_) => String::new(),
        }
    }

    fn user(&mut self) {
        let place = |turn: UserTurn| match turn {
            UserTurn::First => "not ns.tools_done",
            UserTurn::Last => "loop.index0 == ns.last_user",
        };
        self.line("    {%- if message.role == 'user' %}");
        self.line("        {%- if begins %}");
        if let Some(turn) = self.layout.tools {
            self.block(
                "            {%- if @place@ %}\n                {{- before_user() }}\n            {%- endif %}\n",
                &[("place", place(turn))],
            );
        }
        if self.holds_more_than_text(Role::User) {
            self.out.push_str(USER_SHAPE);
        }
        let run = self.opens_run("            ");
        self.block(USER_BEGINS, &[("open", &self.mark(self.layout.user.open)), ("run", &run)]);
        if let System::InUser { turn, .. } = self.layout.system {
            self.block(
                "            {%- if @place@ %}\n                {{- system_prompt() }}\n            {%- endif %}\n",
                &[("place", place(turn))],
            );
        }
        if self.has(Feature::Image) {
            self.block(IMAGE_FIRST, &[("token", &control(Control::Img))]);
        }
        if self.stands_at(UserTurn::First) {
            self.line("            {%- set ns.tools_done = true %}");
        }
        self.line("        {%- endif %}");
        let (kinds, close) = (self.kinds(Role::User), self.mark_after_text(self.layout.user.close));
        let after = if self.has(Feature::Image) { "            {%- set ns.image_first = false %}\n" } else { "" };
        self.block(USER_CONTENT, &[("kinds", &kinds), ("close", &close), ("after", after)]);
    }

    fn assistant(&mut self) {
        let kinds = self.kinds(Role::Assistant);
        let old = if self.drops_old_calls() { OLD_CALLS } else { "" };
        let calls = if self.layout.calls == ToolCalls::None { NO_CALLS } else { TAKE_CALLS };
        let check = match self.layout.rules.text_and_calls {
            TextAndCalls::Either => EITHER,
            TextAndCalls::Both => ANY_REPLY,
        };
        let is_trimmed_as_text = self.layout.trim_reply && self.holds_more_than_text(Role::Assistant);
        let (shape, begin_shape) = if is_trimmed_as_text { (REPLY_SHAPE, BEGIN_REPLY_SHAPE) } else { ("", "") };
        let trim = match self.layout.trim_reply {
            true if is_trimmed_as_text => "(ns.reply.rstrip(' ') if ns.shape == '' else ns.reply)",
            true => "ns.reply.rstrip(' ')",
            false => "ns.reply",
        };
        let pairs = self.layout.rules.pairing == Pairing::ById && self.layout.results != ToolResults::None;
        let open = if pairs { "            {%- set ns.open = ns.calls %}\n" } else { "" };
        let print = if self.layout.calls == ToolCalls::None { "''" } else { "tool_calls(ns.calls)" };
        self.block(
            ASSISTANT,
            &[
                ("old", old),
                ("calls", calls),
                ("check", check),
                ("kinds", &kinds),
                ("trim", trim),
                ("shape", shape),
                ("begin_shape", begin_shape),
                ("open", open),
                ("print_calls", print),
            ],
        );
    }

    fn tool(&mut self) {
        self.line("    {%- elif message.role == 'tool' %}");
        let ids = self.layout.rules.call_ids != CallIds::Unchecked && self.layout.calls != ToolCalls::None;
        if ids {
            self.line("        {{- check_id(message.tool_call_id) }}");
        }
        match (self.layout.results, self.layout.rules.pairing) {
            (ToolResults::None, _) => {
                self.line("        {{- raise_exception('There are no tools to have results.') }}")
            }
            (_, Pairing::ById) => self.out.push_str(RESULTS_BY_ID),
            (_, Pairing::ByCount) if self.layout.old_tool_turns == History::Drop => {
                self.line("        {%- if loop.index0 > ns.last_user %}\n            {{- tool_result(message) }}\n        {%- endif %}");
            }
            (_, Pairing::ByCount) => self.line("        {{- tool_result(message) }}"),
        }
    }

    fn system(&mut self) {
        self.line("    {%- elif message.role == 'system' %}");
        if let System::OwnTurn(frame) = self.layout.system {
            let kinds = self.kinds(Role::System);
            self.block(
                SYSTEM_TURN,
                &[("open", &self.mark(frame.open)), ("close", &self.mark_after_text(frame.close)), ("kinds", &kinds)],
            );
        }
    }
}

const SAY: &str = r"
{#- A text, and before it what joins it to the text that stands there. #}
{%- macro say(text, join) %}
    {%- if text %}
        {{- @before@ ~ text }}
        {%- set ns.text = true %}
        {%- set ns.run = true %}
    {%- endif %}
{%- endmacro %}

{#- What is no text ends it: nothing joins what follows. #}
{%- macro cut(token) %}
    {{- token }}
    {%- set ns.text = false %}
    {%- set ns.run = false %}
{%- endmacro %}
";

const CONTENT: &str = r"
{#- A message's content: a text, or a list of chunks. #}
{%- macro write(content, kinds) %}
    {%- if content is string %}
        {{- say(content, '\n\n') }}
    {%- elif content %}
@before@        {%- for chunk in content %}
            {%- if chunk.type == 'text' %}
                {{- say(chunk.text, @join@) }}
@after@";

const FRESH: &str = r"        {%- set ns.fresh = ns.text %}
";

const NOT_FRESH: &str = r"                {%- if chunk.text %}
                    {%- set ns.fresh = false %}
                {%- endif %}
";

const CONTENT_THINKING: &str = r"            {%- elif chunk.type == 'thinking' and 'thinking' in kinds %}
                {{- cut(@open@) }}
                {{- say(chunk.thinking, '') }}
                {{- cut(@close@ if chunk.get('closed', true) else '') }}
";

const CONTENT_AUDIO: &str = r"            {%- elif chunk.type in ['input_audio', 'audio_url'] and 'audio' in kinds %}
                {{- cut(@token@) }}
";

const CONTENT_IMAGE: &str = r"            {%- elif chunk.type in ['image', 'image_url'] and 'image' in kinds %}
                {%- if not ns.image_first %}
                    {{- cut(@token@) }}
                {%- endif %}
";

const CONTENT_END: &str = r"            {%- else %}
                {{- raise_exception('A message of this role cannot hold a chunk of type ' ~ chunk.type ~ '.') }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
";

const TOOLS: &str = r#"    {%- if tools %}
        {{- @open@ }}
        {%- for tool in tools %}
            {{- ', ' if not loop.first }}
            {{- {'type': 'function', 'function': {'name': tool.function.name, 'description': tool.function.description or '', 'parameters': tool.function.parameters or {}}}|tojson }}
        {%- endfor %}
        {{- @close@ }}
    {%- endif %}
"#;

const SCHEMA: &str = r#"    {%- if response_format is defined and response_format and response_format.type == 'json_schema' %}
        {%- set settings.parts = settings.parts + ['"json_schema": ' ~ response_format.json_schema.schema|tojson] %}
    {%- elif response_format is defined and response_format and response_format.type == 'json_object' %}
        {%- set settings.parts = settings.parts + ['"json_schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}'] %}
    {%- endif %}
"#;

const EFFORT: &str = r#"    {%- set effort = reasoning_effort if reasoning_effort is defined and reasoning_effort is not none else @default@ %}
    {%- if effort not in [@values@] %}
        {{- raise_exception('The reasoning effort is one of ' ~ [@values@]|join(', ') ~ '.') }}
    {%- endif %}
    {%- set settings.parts = settings.parts + ['"reasoning_effort": "' ~ effort ~ '"'] %}
"#;

const SETTINGS: &str = r"    {%- if settings.parts %}
        {{- @open@ ~ '{' ~ settings.parts|join(', ') ~ '}' ~ @close@ }}
    {%- endif %}
";

const SYSTEM_IN_USER: &str = r"
{#- Every system message as one text, at the beginning of a user turn. #}
{%- macro system_prompt() %}
    {%- set prompt = namespace(any=false, told=false) %}
    {%- for system in messages if system.role == 'system' and system.content %}
        {%- if prompt.any %}
            {%- set ns.text = false %}
            {{- say('\n\n', '') }}
            {%- set prompt.told = true %}
        {%- endif %}
        {%- set ns.text = false %}
        {{- write(system.content, []) }}
        {%- set prompt.told = prompt.told or ns.text %}
        {%- set prompt.any = true %}
    {%- endfor %}
    {%- set ns.text = false %}
    {%- if prompt.told %}
        {{- say(@join@, '') }}
        {%- set ns.text = false %}
@cut@    {%- endif %}
{%- endmacro %}
";

const SYSTEM_CUT: &str = r"        {%- if ns.shape.strip('t') %}
            {%- set ns.run = false %}
        {%- endif %}
";

const CHECK_NAME: &str = r"
{%- macro check_name(name) %}
    {%- if name|length == 0 or name|length > 64 %}
        {{- raise_exception('A function has a name of 1 to 64 characters.') }}
    {%- endif %}
    {%- for character in name if character not in '@letters@_-' %}
        {{- raise_exception('A function name has letters, digits, underscores and dashes only.') }}
    {%- endfor %}
{%- endmacro %}
";

const CHECK_ID: &str = r"
{%- macro check_id(id) %}
@check@{%- endmacro %}
";

const CHECK_NINE: &str = r"    {%- if id is not defined or id is none or id|length != 9 %}
        {{- raise_exception('A call and its result have an id of 9 letters or digits.') }}
    {%- endif %}
    {%- for character in id if character not in '@letters@' %}
        {{- raise_exception('A call and its result have an id of 9 letters or digits.') }}
    {%- endfor %}
";

const CHECK_NOT_EMPTY: &str = r"    {%- if id is not defined or id is none or id in ['', 'null'] %}
        {{- raise_exception('A call and its result have an id.') }}
    {%- endif %}
";

const ARGUMENTS: &str = r"
{%- macro arguments_of(call) %}
    {%- set arguments = call.function.arguments %}
    {{- (arguments or '{}') if arguments is string else arguments|tojson }}
{%- endmacro %}
";

const CALL_LIST: &str = r#"
{#- The tool calls of a turn, as one list. #}
{%- macro tool_calls(calls) %}
    {%- for call in calls %}
@checked@        {{- check_name(call.function.name) }}
        {{- @open@ ~ '[' if loop.first else ', ' }}
        {{- '{"name": ' ~ call.function.name|tojson ~ ', "arguments": ' ~ arguments_of(call) }}
@id@        {{- '}]' if loop.last else '}' }}
    {%- endfor %}
{%- endmacro %}
"#;

const CALL_LIST_ID: &str = r#"        {{- ', "id": ' ~ call.id|tojson }}
"#;

const CALL: &str = r"
{#- The tool calls of a turn, one after another. #}
{%- macro tool_calls(calls) %}
    {%- for call in calls %}
@checked@        {{- check_name(call.function.name) }}
        {{- @open@ ~ call.function.name }}
@id@        {{- @args@ ~ arguments_of(call) }}
    {%- endfor %}
{%- endmacro %}
";

const CALL_ID: &str = r"        {{- @call_id@ ~ call.id }}
";

const RESULT_JSON: &str = r#"
{#- A result as JSON, where it looks like that, or else as a string. #}
{%- macro json_of(content) %}
    {%- if content is not string %}
        {%- set parts = namespace(texts=[]) %}
        {%- for chunk in content %}
            {%- if chunk.type != 'text' %}
                {{- raise_exception('A tool result holds text only.') }}
            {%- endif %}
            {%- if chunk.text %}
                {%- set parts.texts = parts.texts + [chunk.text] %}
            {%- endif %}
        {%- endfor %}
        {%- set content = parts.texts|join(@join@) %}
    {%- endif %}
    {%- set bare = content.strip(' \t\n\r') %}
    {%- if bare == '' and content == '' %}
        {{- '{}' }}
    {%- elif bare in ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'] or bare == bare|int|string or bare == bare|float|string and bare not in ['inf', '-inf', 'nan'] %}
        {{- bare }}
    {%- elif bare[:1] == '{' and bare[-1:] == '}' and bare[1:].lstrip(' \t\n\r')[:1] in '"}' or bare[:1] == '[' and bare[-1:] == ']' and bare[1:].lstrip(' \t\n\r')[:1] in '"{[]-0123456789tfnNI' or bare[:1] == '"' and bare[-1:] == '"' and bare|length > 1 %}
        {{- bare }}
    {%- else %}
        {{- content|tojson }}
    {%- endif %}
{%- endmacro %}
"#;

const RESULT_NAMED: &str = r#"
{%- macro tool_result(message) %}
    {{- cut(@open_text@) ~ '[{"name": ' ~ message.name|default(none)|tojson ~ ', "content": ' ~ json_of(message.content) ~ '}]' ~ @close@ }}
{%- endmacro %}
"#;

const RESULT_OBJECT: &str = r#"
{%- macro tool_result(message) %}
    {{- cut(@open_text@) ~ '{"content": ' ~ json_of(message.content) ~ ', "call_id": ' ~ message.tool_call_id|tojson ~ '}' ~ @close@ }}
{%- endmacro %}
"#;

const RESULT_ID: &str = r"
{%- macro tool_result(message) %}
    {{- cut(@open_text@) ~ message.tool_call_id ~ cut(@tool_content@) }}
    {{- write(message.content, @kinds@) ~ cut(@close@) }}
{%- endmacro %}
";

const RESULT_CONTENT: &str = r"
{%- macro tool_result(message) %}
    {{- cut(@open@) }}
    {{- write(message.content, @kinds@) ~ cut(@close@) }}
{%- endmacro %}
";

const CHECK_ORDER: &str = r"
{#- What cannot be a chat is refused. #}
{%- if not messages %}
    {{- raise_exception('A chat needs at least one message.') }}
{%- endif %}
{%- if messages|length == 1 and messages[0].role not in ['user', 'system'] %}
    {{- raise_exception('A chat of one message is a user or system message.') }}
{%- endif %}
{%- for message in messages %}
    {%- if not loop.first %}
        {%- set before = loop.previtem.role %}
        {%- if message.role == 'tool' and before in ['user', 'system'] or message.role == 'system' and before in ['assistant', 'tool'] %}
            {{- raise_exception('A ' ~ message.role ~ ' message cannot follow a message of the role ' ~ before ~ '.') }}
        {%- endif %}
    {%- endif %}
@last_user@{%- endfor %}
";

const LAST_USER: &str = r"    {%- if message.role == 'user' and (loop.first or loop.previtem.role != 'user') %}
        {%- set ns.last_user = loop.index0 %}
    {%- endif %}
";

const NO_EFFORT: &str = r"{%- if reasoning_effort is defined and reasoning_effort is not none %}
    {{- raise_exception('There is no reasoning effort to set.') }}
{%- endif %}
";

const LEADING_USER: &str = r"{%- set talk = namespace(first='') %}
{%- for message in messages if message.role != 'system' %}
    {%- set talk.first = talk.first or message.role %}
{%- endfor %}
{%- if talk.first != 'user' %}
@tools@    {{- cut(@open@) }}
@run@@system@    {{- cut(@close@) }}
@done@{%- endif %}
";

const USER_SHAPE: &str = r"            {#- What the turn holds: t is text, i an image, x anything else. #}
            {%- set ns.shape = '' %}
            {%- for later in messages[loop.index0:] %}
                {%- if later.role != 'user' %}
                    {%- break %}
                {%- endif %}
                {%- if later.content is string %}
                    {%- set ns.shape = ns.shape ~ ('t' if later.content else '') %}
                {%- else %}
                    {%- for chunk in later.content %}
                        {%- if chunk.type == 'text' %}
                            {%- set ns.shape = ns.shape ~ ('t' if chunk.text else '') %}
                        {%- else %}
                            {%- set ns.shape = ns.shape ~ ('i' if chunk.type in ['image', 'image_url'] else 'x') %}
                        {%- endif %}
                    {%- endfor %}
                {%- endif %}
            {%- endfor %}
";

const USER_BEGINS: &str = r"            {{- cut(@open@) }}
@run@";

const IMAGE_FIRST: &str = r"            {#- One image after text comes before it. #}
            {%- set ns.image_first = ns.shape|length > 1 and ns.shape[-1:] == 'i' and ns.shape.strip('t') == 'i' and ns.shape[:1] == 't' %}
            {%- if ns.image_first %}
                {{- cut(@token@) }}
            {%- endif %}
";

const USER_CONTENT: &str = r"        {{- write(message.content, @kinds@) }}
        {%- if ends %}
            {{- cut(@close@) }}
@after@        {%- endif %}
";

const NO_CALLS: &str = r"        {%- if message.tool_calls %}
            {{- raise_exception('Tools cannot be called.') }}
        {%- endif %}
";

const TAKE_CALLS: &str = r"        {%- if message.tool_calls %}
            {%- set ns.calls = ns.calls + message.tool_calls %}
        {%- endif %}
";

const EITHER: &str = r"        {%- if (message.content and message.tool_calls) or not (message.content or message.tool_calls) %}
            {{- raise_exception('An assistant message holds either text or tool calls.') }}
        {%- endif %}
";

const ANY_REPLY: &str = r"        {%- if ends and ns.reply == '' and not ns.calls %}
            {{- raise_exception('An assistant message needs text or a tool call.') }}
        {%- endif %}
";

const OLD_CALLS: &str = r"    {%- elif message.role == 'assistant' and message.tool_calls and loop.index0 < ns.last_user %}
        {#- The calls of earlier turns are left out, and their results. #}
";

const BEGIN_REPLY_SHAPE: &str = r"            {%- set ns.shape = '' %}
";

const REPLY_SHAPE: &str = r"        {%- if message.content is not string and message.content %}
            {%- for chunk in message.content if chunk.type != 'text' %}
                {%- set ns.shape = 'x' %}
            {%- endfor %}
        {%- endif %}
";

const ASSISTANT: &str = r"@old@    {%- elif message.role == 'assistant' %}
        {%- if begins %}
            {%- set ns.reply = '' %}
            {%- set ns.calls = [] %}
@begin_shape@            {{- cut('') }}
        {%- endif %}
@shape@        {%- set ns.reply = ns.reply ~ write(message.content, @kinds@) %}
@calls@@check@        {%- if ends %}
            {%- generation %}
                {{- @trim@ ~ @print_calls@ ~ eos_token }}
            {%- endgeneration %}
@open@            {{- cut('') }}
        {%- endif %}
";

const RESULTS_BY_ID: &str = r"        {%- set ns.results = [message] if begins else ns.results + [message] %}
        {%- if ends %}
            {#- In the order of the calls, whatever the order they came in. #}
            {%- set found = namespace(count=0) %}
            {%- for call in ns.open %}
                {%- for result in ns.results if result.tool_call_id == call.id %}
                    {%- set found.count = found.count + 1 %}
                    {{- tool_result(result) }}
                {%- endfor %}
            {%- endfor %}
            {%- if loop.index0 + 1 == ns.results|length %}
                {#- They begin the chat: there are no calls to answer. #}
                {%- for result in ns.results %}
                    {{- tool_result(result) }}
                {%- endfor %}
            {%- elif found.count != ns.results|length %}
                {{- raise_exception('Each tool result has the id of one call before it.') }}
            {%- endif %}
        {%- endif %}
";

const SYSTEM_TURN: &str = r"        {{- cut(@open@) }}
        {{- write(message.content, @kinds@) ~ cut(@close@) }}
";

const UNKNOWN_ROLE: &str = r"    {%- else %}
        {{- raise_exception('The roles are system, user, assistant and tool, and not ' ~ message.role ~ '.') }}
    {%- endif %}
{%- endfor %}
";
