//! What SillyTavern sends: preset files (or a built-in preset's name) and a chat in, the prompt out.
//!
//! ```text
//! cargo run --example sillytavern -- magnum chat.json
//! cargo run --example sillytavern -- context.json,instruct.json,sysprompt.json chat.json
//! ```
//!
//! The chat is JSON: `{"messages": […]}`, or `{"story": {…}, "chat": […], "options": {…}}` with SillyTavern's names for
//! everything. Without a file it is a short one.

use mistral_chat_template::preset::Scene;
use mistral_chat_template::{Chat, Format, Message};
use serde_json::Value;

#[path = "support/preset_line.rs"]
mod preset_line;
#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<(), Sentence> {
    let mut arguments = std::env::args().skip(1);
    let preset = preset_line::named(&arguments.next().ok_or("which preset? a name, or files set apart by commas")?)?;
    let prompt = match arguments.next() {
        None => {
            let greeting = [Message::assistant("Meow."), Message::user("Who are you?")];
            let scene = Scene { char: "Mia".into(), description: "{{char}} is a cat.".into(), ..Scene::default() };
            preset.with_scene(&scene)?.render(&Chat::new(greeting))?
        }
        Some(path) => {
            let json = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
            let line: Value = serde_json::from_str(&json).map_err(|error| format!("{path}: {error}"))?;
            match line.get("chat") {
                Some(_) => preset_line::render_with(&preset, &line).map_err(|error| format!("{path}: {error}"))?,
                None => preset.with_scene(&Scene::default())?.render(&Chat::from_json(&json)?)?,
            }
        }
    };
    println!("{prompt}\n");
    for segment in prompt.segments() {
        println!("{segment:?}");
    }
    println!("stops at {:?}", prompt.stop_strings());
    Ok(())
}
