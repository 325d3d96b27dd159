//! Configuration files as they come: a fault names the file, and no secret is shown.
//!
//! The worker is a program, which nothing links to, so its files are taken in here. What they use of the rest of it stands in
//! below, cut short: a failure, the settings relied on, the token's file, the list of nets, what may be posted to.
#![no_main]

#[allow(dead_code)]
#[path = "../../pipeline/src/fetch/address.rs"]
mod address;
#[allow(dead_code)]
#[path = "../../pipeline/src/config/mod.rs"]
mod config;

use failure::Failure;
use libfuzzer_sys::fuzz_target;

mod failure {
    pub(crate) enum Failure {
        Usage(String),
    }
}

mod fetch {
    pub(crate) use crate::address::Net;

    /// What judges links needs the client of the web: its own tests must do.
    pub(crate) fn target(_text: &str, _allow: &[Net]) -> Result<(), String> {
        Ok(())
    }
}

mod kafka {
    pub(crate) const RELIED_ON: &[&str] = &["group.id", "isolation.level"];

    /// No file is read for it.
    pub(crate) fn read_token(_file: &str) -> Result<(), String> {
        Ok(())
    }
}

mod remote {
    use crate::address::Net;

    pub(crate) fn nets(texts: &[String]) -> Result<Vec<Net>, String> {
        texts.iter().map(|text| text.parse().map_err(|e| format!("pictures.allow: {e}"))).collect()
    }

    /// What reads them needs the whole of the stores' library: its own tests must do.
    pub(crate) fn stores(_texts: &[String]) -> Result<(), String> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("touchstone-fuzz-{}.toml", std::process::id()));
    std::fs::write(&path, bytes).expect("a file can be written");
    match config::load(&path) {
        Ok(read) => {
            let shown = read.masked();
            let tokens = shown["http"]["tokens"].as_array().into_iter().flatten();
            let brands = ["tokens", "webhook_secrets"].map(|key| &shown["brands"][key]);
            let brands = brands.into_iter().filter_map(|map| map.as_object()).flat_map(|map| map.values());
            for secret in tokens.chain(brands).chain([&shown["kafka"]["password"]]) {
                assert!(matches!(secret.as_str(), Some("" | "***")), "{secret}");
            }
        }
        Err(Failure::Usage(message)) => assert!(message.starts_with(&path.display().to_string()), "{message}"),
    }
});
