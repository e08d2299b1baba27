//! Peers that answer what no peer should: a gigabyte, nothing at all, nonsense, a redirect. Each is an error in bounded time
//! and memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::json;
use skills::Courier;
use skills::peer::{PeerAddress, PeerError};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Answers every connection with `answer` until the test is over.
fn stranger(answer: impl Fn(TcpStream) + Send + 'static) -> PeerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            answer(stream);
        }
    });
    PeerAddress { url, token: Some("t".to_owned()), key: None }
}

fn text(answer: &'static str) -> PeerAddress {
    stranger(move |mut stream| {
        let _ = stream.write_all(answer.as_bytes());
    })
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_gigabyte_is_not_read() {
    let endless = stranger(|mut stream| {
        let block = [b'x'; 1 << 16];
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            1_u64 << 30
        );
        let mut open = stream.write_all(head.as_bytes()).is_ok();
        let mut written = 0_u64;
        while open && written < 1 << 30 {
            open = stream.write_all(&block).is_ok();
            written += block.len() as u64;
        }
        assert!(written < 1 << 28, "{written} bytes were taken");
    });
    let error = Courier::new().unwrap().look(&endless, PATIENCE).unwrap_err().to_string();
    assert!(error.contains("larger than"), "{error}");
}

#[test]
fn silence_is_not_waited_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let address = PeerAddress { url, token: None, key: None };
    let patience = Duration::from_millis(300);
    let error = Courier::new().unwrap().ask(&address, &json!({ "type": "evolve" }), patience).unwrap_err();
    // Whichever of the two clocks is first.
    assert!(matches!(error, PeerError::TooSlow(_) | PeerError::Client(_)), "{error}");
}

#[test]
fn nonsense_is_an_error_with_a_word() {
    let courier = Courier::new().unwrap();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.0\r\n",
    ] {
        let error = courier.look(&text(answer), PATIENCE).unwrap_err();
        assert!(matches!(error, PeerError::Client(_)), "{answer}: {error}");
    }
}
