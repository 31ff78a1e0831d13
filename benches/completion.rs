//! Reading what a model writes, beside a plain copy of it: `cargo bench --bench completion`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mistral_chat_template::explain::Explanation;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Completion, CompletionReader, Layout};

const LENGTH: usize = 64 << 10;
/// About what a token decodes to.
const TOKEN: usize = 4;

fn repeated(unit: &str) -> String {
    unit.repeat(LENGTH / unit.len())
}

fn outputs() -> [(&'static str, Layout, String); 4] {
    let arguments = format!("{{\"items\": [{}0]}}", repeated("{\"name\": \"value\", \"n\": 12}, "));
    [
        ("text", Layout::V13, repeated("Well, 1 < 2, and a list[0] is no token. ")),
        (
            "thinking",
            Layout::V13.with(Feature::Think),
            format!("[THINK]{}[/THINK]Hello!</s>", repeated("The user says hello. ")),
        ),
        ("call", Layout::V13, format!("[TOOL_CALLS]put[ARGS]{arguments}</s>")),
        ("list", Layout::V7, format!("[TOOL_CALLS][{{\"name\": \"put\", \"arguments\": {arguments}}}]</s>")),
    ]
}

fn pieces(text: &str) -> Vec<&str> {
    // The outputs are ASCII.
    let bytes = text.as_bytes().chunks(TOKEN);
    bytes.filter_map(|piece| std::str::from_utf8(piece).ok()).collect()
}

fn completion(criterion: &mut Criterion) {
    for (name, layout, output) in outputs() {
        let mut group = criterion.benchmark_group(format!("completion/{name}"));
        group.throughput(Throughput::Bytes(u64::try_from(output.len()).unwrap_or(u64::MAX)));
        let pieces = pieces(&output);
        group.bench_function("copy of the whole", |bencher| bencher.iter(|| black_box(&output).clone()));
        group.bench_function("whole", |bencher| bencher.iter(|| Completion::from_text(black_box(&output), &layout)));
        group.bench_function("copy of tokens", |bencher| {
            bencher
                .iter(|| pieces.iter().map(|piece| black_box(*piece).to_owned()).map(|text| text.len()).sum::<usize>());
        });
        group.bench_function("tokens", |bencher| {
            bencher.iter(|| {
                let mut reader = CompletionReader::new(&layout);
                let given: usize = pieces.iter().map(|piece| reader.push(black_box(piece)).count()).sum();
                (given, reader.finish())
            });
        });
    }
}

fn explain(criterion: &mut Criterion) {
    let turn = "[INST] What is 1 + 1?[/INST] Two, and 2 + 2 is four.</s>";
    let prompt = format!("<s>{}[INST] Bye[/INST]", repeated(turn));
    let mut group = criterion.benchmark_group("explain");
    group.throughput(Throughput::Bytes(u64::try_from(prompt.len()).unwrap_or(u64::MAX)));
    group.bench_function("one layout", |bencher| bencher.iter(|| Explanation::new(black_box(&prompt), &Layout::V3)));
}

criterion_group!(benches, completion, explain);
criterion_main!(benches);
