//! Connections as they are wanted by whoever serves the routes: small answers leave at once, and a peer that vanished is
//! noticed though nothing is said to it. A quiet stream of gRPC says nothing between its events, and would hold its
//! caller's place for as long as its task lives.

use std::time::Duration;

use axum::serve::{ListenerExt as _, TapIo};
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_nodelay,
};
use tokio::net::{TcpListener, TcpStream};

/// How long a connection is silent before its peer is asked whether it is there.
pub const PROBE_AFTER: Duration = Duration::from_secs(60);
/// How long it has to answer before it is asked again.
pub const PROBE_PAUSE: Duration = Duration::from_secs(15);
/// How often it is asked in vain before the connection is given up.
pub const MAX_PROBES: u32 = 4;

/// A listener whose connections are prepared as they are accepted.
pub type Prepared = TapIo<TcpListener, fn(&mut TcpStream)>;

/// The listener, its connections prepared as they are accepted.
#[must_use]
pub fn prepared(listener: TcpListener) -> Prepared {
    listener.tap_io(|stream| prepare(stream))
}

/// Prepares a connection that was accepted.
pub fn prepare(stream: &TcpStream) {
    // A socket that refuses is only slower, and its peer is noticed later.
    let _ = set_tcp_nodelay(stream, true);
    let _ = set_tcp_keepidle(stream, PROBE_AFTER);
    let _ = set_tcp_keepintvl(stream, PROBE_PAUSE);
    let _ = set_tcp_keepcnt(stream, MAX_PROBES);
    let _ = set_socket_keepalive(stream, true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::{socket_keepalive, tcp_keepcnt, tcp_keepidle, tcp_nodelay};

    #[tokio::test]
    async fn a_peer_that_vanished_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        prepare(&stream);
        assert!(socket_keepalive(&stream).unwrap() && tcp_nodelay(&stream).unwrap());
        assert_eq!(
            (tcp_keepidle(&stream).unwrap(), tcp_keepcnt(&stream).unwrap()),
            (PROBE_AFTER, MAX_PROBES)
        );
    }
}
