//! Takes the first example of each service's page out of the page, so that tests compile and render that very code.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

/// The pages of the services.
const PAGES: &str = "../docs/services";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={PAGES}");
    for entry in fs::read_dir(PAGES)? {
        let page = entry?.path();
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let name = page.with_extension("rs");
        let name = name.file_name().ok_or("a page has a name")?;
        let text = fs::read_to_string(&page)?;
        let example = first_example(&text)
            .ok_or_else(|| format!("{}: no block of ```rust", page.display()))?;
        fs::write(out.join(name), example)?;
    }
    Ok(())
}

/// Returns what stands in the first block of Rust.
fn first_example(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("\n```rust\n")?;
    let (code, _) = rest.split_once("\n```")?;
    // A page may show statements alone, which are included as one expression.
    Some(if code.starts_with("let ") {
        format!("{{\n{code}\n}}\n")
    } else {
        format!("{code}\n")
    })
}
