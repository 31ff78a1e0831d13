//! Any text as a preset's file or a template, compared with a layout: a verdict or an error, the same each time.

use mistral_chat_template::{ChatTemplate, Layout, Preset};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut preset = Preset::default();
    if preset.load(text).is_ok() {
        if let Ok(report) = preset.compare(&Layout::MAGNUM) {
            assert_eq!(report, preset.compare(&Layout::MAGNUM).expect("what is compared once is compared again"));
        }
    } else if let Ok(template) = ChatTemplate::new(text) {
        let comparison = template.compare(&Layout::V7);
        assert_eq!(comparison, template.compare(&Layout::V7));
    }
}
