//! Where a stanza begins and ends in the stream (RFC 6120, section 4): found byte by byte, so that nobody who writes more than is
//! read keeps others from being heard. What a stanza says is read elsewhere.
//!
//! Comments, processing instructions and declarations have no place in a stream ("Prohibited XML Features", section 11.1).

/// The longest stanza that is read, in bytes. A longer one is passed over.
pub const LONGEST: usize = 64 * 1024;

/// How deep the elements of a stanza may stand within each other. A deeper one is passed over.
pub const DEEPEST: usize = 32;

/// What was found in a stream.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// It was opened, with this tag.
    Opened(Vec<u8>),
    /// A stanza.
    Stanza(Vec<u8>),
    /// A stanza that was longer or deeper than is read.
    Passed,
    /// It was closed.
    Closed,
}

/// It is not a stream as XMPP has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoStream;

/// A stream, as far as it has come.
#[derive(Default)]
pub struct Frames {
    at: At,
    /// How many elements are open; the stream itself is the first.
    depth: usize,
    /// What was read of the stanza, or of the tag that opens the stream.
    kept: Vec<u8>,
    is_passed: bool,
}

/// Where in a stream the next byte stands.
#[derive(Clone, Copy, Default)]
enum At {
    /// Between tags.
    #[default]
    Text,
    /// After `<`.
    Tag,
    /// In a tag that opens an element: in quotes of this kind, or after this byte.
    Opening { quote: Option<u8>, last: u8 },
    /// In a tag that closes one.
    Closing,
    /// In the XML declaration.
    Declaration,
}

impl Frames {
    /// Reads one more byte; returns what ends with it.
    ///
    /// # Errors
    /// [`NoStream`].
    pub fn read(&mut self, byte: u8) -> Result<Option<Frame>, NoStream> {
        let is_between = matches!(self.at, At::Text) && self.depth < 2 && byte != b'<';
        if is_between {
            // Whitespace keeps the connection alive.
            return if byte.is_ascii_whitespace() { Ok(None) } else { Err(NoStream) };
        }
        self.keep(byte)?;
        self.at = match (self.at, byte) {
            (At::Text, b'<') => At::Tag,
            (At::Text, _) => At::Text,
            (At::Tag, b'/') => At::Closing,
            (At::Tag, b'?') if self.depth == 0 => At::Declaration,
            (At::Tag, b'?' | b'!' | b'<' | b'>') => return Err(NoStream),
            (At::Tag, last) => At::Opening { quote: None, last },
            (At::Opening { quote: None, last }, b'>') => return self.opened(last == b'/'),
            (At::Opening { quote: None, .. }, quote @ (b'"' | b'\'')) => {
                At::Opening { quote: Some(quote), last: quote }
            }
            (At::Opening { quote: Some(quote), .. }, last) if quote == last => At::Opening { quote: None, last },
            (At::Opening { .. } | At::Closing, b'<') => return Err(NoStream),
            (At::Opening { quote, .. }, last) => At::Opening { quote, last },
            (At::Closing, b'>') => return self.closed(),
            (At::Closing, _) => At::Closing,
            (At::Declaration, b'>') => {
                self.kept.clear();
                At::Text
            }
            (At::Declaration, _) => At::Declaration,
        };
        Ok(None)
    }

    fn keep(&mut self, byte: u8) -> Result<(), NoStream> {
        if self.kept.len() == LONGEST {
            // The stream itself must be opened by less.
            self.is_passed = self.depth > 0;
            self.kept.clear();
            return if self.is_passed { Ok(()) } else { Err(NoStream) };
        }
        if !self.is_passed {
            self.kept.push(byte);
        }
        Ok(())
    }

    fn opened(&mut self, is_empty: bool) -> Result<Option<Frame>, NoStream> {
        self.at = At::Text;
        match (self.depth, is_empty) {
            (0, true) => return Err(NoStream),
            (0, false) => {
                self.depth = 1;
                return Ok(Some(Frame::Opened(std::mem::take(&mut self.kept))));
            }
            (1, true) => return Ok(Some(self.stanza())),
            (_, true) => {}
            (_, false) => self.depth = self.depth.saturating_add(1),
        }
        if self.depth > DEEPEST {
            self.is_passed = true;
            self.kept.clear();
        }
        Ok(None)
    }

    fn closed(&mut self) -> Result<Option<Frame>, NoStream> {
        self.at = At::Text;
        self.depth = self.depth.checked_sub(1).ok_or(NoStream)?;
        Ok(match self.depth {
            0 => Some(Frame::Closed),
            1 => Some(self.stanza()),
            _ => None,
        })
    }

    fn stanza(&mut self) -> Frame {
        let kept = std::mem::take(&mut self.kept);
        if std::mem::take(&mut self.is_passed) { Frame::Passed } else { Frame::Stanza(kept) }
    }
}
