//! What stands for one character: escapes and character sets.

use super::{Item, Parsed, Parser, PatternError, Piece, Width};

impl Parser<'_> {
    /// An escape that stands for one character of a known or unknown value, or for a class.
    pub(super) fn character_escape(&mut self, escaped: char) -> Parsed<Option<u32>> {
        let value = match escaped {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => return Ok(None),
            'a' => 0x07,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            'N' => return self.character_name(),
            other if other.is_ascii_alphanumeric() => return Err(PatternError::BadEscape),
            other => u32::from(other),
        };
        Ok(Some(value))
    }

    fn hex(&mut self, length: usize) -> Parsed<u32> {
        match self.digits(16, length) {
            (digits, value) if digits == length && value <= u64::from(u32::from(char::MAX)) => Ok(value as u32),
            _ => Err(PatternError::BadEscape),
        }
    }

    /// A `{name}`; the character could be any.
    fn character_name(&mut self) -> Parsed<Option<u32>> {
        if !self.take('{') {
            return Err(PatternError::BadEscape);
        }
        self.name('}').map_err(|_| PatternError::BadEscape)?;
        Ok(None)
    }

    /// What follows a `[`.
    pub(super) fn set(&mut self) -> Parsed {
        let unclosed = PatternError::UnclosedSet;
        self.take('^');
        let mut is_first = true;
        loop {
            let low = match self.next()?.ok_or(unclosed)? {
                Piece::Plain(']') if !is_first => break,
                piece => self.set_member(piece)?,
            };
            is_first = false;
            if !self.take('-') {
                continue;
            }
            let high = match self.next()?.ok_or(unclosed)? {
                Piece::Plain(']') => break,
                piece => self.set_member(piece)?,
            };
            if !low.may_reach(high) {
                return Err(PatternError::BadRange);
            }
        }
        self.branch.push(Item::Other, Width::ONE);
        Ok(())
    }

    fn set_member(&mut self, piece: Piece) -> Parsed<SetMember> {
        let escaped = match piece {
            Piece::Plain(character) => return Ok(SetMember::Character(u32::from(character))),
            Piece::Escaped(escaped) => escaped,
        };
        match escaped {
            'b' => Ok(SetMember::Character(0x08)),
            '0'..='7' => {
                let (count, value) = self.digits(8, 2);
                let first = escaped.to_digit(8).unwrap_or_default() << (3 * count);
                match first + value as u32 {
                    value @ 0..=0o377 => Ok(SetMember::Character(value)),
                    _ => Err(PatternError::BadEscape),
                }
            }
            'N' => self.character_escape(escaped).map(|_| SetMember::Named),
            _ => Ok(match self.character_escape(escaped)? {
                Some(value) => SetMember::Character(value),
                None => SetMember::Class,
            }),
        }
    }
}

/// A member of a character set.
#[derive(Clone, Copy)]
enum SetMember {
    Character(u32),
    /// Some character; every range with it is taken.
    Named,
    /// More than one character.
    Class,
}

impl SetMember {
    fn may_reach(self, high: SetMember) -> bool {
        match (self, high) {
            (SetMember::Character(low), SetMember::Character(high)) => low <= high,
            (SetMember::Class, _) | (_, SetMember::Class) => false,
            (SetMember::Named, _) | (_, SetMember::Named) => true,
        }
    }
}
