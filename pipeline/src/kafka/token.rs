//! The token that proves who the worker is by OAUTHBEARER: a JWT in a file, where others put it and renew it.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;

/// The longest time that a token is kept before the file is read again, whatever it says of itself; seconds.
const LONGEST: f64 = 86_400.0 * 366.0;

/// What is read of a token's payload; whether it is signed well is for the brokers.
#[derive(serde::Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    sub: String,
}

/// The token that is in the file now. librdkafka asks for it before the last one expires, and gives what
/// `sasl.oauthbearer.config` was set to.
///
/// # Errors
/// What is wrong with the file or with the token, which is not told.
pub(crate) fn bear(file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
    read(file.unwrap_or_default()).map_err(Into::into)
}

/// The token that is in a file now.
///
/// # Errors
/// What is wrong with the file or with the token, which is not told.
pub(crate) fn read(file: &str) -> Result<OAuthToken, String> {
    let fault = |what: String| format!("kafka.token_file = {file:?}: {what}");
    let text = std::fs::read_to_string(file).map_err(|e| fault(format!("cannot be read: {e}")))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    parse(text.trim(), now).map_err(fault)
}

/// A token as librdkafka takes it; `now` in seconds.
fn parse(token: &str, now: f64) -> Result<OAuthToken, String> {
    // librdkafka's own message about a token of other bytes would repeat it.
    let sound = token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b));
    let parts: Vec<&str> = token.split('.').collect();
    let claims = match parts.as_slice() {
        [_, payload, _] if sound => BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok(),
        _ => None,
    };
    let claims: Option<Claims> = claims.and_then(|json| serde_json::from_slice(&json).ok());
    let Some(Claims { exp, sub }) = claims else {
        return Err(
            "holds no JWT that says when it expires: three parts in base64url, divided by dots, with `exp` in the second".to_owned()
        );
    };
    if exp <= now {
        return Err(format!("the token has expired, {:.0} s ago: a new one must be put there", now - exp));
    }
    // librdkafka reckons in microseconds, which a bold `exp` would not fit.
    let lifetime_ms = (exp.min(now + LONGEST) * 1_000.0) as i64;
    Ok(OAuthToken { token: token.to_owned(), principal_name: sub, lifetime_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_000_000.0;

    fn token(payload: &str) -> String {
        [r#"{"alg":"none"}"#, payload, "signature"].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    /// What is told of a token that cannot be used.
    fn told(token: &str) -> String {
        parse(token, NOW).err().unwrap_or_else(|| panic!("{token} is taken"))
    }

    #[test]
    fn a_token_tells_its_subject_and_its_end() {
        let good = token(r#"{"sub":"system:serviceaccount:shop:touchstone","exp":1000060,"aud":["kafka"]}"#);
        let taken = parse(&good, NOW).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(taken.token, good);
        assert_eq!((taken.principal_name.as_str(), taken.lifetime_ms), ("system:serviceaccount:shop:touchstone", 1_000_060_000));
        let bold = parse(&token(r#"{"exp":1e300}"#), NOW).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(bold.lifetime_ms, 32_622_400_000);
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_token() {
        assert!(told(&token(r#"{"sub":"s","exp":999990}"#)).contains("expired, 10 s ago"));
        let good = token(r#"{"exp":1000060}"#);
        for broken in
            ["", "abc", "a.b", &format!("{good}.x"), &format!("{good}\n{good}"), &format!("{good}é"), &token("{}"), &token("no JSON")]
        {
            let told = told(broken);
            assert!(told.starts_with("holds no JWT") && (broken.is_empty() || !told.contains(broken)), "{told}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{}\n", token(r#"{"exp":1}"#))).expect("a file");
        let path = file.path().to_str().expect("UTF-8");
        let told = read(path).err().expect("it has expired");
        assert!(told.contains(path) && told.contains("expired") && !told.contains(&token(r#"{"exp":1}"#)), "{told}");
        assert!(read("/nowhere/token").is_err_and(|told| told.contains("\"/nowhere/token\": cannot be read")));
    }
}
