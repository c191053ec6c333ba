//! Encryption of what a push service carries (RFC 8291: one record of `aes128gcm`, RFC 8188), so that the service cannot
//! read it. Composed of aws-lc-rs's ECDH, HKDF and AES-GCM, which everything else here is sealed with; a crate for it would
//! bring a second set of the same, with randomness of its own.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

/// The size of a record; a push service takes no message that is longer (RFC 8291, section 4).
const RECORD: u32 = 4096;

/// What says that a record is the last one (RFC 8188, section 2).
const LAST: u8 = 2;

/// Whom a message is encrypted for.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The browser's public key: a point on P-256, uncompressed.
    pub public: &'a [u8; 65],
    /// What only the browser and whoever may send know.
    pub auth: &'a [u8; 16],
}

/// What is drawn anew for each message.
pub struct Drawn {
    /// The secret number of a key on P-256.
    pub number: [u8; 32],
    /// The salt.
    pub salt: [u8; 16],
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(key: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    key.expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}

/// Encrypts a text for one browser.
///
/// # Errors
/// [`Unspecified`] when the browser's key is no point on the curve, or the number that was drawn is no key (one in four
/// thousand million).
pub fn encrypt(reader: Reader<'_>, drawn: &Drawn, text: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let own = PrivateKey::from_private_key(&ECDH_P256, &drawn.number).map_err(|_| Unspecified)?;
    let public = own.compute_public_key()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, reader.public);
    // RFC 8291, section 3.4.
    let shared = agree(&own, theirs, Unspecified, |secret| {
        let key = Salt::new(HKDF_SHA256, reader.auth).extract(secret);
        expand::<32>(&key, &[b"WebPush: info\0", reader.public, public.as_ref()])
    })?;
    let key = Salt::new(HKDF_SHA256, &drawn.salt).extract(&shared);
    let content_key = expand::<16>(&key, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = expand::<12>(&key, &[b"Content-Encoding: nonce\0"])?;
    let mut sealed = [text, &[LAST]].concat();
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content_key)?).seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut sealed,
    )?;
    let length = u8::try_from(public.as_ref().len()).map_err(|_| Unspecified)?;
    Ok([&drawn.salt[..], &RECORD.to_be_bytes(), &[length], public.as_ref(), &sealed].concat())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        BASE64.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_message_is_encrypted_as_in_the_specification() {
        // RFC 8291, section 5 and appendix A.
        let public = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let drawn = Drawn {
            number: bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw"),
        };
        let text = b"When I grow up, I want to be a watermelon";
        let sealed = encrypt(Reader { public: &public, auth: &auth }, &drawn, text).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tl\
                        zAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64.encode(sealed), expected);
    }

    #[test]
    fn a_key_that_is_no_point_is_refused() {
        let drawn = Drawn { number: [1; 32], salt: [0; 16] };
        assert!(encrypt(Reader { public: &[4; 65], auth: &[0; 16] }, &drawn, b"x").is_err());
        let point = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let none = Drawn { number: [0; 32], ..drawn };
        assert!(encrypt(Reader { public: &point, auth: &[0; 16] }, &none, b"x").is_err());
    }
}
