//! What proves that a post is ours: HMAC-SHA-256 over its time and its body.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use touchstone_detectors::hex;

/// The secret that is shared with a brand.
#[derive(Clone)]
pub(super) struct Key(PKey<Private>);

impl Key {
    pub(super) fn new(secret: &str) -> Result<Self, ErrorStack> {
        PKey::hmac(secret.as_bytes()).map(Self)
    }

    /// `v1=` and the HMAC of `timestamp.body`, hexadecimal: a post that is sent again much later is known by its timestamp.
    pub(super) fn signature(&self, timestamp: &str, body: &[u8]) -> Result<String, ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        signer.update(timestamp.as_bytes())?;
        signer.update(b".")?;
        signer.update(body)?;
        Ok(format!("v1={}", hex(&signer.sign_to_vec()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_that_others_compute() {
        // python3 -c "import hmac; print(hmac.new(b'a secret of a brand', b'1795248000.{\"op\":\"upsert\"}', 'sha256').hexdigest())"
        let expected = "v1=80a721f9d4684073e30744605bad91fab6f3d36ee24dbb53b523d929180c8eef";
        let key = Key::new("a secret of a brand").expect("a key");
        assert_eq!(key.signature("1795248000", br#"{"op":"upsert"}"#).expect("a signature"), expected);
        for (timestamp, body) in [("1795248001", &br#"{"op":"upsert"}"#[..]), ("1795248000", b"{}")] {
            assert_ne!(key.signature(timestamp, body).expect("a signature"), expected);
        }
    }
}
