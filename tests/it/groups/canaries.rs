//! Words put through everything that one member has, and looked for in everything that another one, the community and whoever
//! leads the session get.

use mostik::domain::ids::{BookingId, GroupSessionId};
use serde_json::Value;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::booking::appointments;
use crate::support::groups::{Circle, Guest};
use crate::support::http;

/// Everything that a member gets to see of a session, and of their place in it.
async fn all_that_they_see(guest: &mut Guest, id: GroupSessionId, booking: BookingId) -> String {
    let mut seen = String::new();
    for path in ["/visits", "/messages", "/shared", "/announcements", "/settings/calendar"] {
        seen += &guest.browser.get(path).await.body;
    }
    for rest in ["", "/cancel", "/calendar.ics", "/join"] {
        let page = guest.browser.get(&format!("/visits/{booking}{rest}")).await;
        seen += &page.body;
        page.headers.iter().for_each(|(_, value)| seen += value.to_str().unwrap_or_default());
        if rest == "/join" && page.status == 303 {
            let way: url::Url = page.location().parse().unwrap();
            let token = way.query_pairs().find(|(name, _)| name == "jwt").unwrap().1.into_owned();
            seen += &jsonwebtoken::dangerous::insecure_decode::<Value>(&token).unwrap().claims.to_string();
            seen += way.path();
        }
    }
    let made = guest.browser.post("/settings/calendar", &[]).await;
    if let Some((_, rest)) = made.body.split_once("https://mostik.example/calendar/") {
        let token = rest.split('/').next().unwrap();
        seen += &guest.browser.get(&format!("/calendar/{token}/visits.ics")).await.body;
    }
    assert!(
        seen.contains("A calm evening") && seen.contains(&booking.to_string()),
        "it is looked where something stands"
    );
    assert!(seen.contains("BEGIN:VEVENT"), "and in the calendar");
    seen + &guest.browser.post(&format!("/visits/groups/riverside/{id}"), &[]).await.body
}

on_both_databases! {
    async fn nobody_gets_to_see_anything_of_anybody_else_who_takes_part(database) {
        let circle = Circle::open(database, 5, "open = true").await;
        let id = circle.plan("5").await;
        let (mut wren, mut robin, mut crow) = (
            circle.guest("kanarienvogel-wren").await,
            circle.guest("kanarienvogel-robin").await,
            circle.stranger("kanarienvogel-crow").await,
        );
        let mut bookings = Vec::new();
        for guest in [&mut wren, &mut robin, &mut crow] {
            bookings.push(guest.joined(id).await);
        }
        circle.settle().await;
        circle.go_to_the_evening();
        for guest in [&mut wren, &mut robin, &mut crow] {
            guest.browser = circle.ward.portal.sign_in(&guest.person).await;
        }
        let mut theirs = Vec::new();
        for guest in [&wren, &robin, &crow] {
            let mut words = vec![guest.person.handle.clone(), guest.person.id.to_string(), guest.person.token.clone()];
            if !guest.patient.is_empty() {
                words.push(format!("/{}", guest.patient));
                let own = appointments(&circle.ward.ehr.base, &guest.patient).await.remove(0);
                words.push(own["id"].as_str().unwrap().to_owned());
                words.push(own["identifier"][0]["value"].as_str().unwrap().to_owned());
            }
            theirs.push(words);
        }
        for (words, booking) in theirs.iter_mut().zip(&bookings) {
            words.push(booking.to_string());
        }
        for (own, guest) in [&mut wren, &mut robin, &mut crow].into_iter().enumerate() {
            let seen = all_that_they_see(guest, id, bookings[own]).await;
            for (of, words) in theirs.iter().enumerate().filter(|(of, _)| *of != own) {
                for word in words {
                    assert!(!seen.contains(word), "{own} sees {word} of {of}");
                }
            }
            assert!(!seen.contains("of 5 places"), "nor how many they are");
        }
        // What everybody is told.
        let bridge = circle.bridge();
        let url = format!("{}/v1/announcements", bridge.api);
        let told = http::call(reqwest::Method::GET, &url, Some(&bridge.api_key), None).await.json.to_string();
        let told = told + &circle.ward.portal.browser().get("/announcements").await.body + &circle.of_session(id)[0].to_string();
        for word in theirs.iter().flatten() {
            assert!(!told.contains(word), "{word}: {told}");
        }
        // What the EHR has of each of them is about nobody else; of whom it does not know, nothing.
        for appointment in circle.in_ehr("Appointment") {
            let text = appointment.to_string();
            assert!(!text.contains("kanarienvogel") && !text.contains(&bookings[2].to_string()), "{text}");
            let known = [&wren, &robin].iter().filter(|guest| text.contains(&format!("Patient/{}", guest.patient))).count();
            assert!(known <= 1, "{text}");
        }
        // And the clinic's people in the staff view: nothing of whom they do not know.
        let mut nurse = circle.ward.colleague("riverside").await;
        let staff = nurse.get(&format!("/clinic/groups/{id}")).await.body + &nurse.get("/clinic/today").await.body;
        assert!(staff.contains(&wren.patient) && !staff.contains("kanarienvogel") && !staff.contains(&bookings[2].to_string()));
        assert_eq!(audit::wrong(bridge).await, [""; 0]);
    }
}
