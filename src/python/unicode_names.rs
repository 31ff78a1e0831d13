//! The characters that a `\N{…}` escape may name: Latin-1, punctuation, currencies, arrows, symbols and emoji.

/// The code points in hexadecimal digits, each with its name in Unicode 14.
const NAMES: &str = include_str!("unicode_names.txt");

/// The character of this name, in capitals or not.
pub(crate) fn character(name: &str) -> Option<char> {
    let mut lines = NAMES.lines().filter_map(|line| line.split_once(' '));
    let (code, _) = lines.find(|(_, known)| known.eq_ignore_ascii_case(name))?;
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}
