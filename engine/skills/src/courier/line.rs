//! The line to one peer: so many questions at once, each to one of the addresses that its card lists, by the power of two
//! choices over what they cost lately (tower's `p2c` over `PeakEwma`). An address that fails rests: it is taken out of the
//! choice, and the question goes to another.

use a2a::client::{Client, ClientError, ClientSettings, spoken};
use a2a::model::{AgentCard, AgentInterface, GetTaskRequest, SendMessageRequest, SendMessageResponse};
use futures_util::Stream;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tower::balance::p2c::Balance;
use tower::discover::Change;
use tower::limit::ConcurrencyLimit;
use tower::load::{CompleteOnResponse, PeakEwma};
use tower::{BoxError, Service, ServiceExt};

/// Questions to one peer at once; more wait.
const MAX_AT_ONCE: usize = 8;
/// Addresses of one card that are used, the first ones.
const MAX_ADDRESSES: usize = 8;
/// Changes of the choice that wait for the next question to heed them. Of each address at most two do.
const MAX_CHANGES: usize = 4 * MAX_ADDRESSES;
/// What an address is taken to cost before it has answered: little, so that each is tried early.
const FIRST_GUESS: Duration = Duration::from_millis(5);
/// How fast the memory of what an address cost fades, in nanoseconds: after this time a peak counts 1/e.
const DECAY_NS: f64 = 30e9;
/// How long an address rests after a failure; doubled after each further one in a row.
const FIRST_REST: Duration = Duration::from_secs(1);
/// Longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Clone)]
pub(super) enum Question {
    Say(Arc<SendMessageRequest>),
    Look(Arc<GetTaskRequest>),
}

/// The line to one peer.
pub(super) struct Line {
    pub(super) card: AgentCard,
    /// When the card was fetched.
    pub(super) fetched: Instant,
    shared: Arc<Shared>,
}

struct Shared {
    balance: tokio::sync::Mutex<ConcurrencyLimit<Balance<Changes, Question>>>,
    doors: Mutex<Doors>,
}

impl Line {
    /// A line to the agent of that card.
    pub(super) fn to(card: AgentCard, settings: &ClientSettings) -> Result<Self, ClientError> {
        let interfaces: Vec<AgentInterface> =
            spoken(&card, &settings.bindings)?.into_iter().take(MAX_ADDRESSES).cloned().collect();
        let clients =
            interfaces.iter().map(|one| Client::at(card.clone(), one, settings.clone()).map(Arc::new));
        let (sender, receiver) = channel(MAX_CHANGES);
        let doors = Doors::of(clients.collect::<Result<_, _>>()?, sender);
        let balance = ConcurrencyLimit::new(Balance::new(Changes(receiver)), MAX_AT_ONCE);
        let shared = Shared { balance: tokio::sync::Mutex::new(balance), doors: Mutex::new(doors) };
        Ok(Self { card, fetched: Instant::now(), shared: Arc::new(shared) })
    }

    /// The same line, whose card was fetched anew and says the same.
    pub(super) fn seen_again(&self, fetched: Instant) -> Self {
        Self { card: self.card.clone(), fetched, shared: self.shared.clone() }
    }

    /// Asks at one address, and where that is down at another, at each once at most. All that is asked of peers may be asked
    /// twice: they measure again, and know a package by its digest.
    ///
    /// # Errors
    /// Those of the last address.
    pub(super) async fn ask(&self, question: Question) -> Result<SendMessageResponse, ClientError> {
        let mut left = self.shared.doors().all.len();
        loop {
            self.shared.doors().let_back(Instant::now());
            left = left.saturating_sub(1);
            match self.once(question.clone()).await {
                Ok((door, answer)) => {
                    self.shared.doors().answered(door);
                    return Ok(answer);
                }
                Err(Unanswered { door: Some(door), error }) if is_down(&error) => {
                    self.shared.doors().failed(door, Instant::now());
                    if left == 0 {
                        return Err(error);
                    }
                }
                Err(Unanswered { error, .. }) => return Err(error),
            }
        }
    }

    async fn once(&self, question: Question) -> Result<(usize, SendMessageResponse), Unanswered> {
        let asked = {
            let mut balance = self.shared.balance.lock().await;
            balance.ready().await.map_err(unanswered)?.call(question)
        };
        asked.await.map_err(unanswered)
    }
}

impl Shared {
    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an address, and not the agent behind it, is at fault.
pub(super) fn is_down(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable(_) | ClientError::Malformed(_))
}

/// Why there is no answer, and at which address.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct Unanswered {
    door: Option<usize>,
    error: ClientError,
}

/// The balance hides what kind of error it passes on.
fn unanswered(error: BoxError) -> Unanswered {
    match error.downcast::<Unanswered>() {
        Ok(unanswered) => *unanswered,
        Err(other) => Unanswered { door: None, error: ClientError::Unreachable(other.to_string()) },
    }
}

/// One address.
struct Door {
    number: usize,
    client: Arc<Client>,
}

impl Service<Question> for Door {
    type Response = (usize, SendMessageResponse);
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, question: Question) -> Self::Future {
        let (number, client) = (self.number, self.client.clone());
        Box::pin(async move {
            let answered = match question {
                Question::Say(request) => client.send(&request).await,
                Question::Look(request) => client.get(&request).await.map(SendMessageResponse::Task),
            };
            answered.map(|answer| (number, answer)).map_err(|error| Unanswered { door: Some(number), error })
        })
    }
}

/// All addresses, and which of them may be chosen now.
struct Doors {
    all: Vec<Standing>,
    sender: Sender<Changed>,
}

/// How an address stands.
struct Standing {
    client: Arc<Client>,
    /// Failures in a row.
    failures: u32,
    /// Until when it is not chosen.
    rests_until: Option<Instant>,
}

type Changed = Change<usize, PeakEwma<Door>>;

impl Doors {
    fn of(clients: Vec<Arc<Client>>, sender: Sender<Changed>) -> Self {
        let stand = |client| Standing { client, failures: 0, rests_until: Some(Instant::now()) };
        let mut doors = Self { all: clients.into_iter().map(stand).collect(), sender };
        doors.let_back(Instant::now());
        doors
    }

    fn answered(&mut self, door: usize) {
        if let Some(standing) = self.all.get_mut(door) {
            standing.failures = 0;
        }
    }

    /// Takes an address out of the choice; the last one stays, and all others come back, so that there is always a choice.
    fn failed(&mut self, door: usize, now: Instant) {
        let others = self.all.iter().enumerate().any(|(one, it)| one != door && it.rests_until.is_none());
        let Some(standing) = self.all.get_mut(door) else { return };
        let doublings = standing.failures.min(16);
        standing.failures += 1;
        if others {
            let rest = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
            // It may rest already, when several were asking there at once.
            if standing.rests_until.replace(now + rest).is_none() {
                self.tell(Change::Remove(door));
            }
        } else {
            self.all.iter_mut().for_each(|it| it.rests_until = it.rests_until.map(|_| now));
            self.let_back(now);
        }
    }

    /// Lets addresses back into the choice that have rested.
    fn let_back(&mut self, now: Instant) {
        for number in 0..self.all.len() {
            let Some(standing) = self.all.get_mut(number) else { continue };
            if standing.rests_until.is_some_and(|until| until <= now) {
                standing.rests_until = None;
                let door = Door { number, client: standing.client.clone() };
                let measured = PeakEwma::new(door, FIRST_GUESS, DECAY_NS, CompleteOnResponse::default());
                self.tell(Change::Insert(number, measured));
            }
        }
    }

    fn tell(&self, change: Changed) {
        // There is room: every question heeds what was told before it.
        let _ = self.sender.try_send(change);
    }
}

/// The changes as the balance hears of them.
struct Changes(Receiver<Changed>);

impl Stream for Changes {
    type Item = Result<Changed, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|change| change.map(Ok))
    }
}
