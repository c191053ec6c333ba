//! The headers that Daylio has written over the years, and the columns they name.

use std::fmt;

use csv::ByteRecord;

/// A column of the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The year alone; the oldest exports split the date in two.
    Year,
    /// The ISO date.
    FullDate,
    /// Day and month in the member's language. Beside a full date it says nothing new.
    Date,
    /// The weekday in the member's language. It says nothing new.
    Weekday,
    /// The wall time in the member's language.
    Time,
    /// The member's own name for the mood.
    Mood,
    /// Tags, parted by `|`.
    Activities,
    /// Measured scales, parted by `|`.
    Scales,
    /// The title of the note.
    NoteTitle,
    /// The note, in a little HTML.
    Note,
}

impl Column {
    /// The name that the header gives the column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::FullDate => "full_date",
            Self::Date => "date",
            Self::Weekday => "weekday",
            Self::Time => "time",
            Self::Mood => "mood",
            Self::Activities => "activities",
            Self::Scales => "scales",
            Self::NoteTitle => "note_title",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One header and so one order of columns.
pub(super) struct Form {
    pub(super) columns: &'static [Column],
    /// What to say of a record with another number of fields.
    pub(super) expected_fields: &'static str,
}

/// The number of columns of the widest form.
pub(super) const MOST_COLUMNS: usize = 9;

/// Every header seen in public exports, newest first.
const FORMS: [Form; 4] = {
    use Column::{Activities, Date, FullDate, Mood, Note, NoteTitle, Scales, Time, Weekday, Year};
    [
        Form {
            columns: &[FullDate, Date, Weekday, Time, Mood, Activities, Scales, NoteTitle, Note],
            expected_fields: "9 fields, as in the header",
        },
        Form {
            columns: &[FullDate, Date, Weekday, Time, Mood, Activities, NoteTitle, Note],
            expected_fields: "8 fields, as in the header",
        },
        Form {
            columns: &[FullDate, Date, Weekday, Time, Mood, Activities, Note],
            expected_fields: "7 fields, as in the header",
        },
        Form {
            columns: &[Year, Date, Weekday, Time, Mood, Activities, Note],
            expected_fields: "7 fields, as in the header",
        },
    ]
};

impl Form {
    fn matches(&self, names: &ByteRecord) -> bool {
        let same = |(column, name): (&Column, &[u8])| name.trim_ascii().eq_ignore_ascii_case(column.name().as_bytes());
        self.columns.len() == names.len() && self.columns.iter().zip(names).all(same)
    }
}

/// The form with these names of columns, if there is one.
pub(super) fn recognise(names: &ByteRecord) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.matches(names))
}

/// The known headers, one per line, for messages.
pub(super) fn known_headers() -> String {
    let header = |form: &Form| form.columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(",");
    FORMS.iter().map(header).collect::<Vec<_>>().join("\n")
}
