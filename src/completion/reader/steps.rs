//! How a reader consumes text and control tokens: what is read in, deltas into the reader's queue out.

use super::{CompletionReader, DummyPrefix, EndToken, Place, Run};
use crate::completion::arguments::End;
use crate::completion::call::Call;
use crate::completion::delta::{Delta, Stray, StrayFate};
use crate::completion::fault::{Faults, call_path};
use crate::completion::finish_reason::StopCause;
use crate::completion::liberty::{Leniency, LibertyKind};
use crate::completion::list::CallList;
use crate::completion::literals::Part;
use crate::completion::opening::{Before, CLOSE_TAG, Found, OPEN_TAG, Opening};
use crate::completion::stops::longest_beginning;
use crate::completion::stream::Door;
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Mark, ToolCalls};

impl CompletionReader {
    pub(in crate::completion) fn spelled(&mut self, piece: &str) {
        let mut literals = std::mem::take(&mut self.literals);
        literals.push(piece, |part| self.part(part));
        self.literals = literals;
    }

    pub(super) fn part(&mut self, part: Part<'_>) {
        match part {
            Part::Control(control) => self.literal(control),
            Part::Text(text) => self.text(text),
        }
    }

    /// Takes what is held back as text.
    pub(in crate::completion) fn release(&mut self) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.text(char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]));
        }
        let mut literals = std::mem::take(&mut self.literals);
        literals.finish(|part| self.part(part));
        self.literals = literals;
    }

    /// Takes what spells a control token: it is one where one can stand.
    pub(super) fn literal(&mut self, control: Control) {
        if self.in_string() {
            // Should the string not end, this may have been the end all the same.
            if Mark::Control(control) == self.layout.reply.close {
                self.end_text();
                self.end = Some(EndToken { offset: self.offset, door: Door::Spelled });
                self.offset += control.as_str().len();
                return;
            }
            return self.text(control.as_str());
        }
        if matches!(self.place, Place::Text | Place::Thinking | Place::TaggedThinking { .. })
            && !self.can_stand(control)
        {
            self.end_text();
            let stray = Stray { control, offset: self.offset, fate: StrayFate::Text };
            self.flush_opening();
            self.text(control.as_str());
            return self.deltas.push(Delta::Stray(stray));
        }
        if self.is_after_call() && !control.is_in_answers() && Mark::Control(control) != self.layout.reply.close {
            let stray = Stray { control, offset: self.offset, fate: StrayFate::Text };
            self.end_text();
            self.text(control.as_str());
            return self.deltas.push(Delta::Stray(stray));
        }
        self.control(control, Door::Spelled);
    }

    /// Is a call or a list complete, behind which a lenient reader reads text?
    fn is_after_call(&self) -> bool {
        self.leniency == Leniency::Lenient
            && match &self.place {
                Place::Call(call) => call.is_complete(),
                Place::List(list) => list.is_complete(),
                Place::Text | Place::Thinking | Place::TaggedThinking { .. } | Place::CallBegins { .. } => false,
            }
    }

    /// Is a string of a call open, inside of which no control token can stand?
    pub(super) fn in_string(&self) -> bool {
        match &self.place {
            Place::Call(call) => call.in_string(),
            Place::List(list) => list.in_string(),
            Place::Text | Place::Thinking | Place::TaggedThinking { .. } | Place::CallBegins { .. } => false,
        }
    }

    /// Can the layout have this token where text or thinking is?
    pub(super) fn can_stand(&self, control: Control) -> bool {
        // An end token after the name, which more text makes text, parts them.
        let names_a_call = self.end.is_none()
            && match &self.opening {
                Some(opening) => opening.is_name() && opening.names_one_of(&self.tools),
                None => self.middle.is_name(&self.tools),
            };
        Mark::Control(control) == self.layout.reply.close
            || self.begins_calls(control)
            || self.is_thinking(control)
            || (names_a_call && matches!(control, Control::Args | Control::CallId))
    }

    pub(in crate::completion) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.end_text();
        let start = self.offset;
        self.offset += text.len();
        let printed = self.layout.word_start.is_space() && self.dummy_prefix == DummyPrefix::Present;
        let (run, unspaced) = (std::mem::replace(&mut self.run, Run::Open), text.strip_prefix(' '));
        match (run, unspaced) {
            (Run::First, Some(unspaced)) if printed => self.more(unspaced, start + 1),
            (Run::Later, _) if !printed => {
                self.more(self.layout.word_start.printed(), start);
                self.more(text, start);
            }
            _ => self.more(text, start),
        }
    }

    /// More comes after an end token: where it was only spelled, it is text.
    pub(super) fn end_text(&mut self) {
        let Some(end) = self.end.take() else { return };
        let is_said = match &self.place {
            Place::Text | Place::Thinking | Place::TaggedThinking { .. } => true,
            Place::Call(_) | Place::List(_) => self.in_string(),
            Place::CallBegins { .. } => false,
        };
        match end.door {
            Door::Spelled if is_said => {
                let is_told = !self.in_string();
                self.run = Run::Open;
                self.more(Control::Eos.as_str(), end.offset);
                if is_told {
                    let stray = Stray { control: Control::Eos, offset: end.offset, fate: StrayFate::Text };
                    self.deltas.push(Delta::Stray(stray));
                }
            }
            Door::Spelled | Door::Apart => self.skip(Control::Eos, end.offset),
        }
    }

    /// Takes text where the reader is, and what of it is to be taken where it comes to be.
    pub(super) fn more(&mut self, text: &str, offset: usize) {
        self.step(text, offset);
        while let Some((text, offset)) = self.pending.take() {
            self.step(&text, offset);
        }
    }

    fn step(&mut self, text: &str, offset: usize) {
        if text.is_empty() {
            return;
        }
        let after = match &mut self.place {
            Place::Text => {
                self.said(text, offset);
                None
            }
            Place::Thinking => {
                self.deltas.thinking(text);
                None
            }
            Place::TaggedThinking { .. } => {
                self.tagged_thinking(text, offset);
                None
            }
            Place::CallBegins { .. } => {
                self.begin_form(text, offset);
                None
            }
            Place::Call(call) => {
                call.text(text, offset, &mut self.deltas);
                call.take_after()
            }
            Place::List(list) => {
                list.text(text, offset, &mut self.deltas);
                list.take_after()
            }
        };
        if let Some(after) = after {
            self.after_call(after, offset + text.len());
        }
    }

    /// Text after a call, up to `end`, that a lenient reader accepts as said.
    pub(super) fn after_call(&mut self, after: String, end: usize) {
        self.close(End::Sure);
        self.place = Place::Text;
        self.opening = Some(Opening::new(self.leniency, Before::Call));
        // Places are counted from the end: what was left out lies before.
        let begin = end.saturating_sub(after.len());
        self.pending = Some((after, begin));
    }

    /// What is said may begin with what is not text.
    pub(super) fn open_text(&mut self) {
        let is_watched = self.leniency == Leniency::Lenient || self.layout.thinking.has_tags();
        self.opening = is_watched.then(|| Opening::new(self.leniency, Before::Anything));
    }

    /// Takes text that is said, or what it turns out to be.
    pub(super) fn said(&mut self, text: &str, offset: usize) {
        let Some(opening) = &mut self.opening else { return self.watch(text, offset) };
        let found = opening.push(text, offset, &self.tools);
        if found == Found::Nothing {
            return;
        }
        // Places are counted from the end: a space that SentencePiece adds, or what was left out, lies before it.
        let end = offset + text.len();
        let Some(Opening { held, offset, after, .. }) = self.opening.take() else { return };
        match found {
            Found::Nothing => {}
            Found::Text => {
                self.tell_after_call(after, offset);
                self.watch(&held, end.saturating_sub(held.len()));
            }
            Found::Thinking(length) => {
                if self.leniency == Leniency::Lenient && !self.layout.thinking.has_tags() {
                    self.deltas.liberty(LibertyKind::ThinkTags, "content", offset);
                }
                let (before, thought) = held.split_at_checked(length).unwrap_or_default();
                let before = before.strip_suffix(OPEN_TAG).unwrap_or(before);
                self.leave_out(before, end.saturating_sub(held.len()));
                self.place = Place::TaggedThinking { held: String::new() };
                self.text_is_open = false;
                self.deltas.push(Delta::ThinkingStart);
                self.pending = Some((thought.to_owned(), end.saturating_sub(thought.len())));
            }
            Found::Call(space) | Found::Json(space) => {
                let (before, call) = held.split_at_checked(space).unwrap_or_default();
                let begin = end.saturating_sub(call.len());
                self.leave_out(before, begin.saturating_sub(before.len()));
                self.begin_bare_call(found, after, begin);
                self.pending = Some((call.to_owned(), begin));
            }
        }
    }

    /// Leaves over what stands after a call and says nothing.
    fn leave_out(&mut self, between: &str, offset: usize) {
        let punctuation = between.trim();
        if !punctuation.is_empty() {
            let space = between.len() - between.trim_start().len();
            self.deltas.liberty(LibertyKind::Punctuation, "tool_calls", offset + space);
            self.deltas.rest(punctuation);
        }
    }

    /// Says text in which a call of one of the request's tools may begin.
    fn watch(&mut self, text: &str, offset: usize) {
        if self.leniency == Leniency::Strict || self.tools.is_empty() {
            return self.say(text);
        }
        if self.stops.found.is_some() {
            // What was held back stood before it.
            self.flush_middle();
            return self.say(text);
        }
        let step = self.middle.push(text, offset, &self.tools);
        if !step.said.is_empty() {
            self.say(&step.said);
        }
        let Some((found, call, offset)) = step.call else { return };
        if self.stops.found.is_some() {
            return self.say(&call);
        }
        self.flush_stops();
        self.begin_bare_call(found, Before::Anything, offset);
        self.pending = Some((call, offset));
    }

    /// Text is said after a call.
    fn tell_after_call(&mut self, after: Before, offset: usize) {
        if after == Before::Call {
            self.deltas.liberty(LibertyKind::TextAfterCall, "content", offset);
        }
    }

    pub(super) fn begin_bare_call(&mut self, found: Found, after: Before, offset: usize) {
        let kind = match (found, after) {
            (Found::Json(_), Before::Call) => LibertyKind::FurtherList,
            _ => LibertyKind::BareCall,
        };
        self.deltas.liberty(kind, call_path(self.calls), offset);
        self.place = match found {
            Found::Json(_) => Place::List(CallList::new(self.calls, self.leniency, self.layout.name)),
            _ => self.call(offset, ToolCalls::NameIdArguments),
        };
    }

    pub(super) fn say(&mut self, text: &str) {
        self.text_is_open = true;
        if self.stops.found.is_some() {
            return self.deltas.rest(text);
        }
        if self.stops.is_empty() {
            return self.deltas.text(text);
        }
        let (said, after) = self.stops.push(text, self.deltas.pushed_ids());
        if !said.is_empty() {
            self.deltas.text(&said);
        }
        self.deltas.rest(&after);
        if self.stops.found.is_some() {
            self.stop_cause = StopCause::StopString;
        }
    }

    /// Says what might have become a stop string.
    pub(super) fn flush_stops(&mut self) {
        let held = self.stops.flush();
        if !held.is_empty() {
            self.deltas.text(&held);
        }
    }

    /// What was held back is text.
    pub(super) fn flush_opening(&mut self) {
        if let Some(opening) = self.opening.take()
            && !opening.held.is_empty()
        {
            if opening.says_nothing() {
                return self.leave_out(&opening.held, opening.offset);
            }
            self.tell_after_call(opening.after, opening.offset);
            self.say(&opening.held);
        }
        self.flush_middle();
    }

    fn flush_middle(&mut self) {
        let held = self.middle.flush();
        if !held.is_empty() {
            self.say(&held);
        }
    }

    /// Thinking until its tag ends it.
    pub(super) fn tagged_thinking(&mut self, text: &str, offset: usize) {
        let Place::TaggedThinking { held } = &mut self.place else { return };
        let before = held.len();
        held.push_str(text);
        let whole = std::mem::take(held);
        if let Some((thought, said)) = whole.split_once(CLOSE_TAG) {
            let after = offset + thought.len() + CLOSE_TAG.len() - before;
            if !thought.is_empty() {
                self.deltas.thinking(thought);
            }
            self.deltas.push(Delta::ThinkingEnd);
            (self.place, self.text_is_open) = (Place::Text, false);
            self.open_text();
            self.pending = Some((said.to_owned(), after));
            return;
        }
        let sure = whole.len() - longest_beginning(&whole, CLOSE_TAG);
        let (thought, kept) = whole.split_at_checked(sure).unwrap_or((&whole, ""));
        if !thought.is_empty() {
            self.deltas.thinking(thought);
        }
        if let Place::TaggedThinking { held } = &mut self.place {
            held.push_str(kept);
        }
    }

    /// The first text of a call shows its form.
    pub(super) fn begin_form(&mut self, text: &str, offset: usize) {
        let Place::CallBegins { offset: begin, space } = &mut self.place else { return };
        let begin = *begin;
        space.push_str(text);
        // What is held is white space.
        let Some(first) = text.trim_start().bytes().next() else { return };
        let whole = std::mem::take(space);
        let start = offset + text.len() - whole.len();
        let is_list = self.layout.calls.is_list();
        let looks_like_list = matches!(first, b'[' | b'{' | b'`' | b'<');
        if is_list != looks_like_list {
            self.deltas.liberty(LibertyKind::OtherForm, call_path(self.calls), begin);
        }
        self.place = match (looks_like_list, is_list) {
            (true, _) => Place::List(CallList::new(self.calls, self.leniency, self.layout.name)),
            (false, true) => self.call(begin, ToolCalls::NameIdArguments),
            (false, false) => self.call(begin, self.layout.calls),
        };
        self.pending = Some((whole, start));
    }

    pub(super) fn call(&self, offset: usize, form: ToolCalls) -> Place {
        Place::Call(Call::new(self.calls, offset, form, self.leniency, &self.layout))
    }

    pub(in crate::completion) fn control(&mut self, control: Control, door: Door) {
        let begins_part = self.begins_calls(control) || self.is_thinking(control);
        if self.end.is_some() {
            // An end token by itself, before a part that stands by itself, says nothing.
            self.text_is_open |= begins_part;
            self.end_text();
        }
        let offset = self.offset;
        self.offset += control.as_str().len();
        if begins_part {
            self.flush_opening();
            self.flush_stops();
        }
        if Mark::Control(control) == self.layout.reply.close {
            self.end = Some(EndToken { offset, door });
        } else if self.begins_calls(control) && matches!(self.place, Place::CallBegins { .. }) {
            self.deltas.liberty(LibertyKind::CallsTokenTwice, call_path(self.calls), offset);
            self.skip(control, offset);
        } else if self.begins_calls(control) {
            self.close(End::Sure);
            self.run = Run::First;
            self.begin_calls(offset);
        } else if self.is_thinking(control) {
            self.thinking(control, offset);
        } else {
            self.control_of_call(control, offset);
        }
    }

    pub(super) fn begin_calls(&mut self, offset: usize) {
        self.place = match (self.leniency, self.layout.calls) {
            (Leniency::Lenient, _) => Place::CallBegins { offset, space: String::new() },
            (_, form) if form.is_list() => Place::List(CallList::new(self.calls, self.leniency, self.layout.name)),
            (_, form) => self.call(offset, form),
        };
    }

    /// `[ARGS]`, `[CALL_ID]`, or a control token that has no place in an answer.
    pub(super) fn control_of_call(&mut self, control: Control, offset: usize) {
        if matches!(control, Control::Args | Control::CallId) {
            if let Place::CallBegins { offset, .. } = self.place {
                self.place = self.call(offset, self.layout.calls);
            } else if let Some(opening) = self.opening.take_if(|opening| opening.is_name()) {
                let (between, name) = opening.parts();
                let begin = opening.offset + between.len();
                self.leave_out(between, opening.offset);
                self.begin_bare_call(Found::Call(0), Before::Anything, begin);
                self.more(name, begin);
            } else if matches!(self.place, Place::Text)
                && self.stops.found.is_none()
                && self.middle.is_name(&self.tools)
            {
                let (name, offset) = (self.middle.flush(), self.middle.offset);
                self.flush_stops();
                self.begin_bare_call(Found::Call(0), Before::Anything, offset);
                self.more(&name, offset);
            }
        }
        if let Place::Call(call) = &mut self.place
            && call.control(control, offset, &mut self.deltas)
        {
            self.run = Run::First;
        } else {
            self.skip(control, offset);
        }
    }

    pub(super) fn begins_calls(&self, control: Control) -> bool {
        control == Control::ToolCalls && self.layout.calls.are_written()
    }

    /// Does the control token begin or end thinking, where there is some?
    pub(super) fn is_thinking(&self, control: Control) -> bool {
        let is_place = match self.place {
            Place::Text | Place::Thinking => true,
            // A tag began it, and the token ends it.
            Place::TaggedThinking { .. } => control == Control::EndThink && self.leniency == Leniency::Lenient,
            Place::CallBegins { .. } | Place::Call(_) | Place::List(_) => false,
        };
        matches!(control, Control::Think | Control::EndThink)
            && is_place
            && self.layout.thinking.has_tokens()
            && self.layout.vocabulary.contains(control)
    }

    pub(super) fn thinking(&mut self, control: Control, offset: usize) {
        self.flush_opening();
        let error = match (&self.place, control) {
            (Place::Text, Control::Think) => {
                self.place = Place::Thinking;
                self.deltas.push(Delta::ThinkingStart);
                None
            }
            (Place::Thinking | Place::TaggedThinking { .. }, Control::EndThink) => {
                self.close(End::Sure);
                self.place = Place::Text;
                self.deltas.push(Delta::ThinkingEnd);
                self.open_text();
                None
            }
            (Place::Text, Control::EndThink) if self.leniency == Leniency::Lenient => {
                self.deltas.liberty(LibertyKind::ThinkingNotBegun, "content", offset);
                self.deltas.push(Delta::ThinkingEnd);
                self.open_text();
                None
            }
            (Place::Thinking, _) => Some(ErrorKind::NestedThinking { offset }),
            _ => Some(ErrorKind::UnopenedThinking { offset }),
        };
        match error {
            None => (self.run, self.text_is_open) = (Run::First, false),
            Some(kind) => {
                self.skip(control, offset);
                self.fail(Some(Error::new(kind, "content").in_layout(self.layout.name)));
            }
        }
    }

    /// Leaves a control token out.
    pub(super) fn skip(&mut self, control: Control, offset: usize) {
        self.flush_opening();
        self.flush_stops();
        if self.run == Run::Open {
            self.run = Run::Later;
        }
        self.deltas.push(Delta::Stray(Stray { control, offset, fate: StrayFate::LeftOut }));
        if let (Place::Text, false) = (&self.place, self.text_is_open) {
            // mistral-common has a chunk of no text here.
            self.text_is_open = true;
            self.deltas.text("");
        }
    }

    /// Ends the call or the list that is open, and gives what is held back.
    pub(super) fn close(&mut self, end: End) {
        if let Place::CallBegins { offset, .. } = self.place {
            self.place = match self.layout.calls.is_list() {
                true => Place::List(CallList::new(self.calls, self.leniency, self.layout.name)),
                false => self.call(offset, self.layout.calls),
            };
        }
        let offset = self.end.map_or(self.offset, |end| end.offset);
        let mut faults = Faults::new(self.layout.name);
        match &mut self.place {
            Place::Text => self.flush_opening(),
            Place::TaggedThinking { held } => {
                let held = std::mem::take(held);
                if !held.is_empty() {
                    self.deltas.thinking(&held);
                }
            }
            Place::Thinking | Place::CallBegins { .. } => {}
            Place::Call(call) => {
                self.calls += usize::from(call.finish(offset, end, &mut self.deltas));
                faults = std::mem::replace(&mut call.faults, faults);
            }
            Place::List(list) => {
                list.finish(offset, end, &mut self.deltas);
                self.calls = list.calls();
                faults = std::mem::replace(list.faults_mut(), faults);
            }
        }
        self.fail(faults.take());
    }

    /// The first error counts.
    pub(super) fn fail(&mut self, error: Option<Error>) {
        if self.error.is_none() {
            self.error = error;
        }
    }
}
