//! Scheduling by operations: `$find`, `$hold` and `$book`, on the type as IHE ITI Scheduling has them (1.0, ITI-115 to
//! ITI-117: whoever is too late gets a Bundle with nothing but an `OperationOutcome`), and on the Appointment itself as
//! Argonaut Scheduling has the latter two (1.0.0: whoever is too late gets a 409).
//!
//! Each free Slot is offered as a proposed Appointment, which is stored only when somebody holds it. A hold ends by the
//! sandbox's own clock, whether or not anybody gives it back.

use actix_web::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::exchange::{Answer, Call};
use super::given::Given;
use super::json::{instant, nodes, relative, text, with};
use super::outcome::Refusal;
use super::store::Store;
use super::types::{self, ResourceType};
use super::{House, validate};

/// How long a hold lasts.
pub const HOLD_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// What the id of an Appointment that is offered begins with; the rest is that of its Slot.
const OFFER: &str = "slot-";

/// What only the server says of an Appointment.
const OWN: [&str; 7] = ["resourceType", "id", "status", "start", "end", "slot", "participant"];

/// Answers an operation on Appointments.
///
/// # Errors
/// The refusal.
pub fn answer(house: &House, store: &mut Store, call: &Call, rest: &[&str]) -> Result<Answer, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET" | "POST", ["$find"]) => find(house, store, call),
        ("POST", ["$hold"]) => {
            let given = Given::read(call, &["appointment-reference"])?;
            let (id, identifier) = reference(house, &given)?;
            by_type(house, hold(house, store, &id, identifier.as_ref()))
        }
        ("POST", ["$book"]) => {
            let given =
                Given::read(call, &["appointment-reference", "appointment-resource", "patient-resource", "comment"])?;
            by_type(house, book_as_told(house, store, &given))
        }
        ("POST", [id, "$hold"]) => {
            let given = Given::read(call, &["appt-id"])?;
            named(house, &given, id)?;
            hold(house, store, id, None).map(|held| Answer::document(bundle(house, &[held], 1)))
        }
        ("POST", [id, "$book"]) => {
            let given = Given::read(call, &["appt-id", "patient-id", "comment"])?;
            named(house, &given, id)?;
            let patients = given.all("patient-id").filter_map(Value::as_str);
            let patients: Vec<String> = patients.map(|patient| relative(&house.base, patient).to_owned()).collect();
            let said = given.text("comment").map(|comment| json!({ "comment": comment }));
            book(house, store, id, &patients, said.as_ref()).map(|booked| Answer::document(bundle(house, &[booked], 1)))
        }
        (_, [.., "$find" | "$hold" | "$book"]) => Err(Refusal::not_allowed("POST", "an operation is posted")),
        (_, [.., operation]) => Err(no_operation(operation)),
        (_, []) => Err(Refusal::not_found("there is nothing at this address")),
    }
}

/// 404 for an operation that is not known here.
pub fn no_operation(operation: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not-supported", format!("there is no operation {operation}"))
}

/// Ends the holds whose time is over: their Appointments are cancelled, and their Slots are free.
pub fn end_holds(house: &House, store: &mut Store) {
    let now = house.now();
    while let Some((_, id)) = store.next_hold(now) {
        let held = current(store, "Appointment", &id).filter(|held| text(held, "status") == Some("pending"));
        if let Some(held) = held {
            let ended = with(held.clone(), "status", Some(json!("cancelled")));
            write(house, store, "Appointment", &ended);
            free_slots(house, store, &held, &ended);
        }
    }
}

/// The Slots of an Appointment are free again, if it was cancelled and somebody had it.
pub fn free_slots(house: &House, store: &mut Store, before: &Value, after: &Value) {
    let had = matches!(text(before, "status"), Some("pending" | "booked" | "arrived" | "checked-in"));
    if had && text(after, "status") == Some("cancelled") {
        for slot in slots(house, after) {
            set_slot(house, store, &slot, "free");
        }
    }
}

fn find(house: &House, store: &Store, call: &Call) -> Result<Answer, Refusal> {
    let given = Given::read(call, &["start", "end", "visit-type", "practitioner", "_count"])?;
    let instant_of = |name: &str| given.text(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(start), Some(end)) = (instant_of("start"), instant_of("end")) else {
        return Err(Refusal::bad_request("required", "start and end are needed, each with its zone"));
    };
    let types: Vec<&str> = given.all("visit-type").filter_map(Value::as_str).collect();
    let wanted = |value: &Value| text(value, "reference").or(value.as_str()).map(str::to_owned);
    let actors: Vec<String> = given.all("practitioner").filter_map(wanted).collect();
    let mut found: Vec<(Timestamp, Value)> = store
        .records("Slot")
        .filter_map(|(_, record)| Some(record.current()?.1))
        .filter(|slot| has_type(slot, &types))
        .filter_map(|slot| {
            let begins = free_from(slot).filter(|begins| (start..end).contains(begins))?;
            let schedule = schedule(house, store, slot)?;
            let is_with = |actor: &String| refers(house, &schedule, actor);
            let fits = actors.is_empty() || actors.iter().any(is_with);
            fits.then(|| Some((begins, proposed(slot, &schedule, (start, end))?))).flatten()
        })
        .collect();
    found.sort_by_key(|(begins, _)| *begins);
    let total = found.len();
    let count = given.one("_count").and_then(|count| count.as_str()?.parse().ok()).unwrap_or(total);
    let page: Vec<Value> = found.into_iter().take(count).map(|(_, appointment)| appointment).collect();
    Ok(Answer::document(bundle(house, &page, total)))
}

/// Holds a time that is offered, under the identifier by which whoever asks knows it, if they say one.
fn hold(house: &House, store: &mut Store, id: &str, identifier: Option<&Value>) -> Result<Value, Refusal> {
    let slot = id.strip_prefix(OFFER).and_then(|slot| current(store, "Slot", slot)).ok_or_else(taken)?;
    let start = free_from(&slot).ok_or_else(taken)?;
    let schedule = schedule(house, store, &slot).ok_or_else(taken)?;
    let end = text(&slot, "end").and_then(|end| end.parse().ok()).unwrap_or(start);
    let offered = proposed(&slot, &schedule, (start, end)).ok_or_else(taken)?;
    let held = with(with(offered, "status", Some(json!("pending"))), "identifier", identifier.map(|one| json!([one])));
    let held_as = house.fresh_id()?;
    store.create("Appointment", held_as.clone(), house.now(), held);
    store.hold_until(house.now().checked_add(HOLD_LASTS).unwrap_or(Timestamp::MAX), held_as.clone());
    set_slot(house, store, text(&slot, "id").unwrap_or_default(), "busy-tentative");
    current(store, "Appointment", &held_as).ok_or_else(taken)
}

/// `$book` on the type: a new one, by its reference or as a whole, or the end of one.
fn book_as_told(house: &House, store: &mut Store, given: &Given) -> Result<Value, Refusal> {
    let (Some(said), None) = (given.one("appointment-resource"), given.one("appointment-reference")) else {
        let (id, _) = reference(house, given)?;
        let patients = given.all("patient-resource").filter_map(|patient| text(patient, "id"));
        let patients: Vec<String> = patients.map(|id| format!("Patient/{id}")).collect();
        let comment = given.text("comment").map(|comment| json!({ "comment": comment }));
        return book(house, store, &id, &patients, comment.as_ref());
    };
    let id = text(said, "id").unwrap_or_default();
    match text(said, "status") {
        Some("pending") => {
            let actors = nodes(said, "participant.actor").into_iter().filter_map(|actor| text(actor, "reference"));
            let actors = actors.map(|actor| relative(&house.base, actor).to_owned());
            let patients: Vec<String> = actors.filter(|actor| actor.starts_with("Patient/")).collect();
            book(house, store, id, &patients, Some(said))
        }
        Some("cancelled") => {
            let before = current(store, "Appointment", id).ok_or_else(taken)?;
            if !matches!(text(&before, "status"), Some("proposed" | "pending" | "booked")) {
                return Err(taken());
            }
            let after = with(before.clone(), "status", Some(json!("cancelled")));
            let after = ["cancelationReason", "participant"]
                .into_iter()
                .fold(after, |after, name| with(after, name, said.get(name).cloned()));
            validate::resource(store, &house.base, kind()?, &after)?;
            write(house, store, "Appointment", &after);
            free_slots(house, store, &before, &after);
            current(store, "Appointment", id).ok_or_else(taken)
        }
        _ => Err(Refusal::unprocessable("not-supported", "only what is pending or cancelled is taken").at("status")),
    }
}

/// Books what is held, or what nobody holds, for these patients.
fn book(
    house: &House,
    store: &mut Store,
    id: &str,
    patients: &[String],
    said: Option<&Value>,
) -> Result<Value, Refusal> {
    if patients.is_empty() {
        return Err(Refusal::unprocessable("required", "nobody knows for which patient"));
    }
    if let Some(nobody) =
        patients.iter().find(|patient| !store.holds("Patient", patient.trim_start_matches("Patient/")))
    {
        return Err(Refusal::unprocessable("not-found", format!("{nobody} is no patient of this server")));
    }
    let held = match current(store, "Appointment", id) {
        Some(held) if text(&held, "status") == Some("pending") => held,
        Some(_) => return Err(taken()),
        None => hold(house, store, id, None)?,
    };
    let theirs = |participant: &Value| with(participant.clone(), "status", Some(json!("accepted")));
    let others = nodes(&held, "participant").into_iter().map(theirs);
    let patients = patients
        .iter()
        .map(|patient| json!({ "actor": { "reference": patient }, "required": "required", "status": "accepted" }));
    let participants: Vec<Value> = others.chain(patients).collect();
    let told = said.and_then(Value::as_object).into_iter().flatten();
    let told = told.filter(|(name, _)| !OWN.contains(&name.as_str()));
    let booked = told.fold(held, |booked, (name, value)| with(booked, name, Some(value.clone())));
    let booked = with(with(booked, "status", Some(json!("booked"))), "participant", Some(participants.into()));
    validate::resource(store, &house.base, kind()?, &booked)?;
    let booked_as = write(house, store, "Appointment", &booked);
    for slot in slots(house, &booked) {
        set_slot(house, store, &slot, "busy");
    }
    current(store, "Appointment", &booked_as).ok_or_else(taken)
}

/// Somebody was faster (ITI-116, 2:3.116.4.2.3).
fn taken() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "not-found", "this time is not, or no longer, to be had")
}

/// What an operation on the type answers: also to whoever was too late (ITI-116, 2:3.116.4.2.2).
fn by_type(house: &House, done: Result<Value, Refusal>) -> Result<Answer, Refusal> {
    match done {
        Ok(appointment) => Ok(Answer::document(bundle(house, &[appointment], 1))),
        Err(refusal) if refusal.status == StatusCode::CONFLICT => {
            let issue = json!({ "severity": "fatal", "code": "not-found", "diagnostics": refusal.diagnostics() });
            let outcome = json!({ "resourceType": "OperationOutcome", "issue": [issue] });
            let entry = json!({ "resource": outcome, "search": { "mode": "outcome" } });
            Ok(Answer::document(json!({ "resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry] })))
        }
        Err(refusal) => Err(refusal),
    }
}

fn bundle(house: &House, appointments: &[Value], total: usize) -> Value {
    let entry = |appointment: &Value| {
        let full_url = format!("{}/Appointment/{}", house.base, text(appointment, "id").unwrap_or_default());
        json!({ "fullUrl": full_url, "resource": appointment, "search": { "mode": "match" } })
    };
    let entries: Vec<Value> = appointments.iter().map(entry).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "searchset", "total": total });
    with(bundle, "entry", (!entries.is_empty()).then(|| entries.into()))
}

/// A free Slot, as it is offered to whoever asks for this period.
fn proposed(slot: &Value, schedule: &Value, (start, end): (Timestamp, Timestamp)) -> Option<Value> {
    let actors = nodes(schedule, "actor").into_iter();
    let participants: Vec<Value> =
        actors.map(|actor| json!({ "actor": actor, "required": "required", "status": "needs-action" })).collect();
    let id = text(slot, "id")?;
    let appointment = json!({
        "resourceType": "Appointment",
        "id": format!("{OFFER}{id}"),
        "status": "proposed",
        "start": slot.get("start")?,
        "end": slot.get("end")?,
        "slot": [{ "reference": format!("Slot/{id}") }],
        "participant": participants,
        "requestedPeriod": [{ "start": instant(start), "end": instant(end) }],
    });
    Some(with(appointment, "serviceType", slot.get("serviceType").cloned()))
}

/// The id of the Appointment that a parameter refers to, and by which identifier whoever asks knows it.
fn reference(house: &House, given: &Given) -> Result<(String, Option<Value>), Refusal> {
    let given = given.one("appointment-reference");
    let id = given.and_then(|given| text(given, "reference")).map(|reference| relative(&house.base, reference));
    let id = id.and_then(|reference| reference.strip_prefix("Appointment/"));
    let id =
        id.ok_or_else(|| Refusal::bad_request("required", "an Appointment is needed").at("appointment-reference"))?;
    Ok((id.to_owned(), given.and_then(|given| given.get("identifier").cloned())))
}

/// `appt-id`, where it is said, is that of the address.
fn named(house: &House, given: &Given, id: &str) -> Result<(), Refusal> {
    let said = given.text("appt-id").map(|said| relative(&house.base, said));
    let is_same = said.is_none_or(|said| said.strip_prefix("Appointment/") == Some(id));
    if is_same {
        Ok(())
    } else {
        Err(Refusal::bad_request("invalid", "another Appointment than in the address").at("appt-id"))
    }
}

/// When a Slot begins, if it is free.
fn free_from(slot: &Value) -> Option<Timestamp> {
    text(slot, "start").filter(|_| text(slot, "status") == Some("free"))?.parse().ok()
}

/// Whether a Slot is for one of these services, or for any.
fn has_type(slot: &Value, wanted: &[&str]) -> bool {
    let codings = nodes(slot, "serviceType.coding");
    let is_one = |coding: &&Value| {
        let token =
            format!("{}|{}", text(coding, "system").unwrap_or_default(), text(coding, "code").unwrap_or_default());
        wanted.contains(&token.as_str())
    };
    wanted.is_empty() || codings.is_empty() || codings.iter().any(is_one)
}

fn schedule(house: &House, store: &Store, slot: &Value) -> Option<Value> {
    let reference = slot.get("schedule").and_then(|schedule| text(schedule, "reference"))?;
    current(store, "Schedule", relative(&house.base, reference).strip_prefix("Schedule/")?)
}

fn refers(house: &House, schedule: &Value, actor: &str) -> bool {
    let actors = nodes(schedule, "actor").into_iter().filter_map(|actor| text(actor, "reference"));
    actors.map(|found| relative(&house.base, found)).any(|found| found == relative(&house.base, actor))
}

/// The ids of an Appointment's Slots.
fn slots(house: &House, appointment: &Value) -> Vec<String> {
    let references = nodes(appointment, "slot").into_iter().filter_map(|slot| text(slot, "reference"));
    references.filter_map(|slot| relative(&house.base, slot).strip_prefix("Slot/")).map(str::to_owned).collect()
}

fn set_slot(house: &House, store: &mut Store, id: &str, status: &str) {
    if let Some(slot) = current(store, "Slot", id) {
        write(house, store, "Slot", &with(slot, "status", Some(json!(status))));
    }
}

fn kind() -> Result<&'static ResourceType, Refusal> {
    types::find("Appointment").ok_or_else(|| Refusal::not_found("there are no Appointments"))
}

fn current(store: &Store, kind: &str, id: &str) -> Option<Value> {
    let record = store.at(kind, store.position(kind, id)?)?;
    Some(record.current()?.1.clone())
}

/// Stores the next version of what is there. Returns its id.
fn write(house: &House, store: &mut Store, kind: &'static str, resource: &Value) -> String {
    let id = text(resource, "id").unwrap_or_default().to_owned();
    if let Some(position) = store.position(kind, &id) {
        store.append(kind, position, house.now(), Some(resource.clone()));
    }
    id
}
