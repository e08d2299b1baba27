//! Whole evaluations in real cells, at every level that this host allows.
#![expect(clippy::expect_used, reason = "a test that cannot prepare its ground has failed")]
#![expect(clippy::print_stdout, reason = "what cannot run here is printed as skipped")]

#[path = "evaluator/ground.rs"]
mod ground;
#[path = "evaluator/packages.rs"]
mod packages;

#[path = "evaluator/apart.rs"]
mod apart;
#[path = "evaluator/cases.rs"]
mod cases;
#[path = "evaluator/gates.rs"]
mod gates;
#[path = "evaluator/measures.rs"]
mod measures;
#[path = "evaluator/pytest.rs"]
mod pytest;
#[path = "evaluator/suites.rs"]
mod suites;
#[path = "evaluator/tamper.rs"]
mod tamper;
