//! Where the system prompt and the tools stand, and where the layout puts them.

use super::deviation::DeviationKind;
use super::messages::{Turns, UserTurn};
use crate::layout::System;

impl Turns<'_> {
    /// Looks for a known system prompt in the user turns.
    pub(super) fn place_system(&mut self, system: &str) {
        if system.is_empty() {
            return;
        }
        let join = self.layout.system.in_user().map_or("\n\n", |(_, join)| join);
        let home = self.users_ends().and_then(|ends| self.layout.system_turn(ends));
        let mut is_home = false;
        for at in 0..self.users.len() {
            let Some(UserTurn { text, .. }) = self.users.get(at) else { break };
            let said = self.prompt.get(text.clone()).unwrap_or_default();
            let start = text.start + said.len() - said.trim_start_matches(' ').len();
            let Some(rest) = said.trim_start_matches(' ').strip_prefix(system) else { continue };
            let end = start + system.len();
            let breaks = rest.len() - rest.trim_start_matches('\n').len();
            if Some(at) != home {
                self.note(DeviationKind::SystemElsewhere, start..end + breaks, Some(""));
                continue;
            }
            is_home = true;
            if rest.get(..breaks) != Some(join) {
                self.note(DeviationKind::SystemJoin, end..end + breaks, Some(join));
            }
        }
        if is_home || self.says_system(system) {
            return;
        }
        match (self.layout.system, home.and_then(|home| self.users.get(home))) {
            (System::InUser { .. }, Some(turn)) => {
                let said = self.prompt.get(turn.text.clone()).unwrap_or_default();
                let start = turn.text.start + said.len() - said.trim_start_matches(' ').len();
                self.note(DeviationKind::SystemBelongsHere, start..start, Some(&format!("{system}{join}")));
            }
            (System::OwnTurn(frame), _) => {
                let start = self.after_begin();
                let (open, close) = (frame.open.as_str(), frame.close.as_str());
                let block = format!("{open}{}{system}{close}", self.layout.word_start.printed());
                self.note(DeviationKind::SystemBelongsHere, start..start, Some(&block));
            }
            (System::InUser { .. }, None) => {}
        }
    }

    /// Compares where the tools stand with where they belong.
    pub(super) fn place_tools(&mut self) {
        let Some(block) = self.tools_block.clone() else { return };
        let home = self.users_ends().and_then(|ends| self.layout.tools_turn(ends));
        let home = home.and_then(|home| self.users.get(home)).map(|turn| turn.start..turn.text.start);
        let Some(home) = home else { return };
        if home.contains(&block.start) {
            return;
        }
        let tools = self.prompt.get(block.clone()).unwrap_or_default();
        self.note(DeviationKind::ToolsElsewhere, block, Some(""));
        self.note(DeviationKind::ToolsBelongHere, home.start..home.start, Some(tools));
    }

    /// The first and the last user turn.
    fn users_ends(&self) -> Option<(usize, usize)> {
        self.users.len().checked_sub(1).map(|last| (0, last))
    }
}
