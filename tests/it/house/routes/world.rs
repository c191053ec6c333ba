//! Everybody who asks, and what they are told.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mostik::domain::concern::Level;
use mostik::domain::ids::MemberId;
use mostik::enrolment::credentials::{CONCERNS_DISCLOSE, CONCERNS_MANAGE, EVENTS_WRITE, TALKS_WRITE, create_api_key};
use mostik::enrolment::session;
use mostik::enrolment::staff::StaffDoors;
use mostik::vault::signing::SigningAlgorithm;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::Body::{self, Form, Json, Nothing};
use super::Who::{
    self, Browser, Clinic, Community, Decider, Keeper, KeyWithoutScope, Member, Moderator, Nobody, OtherBrowser,
    OtherClinic, OtherCommunity, OtherKeeper, OtherMember, OtherModerator, OtherStaff, Staff,
};
use super::{Row, Target};
use crate::support::booking::{self, ASKED_FOR};
use crate::support::bridge::{Person, TestBridge, forum};
use crate::support::clinic::{ALL_SCOPES, PUBLIC_URL, System, entries, read, two_clinics};
use crate::support::concerns::{POLICY, with_ada, worrying};
use crate::support::database::Database;
use crate::support::http::{self, client};
use crate::support::postbox::Postbox;
use crate::support::receiver::PUSH;
use crate::support::recommendations::{put, said};
use crate::support::rules::with_rules;
use crate::support::staff::{COOKIE, MODERATOR_COOKIE, doors, moderates, moderators_setting, signed_in, staff_setting};

/// A bridge, and what everybody calls it with.
pub struct World {
    pub bridge: TestBridge,
    other_community: String,
    without_scope: String,
    keeper: String,
    decider: String,
    other_keeper: String,
    other: Person,
    pub clinic: String,
    other_clinic: String,
    /// Where clinics' staff and communities' people come in.
    doors: StaffDoors,
    /// One for all: a new one would load its root certificates anew.
    client: reqwest::Client,
}

impl World {
    pub async fn new(database: Database) -> Self {
        let river = System::new("riverside-ehr", SigningAlgorithm::Es384);
        let lake = System::new("lakeside-ehr", SigningAlgorithm::Es384);
        let access = river.registered("riverside") + &lake.registered("lakeside");
        let text = two_clinics(&database, &access) + "[communities.chat]\nname = \"The chat\"\n" + PUSH;
        let nobody = Postbox::open();
        let nowhere = "http://127.0.0.1:9";
        let text = text + &staff_setting("riverside", nowhere, "a") + &staff_setting("lakeside", nowhere, "b");
        let text = text + &moderators_setting("forum", nowhere, "c") + &moderators_setting("chat", nowhere, "d");
        let text = text + ASKED_FOR + &with_ada(&database, &nobody, &nobody) + POLICY;
        let text = with_rules(&database, &text);
        let bridge = TestBridge::start_with(database, &text).await;
        let key = async |community: &str, scopes: &str| {
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            let (keyring, community) = (&bridge.bridge.keyring, community.parse().unwrap());
            let key = create_api_key(&mut tx, keyring, &community, scopes, bridge.now()).await.unwrap();
            tx.commit().await.unwrap();
            key.secret
        };
        let other = bridge.person("wren", "patient-of-wren").await;
        bridge.grant(&other, &["mood"]).await;
        Self {
            other_community: key("chat", &format!("{EVENTS_WRITE} {TALKS_WRITE}")).await,
            without_scope: key("forum", "other:thing").await,
            keeper: key("forum", CONCERNS_MANAGE).await,
            decider: key("forum", CONCERNS_DISCLOSE).await,
            other_keeper: key("chat", CONCERNS_MANAGE).await,
            other,
            clinic: river.token(&bridge, ALL_SCOPES).await,
            other_clinic: lake.token(&bridge, ALL_SCOPES).await,
            client: client(),
            doors: doors(&bridge),
            bridge,
        }
    }

    /// A member of whom nothing is known yet to anybody, with everything that rows ask about.
    pub async fn target(&self, number: usize) -> (Target, Person) {
        let (handle, patient) = (format!("sparrow-{number}"), format!("patient-{number}"));
        let member = self.bridge.person(&handle, &patient).await;
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        let grant = self.bridge.share_by(&member, terms).await;
        let found = read(&self.bridge, &self.clinic, &format!("/fhir/Consent?patient={patient}")).await;
        let consent = entries(&found.json)[0]["id"].as_str().unwrap().to_owned();
        let receipts = self.bridge.as_member(&member, Method::GET, "/v1/receipts", None).await;
        let receipt = receipts.json["receipts"][0]["id"].as_str().unwrap().to_owned();
        let concern = self.concern(&handle).await;
        let message = put(&self.bridge, &member, &said("Walk half an hour")).await.to_string();
        let booking = booking::put(&self.bridge, &member, "a visit").await.to_string();
        (Target { handle, patient, grant, consent, receipt, concern, message, booking }, member)
    }

    /// A concern about a member.
    async fn concern(&self, handle: &str) -> String {
        self.bridge.send(&worrying(&format!("worry-{handle}"), handle)).await;
        let listed =
            http::call(Method::GET, &format!("{}/v1/concerns", self.bridge.api), Some(&self.keeper), None).await;
        let all = listed.json["concerns"].as_array().unwrap();
        all.iter().find(|it| it["handle"] == handle).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// A session of a member at the portal: what its cookie holds, and the token that its forms carry.
    async fn session(&self, member: MemberId) -> (String, String) {
        let (keyring, now) = (&self.bridge.bridge.keyring, self.bridge.now());
        let mut tx = self.bridge.bridge.store.begin().await.unwrap();
        let secret = session::open(&mut tx, keyring, member, forum(), None, now).await.unwrap();
        tx.commit().await.unwrap();
        let csrf = URL_SAFE_NO_PAD.encode(keyring.index().index("csrf", &[secret.as_bytes()]));
        (secret, csrf)
    }

    /// A session of somebody of a clinic's staff.
    async fn of_staff(&self, clinic: &str) -> (String, String) {
        let secret = signed_in(&self.bridge, &self.doors, clinic).await;
        let csrf = URL_SAFE_NO_PAD.encode(self.bridge.bridge.keyring.index().index("csrf", &[secret.as_bytes()]));
        (secret, csrf)
    }

    /// A session of somebody of a community's people.
    async fn of_community(&self, community: &str) -> (String, String) {
        let secret = moderates(&self.bridge, &self.doors, community, Level::First).await;
        let csrf = URL_SAFE_NO_PAD.encode(self.bridge.bridge.keyring.index().index("csrf", &[secret.as_bytes()]));
        (secret, csrf)
    }

    /// What somebody calls a program's route with.
    fn credential<'a>(&'a self, who: Who, member: &'a Person) -> Option<&'a str> {
        match who {
            Nobody | OtherBrowser | Browser | OtherStaff | Staff | OtherModerator | Moderator => None,
            OtherCommunity => Some(&self.other_community),
            KeyWithoutScope => Some(&self.without_scope),
            Community => Some(&self.bridge.api_key),
            Keeper => Some(&self.keeper),
            Decider => Some(&self.decider),
            OtherKeeper => Some(&self.other_keeper),
            OtherMember => Some(&self.other.token),
            OtherClinic => Some(&self.other_clinic),
            Clinic => Some(&self.clinic),
            Member => Some(&member.token),
        }
    }

    /// What somebody is told: the status, and `+` if the answer shows the member's grant.
    pub async fn told(&self, who: Who, row: &Row, (target, member): &(Target, Person)) -> String {
        let (path, mut body) = (row.ask)(target);
        let method: Method = row.route.split(' ').next().unwrap().parse().unwrap();
        let host = PUBLIC_URL.strip_prefix("https://").unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.bridge.api)).header("host", host);
        if let Some(credential) = self.credential(who, member) {
            request = request.bearer_auth(credential);
        }
        if [Browser, OtherBrowser].contains(&who) {
            let (secret, csrf) = self.session(if who == Browser { member.id } else { self.other.id }).await;
            request =
                request.header("cookie", format!("__Host-session={secret}")).header("accept", "text/html,*/*;q=0.8");
            if let Form(fields) = &mut body {
                fields.push(("csrf", csrf));
            }
        }
        if [Staff, OtherStaff].contains(&who) {
            let (secret, csrf) = self.of_staff(if who == Staff { "riverside" } else { "lakeside" }).await;
            request = request.header("cookie", format!("{COOKIE}={secret}")).header("accept", "text/html,*/*;q=0.8");
            if let Form(fields) = &mut body {
                fields.push(("csrf", csrf));
            }
        }
        if [Moderator, OtherModerator].contains(&who) {
            let (secret, csrf) = self.of_community(if who == Moderator { "forum" } else { "chat" }).await;
            let cookie = format!("{MODERATOR_COOKIE}={secret}");
            request = request.header("cookie", cookie).header("accept", "text/html,*/*;q=0.8");
            if let Form(fields) = &mut body {
                fields.push(("csrf", csrf));
            }
        }
        let response = with_body(request, body).send().await.unwrap();
        let status = response.status().as_u16();
        // Where it leads, without what only this caller is told.
        let leads = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let leads = leads.map(|to| to.replace(&target.message, "{message}").replace(&target.booking, "{booking}"));
        let leads = leads.map(|to| to.replace(&target.concern, "{concern}"));
        let leads = leads.and_then(|to| Some(format!(" {}", to.split('?').next()?))).unwrap_or_default();
        let answer = response.text().await.unwrap().replace('-', "");
        let marks = [target.grant.replace('-', ""), format!("/Patient/{}\"", target.patient).replace('-', "")];
        let shown = marks.iter().any(|mark| answer.contains(mark));
        format!("{status}{}{leads}", if shown { "+" } else { "" })
    }
}

fn with_body(request: RequestBuilder, body: Body) -> RequestBuilder {
    match body {
        Nothing => request,
        Json(value) => request.header("content-type", "application/json").body(value.to_string()),
        Form(fields) => request.form(&fields),
    }
}
