//! Random changes, deployed, deployed again and removed, over and over: a model knows what should be there, and after each
//! step that is what the services of the engine say.
//!
//! Some deploys replace what holds data, some leave stacks behind that are in the source no more, some fail half-way and are
//! mended, and some runs are killed and run again. `SOAK_CYCLES` says how many cycles there
//! are, and `SOAK_SEED` repeats a run that failed.

mod app;
mod model;
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::Command;
use std::time::{Instant, SystemTime};

use system_tests::account::{Account, texts};
use system_tests::poll::{PATIENCE, eventually};
use system_tests::proxy::Proxy;
use system_tests::sandbox::{Run, Running};

use app::{App, name, whole_name};
use model::{Stack, Stacks};
use random::Random;

/// What is done in a test run; the variable asks for more.
const CYCLES: usize = 20;

/// The calls at which a run is killed, where it makes them.
const CALLS: [&str; 7] = [
    "Action=DescribeStacks",
    "Action=CreateChangeSet",
    "Action=DescribeChangeSet",
    "Action=ExecuteChangeSet",
    "Action=DescribeStackEvents",
    "Action=DeleteStack",
    "PUT /",
];

/// An app, what should be deployed of it, and how often what was done.
struct Soak {
    app: App,
    proxy: Proxy,
    account: Account,
    random: Random,
    /// What the source asks for.
    wanted: Stacks,
    /// What should be deployed.
    deployed: Stacks,
    /// Stacks whose first deploy failed: they are there and hold nothing.
    hollow: BTreeSet<usize>,
    /// What Lambda calls the code of each version of the function.
    code: BTreeMap<u32, String>,
    tally: Tally,
    /// What was done, for whoever has to find out what went wrong.
    story: Vec<String>,
}

#[derive(Default)]
struct Tally {
    runs: usize,
    changed: usize,
    unchanged: usize,
    failed: usize,
    killed: usize,
    removed: usize,
    replaced: usize,
    left: usize,
    checks: usize,
    most: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs: {} deploys of changes, {} of none, {} that failed and were mended, {} removals; {} of all were killed; \
             {} resources were replaced, {} deploys told stacks that left the source; {} comparisons, the largest of {} \
             resources",
            self.runs,
            self.changed,
            self.unchanged,
            self.failed,
            self.removed,
            self.killed,
            self.replaced,
            self.left,
            self.checks,
            self.most
        )
    }
}

impl Soak {
    fn new(seed: u64) -> Self {
        let app = App::new();
        let engine = app.sandbox.engine().url().to_owned();
        Self {
            proxy: Proxy::start(&engine),
            account: app.sandbox.account(),
            app,
            random: Random::new(seed),
            wanted: Stacks::default(),
            deployed: Stacks::default(),
            hollow: BTreeSet::new(),
            code: BTreeMap::new(),
            tally: Tally::default(),
            story: Vec::new(),
        }
    }

    fn command(&self, verb: &str, stacks: &BTreeSet<usize>) -> Command {
        let url = self.proxy.url();
        // What left the source is known by its whole name alone.
        let names: Vec<String> = stacks
            .iter()
            .map(|number| match self.wanted.0.get(number) {
                Some(_) => name(*number),
                None => whole_name(*number),
            })
            .collect();
        let mut arguments = vec![verb, "--stage", "dev", "--endpoint-url", &url, "--json"];
        arguments.extend(names.iter().map(String::as_str));
        let mut command = self.app.sandbox.command(&arguments);
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn run(&mut self, verb: &str, stacks: &BTreeSet<usize>) -> Run {
        self.tally.runs += 1;
        self.proxy.forget();
        Running::spawn(self.command(verb, stacks)).end()
    }

    /// Runs a command that is killed at some call, where it makes that call, and runs it again.
    fn run_killed(&mut self, verb: &str, stacks: &BTreeSet<usize>) -> Run {
        let call = *self.random.pick(&CALLS);
        let is_obeyed = self.random.chance(50);
        let hold = self.proxy.hold(call);
        self.tally.runs += 1;
        let mut running = Running::spawn(self.command(verb, stacks));
        eventually("the call or the end", PATIENCE * 5, || {
            (hold.is_reached() || !running.is_running()).then_some(())
        });
        if hold.is_reached() {
            running.signal("KILL");
            self.tally.killed += 1;
            self.story.push(format!(
                "killed {} {call}",
                if is_obeyed { "after" } else { "before" }
            ));
        }
        let run = running.end();
        if is_obeyed {
            hold.release();
        } else {
            hold.abandon();
        }
        match run.code {
            Some(0) => run,
            None => self.run(verb, stacks),
            Some(_) => self.fail(&format!(
                "a run that was to be killed failed by itself: {run}"
            )),
        }
    }

    /// Runs a command that should end with a code.
    fn expect(&mut self, verb: &str, stacks: &BTreeSet<usize>, code: i32, killed: bool) -> Run {
        self.story.push(format!("{verb} {stacks:?}"));
        let run = if killed {
            self.run_killed(verb, stacks)
        } else {
            self.run(verb, stacks)
        };
        if run.code != Some(code) {
            self.fail(&format!("{verb} should have ended with {code}: {run}"));
        }
        run
    }

    /// One cycle: changes, a deploy in one of the ways that it can go, another one, and a removal.
    fn cycle(&mut self) {
        for _ in 0..=self.random.below(4) {
            let change = self.wanted.change(&mut self.random);
            self.story.push(change);
        }
        // By chance alone little would be replaced.
        if self.random.chance(60) {
            self.story.extend(self.wanted.replace(&mut self.random));
        }
        match self.random.below(10) {
            0..=1 => self.deploy_and_fail(),
            2..=4 => self.deploy(true),
            _ => self.deploy(false),
        }
        if self.random.chance(50) {
            self.deploy_again();
        }
        match self.random.below(10) {
            0..=1 => self.destroy(&self.deployed.numbers()),
            2..=5 => {
                let some = self.deployed.some(&mut self.random);
                self.destroy(&self.deployed.with_dependants(&some));
            }
            _ => {}
        }
    }

    fn deploy(&mut self, killed: bool) {
        let all = self.wanted.numbers();
        // All stacks by no name, or some of them with what they need.
        let (named, touched) = if self.random.chance(25) {
            let some = self.wanted.some(&mut self.random);
            let some = self.wanted.with_needed(&some);
            (some.clone(), some)
        } else {
            (BTreeSet::new(), all)
        };
        self.app.describe(&self.wanted, &BTreeSet::new());
        let run = self.expect("deploy", &named, 0, killed);
        self.tally.changed += 1;
        self.is_deployed(&touched);
        if named.is_empty() {
            self.tells_what_left(&run);
        }
        self.check();
    }

    /// The end of a deploy of all stacks names those that are deployed and not in the source.
    fn tells_what_left(&mut self, run: &Run) {
        let lines = run.json_lines();
        let summary = lines.last().expect("there is a summary");
        let told = summary["orphans"].as_array().into_iter().flatten();
        let told: BTreeSet<String> = told
            .map(|orphan| orphan["stack"].as_str().unwrap_or_default().to_owned())
            .collect();
        let (there, wanted) = (self.deployed.numbers(), self.wanted.numbers());
        let left = there.difference(&wanted).copied();
        let left: BTreeSet<String> = left.map(whole_name).collect();
        if told != left {
            self.fail(&format!("{left:?} left the source, and told were {told:?}"));
        }
        self.tally.left += usize::from(!left.is_empty());
    }

    fn is_deployed(&mut self, stacks: &BTreeSet<usize>) {
        for number in stacks {
            if let Some(stack) = self.wanted.0.get(number) {
                let before = self.deployed.0.get(number).map(|before| &before.resources);
                let replaced = before.into_iter().flatten().filter(|(name, resource)| {
                    let now = stack.resources.get(*name);
                    now.is_some_and(|now| resource.is_replaced_by(now))
                });
                self.tally.replaced += replaced.count();
                self.deployed.0.insert(*number, stack.clone());
                self.hollow.remove(number);
            }
        }
    }

    /// Deploys with a resource in one stack that cannot be made: that stack goes back, those that need it are left alone,
    /// and all others are deployed. Without the resource the next deploy finishes.
    fn deploy_and_fail(&mut self) {
        let numbers: Vec<usize> = self.wanted.numbers().into_iter().collect();
        let broken = BTreeSet::from([*self.random.pick(&numbers)]);
        self.story.push(format!("broken: {broken:?}"));
        self.app.describe(&self.wanted, &broken);
        self.expect("deploy", &BTreeSet::new(), 1, false);
        self.tally.failed += 1;
        let untouched = self.wanted.with_dependants(&broken);
        let touched: BTreeSet<usize> = self.wanted.numbers();
        self.is_deployed(&touched.difference(&untouched).copied().collect());
        let new = broken
            .iter()
            .filter(|number| !self.deployed.0.contains_key(number));
        self.hollow.extend(new);
        self.check();
        self.app.describe(&self.wanted, &BTreeSet::new());
        let run = self.expect("deploy", &BTreeSet::new(), 0, false);
        self.is_deployed(&touched);
        self.tells_what_left(&run);
        self.check();
    }

    /// Deploys what is deployed already, which changes nothing.
    fn deploy_again(&mut self) {
        let same: BTreeSet<usize> = self
            .wanted
            .numbers()
            .into_iter()
            .filter(|number| self.wanted.0.get(number) == self.deployed.0.get(number))
            .collect();
        let same = self.wanted.with_needed(&same);
        if same.is_empty()
            || same
                .iter()
                .any(|number| !self.deployed.0.contains_key(number))
        {
            return;
        }
        self.app.describe(&self.wanted, &BTreeSet::new());
        let run = self.expect("deploy", &same, 0, false);
        let lines = run.json_lines();
        let summary = lines.last().expect("there is a summary");
        for stack in summary["stacks"].as_array().into_iter().flatten() {
            let number = same
                .iter()
                .find(|number| stack["stack"] == whole_name(**number));
            let is_same = number
                .is_some_and(|number| self.wanted.0.get(number) == self.deployed.0.get(number));
            if is_same && stack["outcome"] != "unchanged" {
                self.fail(&format!("{stack} should have been left as it is"));
            }
        }
        self.tally.unchanged += 1;
        self.is_deployed(&same);
        self.check();
    }

    fn destroy(&mut self, stacks: &BTreeSet<usize>) {
        if stacks.is_empty() {
            return;
        }
        self.app.describe(&self.wanted, &BTreeSet::new());
        let killed = self.random.chance(30);
        self.expect("destroy", stacks, 0, killed);
        self.tally.removed += 1;
        for number in stacks {
            self.deployed.0.remove(number);
            self.hollow.remove(number);
        }
        self.check();
    }

    /// Compares what should be deployed with what the services say.
    fn check(&mut self) {
        let (actual, codes) = app::actual(&self.account);
        for (number, stack) in &self.deployed.0 {
            for (function, version) in app::functions(*number, stack) {
                if let Some(code) = codes.get(&function) {
                    // Learned when it is seen first; from then on it stays the same.
                    self.code.entry(version).or_insert_with(|| code.clone());
                }
            }
        }
        let mut expected = BTreeSet::new();
        for (number, stack) in &self.deployed.0 {
            expected.extend(app::expected(*number, stack, &self.code));
        }
        expected.extend(self.hollow.iter().map(|number| app::hollow(*number)));
        self.tally.checks += 1;
        self.tally.most = self.tally.most.max(expected.len());
        let missing: Vec<_> = expected.difference(&actual).collect();
        let additional: Vec<_> = actual.difference(&expected).collect();
        if !missing.is_empty() || !additional.is_empty() {
            self.fail(&format!("missing: {missing:#?}\ntoo much: {additional:#?}"));
        }
    }

    fn fail(&self, what: &str) -> ! {
        let last = self.story.len().saturating_sub(30);
        panic!(
            "{what}\nafter {}\n{}",
            self.tally,
            self.story[last..].join("\n")
        );
    }
}

/// Reads a number from a variable of the test's.
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{name}={text}: {error}")),
    )
}

#[expect(
    clippy::print_stderr,
    reason = "the seed and the numbers are what this test is about"
)]
fn say(text: &str) {
    eprintln!("{text}");
}

#[test]
fn what_is_deployed_is_what_was_asked_for_whatever_changes() {
    let cycles = variable("SOAK_CYCLES").map_or(CYCLES, |cycles| {
        usize::try_from(cycles).expect("there is not so much time")
    });
    let seed = variable("SOAK_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(0, |now| u64::from(now.subsec_nanos()))
    });
    say(&format!("SOAK_SEED={seed}"));
    let mut soak = Soak::new(seed);
    let began = Instant::now();
    for cycle in 1..=cycles {
        soak.story.push(format!("cycle {cycle}"));
        soak.cycle();
        if cycle.is_multiple_of(20) {
            say(&format!("cycle {cycle}: {}", soak.tally));
        }
    }
    // What is left at the end is removed, and nothing stays.
    soak.hollow.clone().into_iter().for_each(|number| {
        soak.deployed.0.insert(number, Stack::default());
    });
    soak.destroy(&soak.deployed.numbers());
    let left = soak.account.inventory_of_systems();
    assert!(left.values().all(Vec::is_empty), "{left:#?}");
    let bootstrap = [("StackName", "stackctl-bootstrap")];
    let bootstrap =
        soak.account
            .query("cloudformation", "2010-05-15", "DescribeStacks", &bootstrap);
    let bucket = texts(&bootstrap, "OutputValue").concat();
    assert_eq!(soak.account.versions(&bucket, "s"), Vec::<String>::new());
    let code: BTreeSet<&String> = soak.code.values().collect();
    assert_eq!(
        code.len(),
        soak.code.len(),
        "each version has code of its own"
    );
    say(&format!(
        "{cycles} cycles, {}, in {} seconds; SOAK_SEED={seed}",
        soak.tally,
        began.elapsed().as_secs()
    ));
}
