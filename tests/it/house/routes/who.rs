//! Everybody who asks.

/// Who asks about the member of a row, in this order: what the member does may change what there is to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Without any credential.
    Nobody,
    /// A community that the member is not in.
    OtherCommunity,
    /// Their community, with a key for something else.
    KeyWithoutScope,
    /// Their community.
    Community,
    /// The people of a community that the member is not in, who look after others.
    OtherKeeper,
    /// The people of their community who do.
    Keeper,
    /// Those of them who may decide that a clinic is told without consent.
    Decider,
    /// Another member, of the same community, and with a grant to the same clinic.
    OtherMember,
    /// A clinic that the member is no patient of.
    OtherClinic,
    /// Their clinic.
    Clinic,
    /// Another member, signed in at the portal.
    OtherBrowser,
    /// The member, signed in at the portal.
    Browser,
    /// The member.
    Member,
    /// Somebody of another clinic's staff, signed in to the staff view.
    OtherStaff,
    /// Somebody of their clinic's staff.
    Staff,
    /// Somebody of another community's people, signed in to its review queue.
    OtherModerator,
    /// Somebody of their community's people.
    Moderator,
}
use Who::{
    Browser, Clinic, Community, Decider, Keeper, KeyWithoutScope, Member, Moderator, Nobody, OtherBrowser, OtherClinic,
    OtherCommunity, OtherKeeper, OtherMember, OtherModerator, OtherStaff, Staff,
};

pub const EVERYBODY: [Who; 17] = [
    Nobody,
    OtherCommunity,
    KeyWithoutScope,
    Community,
    OtherKeeper,
    Keeper,
    Decider,
    OtherMember,
    OtherClinic,
    Clinic,
    OtherBrowser,
    Browser,
    Member,
    OtherStaff,
    Staff,
    OtherModerator,
    Moderator,
];
