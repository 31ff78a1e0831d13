//! What of a chat a template does with: the beginning, the end of a reply, reasoning, tools, results and their ids.

use super::{Lint, LintKind};
use crate::chat::Sent;
use crate::prompt::Prompt;
use crate::template::{ChatTemplate, GenerationPrompt};

/// Words that stand in a chat only where a probe put them.
const QUESTION: &str = "Zwei und zwei?";
const REPLY: &str = "It is quattro.";

impl ChatTemplate {
    /// What becomes of chats that each hold one thing to look for.
    pub(super) fn behaviour(&self) -> Vec<Lint> {
        let template = self.dated().generation_prompt(GenerationPrompt::LeftOut);
        let prompt = |messages: &str, tools: &str| {
            let user = format!(r#"{{"role": "user", "content": "{QUESTION}"}}"#);
            let json = format!(r#"{{"messages": [{}], "tools": {tools}}}"#, messages.replace("USER", &user));
            let sent = Sent::from_json(&json).ok()?;
            template.render_sent(&sent).ok().filter(|prompt| prompt.as_str().contains(QUESTION))
        };
        let holds = |prompt: &Option<Prompt>, word: &str| prompt.as_ref().map(|prompt| prompt.as_str().contains(word));
        let reply = |members: &str| format!(r#"{{"role": "assistant", "content": "{REPLY}"{members}}}"#);
        let mut found = Vec::new();
        let mut note = |kind, said: &str| {
            let (line, construct, engines, met) = (None, None, Vec::new(), true);
            found.push(Lint { kind, line, construct, engines, met, sentence: said.to_owned() });
        };

        let answered = prompt(&format!("USER, {}", reply("")), "null");
        let asked_again = prompt(&format!("USER, {}, USER", reply("")), "null");
        let begin = self.special_tokens.iter().find(|(name, _)| name == "bos_token").map_or("", |(_, text)| text);
        let begins = |prompt: &Option<Prompt>| match (prompt, begin) {
            (None, _) | (_, "") => 0,
            (Some(prompt), begin) => prompt.as_str().matches(begin).count(),
        };
        if begins(&asked_again).max(begins(&answered)) > 1 {
            note(LintKind::BeginsTwice, "`bos_token` stands more than once in a conversation");
        } else if self.tokenizer_begins == Some(true) && begins(&answered) == 1 {
            note(
                LintKind::TokenizerBegins,
                "the template prints `bos_token`, and the tokenizer adds it again (`add_bos_token`): encode without special tokens",
            );
        }
        let end = answered.as_ref().and_then(|prompt| prompt.as_str().rsplit_once(REPLY)).map(|(_, end)| end.trim());
        if end == Some("") {
            note(LintKind::NoEnd, "nothing but white space follows a reply: print `eos_token` after it");
        }

        let system = prompt(r#"{"role": "system", "content": "Speak Esperanto."}, USER"#, "null");
        if holds(&system, "Speak Esperanto.") == Some(false) {
            note(LintKind::SystemDropped, "a system message is not printed");
        }

        let thought = "Sinistrorsum.";
        let forms = [
            reply(&format!(r#", "reasoning_content": "{thought}""#)),
            format!(
                r#"{{"role": "assistant", "content": [{{"type": "thinking", "thinking": [{{"type": "text", "text": "{thought}"}}]}}, {{"type": "text", "text": "{REPLY}"}}]}}"#
            ),
        ];
        let reasoned: Vec<_> =
            forms.iter().filter_map(|form| holds(&prompt(&format!("USER, {form}"), "null"), thought)).collect();
        if !reasoned.is_empty() && !reasoned.contains(&true) {
            note(
                LintKind::ReasoningDropped,
                "the reasoning of a reply is not printed, neither as `reasoning_content` nor as a chunk",
            );
        }

        let tool = |name: &str| {
            format!(
                r#"{{"type": "function", "function": {{"name": "{name}", "description": "Barometer reading.", "parameters": {{"type": "object", "properties": {{"city": {{"type": "string", "description": "Where."}}}}, "required": ["city"]}}}}}}"#
            )
        };
        let tools = format!("[{}, {}]", tool("barometer_a"), tool("barometer_b"));
        if holds(&prompt("USER", &tools), "barometer_a") == Some(false) {
            note(LintKind::ToolsDropped, "tools are not printed");
        }
        let call = |id: &str, name: &str, city: &str| {
            format!(
                r#"{{"id": "{id}", "type": "function", "function": {{"name": "{name}", "arguments": {{"city": "{city}"}}}}}}"#
            )
        };
        let result =
            |id: &str, text: &str| format!(r#"{{"role": "tool", "tool_call_id": "{id}", "content": "{text}"}}"#);
        let one = prompt(
            &format!(
                r#"USER, {{"role": "assistant", "content": "", "tool_calls": [{}]}}, {}"#,
                call("barocall1", "barometer_a", "Cusco"),
                result("barocall1", "1013 hectopascal")
            ),
            &tools,
        );
        let two = prompt(
            &format!(
                r#"USER, {{"role": "assistant", "content": "", "tool_calls": [{}, {}]}}, {}, {}"#,
                call("barocall1", "barometer_a", "Cusco"),
                call("barocall2", "barometer_b", "Potosi"),
                result("barocall1", "1013 hectopascal"),
                result("barocall2", "998 hectopascal")
            ),
            &tools,
        );
        let any = if two.is_some() { &two } else { &one };
        if holds(any, "Cusco") == Some(false) {
            note(LintKind::CallDropped, "the calls of a reply are not printed");
        }
        match (holds(any, "1013 hectopascal"), &two) {
            (Some(false), _) => note(LintKind::ResultDropped, "the results of tools are not printed"),
            (Some(true), Some(two)) => {
                let after = two.as_str().split_once("Potosi").map_or("", |(_, results)| results);
                if after.contains("hectopascal") && !(after.contains("barocall1") && after.contains("barocall2")) {
                    note(
                        LintKind::ResultIdDropped,
                        "the results of two calls are printed without the ids of their calls, by which a model tells them apart",
                    );
                }
            }
            _ => {}
        }
        found
    }
}
