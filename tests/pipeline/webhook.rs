//! The webhook against a receiver over real HTTP.

use gleaner::monitor::webhook::{NotTaken, Webhook};
use gleaner::settings::WebhookSettings;
use gleaner::store::CompletionEvent;
use uuid::Uuid;

use crate::support::webhook::{Receiver, SECRET};

fn webhook(receiver: &Receiver) -> Webhook {
    let (url, secret) = (receiver.url().into(), SECRET.into());
    Webhook::new(&WebhookSettings { url, secret, timeout_s: 5 }).unwrap().unwrap()
}

fn notice() -> CompletionEvent {
    CompletionEvent {
        id: Uuid::from_u128(7),
        kind: "gleaner.alert.fired".to_owned(),
        routing_key: String::new(),
        body: br#"{"text": "caf\u00e9"}"#.to_vec(),
    }
}

#[tokio::test]
async fn a_post_holds_its_id_and_a_signature_over_the_very_bytes() {
    let receiver = Receiver::refusing(0, 500).await;
    webhook(&receiver).post(&notice()).await.unwrap();
    let [post] = &receiver.posts()[..] else { panic!("one post") };
    assert_eq!(
        (post.id.as_str(), &post.body),
        (Uuid::from_u128(7).to_string().as_str(), &notice().body)
    );
    assert_eq!(post.verified()["text"], "café");
}

#[tokio::test]
async fn whatever_is_no_success_is_not_taken_and_no_redirect_is_followed() {
    for status in [301, 400, 410, 500] {
        let receiver = Receiver::refusing(1, status).await;
        let webhook = webhook(&receiver);
        let refused = webhook.post(&notice()).await;
        assert_eq!(refused, Err(NotTaken::Status(status)));
        assert_eq!(receiver.posts().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_one() {
    let receiver = Receiver::refusing(1, 429).await;
    let webhook = webhook(&receiver);
    assert_eq!(webhook.post(&notice()).await, Err(NotTaken::Status(429)));
    let paused = webhook.post(&notice()).await;
    assert!(matches!(paused, Err(NotTaken::Paused(left)) if left.as_secs() > 20), "{paused:?}");
    assert_eq!(receiver.posts().len(), 1, "nothing more was sent");
}
