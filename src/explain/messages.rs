//! A prompt in pieces into messages, and each [`Deviation`] on the way.

use std::ops::Range;

use super::deviation::{Deviation, DeviationKind};
use super::pieces::{Piece, Side, foreign, parting, pieces};
use crate::chat::{AssistantMessage, Chat, Chunk, Content, Message, ReasoningEffort, ResponseFormat, Role, Tool};
use crate::completion::{Completion, CompletionReader};
use crate::control::{Control, Vocabulary};
use crate::error::ErrorKind;
use crate::layout::{Frame, Layout, System, ToolCalls};
use crate::prompt::Media;

/// How the spaces beside literals are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    /// What the layout does not write was said.
    Said,
    /// What the layout does not write is a deviation.
    Judged,
}

/// Reads one prompt.
pub(super) struct Turns<'p> {
    pub(super) prompt: &'p str,
    pub(super) layout: &'p Layout,
    literals: Vocabulary,
    spacing: Spacing,
    pieces: Vec<Piece>,
    at: usize,
    pub(super) deviations: Vec<Deviation>,
    pub(super) messages: Vec<Message<'static>>,
    pub(super) tools: Vec<Tool<'static>>,
    pub(super) effort: Option<ReasoningEffort>,
    pub(super) format: ResponseFormat<'static>,
    pub(super) users: Vec<UserTurn>,
    /// The tools with their control tokens.
    pub(super) tools_block: Option<Range<usize>>,
    /// How many calls had no id in the prompt, and how many results.
    numbered: [usize; 2],
}

/// Where a user turn stands.
pub(super) struct UserTurn {
    /// Its beginning, with all that stands before it and belongs to it.
    pub(super) start: usize,
    /// What the user says.
    pub(super) text: Range<usize>,
}

/// The literal on each side of a run of text, and the spaces that the layout writes there.
#[derive(Clone, Copy)]
struct Edges {
    after: Option<(&'static str, &'static str)>,
    before: Option<(&'static str, &'static str)>,
}

impl<'p> Turns<'p> {
    pub(super) fn new(prompt: &'p str, layout: &'p Layout, spacing: Spacing) -> Self {
        let literals = parting(layout);
        Turns {
            prompt,
            layout,
            literals,
            spacing,
            pieces: pieces(prompt, literals),
            at: 0,
            deviations: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            effort: None,
            format: ResponseFormat::Text,
            users: Vec::new(),
            tools_block: None,
            numbered: [0; 2],
        }
    }

    /// Reads it all into a chat.
    pub(super) fn into_chat(mut self) -> Chat<'static> {
        self.read();
        let begins_with_user = self.layout.system.in_user().is_some();
        if begins_with_user && matches!(&self.messages[..], [Message::User(content), _, _, ..] if content.is_empty()) {
            // The layout begins with a user turn, be there one or not; but no reply is a chat of its own.
            self.messages.remove(0);
        }
        Chat {
            tools: self.tools,
            reasoning_effort: self.effort,
            response_format: self.format,
            ..Chat::new(self.messages)
        }
    }

    /// Does a system message say this?
    pub(super) fn says_system(&self, system: &str) -> bool {
        let says = |message: &Message<'_>| matches!(message, Message::System(content) if content.joined("") == system);
        self.messages.iter().any(says)
    }

    /// Where the prompt goes on after `<s>`.
    pub(super) fn after_begin(&self) -> usize {
        let begin = self.pieces.iter().take_while(|piece| piece.control == Some(Control::Bos) || self.is_blank(piece));
        begin.last().map_or(0, |piece| piece.range.end)
    }

    /// Reads it all.
    pub(super) fn read(&mut self) {
        self.begin();
        // Where the next turn begins, with the blocks that stand before it.
        let mut turn_start = None;
        while let Some(piece) = self.pieces.get(self.at).cloned() {
            let start = turn_start.take().unwrap_or(piece.range.start);
            match piece.control {
                None if self.is_lead_of_user(&piece) => {
                    self.at += 1;
                    turn_start = Some(start);
                }
                None if self.is_blank(&piece) => self.blank(&piece),
                Some(Control::Bos) => self.drop_piece(DeviationKind::StrayBegin),
                Some(Control::Eos) if self.awaits_reply() => self.reply(),
                Some(Control::Eos) => self.drop_piece(DeviationKind::StrayEnd),
                Some(control) if self.opens_user(control) => self.user(start),
                Some(control) if self.opens_system(control) => self.system(),
                Some(Control::AvailableTools) => {
                    self.tools();
                    turn_start = Some(start);
                }
                Some(Control::ModelSettings) => {
                    self.settings();
                    turn_start = Some(start);
                }
                Some(Control::ToolResults) => self.result(),
                None | Some(Control::ToolCalls | Control::Think) => self.reply(),
                Some(control) => self.drop_piece(DeviationKind::StrayControl { control }),
            }
        }
    }

    fn begin(&mut self) {
        let first = self.pieces.iter().position(|piece| !self.is_blank(piece)).unwrap_or_default();
        match self.pieces.get(first) {
            Some(Piece { control: Some(Control::Bos), .. }) => {
                for _ in 0..first {
                    self.drop_piece(DeviationKind::Blank);
                }
                self.at += 1;
                while self.control() == Some(Control::Bos) {
                    self.drop_piece(DeviationKind::DoubleBegin);
                }
            }
            _ => self.note(DeviationKind::MissingBegin, 0..0, Some(Control::Bos.as_str())),
        }
    }

    // What comes next.

    fn control(&self) -> Option<Control> {
        self.pieces.get(self.at)?.control
    }

    /// The byte at which the next piece begins.
    fn position(&self) -> usize {
        self.pieces.get(self.at).map_or(self.prompt.len(), |piece| piece.range.start)
    }

    fn str(&self, range: Range<usize>) -> &'p str {
        self.prompt.get(range).unwrap_or_default()
    }

    fn is_blank(&self, piece: &Piece) -> bool {
        piece.control.is_none() && self.str(piece.range.clone()).trim().is_empty()
    }

    /// Has someone spoken whom the model answers?
    fn awaits_reply(&self) -> bool {
        matches!(self.messages.last(), Some(Message::User(_) | Message::Tool(_)))
    }

    fn opens_user(&self, control: Control) -> bool {
        Side::of(self.layout.user.open).is_some_and(|side| side.control == control)
    }

    fn opens_system(&self, control: Control) -> bool {
        match self.layout.system {
            System::OwnTurn(frame) => Side::of(frame.open).is_some_and(|side| side.control == control),
            System::InUser { .. } => false,
        }
    }

    fn opens_turn(&self, control: Control) -> bool {
        self.opens_user(control)
            || self.opens_system(control)
            || matches!(control, Control::Bos | Control::AvailableTools | Control::ModelSettings | Control::ToolResults)
    }

    fn printed(&self) -> &'static str {
        self.layout.word_start.printed()
    }

    // What is wrong.

    pub(super) fn note(&mut self, kind: DeviationKind, range: Range<usize>, mend: Option<&str>) {
        self.deviations.push(Deviation { kind, range, mend: mend.map(str::to_owned) });
    }

    fn drop_piece(&mut self, kind: DeviationKind) {
        if let Some(piece) = self.pieces.get(self.at) {
            let range = piece.range.clone();
            self.note(kind, range, Some(""));
        }
        self.at += 1;
    }

    /// Is this the space that SentencePiece sets before a user turn whose frame is text?
    fn is_lead_of_user(&self, piece: &Piece) -> bool {
        let next = self.pieces.get(self.at + 1).and_then(|next| next.control);
        let is_text = Side::of(self.layout.user.open).is_some_and(|side| side.is_text);
        is_text
            && next.is_some_and(|control| self.opens_user(control))
            && self.str(piece.range.clone()) == self.printed()
    }

    /// White space between turns, or at the end of the prompt: it is what the reply begins with, or nothing at all.
    fn blank(&mut self, piece: &Piece) {
        let next = self.pieces.get(self.at + 1).and_then(|next| next.control);
        let in_reply = match next {
            None => self.spacing == Spacing::Said,
            Some(control) => !self.opens_turn(control),
        };
        if in_reply {
            self.reply();
            return;
        }
        let mend = match next {
            Some(control) if self.opens_user(control) && self.user_frame_is_text() => self.printed(),
            _ => "",
        };
        self.note(DeviationKind::Blank, piece.range.clone(), Some(mend));
        self.at += 1;
    }

    fn user_frame_is_text(&self) -> bool {
        Side::of(self.layout.user.open).is_some_and(|side| side.is_text)
    }

    // The turns.

    fn user(&mut self, start: usize) {
        let position = self.position();
        let follows_lead =
            self.at.checked_sub(1).and_then(|at| self.pieces.get(at)).is_some_and(|piece| piece.control.is_none());
        if self.user_frame_is_text() && !follows_lead && !self.printed().is_empty() {
            let literal = self.control().map_or("", Control::as_str);
            self.note(DeviationKind::MissingSpace { beside: literal }, position..position, Some(self.printed()));
        }
        let (content, text) = self.framed(self.layout.user, Role::User);
        if let (Some(_), Some(Message::User(_))) = (self.layout.system.in_user(), self.messages.last()) {
            // Only a system message of no words keeps two user turns apart.
            self.messages.push(Message::system(""));
        }
        self.users.push(UserTurn { start, text });
        self.messages.push(Message::User(content));
    }

    fn system(&mut self) {
        if let Some(frame) = self.layout.system.own_turn() {
            let (content, _) = self.framed(*frame, Role::System);
            self.messages.push(Message::System(content));
        }
    }

    /// A turn between two literals.
    fn framed(&mut self, frame: Frame, role: Role) -> (Content<'static>, Range<usize>) {
        self.at += 1;
        let (Some(open), Some(close)) = (Side::of(frame.open), Side::of(frame.close)) else {
            return (Content::default(), 0..0);
        };
        let end = self.close_of(close.control);
        let start = self.position();
        let mut chunks = Vec::new();
        let lead = if open.is_text { open.after } else { self.printed() };
        let mut edges = Edges { after: Some((open.control.as_str(), lead)), before: None };
        let first = self.at;
        let mut from = first;
        for at in first..=end {
            let control = self.pieces.get(at).and_then(|piece| piece.control);
            let media = control.filter(|_| at < end).and_then(|control| self.media(control));
            if media.is_none() && at < end {
                continue;
            }
            let is_whole = from == first && at == end;
            if at == end {
                edges.before = Some((close.control.as_str(), close.before));
            }
            if from < at || (is_whole && open.is_text) {
                let text = self.run(from..at, edges, role);
                chunks.push(Chunk::text(text));
            }
            if let (Some(media), Some(control)) = (media, control) {
                chunks.push(placeholder(media, role));
                edges = Edges { after: Some((control.as_str(), self.printed())), before: None };
            }
            from = at + 1;
        }
        self.at = end;
        let text = start..self.position();
        match self.control() {
            Some(_) => self.at += 1,
            None => {
                let literal = close.control.as_str();
                let position = self.position();
                self.note(DeviationKind::Unclosed { literal }, position..position, Some(literal));
            }
        }
        let content = match <[Chunk<'static>; 1]>::try_from(chunks) {
            Ok([Chunk::Text(text)]) => Content::Text(text),
            Ok(chunk) => Content::Chunks(chunk.into()),
            Err(chunks) if chunks.is_empty() => Content::default(),
            Err(chunks) => Content::Chunks(chunks),
        };
        (content, text)
    }

    /// The piece that closes a turn: the last of its kind before what can only follow a closed one.
    fn close_of(&self, close: Control) -> usize {
        let mut found = None;
        for (at, piece) in self.pieces.iter().enumerate().skip(self.at) {
            match piece.control {
                Some(control) if control == close => found = Some(at),
                Some(control) if found.is_some() && self.media(control).is_none() => break,
                _ => {}
            }
        }
        found.unwrap_or(self.pieces.len())
    }

    fn media(&self, control: Control) -> Option<Media> {
        [Media::Image, Media::Audio].into_iter().find(|media| {
            media.placeholder() == control
                && self.layout.features.iter().any(|feature| feature.name() == media.as_str())
        })
    }

    /// The text of some pieces, read as one run.
    fn run(&mut self, range: Range<usize>, edges: Edges, role: Role) -> String {
        let bound = |at: usize| self.pieces.get(at).map_or(self.prompt.len(), |piece| piece.range.start);
        let (mut start, mut end) = (bound(range.start), bound(range.end));
        if let Some(beside) = self.spaces_alone(start..end, edges) {
            self.note(DeviationKind::ExtraSpace { beside }, start..end, Some(""));
            return String::new();
        }
        if let Some((beside, tail)) = edges.before {
            end = self.tail(start..end, beside, tail);
        }
        if let Some((beside, lead)) = edges.after {
            start = self.lead(start..end, beside, lead);
        }
        let mut text = String::new();
        for at in range {
            let Some(piece) = self.pieces.get(at).cloned() else { break };
            let clipped = piece.range.start.max(start)..piece.range.end.min(end);
            match piece.control {
                Some(control) if self.spacing == Spacing::Judged => {
                    let (bracket, rest) = control.as_str().split_at_checked(1).unwrap_or_default();
                    let mend = format!("{bracket} {rest}");
                    self.note(DeviationKind::LiteralInText { control, role }, clipped, Some(&mend));
                    text.push_str(&mend);
                }
                _ => {
                    self.foreign(clipped.clone());
                    text.push_str(self.str(clipped));
                }
            }
        }
        text
    }

    /// The literal before a run of spaces, where the layout writes nothing for a text of nothing.
    fn spaces_alone(&self, range: Range<usize>, edges: Edges) -> Option<&'static str> {
        let is_blank = self.str(range).trim_start_matches(' ').is_empty();
        let writes_none = edges.before.is_none_or(|(_, tail)| tail.is_empty());
        let (beside, _) = edges.after?;
        (self.spacing == Spacing::Judged && is_blank && writes_none).then_some(beside)
    }

    fn foreign(&mut self, range: Range<usize>) {
        if self.spacing == Spacing::Judged {
            let text = self.str(range.clone());
            for found in foreign(text, self.literals) {
                let literal = text.get(found.clone()).unwrap_or_default().to_owned();
                let at = range.start + found.start..range.start + found.end;
                self.note(DeviationKind::UnknownControl { literal }, at, None);
            }
        }
    }

    /// Where a run begins, past the spaces before it.
    fn lead(&mut self, range: Range<usize>, beside: &'static str, lead: &'static str) -> usize {
        let text = self.str(range.clone());
        let Some(rest) = text.strip_prefix(lead) else {
            self.note(DeviationKind::MissingSpace { beside }, range.start..range.start, Some(lead));
            return range.start;
        };
        let start = range.start + lead.len();
        let extra = rest.len() - rest.trim_start_matches(' ').len();
        if self.spacing == Spacing::Said || extra == 0 {
            return start;
        }
        self.note(DeviationKind::ExtraSpace { beside }, start..start + extra, Some(""));
        start + extra
    }

    /// Where a run ends, before the spaces after it.
    fn tail(&mut self, range: Range<usize>, beside: &'static str, tail: &'static str) -> usize {
        let text = self.str(range.clone());
        let Some(rest) = text.strip_suffix(tail) else {
            self.note(DeviationKind::MissingSpace { beside }, range.end..range.end, Some(tail));
            return range.end;
        };
        let end = range.start + rest.len();
        let extra = rest.len() - rest.trim_end_matches(' ').len();
        // Of spaces alone, those before are judged.
        if self.spacing == Spacing::Said || extra == 0 || extra == rest.len() {
            return end;
        }
        self.note(DeviationKind::ExtraSpace { beside }, end - extra..end, Some(""));
        end - extra
    }

    /// A reply, up to its end token or the next turn.
    fn reply(&mut self) {
        let start = self.position();
        let mut reader = CompletionReader::new(self.layout);
        let mut completion = Completion::default();
        let mut after = self.at.checked_sub(1).and_then(|at| self.pieces.get(at)).and_then(|piece| piece.control);
        let mut only_text = true;
        while let Some(piece) = self.pieces.get(self.at).cloned() {
            match piece.control {
                None => {
                    let next = self.pieces.get(self.at + 1).and_then(|next| next.control);
                    let ends = matches!(next, None | Some(Control::Eos | Control::ToolCalls));
                    let trims = ends && only_text && self.layout.trim_reply;
                    let beside = next.map_or(self.layout.reply.close.as_str(), Control::as_str);
                    let edges = Edges {
                        after: Some((after.map_or("", Control::as_str), self.printed())),
                        before: trims.then_some((beside, "")),
                    };
                    let text = self.run(self.at..self.at + 1, edges, Role::Assistant);
                    completion.extend(reader.push_text(&text));
                }
                Some(Control::Eos) => {
                    completion.extend(reader.push_control(Control::Eos));
                    self.at += 1;
                    break;
                }
                Some(control) if self.opens_turn(control) => {
                    let end = self.layout.reply.close.as_str();
                    let position = self.position();
                    self.note(DeviationKind::MissingEnd, position..position, Some(end));
                    completion.extend(reader.push_control(Control::Eos));
                    break;
                }
                Some(control) if control.is_in_answers() => {
                    only_text = false;
                    completion.extend(reader.push_control(control));
                }
                Some(control) => {
                    self.drop_piece(DeviationKind::StrayControl { control });
                    continue;
                }
            }
            after = piece.control;
            self.at += 1;
        }
        completion.finish(reader.finish());
        // A caller may have given arguments that are not an object, and a layout writes them.
        if let Some(error) = completion.error.as_ref().filter(|error| !is_written(error.kind())) {
            let range = start..self.position();
            self.note(DeviationKind::Unreadable { why: error.to_string() }, range, None);
        }
        let mut message = completion.message;
        self.number(&mut message);
        if self.layout.trim_reply && message.content.is_empty() && message.tool_calls.is_empty() {
            // A reply of spaces is written as nothing.
            message.content = Content::from(" ");
        }
        if let Some(Message::Assistant(AssistantMessage { weight: None, .. })) = self.messages.last() {
            // Only another weight keeps two replies apart.
            message.weight = Some(1.0);
        }
        self.messages.push(Message::Assistant(message));
    }

    /// Gives calls that the prompt shows no id of one of their own.
    fn number(&mut self, message: &mut AssistantMessage<'static>) {
        let shows_ids = match self.layout.calls {
            ToolCalls::NameArguments => false,
            // Nobody misses an id in a plain list, whose layouts check none.
            ToolCalls::None | ToolCalls::List | ToolCalls::ListWithIds | ToolCalls::NameIdArguments => true,
        };
        if !shows_ids {
            let [calls, _] = &mut self.numbered;
            for call in &mut message.tool_calls {
                call.id = Some(format!("call{calls:05}").into());
                *calls += 1;
            }
        }
    }

    /// The id of the next result, in a prompt that shows none.
    pub(super) fn next_result_id(&mut self) -> String {
        let [_, results] = &mut self.numbered;
        *results += 1;
        format!("call{:05}", *results - 1)
    }

    /// The inside of a block between two control tokens: its text, and where the block stands.
    pub(super) fn block(&mut self, close: Control) -> (String, Range<usize>) {
        let start = self.position();
        let open = self.control();
        self.at += 1;
        let from = self.at;
        while self.pieces.get(self.at).is_some_and(|piece| piece.control != Some(close)) {
            self.at += 1;
        }
        let edges = Edges { after: open.map(|control| (control.as_str(), self.printed())), before: None };
        let text = if from < self.at { self.run(from..self.at, edges, Role::Tool) } else { String::new() };
        if self.at < self.pieces.len() {
            self.at += 1;
        } else {
            let end = self.prompt.len();
            self.note(DeviationKind::Unclosed { literal: close.as_str() }, end..end, Some(close.as_str()));
        }
        (text, start..self.position())
    }

    /// The inside of a block that a control token parts in two.
    pub(super) fn two_part_block(&mut self, middle: Control, close: Control) -> (String, String, Range<usize>) {
        let parts = self.pieces.iter().skip(self.at + 1).map(|piece| piece.control);
        let parting = parts.take_while(|control| *control != Some(close)).position(|control| control == Some(middle));
        let Some(length) = parting else {
            let (content, range) = self.block(close);
            return (String::new(), content, range);
        };
        let open = self.control();
        let (start, from) = (self.position(), self.at + 1);
        self.at = from + length;
        let edges = Edges { after: open.map(|control| (control.as_str(), self.printed())), before: None };
        let first = if length > 0 { self.run(from..self.at, edges, Role::Tool) } else { String::new() };
        let (second, range) = self.block(close);
        (first, second, start..range.end)
    }

    pub(super) fn unreadable(&mut self, why: impl ToString, range: Range<usize>) {
        self.note(DeviationKind::Unreadable { why: why.to_string() }, range, None);
    }
}

/// Does a layout write such calls, when a caller gave them?
const fn is_written(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::CallArgumentsType { .. } | ErrorKind::CallArgumentsNotObject { .. })
}

/// What stands for an image or a sound, of which a prompt only shows the place.
fn placeholder(media: Media, role: Role) -> Chunk<'static> {
    match (media, role) {
        (Media::Image, _) => Chunk::image_url("https://image.invalid/"),
        (Media::Audio, Role::System) => Chunk::InputAudio("AAAA".into()),
        (Media::Audio, _) => Chunk::AudioUrl("https://audio.invalid/".into()),
    }
}
