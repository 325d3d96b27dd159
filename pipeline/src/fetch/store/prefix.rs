//! Where links to stores may lead: the folders that the operator names.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use object_store::path::Path as Location;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    S3,
    Gs,
    File,
}

/// How links of each kind begin.
const SCHEMES: [(&str, Scheme); 3] = [("s3://", Scheme::S3), ("gs://", Scheme::Gs), ("file://", Scheme::File)];

/// A folder of a store, like s3://bucket/photos/ or file:///srv/photos/. Links lead there that begin with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    scheme: Scheme,
    text: String,
    bucket: String,
    folder: Location,
    /// Where the path begins in the text.
    start: usize,
}

impl Prefix {
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Scheme and bucket, like s3://bucket; file:// for all folders of this machine.
    pub(super) fn place(&self) -> &str {
        &self.text[..self.start - 1]
    }

    /// The folder in this machine's file system.
    pub(super) fn folder(&self) -> PathBuf {
        file(&self.folder)
    }

    /// Where a link leads in the store: nowhere when it begins otherwise, or could lead out of the folder.
    pub(super) fn locate(&self, link: &str) -> Option<Location> {
        link.get(self.start..).filter(|_| link.starts_with(&self.text)).and_then(location)
    }
}

/// A location as a path in this machine's file system.
pub(super) fn file(location: &Location) -> PathBuf {
    let path: &str = location.as_ref();
    Path::new("/").join(path)
}

/// A path of a link, its percent signs decoded once. Nothing in it may lead elsewhere, were it decoded twice.
fn location(path: &str) -> Option<Location> {
    let sound = !path.starts_with('/') && !path.ends_with('/') && !path.contains(['?', '#']) && !path.to_ascii_lowercase().contains("%2f");
    // Refuses dots alone, empty parts and control characters.
    let location = Location::from_url_path(path).ok().filter(|location| sound && !location.is_root())?;
    Location::from_url_path(&location).is_ok().then_some(location)
}

fn is_bucket(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Before anything repeats the text.
        if text.split('/').nth(2).is_some_and(|host| host.contains('@')) {
            return Err("a store is named without credentials: they come from the environment".to_owned());
        }
        let known = SCHEMES.iter().find_map(|(begin, scheme)| Some((text.strip_prefix(begin)?, *scheme)));
        let (rest, scheme) = known.ok_or_else(|| format!("{text:?} begins with none of s3://, gs:// and file:///"))?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let example = "like \"file:///srv/photos/\"";
        match scheme {
            Scheme::File if !bucket.is_empty() => return Err(format!("{text:?}: a folder follows three slashes, {example}")),
            Scheme::File if path.is_empty() => return Err(format!("{text:?} is the whole file system: name a folder, {example}")),
            Scheme::S3 | Scheme::Gs if !is_bucket(bucket) => return Err(format!("{text:?}: {bucket:?} is not the name of a bucket")),
            _ => {}
        }
        if !text.ends_with('/') {
            return Err(format!("{text:?} does not end with \"/\": write {:?}", format!("{text}/")));
        }
        let folder = path.strip_suffix('/').map_or(Some(Location::ROOT), location);
        let folder = folder.ok_or_else(|| format!("{text:?}: a path has no part that is empty or \"..\", no ? or #, and no %2F"))?;
        Ok(Self { scheme, text: text.to_owned(), bucket: bucket.to_owned(), folder, start: text.len() - path.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_into_the_folder_or_nowhere() {
        let table = [
            ("s3://bucket/photos/", "s3://bucket/photos/a.jpg", Some("photos/a.jpg")),
            ("s3://bucket/photos/", "s3://bucket/photos/b/a%20b.jpg", Some("photos/b/a b.jpg")),
            ("s3://bucket/photos/", "s3://bucket/photos/100%25.jpg", Some("photos/100%.jpg")),
            ("s3://bucket/photos/", "s3://bucket/photos/...jpg", Some("photos/...jpg")),
            ("s3://bucket/", "s3://bucket/a.jpg", Some("a.jpg")),
            ("gs://bucket/photos/", "gs://bucket/photos/ä.jpg", Some("photos/ä.jpg")),
            ("file:///srv/my%20photos/", "file:///srv/my%20photos/a.jpg", Some("srv/my photos/a.jpg")),
            ("s3://bucket/photos/", "s3://bucket/photos/", None),
            ("s3://bucket/", "s3://bucket/", None),
            ("s3://bucket/", "s3://bucket/%2F", None),
            ("s3://bucket/", "s3://bucket//a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos", None),
            ("s3://bucket/photos/", "s3://bucket/photosynthesis/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket2/photos/a.jpg", None),
            ("s3://bucket/photos/", "S3://bucket/photos/a.jpg", None),
            ("s3://bucket/photos/", "gs://bucket/photos/a.jpg", None),
            ("s3://bucket/photos/", "s3://user:secret@bucket/photos/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/b/", None),
            ("s3://bucket/photos/", "s3://bucket/photos//a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/b//a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/./a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/../a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/b/..", None),
            ("s3://bucket/photos/", "s3://bucket/photos/%2e%2E/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/.%2e/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/%252e%252e/a.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/..%2Fa.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/..%252Fa.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/a.jpg?versionId=1", None),
            ("s3://bucket/photos/", "s3://bucket/photos/a.jpg#b", None),
            ("s3://bucket/photos/", "s3://bucket/photos/a%00.jpg", None),
            ("s3://bucket/photos/", "s3://bucket/photos/a%FF.jpg", None),
            ("file:///srv/photos/", "file:///srv/photos/../../etc/passwd", None),
            ("file:///srv/photos/", "file:///etc/passwd", None),
            ("file:///srv/photos/", "file://localhost/srv/photos/a.jpg", None),
            ("file:///srv/photos/", "", None),
        ];
        for (prefix, link, expected) in table {
            let prefix: Prefix = prefix.parse().expect(prefix);
            assert_eq!(prefix.locate(link).map(String::from), expected.map(str::to_owned), "{link}");
        }
    }

    #[test]
    fn a_prefix_says_what_it_names() {
        let table = [
            ("s3://bucket/photos/", "s3://bucket", "bucket", "/photos"),
            ("gs://b.example_1/", "gs://b.example_1", "b.example_1", "/"),
            ("file:///srv/my%20photos/", "file://", "", "/srv/my photos"),
        ];
        for (text, place, bucket, folder) in table {
            let prefix: Prefix = text.parse().expect(text);
            assert_eq!((prefix.place(), prefix.bucket(), prefix.folder()), (place, bucket, PathBuf::from(folder)), "{text}");
        }
    }

    #[test]
    fn what_is_no_prefix_says_what_to_write() {
        let table = [
            ("", "begins with none"),
            ("photos/", "begins with none"),
            ("https://a.example/", "begins with none"),
            ("S3://bucket/", "begins with none"),
            ("s3://", "not the name of a bucket"),
            ("s3:///photos/", "not the name of a bucket"),
            ("s3://../", "not the name of a bucket"),
            ("gs://bücket/", "not the name of a bucket"),
            ("s3://bucket:80/", "not the name of a bucket"),
            ("s3://bucket", "write \"s3://bucket/\""),
            ("s3://bucket/photos", "write \"s3://bucket/photos/\""),
            ("s3://bucket/../", "a path has no part"),
            ("s3://bucket//", "a path has no part"),
            ("s3://bucket/a?b/", "a path has no part"),
            ("file:///", "whole file system"),
            ("file://srv/photos/", "three slashes"),
            ("file:///srv/photos", "write \"file:///srv/photos/\""),
            ("file:///srv/%2e%2e/", "a path has no part"),
        ];
        for (text, part) in table {
            let said = text.parse::<Prefix>().expect_err(text);
            assert!(said.contains(part), "{text:?}: {said}");
        }
        let said = "s3://key:hush@bucket/".parse::<Prefix>().expect_err("credentials");
        assert!(said.contains("environment") && !said.contains("hush"), "{said}");
    }
}
