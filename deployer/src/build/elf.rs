//! Leaves out of a Linux binary what no process ever loads.
//!
//! Two fifths of a function in the dev profile are symbols and debug information. Nothing on Lambda or on the local engine reads
//! them, and every byte is packed, uploaded, kept and unpacked again. The parts that a process loads are named by the
//! program headers (`man 5 elf`) and come first; the sections after them are for linkers and debuggers alone.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// How long the header of a 64-bit file is.
const HEADER: usize = 64;

/// How long one program header of a 64-bit file is.
const PROGRAM_HEADER: u64 = 56;

/// The part of an executable that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    /// The header, without the table of sections.
    pub(super) header: [u8; HEADER],
    /// How many bytes of the file count, the header among them.
    pub(super) length: u64,
}

/// Finds out what of a file is loaded; nothing, where the file is not a 64-bit ELF file in little endian, or where it
/// does not add up: then it is taken as a whole.
///
/// The file is at its start afterwards.
pub(super) fn loaded(file: &mut File) -> io::Result<Option<Loaded>> {
    let found = read(file);
    file.rewind()?;
    match found {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        found => found,
    }
}

fn read(file: &mut File) -> io::Result<Option<Loaded>> {
    let size = file.metadata()?.len();
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    // The magic number, 64 bits, little endian.
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    let (Some(table), Some(entry), Some(count)) = (
        number::<8>(&header, 0x20),
        number::<2>(&header, 0x36),
        number::<2>(&header, 0x38),
    ) else {
        return Ok(None);
    };
    if entry != PROGRAM_HEADER || count == 0 {
        return Ok(None);
    }
    let Some(table_end) = table
        .checked_add(entry * count)
        .filter(|table_end| *table_end <= size)
    else {
        return Ok(None);
    };
    let mut headers = vec![0; usize::try_from(entry * count).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(table))?;
    file.read_exact(&mut headers)?;
    let ends = headers.chunks(56).map(|header| {
        let offset = number::<8>(header, 0x08)?;
        offset.checked_add(number::<8>(header, 0x20)?)
    });
    let Some(length) = ends
        .chain([Some(table_end)])
        .collect::<Option<Vec<u64>>>()
        .and_then(|ends| ends.into_iter().max())
        .filter(|length| *length <= size && *length >= HEADER as u64)
    else {
        return Ok(None);
    };
    // The table of sections is not there any more: its offset, its number of entries and the section of its names.
    header[0x28..0x30].fill(0);
    header[0x3c..0x40].fill(0);
    Ok(Some(Loaded { header, length }))
}

/// Reads a number of `N` bytes in little endian.
fn number<const N: usize>(bytes: &[u8], offset: usize) -> Option<u64> {
    let part = bytes.get(offset..offset.checked_add(N)?)?;
    let mut number = [0; 8];
    number.get_mut(..N)?.copy_from_slice(part);
    Some(u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    fn of(bytes: &[u8]) -> Option<Loaded> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        fs::write(&path, bytes).expect("writes");
        let mut file = File::open(path).expect("opens");
        let loaded = loaded(&mut file).expect("reads");
        assert_eq!(file.stream_position().expect("is open"), 0);
        loaded
    }

    #[cfg(all(
        target_os = "linux",
        target_endian = "little",
        target_pointer_width = "64"
    ))]
    #[test]
    fn a_binary_runs_without_the_rest() {
        let whole = fs::read(std::env::current_exe().expect("this test")).expect("reads");
        let loaded = of(&whole).expect("tests run on Linux with 64 bits");
        let length = usize::try_from(loaded.length).expect("fits");
        assert!(
            length < whole.len() * 9 / 10,
            "{length} of {}: symbols and line tables are a good part of a test binary",
            whole.len()
        );
        let mut cut = loaded.header.to_vec();
        cut.extend(&whole[HEADER..length]);
        let directory = tempfile::tempdir().expect("a directory");
        // Another process writes the file that is run: a fork of another test at this instant would hold it open.
        let written = directory.path().join("written");
        fs::write(&written, cut).expect("writes");
        let path = directory.path().join("bootstrap");
        let copied = Command::new("cp").arg(&written).arg(&path).status();
        assert!(copied.expect("starts").success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("may run");
        let output = Command::new(&path)
            .args(["--list", "--exact", "no::such::test"])
            .output()
            .expect("starts");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("0 tests"), "{text}");
    }

    #[test]
    fn what_is_no_such_file_or_broken_is_taken_as_a_whole() {
        let whole = fs::read(std::env::current_exe().expect("this test")).expect("reads");
        assert_eq!(of(b""), None);
        assert_eq!(of(b"#!/bin/sh\nexit 0\n"), None);
        assert_eq!(
            of(&whole[..HEADER]),
            None,
            "the program headers are cut off"
        );
        assert_eq!(of(&whole[..100_000]), None, "what they name is cut off");
        let mut wrong = whole;
        wrong[0x20..0x28].fill(0xff);
        assert_eq!(of(&wrong), None, "the program headers are nowhere");
    }
}
