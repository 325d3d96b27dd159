//! The pages on programmes do what they say: every `sh` block of docs/programmes runs, and every policy file there is taken.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{catalog, examples, project, succeed, touchstone};

/// An `sh` block of a page.
struct Block {
    /// The line of its fence, counted from 1.
    line: usize,
    script: String,
}

/// The fenced `sh` blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, fence)) = lines.next() {
        if fence.starts_with("```") {
            // Blocks of other languages are read to their end, too, since one may show a fence.
            let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_end() != "```").collect();
            if fence.trim_end() == "```sh" {
                blocks.push(Block { line: at + 1, script: body.join("\n") });
            }
        }
    }
    blocks
}

/// The files of the folder whose names end like this, by name.
fn files(end: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(project("docs/programmes")).expect("the pages");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| name(path).ends_with(end));
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a page")
}

#[test]
fn blocks_are_found_with_their_lines() {
    let page = "# A\n```sh\none\ntwo\n```\n```text\n```sh\n```\ntext\n```sh\nthree\n```\n";
    let found: Vec<(usize, String)> = blocks(page).into_iter().map(|block| (block.line, block.script)).collect();
    assert_eq!(found, [(2, "one\ntwo".to_owned()), (10, "three".to_owned())]);
}

#[test]
fn what_the_pages_say_to_run_runs() {
    let program = Path::new(env!("CARGO_BIN_EXE_touchstone")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(program.to_owned()).chain(std::env::split_paths(&path))).expect("a path");
    let mut failures = Vec::new();
    for page in files(".md") {
        let blocks = blocks(&text(&page));
        assert!(!blocks.is_empty(), "{}: a page needs an sh block", page.display());
        // A block goes on from what those before it on the page wrote.
        let out = tempfile::tempdir().expect("a folder");
        for Block { line, script } in blocks {
            let mut bash = Command::new("bash");
            bash.args(["-euo", "pipefail", "-c", &script]).current_dir(project("")).env("PATH", &path).env("OUT", out.path());
            let output = bash.output().expect("bash starts");
            if !output.status.success() {
                let errors = String::from_utf8_lossy(&output.stderr);
                failures.push(format!("docs/programmes/{}:{line}: {}\n{script}\n{errors}", name(&page), output.status));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_page_has_a_policy_that_is_taken_and_stands_in_the_index() {
    let index = text(&project("docs/programmes/README.md"));
    let pages: Vec<PathBuf> = files(".md").into_iter().filter(|page| name(page) != "README.md").collect();
    let policies = files(".policy.toml");
    let stems = |paths: &[PathBuf], end: &str| paths.iter().map(|path| name(path).trim_end_matches(end).to_owned()).collect::<Vec<_>>();
    assert_eq!(stems(&pages, ".md"), stems(&policies, ".policy.toml"));
    for (page, policy) in pages.iter().zip(&policies) {
        assert!(index.contains(&format!("({})", name(page))), "{} does not stand in the index", name(page));
        assert!(text(page).contains(&format!("({})", name(policy))), "{} does not link its policy", name(page));
        succeed(touchstone("scan --policy").arg(policy).arg("--catalog").arg(catalog()).arg("--listings").arg(examples()));
    }
}
