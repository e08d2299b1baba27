//! An agent that does what a message's own words tell it to, for public conformance kits and for measurements.
//!
//! `cargo run --release -p a2a --example scripted_agent -- --listen 127.0.0.1:PORT [--reduced] [--require-extension]
//! [--pure] [--no-grpc] [--data FOLDER] [--token SECRET] [--sign FILE] [--tls CHAIN KEY]`. It speaks every binding at that
//! one address. `--reduced` turns streaming, push notifications and the extended card off. `--require-extension` insists
//! on an extension. `--pure` speaks 1.0 alone, with a card that says nothing to older clients; `--no-grpc` leaves that
//! binding out. `--data` keeps tasks in a store there; without it they live in memory. `--token` asks for a bearer token
//! or API key. `--sign` signs the card with a fresh key and writes its public half, a JSON Web Key, to the file. `--tls`
//! serves over TLS with a chain of certificates and a key, both PEM. Webhooks on this machine are allowed.

#![expect(clippy::print_stderr, reason = "an example says where it is and what went wrong")]

mod script;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use a2a::model::{AgentCapabilities, AgentCard, AgentExtension, AgentProvider, AgentSkill};
use a2a::outbound::Reach;
use a2a::server::tls::{TlsIdentity, TlsListener, TlsPeer};
use a2a::server::{Access, Server, ServerSettings, grpc_interface, interfaces, sockets};
use a2a::signing::SigningKey;
use a2a::tasks::{Limits, Tasks};
use a2a::{Caller, Service};
use axum::Router;
use script::Scripted;
use store::{Log, SqliteStore};
use tokio::net::TcpListener;

/// What the reduced agent insists on; the name is the one that the compliance kit knows.
const REQUIRED_EXTENSION: &str = "urn:a2a:tck:required-extension";

#[derive(Default)]
struct Arguments {
    listen: String,
    reduced: bool,
    require_extension: bool,
    pure: bool,
    no_grpc: bool,
    data: Option<PathBuf>,
    token: Option<String>,
    sign: Option<PathBuf>,
    tls: Option<(PathBuf, PathBuf)>,
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments { listen: "127.0.0.1:9999".to_owned(), ..Arguments::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--listen" => arguments.listen = value()?,
            "--reduced" => arguments.reduced = true,
            "--require-extension" => arguments.require_extension = true,
            "--pure" => arguments.pure = true,
            "--no-grpc" => arguments.no_grpc = true,
            "--data" => arguments.data = Some(value()?.into()),
            "--token" => arguments.token = Some(value()?),
            "--sign" => arguments.sign = Some(value()?.into()),
            "--tls" => arguments.tls = Some((value()?.into(), value()?.into())),
            _ => return Err(format!("{word} is not known; see the head of this example")),
        }
    }
    Ok(arguments)
}

fn card(base: &str, arguments: &Arguments, access: &Access) -> AgentCard {
    let full = !arguments.reduced;
    let modes = |modes: &[&str]| modes.iter().map(|mode| (*mode).to_owned()).collect::<Vec<_>>();
    let required = AgentExtension {
        uri: REQUIRED_EXTENSION.to_owned(),
        description: "Shows that a required extension is insisted on.".to_owned(),
        required: true,
        ..AgentExtension::default()
    };
    let mut card = AgentCard {
        name: "darwind scripted agent".to_owned(),
        description: "Does what the words of a message tell it to, for conformance kits.".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        supported_interfaces: interfaces(base, !arguments.pure),
        provider: Some(AgentProvider { organization: "darwind".to_owned(), url: base.to_owned() }),
        documentation_url: Some(format!("{base}/.well-known/agent-card.json")),
        capabilities: AgentCapabilities {
            streaming: Some(full),
            push_notifications: Some(full),
            extended_agent_card: Some(full),
            extensions: if arguments.require_extension { vec![required] } else { Vec::new() },
        },
        default_input_modes: modes(&[
            "text/plain",
            "application/json",
            "application/octet-stream",
            "application/pdf",
            "image/png",
        ]),
        default_output_modes: modes(&["text/plain", "application/json"]),
        skills: vec![AgentSkill {
            id: "script".to_owned(),
            name: "Follow the script".to_owned(),
            description: "Begin a message with echo, or with the name of a conformance kit's behaviour."
                .to_owned(),
            tags: modes(&["echo", "conformance"]),
            examples: modes(&["echo hello"]),
            ..AgentSkill::default()
        }],
        ..AgentCard::default()
    };
    if !arguments.no_grpc {
        // After the other bindings of 1.0, of which the first is the preferred one.
        card.supported_interfaces.splice(2..2, grpc_interface(base));
    }
    access.declare(&mut card);
    card
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(&arguments.listen).await?;
    let scheme = if arguments.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{}", listener.local_addr()?);
    let access = match &arguments.token {
        Some(token) => Access::secrets([(token.as_str(), Caller::named("tester"))]),
        None => Access::open(),
    };
    let limits = Limits { max_live: 4096, max_live_per_caller: 4096, ..Limits::default() };
    let tasks = match &arguments.data {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            let log: Arc<dyn Log> = Arc::new(SqliteStore::open(&folder.join("tasks.sqlite"))?);
            Tasks::open(Arc::new(Scripted), limits, log)?
        }
        None => Tasks::in_memory(Arc::new(Scripted), limits),
    };
    let mut card = card(&base, &arguments, &access);
    if let Some(file) = &arguments.sign {
        let key = SigningKey::from_pkcs8(&SigningKey::generate()?, "scripted")?;
        key.sign(&mut card)?;
        std::fs::write(file, key.public().to_jwk().to_string())?;
    }
    let mut extended = card.clone();
    extended.description.push_str(" This is the extended card.");
    let extended = Some(extended).filter(|_| !arguments.reduced);
    let reach = Reach { loopback: true, ..Reach::default() };
    let service = Service::new(card, extended, tasks, reach)?;
    let settings =
        ServerSettings { access, rate: None, older_versions: !arguments.pure, ..ServerSettings::default() };
    let server = Server::new(service, settings)?;
    let grpc = if arguments.no_grpc { Router::new() } else { server.grpc_router() };
    let router = server.router().merge(grpc);
    eprintln!("scripted agent at {base}/.well-known/agent-card.json");
    tokio::select! {
        outcome = listen(listener, router, arguments.tls) => outcome,
        // Without the signal the process is ended the hard way, which is as good.
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn listen(
    listener: TcpListener,
    router: Router,
    tls: Option<(PathBuf, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    if let Some((chain, key)) = tls {
        let listener = TlsListener::new(listener, TlsIdentity::from_files(&chain, &key)?.with_http2())?;
        axum::serve(listener, router.into_make_service_with_connect_info::<TlsPeer>()).await?;
        return Ok(());
    }
    axum::serve(sockets::prepared(listener), router.into_make_service_with_connect_info::<SocketAddr>())
        .await?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
