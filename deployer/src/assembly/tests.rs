use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::text::hex;

/// Changes a template and a manifest.
type Change = Box<dyn FnOnce(&mut Value, &mut Value)>;

/// Writes an assembly of one stack after changing its template and its manifest.
fn write_assembly(directory: &Path, change: impl FnOnce(&mut Value, &mut Value)) {
    let mut template = json!({
        "Parameters": {
            "ArtifactBucket": {"Type": "String"},
            "CreateKey": {"Type": "String"},
        },
        "Resources": {
            "Orders": {"Type": "AWS::SQS::Queue"},
            "Create": {"Type": "AWS::Lambda::Function", "Properties": {
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "CreateKey"}}
            }},
        },
        "Outputs": {"Url": {"Value": "x"}},
    });
    let mut manifest = json!({
        "format": 1,
        "stage": "dev",
        "stacks": [{
            "name": "orders-dev",
            "id": "orders",
            "template": "orders-dev.template.json",
            "sha256": "",
            "artifacts": {"CreateKey": "create"},
            "outputs": {"Url": {}},
            "resources": {"Create": {"type": "AWS::Lambda::Function", "source": "stacks/src/orders.rs:7:5"}},
        }],
        "assets": {"create": {"kind": "function", "package": "orders", "binary": "create", "architecture": "arm64"}},
        "contracts": {},
    });
    change(&mut template, &mut manifest);
    let bytes = serde_json::to_vec(&template).expect("is JSON");
    let hash = &mut manifest["stacks"][0]["sha256"];
    if hash == "" {
        *hash = hex(&Sha256::digest(&bytes)).into();
    }
    fs::write(directory.join("orders-dev.template.json"), bytes).expect("a file");
    fs::write(
        directory.join("manifest.json"),
        serde_json::to_vec(&manifest).expect("is JSON"),
    )
    .expect("a file");
}

fn read(change: impl FnOnce(&mut Value, &mut Value)) -> Result<Assembly, ReadError> {
    let directory = tempfile::tempdir().expect("a directory");
    write_assembly(directory.path(), change);
    Assembly::read(directory.path())
}

fn refusal(change: impl FnOnce(&mut Value, &mut Value)) -> String {
    read(change).expect_err("must be refused").to_string()
}

#[test]
fn an_assembly_is_read() {
    let assembly = read(|_, _| {}).expect("is valid");
    assert_eq!(assembly.names()[0].name, "orders-dev");
    let (stack, logical_id, resource) = assembly.user_of_asset("create").expect("is used");
    assert_eq!((stack.id.as_str(), logical_id), ("orders", "Create"));
    assert_eq!(resource.source, "stacks/src/orders.rs:7:5");
    assert_eq!(assembly.user_of_asset("other"), None);
}

#[test]
fn another_format_is_told_before_anything_else() {
    let text = refusal(|_, manifest| {
        manifest["format"] = 2.into();
        manifest["something"] = "new".into();
    });
    assert_eq!(
        text,
        "the assembly has format 2, this stackctl reads format 1"
    );
}

#[test]
fn unknown_fields_are_refused() {
    let error = read(|_, manifest| manifest["extra"] = true.into()).expect_err("is unknown");
    let ReadError::Manifest(source) = error else {
        panic!("another error: {error}")
    };
    assert!(source.to_string().contains("unknown field `extra`"));
}

#[test]
fn a_changed_template_is_refused() {
    let text = refusal(|_, manifest| manifest["stacks"][0]["sha256"] = "00".into());
    assert!(text.contains("was changed after it was written"), "{text}");
}

#[test]
fn contradictions_are_refused() {
    let stack = |manifest: &mut Value, key: &str, value: Value| manifest["stacks"][0][key] = value;
    let cases: Vec<(&str, Change)> = vec![
        (
            "must be orders-dev.template.json, not `../secret.json`",
            Box::new(move |_, m| stack(m, "template", "../secret.json".into())),
        ),
        (
            "is not the name of a stack",
            Box::new(move |_, m| stack(m, "name", "../x".into())),
        ),
        (
            "depends on core-dev, which does not stand before it",
            Box::new(move |_, m| stack(m, "depends_on", json!(["core-dev"]))),
        ),
        (
            "there are two stacks named orders-dev",
            Box::new(|_, m| {
                let twin = m["stacks"][0].clone();
                m["stacks"].as_array_mut().expect("a list").push(twin);
            }),
        ),
        (
            "which is not among the assets",
            Box::new(|_, m| m["assets"] = json!({})),
        ),
        (
            "stack orders-dev releases Queue, which is not a function of it",
            Box::new(move |_, m| stack(m, "releases", json!({"CreateRelease": "Queue"}))),
        ),
        (
            "stack orders-dev is given parameter CreateRelease, which its template does not have",
            Box::new(move |_, m| stack(m, "releases", json!({"CreateRelease": "Create"}))),
        ),
        (
            "parameter Password of stack orders-dev hides its value (NoEcho)",
            Box::new(move |t, m| {
                t["Parameters"]["Password"] = json!({"Type": "String", "NoEcho": true});
                stack(m, "parameters", json!({"Password": "open sesame"}));
            }),
        ),
        (
            "`../other-dev/x` is not the name of an asset",
            Box::new(move |_, m| {
                m["assets"]["../other-dev/x"] = m["assets"]["create"].clone();
                stack(m, "artifacts", json!({"CreateKey": "../other-dev/x"}));
            }),
        ),
        (
            "Cargo does not accept as a name",
            Box::new(|_, m| m["assets"]["create"]["binary"] = "--config=x".into()),
        ),
        (
            "are binaries named `create` of two packages",
            Box::new(|_, m| {
                let mut twin = m["assets"]["create"].clone();
                twin["package"] = "other".into();
                m["assets"]["twin"] = twin;
            }),
        ),
        (
            "resource Create of stack orders-dev is in the manifest and not in the template",
            Box::new(|t, _| t["Resources"] = json!({"Orders": {}})),
        ),
        (
            "output Url of stack orders-dev is in the manifest",
            Box::new(|t, _| t["Outputs"] = json!({})),
        ),
        (
            "has no resources",
            Box::new(|t, _| t["Resources"] = json!({})),
        ),
        (
            "is given parameter Extra, which its template does not have",
            Box::new(move |_, m| stack(m, "parameters", json!({"Extra": "1"}))),
        ),
        (
            "parameter Size of stack orders-dev has no default and is given no value",
            Box::new(|t, _| t["Parameters"]["Size"] = json!({"Type": "String"})),
        ),
        (
            "parameter CreateKey of stack orders-dev is given two values",
            Box::new(move |_, m| stack(m, "parameters", json!({"CreateKey": "1"}))),
        ),
    ];
    for (expected, change) in cases {
        let text = refusal(change);
        assert!(
            text.contains(expected),
            "expected `{expected}`, got: {text}"
        );
    }
}

#[test]
fn files_that_are_not_there_or_not_files_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(matches!(
        Assembly::read(directory.path()),
        Err(ReadError::NoManifest(_))
    ));
    write_assembly(directory.path(), |_, _| {});
    let template = directory.path().join("orders-dev.template.json");
    fs::remove_file(&template).expect("removes");
    assert!(matches!(
        Assembly::read(directory.path()),
        Err(ReadError::Io(..))
    ));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/hostname", &template).expect("links");
        let error = Assembly::read(directory.path()).expect_err("is a link");
        assert!(matches!(error, ReadError::Io(..)), "{error}");
    }
    let large = fs::File::create(directory.path().join("big")).expect("a file");
    large.set_len(MAX_TEMPLATE_BYTES + 1).expect("grows");
    fs::rename(directory.path().join("big"), &template).expect("moves");
    assert!(matches!(
        Assembly::read(directory.path()),
        Err(ReadError::TooLarge { .. })
    ));
}

#[test]
fn writing_replaces_and_forgets() {
    let directory = tempfile::tempdir().expect("a directory");
    let assembly = read(|_, _| {}).expect("is valid");
    let out = directory.path().join("deep/out");
    write(&assembly, &out, true).expect("writes");
    assert_eq!(Assembly::read(&out).expect("reads"), assembly);
    assert!(out.join("orders-dev.template.yaml").is_file());

    let mut other = assembly.clone();
    other.manifest.stacks.clear();
    fs::write(out.join("mine.txt"), "stays").expect("a file");
    write(&other, &out, false).expect("writes");
    let mut left: Vec<_> = fs::read_dir(&out)
        .expect("lists")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["manifest.json", "mine.txt"]);
}
