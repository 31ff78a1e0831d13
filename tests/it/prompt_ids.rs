//! What a tokenizer is asked by a prompt: of which kind it must be, which image stands where, which message an id is of;
//! and where an earlier prompt goes on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;

use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::{BreakCause, DivergenceKind, Media, Medium, TokenizerKind};
use mistral_chat_template::render::Fim;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Chunk, Control, Conversation, Format, Layout, Message, Tokenizer};

/// What it was asked of an image or a sound: which, where, and its data.
type Asked = (Media, usize, Option<usize>, Option<String>);

/// One id a byte, a control token and a medium; remembers which media it was asked for.
#[derive(Default)]
struct Recording {
    kind: Option<TokenizerKind>,
    asked: RefCell<Vec<Asked>>,
}

impl Tokenizer for Recording {
    fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
        ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    }

    fn control(&self, control: Control) -> Option<u32> {
        Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    }

    fn kind(&self) -> Option<TokenizerKind> {
        self.kind
    }

    fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
        let data = medium.chunk.map(|chunk| match chunk {
            Chunk::ImageUrl { url, .. } => url.to_string(),
            Chunk::Image(data) | Chunk::InputAudio(data) | Chunk::AudioUrl(data) => data.to_string(),
            _ => "no medium".to_owned(),
        });
        self.asked.borrow_mut().push((medium.media, medium.index, medium.message, data));
        ids.push(9000);
        true
    }
}

fn of_kind(kind: Option<TokenizerKind>) -> Recording {
    Recording { kind, ..Recording::default() }
}

#[test]
fn a_prompt_refuses_a_tokenizer_of_another_kind() {
    use TokenizerKind::{SentencePiece, Tekken};
    let chat = Chat::new([Message::user("Hi")]);
    for (layout, own, other) in [(Layout::V3, SentencePiece, Tekken), (Layout::V3_TEKKEN, Tekken, SentencePiece)] {
        let prompt = layout.render(&chat).unwrap();
        for kind in [None, Some(own)] {
            let tokenizer = of_kind(kind);
            assert!(layout.check_tokenizer(&tokenizer).is_ok());
            assert!(prompt.encode(&tokenizer).is_ok());
            assert!(prompt.token_messages(&tokenizer).is_ok());
        }
        let tokenizer = of_kind(Some(other));
        assert!(layout.check_tokenizer(&tokenizer).is_err());
        let error = prompt.encode(&tokenizer).unwrap_err();
        let sentence = format!("the layout is for a {own} vocabulary, and the tokenizer has a {other} one");
        assert!(error.to_string().starts_with(&sentence), "{error}");
        assert!(prompt.token_messages(&tokenizer).is_err());
    }
    // A gap to fill is of the layout's vocabulary, too.
    let gap = Fim { prompt: "fn main() {".into(), suffix: "}".into() };
    let prompt = Layout::V3_TEKKEN.render_fim(&gap).unwrap();
    assert!(prompt.encode(&of_kind(Some(Tekken))).is_ok());
    assert!(prompt.encode(&of_kind(Some(SentencePiece))).is_err());
}

fn url(name: &str) -> Chunk<'static> {
    Chunk::image_url(format!("https://example.com/{name}"))
}

fn asked_of(media: Media, index: usize, message: usize, name: &str) -> Asked {
    (media, index, Some(message), Some(format!("https://example.com/{name}")))
}

#[test]
fn each_image_and_sound_is_encoded_from_its_chunk() {
    let chat = Chat::new([
        Message::user(vec![url("a"), Chunk::text("and"), url("b")]),
        Message::assistant("?"),
        Message::user(vec![url("c"), url("d"), Chunk::text("which?")]),
    ]);
    let layout = Layout::V13.with(Feature::Image);
    let prompt = layout.render(&chat).unwrap();
    let tokenizer = Recording::default();
    let ids = prompt.encode_for(&chat, &tokenizer).unwrap();
    let expected = [
        asked_of(Media::Image, 0, 0, "a"),
        asked_of(Media::Image, 1, 0, "b"),
        asked_of(Media::Image, 2, 2, "c"),
        asked_of(Media::Image, 3, 2, "d"),
    ];
    assert_eq!(tokenizer.asked.take(), expected);
    assert_eq!(prompt.encode(&tokenizer).unwrap(), ids);
    let without_chunks = expected.clone().map(|(media, index, message, _)| (media, index, message, None));
    assert_eq!(tokenizer.asked.take(), without_chunks);

    let messages = prompt.token_messages(&tokenizer).unwrap();
    assert_eq!(messages.len(), ids.len());
    let of_media: Vec<_> = ids.iter().zip(&messages).filter(|(id, _)| **id == 9000).map(|(_, of)| *of).collect();
    assert_eq!(of_media, [Some(0), Some(0), Some(2), Some(2)]);
    let reply = ids.iter().position(|id| *id == 1000 + u32::from(b'?')).unwrap();
    assert_eq!((messages.first(), messages.get(reply)), (Some(&None), Some(&Some(1))));

    // A conversation that goes on counts from where it is.
    tokenizer.asked.take();
    let mut messages = chat.messages.into_iter();
    let begun = Chat::new(messages.next());
    let mut conversation = Conversation::new(begun, &layout, &tokenizer).unwrap();
    conversation.append(messages).unwrap();
    assert_eq!(tokenizer.asked.take(), expected);
    assert_eq!(conversation.ids(), ids);

    let sound = Chat::new([Message::user(vec![Chunk::InputAudio("AAAA".into()), Chunk::text("what?")])]);
    let prompt = Layout::V13.with(Feature::Audio).render(&sound).unwrap();
    prompt.encode_for(&sound, &tokenizer).unwrap();
    assert_eq!(tokenizer.asked.take(), [(Media::Audio, 0, Some(0), Some("AAAA".to_owned()))]);
}

#[test]
fn an_image_that_came_with_its_data_has_a_size() {
    let gif = "R0lGODlhgALgAQAAACwAAAAA";
    let size = |chunk: Chunk<'_>| Medium::image(&chunk).size();
    assert_eq!(size(Chunk::Image(gif.into())).unwrap(), Some((640, 480)));
    assert_eq!(size(Chunk::image_url(format!("data:image/gif;base64,{gif}"))).unwrap(), Some((640, 480)));
    assert_eq!(size(url("a.gif")).unwrap(), None);
    assert_eq!(size(Chunk::text("a")).unwrap(), None);
    assert!(size(Chunk::image_url("data:image/gif;base64,AAAA")).is_err());
    assert!(size(Chunk::Image("AAAA".into())).is_err());
}

#[test]
fn a_prompt_begins_with_an_earlier_one_or_says_why_not() {
    let begun = [Message::user("Hi")];
    let longer = [Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")];
    let render = |messages: &[Message<'static>]| Layout::V7.render(&Chat::new(messages.to_vec())).unwrap();
    let (earlier, whole) = (render(&begun), render(&longer));
    assert_eq!(whole.prefix_break(&earlier), None);
    assert_eq!(whole.prefix_break(&whole), None);
    let parts = earlier.prefix_break(&whole).unwrap();
    assert_eq!((parts.segment, parts.cause), (4, BreakCause::Shorter));
    assert_eq!(parts.to_string(), "the earlier prompt is longer");
    let other = render(&[Message::user("Bye")]).prefix_break(&earlier).unwrap();
    assert_eq!((other.segment, other.message), (2, Some(0)));
    assert_eq!(other.cause, BreakCause::Diverges(DivergenceKind::MessageChanged));
    assert_eq!(other.to_string(), DivergenceKind::MessageChanged.to_string());
}

#[test]
fn a_message_in_another_frame_says_the_same_or_something_else() {
    let kind = |one: &[Message<'static>], other: &[Message<'static>]| {
        let one = Layout::V1.render(&Chat::new(one.to_vec())).unwrap();
        let other = Layout::V2.render(&Chat::new(other.to_vec())).unwrap();
        let back = other.divergence(&one).unwrap().kind;
        let kind = one.divergence(&other).unwrap().kind;
        assert_eq!(kind, back);
        kind
    };
    let talk = |first: &'static str, reply: &'static str| {
        [Message::user(first), Message::assistant(reply), Message::user("Bye")]
    };
    assert_eq!(kind(&talk("Hi", "Yes"), &talk("Hi", "Yes")), DivergenceKind::AnotherVersion);
    assert_eq!(kind(&talk("Hi", "Yes"), &talk("Hi", "No")), DivergenceKind::AnotherVersion, "the first message parts");
    assert_eq!(kind(&talk("Hi", "Yes"), &talk("Hello", "Yes")), DivergenceKind::MessageChanged);
    assert_eq!(kind(&[Message::user("Hi there")], &[Message::user("Hi\nthere")]), DivergenceKind::AnotherVersion);
}
