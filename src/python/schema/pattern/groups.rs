//! The groups of a pattern: captures, look-arounds, conditionals, flags, alternatives.

use super::{Item, Kind, Nesting, Open, Parsed, Parser, PatternError, Piece, Spacing, Width};

/// The widest look-behind.
const MAX_LOOK_BEHIND: u128 = u32::MAX as u128;

impl<'p> Parser<'p> {
    /// What follows a `(`.
    pub(super) fn group(&mut self) -> Parsed {
        if !self.take('?') {
            return self.open_capture(None);
        }
        match self.next()? {
            Some(Piece::Plain('P')) => self.python_group(),
            Some(Piece::Plain(':' | '>')) => self.open_group(Kind::Plain),
            Some(Piece::Plain('#')) => loop {
                match self.next()? {
                    Some(Piece::Plain(')')) => return Ok(()),
                    Some(_) => {}
                    None => return Err(PatternError::UnclosedGroup),
                }
            },
            Some(Piece::Plain('=' | '!')) => self.open_group(Kind::LookAhead),
            Some(Piece::Plain('<')) => self.open_look_behind(),
            Some(Piece::Plain('(')) => self.open_conditional(),
            Some(Piece::Plain(flag)) if flag == '-' || is_flag(flag) => self.flags(flag),
            _ => Err(PatternError::BadGroup),
        }
    }

    fn open_group(&mut self, kind: Kind) -> Parsed {
        self.open.push(Open {
            kind,
            outer: std::mem::take(&mut self.branch),
            alternatives: None,
            outer_spacing: self.spacing,
        });
        Ok(())
    }

    fn open_capture(&mut self, name: Option<&'p str>) -> Parsed {
        self.groups.push(None);
        let number = self.groups.len();
        if let Some(name) = name
            && self.names.insert(name, number).is_some()
        {
            return Err(PatternError::BadName);
        }
        self.open_group(Kind::Capture(number))
    }

    /// What begins with `(?P`: a named group or a reference to one.
    fn python_group(&mut self) -> Parsed {
        if self.take('<') {
            let name = self.name('>')?;
            if !is_identifier(name) {
                return Err(PatternError::BadName);
            }
            self.open_capture(Some(name))
        } else if self.take('=') {
            let name = self.name(')')?;
            let number = self.names.get(name).copied();
            self.reference(number.ok_or(PatternError::BadReference)?)
        } else {
            Err(PatternError::BadGroup)
        }
    }

    fn open_look_behind(&mut self) -> Parsed {
        if !matches!(self.next()?, Some(Piece::Plain('=' | '!'))) {
            return Err(PatternError::BadGroup);
        }
        let nesting = match self.look_behind {
            Some(_) => Nesting::Inner,
            None => Nesting::Outermost,
        };
        self.look_behind.get_or_insert(self.groups.len());
        self.open_group(Kind::LookBehind(nesting))
    }

    fn open_conditional(&mut self) -> Parsed {
        let name = self.name(')')?;
        let number = if is_identifier(name) {
            let number = self.names.get(name).copied();
            number.ok_or(PatternError::BadReference)?
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = name.parse().map_err(|_| PatternError::BadReference)?;
            self.highest_condition = self.highest_condition.max(number);
            number
        } else {
            return Err(PatternError::BadName);
        };
        let is_hidden = |before| self.closed_group(number).is_none() || number > before;
        if number == 0 || self.look_behind.is_some_and(is_hidden) {
            return Err(PatternError::BadReference);
        }
        self.open_group(Kind::Conditional(0))
    }

    /// Flags for the whole pattern, `(?i)`, or for a group, `(?i-s:…)`.
    fn flags(&mut self, first: char) -> Parsed {
        let bad = PatternError::BadFlag;
        let (mut on, mut off) = (Flags::default(), Flags::default());
        let mut sign = first;
        while is_flag(sign) {
            on.add(sign).ok_or(bad)?;
            sign = self.take_if(|_| true).ok_or(bad)?;
        }
        if sign == ')' {
            return self.set_global_flags(on);
        }
        if sign == '-' {
            sign = self.take_if(is_flag).ok_or(bad)?;
            while is_flag(sign) {
                off.add(sign).filter(|()| off.character_type.is_none()).ok_or(bad)?;
                sign = self.take_if(|_| true).ok_or(bad)?;
            }
        }
        if sign != ':' || on.has('t') || off.has('t') || on.letters & off.letters != 0 {
            return Err(bad);
        }
        self.open_group(Kind::Plain)?;
        if on.has('x') {
            self.spacing = Spacing::Ignored;
        } else if off.has('x') {
            self.spacing = Spacing::Literal;
        }
        Ok(())
    }

    fn set_global_flags(&mut self, flags: Flags) -> Parsed {
        let is_start = self.open.is_empty() && self.alternatives.is_none() && self.branch.last.is_none();
        let earlier = self.character_type;
        self.character_type = earlier.or(flags.character_type);
        let clash = flags.character_type.is_some() && flags.character_type != self.character_type;
        if !is_start || clash {
            return Err(PatternError::BadFlag);
        }
        if flags.has('x') {
            self.spacing = Spacing::Ignored;
        }
        Ok(())
    }

    /// What follows a `|`.
    pub(super) fn alternative(&mut self) -> Parsed {
        let width = std::mem::take(&mut self.branch).width();
        let alternatives = match self.open.last_mut() {
            Some(open) => {
                if let Kind::Conditional(bars) = &mut open.kind {
                    if *bars > 0 {
                        return Err(PatternError::TooManyBranches);
                    }
                    *bars += 1;
                }
                &mut open.alternatives
            }
            None => &mut self.alternatives,
        };
        *alternatives = Some(alternatives.map_or(width, |others| others.or(width)));
        Ok(())
    }

    /// What follows a `)`.
    pub(super) fn close(&mut self) -> Parsed {
        let open = self.open.pop().ok_or(PatternError::UnopenedGroup)?;
        let branch = std::mem::replace(&mut self.branch, open.outer).width();
        let mut width = open.alternatives.map_or(branch, |others| others.or(branch));
        self.spacing = open.outer_spacing;
        match open.kind {
            Kind::Capture(number) => {
                if let Some(group) = self.groups.get_mut(number - 1) {
                    *group = Some(width);
                }
            }
            Kind::Plain => {}
            Kind::LookAhead => width = Width::default(),
            Kind::LookBehind(nesting) => {
                if nesting == Nesting::Outermost {
                    self.look_behind = None;
                }
                if width.min != width.max || width.min > MAX_LOOK_BEHIND {
                    return Err(PatternError::VariableLookBehind);
                }
                width = Width::default();
            }
            Kind::Conditional(0) => width.min = 0,
            Kind::Conditional(_) => {}
        }
        self.branch.push(Item::Other, width);
        Ok(())
    }
}

/// The flags of one group.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// A bit for each letter from `a` on.
    letters: u32,
    character_type: Option<char>,
}

impl Flags {
    /// Adds a flag, unless it is for byte patterns or contradicts another one.
    fn add(&mut self, flag: char) -> Option<()> {
        if matches!(flag, 'a' | 'u') {
            let earlier = self.character_type.replace(flag);
            if earlier.is_some_and(|earlier| earlier != flag) {
                return None;
            }
        }
        self.letters |= Self::bit(flag);
        (flag != 'L').then_some(())
    }

    fn has(self, flag: char) -> bool {
        self.letters & Self::bit(flag) != 0
    }

    fn bit(flag: char) -> u32 {
        1 << (u32::from(flag) % 32)
    }
}

fn is_flag(letter: char) -> bool {
    matches!(letter, 'a' | 'i' | 'L' | 'm' | 's' | 't' | 'u' | 'x')
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|other| other.is_alphanumeric() || other == '_')
}
