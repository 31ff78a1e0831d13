//! The nearest right preset: which fields of a preset change, and which difference each of them mends.

use super::super::adapter::{self, Adapter};
use super::super::fields::NamesBehavior;
use super::super::for_layout::Closing;
use super::probes::Probes;
use super::{Difference, DifferenceKind, FIELDS, Field, Preset, Reach, story};
use crate::error::Error;
use crate::layout::{Layout, System};

/// A preset and the fields that it takes over from a right one.
pub(super) struct Target<'p> {
    preset: &'p Preset,
    right: Preset,
    fields: Vec<&'static Field>,
}

impl<'p> Target<'p> {
    /// The right preset with the fewest changes, a change of the story counting by what it rewrites.
    pub(super) fn nearest(preset: &'p Preset, layout: &Layout, probes: &Probes, reach: Reach) -> Result<Self, Error> {
        let mut best: Option<(usize, Target<'p>)> = None;
        let mut failed = None;
        for closing in [Closing::InUserSuffix, Closing::InReplyPrefix] {
            let own = match reach {
                Reach::SillyTavern => Preset::arranged(layout, closing)?,
                Reach::KoboldCpp => Adapter::of(&Preset::arranged(&with_system_turn(layout), closing)?).preset(),
            };
            let open = own.story_open().to_owned();
            let mut stories = story::candidates(&preset.context.story_string, layout, &open);
            stories.push(own.context.story_string.clone());
            for story in stories {
                let mut right = own.clone();
                right.context.story_string = story;
                right.instruct.names_behavior = match preset.instruct.names_behavior {
                    NamesBehavior::Always => NamesBehavior::Force,
                    other => other,
                };
                match Target::reduced(preset, right, probes, reach) {
                    Ok(Some(target)) => {
                        let cost = target.cost();
                        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                            best = Some((cost, target));
                        }
                        // Those that follow rewrite more.
                        break;
                    }
                    Ok(None) => {}
                    // A candidate that is not a template is skipped.
                    Err(error) => failed = Some(error),
                }
            }
        }
        match (best, failed) {
            (Some((_, target)), _) => Ok(target),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(Target { preset, right: preset.clone(), fields: Vec::new() }),
        }
    }

    /// The fewest fields that make the preset right; `None` where all of them do not.
    fn reduced(preset: &'p Preset, right: Preset, probes: &Probes, reach: Reach) -> Result<Option<Self>, Error> {
        let mut fields: Vec<&'static Field> =
            FIELDS.iter().filter(|field| reach.has(field) && field.differs(preset, &right)).collect();
        if !probes.accept(&mended(preset, &right, &fields))? {
            return Ok(None);
        }
        let mut index = 0;
        while index < fields.len() {
            let field = fields.remove(index);
            if !probes.accept(&mended(preset, &right, &fields))? {
                fields.insert(index, field);
                index += 1;
            }
        }
        Ok(Some(Target { preset, right, fields }))
    }

    fn cost(&self) -> usize {
        let story = |preset: &Preset| preset.context.story_string.clone();
        let (from, to) = (story(self.preset), story(&self.right));
        let rewrites = self.fields.iter().any(|field| field.name == "context.story_string");
        let same = from.chars().zip(to.chars()).take_while(|(one, other)| one == other).count();
        let rewritten = if rewrites { from.chars().count().max(to.chars().count()) - same } else { 0 };
        self.fields.len() * 100 + rewritten.min(99)
    }

    pub(super) fn into_preset(self) -> Preset {
        mended(self.preset, &self.right, &self.fields)
    }

    /// Gives each difference the fields that mend it, and every field to one difference at least. A difference that
    /// the same fields mend as one before it is the same mistake seen elsewhere, and goes.
    pub(super) fn blame(&self, probes: &Probes, differences: &mut Vec<Difference>) -> Result<(), Error> {
        let mut blamed: Vec<Vec<&'static Field>> = Vec::new();
        let mut kept = Vec::with_capacity(differences.len());
        for difference in differences.drain(..) {
            let needed = self.needed_for(difference.kind, probes)?;
            if !blamed.contains(&needed) || needed.is_empty() {
                blamed.push(needed);
                kept.push(difference);
            }
        }
        for field in self
            .fields
            .iter()
            .copied()
            .filter(|field| !blamed.iter().flatten().any(|known| known == field))
            .collect::<Vec<_>>()
        {
            // It keeps right what other fields would make wrong, and goes with the first of those that need it.
            let mut owner = blamed.len().saturating_sub(1);
            for (index, fields) in blamed.iter().enumerate() {
                let wrong = |fields: &[&Field]| {
                    let preset = mended(self.preset, &self.right, fields);
                    Ok::<_, Error>(probes.differences(&probes.send(&preset)?).len())
                };
                if wrong(&[fields.as_slice(), &[field]].concat())? < wrong(fields)? {
                    owner = index;
                    break;
                }
            }
            if let Some(fields) = blamed.get_mut(owner) {
                fields.push(field);
            }
        }
        for (difference, fields) in kept.iter_mut().zip(&blamed) {
            difference.mends = fields.iter().map(|field| field.mend(self.preset, &self.right)).collect();
        }
        *differences = kept;
        Ok(())
    }

    /// The fewest of the fields that mend a difference.
    fn needed_for(&self, kind: DifferenceKind, probes: &Probes) -> Result<Vec<&'static Field>, Error> {
        let mut needed = self.fields.clone();
        let mut index = 0;
        while index < needed.len() {
            let field = needed.remove(index);
            if !probes.lack(kind, &mended(self.preset, &self.right, &needed))? {
                needed.insert(index, field);
                index += 1;
            }
        }
        Ok(needed)
    }
}

impl Reach {
    fn has(self, field: &Field) -> bool {
        match self {
            Reach::SillyTavern => true,
            Reach::KoboldCpp => adapter::FIELDS.iter().any(|(name, _)| *name == field.name),
        }
    }
}

/// The layout with a system prompt that begins and ends a turn of its own, so that the user's turns do so too.
fn with_system_turn(layout: &Layout) -> Layout {
    match layout.system {
        System::OwnTurn(_) => *layout,
        System::InUser { .. } => Layout { system: System::OwnTurn(layout.user), ..*layout },
    }
}

fn mended(preset: &Preset, right: &Preset, fields: &[&Field]) -> Preset {
    let mut mended = preset.clone();
    fields.iter().for_each(|field| (field.copy)(&mut mended, right));
    mended
}
