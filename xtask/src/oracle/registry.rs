//! What the registry says without the patches: they add what the oracle's own data say, and would agree with it in vain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Verdict;
use crate::pinned;
use crate::spec::patch;

/// What the registry lists of types, as far as it is distilled, without what patches add.
#[derive(Debug, Default)]
pub(super) struct Unpatched {
    types: BTreeMap<String, Lists>,
    /// How many properties the patches add.
    pub(super) added: usize,
}

#[derive(Debug, Default)]
struct Lists {
    create: BTreeSet<String>,
    maybe: BTreeSet<String>,
    no_update: bool,
}

/// Why nothing is known without the patches.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the patches")]
    Patches(#[from] patch::Error),
    #[error(transparent)]
    Spec(#[from] pinned::Error),
    #[error(
        "{resource_type} {path} is patched and not in the distilled facts: run `cargo xtask spec`"
    )]
    NotDistilled { resource_type: String, path: String },
}

impl Unpatched {
    /// Reads the distilled facts of a directory, and takes away what the patches beside them add.
    pub(super) fn read(directory: &Path) -> Result<Self, Error> {
        let mut read = Self::distilled(directory)?;
        for patch in patch::read(&directory.join("patches"))? {
            let (types, create, maybe) = patch.replacing();
            for resource_type in types {
                let lists = read.types.entry(resource_type.clone()).or_default();
                for (list, pointers) in [(&mut lists.create, create), (&mut lists.maybe, maybe)] {
                    for pointer in pointers {
                        let path = pointer.trim_start_matches("/properties/");
                        if !list.remove(path) {
                            return Err(Error::NotDistilled {
                                resource_type: resource_type.clone(),
                                path: path.to_owned(),
                            });
                        }
                        read.added += 1;
                    }
                }
            }
        }
        Ok(read)
    }

    fn distilled(directory: &Path) -> Result<Self, Error> {
        let mut read = Self::default();
        for path in pinned::files(directory, "txt")? {
            let text = pinned::text(&path)?;
            let mut of_type = None;
            for line in text.lines() {
                let mut words = line.split(' ');
                match words.next() {
                    Some("type") => of_type = words.next().map(str::to_owned),
                    Some(header @ ("create" | "maybe-create" | "traits")) => {
                        let Some(of_type) = &of_type else { continue };
                        let lists = read.types.entry(of_type.clone()).or_default();
                        match header {
                            "create" => lists.create.extend(words.map(str::to_owned)),
                            "maybe-create" => lists.maybe.extend(words.map(str::to_owned)),
                            _ => lists.no_update |= words.any(|word| word == "no-update"),
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(read)
    }

    /// Says what a change of a property does, by the rule of the facts: what is listed counts for all below it, and something
    /// listed below it may.
    pub(super) fn verdict(&self, resource_type: &str, path: &str) -> Verdict {
        let Some(lists) = self.types.get(resource_type) else {
            return Verdict::InPlace;
        };
        let below = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let covers = |list: &BTreeSet<String>| {
            let mut listed = list.iter();
            listed.any(|outer| path == outer || below(path, outer))
        };
        let reaches = |list: &BTreeSet<String>| list.iter().any(|inner| below(inner, path));
        if lists.no_update || covers(&lists.create) {
            Verdict::Replacement
        } else if covers(&lists.maybe) || reaches(&lists.create) || reaches(&lists.maybe) {
            Verdict::Conditional
        } else {
            Verdict::InPlace
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{SPEC, verdicts};
    use super::*;
    use stack_model_cfn::facts;

    /// The lists are read here as the facts read them: with the patches, both say the same of every property.
    #[test]
    fn with_the_patches_it_says_what_the_facts_say() {
        let read = Unpatched::distilled(Path::new(SPEC)).unwrap();
        let mut count = 0;
        for name in facts::resource_types() {
            let known = facts::resource_type(name).unwrap();
            for (path, verdict) in verdicts(known) {
                count += 1;
                assert_eq!(read.verdict(name, &path), verdict, "{name} {path}");
            }
        }
        assert!(count > 100_000, "{count} properties");
    }

    #[test]
    fn what_a_patch_adds_is_not_of_the_registry() {
        let read = Unpatched::read(Path::new(SPEC)).unwrap();
        let of = |path| read.verdict("AWS::CertificateManager::Certificate", path);
        assert_eq!(of("ValidationMethod"), Verdict::InPlace);
        assert_eq!(of("DomainName"), Verdict::Replacement);
        assert!(read.added > 200, "{} properties", read.added);
    }
}
