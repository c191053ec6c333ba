//! What `mostik demo` is asked.

use url::Url;

/// `mostik demo`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik demo                  a mood diary is shared with a clinic, and no longer
  mostik demo --story forum    a moderated anonymous forum (Discourse): by private messages, and a moderator is called
  mostik demo --story app      an app with a companion: a mood and a questionnaire, in a talk
  mostik demo --story group    a group on Telegram and its bot
The forum, the app and Telegram are played by the demo itself; the bridge and its requests are real.")]
pub struct Demo {
    /// Which story.
    #[arg(long, value_enum, default_value_t)]
    pub story: Story,
    /// Deliver to this FHIR R4 server instead of the sandbox that comes with mostik. A Patient is created there.
    #[arg(long, value_name = "URL")]
    pub ehr: Option<Url>,
    /// Leave everything running afterwards, to look around, until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
}

/// What `mostik demo` tells of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Story {
    /// A mood diary from a file.
    #[default]
    Diary,
    /// A moderated anonymous forum.
    Forum,
    /// An app with a companion.
    App,
    /// A messenger group.
    Group,
}
