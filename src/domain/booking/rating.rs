//! How a member found a visit.

/// From 1 (bad) to 5 (good), or that they do not want to say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rating(u8);

impl Rating {
    /// They do not want to say.
    pub const UNSAID: Self = Self(0);

    /// The best.
    pub const BEST: u8 = 5;

    /// A rating from 1 to 5, if it is one.
    #[must_use]
    pub fn new(rating: u8) -> Option<Self> {
        (1..=Self::BEST).contains(&rating).then_some(Self(rating))
    }

    /// From 1 to 5; 0 for [`Self::UNSAID`].
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
