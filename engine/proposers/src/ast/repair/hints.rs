//! What is known about a program's failures beside the suspicious lines, and what it means for the families' chances.

use super::family::Family;
use std::collections::BTreeSet;

/// Most other sources that are searched for ingredients.
pub const MAX_INGREDIENT_SOURCES: usize = 16;

/// What a search may use besides the program itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hints {
    /// Kinds of failure of the failing cases: class names of exceptions, `wrong`, `timeout`.
    pub failures: BTreeSet<String>,
    /// Other versions of this file, or other files: at most [`MAX_INGREDIENT_SOURCES`] are used.
    pub sources: Vec<String>,
    /// Factor on a family's prior, learnt from what paid; absent means 1.
    pub learnt: Vec<(Family, f64)>,
}

/// How much an exception raises the chance of the families that usually mend it.
const RAISED: f64 = 2.5;

impl Hints {
    /// Factor on the prior of a family, above 0.
    pub(crate) fn factor(&self, family: Family) -> f64 {
        let learnt = self
            .learnt
            .iter()
            .find(|(of, _)| *of == family)
            .map_or(1.0, |(_, factor)| factor.clamp(0.05, 20.0));
        let triggered = self.failures.iter().any(|failure| triggers(failure).contains(&family));
        learnt * if triggered { RAISED } else { 1.0 }
    }
}

/// Families that usually mend a kind of failure.
fn triggers(failure: &str) -> &'static [Family] {
    match failure {
        "NameError" | "UnboundLocalError" => {
            &[Family::Variable, Family::InsertCopy, Family::InsertUpdate, Family::Dedent]
        }
        "IndexError" => &[
            Family::OffByOne,
            Family::IntegerStep,
            Family::CompareBoundary,
            Family::RangeBounds,
            Family::Guard,
            Family::ConditionExtend,
            Family::SwapOperands,
        ],
        "RecursionError" => &[
            Family::Guard,
            Family::CompareBoundary,
            Family::OffByOne,
            Family::Variable,
            Family::Argument,
            Family::SliceBounds,
            Family::ConditionReplace,
            Family::ConditionExtend,
        ],
        "TypeError" => &[
            Family::Return,
            Family::Wrap,
            Family::Unwrap,
            Family::ListWrap,
            Family::Argument,
            Family::SwapArguments,
            Family::Guard,
            Family::Access,
            Family::Sibling,
        ],
        "AttributeError" => &[
            Family::Attribute,
            Family::Guard,
            Family::Access,
            Family::Return,
            Family::Sibling,
            Family::ConditionExtend,
        ],
        "KeyError" => {
            &[Family::Access, Family::Guard, Family::Variable, Family::InsertUpdate, Family::ConditionExtend]
        }
        "ValueError" => &[Family::Guard, Family::Wrap, Family::SwapElements, Family::ConditionExtend],
        "ZeroDivisionError" => {
            &[Family::Guard, Family::InitialValue, Family::OffByOne, Family::IntegerStep, Family::RangeBounds]
        }
        "timeout" => &[
            Family::InsertUpdate,
            Family::InsertCopy,
            Family::InsertCall,
            Family::Keyword,
            Family::ConditionReplace,
            Family::CompareBoundary,
            Family::OffByOne,
            Family::Indent,
            Family::ConditionExtend,
            Family::Guard,
        ],
        _ => &[],
    }
}
