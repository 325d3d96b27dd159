//! URLs: which are followed, and where a redirect leads.

use std::net::IpAddr;

use reqwest::Url;

use super::FetchFault;
use super::store::Object;

/// Bytes of the longest URL that is read.
pub(super) const LONGEST: usize = 8 << 10;
/// Bytes of the longest host: names are shorter, but the parser does not mind.
const LONGEST_HOST: usize = 255;

/// What a picture's link leads to.
pub(super) enum Link {
    Web(Url),
    Stored(Object),
}

impl Link {
    /// The same for all links that lead to one picture.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Web(url) => url.as_str().to_owned(),
            Self::Stored(object) => object.name(),
        }
    }

    /// What has a line: a host, or a bucket.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Web(url) => url.host_str().unwrap_or_default(),
            Self::Stored(object) => object.place(),
        }
    }

    /// What is left alone when it fails: an origin, or a bucket.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::Web(url) => url.origin().ascii_serialization(),
            Self::Stored(object) => object.place().to_owned(),
        }
    }
}

/// A picture's URL on the web.
pub(super) fn parse(text: &str) -> Result<Url, FetchFault> {
    let url = Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| Url::parse(text).ok()).ok_or(FetchFault::NotALink)?;
    match url.scheme() {
        "http" | "https" => web(url),
        // Stores come before this, in `Stores::find`. What a redirect names goes to `web` alone.
        _ => Err(FetchFault::NotALink),
    }
}

/// Where a redirect leads.
pub(super) fn redirected(from: &Url, location: &[u8]) -> Result<Url, FetchFault> {
    let location = std::str::from_utf8(location).ok().filter(|location| location.len() <= LONGEST);
    location.and_then(|location| from.join(location).ok()).ok_or(FetchFault::NotALink).and_then(web)
}

fn web(mut url: Url) -> Result<Url, FetchFault> {
    let sound = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.port() != Some(0)
        && url.host_str().is_some_and(|host| !host.is_empty() && host.len() <= LONGEST_HOST);
    url.set_fragment(None);
    if sound { Ok(url) } else { Err(FetchFault::NotALink) }
}

/// The address, where the host is one. The URL parser has turned every way to write one (`0x7f.1`, `2130706433`) into the usual
/// one; the connector parses it as is done here, and asks no resolver for it.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_others() {
        let long = format!("http://a.example/{}", "a".repeat(LONGEST));
        let host = format!("http://{}.example/", "a.".repeat(200));
        let table = [
            ("https://a.example/b.jpg?c#d", Some("https://a.example/b.jpg?c")),
            ("HTTP://A.Example:80", Some("http://a.example/")),
            ("http://a.example:8080/", Some("http://a.example:8080/")),
            ("https://bücher.example/ä", Some("https://xn--bcher-kva.example/%C3%A4")),
            ("http://@a.example/", Some("http://a.example/")),
            ("http://0x7f.1/", Some("http://127.0.0.1/")),
            ("http:a.example", Some("http://a.example/")),
            (long.as_str(), None),
            (host.as_str(), None),
            ("", None),
            ("a.jpg", None),
            ("//a.example/", None),
            ("http://", None),
            ("http://a b/", None),
            ("http://256.1.1.1/", None),
            ("http://[::1", None),
            ("http://[fe80::1%25eth0]/", None),
            ("http://user@a.example/", None),
            ("http://user:secret@a.example/", None),
            ("http://:secret@a.example/", None),
            ("http://a.example:0/", None),
            ("http://a.example:65536/", None),
            ("file:///etc/passwd", None),
            ("ftp://a.example/", None),
            ("data:image/png;base64,AAAA", None),
            ("javascript:alert(1)", None),
            ("gopher://a.example:11211/", None),
            ("s3://bucket/key", None),
        ];
        for (text, expected) in table {
            let found = parse(text);
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|f| *f), expected.ok_or(FetchFault::NotALink), "{text}");
        }
    }

    #[test]
    fn redirects_are_resolved_and_judged() {
        let table = [
            ("c.jpg", Some("https://a.example/b/c.jpg")),
            ("/c.jpg", Some("https://a.example/c.jpg")),
            ("//b.example/", Some("https://b.example/")),
            ("http://b.example/", Some("http://b.example/")),
            ("?x", Some("https://a.example/b/?x")),
            ("http://user:secret@b.example/", None),
            ("//user@b.example/", None),
            ("http://b.example:0/", None),
            ("file:///etc/passwd", None),
            ("s3://bucket/key", None),
            ("http://", None),
        ];
        let from = parse("https://a.example/b/").expect("a link");
        for (location, expected) in table {
            let found = redirected(&from, location.as_bytes());
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|f| *f), expected.ok_or(FetchFault::NotALink), "{location}");
        }
        assert_eq!(redirected(&from, b"\xff"), Err(FetchFault::NotALink));
    }

    #[test]
    fn addresses_are_told_from_names() {
        let table = [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://127.0.0.1./", Some("127.0.0.1")),
            ("http://127.1/", Some("127.0.0.1")),
            ("http://0x7f.1/", Some("127.0.0.1")),
            ("http://0177.0.0.1/", Some("127.0.0.1")),
            ("http://2130706433/", Some("127.0.0.1")),
            ("http://0x7F000001/", Some("127.0.0.1")),
            ("http://%31%32%37.0.0.1/", Some("127.0.0.1")),
            ("http://１２７.0.0.1/", Some("127.0.0.1")),
            ("http://0/", Some("0.0.0.0")),
            ("http://[::1]/", Some("::1")),
            ("http://[::ffff:127.0.0.1]:8080/", Some("::ffff:127.0.0.1")),
            ("http://[0:0:0:0:0:ffff:7f00:1]/", Some("::ffff:127.0.0.1")),
            ("http://localhost/", None),
            ("http://127.0.0.1.example/", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|ip| ip.parse::<IpAddr>().expect("an address"));
            assert_eq!(literal(&parse(text).expect(text)), expected, "{text}");
        }
    }
}
