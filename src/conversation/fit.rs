//! A [`Chat`] and a budget in, the longest end of it that fits out: the oldest exchanges go first.

use std::borrow::Cow;

use crate::chat::{Chat, Role, Turn};
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;
use crate::prompt::{Prompt, Segment, Writer};
use crate::render::CheckedChat;

/// A chat that fits a budget, and what was left out of the chat that came in.
///
/// ```
/// use mistral_chat_template::{Chat, Layout, Message};
///
/// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
/// let fitted = chat.fit(&Layout::V3, 4, |_| 1)?;
/// assert_eq!(fitted.chat.messages, [Message::user("Bye")]);
/// assert_eq!((fitted.dropped, fitted.count), (vec![0, 1], 4));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fitted<'c> {
    /// The chat: borrowed where all of it fits.
    pub chat: Cow<'c, Chat<'c>>,
    /// The indexes of the messages that were left out.
    pub dropped: Vec<usize>,
    /// The count of the chat's prompt.
    pub count: usize,
}

impl Fitted<'_> {
    /// The chat, owning its text.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message};
    ///
    /// let chat: Chat<'static> = {
    ///     let question = String::from("Hi");
    ///     Chat::new([Message::user(&*question)]).fit(&Layout::V3, 100, |_| 1)?.into_chat()
    /// };
    /// assert_eq!(chat.messages, [Message::user("Hi")]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn into_chat(self) -> Chat<'static> {
        self.chat.into_owned().into_owned()
    }

    /// An error about the chat that fits, with its path in the chat that was given.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Chunk, Conversation, Layout, Message};
    /// # use mistral_chat_template::layout::WordStart;
    /// # use mistral_chat_template::version::Feature;
    /// # use mistral_chat_template::{Control, Tokenizer};
    /// # #[derive(Debug)]
    /// # struct TextOnly;
    /// # impl Tokenizer for TextOnly {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) { ids.extend(text.bytes().map(u32::from)) }
    /// #     fn control(&self, _: Control) -> Option<u32> { Some(0) }
    /// # }
    ///
    /// let image = vec![Chunk::image_url("https://example.com/cat.png")];
    /// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user(image)]);
    /// let layout = Layout::V11.with(Feature::Image);
    /// let fitted = chat.fit(&layout, 4, |_| 1)?;
    /// assert_eq!(fitted.dropped, [0, 1]);
    /// let error = Conversation::new(fitted.chat.clone().into_owned(), &layout, TextOnly).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[0].content: the tokenizer cannot encode image");
    /// assert_eq!(fitted.in_given(error).at(), "messages[2].content");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn in_given(&self, error: Error) -> Error {
        in_given(error, &self.dropped)
    }
}

/// An error about a chat without messages that were left out of it, with its path in the chat that has them.
pub(super) fn in_given(error: Error, dropped: &[usize]) -> Error {
    if dropped.is_empty() {
        return error;
    }
    error.moved(|at| path_in_given(at, dropped).unwrap_or_else(|| at.to_owned()))
}

fn path_in_given(at: &str, dropped: &[usize]) -> Option<String> {
    let (index, rest) = at.strip_prefix("messages[")?.split_once(']')?;
    let mut index: usize = index.parse().ok()?;
    for gone in dropped {
        index += usize::from(*gone <= index);
    }
    Some(format!("messages[{index}]{rest}"))
}

impl Chat<'_> {
    /// The chat without its oldest exchanges, as few as make its prompt fit, by the caller's count of each segment.
    ///
    /// An exchange is a user turn and all up to the next, so that calls and their results stay or go together. System
    /// messages, the tools, the last user turn and all behind it stay. The count is that of the prompt that the layout
    /// makes of what is left, from `<s>` on; each text is counted once. Only where the layout joins the system prompt
    /// and the first user turn into one text (v1, Magnum) is that one counted again, once for each halving of the number
    /// of exchanges, and a shorter chat taken to count less.
    ///
    /// [`CheckedChat::truncate`] is mistral-common's own rule instead.
    ///
    /// # Errors
    ///
    /// The layout does not accept the chat, or what has to stay is over the budget; the error says by how much.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message, Segment};
    ///
    /// let chat = Chat::new([
    ///     Message::system("Be kind."),
    ///     Message::user("one two three"),
    ///     Message::assistant("four five"),
    ///     Message::user("six seven"),
    /// ]);
    /// let words = |segment: Segment<'_>| match segment {
    ///     Segment::Text(text) => text.split_whitespace().count(),
    ///     Segment::Control(_) | Segment::Media(_) => 1,
    /// };
    /// let fitted = chat.fit(&Layout::V3, 10, words)?;
    /// assert_eq!(fitted.dropped, [1, 2]);
    /// assert_eq!(fitted.count, 7);
    ///
    /// let error = chat.fit(&Layout::V3, 5, words).unwrap_err();
    /// assert_eq!(error.to_string(), "what has to stay in the prompt is 2 over the budget (v3)");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn fit<'c>(
        &'c self,
        layout: &Layout,
        budget: usize,
        mut count: impl FnMut(Segment<'_>) -> usize,
    ) -> Result<Fitted<'c>, Error> {
        let conversation = CheckedChat::new(self, layout)?;
        let cuts = cuts(&conversation);
        let mut totals = Totals::new(conversation, 0, &mut count);
        let Some((cut, total)) = totals.first_within(&cuts, budget) else {
            return Err(totals.over_budget(&cuts, budget));
        };
        Ok(totals.fitted(self, cut, total))
    }
}

/// The chat without the messages of these turns, but for the system messages.
fn without<'c>(chat: &'c Chat<'_>, turns: &[Turn], count: usize) -> Fitted<'c> {
    let turns = turns.iter().filter(|turn| turn.role != Role::System);
    let mut dropped: Vec<usize> = turns.flat_map(|turn| turn.messages.clone()).collect();
    if dropped.is_empty() {
        return Fitted { chat: Cow::Borrowed(chat), dropped, count };
    }
    dropped.sort_unstable();
    let mut gone = dropped.iter().peekable();
    let kept = chat.messages.iter().enumerate().filter(|(index, _)| gone.next_if(|gone| *gone == index).is_none());
    Fitted { chat: Cow::Owned(chat.view_of(kept.map(|(_, message)| message))), dropped, count }
}

/// The turns before which all but system messages can be left out, least first: the first, and every user turn.
pub(super) fn cuts(conversation: &CheckedChat<'_, '_>) -> Vec<usize> {
    let mut cuts = vec![0];
    let mut is_left_out = false;
    for (index, turn) in conversation.turns.iter().enumerate() {
        if turn.role == Role::User && is_left_out {
            cuts.push(index);
        }
        is_left_out |= turn.role != Role::System;
    }
    cuts
}

/// What the prompt counts, for each cut.
pub(super) struct Totals<'t, 'c, 'a, F> {
    pub(super) conversation: CheckedChat<'c, 'a>,
    count: &'t mut F,
    /// What `<s>`, the system turns and, where it is by itself, what the first user turn carries count.
    fixed: usize,
    /// What the turns from each one on count, without what the first user turn carries.
    rest: Vec<usize>,
    /// What each turn counts so.
    turns: Vec<usize>,
    /// Is what the first user turn carries joined to its text?
    is_joined: bool,
    prompt: Prompt,
}

impl<'t, 'c, 'a, F: FnMut(Segment<'_>) -> usize> Totals<'t, 'c, 'a, F> {
    /// The totals of the cuts from a turn on; turns before it are not counted.
    pub(super) fn new(conversation: CheckedChat<'c, 'a>, from: usize, count: &'t mut F) -> Self {
        let fixed = count(Segment::Control(crate::control::Control::Bos));
        let has_system = conversation.chat.messages.iter().any(|message| message.role() == Role::System);
        let is_joined = has_system && conversation.layout.system.in_user().is_some_and(|(turn, _)| turn.is_first());
        let (rest, turns) = (Vec::new(), Vec::new());
        let mut totals = Totals { conversation, count, fixed, rest, turns, is_joined, prompt: Prompt::new() };
        totals.count_turns(from);
        totals
    }

    fn count_turns(&mut self, from: usize) {
        let users = self.conversation.users;
        for index in 0..self.conversation.turns.len() {
            let is_first = users.is_some_and(|(first, _)| first == index);
            let carried = if is_first && !self.is_joined { self.carried(index) } else { 0 };
            let is_system = self.conversation.turns.get(index).is_some_and(|turn| turn.role == Role::System);
            let plain = if index >= from || is_system { self.plain(index) } else { 0 };
            self.fixed += carried + if is_system { plain } else { 0 };
            self.turns.push(if is_system { 0 } else { plain });
        }
        let sums = self.turns.iter().rev().scan(0, |sum, turn| {
            *sum += turn;
            Some(*sum)
        });
        self.rest = sums.collect();
        self.rest.reverse();
    }

    /// What a turn counts that carries nothing.
    fn plain(&mut self, index: usize) -> usize {
        self.write(index, None);
        self.prompt.segments().map(&mut *self.count).sum()
    }

    /// What the first user turn has before its own segments.
    fn carried(&mut self, first: usize) -> usize {
        self.write(first, None);
        let own = self.prompt.segments().count();
        self.write(first, Some(first));
        let all = self.prompt.segments().count();
        self.prompt.segments().take(all - own).map(&mut *self.count).sum()
    }

    /// Writes a turn, which carries what the first user turn carries if it is `first`.
    fn write(&mut self, index: usize, first: Option<usize>) {
        let CheckedChat { layout, users, .. } = self.conversation;
        let ends = (first, users.map(|(_, last)| last));
        self.conversation.tools_turn = layout.tools_turn(ends).flatten();
        self.conversation.system_turn = layout.system_turn(ends).flatten();
        let mut writer = Writer::of_layout(&mut self.prompt, layout);
        if let Some(turn) = self.conversation.turns.get(index) {
            self.conversation.turn(&mut writer, index, turn);
        }
    }

    /// The count of the prompt with all left out before the cut.
    pub(super) fn of(&mut self, cut: usize) -> usize {
        let total = self.fixed + self.rest.get(cut).copied().unwrap_or_default();
        let is_user = |turn: &Turn| turn.role == Role::User;
        let Some(first) = self.conversation.turns.iter().skip(cut).position(is_user).filter(|_| self.is_joined) else {
            return total;
        };
        let first = cut + first;
        self.write(first, Some(first));
        let joined: usize = self.prompt.segments().map(&mut *self.count).sum();
        total - self.turns.get(first).copied().unwrap_or_default() + joined
    }

    /// The first cut whose prompt is within the budget, and its count.
    pub(super) fn first_within(&mut self, cuts: &[usize], budget: usize) -> Option<(usize, usize)> {
        let (mut low, mut high) = (0, cuts.len());
        let mut found = None;
        while low < high {
            let middle = low.midpoint(high);
            let cut = cuts.get(middle).copied()?;
            let total = self.of(cut);
            if total <= budget {
                (high, found) = (middle, Some((cut, total)));
            } else {
                low = middle + 1;
            }
        }
        found
    }
    /// The chat without what stands before the cut.
    pub(super) fn fitted<'g>(&self, chat: &'g Chat<'_>, cut: usize, total: usize) -> Fitted<'g> {
        without(chat, self.conversation.turns.get(..cut).unwrap_or_default(), total)
    }

    /// The error of a chat that is over the budget with any cut.
    pub(super) fn over_budget(&mut self, cuts: &[usize], budget: usize) -> Error {
        let least = self.of(cuts.last().copied().unwrap_or_default());
        let over = least.saturating_sub(budget);
        Error::new(ErrorKind::OverBudget { budget, over }, "").in_layout(self.conversation.layout.name)
    }
}
