//! Names of functions that no layout accepts: renamed in the tools, in their calls and results, and in the choice of tools.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::mending::Mending;
use super::{Renamed, RepairKind};
use crate::chat::call_id::nine;
use crate::chat::{Message, ToolChoice};
use crate::render::check::is_function_name;

/// The longest name that there is.
const LONGEST: usize = 64;

/// The names of one chat, old and new. What is a name stays; no two old names become the same.
#[derive(Default)]
struct Names<'c> {
    new: HashMap<Cow<'c, str>, String>,
    taken: HashSet<String>,
}

impl<'c> Names<'c> {
    /// The names of a chat, where those that stay are known first.
    fn of<'n>(all: impl Iterator<Item = &'n str>) -> Self {
        let taken = all.filter(|name| is_function_name(name)).map(str::to_owned).collect();
        Names { new: HashMap::new(), taken }
    }

    /// Renames what is not a name.
    fn mend(&mut self, name: &mut Cow<'c, str>) -> Option<Renamed> {
        if is_function_name(name) {
            return None;
        }
        let new = match self.new.get(name) {
            Some(new) => new.clone(),
            None => {
                let new = self.free(name);
                self.taken.insert(new.clone());
                self.new.insert(name.clone(), new.clone());
                new
            }
        };
        let old = std::mem::replace(name, new.clone().into());
        Some(Renamed { old: old.into_owned(), new })
    }

    /// A name that no other has become: the nearest one, else one with nine letters or digits computed from the old one.
    fn free(&self, old: &str) -> String {
        let nearest = nearest(old);
        let is_cut = old.chars().count() > LONGEST;
        let cut: String = nearest.chars().take(LONGEST - 10).collect();
        let others = (0..).map(|attempt| format!("{cut}_{}", nine(old, attempt)));
        let mut all = (!is_cut).then_some(nearest).into_iter().chain(others);
        all.find(|name| !self.taken.contains(name)).unwrap_or_default()
    }
}

/// The name with `_` for each character that none has.
fn nearest(name: &str) -> String {
    let of_a_name = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
    let name: String = name.chars().take(LONGEST).map(of_a_name).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

impl<'c> Mending<'_, 'c> {
    /// Mends every name of a function.
    pub(super) fn names(&mut self) {
        let calls = (self.chat.messages.iter()).flat_map(|message| message.tool_calls()).map(|call| &*call.name);
        let mut names = Names::of(self.chat.tools.iter().map(|tool| &*tool.name).chain(calls));
        for (index, mut tool) in std::mem::take(&mut self.chat.tools).into_iter().enumerate() {
            if let Some(renamed) = names.mend(&mut tool.name) {
                self.renamed(format!("tools[{index}].function.name"), RepairKind::ToolName, renamed);
            }
            self.chat.tools.push(tool);
        }
        for mut item in self.take() {
            match &mut item.message {
                Message::Assistant(message) => {
                    for (position, call) in message.tool_calls.iter_mut().enumerate() {
                        if let Some(renamed) = names.mend(&mut call.name) {
                            let at = format!("{}.function.name", item.source.call_path(position));
                            self.renamed(at, RepairKind::CallName, renamed);
                        }
                    }
                }
                Message::Tool(result) => {
                    if let Some(renamed) = result.name.as_mut().and_then(|name| names.mend(name)) {
                        self.renamed(format!("{}.name", item.source.path()), RepairKind::CallName, renamed);
                    }
                }
                Message::System(_) | Message::User(_) => {}
            }
            self.put([item]);
        }
        match &mut self.chat.tool_choice {
            ToolChoice::Named(name) => drop(names.mend(name)),
            ToolChoice::Allowed { names: allowed, .. } => {
                for name in allowed {
                    names.mend(name);
                }
            }
            ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => {}
        }
    }
}
