//! What a member does in their community, and what others do towards them: counted, never quoted. What was written, to
//! whom and about what has no place here.

use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// The member wrote something that answers nobody.
    Posted,
    /// The member answered somebody.
    Replied,
    /// Somebody answered the member.
    GotReply,
    /// The member reacted to something, as by a heart.
    Reacted,
    /// Somebody reacted to what the member wrote.
    GotReaction,
}

impl Deed {
    /// Every one, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Posted, Self::Replied, Self::GotReply, Self::Reacted, Self::GotReaction];

    /// The word used in events and in the archive.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Replied => "replied",
            Self::GotReply => "got-reply",
            Self::Reacted => "reacted",
            Self::GotReaction => "got-reaction",
        }
    }

    /// Whether it is the member who did it: that shows when they were there.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Posted | Self::Replied | Self::Reacted)
    }
}

/// What happened in a week.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Activity {
    /// On how many days the member did something.
    pub active_days: u32,
    /// How often they wrote something that answers nobody.
    pub posts: u32,
    /// How often they answered somebody.
    pub replies_given: u32,
    /// How often somebody answered them.
    pub replies_received: u32,
    /// How often they reacted to something.
    pub reactions_given: u32,
    /// How often somebody reacted to them.
    pub reactions_received: u32,
    /// In how many hours between 00:00 and 05:00, by their own clock, they did something.
    pub night_hours: u32,
    /// The longest time in which they did nothing, in whole hours: from one thing to the next, from the beginning, or to the
    /// end.
    pub longest_silence: u32,
}

impl Activity {
    /// How often this happened.
    #[must_use]
    pub const fn count(&self, deed: Deed) -> u32 {
        match deed {
            Deed::Posted => self.posts,
            Deed::Replied => self.replies_given,
            Deed::GotReply => self.replies_received,
            Deed::Reacted => self.reactions_given,
            Deed::GotReaction => self.reactions_received,
        }
    }

    /// Counts one more.
    pub const fn add(&mut self, deed: Deed) {
        let count = match deed {
            Deed::Posted => &mut self.posts,
            Deed::Replied => &mut self.replies_given,
            Deed::GotReply => &mut self.replies_received,
            Deed::Reacted => &mut self.reactions_given,
            Deed::GotReaction => &mut self.reactions_received,
        };
        *count = count.saturating_add(1);
    }
}
