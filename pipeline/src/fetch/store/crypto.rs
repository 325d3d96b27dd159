//! What signs requests to stores: the OpenSSL that serves TLS already, so that no second library of ciphers comes in.

use std::mem::take;

use object_store::client::{CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm};
use object_store::{Error, Result};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct OpenSsl;

struct Sum {
    hasher: Sha256,
    sum: [u8; 32],
}

/// Signs what it has gathered: texts of some hundred bytes.
struct Keyed {
    key: PKey<Private>,
    text: Vec<u8>,
    signature: Vec<u8>,
}

struct Rsa(PKey<Private>);

impl CryptoProvider for OpenSsl {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Sum { hasher: Sha256::new(), sum: [0; 32] })),
            _ => Err(unknown()),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let key = PKey::hmac(secret).map_err(failed)?;
                Ok(Box::new(Keyed { key, text: Vec::new(), signature: Vec::new() }))
            }
            _ => Err(unknown()),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> Result<Box<dyn Signer>> {
        match algorithm {
            SigningAlgorithm::RS256 => Ok(Box::new(Rsa(PKey::private_key_from_pem(pem).map_err(failed)?))),
            _ => Err(unknown()),
        }
    }
}

impl DigestContext for Sum {
    fn update(&mut self, data: &[u8]) {
        self.hasher.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.sum = take(&mut self.hasher).finalize().into();
        Ok(&self.sum)
    }
}

impl HmacContext for Keyed {
    fn update(&mut self, data: &[u8]) {
        self.text.extend_from_slice(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.signature = signed(&self.key, &self.text)?;
        Ok(&self.signature)
    }
}

impl Signer for Rsa {
    fn sign(&self, string_to_sign: &[u8]) -> Result<Vec<u8>> {
        signed(&self.0, string_to_sign)
    }
}

/// By the key's own way, with SHA-256: HMAC, or RSA with PKCS #1 v1.5.
fn signed(key: &PKey<Private>, text: &[u8]) -> Result<Vec<u8>> {
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), key).map_err(failed)?;
    signer.update(text).map_err(failed)?;
    signer.sign_to_vec().map_err(failed)
}

fn failed(error: ErrorStack) -> Error {
    Error::Generic { store: "OpenSSL", source: Box::new(error) }
}

fn unknown() -> Error {
    Error::NotSupported { source: "an algorithm that is not known here".into() }
}

#[cfg(test)]
mod tests {
    use openssl::rsa;
    use openssl::sign::Verifier;
    use touchstone_detectors::hex;

    use super::*;

    #[test]
    fn sums_and_signatures_are_those_of_the_standards() {
        let mut sum = OpenSsl.digest(DigestAlgorithm::Sha256).expect("it is known");
        sum.update(b"a");
        sum.update(b"bc");
        let found = hex(sum.finish().expect("a sum"));
        assert_eq!(found, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, the second case.
        let mut keyed = OpenSsl.hmac(DigestAlgorithm::Sha256, b"Jefe").expect("it is known");
        keyed.update(b"what do ya want ");
        keyed.update(b"for nothing?");
        let found = hex(keyed.finish().expect("a signature"));
        assert_eq!(found, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn what_rsa_signs_is_verified() {
        let key = PKey::from_rsa(rsa::Rsa::generate(2048).expect("a key")).expect("a key");
        let pem = key.private_key_to_pem_pkcs8().expect("a text");
        let signer = OpenSsl.sign(SigningAlgorithm::RS256, &pem).expect("a signer");
        let signature = signer.sign(b"a text").expect("a signature");
        for (text, expected) in [(&b"a text"[..], true), (&b"another"[..], false)] {
            let mut verifier = Verifier::new(MessageDigest::sha256(), &key).expect("a verifier");
            verifier.update(text).expect("memory");
            assert_eq!(verifier.verify(&signature).expect("an answer"), expected);
        }
        assert!(OpenSsl.sign(SigningAlgorithm::RS256, b"no key").is_err());
    }
}
