#!/bin/sh
# What this crate costs to build, and what it adds to a binary, beside hf-chat-template: see benches/README.md.
# Usage: benches/build_size.sh [JOBS]
set -eu

crate=$(cd "$(dirname "$0")/.." && pwd)
jobs=${1:-$(nproc)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A package NAME with one dependency, and a main function that is read from the input.
package() {
    mkdir -p "$folder/$1/src"
    cat > "$folder/$1/Cargo.toml" <<END
[package]
name = "$1"
version = "0.0.0"
edition = "2024"
[dependencies]
$2
[profile.release]
strip = true
[workspace]
END
    cat > "$folder/$1/src/main.rs"
    # The versions that this crate is tested with.
    cp "$crate/Cargo.lock" "$folder/$1/"
    (cd "$folder/$1" && cargo fetch --quiet)
}

package nothing '' <<'END'
fn main() {
    print!("{}", std::io::read_to_string(std::io::stdin()).unwrap());
}
END

package native "mistral-chat-template = { path = \"$crate\", default-features = false }" <<'END'
use mistral_chat_template::{Chat, Format, Layout};

fn main() {
    let request = std::io::read_to_string(std::io::stdin()).unwrap();
    let chat = Chat::from_json(&request).unwrap();
    print!("{}", Layout::V3.render(&chat).unwrap());
}
END

package with-templates "mistral-chat-template = { path = \"$crate\" }" <<'END'
use mistral_chat_template::{Chat, ChatTemplate, Format};

fn main() {
    let request = std::io::read_to_string(std::io::stdin()).unwrap();
    let chat = Chat::from_json(&request).unwrap();
    let template = ChatTemplate::new(&std::env::args().nth(1).unwrap()).unwrap();
    print!("{}", template.render(&chat).unwrap());
}
END

package hf 'hf-chat-template = { version = "1.0", default-features = false }
serde_json = "1"' <<'END'
use hf_chat_template::ChatTemplate;

fn main() {
    let request = std::io::read_to_string(std::io::stdin()).unwrap();
    let context: serde_json::Value = serde_json::from_str(&request).unwrap();
    let template = ChatTemplate::from_str(&std::env::args().nth(1).unwrap()).unwrap();
    print!("{}", template.render_context(&context).unwrap());
}
END

# Seconds of processor time of a command and its children.
seconds() {
    ( "$@" >&2; times ) | tail -n 1 | awk '{ split($1, user, "[ms]"); split($2, sys, "[ms]"); print user[1] * 60 + user[2] + sys[1] * 60 + sys[2] }'
}

for name in nothing native hf with-templates; do
    cd "$folder/$name"
    time=$(seconds cargo build --release --quiet --offline --jobs "$jobs")
    size=$(wc -c < "target/release/$name")
    crates=$(cargo tree --offline --prefix none --edges normal,build | sort -u | grep -vc "^$name " || true)
    [ "$name" = nothing ] && base=$size
    echo "$name: ${time} s of processor time, $((size - base)) bytes more than nothing, $crates crates"
done
