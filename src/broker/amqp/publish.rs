//! The publishing side: one task owns the connection and its one confirming channel.
//!
//! Callers hand it requests; it publishes what has arrived as one batch, awaits
//! all of the batch's confirms, and only then says what became of each message.
//! RabbitMQ returns an unroutable message before it confirms it, but lapin may
//! hang the return on another message's confirm; so returns are collected over
//! the whole batch and matched by `message_id`.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{info, warn};

use super::connection::{Dialer, LOOK, Link, STEADY, failed, open_channel, within};
use super::topology::Layout;
use crate::broker::{BrokerError, Published};

/// Messages that are published before their confirms are awaited.
pub(super) const BATCH: usize = 512;

/// Requests that wait for the broker at most; further callers wait to hand theirs in.
pub(super) const WAITING: usize = 1024;

/// What became of one message.
pub(super) type Verdict = Result<Published, BrokerError>;

/// A message to be published.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) routing_key: ShortString,
    pub(super) id: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

/// Messages of one caller, all for one exchange.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) exchange: ShortString,
    pub(super) messages: Vec<Outgoing>,
    /// When its caller gives up on a broker that cannot be reached.
    pub(super) deadline: Instant,
    /// One verdict a message, in order.
    pub(super) reply: oneshot::Sender<Vec<Verdict>>,
}

impl Request {
    fn answer(self, verdicts: Vec<Verdict>) {
        // A caller that went away needs no answer.
        drop(self.reply.send(verdicts));
    }

    fn refuse(self, why: &BrokerError) {
        let verdicts = self.messages.iter().map(|_| Err(why.clone())).collect();
        self.answer(verdicts);
    }
}

/// The task that publishes.
#[derive(Debug)]
pub(super) struct Publisher {
    dialer: Dialer,
    layout: Layout,
    link: Arc<Link>,
    waiting: Waiting,
    confirm_within: Duration,
}

impl Publisher {
    pub(super) fn new(
        dialer: Dialer,
        layout: Layout,
        link: Arc<Link>,
        requests: mpsc::Receiver<Request>,
        confirm_within: Duration,
    ) -> Self {
        let waiting = Waiting { requests, queue: VecDeque::new() };
        Self { dialer, layout, link, waiting, confirm_within }
    }

    /// Publishes for as long as its owner lets it, across any number of connections.
    pub(super) async fn run(mut self) {
        let mut pauses = self.dialer.pauses();
        let mut why = BrokerError::Unavailable("not connected yet".into());
        loop {
            let opening = open(&self.dialer, &self.layout);
            why = match self.waiting.hold(&why, opening).await {
                Ok(session) => {
                    info!(broker = self.dialer.shown(), "publishing to {}", self.dialer.shown());
                    self.link.show(Some(session.connection.clone()));
                    let since = Instant::now();
                    let failure = self.serve(&session).await;
                    if since.elapsed() > STEADY {
                        pauses = self.dialer.pauses();
                    }
                    failure
                }
                Err(failure) => failure,
            };
            self.link.show(None);
            let pause = pauses.next();
            warn!(broker = self.dialer.shown(), error = %why, pause_ms = pause.as_millis() as u64,
                "cannot publish to {} ({why}); trying again", self.dialer.shown());
            why = unsent(why);
            self.waiting.hold(&why, sleep(pause)).await;
        }
    }

    /// Publishes batch after batch on one connection, until that is no good any more.
    async fn serve(&mut self, session: &Session) -> BrokerError {
        loop {
            if !session.stands() {
                return BrokerError::Unavailable("the connection was lost".into());
            }
            self.sit_out_alarm(session).await;
            tokio::select! {
                () = self.waiting.arrive() => {}
                () = sleep(LOOK) => continue,
            }
            // What came after the connection was lost or blocked can wait.
            if !session.stands() || session.blocked() {
                continue;
            }
            let batch = self.waiting.batch();
            if let Err(failure) = session.publish(batch, self.confirm_within).await {
                // A new connection would be blocked as well, after its first publish.
                self.sit_out_alarm(session).await;
                return failure;
            }
        }
    }

    /// Waits while the broker blocks publishers: lapin writes nothing at all on such a connection.
    async fn sit_out_alarm(&mut self, session: &Session) {
        if !session.blocked() || !session.stands() {
            return;
        }
        warn!(
            broker = self.dialer.shown(),
            "{} blocks publishers (memory or disk alarm)",
            self.dialer.shown()
        );
        while session.blocked() && session.stands() {
            self.waiting.hold(&alarm(), sleep(LOOK)).await;
        }
        info!(broker = self.dialer.shown(), "{} blocks publishers no more", self.dialer.shown());
    }
}

/// What a failed connection means for messages that never reached it.
fn unsent(why: BrokerError) -> BrokerError {
    match why {
        BrokerError::NoConfirm(limit) => {
            BrokerError::Unavailable(format!("reconnecting, after no confirm in {limit:?}"))
        }
        BrokerError::Unavailable(_) | BrokerError::Refused(_) | BrokerError::Topology(_) => why,
    }
}

fn alarm() -> BrokerError {
    BrokerError::Unavailable("it blocks publishers (memory or disk alarm)".into())
}

/// Requests that are not published yet.
#[derive(Debug)]
struct Waiting {
    requests: mpsc::Receiver<Request>,
    queue: VecDeque<Request>,
}

impl Waiting {
    /// Ends when there is something to publish.
    async fn arrive(&mut self) {
        if self.queue.is_empty() {
            self.take_in().await;
        }
    }

    async fn take_in(&mut self) {
        match self.requests.recv().await {
            Some(request) => self.queue.push_back(request),
            // All callers are gone; the task's owner ends it.
            None => std::future::pending().await,
        }
    }

    /// What waits for the first one's exchange, up to a batch. A missing exchange ends the channel
    /// and all that is under way on it, so messages for two exchanges never share a batch.
    fn batch(&mut self) -> Vec<Request> {
        while self.queue.len() < WAITING
            && let Ok(request) = self.requests.try_recv()
        {
            self.queue.push_back(request);
        }
        let Some(exchange) = self.queue.front().map(|first| first.exchange.clone()) else {
            return Vec::new();
        };
        let mut messages = 0;
        let mut batch = Vec::new();
        for request in std::mem::take(&mut self.queue) {
            if request.reply.is_closed() {
                continue;
            }
            if request.exchange == exchange && messages < BATCH {
                messages += request.messages.len();
                batch.push(request);
            } else {
                self.queue.push_back(request);
            }
        }
        batch
    }

    /// Runs some work while nothing can be published: requests are refused when their time is up,
    /// or at once when it is the topology that must be mended.
    async fn hold<T>(&mut self, why: &BrokerError, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let hopeless = matches!(why, BrokerError::Topology(_));
            let now = Instant::now();
            for request in std::mem::take(&mut self.queue) {
                if hopeless || request.deadline <= now {
                    request.refuse(why);
                } else {
                    self.queue.push_back(request);
                }
            }
            let first = self.queue.iter().map(|request| request.deadline).min();
            let full = self.queue.len() >= WAITING;
            tokio::select! {
                done = &mut work => return done,
                () = sleep_until(first.unwrap_or(now)), if first.is_some() => {}
                () = self.take_in(), if !full => {}
            }
        }
    }
}

/// One connection with its confirming channel.
struct Session {
    connection: Arc<Connection>,
    channel: Channel,
}

async fn open(dialer: &Dialer, layout: &Layout) -> Result<Session, BrokerError> {
    let connection = Arc::new(dialer.dial("publish").await?);
    let channel = open_channel(&connection).await?;
    within("ask for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    layout.ensure(&connection).await?;
    Ok(Session { connection, channel })
}

impl Session {
    fn stands(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    fn blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Publishes a batch and tells each caller what became of its messages.
    ///
    /// # Errors
    /// When the channel is no good any more: an unanswered confirm, or a lost connection.
    async fn publish(&self, batch: Vec<Request>, limit: Duration) -> Result<(), BrokerError> {
        let deadline = Instant::now() + limit;
        let mut seen = Seen::default();
        let mut confirms = Vec::new();
        for request in &batch {
            for message in &request.messages {
                if seen.failure.is_none() {
                    match self.send(&request.exchange, message, deadline, limit).await {
                        Ok(confirm) => confirms.push(confirm),
                        Err(error) => seen.fail(error),
                    }
                }
            }
        }
        for confirm in confirms {
            match timeout_at(deadline, confirm).await {
                Ok(Ok(confirmation)) => seen.confirm(confirmation),
                Ok(Err(error)) => seen.lose(failed("publish", &error)),
                Err(_) => seen.lose(BrokerError::NoConfirm(limit)),
            }
        }
        let mut answers = seen.answers.into_iter();
        for request in batch {
            let verdicts = request.messages.iter().map(|message| {
                let answer = answers.next().unwrap_or(Answer::Lost);
                verdict(message, answer, &seen.returned, seen.failure.as_ref())
            });
            let verdicts = verdicts.collect();
            request.answer(verdicts);
        }
        seen.failure.map_or(Ok(()), Err)
    }

    async fn send(
        &self,
        exchange: &ShortString,
        message: &Outgoing,
        deadline: Instant,
        limit: Duration,
    ) -> Result<PublisherConfirm, BrokerError> {
        let published = self.channel.basic_publish(
            exchange.clone(),
            message.routing_key.clone(),
            BasicPublishOptions { mandatory: true, immediate: false },
            &message.body,
            message.properties.clone().with_message_id(message.id.as_str().into()),
        );
        match timeout_at(deadline, published).await {
            Ok(Ok(confirm)) => Ok(confirm),
            Ok(Err(error)) => Err(failed("publish", &error)),
            Err(_) => Err(BrokerError::NoConfirm(limit)),
        }
    }
}

/// What the broker said of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Acked,
    Nacked,
    Lost,
}

/// What the broker said of a batch.
#[derive(Debug, Default)]
struct Seen {
    /// In the order of publishing.
    answers: Vec<Answer>,
    /// The `message_id`s of returned messages, whichever confirm brought them.
    returned: HashSet<String>,
    /// Why the batch is not whole.
    failure: Option<BrokerError>,
}

impl Seen {
    fn confirm(&mut self, confirmation: Confirmation) {
        self.answers.push(if confirmation.is_nack() { Answer::Nacked } else { Answer::Acked });
        let returned = confirmation.take_message();
        let id = returned.as_ref().and_then(|message| message.properties.message_id().as_ref());
        self.returned.extend(id.map(ShortString::to_string));
    }

    fn lose(&mut self, error: BrokerError) {
        self.answers.push(Answer::Lost);
        self.fail(error);
    }

    /// Keeps the first failure, but for one that names the cause.
    fn fail(&mut self, error: BrokerError) {
        if self.failure.is_none() || matches!(error, BrokerError::Topology(_)) {
            self.failure = Some(error);
        }
    }
}

/// What became of a message, from all that its batch saw. When the batch is not whole, a return
/// may be missing too: then only what is certain is said.
fn verdict(
    message: &Outgoing,
    answer: Answer,
    returned: &HashSet<String>,
    failure: Option<&BrokerError>,
) -> Verdict {
    match (answer, failure) {
        (Answer::Nacked, _) => Err(BrokerError::Refused("a queue is full, or failed".into())),
        (Answer::Acked, _) if returned.contains(&message.id) => Ok(Published::Unrouted),
        (Answer::Acked, None) => Ok(Published::Routed),
        (Answer::Acked | Answer::Lost, Some(failure)) => Err(failure.clone()),
        (Answer::Lost, None) => Err(BrokerError::Unavailable("it was not published".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Outgoing {
        let (routing_key, properties) = (ShortString::default(), BasicProperties::default());
        Outgoing { routing_key, id: id.into(), properties, body: Vec::new() }
    }

    fn request(exchange: &str, deadline: Instant) -> (Request, oneshot::Receiver<Vec<Verdict>>) {
        let (reply, answered) = oneshot::channel();
        let messages = vec![message("a"), message("b")];
        (Request { exchange: exchange.into(), messages, deadline, reply }, answered)
    }

    fn waiting() -> (mpsc::Sender<Request>, Waiting) {
        let (sender, requests) = mpsc::channel(8);
        (sender, Waiting { requests, queue: VecDeque::new() })
    }

    #[test]
    fn a_batch_that_is_not_whole_says_only_what_is_certain() {
        let returned = HashSet::from(["b".to_owned()]);
        let lost = BrokerError::NoConfirm(Duration::from_secs(5));
        let say = |id, answer, failure| verdict(&message(id), answer, &returned, failure);
        assert_eq!(say("a", Answer::Acked, None), Ok(Published::Routed));
        assert_eq!(say("b", Answer::Acked, None), Ok(Published::Unrouted));
        assert_eq!(say("a", Answer::Acked, Some(&lost)), Err(lost.clone()));
        assert_eq!(say("b", Answer::Acked, Some(&lost)), Ok(Published::Unrouted));
        assert_eq!(say("b", Answer::Lost, Some(&lost)), Err(lost.clone()));
        assert!(matches!(say("a", Answer::Nacked, None), Err(BrokerError::Refused(_))));
    }

    #[tokio::test]
    async fn a_batch_goes_to_one_exchange_and_leaves_out_who_went_away() {
        let (sender, mut waiting) = waiting();
        let later = Instant::now() + Duration::from_secs(60);
        let mut answers = Vec::new();
        for exchange in ["in", "out", "in", "in"] {
            let (request, answered) = request(exchange, later);
            sender.send(request).await.unwrap();
            answers.push(answered);
        }
        answers.pop();
        assert_eq!(
            (waiting.batch().len(), waiting.batch().len(), waiting.batch().len()),
            (2, 1, 0)
        );
    }

    #[tokio::test]
    async fn requests_wait_for_the_broker_until_their_time_is_up() {
        let (sender, mut waiting) = waiting();
        let gone = BrokerError::Unavailable("gone".into());
        let (early, answered) = request("in", Instant::now() + Duration::from_millis(20));
        let (late, mut unanswered) = request("in", Instant::now() + Duration::from_secs(60));
        sender.send(early).await.unwrap();
        sender.send(late).await.unwrap();
        let verdicts = waiting.hold(&gone, answered).await.unwrap();
        assert_eq!(verdicts, [Err(gone.clone()), Err(gone)]);
        assert!(unanswered.try_recv().is_err());
        assert_eq!(waiting.batch().len(), 1);
    }

    #[tokio::test]
    async fn requests_are_refused_at_once_when_the_topology_must_be_mended() {
        let (sender, mut waiting) = waiting();
        let missing = BrokerError::Topology("missing: exchange gleaner.in".into());
        let (request, answered) = request("in", Instant::now() + Duration::from_secs(60));
        sender.send(request).await.unwrap();
        let verdicts = waiting.hold(&missing, answered).await.unwrap();
        assert_eq!(verdicts, [Err(missing.clone()), Err(missing)]);
    }
}
