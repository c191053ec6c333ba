#![no_main]
//! What comes from a server of XMPP, after whatever opened the stream.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::xmpp_frames::{Frame, Frames, LONGEST};
use mostik_fuzz::connectors::xmpp_read::{Stanza, bare, is_somebody, stanza, stream_id};

fuzz_target!(|bytes: &[u8]| {
    let (mut frames, mut head) = (Frames::default(), Vec::new());
    for byte in bytes {
        match frames.read(*byte) {
            Ok(Some(Frame::Opened(tag))) => {
                assert!(head.is_empty() && tag.len() <= LONGEST, "a stream is opened once");
                assert!(stream_id(&tag).is_none_or(|id| !id.is_empty()));
                head = tag;
            }
            Ok(Some(Frame::Stanza(found))) => {
                assert!(!head.is_empty() && found.starts_with(b"<") && found.ends_with(b">") && found.len() <= LONGEST);
                if let Some(Stanza::Wrote(wrote)) = stanza(&head, &found) {
                    assert!(wrote.body.is_none_or(|body| body.len() <= LONGEST));
                    assert!(!is_somebody(&wrote.from) || bare(&wrote.from) == wrote.from);
                }
            }
            Ok(Some(Frame::Closed)) | Err(_) => return,
            Ok(Some(Frame::Passed) | None) => {}
        }
    }
});
