//! Folders that fill buckets.

use insta::assert_json_snapshot;
use stack_model::s3::{BucketProps, Content};

use crate::support::{dev, synth, violations};

#[test]
fn the_manifest_says_what_fills_which_bucket() {
    let assembly = synth(dev(), |stack| {
        let site = stack.bucket("Site", BucketProps::default());
        let content = Content::folder("stacks/content/site")
            .under("v1/")
            .cache("assets/**", "public, max-age=31536000, immutable")
            .cache("**", "public, max-age=60")
            .content_type("wasm", "application/wasm")
            .keep_others();
        stack.bucket_content("SitePages", &site, content);
        let notes = Content::folder("notes").under("notes/");
        stack.bucket_content("Notes", &site, notes);
    })
    .unwrap();
    let stack = &assembly.manifest().stacks[0];
    assert_json_snapshot!(stack.contents, @r#"
    {
      "Notes": {
        "bucket": "Site",
        "folder": "notes",
        "prefix": "notes/",
        "cache": [],
        "content_types": {},
        "keep_others": false
      },
      "SitePages": {
        "bucket": "Site",
        "folder": "stacks/content/site",
        "prefix": "v1/",
        "cache": [
          {
            "pattern": "assets/**",
            "cache_control": "public, max-age=31536000, immutable"
          },
          {
            "pattern": "**",
            "cache_control": "public, max-age=60"
          }
        ],
        "content_types": {
          "wasm": "application/wasm"
        },
        "keep_others": true
      }
    }
    "#);
    // It is read back as it was written.
    let manifest: stack_model::assembly::Manifest =
        serde_json::from_str(&assembly.manifest_json()).unwrap();
    assert_eq!(&manifest, assembly.manifest());
    // Nothing is added to the template for it.
    let resources: Vec<&String> = stack.resources.keys().collect();
    assert_eq!(resources, ["Site", "SitePolicy"]);
}

#[test]
fn folders_stay_in_the_workspace_and_apart() {
    let found = violations(dev(), |stack| {
        let site = stack.bucket("Site", BucketProps::default());
        for (name, content) in [
            ("Up", Content::folder("../elsewhere").under("a/")),
            ("Root", Content::folder("/srv/site").under("b/")),
            ("Slash", Content::folder("site").under("/c/")),
            (
                "Pattern",
                Content::folder("site").under("d/").cache("", "no-cache"),
            ),
            (
                "Dot",
                Content::folder("site")
                    .under("e/")
                    .content_type(".js", "text/javascript"),
            ),
            ("Begin", Content::folder("site").under("f")),
            ("Over", Content::folder("site")),
        ] {
            stack.bucket_content(name, &site, content);
        }
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Up: `../elsewhere` is not a folder of the workspace: name it from the workspace's root, with `/` between folders, and without `.` and `..`",
      "orders / Root: `/srv/site` is not a folder of the workspace: name it from the workspace's root, with `/` between folders, and without `.` and `..`",
      "orders / Slash: the prefix `/c/` starts with a `/`, and no key of an object should",
      "orders / Pattern: `` matches no file: patterns are for paths inside of the folder, such as `assets/**`",
      "orders / Dot: `.js` is not the end of a file's name: write it without its dot, such as `wasm`",
      "orders / Begin: the prefix `f` is the beginning of other names too, whose objects would be deleted: write `f/`",
      "orders / Over: `Begin` fills the same part of the bucket, and each would delete the other's objects: give them prefixes of their own or `keep_others()`"
    ]
    "#);
}
