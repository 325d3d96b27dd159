//! Listings whose pictures were slow: they go on without them, and come back by the `retry` topic to be looked at again.

use std::time::Duration;

use touchstone_detectors::{Picture, in_pass};
use touchstone_schemas::{Listing, OpenSuspect, Retry, Suspect, Timestamp};

use super::records::{self, Record};
use super::scan::Made;
use super::taken::Taken;
use crate::config::Config;
use crate::engine::{Read, from_now};

/// A later look at a listing, and what the looks before it left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pass {
    /// 1 and up.
    pub(super) number: u64,
    /// Not before.
    pub(super) due_at: Timestamp,
    /// The place of the listing's event.
    pub(super) place: Option<u64>,
    /// The pictures that were not there when the listing was judged last, by index.
    pub(super) missing: Vec<u64>,
    /// The suspicions that stand.
    pub(super) open: Vec<OpenSuspect>,
}

/// What became of a listing that came back, as metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// A newer event of the listing was seen meanwhile.
    Superseded,
    /// Pictures came, and with them it is suspect.
    Found,
    /// Pictures came, and it is not.
    Clean,
    /// It is looked at once more.
    LateAgain,
    /// It is not.
    GivenUp,
}

impl Came {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Found => "found",
            Self::Clean => "clean",
            Self::LateAgain => "late_again",
            Self::GivenUp => "given_up",
        }
    }
}

/// When and how often listings are looked at again.
pub(super) struct Passes {
    /// Where they wait.
    pub(super) topic: String,
    pause: Duration,
    most: u64,
}

impl Passes {
    pub(super) fn new(config: &Config, topic: String) -> Self {
        // Where nothing is fetched, nothing comes late.
        let most = if config.pictures.fetch { config.pictures.retry_passes } else { 0 };
        Self { topic, pause: Duration::from_millis(config.pictures.retry_after_ms), most }
    }

    /// Whether there are any.
    pub(super) fn are_wanted(&self) -> bool {
        self.most > 0
    }

    /// When a listing is due that is put off now.
    pub(super) fn due_at(&self) -> Timestamp {
        from_now(self.pause)
    }

    /// The record that brings a listing back after its first look, which left these suspicions; given up where no topic takes it.
    pub(super) fn after_first(
        &self,
        event: &Taken,
        read: &Read<Vec<Suspect>>,
        open: &[OpenSuspect],
        due_at: &Timestamp,
    ) -> (Option<Record>, Option<Came>) {
        let missing = missing(&read.pictures);
        if missing.is_empty() || !self.are_wanted() {
            return (None, None);
        }
        let pass = Pass { number: 1, due_at: due_at.clone(), place: Some(event.place()), missing, open: open.to_vec() };
        let record = self.record(event, &read.listing, pass);
        let came = record.is_none().then_some(Came::GivenUp);
        (record, came)
    }

    /// What a later look makes of a listing whose scan found these suspects. It replaces what stands only where it sees more.
    pub(super) fn after(&self, event: &Taken, pass: &Pass, read: &Read<Vec<Suspect>>, found: &[Suspect], due_at: &Timestamp) -> Made {
        let (key, left, sees_more) = (read.listing.key(), missing(&read.pictures), pass.sees_more(&read.pictures));
        let (mut records, mut open) = (Vec::new(), pass.open.clone());
        for suspect in found.iter().filter(|_| sees_more) {
            let before = open.iter().position(|o| o.brand_id == suspect.brand_id).map(|at| open.remove(at).detection_id);
            let suspect = in_pass(suspect.clone(), pass.number, before);
            open.push(records::open(&suspect));
            records.push(records::suspect(&suspect, &key, &event.trace));
        }
        if !records.is_empty() {
            open.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
            records.push(records::state(event.partition, pass.place, &read.listing, &key, open.clone()));
        }
        let is_suspect = !records.is_empty();
        let changed = is_suspect.then(|| open.clone());
        let next = Pass {
            number: pass.number + 1,
            due_at: due_at.clone(),
            place: pass.place,
            missing: if sees_more { left.clone() } else { pass.missing.clone() },
            open,
        };
        let again = if left.is_empty() { None } else { self.record(event, &read.listing, next) };
        let came = match (sees_more, is_suspect, &again) {
            (true, true, _) => Came::Found,
            (true, false, _) => Came::Clean,
            (false, _, Some(_)) => Came::LateAgain,
            (false, _, None) => Came::GivenUp,
        };
        records.extend(again);
        Made { records, came: Some(came), open: changed }
    }

    /// The record that brings a listing back; nothing where no pass is left, or no topic takes it.
    fn record(&self, event: &Taken, listing: &Listing, pass: Pass) -> Option<Record> {
        let record = (pass.number <= self.most).then(|| records::retry(event, listing, pass));
        record.filter(|record| !record.is_too_large())
    }
}

impl Pass {
    /// A pass, and the listing that it looks at.
    pub(super) fn of(retry: Retry) -> (Listing, Self) {
        let Retry { listing, pass: number, due_at, offset: place, missing, open } = retry;
        (listing, Self { number, due_at, place, missing, open })
    }

    pub(super) fn into_retry(self, listing: Listing) -> Retry {
        let Self { number: pass, due_at, place: offset, missing, open } = self;
        Retry { listing, pass, due_at, offset, missing, open }
    }

    /// Whether a missing picture came, and none is missing that was seen before: what knows less must not replace what knew more.
    fn sees_more(&self, pictures: &[Picture]) -> bool {
        let came = |index: &u64| usize::try_from(*index).ok().and_then(|i| pictures.get(i)).is_some_and(|p| p.fingerprint.is_ok());
        self.missing.iter().any(came) && missing(pictures).iter().all(|index| self.missing.contains(index))
    }
}

/// The pictures that may come yet, by index.
fn missing(pictures: &[Picture]) -> Vec<u64> {
    let numbered = (0..).zip(pictures);
    numbered.filter(|(_, picture)| picture.fingerprint.as_ref().is_err_and(|fault| fault.may_pass())).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use serde_json::{Value, json};
    use touchstone_detectors::{Fingerprint, PictureFault};
    use touchstone_schemas::{ListingState, decode};

    use super::super::records::Destination;
    use super::super::taken::Role;
    use super::*;
    use crate::engine::Scanned;

    fn seen() -> Picture {
        let image = image::RgbImage::from_fn(360, 300, |x, y| {
            let shade = if (x / 40 + y / 60) % 2 == 0 { 30 } else { 200 };
            image::Rgb([shade, u8::try_from(x / 2).expect("small"), u8::try_from(y / 2).expect("small")])
        });
        let mut jpeg = Cursor::new(Vec::new());
        image::DynamicImage::ImageRgb8(image).write_to(&mut jpeg, image::ImageFormat::Jpeg).expect("memory");
        Picture { sha256: None, fingerprint: Fingerprint::of(jpeg.get_ref()).map(Arc::new), pdq: None }
    }

    /// `s` is seen, `l` late, `d` down, `g` gone.
    fn pictures(states: &str) -> Vec<Picture> {
        let failed = |fault| Picture { sha256: None, fingerprint: Err(fault), pdq: None };
        let picture = |state| match state {
            's' => seen(),
            'l' => failed(PictureFault::Late),
            'd' => failed(PictureFault::NotFetchedYet("unreachable")),
            _ => failed(PictureFault::NotFetched("status")),
        };
        states.chars().map(picture).collect()
    }

    fn at(number: u64, missing: &[u64], open: Vec<OpenSuspect>) -> Pass {
        Pass { number, due_at: Timestamp::from_unix_millis(0), place: Some(7), missing: missing.to_vec(), open }
    }

    #[test]
    fn only_what_may_pass_is_waited_for_and_what_knows_less_replaces_nothing() {
        for (states, waits_for, more) in [
            ("sll", vec![1, 2], false),
            ("sld", vec![1, 2], false),
            ("ssl", vec![2], true),
            ("sss", vec![], true),
            ("sgs", vec![], true),
            ("sgg", vec![], false),
            ("lss", vec![0], false),
        ] {
            let pictures = pictures(states);
            assert_eq!((missing(&pictures), at(1, &[1, 2], Vec::new()).sees_more(&pictures)), (waits_for, more), "{states}");
        }
    }

    #[test]
    fn a_pass_replaces_what_it_finds_again_and_waits_for_the_rest() {
        let passes = Passes { topic: "retry".to_owned(), pause: Duration::ZERO, most: 2 };
        let suspect = decode::<Suspect>(include_bytes!("../../../schemas/golden/suspect.json")).expect("a suspect").value;
        let listing = decode::<Listing>(include_bytes!("../../../schemas/golden/listing.json")).expect("a listing").value;
        let event =
            Taken { role: Role::Event, partition: 3, offset: 90, timestamp: None, key: None, payload: Vec::new(), trace: Vec::new() };
        let before = |brand: &str, detection: &str| {
            let mut open = records::open(&suspect);
            open.brand_id = touchstone_schemas::BrandId::new(brand).expect("a brand");
            open.detection_id = detection.to_owned();
            open
        };
        let open = vec![before(suspect.brand_id.as_str(), "first"), before("zz-other", "other")];
        let due_at = Timestamp::from_unix_millis(0);
        let look = |pass: &Pass, states: &str, found: &[Suspect]| {
            let read =
                Read { listing: listing.clone(), faults: Vec::new(), pictures: pictures(states), scanned: Scanned::Done(found.to_vec()) };
            let Made { records, came, open } = passes.after(&event, pass, &read, found, &due_at);
            let state = records.iter().find(|r| matches!(r.to, Destination::State));
            let written = state.map(|state| decode::<ListingState>(&state.payload).expect("a state").value.open);
            assert_eq!(open, written, "what is remembered is what is written");
            let read = |record: &Record| (record.partition, serde_json::from_slice::<Value>(&record.payload).expect("JSON"));
            let retries = records.iter().filter(|r| matches!(r.to, Destination::Retry)).count();
            (records.iter().map(read).collect::<Vec<_>>(), retries, came.expect("a pass comes to something"))
        };
        let found = std::slice::from_ref(&suspect);

        let (written, retries, came) = look(&at(1, &[0, 1], open.clone()), "sl", found);
        assert_eq!((written.len(), retries, came), (3, 1, Came::Found));
        assert_eq!((&written[0].1["pass"], &written[0].1["supersedes"]), (&json!(1), &json!("first")));
        assert_ne!(written[0].1["detection_id"], json!(suspect.detection_id));
        assert_eq!((written[1].0, &written[1].1["offset"]), (Some(3), &json!(7)));
        let stands: Vec<&Value> = written[1].1["open"].as_array().expect("a list").iter().map(|o| &o["detection_id"]).collect();
        assert_eq!(stands, [&written[0].1["detection_id"], &json!("other")]);
        assert_eq!((written[2].0, &written[2].1["pass"], &written[2].1["missing"]), (Some(3), &json!(2), &json!([1])));
        assert_eq!(written[2].1["open"], written[1].1["open"]);

        let (written, _, came) = look(&at(1, &[0, 1], open.clone()), "ll", found);
        assert_eq!((written.len(), came), (1, Came::LateAgain));
        assert_eq!((&written[0].1["pass"], &written[0].1["open"][0]["detection_id"]), (&json!(2), &json!("first")));
        for (number, states, found, expected) in [
            (2, "ll", found, (0, Came::GivenUp)),
            (1, "gg", found, (0, Came::GivenUp)),
            (2, "sl", found, (2, Came::Found)),
            (2, "ss", &found[..0], (0, Came::Clean)),
        ] {
            let (written, _, came) = look(&at(number, &[0, 1], open.clone()), states, found);
            assert_eq!((written.len(), came), expected, "{number} {states}");
        }
    }

    #[test]
    fn a_first_look_comes_back_only_where_pictures_may_come_and_a_topic_takes_it() {
        let mut listing = decode::<Listing>(include_bytes!("../../../schemas/golden/listing.json")).expect("a listing").value;
        let event =
            Taken { role: Role::Event, partition: 3, offset: 90, timestamp: None, key: None, payload: Vec::new(), trace: Vec::new() };
        let look = |listing: &Listing, states: &str, most: u64| {
            let passes = Passes { topic: "retry".to_owned(), pause: Duration::ZERO, most };
            let read =
                Read { listing: listing.clone(), faults: Vec::new(), pictures: pictures(states), scanned: Scanned::Done(Vec::new()) };
            let (record, came) = passes.after_first(&event, &read, &[], &Timestamp::from_unix_millis(0));
            (record.map(|record| decode::<Retry>(&record.payload).expect("a retry").value), came)
        };
        let (retry, came) = look(&listing, "gl", 1);
        let (back, pass) = Pass::of(retry.expect("it comes back"));
        assert_eq!((back, pass, came), (listing.clone(), Pass { place: Some(90), ..at(1, &[1], Vec::new()) }, None));
        for (states, most) in [("sg", 1), ("sl", 0), ("", 1)] {
            assert_eq!(look(&listing, states, most), (None, None), "{states} {most}");
        }
        listing.description = Some("x".repeat(1_000_000));
        assert_eq!(look(&listing, "l", 1), (None, Some(Came::GivenUp)), "larger than a topic takes");
    }
}
