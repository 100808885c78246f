//! Stages in several regions: what stands in one of them for all.

use serde_json::json;

use super::workspace::{Outcome, Workspace};

/// A workspace with one stack, which all regions of the stage render and which stands in the second of them.
fn workspace() -> Workspace {
    let workspace = Workspace::valid();
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregions = [\"eu-west-1\", \"us-east-1\", \"eu-west-2\"]\n",
    );
    // That is how a stack is rendered whose region is named, in that region as in others.
    workspace.assembly(|_, manifest| manifest["stacks"][0]["region"] = "us-east-1".into());
    workspace
}

fn destroy(workspace: &Workspace, more: &[&str]) -> Outcome {
    let always = ["destroy", "--stage", "dev", "--yes"];
    workspace.run(always.iter().chain(more))
}

#[test]
fn a_region_alone_does_not_take_what_belongs_to_another() {
    let workspace = workspace();
    // The first region deploys it, though it stands in this one; nobody at AWS is called.
    for region in ["us-east-1", "eu-west-2"] {
        let outcome = destroy(&workspace, &["--region", region]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(
            outcome.stderr.contains(
                "left orders-dev belongs to eu-west-1, which is not chosen\n  destroy nothing of its own is selected\n"
            ),
            "{outcome:?}"
        );
    }
}

#[test]
fn what_others_use_goes_with_all_of_them_alone() {
    let workspace = workspace();
    let outcome = destroy(&workspace, &["--json", "--region", "eu-west-1"]);
    let error = outcome.error(4, "refused");
    assert_eq!(
        error["message"],
        "stack orders-dev is that of `us-east-1` and `eu-west-2` too"
    );
    let two = ["--json", "--region", "eu-west-1", "--region", "us-east-1"];
    let error = destroy(&workspace, &two).error(4, "refused");
    assert_eq!(
        error["message"],
        "stack orders-dev is that of `eu-west-2` too"
    );
    assert_eq!(
        error["hints"],
        json!(["choose those with `--region` as well, or name the stacks that are to go"])
    );
}
