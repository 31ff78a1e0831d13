//! Any text into nine letters or digits: the same text gives the same nine everywhere and at all times.

/// Digits, then letters.
const ALPHABET: [u8; 62] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A call id of nine ASCII letters or digits, which every layout accepts, computed from a seed and the call's index.
///
/// A seed is for one answer: the ids of one conversation must differ.
///
/// ```
/// use mistral_chat_template::chat::new_call_id;
/// use mistral_chat_template::{Message, ToolCall};
///
/// assert_eq!(new_call_id(7, 0), "WylX70R33");
/// let calls = ["now", "today"].into_iter().enumerate();
/// let message = Message::calls(calls.map(|(index, name)| ToolCall::new(name, "{}").id(new_call_id(7, index))));
/// # assert_eq!(message.role(), mistral_chat_template::Role::Assistant);
/// ```
#[must_use]
pub fn new_call_id(seed: u64, index: usize) -> String {
    nine(&index.to_string(), seed)
}

/// Nine letters or digits of a text; each `attempt` gives others.
///
/// They are the lowest nine digits, least first, of the text's SipHash-2-4 to the base 62, the key being `attempt`.
pub(crate) fn nine(text: &str, attempt: u64) -> String {
    let mut rest = siphash(text.as_bytes(), attempt, 0);
    let digit = |rest: &mut u64| {
        let at = usize::try_from(*rest % 62).unwrap_or_default();
        *rest /= 62;
        char::from(ALPHABET.get(at).copied().unwrap_or_default())
    };
    (0..9).map(|_| digit(&mut rest)).collect()
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012).
fn siphash(bytes: &[u8], k0: u64, k1: u64) -> u64 {
    let mut state = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        absorb(&mut state, u64::from_le_bytes(*word));
    }
    let length = u64::try_from(bytes.len()).unwrap_or_default() << 56;
    let last = tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    absorb(&mut state, length | last);
    let [_, _, v2, _] = &mut state;
    *v2 ^= 0xff;
    for _ in 0..4 {
        round(&mut state);
    }
    state.into_iter().fold(0, |hash, word| hash ^ word)
}

fn absorb(state: &mut [u64; 4], word: u64) {
    let [_, _, _, v3] = state;
    *v3 ^= word;
    round(state);
    round(state);
    let [v0, ..] = state;
    *v0 ^= word;
}

fn round([v0, v1, v2, v3]: &mut [u64; 4]) {
    *v0 = v0.wrapping_add(*v1);
    *v1 = v1.rotate_left(13) ^ *v0;
    *v0 = v0.rotate_left(32);
    *v2 = v2.wrapping_add(*v3);
    *v3 = v3.rotate_left(16) ^ *v2;
    *v0 = v0.wrapping_add(*v3);
    *v3 = v3.rotate_left(21) ^ *v0;
    *v2 = v2.wrapping_add(*v1);
    *v1 = v1.rotate_left(17) ^ *v2;
    *v2 = v2.rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the paper and of its reference code.
    #[test]
    fn is_siphash() {
        let (k0, k1) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let bytes: Vec<u8> = (0..15).collect();
        assert_eq!(siphash(&bytes, k0, k1), 0xa129_ca61_49be_45e5);
        assert_eq!(siphash(&[], k0, k1), 0x726f_db47_dd0e_0e31);
        assert_eq!(siphash(&bytes[..8], k0, k1), 0x93f5_f579_9a93_2462);
    }

    #[test]
    fn the_nine_of_an_id_never_change() {
        assert_eq!(nine("call_9yKqLb2xVzT0cWm3uRsE1hNd", 0), "bzi8lpajx");
        assert_eq!(nine("", 0), "dmuwEtiKj");
        assert_ne!(nine("a", 0), nine("a", 1));
    }
}
