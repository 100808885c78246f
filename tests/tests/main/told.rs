//! What a run that was stopped says of its stacks, beside what the account says of them.

use std::collections::{BTreeMap, BTreeSet};

use system_tests::account::{Account, texts};
use system_tests::sandbox::Run;

/// What the tool says of a stack with which CloudFormation goes on, before its name and before its status.
const GOES_ON: [&str; 2] = ["CloudFormation goes on with stack ", ", which is "];

/// What it says of a stack in which it began nothing that goes on, before its name.
const NOT_UNDER_WAY: &str = "this run left nothing under way in stack ";

/// How the tool begins a line about a stack that it saw the end of.
const ENDED: [&str; 5] = ["created", "updated", "deleted", "restored", "failed"];

/// What became of one stack, newest first: the events of the stack itself, by their ids.
type History = Vec<(String, String)>;

/// What has happened to every stack of an account so far.
pub(crate) struct Told {
    stacks: BTreeMap<String, (String, History)>,
}

impl Told {
    /// Asks the account.
    pub(crate) fn so_far(account: &Account) -> Self {
        let listed = pages(account, "ListStacks", None);
        let rows = listed.iter().flat_map(|page| texts(page, "member"));
        let stacks = rows.map(|row| {
            let (id, name) = (
                texts(&row, "StackId").concat(),
                texts(&row, "StackName").concat(),
            );
            let history = history(account, &id);
            (id, (name, history))
        });
        Self {
            stacks: stacks.collect(),
        }
    }

    /// Returns where the words of a run that began now, and that was stopped once, are not what the account says: what is said
    /// to go on has to have been begun by this run, and what this run began has to be said to go on, or to have ended.
    pub(crate) fn contradictions(&self, account: &Account, run: &Run) -> Vec<String> {
        let begun = self.begun(&Self::so_far(account));
        let mut wrong = Vec::new();
        let going = going(&run.stderr);
        for (stack, status) in &going {
            let events = begun.get(stack).map(Vec::as_slice).unwrap_or_default();
            if !events.contains(status) {
                wrong.push(format!(
                    "{stack} is said to be {status}, and this run made it {events:?}"
                ));
            }
        }
        let is_said = |words: &str| run.stderr.contains(words);
        for (stack, events) in &begun {
            let ends = lines(&run.stderr, stack).any(|(word, _)| ENDED.contains(&word));
            let stops = stops(&run.stderr, stack);
            let runs = events
                .first()
                .is_some_and(|status| status.ends_with("_IN_PROGRESS"));
            let is_going = going.iter().any(|(other, _)| other == stack);
            if !(is_going || !runs && (ends || stops)) {
                wrong.push(format!(
                    "{stack} was made {events:?} by this run, which does not say so"
                ));
            }
            if runs && is_said(&format!("{NOT_UNDER_WAY}{stack}")) {
                wrong.push(format!(
                    "{stack} is said to have nothing under way, and is {events:?}"
                ));
            }
        }
        if is_said("nothing was changed") && !begun.is_empty() {
            wrong.push(format!(
                "nothing is said to have been changed, but {begun:?} was"
            ));
        }
        wrong
    }

    /// Returns the statuses that stacks got since, newest first, where an operation on them was begun.
    fn begun(&self, now: &Self) -> BTreeMap<String, Vec<String>> {
        let mut begun: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, (name, events)) in &now.stacks {
            let known: BTreeSet<&str> = self
                .stacks
                .get(id)
                .into_iter()
                .flat_map(|(_, events)| events.iter().map(|(id, _)| id.as_str()))
                .collect();
            let news = events.iter().filter(|(id, _)| !known.contains(id.as_str()));
            // A stack of which there is a change set alone has nothing that goes on, and goes again as if it had never been.
            let is_empty = events
                .iter()
                .all(|(_, status)| status == "REVIEW_IN_PROGRESS" || status.starts_with("DELETE_"));
            let is_gone = events
                .first()
                .is_some_and(|(_, status)| status == "DELETE_COMPLETE");
            if is_empty && is_gone {
                continue;
            }
            let statuses: Vec<String> = news
                .map(|(_, status)| status.clone())
                .filter(|status| status != "REVIEW_IN_PROGRESS")
                .collect();
            if !statuses.is_empty() {
                begun.entry(name.clone()).or_default().extend(statuses);
            }
        }
        begun
    }
}

/// Returns the stacks with which CloudFormation is said to go on, each with its status.
fn going(said: &str) -> BTreeSet<(String, String)> {
    let [before, between] = GOES_ON;
    said.split(before)
        .skip(1)
        .filter_map(|rest| {
            let (stack, rest) = rest.split_once(between)?;
            let is_part = |letter: char| letter.is_ascii_uppercase() || letter == '_';
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            Some((stack.to_owned(), rest.get(..end)?.to_owned()))
        })
        .collect()
}

/// Returns the lines that begin with a word and the name of a stack: the word, and what follows the name.
fn lines<'a>(said: &'a str, stack: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    said.lines().filter_map(move |line| {
        let (word, rest) = line.trim_start().split_once(' ')?;
        let rest = rest.trim_start().strip_prefix(stack)?;
        // Another stack may begin with the name of this one.
        let is_whole = rest.is_empty() || rest.starts_with([' ', ':', ',']);
        is_whole.then_some((word, rest))
    })
}

/// Returns whether the error that a run ends with says of a stack that it was stopped.
fn stops(said: &str, stack: &str) -> bool {
    let parts = said.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("error: ")
            .or_else(|| line.strip_prefix("cause: "))
    });
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let names = |text: &str| {
        text.split(|letter| !is_part(letter))
            .any(|word| word == stack)
    };
    parts
        .filter(|text| text.starts_with("stopped") || text.contains(" is deployed, and "))
        .any(names)
}

/// Returns the events of a stack itself, newest first. It is known by its id, because one that was deleted is known by nothing
/// else.
fn history(account: &Account, id: &str) -> History {
    pages(account, "DescribeStackEvents", Some(id))
        .iter()
        .flat_map(|page| texts(page, "member"))
        .filter(|event| texts(event, "PhysicalResourceId").concat() == id)
        .map(|event| {
            (
                texts(&event, "EventId").concat(),
                texts(&event, "ResourceStatus").concat(),
            )
        })
        .collect()
}

/// Returns all pages of what CloudFormation lists.
fn pages(account: &Account, action: &str, stack: Option<&str>) -> Vec<String> {
    let mut pages = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let stack = stack.map(|stack| ("StackName", stack));
        let next = token.as_deref().map(|token| ("NextToken", token));
        let arguments: Vec<_> = stack.into_iter().chain(next).collect();
        let page = account.query("cloudformation", "2010-05-15", action, &arguments);
        token = texts(&page, "NextToken").into_iter().next();
        pages.push(page);
        if token.is_none() {
            return pages;
        }
    }
}

/// The words that this looks for are those of the tool: a run of other words would say nothing, and contradict nothing.
#[test]
fn what_a_run_says_is_found() {
    let said = "   created store-dev in 2 s\nerror: stopped before it was done: work-dev, work\n  cause: stopped; CloudFormation goes on \
                with stack work-dev, which is CREATE_IN_PROGRESS\n  cause: stopped; this run left nothing under way in stack work\n";
    let expected = ("work-dev".to_owned(), "CREATE_IN_PROGRESS".to_owned());
    assert_eq!(going(said), [expected].into());
    let words = |stack| -> Vec<_> { lines(said, stack).map(|(word, _)| word).collect() };
    assert_eq!(words("store-dev"), ["created"]);
    assert!(stops(said, "work") && stops(said, "work-dev") && !stops(said, "store-dev"));
    assert!(!stops(said, "dev"), "a stack is named whole");
    assert_eq!(words("store"), [""; 0]);
}
