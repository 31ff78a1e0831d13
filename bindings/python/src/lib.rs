//! `mistral_chat_template` for Python.

use pyo3::prelude::*;

mod batch;
mod chat;
mod completion;
mod conversation;
mod error;
mod format;
mod gguf;
mod json;
#[path = "../../../examples/support/model_files.rs"]
mod model_files;
mod objects;
mod prompt;
mod repair;
mod tokenizer;
#[path = "../../../examples/support/vocabulary.rs"]
mod vocabulary;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<chat::Chat>()?;
    module.add_class::<format::Layout>()?;
    module.add_class::<format::ChatTemplate>()?;
    module.add_class::<format::Preset>()?;
    module.add_class::<completion::Completion>()?;
    module.add_class::<completion::CompletionReader>()?;
    module.add_class::<conversation::Conversation>()?;
    module.add_class::<repair::Explanation>()?;
    module.add_class::<prompt::Prompt>()?;
    module.add_class::<prompt::Encoded>()?;
    module.add_class::<tokenizer::Vocabulary>()?;
    module.add_class::<tokenizer::CallableTokenizer>()?;
    module.add_function(wrap_pyfunction!(batch::format_batch, module)?)?;
    module.add_function(wrap_pyfunction!(batch::pack, module)?)?;
    module.add_function(wrap_pyfunction!(repair::fit, module)?)?;
    module.add_function(wrap_pyfunction!(repair::repair, module)?)?;
    module.add_function(wrap_pyfunction!(repair::which_layout, module)?)?;
    Ok(())
}
