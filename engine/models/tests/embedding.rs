//! Embeddings from a scripted endpoint over real sockets: asked for once, retried, paid for, recorded, and had again without
//! the endpoint.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use models::scripted::{Endpoint, Reply};
use models::{
    Budget, Embedder, EmbedderOptions, Exchanges, Limits, ModelError, Poor, Purse, RecordedEmbeddings,
    Secret, Space,
};
use std::sync::Arc;
use std::time::Duration;
use store::{Log, MemoryStore};

const STREAM: &str = "exchanges/test";
const KEY: &str = "sk-very-secret";

struct Table {
    endpoint: Endpoint,
    log: Arc<MemoryStore>,
    purse: Arc<Purse>,
    space: Space,
}

impl Table {
    fn new(replies: Vec<Reply>) -> Self {
        Self {
            endpoint: Endpoint::answering(replies).unwrap(),
            log: Arc::new(MemoryStore::new()),
            purse: Arc::new(Purse::default()),
            space: Space { model: "e".to_owned(), dimensions: Some(2) },
        }
    }

    fn exchanges(&self) -> Arc<Exchanges> {
        let log: Arc<dyn Log> = self.log.clone();
        Arc::new(Exchanges::open(log, STREAM, || 7).unwrap())
    }

    fn embedder(&self) -> Embedder {
        let options = EmbedderOptions {
            endpoint: self.endpoint.url(),
            space: self.space.clone(),
            key: Some(Secret::new(KEY)),
            limits: Limits::within(Duration::from_secs(30)),
            price: Some(2.0),
        };
        Embedder::open(options, self.exchanges(), self.purse.clone()).unwrap()
    }
}

#[test]
fn a_text_is_embedded_once_and_had_again_without_the_endpoint() {
    let vector = vec![0.1, -2.5e-7, 3.0];
    let table = Table::new(vec![Reply::Embedding(vector.clone())]);
    let embedder = table.embedder();
    let embedded = embedder.embed("two words").unwrap();
    assert_eq!((&embedded.vector, embedded.reused), (&vector, false));
    assert!((embedded.cost_usd.unwrap() - embedded.usage.input as f64 * 2.0 / 1e6).abs() < 1e-15);
    let again = embedder.embed("two words").unwrap();
    assert_eq!((again.vector, again.reused), (vector.clone(), true));
    // The next process has the record, and knows what was spent.
    let exchanges = table.exchanges();
    assert_eq!((exchanges.tally().calls, exchanges.tally().tokens), (1, embedded.usage.input));
    let recorded = RecordedEmbeddings::new(exchanges, table.space.clone());
    assert_eq!(recorded.embed("two words").unwrap().vector, vector);
    assert!(matches!(recorded.embed("other words"), Err(ModelError::Missing { .. })));
    let [asked] = &table.endpoint.asked()[..] else { panic!("it was asked for once") };
    assert!(asked.path.ends_with("/embeddings") && asked.headers.contains(KEY));
    let body = serde_json::json!({ "model": "e", "input": ["two words"], "encoding_format": "float", "dimensions": 2 });
    assert_eq!(asked.body, body);
    let records = table.log.read(STREAM, 0, 10).unwrap();
    assert!(records.iter().all(|record| !record.data.to_string().contains(KEY)), "the key shows");
}

#[test]
fn what_can_pass_is_tried_again_and_what_cannot_is_not() {
    let refuse =
        |status, message: &str| Reply::Refuse { status, message: message.to_owned(), retry_after: Some(0) };
    let table = Table::new(vec![refuse(429, "slow down"), refuse(503, "oops"), Reply::Embedding(vec![1.0])]);
    assert_eq!(table.embedder().embed("x").unwrap().vector, [1.0]);
    assert_eq!(table.endpoint.asked().len(), 3);
    let table = Table::new(vec![refuse(501, "This server does not support embeddings")]);
    assert!(table.embedder().embed("x").is_err());
    let table = Table::new(vec![refuse(400, &format!("{KEY} may not have an input of 9000 tokens"))]);
    let error = table.embedder().embed("x").unwrap_err().to_string();
    assert!(error.contains("9000 tokens") && !error.contains(KEY), "{error}");
    assert_eq!(table.endpoint.asked().len(), 1);
}

#[test]
fn what_cannot_be_paid_is_not_asked() {
    let table = Table {
        purse: Arc::new(Purse::new(Budget { tokens: Some(5), usd: None }, 0, 0.0)),
        ..Table::new(vec![Reply::Embedding(vec![1.0])])
    };
    let embedder = table.embedder();
    let error = embedder.embed("many more letters than five tokens have").unwrap_err();
    assert!(matches!(error, ModelError::Poor(Poor::Tokens)), "{error}");
    assert!(table.endpoint.asked().is_empty());
    embedder.embed("few").unwrap();
}
