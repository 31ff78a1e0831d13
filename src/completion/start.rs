//! Where an answer begins: a prompt in, a reader out that goes on from its end.

use super::delta::Delta;
use super::reader::{CompletionReader, DummyPrefix, Run};
use crate::chat::{Chat, Role};
use crate::control::Control;
use crate::error::Error;
use crate::format::Format;
use crate::layout::Mark;
use crate::prompt::{Prompt, Segment, Span, SpanKind};

impl CompletionReader {
    /// This reader, for an answer that goes on from a prompt's end: inside of thinking that is open, in the middle of a
    /// text (where no dummy prefix stands before what is sampled), or in a call that was begun to force it. Comes after
    /// the other settings.
    ///
    /// What the prompt has of the answer already is not told again, except for a call that is open: the client cannot
    /// know of it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Chunk, Completion, CompletionReader, Content, Control, Format, Layout};
    /// use mistral_chat_template::completion::Delta;
    /// use mistral_chat_template::version::Feature;
    /// # use mistral_chat_template::{AssistantMessage, Message};
    ///
    /// let layout = Layout::V13.with(Feature::Think);
    /// let begun = Chunk::Thinking { text: "Hm, the user".into(), closed: false };
    /// let chat = Chat::new([
    ///     Message::user("Hi"),
    ///     Message::Assistant(AssistantMessage { content: vec![begun].into(), prefix: true, ..Default::default() }),
    /// ]);
    /// let mut reader = CompletionReader::new(&layout).after(&layout.render(&chat)?);
    /// let mut completion = Completion::default();
    /// completion.extend(reader.push_text(" greets me."));
    /// completion.extend(reader.push_control(Control::EndThink));
    /// completion.extend(reader.push_text("Hello!"));
    /// assert_eq!(completion.message.content, vec![Chunk::thinking(" greets me."), Chunk::text("Hello!")].into());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn after(mut self, prompt: &Prompt) -> Self {
        let begun = self.begun(prompt);
        let text = |span: &Span| prompt.as_str().get(span.range.clone()).unwrap_or_default();
        let segments: Vec<Segment<'_>> = begun
            .iter()
            .filter_map(|span| match span.kind {
                SpanKind::Control(control) => Some(Segment::Control(control)),
                SpanKind::Text(start) => {
                    Some(Segment::Text(text(span).strip_prefix(start.printed()).unwrap_or(text(span))))
                }
                SpanKind::MoreText => Some(Segment::Text(text(span))),
                SpanKind::Media(_) => None,
            })
            .collect();
        self.go_on(&segments);
        self
    }

    /// This reader, for an answer to a chat, which may end with a message to be continued: it knows the chat's tools, and
    /// goes on from the prompt. Comes after the other settings.
    ///
    /// # Errors
    ///
    /// As [`Format::render`]: the layout refuses the chat.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, CompletionReader, Layout, Message};
    /// use mistral_chat_template::completion::{Delta, DummyPrefix};
    ///
    /// let chat = Chat::new([Message::user("Count."), Message::prefix("One, two")]);
    /// let reader = CompletionReader::new(&Layout::V7).with_dummy_prefix(DummyPrefix::Present);
    /// let mut reader = reader.after_chat(&chat)?;
    /// assert_eq!(reader.push_text(" and").next(), Some(Delta::Text(" and".to_owned())), "the space is the model's own");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn after_chat(self, chat: &Chat<'_>) -> Result<Self, Error> {
        let prompt = self.layout.render(chat)?;
        Ok(self.with_tools(&chat.tools).after(&prompt))
    }

    /// This reader, for an answer whose beginning is given, such as a call that the server forces by adding
    /// `[TOOL_CALLS]`, a name and `[ARGS]` to the prompt's ids. Comes after the other settings.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Layout, Segment};
    ///
    /// let forced = [Segment::Control(Control::ToolCalls), Segment::Text("now"), Segment::Control(Control::Args)];
    /// let reader = CompletionReader::new(&Layout::V13).after_segments(&forced);
    /// let message = reader.read(r#"{"zone": "UTC"}</s>"#).into_result()?;
    /// assert_eq!((&*message.tool_calls[0].name, &*message.tool_calls[0].arguments), ("now", r#"{"zone": "UTC"}"#));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn after_segments(mut self, begun: &[Segment<'_>]) -> Self {
        self.go_on(begun);
        self
    }

    /// The spans at the prompt's end that are of the answer: after the last control token that no answer has.
    fn begun(&self, prompt: &Prompt) -> Vec<Span> {
        match self.layout.user.close {
            Mark::Control(_) => prompt.spans_behind(|span| match span.kind {
                SpanKind::Control(control) => !control.is_in_answers(),
                SpanKind::Media(_) => true,
                SpanKind::Text(_) | SpanKind::MoreText => false,
            }),
            // Turns are parted by text.
            Mark::Text(_) => prompt.spans_behind(|span| span.role != Some(Role::Assistant) || !span.is_text()),
        }
    }

    fn go_on(&mut self, begun: &[Segment<'_>]) {
        let call = begun.iter().rposition(|segment| *segment == Segment::Control(Control::ToolCalls));
        let begun = begun.get(call.unwrap_or_default()..).unwrap_or_default();
        let dummy_prefix = std::mem::replace(&mut self.dummy_prefix, DummyPrefix::Absent);
        let mut told = Vec::new();
        for segment in begun {
            told.extend(self.push_segment(*segment));
        }
        self.dummy_prefix = dummy_prefix;
        if call.is_some() {
            told.into_iter().for_each(|delta| self.deltas.push(delta));
        }
        let ends_with_text = matches!(begun.last(), Some(Segment::Text(text)) if !text.is_empty());
        let run = if ends_with_text { Run::Open } else { Run::First };
        if self.begin_at(run) {
            self.deltas.push(Delta::ThinkingStart);
        }
    }
}
