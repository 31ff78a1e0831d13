//! The chapters of `spec/`: every chat in them gives exactly the prompts, or the refusals, that stand below it.

use crate::support::markdown;
use std::fs;
use std::path::Path;

use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::render::Fim;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{Chat, Dialect, Error, Format, Layout, Mode, Prompt, Request, Version};

use crate::control_ids::ReleasedIds;
use crate::support::markdown::Block;

/// What a chapter lays out.
enum Shown<'c> {
    Chat(&'c str, Dialect),
    Fim(Fim<'c>),
}

impl<'c> Shown<'c> {
    /// What a block of JSON holds, by what stands behind its mark.
    fn of(mark: &str, json: &'c str) -> Option<Self> {
        match mark {
            "" => Some(Shown::Chat(json, Dialect::Either)),
            "fim" => Some(Shown::Fim(Fim::from_json(json).unwrap())),
            name => Dialect::from_name(name).map(|dialect| Shown::Chat(json, dialect)),
        }
    }

    fn render(&self, layout: &Layout) -> Result<Prompt, Error> {
        match self {
            Shown::Chat(json, dialect) => {
                let request = Request::read(json, *dialect)?;
                layout.render(&request.chat).map_err(|error| request.locate(error))
            }
            Shown::Fim(fim) => layout.render_fim(fim),
        }
    }

    fn json(&self) -> (&'c str, Dialect) {
        let Shown::Chat(json, dialect) = self else { panic!("fill in the middle has neither grammar nor dialect") };
        (json, *dialect)
    }
}

/// What is ignored of a request.
fn ignored(request: &Shown<'_>) -> String {
    let (json, dialect) = request.json();
    Request::read(json, dialect).unwrap().ignored.join("\n")
}

/// What a repair changes of a request, and its prompt then.
fn repaired(request: &Shown<'_>, layout: &Layout) -> (&'static str, String) {
    let (json, dialect) = request.json();
    match Request::repair(json, dialect, layout, &RepairPolicy::default()) {
        Ok(mended) => {
            let repairs = mended.repairs.iter().map(|repair| format!("{repair}\n")).collect::<String>();
            ("repaired", format!("{repairs}\n{}", layout.render(&mended.request.chat).unwrap().as_str()))
        }
        Err(error) => ("error", sentence(&error, layout)),
    }
}

fn mode(name: &str) -> Option<Mode> {
    match name {
        "finetuning" => Some(Mode::Finetuning),
        "serving" => Some(Mode::Serving),
        "agnostic" => Some(Mode::Agnostic),
        _ => None,
    }
}

/// The layouts that a block names, in the mode that it names.
fn layouts(names: &str) -> Vec<Layout> {
    let names: Vec<_> = names.split_whitespace().collect();
    let mode = names.first().and_then(|first| mode(first));
    let labels = names.iter().skip(usize::from(mode.is_some()));
    labels.map(|label| label.parse::<Layout>().unwrap().in_mode(mode.unwrap_or_default())).collect()
}

/// The prompt, or the sentence of the refusal without the layout's name.
fn answer(request: &Shown<'_>, layout: &Layout) -> (&'static str, String) {
    match request.render(layout) {
        Ok(prompt) => ("text", prompt.into_string()),
        Err(error) => ("error", sentence(&error, layout)),
    }
}

/// The grammar of the answer, or the sentence of the refusal.
fn grammar(request: &Shown<'_>, layout: &Layout, kind: &str) -> (&'static str, String) {
    let (json, dialect) = request.json();
    let chat = Chat::read(json, dialect).unwrap();
    match (layout.grammar(&chat), kind) {
        (Ok(None), _) => ("lark", "none".to_owned()),
        (Ok(Some(grammar)), "exact") => ("exact", grammar.to_lark(&ReleasedIds(layout), LarkStyle::Exact).unwrap()),
        (Ok(Some(grammar)), _) => ("lark", grammar.to_lark(&ReleasedIds(layout), LarkStyle::MistralCommon).unwrap()),
        (Err(error), _) => ("refused", sentence(&error, layout)),
    }
}

fn sentence(error: &Error, layout: &Layout) -> String {
    let sentence = error.to_string();
    let suffix = format!(" ({})", layout.name);
    sentence.strip_suffix(&suffix).unwrap_or(&sentence).to_owned()
}

/// What is wrong with a chapter, one message a layout, and how many layouts it shows.
fn check(chapter: &str, markdown: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut count, mut request) = (Vec::new(), 0, None);
    for Block { info, body, line } in markdown::blocks(markdown) {
        match info.split_once(' ').unwrap_or((info, "")) {
            ("json", mark) => {
                let shown = Shown::of(mark, body);
                request = Some(shown.unwrap_or_else(|| panic!("{chapter}:{line}: {mark:?} is no dialect")));
            }
            ("ignored", "") => {
                let says = request.as_ref().map(ignored);
                if says.as_deref() != Some(body) {
                    wrong.push(format!("{chapter}:{line}: what is passed over is\n{says:?}\nnot\n{body}"));
                }
            }
            (kind @ ("text" | "error" | "lark" | "exact" | "refused" | "repaired"), names) => {
                let request = request.as_ref().unwrap_or_else(|| panic!("{chapter}:{line}: no chat before it"));
                for layout in layouts(names) {
                    count += 1;
                    let (is, says) = match kind {
                        "text" | "error" => answer(request, &layout),
                        "repaired" => repaired(request, &layout),
                        kind => grammar(request, &layout, kind),
                    };
                    if (is, &*says) != (kind, body) {
                        wrong.push(format!(
                            "{chapter}:{line}: {} gives the {is}\n{says}\nnot the {kind}\n{body}",
                            layout.name
                        ));
                    }
                }
            }
            _ => panic!(
                "{chapter}:{line}: a block is `json`, `json fim`, `json DIALECT`, `ignored`, or one of text, error, repaired, lark, exact, refused and LAYOUTS"
            ),
        }
    }
    (wrong, count)
}

fn chapters() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_chapter() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, markdown) in chapters() {
        let (wrong_here, count_here) = check(&name, &markdown);
        wrong.extend(wrong_here);
        count += count_here;
    }
    assert!(wrong.is_empty(), "{} differ\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 150, "{count} prompts");
}

#[test]
fn every_version_is_shown() {
    let shown: Vec<_> = chapters()
        .iter()
        .flat_map(|(_, markdown)| {
            markdown::blocks(markdown).iter().map(|block| block.info.to_owned()).collect::<Vec<_>>()
        })
        .filter(|info| info.starts_with("text "))
        .flat_map(|info| layouts(&info["text ".len()..]))
        .map(|layout| layout.name)
        .collect();
    // No model has Tekken with the layout of v1 or v2.
    let released = Version::ALL.iter().filter(|version| !matches!(version, Version::V1Tekken | Version::V2Tekken));
    for version in released {
        assert!(shown.contains(&version.name()), "no chapter shows {version}");
    }
}

#[test]
fn a_wrong_chapter_is_found_out() {
    let chapter = "```json\n{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n```\n\n```text v3 v7-tekken\n<s>[INST] Hi[/INST]\n```\n";
    let (wrong, count) = check("chapter", chapter);
    assert_eq!(count, 2);
    assert_eq!(wrong, ["chapter:5: v7-tekken gives the text\n<s>[INST]Hi[/INST]\nnot the text\n<s>[INST] Hi[/INST]"]);
}

#[test]
fn the_index_lists_every_chapter() {
    let chapters = chapters();
    let (_, index) = chapters.iter().find(|(name, _)| name == "README.md").unwrap();
    for (name, markdown) in chapters.iter().filter(|(name, _)| name != "README.md") {
        let title = markdown.lines().next().unwrap().trim_start_matches("# ");
        assert!(index.contains(&format!("[{title}]({name})")), "{name} is not in the index as {title:?}");
    }
}
