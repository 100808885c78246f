//! Generates the structs of the enabled services, and the table of all files of facts, from `spec/`.

#[path = "build/docs.rs"]
mod docs;
#[path = "build/names.rs"]
mod names;
#[path = "src/facts/spec.rs"]
mod spec;
#[path = "build/structs.rs"]
mod structs;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut services = Vec::new();
    for entry in fs::read_dir(root.join("spec"))? {
        let path = entry?.path();
        if let (Some("txt"), Some(name)) = (
            path.extension().and_then(|e| e.to_str()),
            path.file_stem().and_then(|s| s.to_str()),
        ) {
            services.push((name.to_owned(), path));
        }
    }
    services.sort();

    let mut modules = String::new();
    let mut table = String::from("&[\n");
    for (service, path) in &services {
        // The path is found when the crate is compiled: checkouts may share a target directory, and the output of
        // this script must not name one of them.
        let file = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        writeln!(
            table,
            "    (\"{service}\", include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/spec/{file}\"))),"
        )?;
        if env::var_os(format!("CARGO_FEATURE_{}", service.to_uppercase())).is_some() {
            let text = fs::read_to_string(path)?;
            let (code, provider) =
                structs::service(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            let file = out.join(format!("{service}.rs"));
            write_if_changed(&file, &code)?;
            writeln!(modules, "/// The resource types of `{provider}`.")?;
            writeln!(
                modules,
                "pub mod {service} {{\n    include!({:?});\n}}",
                file.display().to_string()
            )?;
        }
    }
    table.push_str("]\n");
    write_if_changed(&out.join("services.rs"), &modules)?;
    write_if_changed(&out.join("files.rs"), &table)?;
    println!("cargo::rerun-if-changed=spec");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/facts/spec.rs");
    println!("cargo::rerun-if-changed=src/facts/spec/print.rs");
    Ok(())
}

/// Leaves an unchanged file alone, so that nothing that includes it is compiled again.
fn write_if_changed(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text)
}
