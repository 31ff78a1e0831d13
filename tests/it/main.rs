//! All integration tests that can share a process, in one program: one link after an edit.

#[path = "../../examples/support/completion_line.rs"]
mod completion_line;
#[path = "../../examples/support/control_ids.rs"]
mod control_ids;
#[path = "../../examples/support/preset_line.rs"]
mod preset_line;
mod support;

mod append;
mod completion;
mod completion_mends;
mod completion_stream;
mod conversation_ids;
mod diverge;
mod errors;
mod examples;
mod explain;
mod fit;
mod goldens;
mod grammar;
mod hostile;
mod image;
mod injection;
mod layers;
mod living_lines;
mod mask;
mod mutants;
mod next_version;
mod preset_adapters;
mod prompt;
mod properties;
mod public_api;
mod python_json;
mod reading;
mod readme;
mod repair;
mod repair_goldens;
mod replies;
mod request_injection;
mod requests;
mod reunited;
mod rows;
mod serde_doors;
mod sillytavern;
mod sillytavern_edges;
mod sillytavern_layouts;
mod sillytavern_macros;
mod sillytavern_story;
mod skeleton;
mod spec;
mod structure;
mod template;
mod template_attacks;
mod template_config;
mod template_hostile;
mod template_lint;
mod template_methods;
mod template_nearest;
mod template_official;
mod template_python;
mod template_sent;
mod template_written;
mod train_rows;
mod transcript;
mod version;
mod window;
