//! The operator families of the repair catalogue: their names, their tiers and what is believed of them before a run.
//! A family is a kind of human mistake and its correction; the code that finds its edits stands in the file of its theme.

/// How early a family is worth trying. Order within a search comes from scores; the tier tells how far a family
/// stands from a plain slip, and so how readily it may fit the cases without being right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Slips of one token or one position.
    First,
    /// A wrong name, operand or bound.
    Second,
    /// Something missing, filled in from the program or from templates.
    Third,
}

macro_rules! families {
    ($($variant:ident = $name:literal, $tier:ident, $prior:literal;)+) => {
        /// A family of edits.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Family {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl Family {
            /// Every family, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in logs and statistics.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Its tier.
            pub fn tier(self) -> Tier {
                match self { $(Self::$variant => Tier::$tier,)+ }
            }

            /// How often a one-edit fix of a small program is of this family: relative weight, above 0. Set by hand from
            /// published frequencies of fix patterns (TBar, ConDefects) and not fitted to any one set of programs.
            pub fn prior(self) -> f64 {
                match self { $(Self::$variant => $prior,)+ }
            }
        }
    };
}

families! {
    CompareBoundary = "compare_boundary", First, 6.0;
    CompareFlip = "compare_flip", First, 4.0;
    CompareOther = "compare_other", First, 2.0;
    BooleanOperator = "boolean_operator", First, 2.0;
    Negate = "negate", First, 2.0;
    Arithmetic = "arithmetic_operator", First, 5.0;
    Sign = "sign", First, 0.8;
    Regroup = "regroup", First, 1.5;
    IntegerStep = "integer_step", First, 4.0;
    BooleanConstant = "boolean_constant", First, 1.5;
    OffByOne = "off_by_one", First, 6.0;
    RangeBounds = "range_bounds", First, 3.0;
    SwapOperands = "swap_operands", First, 2.0;
    DropOperand = "drop_operand", First, 2.5;
    SwapArguments = "swap_arguments", First, 2.5;
    SwapElements = "swap_elements", First, 2.0;
    Sibling = "sibling", First, 3.5;
    Augment = "augment", First, 2.5;
    Keyword = "statement_keyword", First, 2.0;
    Dedent = "dedent", First, 3.0;
    Indent = "indent", First, 2.0;
    ElseIf = "else_if", First, 1.5;
    SwapStatements = "swap_statements", First, 1.5;
    DeleteStatement = "delete_statement", First, 1.5;
    Unwrap = "unwrap", First, 1.5;
    Return = "return", First, 2.5;
    Variable = "variable", Second, 8.0;
    Attribute = "attribute", Second, 2.5;
    Target = "target", Second, 1.5;
    Literal = "literal", Second, 1.5;
    OtherLiteral = "other_literal", Second, 1.0;
    VariableForLiteral = "variable_for_literal", Second, 2.0;
    LiteralForVariable = "literal_for_variable", Second, 1.0;
    InitialValue = "initial_value", Second, 2.5;
    Access = "access", Second, 2.5;
    SliceBounds = "slice_bounds", Second, 2.0;
    ListWrap = "list_wrap", Second, 1.5;
    Argument = "argument", Second, 2.5;
    Wrap = "wrap", Second, 2.0;
    ConditionDrop = "condition_drop", Second, 1.5;
    ConditionExtend = "condition_extend", Second, 4.5;
    ConditionReplace = "condition_replace", Second, 3.0;
    Filter = "filter", Second, 1.0;
    Ingredient = "ingredient", Second, 4.0;
    Clamp = "clamp", Third, 1.5;
    Extend = "extend_expression", Third, 4.0;
    ExtendCall = "extend_with_expression", Third, 2.5;
    Template = "template", Third, 3.0;
    Guard = "guard", Third, 5.0;
    Enclose = "enclose", Third, 1.5;
    InsertCopy = "insert_copy", Third, 3.0;
    InsertUpdate = "insert_update", Third, 3.0;
    InsertCall = "insert_call", Third, 2.5;
    InsertJump = "insert_jump", Third, 1.0;
    Capture = "capture_result", Third, 1.0;
}
