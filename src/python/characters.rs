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
    matches!(character, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}')
}

/// `str.upper`
pub(crate) fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// `str.lower`
pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// `str.casefold`, but for rare letters.
pub(crate) fn fold_case(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss").replace('ς', "σ")
}

/// `str.swapcase`
pub(crate) fn swap_case(text: &str) -> String {
    let mut swapped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_uppercase() {
            swapped.extend(character.to_lowercase());
        } else {
            swapped.extend(character.to_uppercase());
        }
    }
    swapped
}

/// A character as a word begins with it.
pub(crate) fn titled(character: char) -> String {
    match character {
        '\u{1c4}'..='\u{1c6}' => return '\u{1c5}'.into(),
        '\u{1c7}'..='\u{1c9}' => return '\u{1c8}'.into(),
        '\u{1ca}'..='\u{1cc}' => return '\u{1cb}'.into(),
        '\u{1f1}'..='\u{1f3}' => return '\u{1f2}'.into(),
        '\u{10d0}'..='\u{10ff}' => return character.into(),
        _ => {}
    }
    let mut upper = character.to_uppercase();
    let mut titled: String = upper.next().into_iter().collect();
    titled.extend(upper.flat_map(char::to_lowercase));
    titled
}

/// `str.title` of a part of a text, which may begin within a word.
pub(crate) fn title(text: &str, in_word: &mut bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if *in_word {
            out.extend(character.to_lowercase());
        } else {
            out.push_str(&titled(character));
        }
        *in_word = character.is_lowercase() || character.is_uppercase() || is_titled(character);
    }
    out
}

/// How many words a text has: runs of letters, digits and underscores.
pub(crate) fn words(text: &str) -> usize {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    text.split(|character| !is_word(character)).filter(|word| !word.is_empty()).count()
}
