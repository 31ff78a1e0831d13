//! The render of a chat as each other engine would do it: what fails there, and what of it differs.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{ENGINES, Outcome, Row, Table};
use super::{Engine, Found, LintKind};
use crate::chat::Sent;
use crate::jinja::{self, Met};
use crate::template::chat_view::ChatView;
use crate::template::{ChatTemplate, render};

/// The renders of a template's chats in all engines.
pub(super) struct EngineRender<'t> {
    table: &'t Table,
    rows: BTreeMap<Met, Option<&'t Row>>,
    /// The engines that do not load the template.
    not_loading: BTreeSet<Engine>,
    /// The lines to which each engine gets.
    lines: BTreeSet<(Engine, u32)>,
}

impl<'t> EngineRender<'t> {
    /// Of a template that is made of these constructs.
    pub(super) fn new(table: &'t Table, written: &[(String, u32)]) -> Self {
        let not_loading = ENGINES.into_iter().enumerate().filter(|(place, _)| {
            let lacks = |(construct, _): &(String, u32)| table.lacks(construct, *place);
            written.iter().any(|written| matches!(lacks(written), Some((_, Outcome::FailsToLoad { .. }))))
        });
        let not_loading = not_loading.map(|(_, engine)| engine).collect();
        EngineRender { table, rows: BTreeMap::new(), not_loading, lines: BTreeSet::new() }
    }

    /// Does an engine get to this line, with any chat?
    pub(super) fn gets_to(&self, engine: Engine, line: u32) -> bool {
        self.lines.contains(&(engine, line))
    }

    /// Renders a chat, unless transformers refuses it, and notes what becomes of it elsewhere.
    pub(super) fn render(&mut self, template: &ChatTemplate, sent: &Sent<'_>, found: &mut Found) {
        let Ok(view) = ChatView::of_sent(template, sent) else { return };
        let steps = render::steps(template, &view);
        let program = &view.compiled(template).program;
        let mut all = BTreeSet::new();
        let note = |met| {
            all.insert(met);
            jinja::Elsewhere::Same
        };
        let Some(wanted) = program.imitate(&view, steps, note) else { return };
        for met in &all {
            let table = self.table;
            self.rows.entry(met.clone()).or_insert_with(|| table.find(&met.construct, &met.given));
        }
        for (place, engine) in ENGINES.into_iter().enumerate() {
            let mut reached = BTreeSet::new();
            let render = |only: Option<&Met>, reached: &mut BTreeSet<Met>| {
                program.imitate(&view, steps, |met| {
                    let outcome = self.outcome(&met, place);
                    let is_asked = only.is_none_or(|only| (only.line, &only.construct) == (met.line, &met.construct));
                    reached.insert(met);
                    match outcome {
                        Some(Outcome::Differs { .. }) if is_asked => jinja::Elsewhere::Changed,
                        Some(Outcome::Fails { some: false, .. } | Outcome::FailsToLoad { .. }) if only.is_none() => {
                            jinja::Elsewhere::Failed
                        }
                        _ => jinja::Elsewhere::Same,
                    }
                })
            };
            let loads = !self.not_loading.contains(&engine);
            let printed = if loads { render(None, &mut reached) } else { None };
            let differs = printed.as_ref().is_some_and(|printed| *printed != wanted);
            let mut alone = BTreeSet::new();
            for met in all.union(&reached) {
                let place_of = (met.line, &*met.construct);
                let (Some(row), Some(outcome)) = (self.row(met), self.outcome(met, place)) else { continue };
                let is_met = match outcome {
                    Outcome::Same => continue,
                    Outcome::FailsToLoad { .. } => true,
                    Outcome::Fails { .. } => reached.contains(met),
                    // Nothing comes of it.
                    Outcome::Differs { .. } if printed.is_some() && !differs => continue,
                    Outcome::Differs { .. } => differs && reached.contains(met),
                };
                let is_known = || found.is_met(place_of, engine, LintKind::Differs);
                if is_met && matches!(outcome, Outcome::Differs { .. }) && !is_known() {
                    let by_itself = render(Some(met), &mut BTreeSet::new());
                    if by_itself.is_some_and(|printed| printed == wanted) {
                        alone.insert(met);
                        continue;
                    }
                }
                found.note(place_of, engine, &met.given, row, outcome, is_met);
            }
            // Where no construct makes the difference by itself, all of them do.
            let is_told = |found: &Found| {
                reached.iter().any(|met| found.is_met((met.line, &*met.construct), engine, LintKind::Differs))
            };
            if differs && !is_told(found) {
                for met in alone {
                    if let (Some(row), Some(outcome)) = (self.row(met), self.outcome(met, place)) {
                        found.note((met.line, &met.construct), engine, &met.given, row, outcome, true);
                    }
                }
            }
            self.lines.extend(reached.iter().map(|met| (engine, met.line)));
        }
    }

    fn row(&self, met: &Met) -> Option<&'t Row> {
        match self.rows.get(met) {
            Some(known) => *known,
            None => self.table.find(&met.construct, &met.given),
        }
    }

    fn outcome(&self, met: &Met, place: usize) -> Option<&'t Outcome> {
        self.row(met)?.outcomes.get(place)
    }
}
