//! What must hold of the brands that are answered over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use touchstone_schemas::BrandId;

use super::{Brands, Secret};
use crate::fetch::{Net, target};

/// Bytes that a secret has at least.
const LEAST: usize = 16;

impl Brands {
    /// Judges ids, links and secrets. `allow` are the nets that posts may go to without TLS.
    pub(super) fn check(&self, allow: &[Net]) -> Result<(), String> {
        secrets("brands.tokens", &self.tokens)?;
        secrets("brands.webhook_secrets", &self.webhook_secrets)?;
        let distinct: BTreeSet<&str> = self.tokens.values().map(Secret::reveal).collect();
        if distinct.len() < self.tokens.len() {
            return Err("brands.tokens: two brands have the same token: give each its own".to_owned());
        }
        for (brand, url) in &self.webhook_urls {
            id("brands.webhook_urls", brand)?;
            target(url, allow).map_err(|e| format!("brands.webhook_urls: {brand}: {e}"))?;
            if !self.webhook_secrets.contains_key(brand) {
                return Err(format!("brands.webhook_secrets has nothing for {brand}, to which suspects are posted: give its secret"));
            }
        }
        match self.webhook_secrets.keys().find(|brand| !self.webhook_urls.contains_key(*brand)) {
            Some(brand) => {
                Err(format!("brands.webhook_urls has nothing for {brand}, which has a secret: say where to post, or leave it out"))
            }
            None => Ok(()),
        }
    }
}

fn id(key: &str, brand: &str) -> Result<(), String> {
    BrandId::new(brand).map(drop).ok_or_else(|| format!("{key}: {brand:?} is not a brand id like acme-shoes"))
}

fn secrets(key: &str, secrets: &BTreeMap<String, Secret>) -> Result<(), String> {
    for (brand, secret) in secrets {
        id(key, brand)?;
        // Visible characters, since a header carries a token.
        if secret.reveal().len() < LEAST || !secret.reveal().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("{key}: that of {brand} is not {LEAST} or more letters, digits and signs"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn what_is_wrong_is_told_and_no_secret_with_it() {
        let long = "0123456789abcdef";
        let hook = |url: &str| format!("webhook_urls = {{acme = {url:?}}}\nwebhook_secrets = {{acme = {long:?}}}");
        let table = [
            (format!("tokens = {{acme = {long:?}}}"), ""),
            (format!("tokens = {{Acme = {long:?}}}"), "brands.tokens: \"Acme\" is not a brand id"),
            ("tokens = {acme = \"hush\"}".to_owned(), "brands.tokens: that of acme is not 16 or more"),
            ("tokens = {acme = \"hush hush hush hush\"}".to_owned(), "brands.tokens: that of acme is not 16 or more"),
            (format!("tokens = {{acme = {long:?}, other = {long:?}}}"), "two brands have the same token"),
            (hook("https://a.example/hook"), ""),
            (hook("http://127.0.0.1:80/hook"), ""),
            (hook("http://127.0.0.2:80/hook"), "brands.webhook_urls: acme: "),
            (hook("http://a.example/hook"), "brands.webhook_urls: acme: "),
            (hook("ftp://a.example/hook"), "brands.webhook_urls: acme: "),
            ("webhook_urls = {acme = \"https://a.example/\"}".to_owned(), "brands.webhook_secrets has nothing for acme"),
            (format!("webhook_secrets = {{acme = {long:?}}}"), "brands.webhook_urls has nothing for acme"),
        ];
        for (brands, expected) in table {
            let text = format!("[pictures]\nallow = [\"127.0.0.1\"]\n[brands]\n{brands}");
            let config: Config = toml::from_str(&text).expect("a configuration");
            let told = config.check().err().unwrap_or_default();
            assert!(told.starts_with(expected) || told.contains(expected), "{brands}: {told}");
            assert!(expected.is_empty() == told.is_empty() && !told.contains(long) && !told.contains("hush"), "{brands}: {told}");
            let shown = config.masked().to_string();
            assert!(!shown.contains(long) && !shown.contains("hush"), "{shown}");
        }
    }
}
