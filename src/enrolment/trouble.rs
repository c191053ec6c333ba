//! Why a member could not be linked, as far as it concerns them: told apart by what they can do about it.

/// Why a member could not be linked, as far as it concerns them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Nobody can sign in at this clinic: a code of the clinic is the way.
    NotOffered,
    /// The way to the clinic and back was not gone in one piece: begin again.
    BeginAgain,
    /// It took too long: begin again.
    TooLate,
    /// They said no at the clinic.
    Declined,
    /// The clinic or the operator has not set it up: ask them.
    NotSetUp,
    /// The clinic did not say who they are there: ask it.
    NoPatient,
    /// They signed in as somebody who may see a Patient, and is not that Patient.
    NotThePatient,
    /// What came back cannot be trusted: nothing was done; begin again, and tell the operator if it comes again.
    NotTrusted,
    /// The clinic's server is in trouble: later.
    ClinicTrouble,
    /// This house is in trouble: later.
    OurTrouble,
    /// They are linked to somebody else there: that link must end first.
    LinkedToAnother,
    /// Another member is linked to this Patient: only the clinic can say who is right.
    PatientTaken,
    /// What they typed is no code.
    CodeMalformed,
    /// There is no such code, or no longer.
    CodeUnknown,
    /// They tried too many codes: later.
    CodeTooMany,
}
