#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mistral_chat_template_fuzz::conversation::run(data));
