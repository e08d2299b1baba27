//! Traces by OpenTelemetry: one a candidate, from the moment it is asked for to its verdict, with a span for its proposal
//! and each of its evaluations. They are read off the events as these are recorded and sent, by a thread of their own, to
//! the endpoint that `OTEL_EXPORTER_OTLP_ENDPOINT` names (OTLP over HTTP, JSON). Without one nothing is done at all.

use crate::failure::Failure;
use evolution::event::Event;
use evolution::id::{CandidateId, Number};
use evolution::ports::Purpose;
use evolution::state::State;
use opentelemetry::trace::{SpanBuilder, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Variables that name the endpoint, by OpenTelemetry's specification of exporters.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// Longest time that the collector may take for what is sent at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// One candidate on its way.
struct Journey {
    whole: Context,
    asked_ms: i64,
    /// When its evaluation began, by purpose.
    evaluations: BTreeMap<Purpose, i64>,
}

/// Follows the candidates of one run.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    run: String,
    journeys: BTreeMap<Number, Journey>,
}

impl Telemetry {
    /// Follows a run if an endpoint is named.
    ///
    /// # Errors
    /// When the endpoint cannot be used.
    pub(crate) fn of_run(run: impl Into<String>) -> Result<Option<Self>, Failure> {
        let is_named = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.iter().any(is_named) {
            return Ok(None);
        }
        let failed = |error: &dyn std::fmt::Display| {
            Failure::usage(
                format!("traces cannot be sent: {error}"),
                format!(
                    "{} names a collector, such as http://127.0.0.1:4318; unset it to send none",
                    ENDPOINTS[0]
                ),
            )
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client().map_err(|error| failed(&error))?)
            .with_protocol(Protocol::HttpJson)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| failed(&error))?;
        let resource = Resource::builder().with_service_name("darwind").build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let tracer = provider.tracer("darwind");
        Ok(Some(Self { provider, tracer, run: run.into(), journeys: BTreeMap::new() }))
    }

    /// Hears of an event that has been recorded.
    pub(crate) fn observe(&mut self, state: &State, event: &Event) {
        let now = state.last_ms;
        match event {
            Event::ProposalRequested(asked) => {
                let attributes = vec![
                    KeyValue::new("darwind.run", self.run.clone()),
                    KeyValue::new("darwind.candidate", state.id(asked.number).to_string()),
                    KeyValue::new("darwind.proposer", asked.proposer.clone()),
                    KeyValue::new("darwind.operator", asked.operator.clone()),
                    KeyValue::new("darwind.parents", format!("{:?}", asked.parents)),
                    KeyValue::new("darwind.learning_rate", asked.learning_rate),
                ];
                let whole = self.begin("candidate", now, attributes, &Context::new());
                let journey = Journey { whole, asked_ms: now, evaluations: BTreeMap::new() };
                self.journeys.insert(asked.number, journey);
            }
            Event::ProposalDiscarded(it) => {
                self.proposed(it.number, now, "discarded");
                self.end(it.number, now, ("discarded", &it.reason), "");
            }
            Event::ImprovementProposed(it) => self.proposed(it.number, now, "applied"),
            Event::ValidationStarted(it) => {
                if let Some(journey) = self.journeys.get_mut(&it.number) {
                    journey.evaluations.insert(it.purpose, now);
                }
            }
            Event::ValidationCompleted(it) => {
                let told = &it.evaluation;
                let attributes = vec![
                    KeyValue::new("darwind.outcome", told.outcome.word()),
                    KeyValue::new("darwind.isolation", told.isolation.clone()),
                    KeyValue::new("darwind.cpu_s", told.cost.cpu_s),
                ];
                self.evaluated(it.number, it.purpose, now, attributes, None);
            }
            Event::EvaluationFailed(it) => {
                let attributes = vec![KeyValue::new("darwind.attempt", i64::from(it.attempt))];
                self.evaluated(it.number, it.purpose, now, attributes, Some(&it.reason));
            }
            Event::ImprovementApplied(it) => {
                self.judged(&it.modification_id, now, ("accepted", &it.reason), "")
            }
            Event::ImprovementArchived(it) => {
                self.judged(&it.modification_id, now, ("archived", &it.reason), "")
            }
            Event::ImprovementRejected(it) => {
                self.judged(&it.modification_id, now, ("rejected", &it.reason), &it.gate);
            }
            Event::RunFinished(_) => {
                for number in self.journeys.keys().copied().collect::<Vec<_>>() {
                    self.end(number, now, ("abandoned", "the run ended"), "");
                }
            }
            _ => {}
        }
    }

    fn begin(&self, name: &'static str, at_ms: i64, attributes: Vec<KeyValue>, within: &Context) -> Context {
        let span = SpanBuilder::from_name(name).with_start_time(time(at_ms)).with_attributes(attributes);
        within.with_span(self.tracer.build_with_context(span, within))
    }

    fn proposed(&self, number: Number, now: i64, outcome: &'static str) {
        let Some(journey) = self.journeys.get(&number) else { return };
        let attributes = vec![KeyValue::new("darwind.proposal_outcome", outcome)];
        let span = self.begin("propose", journey.asked_ms, attributes, &journey.whole);
        span.span().end_with_timestamp(time(now));
    }

    fn evaluated(
        &mut self,
        number: Number,
        purpose: Purpose,
        now: i64,
        attributes: Vec<KeyValue>,
        fault: Option<&str>,
    ) {
        let Some(journey) = self.journeys.get_mut(&number) else { return };
        let Some(began) = journey.evaluations.remove(&purpose) else { return };
        let within = journey.whole.clone();
        let span = self.begin("evaluate", began, attributes, &within);
        if let Some(reason) = fault {
            span.span().set_status(Status::error(reason.to_owned()));
        }
        span.span().end_with_timestamp(time(now));
    }

    fn judged(&mut self, id: &CandidateId, now: i64, verdict: (&'static str, &str), gate: &str) {
        if let Some(number) = id.number() {
            self.end(number, now, verdict, gate);
        }
    }

    fn end(&mut self, number: Number, now: i64, (verdict, reason): (&'static str, &str), gate: &str) {
        let Some(journey) = self.journeys.remove(&number) else { return };
        let span = journey.whole.span();
        span.set_attribute(KeyValue::new("darwind.verdict", verdict));
        span.set_attribute(KeyValue::new("darwind.reason", reason.to_owned()));
        if !gate.is_empty() {
            span.set_attribute(KeyValue::new("darwind.gate", gate.to_owned()));
        }
        span.end_with_timestamp(time(now));
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(run = self.run, %error, "the last traces could not be sent");
        }
    }
}

fn time(at_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at_ms).unwrap_or(0))
}

/// An HTTP client that speaks TLS with the machine's own trust. It is made on a thread of its own, as its kind wants.
fn client() -> Result<reqwest::blocking::Client, String> {
    let make = || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        // A machine without root certificates can still speak to a collector that it reaches without TLS.
        let tls = match rustls_platform_verifier::Verifier::new(provider) {
            Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            Err(_) => builder.with_root_certificates(rustls::RootCertStore::empty()),
        };
        let client = reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(tls.with_no_client_auth())
            .timeout(PATIENCE);
        client.build().map_err(|error| error.to_string())
    };
    let thread = std::thread::Builder::new().name("telemetry".to_owned()).spawn(make);
    let made = thread.map_err(|error| error.to_string())?.join();
    made.unwrap_or_else(|_| Err("its HTTP client cannot be made".to_owned()))
}
