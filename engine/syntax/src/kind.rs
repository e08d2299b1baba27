//! The names of Python's syntax: kinds of nodes and the fields (roles) that a child has in its parent.
//!
//! They are the grammar's own names (tree-sitter-python 0.25), held in enums so that a misspelt one does not compile.
//! Nothing here depends on the parser.

macro_rules! names {
    ($(#[$meta:meta])* $type:ident, $($variant:ident = $text:literal,)+) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $type {
            /// The name as the grammar spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names! {
    /// The kind of a node.
    Kind,
    Token = "token",
    Error = "ERROR",
    AliasedImport = "aliased_import",
    ArgumentList = "argument_list",
    AsPattern = "as_pattern",
    AsPatternTarget = "as_pattern_target",
    AssertStatement = "assert_statement",
    Assignment = "assignment",
    Attribute = "attribute",
    AugmentedAssignment = "augmented_assignment",
    Await = "await",
    BinaryOperator = "binary_operator",
    Block = "block",
    BooleanOperator = "boolean_operator",
    BreakStatement = "break_statement",
    Call = "call",
    CaseClause = "case_clause",
    CasePattern = "case_pattern",
    Chevron = "chevron",
    ClassDefinition = "class_definition",
    ClassPattern = "class_pattern",
    ComparisonOperator = "comparison_operator",
    ComplexPattern = "complex_pattern",
    ConcatenatedString = "concatenated_string",
    ConditionalExpression = "conditional_expression",
    ConstrainedType = "constrained_type",
    ContinueStatement = "continue_statement",
    DecoratedDefinition = "decorated_definition",
    Decorator = "decorator",
    DefaultParameter = "default_parameter",
    DeleteStatement = "delete_statement",
    DictPattern = "dict_pattern",
    Dictionary = "dictionary",
    DictionaryComprehension = "dictionary_comprehension",
    DictionarySplat = "dictionary_splat",
    DictionarySplatPattern = "dictionary_splat_pattern",
    DottedName = "dotted_name",
    ElifClause = "elif_clause",
    ElseClause = "else_clause",
    ExceptClause = "except_clause",
    ExecStatement = "exec_statement",
    ExpressionList = "expression_list",
    ExpressionStatement = "expression_statement",
    FinallyClause = "finally_clause",
    ForInClause = "for_in_clause",
    ForStatement = "for_statement",
    FormatExpression = "format_expression",
    FormatSpecifier = "format_specifier",
    FunctionDefinition = "function_definition",
    FutureImportStatement = "future_import_statement",
    GeneratorExpression = "generator_expression",
    GenericType = "generic_type",
    GlobalStatement = "global_statement",
    IfClause = "if_clause",
    IfStatement = "if_statement",
    ImportFromStatement = "import_from_statement",
    ImportPrefix = "import_prefix",
    ImportStatement = "import_statement",
    Interpolation = "interpolation",
    KeywordArgument = "keyword_argument",
    KeywordPattern = "keyword_pattern",
    KeywordSeparator = "keyword_separator",
    Lambda = "lambda",
    LambdaParameters = "lambda_parameters",
    List = "list",
    ListComprehension = "list_comprehension",
    ListPattern = "list_pattern",
    ListSplat = "list_splat",
    ListSplatPattern = "list_splat_pattern",
    MatchStatement = "match_statement",
    MemberType = "member_type",
    Module = "module",
    NamedExpression = "named_expression",
    NonlocalStatement = "nonlocal_statement",
    NotOperator = "not_operator",
    Pair = "pair",
    Parameters = "parameters",
    ParenthesizedExpression = "parenthesized_expression",
    ParenthesizedListSplat = "parenthesized_list_splat",
    PassStatement = "pass_statement",
    PatternList = "pattern_list",
    PositionalSeparator = "positional_separator",
    PrintStatement = "print_statement",
    RaiseStatement = "raise_statement",
    RelativeImport = "relative_import",
    ReturnStatement = "return_statement",
    Set = "set",
    SetComprehension = "set_comprehension",
    Slice = "slice",
    SplatPattern = "splat_pattern",
    SplatType = "splat_type",
    String = "string",
    StringContent = "string_content",
    Subscript = "subscript",
    TryStatement = "try_statement",
    Tuple = "tuple",
    TuplePattern = "tuple_pattern",
    Type = "type",
    TypeAliasStatement = "type_alias_statement",
    TypeParameter = "type_parameter",
    TypedDefaultParameter = "typed_default_parameter",
    TypedParameter = "typed_parameter",
    UnaryOperator = "unary_operator",
    UnionPattern = "union_pattern",
    UnionType = "union_type",
    WhileStatement = "while_statement",
    WildcardImport = "wildcard_import",
    WithClause = "with_clause",
    WithItem = "with_item",
    WithStatement = "with_statement",
    Yield = "yield",
    Comment = "comment",
    Ellipsis = "ellipsis",
    EscapeInterpolation = "escape_interpolation",
    EscapeSequence = "escape_sequence",
    False = "false",
    Float = "float",
    Identifier = "identifier",
    Integer = "integer",
    LineContinuation = "line_continuation",
    None = "none",
    StringEnd = "string_end",
    StringStart = "string_start",
    True = "true",
    TypeConversion = "type_conversion",
}

names! {
    /// The role of a child in its parent.
    Field,
    Alias = "alias",
    Alternative = "alternative",
    Argument = "argument",
    Arguments = "arguments",
    Attribute = "attribute",
    Body = "body",
    Cause = "cause",
    Code = "code",
    Condition = "condition",
    Consequence = "consequence",
    Definition = "definition",
    Expression = "expression",
    FormatSpecifier = "format_specifier",
    Function = "function",
    Guard = "guard",
    Key = "key",
    Left = "left",
    ModuleName = "module_name",
    Name = "name",
    Object = "object",
    Operator = "operator",
    Operators = "operators",
    Parameters = "parameters",
    ReturnType = "return_type",
    Right = "right",
    Subject = "subject",
    Subscript = "subscript",
    Superclasses = "superclasses",
    Type = "type",
    TypeConversion = "type_conversion",
    TypeParameters = "type_parameters",
    Value = "value",
}

impl Kind {
    /// Whether this is a whole statement, simple or compound.
    pub fn is_statement(self) -> bool {
        self.is_simple_statement() || self.is_compound_statement()
    }

    /// Whether this is a statement that contains no other statement.
    pub fn is_simple_statement(self) -> bool {
        matches!(
            self,
            Self::AssertStatement
                | Self::BreakStatement
                | Self::ContinueStatement
                | Self::DeleteStatement
                | Self::ExecStatement
                | Self::ExpressionStatement
                | Self::FutureImportStatement
                | Self::GlobalStatement
                | Self::ImportFromStatement
                | Self::ImportStatement
                | Self::NonlocalStatement
                | Self::PassStatement
                | Self::PrintStatement
                | Self::RaiseStatement
                | Self::ReturnStatement
                | Self::TypeAliasStatement
        )
    }

    /// Whether this is a statement with a body.
    pub fn is_compound_statement(self) -> bool {
        matches!(
            self,
            Self::ClassDefinition
                | Self::DecoratedDefinition
                | Self::ForStatement
                | Self::FunctionDefinition
                | Self::IfStatement
                | Self::MatchStatement
                | Self::TryStatement
                | Self::WhileStatement
                | Self::WithStatement
        )
    }

    /// Whether this is an expression that has a value of its own.
    pub fn is_expression(self) -> bool {
        matches!(
            self,
            Self::Attribute
                | Self::Await
                | Self::BinaryOperator
                | Self::BooleanOperator
                | Self::Call
                | Self::ComparisonOperator
                | Self::ConcatenatedString
                | Self::ConditionalExpression
                | Self::Dictionary
                | Self::DictionaryComprehension
                | Self::Ellipsis
                | Self::False
                | Self::Float
                | Self::GeneratorExpression
                | Self::Identifier
                | Self::Integer
                | Self::Lambda
                | Self::List
                | Self::ListComprehension
                | Self::NamedExpression
                | Self::None
                | Self::NotOperator
                | Self::ParenthesizedExpression
                | Self::Set
                | Self::SetComprehension
                | Self::String
                | Self::Subscript
                | Self::True
                | Self::Tuple
                | Self::UnaryOperator
        )
    }

    /// Whether this is a comprehension or a generator expression.
    pub fn is_comprehension(self) -> bool {
        matches!(
            self,
            Self::DictionaryComprehension
                | Self::GeneratorExpression
                | Self::ListComprehension
                | Self::SetComprehension
        )
    }
}
