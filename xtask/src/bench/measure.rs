//! Runs a command and asks the operating system what it cost.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// What one run of a command cost, its children included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// User and system time of the process and of every child it waited for.
    pub(super) cpu: Duration,
    /// The peak of the largest single process, in bytes.
    pub(super) peak: u64,
}

/// Runs a command that must succeed.
pub(super) fn cost(command: &mut Command) -> Result<Cost, Box<dyn Error>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    timed(command, |_| Ok(()))
}

/// Runs a command that must succeed and reads `input` from its standard input.
pub(super) fn cost_with(command: &mut Command, input: &str) -> Result<Cost, Box<dyn Error>> {
    use std::io::Write as _;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    timed(command, |child| {
        let mut stdin = child
            .stdin
            .take()
            .ok_or("the command has no standard input")?;
        Ok(stdin.write_all(input.as_bytes())?)
    })
}

fn timed(
    command: &mut Command,
    feed: impl FnOnce(&mut std::process::Child) -> Result<(), Box<dyn Error>>,
) -> Result<Cost, Box<dyn Error>> {
    let start = Instant::now();
    let mut child = command.spawn()?;
    feed(&mut child)?;
    let ended = child.wait4()?;
    let wall = start.elapsed();
    if !ended.status.success() {
        return Err(format!("`{command:?}` failed: {}", ended.status).into());
    }
    Ok(Cost {
        wall,
        cpu: ended.rusage.utime + ended.rusage.stime,
        peak: ended.rusage.maxrss,
    })
}

/// Returns the median cost of several runs, each figure for itself, after one run that does not count.
pub(super) fn median(
    runs: usize,
    mut run: impl FnMut() -> Result<Cost, Box<dyn Error>>,
) -> Result<Cost, Box<dyn Error>> {
    run()?;
    let costs = (0..runs.max(1))
        .map(|_| run())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Cost {
        wall: middle(costs.iter().map(|cost| cost.wall).collect()),
        cpu: middle(costs.iter().map(|cost| cost.cpu).collect()),
        peak: middle(costs.iter().map(|cost| cost.peak).collect()),
    })
}

pub(super) fn middle<T: Ord + Copy + Default>(mut figures: Vec<T>) -> T {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Runs a command that must succeed and returns what it prints.
pub(super) fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        // A benchmark fails where it takes longer than it may, and says by how much.
        return Err(format!("`{command:?}` failed: {}\n{printed}", output.status).into());
    }
    Ok(printed)
}

/// Starts a call of the cargo that runs this task.
pub(super) fn cargo(workspace: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace);
    command
}

/// Builds something of the workspace and returns its directory in the target directory.
pub(super) fn build(workspace: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut command = cargo(workspace);
    command.arg("build").args(arguments).stdout(Stdio::null());
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{command:?}` failed: {status}").into())
    }
}

/// Returns the target directory of the running task: two levels above its executable.
pub(super) fn target() -> Result<std::path::PathBuf, Box<dyn Error>> {
    let executable = std::env::current_exe()?;
    let target = executable
        .ancestors()
        .nth(2)
        .ok_or("the task is not in a target directory")?;
    Ok(target.to_owned())
}
