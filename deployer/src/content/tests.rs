//! What is read of folders, and what is refused.

use std::fs;

use stack_model::assembly::CacheRule;

use super::*;

fn workspace() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let site = root.path().join("site/assets");
    fs::create_dir_all(&site).expect("makes");
    fs::write(root.path().join("site/index.html"), "<p>hello").expect("writes");
    fs::write(site.join("app.js"), "let a").expect("writes");
    fs::write(site.join("photo.PNG"), [0, 1, 2]).expect("writes");
    fs::write(site.join("data"), "x").expect("writes");
    root
}

fn manifest(folder: &str) -> ContentManifest {
    ContentManifest {
        bucket: "Site".to_owned(),
        folder: folder.to_owned(),
        prefix: "v1/".to_owned(),
        cache: vec![
            CacheRule {
                pattern: "assets/**".to_owned(),
                cache_control: "max-age=3600".to_owned(),
            },
            CacheRule {
                pattern: "*".to_owned(),
                cache_control: "no-cache".to_owned(),
            },
        ],
        content_types: BTreeMap::from([("js".to_owned(), "text/plain".to_owned())]),
        ..ContentManifest::default()
    }
}

#[test]
fn files_get_keys_types_and_headers() {
    let root = workspace();
    let content = read(root.path(), &manifest("site")).expect("reads");
    let files: Vec<_> = content
        .files
        .iter()
        .map(|(key, file)| {
            let cache = file.cache_control.as_deref().unwrap_or_default();
            (
                key.as_str(),
                file.content_type.as_str(),
                cache,
                file.is_page(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            ("v1/assets/app.js", "text/plain", "max-age=3600", false),
            (
                "v1/assets/data",
                "application/octet-stream",
                "max-age=3600",
                false
            ),
            ("v1/assets/photo.PNG", "image/png", "max-age=3600", false),
            (
                "v1/index.html",
                "text/html; charset=utf-8",
                "no-cache",
                true
            ),
        ]
    );
}

#[test]
fn the_fingerprint_changes_with_bytes_and_headers() {
    let root = workspace();
    let fingerprint = |manifest: &ContentManifest| {
        read(root.path(), manifest).expect("reads").files["v1/index.html"].fingerprint()
    };
    let first = fingerprint(&manifest("site"));
    assert_eq!(fingerprint(&manifest("site")), first);
    let mut other = manifest("site");
    other.cache.pop();
    assert_ne!(fingerprint(&other), first);
    other = manifest("site");
    other
        .content_types
        .insert("html".to_owned(), "text/html".to_owned());
    assert_ne!(fingerprint(&other), first);
    fs::write(root.path().join("site/index.html"), "<p>bye").expect("writes");
    assert_ne!(fingerprint(&manifest("site")), first);
}

#[test]
fn nothing_leaves_the_workspace() {
    let root = workspace();
    for folder in ["../other", "/etc", "site/../..", "", "."] {
        let error = read(root.path(), &manifest(folder)).expect_err(folder);
        assert!(
            matches!(error, ContentError::Outside(_)),
            "{folder}: {error}"
        );
    }
    let error = read(root.path(), &manifest("missing")).expect_err("is missing");
    assert!(matches!(error, ContentError::Read { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let root = workspace();
    std::os::unix::fs::symlink("/etc", root.path().join("linked")).expect("links");
    let error = read(root.path(), &manifest("linked")).expect_err("is a link");
    assert!(matches!(error, ContentError::Link(_)), "{error}");
    std::os::unix::fs::symlink("/etc/hostname", root.path().join("site/secret")).expect("links");
    let error = read(root.path(), &manifest("site")).expect_err("holds a link");
    assert!(matches!(error, ContentError::Link(_)), "{error}");
}

#[test]
fn nothing_hidden_is_published() {
    let root = workspace();
    fs::create_dir(root.path().join("site/.well-known")).expect("makes");
    fs::write(root.path().join("site/.well-known/security.txt"), "x").expect("writes");
    let content = read(root.path(), &manifest("site")).expect("reads");
    assert!(content.files.contains_key("v1/.well-known/security.txt"));
    fs::write(root.path().join("site/assets/.env"), "KEY=1").expect("writes");
    let error = read(root.path(), &manifest("site")).expect_err("holds a hidden file");
    assert!(matches!(error, ContentError::Hidden(_)), "{error}");
}

#[test]
fn an_empty_folder_and_a_pattern_that_is_none_are_errors() {
    let root = workspace();
    fs::create_dir(root.path().join("empty")).expect("makes");
    let error = read(root.path(), &manifest("empty")).expect_err("is empty");
    assert!(matches!(error, ContentError::Empty(_)), "{error}");
    let mut wrong = manifest("site");
    wrong.cache[0].pattern = "{".to_owned();
    let error = read(root.path(), &wrong).expect_err("is no pattern");
    assert!(matches!(error, ContentError::Pattern { .. }), "{error}");
}
