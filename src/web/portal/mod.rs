//! The member portal: pages that a browser shows without JavaScript.
//!
//! How a page is made: a handler takes a [`Frame`] (language, texts, what stands around the page) and, where somebody must
//! be signed in, a [`Session`]; or, for what a form sends, a [`Posted`], which is not to be had without the form's own
//! token. It calls plain functions of other rooms and fills a template. Everything that all pages have in common (whose
//! host, whose form, which headers) is seen to by `guard`.

mod announcements;
mod asked_for;
mod assets;
mod calendar;
pub(super) mod caller;
mod clinics;
mod communities;
mod connect_app;
pub(super) mod cookies;
mod data;
mod erase;
pub(super) mod error;
mod export;
pub(super) mod form;
pub(super) mod frame;
mod guard;
pub(super) mod identity;
mod json;
pub(super) mod materials;
mod messages;
mod origin;
pub(super) mod own;
mod preview;
mod questionnaires;
mod receipts;
mod rules;
pub(super) mod said;
mod settings;
mod shared;
mod sharing;
pub(super) mod sign_in;
mod sign_out;
mod talk;
mod texts;
mod told;
mod upload;
pub(super) mod visits;
mod words;

pub use texts::TextError;
pub use upload::IN_MEMORY;
pub use words::Words;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, Resource};
use url::Url;

use self::assets::Assets;
use self::origin::Origin;
use self::texts::Texts;
use super::clinic as staff;
use super::limits::{self, Limit};
use super::moderate as people;
use super::routes::Route;
use crate::companion::talk::Talk;
use crate::config::{self, Config, PushServices};
use crate::domain::clock::Clock;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::domain::language::Language;
use crate::vault::Index;

/// What the pages share.
#[derive(Debug)]
pub struct Portal {
    texts: Arc<Texts>,
    /// What the companion says where.
    talk: Talk,
    assets: Assets,
    origin: Origin,
    communities: BTreeMap<CommunityId, Community>,
    /// What the clinics are called.
    clinics: BTreeMap<ClinicId, String>,
    client_address_header: Option<String>,
    sign_ins_by_address: Limit<IpAddr>,
    links_by_handle: Limit<Index>,
    calendars_by_address: Limit<IpAddr>,
    uploads: Limit<MemberId>,
    room: upload::Room,
    /// Where members can be told in their browsers, if they can be.
    push: Option<Services>,
}

/// The push services that may be called.
#[derive(Debug)]
struct Services {
    named: PushServices,
    private_networks: bool,
}

impl Services {
    /// Whether an address is one that such a service gives to a browser.
    fn allows(&self, address: &Url) -> bool {
        self.named.allows(address, self.private_networks)
    }
}

/// A community, and how its members sign in.
#[derive(Debug)]
struct Community {
    name: String,
    /// Whether its members can be sent a link.
    sends_links: bool,
    /// Whether it has an identity provider.
    has_provider: bool,
}

impl Community {
    fn new(community: &config::Community) -> Self {
        let (sends_links, has_provider) = (community.messages.is_some(), community.sign_in.is_some());
        Self { name: community.name.clone(), sends_links, has_provider }
    }
}

/// Sign-ins that one address may begin at once: a family, or a ward, behind one address.
const AT_ONCE_BY_ADDRESS: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Links that may be asked for one handle at once: what a member's inbox can bear.
const AT_ONCE_BY_HANDLE: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Calendars that one address may ask for at once: those of a family, each with several programs.
const CALENDARS_AT_ONCE: NonZeroU32 = NonZeroU32::new(60).unwrap();

impl Portal {
    /// What the pages of this bridge share.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, TextError> {
        let communities = config.communities.iter();
        Ok(Self {
            texts: Arc::new(Texts::load()?),
            talk: Talk::load().map_err(|error| TextError::of("companion", &error))?,
            assets: Assets::new(),
            origin: Origin::new(&config.server.public_url),
            communities: communities.map(|(id, community)| (id.clone(), Community::new(community))).collect(),
            clinics: config.clinics.iter().map(|(id, clinic)| (id.clone(), clinic.name.clone())).collect(),
            client_address_header: config.server.client_address_header.clone(),
            sign_ins_by_address: Limit::new(AT_ONCE_BY_ADDRESS, Duration::from_mins(1), clock.clone()),
            links_by_handle: Limit::new(AT_ONCE_BY_HANDLE, Duration::from_mins(5), clock.clone()),
            calendars_by_address: Limit::new(CALENDARS_AT_ONCE, Duration::from_secs(10), clock.clone()),
            uploads: upload::limit(clock),
            room: upload::Room::new(&config.imports),
            push: config
                .push
                .is_on()
                .then(|| Services { named: config.push.clone(), private_networks: config.delivery.private_networks }),
        })
    }
}

impl Portal {
    /// The header in which the operator's own proxy says who calls, if there is one.
    pub(in crate::web) fn client_address_header(&self) -> Option<&str> {
        self.client_address_header.as_deref()
    }

    /// Counts that a calendar program asks.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn count_calendar(&self, request: &HttpRequest) -> Result<(), Duration> {
        self.calendars_by_address.check(&limits::caller(request, self.client_address_header()))
    }

    /// What a visit is called where others may read it.
    #[must_use]
    pub fn neutral_title(&self, language: Language) -> String {
        self.texts.say(language, "visit-neutral", &[])
    }
}

/// Makes the table of pages and what serves it from the same lines.
macro_rules! pages {
    ($($path:literal => $($method:ident $handler:path),+;)*) => {
        /// Every page there is, and every form.
        pub const ROUTES: &[Route] = &[$($(Route { methods: stringify!($method), path: $path },)+)*];

        /// Serves the pages. They come after the API's routes: whatever is left is looked for here.
        pub fn routes(config: &mut ServiceConfig) {
            let scope = web::scope("").wrap(from_fn(guard::keep));
            $(let scope = scope.service(at($path)$(.route(web::method(Method::$method).to($handler)))+);)*
            config.service(scope.default_service(web::to(error::no_such_page)));
        }
    };
}

pages! {
    "/" => GET sharing::home;
    "/sharing" => GET sharing::overview;
    "/clinics" => GET clinics::list;
    "/clinics/{clinic}/connect" => GET clinics::connect::look, POST clinics::connect::go;
    "/clinics/{clinic}/unlink" => GET clinics::ask_to_unlink, POST clinics::end_link;
    "/launch/return" => GET clinics::connect::come_back;
    "/sharing/{clinic}" => GET sharing::edit, POST sharing::save;
    "/sharing/{clinic}/pause" => POST sharing::pause;
    "/sharing/{clinic}/resume" => POST sharing::resume;
    "/sharing/{clinic}/stop" => GET sharing::ask_to_stop, POST sharing::stop;
    "/preview/{clinic}" => GET preview::show, POST preview::try_out;
    "/shared" => GET shared::show;
    "/receipts" => GET receipts::list;
    "/receipts/{receipt}" => GET receipts::show;
    "/receipts/{receipt}/file" => GET receipts::file;
    "/export" => GET export::show, POST export::take;
    "/erase" => GET erase::show, POST erase::ask;
    "/erase/cancel" => POST erase::cancel;
    "/erase/now" => GET erase::now::ask, POST erase::now::erase;
    "/erase/certificate" => GET erase::certificate::ask, POST erase::certificate::show;
    "/data" => GET data::show;
    "/data/keep" => GET data::keep::ask, POST data::keep::save;
    "/data/note" => GET data::note::show, POST data::note::save;
    "/data/summary" => GET data::summary::show, POST data::summary::save;
    "/data/summary/{clinic}" => POST data::summary::send;
    "/data/import" => GET data::import::show, POST data::import::take;
    "/questionnaires" => GET questionnaires::list;
    "/questionnaires/{instrument}" => GET questionnaires::go_on;
    "/questionnaires/{instrument}/review" => GET questionnaires::review, POST questionnaires::finish;
    "/questionnaires/{instrument}/discard" => POST questionnaires::discard;
    "/questionnaires/{instrument}/leave-out" => POST questionnaires::leave_out;
    "/questionnaires/{instrument}/{question}" => GET questionnaires::question, POST questionnaires::answer;
    "/messages" => GET messages::list;
    "/messages/{message}" => GET messages::show, POST messages::answer;
    "/connect" => GET connect_app::show;
    "/communities" => GET communities::show, POST communities::issue;
    "/talk" => GET talk::look, POST talk::say;
    "/visits" => GET visits::list;
    "/visits/ask/{clinic}/{visit}" => GET visits::form, POST visits::ask;
    "/visits/groups/{clinic}/{group}" => POST visits::join_group;
    "/visits/camera" => GET visits::camera;
    "/visits/{booking}" => GET visits::show;
    "/visits/{booking}/join" => GET visits::join;
    "/visits/{booking}/calendar.ics" => GET visits::for_calendar;
    "/visits/{booking}/here" => POST visits::here;
    "/visits/{booking}/rate" => POST visits::rate;
    "/visits/{booking}/look" => POST visits::look;
    "/visits/{booking}/wait" => POST visits::wait;
    "/visits/{booking}/choose" => POST visits::choose;
    "/visits/{booking}/confirm" => POST visits::confirm;
    "/visits/{booking}/release" => POST visits::release;
    "/visits/{booking}/change" => POST visits::change;
    "/visits/{booking}/cancel" => GET visits::ask_to_cancel, POST visits::cancel;
    "/announcements" => GET announcements::list;
    "/materials" => GET materials::list;
    "/materials/{material}" => GET materials::show;
    "/materials/{material}/{version}" => GET materials::version;
    "/rules/{community}" => GET rules::show, POST rules::say;
    "/settings" => GET settings::show, POST settings::save;
    "/settings/messages" => GET told::show, POST told::save;
    "/settings/calendar" => GET calendar::show, POST calendar::make;
    "/settings/calendar/off" => POST calendar::off;
    "/settings/push" => GET told::push::show, POST told::push::on;
    "/settings/push/off" => POST told::push::off;
    "/settings/identity" => POST identity::connect;
    "/settings/identity/remove" => POST identity::disconnect;
    "/sign-in" => GET sign_in::show, POST sign_in::ask;
    "/sign-in/sent" => GET sign_in::sent;
    "/sign-in/provider" => POST identity::begin;
    "/sign-in/return" => GET identity::come_back;
    "/sign-in/link/{secret}" => GET sign_in::look, POST sign_in::enter;
    "/sign-out" => GET sign_out::show, POST sign_out::here;
    "/sign-out/everywhere" => POST sign_out::everywhere;
    "/language" => POST settings::speak;
    "/clinic" => GET staff::requests;
    "/clinic/requests/{booking}" => GET staff::request, POST staff::decide;
    "/clinic/requests/{booking}/decline" => POST staff::decline;
    "/clinic/today" => GET staff::today;
    "/clinic/free" => GET staff::free;
    "/clinic/groups" => GET staff::groups::list, POST staff::groups::plan;
    "/clinic/groups/{group}" => GET staff::groups::show;
    "/clinic/groups/{group}/change" => POST staff::groups::change;
    "/clinic/groups/{group}/cancel" => POST staff::groups::cancel;
    "/clinic/groups/{group}/join" => GET staff::groups::join;
    "/clinic/materials" => GET staff::materials::list, POST staff::materials::publish;
    "/clinic/materials/{material}" => GET staff::materials::show, POST staff::materials::renew;
    "/clinic/materials/{material}/retract" => POST staff::materials::retract;
    "/clinic/offered" => GET staff::offered;
    "/clinic/offered/{visit}" => GET staff::terms, POST staff::change;
    "/clinic/offered/{visit}/usual" => POST staff::as_usual;
    "/clinic/visits/{booking}" => GET staff::visit;
    "/clinic/visits/{booking}/join" => GET staff::join;
    "/clinic/visits/{booking}/mark" => POST staff::mark;
    "/clinic/visits/{booking}/cancel" => POST staff::cancel;
    "/clinic/sign-in" => GET staff::sign_in, POST staff::begin;
    "/clinic/return" => GET staff::come_back;
    "/clinic/sign-out" => POST staff::sign_out;
    "/clinic/language" => POST settings::speak;
    "/moderate" => GET people::queue;
    "/moderate/history" => GET people::history;
    "/moderate/concerns/{concern}" => GET people::show;
    "/moderate/concerns/{concern}/acknowledge" => POST people::acknowledge;
    "/moderate/concerns/{concern}/escalate" => POST people::escalate;
    "/moderate/concerns/{concern}/close" => POST people::close;
    "/moderate/sign-in" => GET people::sign_in, POST people::begin;
    "/moderate/return" => GET people::come_back;
    "/moderate/sign-out" => POST people::sign_out;
    "/moderate/language" => POST settings::speak;
    "/assets/{version}/{name}" => GET assets::serve;
    "/push-worker.js" => GET told::push::worker;
}

/// A page's address; methods that it does not have are refused in words.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(error::no_such_method))
}
