//! From the names of the registry to those of Rust.

/// Words that cannot name a field or module; such a name gets an underscore at its end.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "_",
];

/// Turns a name such as `KmsDataKeyReusePeriodSeconds` into `kms_data_key_reuse_period_seconds`.
///
/// An acronym is one word, also in the plural: `SubnetIDs` becomes `subnet_ids`, and `IPv6` becomes `ipv6`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name
        .replace("IPv", "Ipv")
        .replace("OAuth", "Oauth")
        .chars()
        .collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or(' ');
    let mut out = String::with_capacity(name.len() + 8);
    for (index, c) in chars.iter().copied().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        if c.is_ascii_uppercase() && index > 0 {
            let before = at(index - 1);
            let after = at(index + 1);
            let plural = after == 's' && !at(index + 2).is_ascii_lowercase();
            let starts = before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase() && !plural);
            if starts && !out.ends_with('_') {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    let mut out = out.trim_end_matches('_').to_owned();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'n');
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// Names the fields of one struct; where two properties would have one name, the later gets a number.
pub(crate) fn fields<'a>(properties: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for property in properties {
        let wanted = snake(property);
        let mut name = wanted.clone();
        let mut count = 2;
        while names.contains(&name) {
            name = format!("{wanted}_{count}");
            count += 1;
        }
        names.push(name);
    }
    names
}
