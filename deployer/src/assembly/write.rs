//! Writes an assembly to a directory that a person or another tool reads.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use stack_model::assembly::{MANIFEST_FILE, Manifest};

use super::Assembly;
use crate::error::{Error, Kind, Result};
use crate::scratch;

/// Writes the selected stacks of an assembly to `directory`, each file whole or not at all, the manifest last.
///
/// Templates that an earlier manifest in the same directory names and this one does not are removed, so that the
/// directory never shows a stack that is gone. With `yaml`, a `<stack>.template.yaml` stands beside each template.
pub fn write(assembly: &Assembly, directory: &Path, yaml: bool) -> Result<()> {
    let failed = |error: io::Error| {
        Error::new(
            Kind::Io,
            format!("cannot write the assembly to {}", directory.display()),
        )
        .caused_by(&error)
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let earlier = earlier_templates(directory);
    for (stack, template) in assembly.stacks() {
        replace(&directory.join(&stack.template), template.text.as_bytes()).map_err(failed)?;
        if yaml {
            let text = super::to_yaml(template)?;
            replace(&directory.join(yaml_name(&stack.template)), text.as_bytes())
                .map_err(failed)?;
        }
    }
    let mut manifest = serde_json::to_vec_pretty(&assembly.manifest)
        .map_err(|error| failed(io::Error::other(error)))?;
    manifest.push(b'\n');
    replace(&directory.join(MANIFEST_FILE), &manifest).map_err(failed)?;
    for name in earlier {
        let current = assembly
            .manifest
            .stacks
            .iter()
            .any(|stack| stack.template == name);
        if !current {
            for stale in [yaml_name(&name), name] {
                match fs::remove_file(directory.join(stale)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed(error));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn yaml_name(template: &str) -> String {
    template.replace(".template.json", ".template.yaml")
}

/// Returns the plain template names of the manifest that is there already. One that cannot be read is replaced
/// without further thought: whoever wrote it can clean up after it.
fn earlier_templates(directory: &Path) -> Vec<String> {
    fs::read(directory.join(MANIFEST_FILE))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok())
        .map(|manifest| {
            manifest
                .stacks
                .into_iter()
                .map(|stack| stack.template)
                .filter(|name| name.ends_with(".template.json") && !name.contains(['/', '\\']))
                .collect()
        })
        .unwrap_or_default()
}

/// Replaces a file by way of a temporary sibling. A file that holds these bytes already keeps its time stamp.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|current| current == bytes) {
        return Ok(());
    }
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(scratch::SIBLING);
    // Temporary files are private by default; these are not temporary. The umask still applies.
    #[cfg(unix)]
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(readable);
    let mut sibling = builder.tempfile_in(directory)?;
    sibling.write_all(bytes)?;
    sibling.persist(file)?;
    Ok(())
}
