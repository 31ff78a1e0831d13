//! How long a chat takes to become a prompt, beside the limit (pushing the same pieces) and beside peers.
//!
//! `cargo bench --bench render` ends with lines `ratio NAME VALUE`. Both sides of a ratio are measured in turn on the
//! same input, and the value is the median of the pairs. `benches/README.md` says what each name compares;
//! `cargo bench --bench render -- append` prints one family of them.
//!
//! `MISTRAL_TEMPLATES` names a folder with the template `v3_spm.jinja` that mistral-common generates; without it the
//! rows of `hf-chat-template` are left out.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use mistral_chat_template::{Chat, Format, Layout, Prompt};

mod chats;
mod peers;
mod ratios;

use chats::Size;

fn bench_layouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    for size in Size::ALL {
        let json = chats::text(size);
        let chat = Chat::from_json(&json).unwrap();
        let mut prompt = Layout::V3.render(&chat).unwrap();
        group.throughput(Throughput::Bytes(prompt.as_str().len().try_into().unwrap()));
        let pieces = peers::pieces(&prompt, &chat);
        let mut buffer = String::new();
        group.bench_function(BenchmarkId::new("limit", size.name()), |bencher| {
            bencher.iter(|| peers::push(black_box(&pieces), &mut buffer));
        });
        group.bench_function(BenchmarkId::new("native", size.name()), |bencher| {
            bencher.iter(|| Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap());
        });
        group.bench_function(BenchmarkId::new("request", size.name()), |bencher| {
            bencher.iter(|| request(black_box(&json), &mut prompt));
        });
        let three_lines = peers::ThreeLines::new();
        group.bench_function(BenchmarkId::new("minijinja", size.name()), |bencher| {
            bencher.iter(|| three_lines.render(black_box(&json)));
        });
        if let Some(official) = peers::Official::new(&json) {
            group.bench_function(BenchmarkId::new("hf-chat-template", size.name()), |bencher| {
                bencher.iter(|| official.render());
            });
        }
    }
    group.finish();
}

/// Request bytes into a prompt: parsed, checked, rendered.
fn request(json: &str, prompt: &mut Prompt) {
    let chat = Chat::from_json(json).unwrap();
    Layout::V3.render_into(&chat, prompt).unwrap();
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    bench_layouts(&mut criterion);
    criterion.final_summary();
    // `cargo test` and `cargo bench -- --test` only see that everything runs.
    if std::env::args().any(|argument| argument == "--bench") {
        let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
        ratios::print(filter.as_deref());
    }
}
