//! What Python's strings know of characters: their classes and their case.

use super::tables;

fn is_in(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let at = ranges.partition_point(|(_, last)| *last < code);
    ranges.get(at).is_some_and(|(first, _)| *first <= code)
}

/// Python's own spaces are more than Unicode's: the four separators of ASCII are among them.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Does `repr` print it as itself?
pub(crate) fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~') || !is_in(tables::UNPRINTABLE, character)
}

/// The ASCII digit that a decimal digit stands for.
pub(crate) fn decimal_digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let zero = tables::ZEROS.get(tables::ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?)?;
    char::from_digit(code - zero, 10)
}

fn is_decimal(character: char) -> bool {
    decimal_digit(character).is_some()
}

fn is_digit(character: char) -> bool {
    is_decimal(character) || is_in(tables::DIGITS, character)
}

fn is_numeric(character: char) -> bool {
    is_digit(character) || is_in(tables::NUMERIC, character)
}

fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { is_in(tables::LETTERS, character) }
}

/// Is it one of `\w` in a pattern?
pub(crate) fn is_word(character: char) -> bool {
    is_letter(character) || is_numeric(character) || character == '_'
}

/// The answer of a method such as `isdigit`.
pub(crate) fn is(method: &str, text: &str) -> bool {
    let all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    match method {
        "isspace" => all(is_space),
        "isdecimal" => all(is_decimal),
        "isdigit" => all(is_digit),
        "isnumeric" => all(is_numeric),
        "isalpha" => all(is_letter),
        "isalnum" => all(|character| is_letter(character) || is_numeric(character)),
        "isascii" => text.is_ascii(),
        "isprintable" => text.chars().all(is_printable),
        "isupper" => is_upper(text),
        "islower" => is_lower(text),
        "istitle" => is_title(text),
        "isidentifier" => {
            let starts = |character: char| is_letter(character) || character == '_';
            text.starts_with(starts) && text.chars().all(|character| starts(character) || is_decimal(character))
        }
        _ => false,
    }
}

/// `str.isupper`
pub(crate) fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
        && !text.chars().any(|character| character.is_lowercase() || is_titled(character))
}

/// `str.islower`
pub(crate) fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase)
        && !text.chars().any(|character| character.is_uppercase() || is_titled(character))
}

fn is_title(text: &str) -> bool {
    let (mut in_word, mut any) = (false, false);
    for character in text.chars() {
        if character.is_uppercase() || is_titled(character) {
            if in_word {
                return false;
            }
            (in_word, any) = (true, true);
        } else if character.is_lowercase() {
            if !in_word {
                return false;
            }
            any = true;
        } else {
            in_word = false;
        }
    }
    any
}

/// Is it one of the few whose first part only is a capital?
fn is_titled(character: char) -> bool {
    matches!(character, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
        || matches!(character, '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}')
}

/// `str.upper`
pub(crate) fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// `str.lower`
pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// `str.casefold`
pub(crate) fn fold_case(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'ı' => folded.push(character),
            'ẞ' => folded.push_str("ss"),
            // Cherokee, whose capitals were there first.
            '\u{13a0}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => folded.extend(character.to_uppercase()),
            _ => folded.extend(character.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    folded
}

/// `str.swapcase`
pub(crate) fn swap_case(text: &str) -> String {
    let mut swapped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if character == 'Σ' {
            let (before, rest) = text.split_at_checked(at).unwrap_or_default();
            swapped.push(small_sigma(before, rest));
        } else if character.is_uppercase() {
            swapped.extend(character.to_lowercase());
        } else if is_titled(character) {
            swapped.push(character);
        } else {
            swapped.extend(character.to_uppercase());
        }
    }
    swapped
}

const SMALL_IOTA: char = '\u{3b9}';
/// What is left of a small iota below a Greek letter when the letter is a capital.
const IOTA_BELOW: &str = "\u{345}";

/// A character as a word begins with it.
pub(crate) fn titled(character: char) -> String {
    match character {
        '\u{1c4}'..='\u{1c6}' => return '\u{1c5}'.into(),
        '\u{1c7}'..='\u{1c9}' => return '\u{1c8}'.into(),
        '\u{1ca}'..='\u{1cc}' => return '\u{1cb}'.into(),
        '\u{1f1}'..='\u{1f3}' => return '\u{1f2}'.into(),
        '\u{10d0}'..='\u{10ff}' => return character.into(),
        '\u{149}' => return "\u{2bc}N".into(),
        '\u{1f80}'..='\u{1faf}' => return char::from_u32(u32::from(character) | 8).into_iter().collect(),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => return char::from_u32(u32::from(character) + 9).into_iter().collect(),
        _ if is_titled(character) => return character.into(),
        _ => {}
    }
    let mut upper = character.to_uppercase();
    let mut titled: String = upper.next().into_iter().collect();
    titled.extend(upper.flat_map(char::to_lowercase));
    match character {
        '\u{1fb2}'..='\u{1ff7}' => titled.replace(SMALL_IOTA, IOTA_BELOW),
        _ => titled,
    }
}

/// `str.title` of a part of a text, which may begin within a word.
pub(crate) fn title(text: &str, in_word: &mut bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if *in_word && character == 'Σ' {
            out.push(small_sigma("a", text.get(at..).unwrap_or_default()));
        } else if *in_word {
            out.extend(character.to_lowercase());
        } else {
            out.push_str(&titled(character));
        }
        *in_word = character.is_lowercase() || character.is_uppercase() || is_titled(character);
    }
    out
}

/// The small form of the sigma that the second text begins with; the last letter of a word has its own.
fn small_sigma(before: &str, text: &str) -> char {
    // So many characters at either side say whether it is the last one.
    const NEAR: usize = 8;
    let start = before.char_indices().rev().take(NEAR).last().map_or(0, |(at, _)| at);
    let before = before.get(start..).unwrap_or_default().to_lowercase();
    let word: String = before.chars().chain(text.chars().take(NEAR)).collect();
    word.to_lowercase().chars().nth(before.chars().count()).unwrap_or('σ')
}

/// How many words a text has: runs of letters, digits and underscores.
pub(crate) fn words(text: &str) -> usize {
    text.split(|character| !is_word(character)).filter(|word| !word.is_empty()).count()
}
