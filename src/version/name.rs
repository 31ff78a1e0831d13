//! A model's name comes in, its words come out: lower case, without separators, dates and decimals in one form.

use std::collections::HashSet;

/// Words to which names glue a number: `small3.1`, `mistral7b`.
const GLUED: &[&str] = &[
    "codestral",
    "devstral",
    "large",
    "magistral",
    "magnum",
    "mathstral",
    "medium",
    "ministral",
    "mistral",
    "mixtral",
    "nemo",
    "pixtral",
    "small",
    "tiny",
    "voxtral",
];

/// Families that some catalogues list under the vendor's name: `mistral.ministral-3-8b`.
const FAMILIES: &[&str] =
    &["codestral", "devstral", "magistral", "mathstral", "ministral", "mistral", "mixtral", "pixtral", "voxtral"];

/// What names carry besides the model: roles, file formats, quantisation. `#` stands for digits and dots.
const DECORATIONS: &[&str] = &[
    // who and what
    "mistralai",
    "anthracite",
    "org",
    "open",
    "labs",
    "instruct",
    "inst",
    "it",
    "base",
    "chat",
    "latest",
    "free",
    "maas",
    "32k",
    "128k",
    "32768",
    "v1.0",
    // formats and their makers
    "hf",
    "gguf",
    "ggml",
    "safetensors",
    "bin",
    "pt",
    "mlx",
    "onnx",
    "openvino",
    "ov",
    "vllm",
    "tgi",
    "unsloth",
    "llamafile",
    "00#",
    "of",
    // quantisation
    "awq",
    "gptq",
    "exl#",
    "bnb",
    "hqq",
    "aqlm",
    "marlin",
    "autoround",
    "sym",
    "compressed",
    "quantized",
    "quant",
    "quants",
    "dynamic",
    "dwq",
    "ud",
    "imatrix",
    "imat",
    "i#",
    "nf#",
    "mxfp#",
    "nvfp#",
    "fp#",
    "bf#",
    "f#",
    "int#",
    "uint#",
    "q#",
    "iq",
    "iq#",
    "tq#",
    "bit",
    "#bit",
    "bpw",
    "#bpw",
    "w#a#",
    "h#",
    "#g",
    "g#",
    "gs#",
    "xxs",
    "xs",
    "s",
    "m",
    "l",
    "xl",
    "nl",
    "k",
    "0",
    "1",
];

/// The words of a name, in order and for look-up.
pub(super) struct Words {
    list: Vec<String>,
    set: HashSet<String>,
}

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let mut list = joined(split(name));
        let families = |word: Option<&String>| word.is_some_and(|w| FAMILIES.contains(&w.as_str()));
        if list.first().is_some_and(|first| first == "mistral") && families(list.get(1)) {
            list.remove(0);
        }
        let set = list.iter().cloned().collect();
        Self { list, set }
    }

    pub(super) fn contains(&self, word: &str) -> bool {
        self.set.contains(word)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }
}

/// The parts of a path or a hub's address, last first; a hub's cache folder counts as owner and name.
pub(super) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit(['/', '\\']).flat_map(|part| {
        let (part, separator) = match part.strip_prefix("models--") {
            Some(owner_and_name) => (owner_and_name, "--"),
            None => (part, "/"),
        };
        part.rsplit(separator)
    })
}

/// Does the word say nothing about which model it is?
pub(super) fn is_decoration(word: &str) -> bool {
    DECORATIONS.iter().any(|pattern| fits(pattern, word))
}

/// Is the word a year and a month, such as `2407`?
pub(super) fn is_date(word: &str) -> bool {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    match word.split_at_checked(2) {
        Some((year, month)) if word.len() == 4 && digits(word) => {
            ("23".."30").contains(&year) && ("01"..="12").contains(&month)
        }
        _ => false,
    }
}

fn fits(pattern: &str, word: &str) -> bool {
    let mut rest = word;
    for c in pattern.chars() {
        let after = match c {
            '#' => Some(rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')),
            c => rest.strip_prefix(c),
        };
        match after {
            Some(after) if after.len() < rest.len() => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Cuts at everything but letters, digits and the point of a decimal, and before a number glued to a word.
fn split(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let digit_follows = chars.peek().is_some_and(char::is_ascii_digit);
        let point = c == '.' && digit_follows && is_short_number(&word);
        if c.is_alphanumeric() || point {
            if c.is_ascii_digit() && GLUED.contains(&word.as_str()) {
                words.push(std::mem::take(&mut word));
            }
            word.push(c.to_ascii_lowercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Joins what a separator tore apart: `24 07` and `24.07` become `2407`, `v0 3` becomes `v0.3`.
fn joined(words: Vec<String>) -> Vec<String> {
    let mut list: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        if let Some(date) = word.split_once('.').map(|(year, month)| format!("{year}{month}"))
            && is_date(&date)
        {
            list.push(date);
            continue;
        }
        match list.last_mut() {
            Some(year) if year.len() == 2 && is_date(&format!("{year}{word}")) => {
                year.push_str(&word);
            }
            Some(whole) if is_short_number(whole) && is_single_digit(&word) => {
                whole.push('.');
                whole.push_str(&word);
            }
            _ => list.push(word),
        }
    }
    list
}

/// One or two digits, with or without a `v` before them.
fn is_short_number(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_single_digit(word: &str) -> bool {
    word.len() == 1 && word.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn words(name: &str, expected: &str) {
        let words = Words::of(name);
        assert_eq!(words.iter().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn separators_are_one() {
        for name in [
            "Mistral-7B-Instruct-v0.3",
            "mistral_7b_instruct_v0_3",
            "Mistral 7B Instruct v0.3",
            "mistral.7b.instruct.v0.3",
            "mistral7b:instruct-v0:3",
        ] {
            words(name, "mistral 7b instruct v0.3");
        }
    }

    #[test]
    fn dates_are_one() {
        for name in ["Large-2407", "large 24.07", "large-24-07", "large2407"] {
            words(name, "large 2407");
        }
        words("v24.13", "v24.13");
        words("2407.4.0bpw", "2407 4.0bpw");
    }

    #[test]
    fn numbers_leave_the_words_they_are_glued_to() {
        words("mistral-small3.1:24b-instruct-2503", "mistral small 3.1 24b instruct 2503");
        words("mixtral8x7b", "mixtral 8x7b");
    }

    #[test]
    fn the_vendor_goes_before_a_family() {
        words("mistral.ministral-3-8b", "ministral 3 8b");
        words("mistral.mistral-7b-instruct-v0:2", "mistral 7b instruct v0.2");
        words("mistral-small", "mistral small");
    }

    #[test]
    fn odd_names_have_words_or_none() {
        for name in ["", "-", "...", "v.", ".5"] {
            assert!(Words::of(name).iter().count() <= 1, "{name}");
        }
        words("Ünï-Мистраль", "Ünï Мистраль");
    }

    #[test]
    fn decorations_fit_whole_words() {
        for word in ["q4", "4.0bpw", "w4a16", "00001", "i1", "128g", "exl2"] {
            assert!(is_decoration(word), "{word}");
        }
        for word in ["q", "bpw4", "w4a", "123b", "lumimaid", "", "v0.1"] {
            assert!(!is_decoration(word), "{word}");
        }
    }

    #[test]
    fn paths_are_read_from_their_end() {
        let parts = |path| parts(path).collect::<Vec<_>>();
        assert_eq!(parts(r"C:\models\a.gguf"), ["a.gguf", "models", "C:"]);
        assert_eq!(parts("models--o--n/refs"), ["refs", "n", "o"]);
        assert_eq!(parts("a--b"), ["a--b"]);
    }
}
