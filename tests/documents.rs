//! The pages: every link leads somewhere, every page can be found, and what they name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All pages of the repository: at its top, in `docs` and in `examples`.
fn pages() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs"), root().join("examples")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let paths = files.map(|file| file.expect("a file").path());
    let pages: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    assert!(pages.len() > 10);
    pages
}

/// The lines of a page that are no example of what is typed, shown or drawn.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// Where the links of a line lead.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// What stands in backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchors of a page's headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let words = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    words.map(|heading| heading.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_of_it() {
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        for link in prose(&text).flat_map(links).filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = match path {
                "" => page.clone(),
                _ => page.parent().expect("a folder").join(path),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if let Some(anchor) = anchor {
                assert!(anchors(&read(&target)).contains(anchor), "{}: {link}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_page_is_in_the_index() {
    let index = read(&root().join("docs/README.md"));
    let listed: BTreeSet<&str> = prose(&index).flat_map(links).collect();
    for page in std::fs::read_dir(root().join("docs")).expect("a folder") {
        let name = page.expect("a page").file_name().into_string().expect("a name");
        assert!(!name.ends_with(".md") || name == "README.md" || listed.contains(name.as_str()), "{name}");
    }
}

#[test]
fn the_map_and_the_first_page_are_short() {
    assert!(read(&root().join("ARCHITECTURE.md")).split_whitespace().count() <= 1500);
    assert!(read(&root().join("README.md")).lines().count() <= 150);
}

/// All of a test's file or folder.
fn source(module: &str) -> String {
    let mut files = vec![root().join("tests").join(module).with_extension("rs")];
    let folder = std::fs::read_dir(root().join("tests").join(module));
    files.extend(folder.into_iter().flatten().map(|file| file.expect("a file").path()));
    files.iter().filter(|path| path.is_file()).map(|path| read(path)).collect()
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        for name in prose(&text).flat_map(quoted) {
            // A test's name is a sentence; what else stands in a module has a shorter one, and types begin with a capital.
            let is_test = |name: &(&str, &str)| name.1.matches('_').count() > 1 && name.0 == name.0.to_lowercase();
            let Some((module, test)) = name.split_once("::").filter(is_test) else {
                continue;
            };
            assert!(source(module).contains(&format!("fn {test}(")), "{}: {name}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn every_file_that_a_page_names_is_there() {
    const FOLDERS: [&str; 10] =
        ["src/", "handler/", "worker/", "config/", "tests/", "load/", "fuzz/", "docs/", "examples/", ".ci/"];
    let (mut seen, mut missing) = (0, BTreeSet::new());
    // What has changed tells of files as they were.
    for page in pages().into_iter().filter(|page| !page.ends_with("CHANGELOG.md")) {
        let text = read(&page);
        let is_path = |name: &&str| !name.contains(' ') && FOLDERS.iter().any(|folder| name.starts_with(folder));
        for name in prose(&text).flat_map(quoted).filter(is_path) {
            seen += 1;
            if !root().join(name).exists() {
                missing.insert(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 100, "{seen}");
}
