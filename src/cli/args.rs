//! What the command line understands.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::community::CommunityCommand;
use super::erasure::{ErasureCommand, LeaveCommand};
use super::import::Import;
use super::map::Map;
use super::safety::SafetyCommand;
use crate::domain::ids::{ClinicId, CommunityId, DeliveryId, MemberId};
use crate::domain::language::Language;
use crate::vault::signing::SigningAlgorithm;

/// A footbridge between a mental-health peer community and the clinic.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Args {
    /// The configuration file. Settings it does not name keep their defaults.
    #[arg(long, global = true, env = "MOSTIK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  mostik demo                                   see the whole way, with nothing set up
  mostik keys create data/master.key            make the master key, once
  mostik clinic check riverside                 can this clinic be delivered to?
  mostik clinic code riverside --patient 17     let a patient link themselves
  mostik config check --config mostik.toml      is this configuration good?
  mostik serve --config mostik.toml             run the bridge
  mostik key create --community forum           let a community send events
  mostik member add --community forum --handle sparrow
  mostik queue --watch                          what stands where, and why
  mostik map events.json                        what would a clinic receive?
  mostik audit verify                           is the audit log as it was written?
  mostik import diary.csv --member 0198… --zone Europe/Berlin --dry-run";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the bridge: the API, and the delivery to clinics.
    Serve,
    /// Says whether the bridge that runs with this configuration on this machine can work.
    Health,
    /// Shows the whole way on a diary that comes with mostik: consent, import, delivery, revocation.
    Demo(super::demo::Demo),
    /// Imports a member's own data from a file of an app.
    Import(Import),
    /// Shows what a clinic would receive for an input, and why not the rest. Nothing is stored.
    Map(Map),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Makes and replaces the master key, and makes the keys to sign with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Looks at a clinic.
    #[command(subcommand)]
    Clinic(ClinicCommand),
    /// Looks at a community.
    #[command(subcommand)]
    Community(CommunityCommand),
    /// Makes and revokes API keys of communities.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Adds members, links them to a clinic, makes their tokens, and erases them.
    #[command(subcommand)]
    Member(Member),
    /// Looks after concerns about members: who needs a person of their community.
    #[command(subcommand)]
    Safety(SafetyCommand),
    /// Shows how members found the visits of clinics: how many said what, and never who.
    Ratings,
    /// Looks at certificates of erasure.
    #[command(subcommand)]
    Erasure(ErasureCommand),
    /// Shows what stands where on its way to the clinics, and why.
    Queue(Queue),
    /// Tries again what waits for a human: rejected items and dead letters.
    Replay(Replay),
    /// Looks at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Looks at receipts of consent.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Prints the description of the API (OpenAPI 3.1).
    Openapi,
}

/// `mostik receipt …`
#[derive(Debug, Subcommand)]
pub enum ReceiptCommand {
    /// Says whether a receipt is genuine, and what it says. Ends with 0 if it is.
    Verify(ReceiptVerify),
}

/// `mostik receipt verify`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik receipt verify receipt.jws --config mostik.toml       a receipt of this bridge
  mostik receipt verify receipt.jws --jwks https://bridge.example/.well-known/jwks.json
  mostik receipt verify receipt.jws --jwks jwks.json --language ru")]
pub struct ReceiptVerify {
    /// The receipt, as the member got it: three parts of base64url, parted by full stops.
    pub file: PathBuf,
    /// Where the public keys are: an address, or a file. This bridge's own, if absent.
    #[arg(long, value_name = "URL|FILE")]
    pub jwks: Option<String>,
    /// In which language to say it: en or ru.
    #[arg(long, default_value = "en", value_parser = language)]
    pub language: Language,
}

/// `mostik queue`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik queue                    how many items stand where, and why, clinic by clinic
  mostik queue --items            the items that do not go on by themselves, each with its id
  mostik queue --answer 0198…     what the EHR said when it refused this item (may quote what was sent)")]
pub struct Queue {
    /// Look again every two seconds, until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
    /// List the items that wait for a human, or for the EHR to take them.
    #[arg(long, conflicts_with = "watch")]
    pub items: bool,
    /// Show what the EHR said when it refused an item. It may be personal.
    #[arg(long, value_name = "ID", conflicts_with_all = ["watch", "items"])]
    pub answer: Option<DeliveryId>,
}

/// `mostik replay`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik replay --clinic riverside                      everything that waits for a human there
  mostik replay --clinic riverside --reason http-422    only what was refused for this reason (see `mostik queue`)
  mostik replay --delivery 0198…                        one item (its id: `mostik queue --items`)")]
pub struct Replay {
    /// All items of this clinic.
    #[arg(long, required_unless_present = "delivery")]
    pub clinic: Option<ClinicId>,
    /// Only those that stand there for this reason.
    #[arg(long, requires = "clinic")]
    pub reason: Option<String>,
    /// One item.
    #[arg(long, value_name = "ID", conflicts_with = "clinic")]
    pub delivery: Option<DeliveryId>,
}

/// `mostik config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Says whether the configuration is good, and shows what would be used.
    Check,
    /// Prints the defaults file, which explains every setting.
    Defaults,
}

/// `mostik keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes a master key in a new file that only its owner may read.
    Create {
        /// The file.
        file: PathBuf,
    },
    /// Replaces the master key while replicas run: wraps everything by `vault.master_key` that an older one wraps.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate,
    /// Says how many keys are wrapped by which master key.
    Status,
    /// Makes a key to sign with, in the folder of the configuration. It is published at once and signs later.
    SignCreate {
        /// The algorithm: ES384, or RS384 for servers that know no other.
        #[arg(long, default_value = "ES384")]
        alg: SigningAlgorithm,
    },
}

const ROTATE_EXAMPLES: &str = "In this order:
  mostik keys create data/master-2.key    1. make the new master key
                                          2. give it to every replica as vault.master_key, with the old one in
                                             vault.older_master_keys, and restart them one after the other
  mostik keys rotate                      3. wrap everything by the new one; may be cut off and begun again
  mostik keys status                      4. nothing is wrapped by the old one any more
                                          5. take the old one out of every replica's settings";

/// `mostik clinic …`
#[derive(Debug, Subcommand)]
pub enum ClinicCommand {
    /// Walks the way to a clinic's EHR step by step, and says what to fix. Writes nothing there.
    Check {
        /// The clinic's name in the configuration.
        clinic: ClinicId,
    },
    /// Makes a one-time code and prints it once: whoever tells it in the portal is linked to the Patient.
    ///
    /// Hand it to the patient themselves, and to nobody else. It takes the place of an earlier one for the same Patient.
    #[command(after_help = "Examples:
  mostik clinic code riverside --patient 17
  mostik clinic code riverside --patient 17 --days 2
  mostik clinic code riverside --patient 17 --replace    the patient has a new account")]
    Code {
        /// The clinic's name in the configuration.
        clinic: ClinicId,
        /// The Patient's id in the clinic's EHR.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// How many days it is good for; without it, `linking.code_days`.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=90))]
        days: Option<i64>,
        /// On the clinic's word: whoever tells it takes the place of the member who is linked to this Patient, if one is.
        #[arg(long)]
        replace: bool,
    },
}

/// `mostik key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes an API key and prints it once.
    #[command(after_help = "Examples:
  mostik key create --community forum                    for a program that sends events
  mostik key create --community forum --for concerns     for the moderators' tool: who needs a person now
  mostik key create --community forum --for disclosure   for those on duty: also to tell a clinic without consent")]
    Create {
        /// Whose key it is.
        #[arg(long)]
        community: CommunityId,
        /// What it is for.
        #[arg(long = "for", value_enum, value_name = "WHAT", default_value = "events")]
        purpose: KeyPurpose,
    },
    /// Revokes an API key for good.
    Revoke {
        /// The public half of the key: what stands between its two underscores.
        key_id: String,
    },
}

/// What an API key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum KeyPurpose {
    /// Sending events and data points.
    Events,
    /// Seeing and settling the concerns about the community's members.
    Concerns,
    /// The same, and deciding that a member's clinics are told without consent.
    Disclosure,
    /// Bringing what members say to the companion.
    Talks,
}

/// `mostik member …`
#[derive(Debug, Subcommand)]
pub enum Member {
    /// How they come.
    #[command(flatten)]
    Comes(MemberCommand),
    /// How they go.
    #[command(flatten)]
    Goes(LeaveCommand),
}

/// `mostik member …`: how they come.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Adds a member and prints their id.
    Add {
        /// From where they join.
        #[arg(long)]
        community: CommunityId,
        /// The name under which the community knows them.
        #[arg(long)]
        handle: String,
    },
    /// Links a member to their Patient at a clinic, on the clinic's word.
    #[command(after_help = "Examples:
  mostik member link --member 0198… --clinic riverside --patient 17
  mostik member link --member 0198… --clinic riverside --patient 17 --replace    another member's link ends")]
    Link {
        /// Who.
        #[arg(long, value_name = "ID")]
        member: MemberId,
        /// Where.
        #[arg(long)]
        clinic: ClinicId,
        /// The Patient's id in the clinic's EHR.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// On the clinic's word: the member takes the place of the one who is linked to this Patient. That one's consent
        /// towards the clinic ends.
        #[arg(long)]
        replace: bool,
    },
    /// Ends a member's link to a clinic, and with it their consent towards it. What was shared stays where it is.
    #[command(after_help = "Example:
  mostik member unlink --member 0198… --clinic riverside")]
    Unlink {
        /// Who.
        #[arg(long, value_name = "ID")]
        member: MemberId,
        /// Where.
        #[arg(long)]
        clinic: ClinicId,
    },
    /// Ends all tokens and sessions of a member at once.
    SignOut {
        /// Who.
        #[arg(long, value_name = "ID")]
        member: MemberId,
    },
    /// Makes a token with which the member manages their consent, and prints it once.
    Token {
        /// Who.
        #[arg(long, value_name = "ID")]
        member: MemberId,
        /// How many days it is good for.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=365))]
        days: i64,
    },
}

/// `mostik audit …`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Says whether the audit log is as it was written, and names the first entry that is not.
    Verify(AuditVerify),
    /// Prints the audit log in FHIR (IHE BALP), one event on each line. Personal as long as the members' keys live.
    Export(AuditExport),
}

/// `mostik audit export`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik audit export > audit.ndjson
  mostik audit export --clinic riverside --since 2026-11-01T00:00:00Z
  mostik audit export --member 0198…")]
pub struct AuditExport {
    /// Only what concerns this clinic.
    #[arg(long)]
    pub clinic: Option<ClinicId>,
    /// Only what concerns this member.
    #[arg(long, value_name = "ID")]
    pub member: Option<MemberId>,
    /// Only what happened at or after this instant.
    #[arg(long, value_name = "TIME")]
    pub since: Option<jiff::Timestamp>,
}

/// `mostik audit verify`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik audit verify                                       with the checkpoint file of the configuration
  mostik audit verify --checkpoints a.jsonl --checkpoints b.jsonl    with those of all replicas

A bridge may go on working meanwhile. The exit code is 0 only if everything is as it was written.")]
pub struct AuditVerify {
    /// A checkpoint file, instead of the one in the configuration. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
}

fn language(code: &str) -> Result<Language, String> {
    Language::from_name(code).ok_or_else(|| "expected en or ru".to_owned())
}

pub fn time_zone(name: &str) -> Result<jiff::tz::TimeZone, String> {
    jiff::tz::TimeZone::get(name).map_err(|_| "expected an IANA time zone such as Europe/Berlin".to_owned())
}
