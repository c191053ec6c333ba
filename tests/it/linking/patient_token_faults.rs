//! What members lend, when things go wrong: what is lost, what is kept, and who must do something.

use std::time::Duration;

use jiff::SignedDuration;
use mostik::delivery::egress::EgressError;
use mostik::delivery::smart_auth::patient::TokenSet;
use mostik::delivery::smart_auth::{Connect, OAuthCode, TokenError};
use mostik::store::PatientTokensState;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::linking::patient_token::{Lent, sent};
use crate::on_both_databases;
use crate::support::bridge::{mood, riverside};
use crate::support::desk::Fault;
use crate::support::launch;

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    patience.await.unwrap();
}

const CONNECT_AGAIN: TokenError = TokenError::Connect(Connect::Refused);

on_both_databases! {
    async fn an_old_refresh_token_used_once_more_ends_what_was_lent_until_the_member_connects_again(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        lent.pass(240);
        auth.token(member).await.unwrap();
        // Somebody puts back a copy of the database from before.
        launch::store(&lent.bridge, member, &lent.tokens).await;
        lent.pass(300);
        let error = auth.token(member).await.unwrap_err();
        assert_eq!((&error, lent.desk.asked()), (&CONNECT_AGAIN, 2));
        assert_eq!(error.code(), "token-connect-again");
        assert!(error.to_string().contains("the member must connect the clinic again"), "{error}");
        let row = lent.row().await.unwrap();
        assert_eq!((row.state, row.sealed), (PatientTokensState::Refused, None));
        assert_eq!(lent.process().token(member).await.unwrap_err(), CONNECT_AGAIN);
        assert_eq!(lent.desk.asked(), 2, "the clinic is not asked again");
        launch::store(&lent.bridge, member, &lent.launch_again().await).await;
        auth.token(member).await.unwrap();
        assert_eq!(lent.row().await.unwrap().state, PatientTokensState::Good);
    }
}

on_both_databases! {
    async fn a_refusal_counts_at_once_although_the_old_token_has_not_ended(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        auth.token(member).await.unwrap();
        lent.pass(240);
        lent.desk.do_this(Fault::Say(400, json!({"error": "invalid_grant", "error_description": "withdrawn"})));
        assert_eq!(auth.token(member).await.unwrap_err(), CONNECT_AGAIN);
        assert!(auth.at_hand(member).is_none());
        assert_eq!(auth.state(member).failure, Some(CONNECT_AGAIN));
    }
}

on_both_databases! {
    async fn other_failures_keep_what_was_lent(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        let before = lent.row().await.unwrap();
        lent.pass(300);
        let bearer = |kind: &str| json!({"access_token": "t", "token_type": kind, "expires_in": 300});
        for (status, said, code) in [
            (503, json!({}), "token-not-now"),
            (429, json!({"error": "invalid_grant"}), "token-not-now"),
            (400, json!({"error": "unauthorized_client"}), "token-refused"),
            (401, json!({"error": "invalid_client"}), "token-refused"),
            (400, json!({"error": "invalid_request"}), "token-refused"),
            (403, json!("no"), "token-refused"),
            (200, json!({"error": "invalid_grant"}), "token-unreadable"),
            (200, bearer("mac"), "token-unreadable"),
            (200, json!({"access_token": "a\nb", "token_type": "bearer"}), "token-unreadable"),
            (200, json!({"access_token": "", "token_type": "bearer"}), "token-unreadable"),
            (200, json!({"access_token": "t", "token_type": "bearer", "expires_in": 0}), "token-unreadable"),
        ] {
            lent.desk.do_this(Fault::Say(status, said.clone()));
            let error = auth.token(member).await.unwrap_err();
            assert_eq!(error.code(), code, "{status} {said}: {error}");
            let asked = lent.desk.asked();
            assert_eq!(auth.token(member).await.unwrap_err(), error);
            assert_eq!(lent.desk.asked(), asked, "not asked again within ten seconds: {status} {said}");
            lent.pass(11);
        }
        let after = lent.row().await.unwrap();
        assert_eq!((after.rotation, after.state), (before.rotation, PatientTokensState::Good));
        lent.desk.do_this(Fault::None);
        auth.token(member).await.unwrap();
        assert_eq!(auth.state(member).failure, None);
    }
}

on_both_databases! {
    async fn a_public_client_that_is_not_known_is_told_what_to_check(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        lent.pass(300);
        let auth = launch::process(&lent.bridge, &lent.desk.base, "nobody", false);
        let Err(TokenError::Refused(refused)) = auth.token(lent.member.id).await else { panic!("refused") };
        assert_eq!(refused.code, OAuthCode::InvalidClient);
        assert!(refused.to_string().contains("auth.client_id"), "{refused}");
        assert_eq!(lent.row().await.unwrap().state, PatientTokensState::Good);
    }
}

on_both_databases! {
    async fn a_clinic_that_is_down_is_asked_once_for_all_members(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let auth = lent.process();
        let wren = lent.bridge.person("wren", "another-patient").await;
        launch::store(&lent.bridge, wren.id, &lent.launch_again().await).await;
        lent.pass(300);
        lent.desk.do_this(Fault::Say(503, json!({})));
        for member in [lent.member.id, wren.id] {
            assert_eq!(auth.token(member).await.unwrap_err().code(), "token-not-now");
        }
        assert_eq!(lent.desk.asked(), 1);
        // What one member lent is no matter of the others.
        lent.pass(11);
        lent.desk.do_this(Fault::Say(400, json!({"error": "invalid_grant"})));
        assert_eq!(auth.token(lent.member.id).await.unwrap_err(), CONNECT_AGAIN);
        lent.desk.do_this(Fault::None);
        auth.token(wren.id).await.unwrap();
    }
}

on_both_databases! {
    async fn a_lost_answer_of_a_server_that_rotates_means_to_connect_again(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        let (first, before) = (auth.token(member).await.unwrap(), lent.row().await.unwrap());
        lent.pass(240);
        lent.desk.do_this(Fault::Lose);
        assert_eq!(sent(&auth.token(member).await.unwrap()), sent(&first), "for a minute the old one still serves");
        let lost = TokenError::NoAnswer { host: "127.0.0.1".to_owned(), cause: EgressError::NoAnswer };
        assert_eq!(auth.state(member).failure, Some(lost));
        let after = lent.row().await.unwrap();
        assert_eq!((after.rotation, after.state), (before.rotation, PatientTokensState::Good));
        lent.desk.do_this(Fault::None);
        lent.pass(60);
        assert_eq!(auth.token(member).await.unwrap_err(), CONNECT_AGAIN, "the server takes it for a theft");
        assert_eq!(lent.desk.asked(), 2);
    }
}

on_both_databases! {
    async fn a_lost_answer_of_a_server_that_does_not_rotate_means_nothing(database) {
        let Some(lent) = Lent::with(database, "launch-steady").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        lent.pass(300);
        lent.desk.do_this(Fault::Lose);
        assert_eq!(auth.token(member).await.unwrap_err().code(), "token-no-answer");
        lent.desk.do_this(Fault::None);
        lent.pass(11);
        auth.token(member).await.unwrap();
    }
}

/// Renews up to where the answer is there and cannot be stored, and drops the future there. Returns what was in the row.
async fn interrupted_before_it_is_stored(
    lent: &Lent,
    auth: &mostik::delivery::smart_auth::patient::PatientAuth,
) -> i64 {
    let before = lent.row().await.unwrap().rotation;
    let mut tx = lent.bridge.bridge.store.begin().await.unwrap();
    assert!(tx.delete_patient_tokens(&riverside(), lent.member.id).await.unwrap(), "now the row is locked");
    tokio::select! {
        token = auth.token(lent.member.id) => panic!("used before it is stored: {token:?}"),
        () = until(|| auth.has_unstored(lent.member.id)) => {}
    }
    drop(tx);
    let row = lent.row().await.unwrap();
    assert_eq!((row.rotation, row.state), (before, PatientTokensState::Good));
    before
}

on_both_databases! {
    async fn an_answer_that_could_not_be_stored_is_stored_before_anything_else(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        lent.pass(300);
        let before = interrupted_before_it_is_stored(&lent, &auth).await;
        let token = auth.token(member).await.unwrap();
        assert_eq!((lent.desk.asked(), lent.row().await.unwrap().rotation), (1, before + 1));
        assert!(!auth.has_unstored(member));
        let restarted = lent.process();
        assert_eq!(sent(&restarted.token(member).await.unwrap()), sent(&token));
        lent.pass(300);
        restarted.token(member).await.unwrap();
    }
}

on_both_databases! {
    async fn a_process_that_dies_before_it_stores_leaves_the_old_token_to_the_next(database) {
        for (client_id, database) in [("launch-public", database), ("launch-steady", crate::support::database::Database::sqlite())] {
            let Some(lent) = Lent::with(database, client_id).await else { return };
            let auth = lent.process();
            lent.pass(300);
            interrupted_before_it_is_stored(&lent, &auth).await;
            drop(auth);
            let after = lent.process().token(lent.member.id).await;
            let row = lent.row().await.unwrap();
            match client_id {
                "launch-steady" => assert!(after.is_ok() && row.state == PatientTokensState::Good),
                _ => assert_eq!((after.unwrap_err(), row.state), (CONNECT_AGAIN, PatientTokensState::Refused)),
            }
        }
    }
}

on_both_databases! {
    async fn a_revocation_during_a_renewal_wins(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, grant) = (lent.process(), lent.bridge.grant(&lent.member, &["mood"]).await);
        lent.pass(300);
        let gate = lent.desk.hold();
        let (renewed, ()) = tokio::join!(auth.token(lent.member.id), async {
            until(|| lent.desk.asked() == 1).await;
            assert_eq!(lent.bridge.change_grant(&lent.member, &grant, "revoke").await.status, 200);
            gate.add_permits(1);
        });
        assert_eq!(renewed.unwrap_err(), TokenError::Connect(Connect::First));
        assert!(lent.row().await.is_none());
        assert!(auth.at_hand(lent.member.id).is_none());
    }
}

/// Renews; while the server's answer is on its way, the member launches anew, perhaps after they had revoked.
async fn launches_during_a_renewal(lent: &Lent, after_a_revocation: bool) {
    let (auth, member, again) = (lent.process(), lent.member.id, lent.launch_again().await);
    lent.pass(300);
    let (issued_at, expires_at) = (lent.bridge.now(), TokenSet::end(lent.bridge.now(), Some(300)).unwrap());
    let again = TokenSet { issued_at, expires_at, ..again };
    let gate = lent.desk.hold();
    let (renewed, ()) = tokio::join!(auth.token(member), async {
        until(|| lent.desk.asked() == 1).await;
        if after_a_revocation {
            let mut tx = lent.bridge.bridge.store.begin().await.unwrap();
            assert!(tx.delete_patient_tokens(&riverside(), member).await.unwrap());
            tx.commit().await.unwrap();
        }
        launch::store(&lent.bridge, member, &again).await;
        gate.add_permits(1);
    });
    let other = lent.process().token(member).await.unwrap();
    assert_eq!(sent(&renewed.unwrap()), sent(&other));
    assert!(sent(&other).ends_with(again.access.expose_secret()));
}

on_both_databases! {
    async fn a_launch_during_a_renewal_wins(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        launches_during_a_renewal(&lent, false).await;
    }
}

on_both_databases! {
    async fn a_launch_after_a_revocation_during_a_renewal_wins_too(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        launches_during_a_renewal(&lent, true).await;
    }
}

on_both_databases! {
    async fn a_refusal_of_what_was_replaced_in_the_meantime_does_not_count(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, again) = (lent.process(), lent.launch_again().await);
        lent.pass(240);
        lent.process().token(lent.member.id).await.unwrap();
        launch::store(&lent.bridge, lent.member.id, &TokenSet { refresh: lent.tokens.refresh.clone(), ..again.clone() }).await;
        lent.pass(60);
        let gate = lent.desk.hold();
        let (refused, ()) = tokio::join!(auth.token(lent.member.id), async {
            until(|| lent.desk.asked() == 2).await;
            launch::store(&lent.bridge, lent.member.id, &again).await;
            gate.add_permits(1);
        });
        assert_eq!(refused.unwrap_err().code(), "token-not-kept", "tried again later");
        assert_eq!(lent.row().await.unwrap().state, PatientTokensState::Good);
        gate.add_permits(1);
        lent.pass(11);
        auth.token(lent.member.id).await.unwrap();
    }
}

on_both_databases! {
    async fn of_two_processes_that_renew_the_same_one_stores_and_both_use_that(database) {
        let Some(lent) = Lent::with(database, "launch-steady").await else { return };
        let (one, other, before) = (lent.process(), lent.process(), lent.row().await.unwrap().rotation);
        lent.pass(300);
        let gate = lent.desk.hold();
        let (first, second, ()) = tokio::join!(one.token(lent.member.id), other.token(lent.member.id), async {
            until(|| lent.desk.asked() == 2).await;
            gate.add_permits(2);
        });
        assert_eq!(sent(&first.unwrap()), sent(&second.unwrap()));
        assert_eq!(lent.row().await.unwrap().rotation, before + 1);
    }
}

on_both_databases! {
    async fn a_token_is_not_lost_for_a_wrong_content_type(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        lent.pass(300);
        lent.desk.do_this(Fault::As("text/html"));
        lent.process().token(lent.member.id).await.unwrap();
    }
}

on_both_databases! {
    async fn what_waited_for_the_member_goes_on_when_they_connect(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        lent.bridge.grant(&lent.member, &["mood"]).await;
        assert_eq!(lent.bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
        let now = lent.bridge.now();
        let later = |hours| now + SignedDuration::from_hours(hours);
        let mut tx = lent.bridge.bridge.store.begin().await.unwrap();
        let lane = tx.lease_lanes(&riverside(), now, later(1), 1).await.unwrap().lanes.remove(0);
        tx.park_lane(&lane.key, later(100)).await.unwrap();
        assert!(tx.lease_lanes(&riverside(), later(2), later(3), 1).await.unwrap().lanes.is_empty());
        tx.commit().await.unwrap();
        launch::store(&lent.bridge, lent.member.id, &lent.tokens).await;
        let mut tx = lent.bridge.bridge.store.begin().await.unwrap();
        assert_eq!(tx.lease_lanes(&riverside(), later(2), later(3), 1).await.unwrap().lanes.len(), 1);
    }
}
