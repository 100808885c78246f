//! Packs a binary into a zip archive: the same bytes for the same binary, on every machine.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::elf;
use crate::scratch;
use crate::text::hex;

/// The name that AWS Lambda runs in an archive for `provided.al2023`.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html>.
const ENTRY: &str = "bootstrap";

/// How long an archive that nothing names any more is kept for a run that may still be uploading it.
const GRACE: Duration = Duration::from_hours(1);

/// Why a binary could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The binary could not be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The archive could not be written.
    #[error("cannot write the artifact of {asset} to {}", .directory.display())]
    Write {
        /// The asset.
        asset: String,
        /// Where archives are kept.
        directory: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl PackError {
    /// Returns whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Write { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ))
    }
}

/// How binaries are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packing {
    /// The level of compression, from 1 (quick) to 9 (small).
    pub(super) level: i64,
    /// Whether symbols and debug information are left out.
    pub(super) loaded_only: bool,
}

/// One archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packed {
    /// The SHA-256 of the archive, in lower case hexadecimal.
    pub(super) sha256: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// Archives on disk, and which binary each was made of.
///
/// A binary is taken as unchanged when its length and time stamp are: Cargo goes by the same.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    index: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    modified: u128,
    length: u64,
    packing: Packing,
    packed: Packed,
}

impl Store {
    /// Opens the store in a directory; an index that cannot be read only costs the time to pack again.
    pub(super) fn open(directory: PathBuf) -> Self {
        let index = fs::read(directory.join("index.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self { directory, index }
    }

    /// Returns the file of an archive.
    pub(super) fn file(&self, packed: &Packed) -> PathBuf {
        self.directory.join(format!("{}.zip", packed.sha256))
    }

    /// Returns the archive of a binary, if it was packed before and is still there.
    pub(super) fn find(&self, binary: &Path, packing: Packing) -> Option<Packed> {
        let (modified, length) = stamp(&fs::metadata(binary).ok()?)?;
        let entry = self.index.get(binary.to_str()?)?;
        let fresh =
            entry.modified == modified && entry.length == length && entry.packing == packing;
        let there = fs::metadata(self.file(&entry.packed))
            .is_ok_and(|metadata| metadata.len() == entry.packed.size);
        (fresh && there).then(|| entry.packed.clone())
    }

    /// Packs a binary into the store, by way of a temporary file, so that no partial archive is ever found.
    pub(super) fn pack(
        &self,
        asset: &str,
        binary: &Path,
        packing: Packing,
    ) -> Result<Packed, PackError> {
        let read = |error| PackError::Read(binary.to_owned(), error);
        let write = |source| PackError::Write {
            asset: asset.to_owned(),
            directory: self.directory.clone(),
            source,
        };
        let mut input = File::open(binary).map_err(read)?;
        let loaded = if packing.loaded_only {
            elf::loaded(&mut input).map_err(read)?
        } else {
            None
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(write)?;
        let mut file = tempfile::Builder::new()
            .prefix(scratch::PACKING)
            .tempfile_in(&self.directory)
            .map_err(write)?;
        let output = file.as_file_mut();
        match loaded {
            None => archive(input, output, packing.level),
            Some(loaded) => {
                let header = loaded.header.len() as u64;
                input.seek(SeekFrom::Start(header)).map_err(read)?;
                let rest = input.take(loaded.length - header);
                archive(loaded.header.chain(rest), output, packing.level)
            }
        }
        .map_err(write)?;
        let mut hash = HashWriter::default();
        file.as_file_mut().rewind().map_err(write)?;
        let size = io::copy(file.as_file_mut(), &mut hash).map_err(write)?;
        let packed = Packed {
            sha256: hex(&hash.0.finalize()),
            size,
        };
        file.persist(self.file(&packed))
            .map_err(|error| write(error.error))?;
        Ok(packed)
    }

    /// Remembers what was packed, and removes archives that nothing names any more.
    pub(super) fn remember(
        &mut self,
        packed: &[(PathBuf, Packing, Packed)],
    ) -> Result<(), PackError> {
        for (binary, packing, packed) in packed {
            let stamp = fs::metadata(binary).ok().and_then(|file| stamp(&file));
            if let (Some((modified, length)), Some(name)) = (stamp, binary.to_str()) {
                let entry = Entry {
                    modified,
                    length,
                    packing: *packing,
                    packed: packed.clone(),
                };
                self.index.insert(name.to_owned(), entry);
            }
        }
        self.index.retain(|binary, _| Path::new(binary).exists());
        let write = |source| PackError::Write {
            asset: "every function".to_owned(),
            directory: self.directory.clone(),
            source,
        };
        let bytes = serde_json::to_vec_pretty(&self.index)
            .map_err(|error| write(io::Error::other(error)))?;
        crate::assembly::replace(&self.directory.join("index.json"), &bytes).map_err(write)?;
        self.sweep();
        Ok(())
    }

    /// Removes archives that are old and unnamed. What cannot be removed is tried again by the next run.
    fn sweep(&self) {
        let Ok(files) = fs::read_dir(&self.directory) else {
            return;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let Some(hash) = name.to_str().and_then(|name| name.strip_suffix(".zip")) else {
                continue;
            };
            let named = self.index.values().any(|entry| entry.packed.sha256 == hash);
            let old = file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|time| {
                    SystemTime::now()
                        .duration_since(time)
                        .is_ok_and(|age| age > GRACE)
                });
            if !named && old {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn stamp(metadata: &fs::Metadata) -> Option<(u128, u64)> {
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((modified.as_nanos(), metadata.len()))
}

/// Writes the archive: one executable entry with the earliest time that zip can express.
fn archive(mut input: impl Read, output: impl Write + Seek, level: i64) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755)
        .large_file(false);
    let mut zip = ZipWriter::new(output);
    zip.start_file(ENTRY, options)?;
    io::copy(&mut input, &mut zip)?;
    zip.finish()?.flush()
}

#[derive(Default)]
struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Packing = Packing {
        level: 6,
        loaded_only: false,
    };

    fn binary(directory: &Path, bytes: &[u8]) -> PathBuf {
        let file = directory.join("binary");
        fs::write(&file, bytes).expect("a file");
        file
    }

    #[test]
    fn the_same_binary_gives_the_same_bytes() {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut first = io::Cursor::new(Vec::new());
        let mut second = io::Cursor::new(Vec::new());
        archive(&bytes[..], &mut first, 6).expect("packs");
        archive(&bytes[..], &mut second, 6).expect("packs");
        assert_eq!(first.into_inner(), second.into_inner());
        // Any change of the zip or deflate library that changes what is uploaded must be seen here.
        let mut small = io::Cursor::new(Vec::new());
        archive(&b"\x7fELF and so on"[..], &mut small, 6).expect("packs");
        snapbox::assert_data_eq!(
            hex(&Sha256::digest(small.into_inner())),
            snapbox::str!["9dd101890d5595be31e06bbcc51619e3a893369566c2d4a3154c8681fcd5843d"]
        );
    }

    #[test]
    fn the_archive_holds_an_executable_bootstrap() {
        let mut bytes = io::Cursor::new(Vec::new());
        archive(&b"code"[..], &mut bytes, 6).expect("packs");
        let mut zip = zip::ZipArchive::new(bytes).expect("is a zip");
        assert_eq!(zip.len(), 1);
        let mut entry = zip.by_name("bootstrap").expect("is there");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        assert_eq!(entry.last_modified().map(|time| time.year()), Some(1980));
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("reads");
        assert_eq!(text, "code");
    }

    #[test]
    fn an_unchanged_binary_is_not_packed_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = binary(directory.path(), b"one");
        let mut store = Store::open(directory.path().join("store"));
        assert_eq!(store.find(&file, SMALL), None);
        let packed = store.pack("a", &file, SMALL).expect("packs");
        store
            .remember(&[(file.clone(), SMALL, packed.clone())])
            .expect("remembers");
        let store = Store::open(directory.path().join("store"));
        assert_eq!(store.find(&file, SMALL), Some(packed.clone()));
        let quick = Packing { level: 1, ..SMALL };
        let loaded_only = Packing {
            loaded_only: true,
            ..SMALL
        };
        for other in [quick, loaded_only] {
            assert_eq!(store.find(&file, other), None, "that is another archive");
        }
        fs::write(&file, b"other").expect("a file");
        assert_eq!(store.find(&file, SMALL), None, "the binary changed");
        fs::write(store.file(&packed), b"cut").expect("a file");
        assert_eq!(store.find(&file, SMALL), None, "the archive was damaged");
    }

    #[test]
    fn what_is_not_loaded_is_left_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let test = std::env::current_exe().expect("this test");
        let store = Store::open(directory.path().join("store"));
        let packing = Packing {
            level: 1,
            loaded_only: true,
        };
        let packed = store.pack("a", &test, packing).expect("packs");
        let file = File::open(store.file(&packed)).expect("opens");
        let mut zip = zip::ZipArchive::new(file).expect("is a zip");
        let mut bytes = Vec::new();
        let mut entry = zip.by_name("bootstrap").expect("is there");
        entry.read_to_end(&mut bytes).expect("reads");
        let whole = fs::read(&test).expect("reads");
        let loaded = elf::loaded(&mut File::open(&test).expect("opens")).expect("reads");
        let (header, length) = loaded.map_or((whole[..64].to_vec(), whole.len()), |loaded| {
            let length = usize::try_from(loaded.length).expect("fits");
            (loaded.header.to_vec(), length)
        });
        assert!(bytes[..64] == header && bytes[64..] == whole[64..length]);
        // A script is packed as it is.
        let script = binary(directory.path(), b"#!/bin/sh\nexit 0\n");
        let with = store.pack("a", &script, packing).expect("packs");
        let without = Packing {
            loaded_only: false,
            ..packing
        };
        assert_eq!(store.pack("a", &script, without).expect("packs"), with);
    }

    #[test]
    fn a_broken_index_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("index.json"), b"{garbage").expect("a file");
        let store = Store::open(directory.path().to_owned());
        assert!(store.index.is_empty());
    }

    /// Fails like a file system that runs full after some bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    /// Returns bytes that do not compress.
    fn noise(length: usize) -> io::Cursor<Vec<u8>> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        io::Cursor::new((0..length).map(|_| next()).collect())
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let error = archive(noise(1 << 20), Full(100), 1).expect_err("is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let error = PackError::Write {
            asset: "a".into(),
            directory: "/x".into(),
            source: error,
        };
        assert!(error.is_disk_full());
    }

    #[test]
    fn nothing_partial_is_left_where_packing_fails() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path().join("store"));
        let error = store
            .pack("a", &directory.path().join("missing"), SMALL)
            .expect_err("cannot be read");
        assert!(matches!(error, PackError::Read(..)));
        assert!(!directory.path().join("store").exists());
        // A directory opens and cannot be read, so this fails after the temporary file was made.
        let error = store
            .pack("a", directory.path(), SMALL)
            .expect_err("cannot be read");
        assert!(matches!(error, PackError::Write { .. }), "{error:?}");
        let left = fs::read_dir(directory.path().join("store")).expect("lists");
        assert_eq!(left.count(), 0);
    }
}
