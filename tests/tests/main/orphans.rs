//! Stacks that leave the source: they are told, and removed by their names.

use serde_json::{Value, json};
use system_tests::sandbox::{Run, Sandbox};

use crate::shipped;

const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

/// The ninth stack, which takes a queue from the first.
const LATE: &str = "part08-dev";

fn config(app: &str, stacks: usize) -> String {
    format!(
        "[workspace]\nstacks = \"scale-stacks\"\n{app}\n\n[stages.dev]\nregion = \"us-east-1\"\n\n\
         [stages.dev.variables.scale]\nstacks = {stacks}\nresources = 5\nchange = 1\n"
    )
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[arguments, &PLACE].concat())
}

fn succeed(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.succeed(&[arguments, &PLACE].concat())
}

/// Returns what `status` says of a stack.
fn status(sandbox: &Sandbox, stack: &str) -> Value {
    let document = succeed(sandbox, &["status", "--json"]).json();
    let stacks = document["stacks"].as_array().cloned().unwrap_or_default();
    let mut found = stacks.into_iter().filter(|row| row["stack"] == stack);
    found.next().unwrap_or_default()
}

/// Returns the summary of a deploy or a removal.
fn summary(run: &Run) -> Value {
    run.json_lines().pop().unwrap_or_default()
}

#[test]
fn a_stack_that_leaves_the_source_is_told_and_can_be_removed() {
    let sandbox = shipped(&config("name = \"shop\"", 9));
    let first = succeed(&sandbox, &["deploy", "--json"]);
    assert_eq!(summary(&first)["orphans"], Value::Null);
    assert_eq!(status(&sandbox, LATE)["orphan"], Value::Null);

    // It is renamed, or removed: for the tags both are the same.
    sandbox.configure(&config("name = \"shop\"", 8));
    let command = sandbox.named(&["destroy", LATE]);
    let is_it = |orphans: &Value| {
        let orphan = &orphans[0];
        assert_eq!(
            (&orphan["stack"], &orphan["status"], &orphan["next"]),
            (&json!(LATE), &json!("CREATE_COMPLETE"), &json!(command))
        );
        assert!(orphan["last"]["at"].is_string(), "{orphan:#}");
        assert_eq!(orphans.as_array().map(Vec::len), Some(1));
    };
    let run_again = succeed(&sandbox, &["deploy", "--json"]);
    is_it(&summary(&run_again)["orphans"]);
    let told = format!("{LATE} is deployed and not in this source");
    let way_on = format!("`{command}` removes it");
    assert_eq!(run_again.stderr.matches(&told).count(), 1, "{run_again}");
    assert!(run_again.stderr.contains(&way_on), "{run_again}");
    let compared = succeed(&sandbox, &["diff", "--json"]);
    is_it(&compared.json()["orphans"]);
    assert!(compared.stderr.contains(&told), "{compared}");
    let row = status(&sandbox, LATE);
    assert_eq!(
        (&row["orphan"], &row["next"]),
        (&json!(true), &json!(command))
    );

    // What looks at stacks finds it by its name.
    for verb in [
        &["status", "--json"][..],
        &["outputs", "--json"],
        &["events", "--json"],
        &["explain", "--json"],
    ] {
        let looked = succeed(&sandbox, &[verb, &[LATE]].concat());
        assert!(looked.stdout.contains(LATE), "{verb:?}: {looked}");
    }
    // A name that nothing has is no way to another stack.
    let missed = run(&sandbox, &["destroy", "part09-dev"]);
    assert_eq!(missed.code, Some(2), "{missed}");
    assert!(!missed.stderr.contains("did you mean"), "{missed}");
    // What it takes from the others keeps them.
    let kept = run(&sandbox, &["destroy", "part00"]);
    assert_eq!(kept.code, Some(1), "{kept}");
    assert!(kept.stderr.contains(LATE), "{kept}");

    let wrong = run(&sandbox, &["destroy", LATE, "--confirm", "prod"]);
    assert_eq!(wrong.code, Some(4), "{wrong}");
    succeed(&sandbox, &["destroy", LATE]);
    assert_eq!(status(&sandbox, LATE), Value::Null);
    let gone = run(&sandbox, &["destroy", LATE]);
    assert_eq!(gone.code, Some(2), "{gone}");

    // All of an app is all that is deployed of it.
    sandbox.configure(&config("name = \"shop\"", 9));
    succeed(&sandbox, &["deploy"]);
    sandbox.configure(&config("name = \"shop\"", 8));
    let removed = summary(&succeed(&sandbox, &["destroy", "--json"]));
    let removed = removed["stacks"].as_array().cloned().unwrap_or_default();
    let is_late = |row: &&Value| row["stack"] == LATE && row["outcome"] == "deleted";
    assert_eq!(removed.iter().filter(is_late).count(), 1, "{removed:#?}");
    let left = sandbox.account().inventory_of_systems();
    assert!(left.values().all(Vec::is_empty), "{left:#?}");
}

#[test]
fn a_stack_of_another_app_is_taken_over_with_consent_alone() {
    let sandbox = shipped(&config("", 2));
    succeed(&sandbox, &["deploy"]);
    // Nobody can say whose it is as long as the app has no name.
    sandbox.configure(&config("", 1));
    let document = succeed(&sandbox, &["status", "--json"]).json();
    assert_eq!(document["unowned"][0]["stack"], "part01-dev");
    assert_eq!(document["stacks"].as_array().map(Vec::len), Some(1));

    // What was deployed before it had one becomes its own.
    sandbox.configure(&config("name = \"shop\"", 2));
    let taken = summary(&succeed(&sandbox, &["deploy", "--json"]));
    assert_eq!(taken["stacks"][0]["outcome"], "updated");

    sandbox.configure(&config("name = \"club\"", 2));
    let refused = run(&sandbox, &["deploy", "part00"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("`shop`"), "{refused}");
    // What nobody named stays where it is.
    let left = succeed(&sandbox, &["destroy"]);
    let told = "part00-dev is a stack of app `shop` and stays";
    assert!(left.stderr.contains(told), "{left}");
    for verb in [&["destroy", "part00"][..], &["rollback", "part00"]] {
        let refused = run(&sandbox, verb);
        assert_eq!(refused.code, Some(4), "{verb:?}: {refused}");
        assert!(refused.stderr.contains("another app"), "{refused}");
    }
    let compared = succeed(&sandbox, &["diff", "--json", "part00"]).json();
    assert_eq!(compared["taken"][0]["app"], "shop");
    let pruned = succeed(&sandbox, &["prune", "--json", "part00"]).json();
    assert_eq!(pruned["taken"][0]["stack"], "part00-dev");
    let consent = "--allow owner:part00-dev";
    let consent: Vec<&str> = consent.split(' ').collect();
    succeed(&sandbox, &[&["deploy", "part00"], &consent[..]].concat());
    succeed(&sandbox, &["destroy", "part00"]);
    // The other one still belongs to the other app.
    let refused = run(&sandbox, &["destroy", "part01"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    sandbox.configure(&config("name = \"shop\"", 2));
    succeed(&sandbox, &["destroy"]);
}
