//! `mostik clinic …`

use anyhow::{Context, bail};
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::enrol::known_clinic;
use super::open;
use crate::app::{self, Outward};
use crate::config::{Auth, Config};
use crate::delivery::check::{self, Outcome, Step, Wanted};
use crate::delivery::ehr::with_slash;
use crate::delivery::smart_auth::{Discovery, Flow};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::enrolment::code::{Issued, Order, issue};

/// Walks the way to a clinic's EHR. Needs no database.
pub async fn check(config: &Config, id: &ClinicId) -> anyhow::Result<()> {
    let clinic = config
        .clinics
        .get(id)
        .with_context(|| format!("there is no clinic {id} in the configuration: expected a section [clinics.{id}]"))?;
    let clock = Clock::System;
    let outward =
        Outward { signing: app::signing_keys(config, &clock)?, clock, entropy: Entropy::System, lenders: None };
    println!("{}, {}", clinic.name, clinic.fhir_base);
    let ehr = outward.ehr(config, id, clinic)?;
    let mut steps = match &clinic.auth {
        Auth::None | Auth::BackendServices(_) => check::check(&ehr).await,
        Auth::Patient(launch) => {
            let flow = Flow::Patient { signed: clinic.auth.signs() };
            let base = with_slash(&clinic.fhir_base);
            let discovery = Discovery::new(app::egress(config, clinic)?, base, launch.token_hosts.clone(), flow);
            check::check_lent(&ehr, &discovery, &launch.scopes, &outward.signing, outward.clock.now()).await
        }
    };
    let lent = match &clinic.auth {
        Auth::None | Auth::BackendServices(_) => None,
        Auth::Patient(launch) => Some(launch.scopes.as_str()),
    };
    let questionnaires = clinic.questionnaires.keys().copied().collect();
    let wanted = Wanted { questionnaires, pages: clinic.summary, visits: &clinic.visits, lent };
    steps.extend(check::check_forms(&ehr, &wanted).await);
    if let Some(client) = app::launch_client(config, clinic, &outward.signing, &outward.entropy)? {
        steps.extend(check::check_launch(&client, &outward.signing, outward.clock.now()).await);
    }
    tell(&steps)
}

/// Says how the steps went. An error if one went wrong.
pub(super) fn tell(steps: &[Step]) -> anyhow::Result<()> {
    steps.iter().for_each(print_step);
    match steps.iter().filter(|step| matches!(step.outcome, Outcome::Wrong(_))).count() {
        0 => Ok(()),
        wrong => bail!("{wrong} of {} steps went wrong", steps.len()),
    }
}

/// Makes a one-time code for a Patient.
pub async fn code(
    config: &Config,
    clinic: &ClinicId,
    patient: &str,
    days: Option<i64>,
    replaces: bool,
) -> anyhow::Result<()> {
    known_clinic(config, clinic)?;
    let bridge = open(config).await?;
    let validity = SignedDuration::from_hours(24 * days.unwrap_or(config.linking.code_days));
    let mut tx = bridge.store.begin().await?;
    let order = Order { clinic, patient, validity, replaces };
    let Issued { code, expires_at, is_linked } = issue(&mut tx, &bridge.keyring, order, bridge.clock.now()).await?;
    tx.commit().await?;
    println!("{}", code.expose_secret());
    eprintln!("Good once, until {}. It is shown once.", expires_at.strftime("%F %H:%M UTC"));
    if is_linked && !replaces {
        eprintln!("A member is linked to this Patient already: another one is refused with this code. See --replace.");
    }
    Ok(())
}

fn print_step(Step { name, outcome }: &Step) {
    let (mark, words) = match outcome {
        Outcome::Good(words) => ("✓", words.as_str()),
        Outcome::Wrong(words) => ("✗", words.as_str()),
        Outcome::Skipped(words) => ("-", *words),
    };
    println!("{mark} {name:20} {words}");
}
