//! Runs every example and compares what it prints with its golden.
//!
//! `SNAPSHOTS=overwrite cargo test -p examples` writes the goldens anew.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use snapbox::{Assert, Data};

fn check(name: &str, executable: &str) {
    let output = Command::new(executable)
        .output()
        .expect("the example starts");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let templates: Vec<Value> = printed
        .map(|json| json.expect("templates are JSON"))
        .collect();
    for (position, template) in templates.iter().enumerate() {
        let file = match templates.len() {
            1 => format!("{name}.template.json"),
            _ => format!("{name}.{}.template.json", position + 1),
        };
        let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("golden")
            .join(file);
        Assert::new().action_env("SNAPSHOTS").eq(
            format!("{template:#}\n"),
            Data::read_from(&golden, None).raw(),
        );
    }
}

macro_rules! examples {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name))));
            }
        )*

        #[test]
        fn no_example_is_forgotten() {
            let mut named = vec![$(stringify!($name).to_owned()),*];
            named.sort();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
            let mut found: Vec<String> = std::fs::read_dir(folder)
                .expect("the folder is there")
                .map(|entry| entry.expect("it can be listed").path())
                .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
                .collect();
            found.sort();
            assert_eq!(named, found);
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples.md");
            let page = std::fs::read_to_string(page).expect("the guide lists the examples");
            for name in named {
                assert!(page.contains(&format!("| `{name}` |")), "{name} is not in the guide");
            }
        }
    };
}

examples!(
    alarms,
    api_without_functions,
    dead_letter_queue,
    escape_hatches,
    jwt_authorizer,
    permissions_boundary,
    site_with_a_domain,
    table_with_index,
    two_stacks,
    typed_events,
    wait_for_approval
);
