//! Functions that say again what the library says: the whole body becomes one call of it.
//!
//! Which function a body amounts to is guessed: from the number of its parameters, and, for the order, from its name.
//! Most guesses are wrong and fail the first test, which is the cheapest evaluation there is.

use super::Rewrites;
use super::reading::{is_loop, repeats};
use syntax::{Edit, Kind, Node};

/// What a function of some parameters may amount to: the import it needs, the expression, words in the name of such a
/// function.
struct Guess {
    import: &'static str,
    expression: &'static str,
    words: &'static [&'static str],
}

const fn guess(import: &'static str, expression: &'static str, words: &'static [&'static str]) -> Guess {
    Guess { import, expression, words }
}

const OF_ONE: &[Guess] = &[
    guess("", "sorted(A)", &["sort", "order"]),
    guess("", "sorted(A, reverse=True)", &["sort", "desc"]),
    guess("", "sorted(set(A))", &["uniq", "distinct", "sort"]),
    guess("", "list(dict.fromkeys(A))", &["uniq", "distinct", "dup", "dedup"]),
    guess("", "A[::-1]", &["revers", "backward"]),
    guess("", "A == A[::-1]", &["palin", "symm"]),
    guess("", "sum(A)", &["sum", "total", "add"]),
    guess("", "max(A)", &["max", "larg", "high", "big"]),
    guess("", "min(A)", &["min", "small", "low"]),
    guess("", "len(set(A))", &["uniq", "distinct", "count"]),
    guess("", "len(set(A)) != len(A)", &["dup", "repeat"]),
    guess("", "len(set(A)) == len(A)", &["uniq", "distinct"]),
    guess("from collections import Counter", "dict(Counter(A))", &["count", "freq", "hist"]),
    guess(
        "from collections import Counter",
        "Counter(A).most_common(1)[0][0]",
        &["mode", "most", "common", "freq"],
    ),
    guess("import math", "math.factorial(A)", &["fact"]),
    guess("import math", "math.isqrt(A)", &["sqrt", "root"]),
    guess("import math", "math.prod(A)", &["prod"]),
    guess("import statistics", "statistics.median(A)", &["median"]),
    guess("", "bin(A).count('1')", &["bit", "ones", "popcount"]),
    guess("", "bin(A)[2:]", &["bin"]),
    guess("", "sum(map(int, str(A)))", &["digit"]),
    guess("", "A * (A + 1) // 2", &["sum", "tri", "total"]),
    guess("", "[list(_row) for _row in zip(*A)]", &["transp"]),
    guess("", "[_x for _row in A for _x in _row]", &["flat"]),
    guess("from itertools import accumulate", "list(accumulate(A))", &["prefix", "cumul", "running"]),
    guess("", "list(set(A))", &["uniq", "distinct"]),
    guess("from itertools import permutations", "list(permutations(A))", &["perm", "arrange"]),
    guess("from itertools import permutations", "[list(_p) for _p in permutations(A)]", &["perm", "arrange"]),
    guess(
        "from itertools import permutations",
        "[''.join(_p) for _p in permutations(A)]",
        &["perm", "anagram"],
    ),
    guess(
        "from itertools import combinations",
        "[list(_c) for _n in range(len(A) + 1) for _c in combinations(A, _n)]",
        &["subset", "power"],
    ),
];

const OF_TWO: &[Guess] = &[
    guess("import math", "math.gcd(A, B)", &["gcd", "divisor", "hcf"]),
    guess("import math", "math.lcm(A, B)", &["lcm", "multiple"]),
    guess("import math", "math.comb(A, B)", &["binom", "comb", "choose", "ncr"]),
    guess("import math", "math.perm(A, B)", &["perm"]),
    guess("", "A ** B", &["pow", "exp"]),
    guess("", "sorted(A + B)", &["merge"]),
    guess("", "sorted(A)[B]", &["kth", "smallest", "select", "nth"]),
    guess("", "sorted(A)[B - 1]", &["kth", "smallest", "select", "nth"]),
    guess("", "sorted(A)[-B]", &["kth", "larg", "select"]),
    guess("", "sorted(A) == sorted(B)", &["anagram", "perm", "same"]),
    guess("", "A.count(B)", &["count", "occur", "freq"]),
    guess("", "A.find(B)", &["find", "search", "index"]),
    guess("", "A.index(B)", &["find", "search", "index"]),
    guess("", "B in A", &["contain", "has", "exist", "member"]),
    guess("", "sum(A.startswith(B, _i) for _i in range(len(A)))", &["count", "occur"]),
    guess("from bisect import bisect_left", "bisect_left(A, B)", &["search", "insert", "bisect", "index"]),
    guess("", "sum(_x * _y for _x, _y in zip(A, B))", &["dot", "product", "inner"]),
    guess("", "sorted(set(A) & set(B))", &["inter", "common", "both"]),
    guess("", "sorted(set(A) | set(B))", &["union", "merge"]),
    guess("", "[_x for _S in [set(B)] for _x in A if _x in _S]", &["inter", "common", "both"]),
    guess("", "[_x for _S in [set(B)] for _x in dict.fromkeys(A) if _x in _S]", &["inter", "common", "both"]),
    guess("", "[_x for _S in [set(B)] for _x in A if _x not in _S]", &["diff", "minus", "missing", "exclu"]),
    guess("", "set(A) <= set(B)", &["subset"]),
    guess("from itertools import combinations", "list(combinations(A, B))", &["comb", "choose", "subset"]),
    guess(
        "from itertools import combinations",
        "[list(_c) for _c in combinations(A, B)]",
        &["comb", "choose", "subset"],
    ),
    guess(
        "from bisect import bisect_left",
        "_i if (_i := bisect_left(A, B)) < len(A) and A[_i] == B else -1",
        &["search", "find", "index", "locate"],
    ),
    guess("", "A.index(B) if B in A else -1", &["search", "find", "index", "locate"]),
    guess("", "sum(_x != _y for _x, _y in zip(A, B))", &["hamming", "diff"]),
    guess("", "A[B % len(A):] + A[:B % len(A)]", &["rotat", "shift"]),
    guess("", "A[-B % len(A):] + A[:-B % len(A)]", &["rotat", "shift"]),
    guess("", "[A[_i:_i + B] for _i in range(0, len(A), B)]", &["chunk", "split", "batch"]),
    guess("import heapq", "heapq.nlargest(B, A)", &["top", "larg", "best"]),
    guess("import heapq", "heapq.nsmallest(B, A)", &["small", "least"]),
    guess(
        "import operator",
        "[[sum(map(operator.mul, _r, _c)) for _c in zip(*B)] for _r in A]",
        &["mul", "mat", "prod", "dot"],
    ),
];

const OF_THREE: &[Guess] = &[guess("", "pow(A, B, C)", &["pow", "mod", "exp"])];

/// Score of a guess that the name speaks for.
const NAMED: f64 = 79.0;
/// Score of a guess that nothing speaks for.
const UNNAMED: f64 = 7.0;

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for function in rewrites.file.module.functions() {
        let parameters: Vec<&str> =
            function.parameters.iter().map(|p| p.name).filter(|name| *name != "self").collect();
        let guesses = match parameters.len() {
            1 => OF_ONE,
            2 => OF_TWO,
            3 => OF_THREE,
            _ => continue,
        };
        // Only what does some work is worth replacing.
        let works = function
            .body
            .descendants()
            .any(|n| repeats(n) || (n.kind() == Kind::Call && super::caching::calls_name(n, function.name)));
        let returns = function.body.descendants().any(|n| n.kind() == Kind::ReturnStatement);
        let Some(first) = function.body.statements().find(|s| !is_docstring(*s)).filter(|_| works && returns)
        else {
            continue;
        };
        let loops = function.body.descendants().any(is_loop);
        let name = function.name.to_lowercase();
        for guess in guesses {
            let named = guess.words.iter().any(|word| name.contains(word));
            let score = match (named, loops) {
                (true, _) => NAMED,
                (false, true) => UNNAMED,
                (false, false) => UNNAMED / 2.0,
            };
            let mut edits = if guess.import.is_empty() { Vec::new() } else { rewrites.import(guess.import) };
            let expression = filled(guess.expression, &parameters);
            edits.push(Edit::replace(
                first.range().start..function.body.range().end,
                format!("return {expression}"),
            ));
            rewrites.offer("library_function", score, format!("{} is {expression}", function.name), edits);
        }
    }
}

fn is_docstring(statement: Node<'_>) -> bool {
    statement.named_children().next().is_some_and(|child| child.kind() == Kind::String)
}

/// The expression with the parameters' names for `A`, `B` and `C`.
fn filled(expression: &str, parameters: &[&str]) -> String {
    expression
        .split_inclusive(|c: char| !c.is_alphanumeric() && c != '_')
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
            let place = match word {
                "A" => parameters.first(),
                "B" => parameters.get(1),
                "C" => parameters.get(2),
                _ => None,
            };
            place.map_or_else(|| piece.to_owned(), |name| piece.replacen(word, name, 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn a_name_speaks_for_a_guess() {
        let source = "def gcd(a, b):\n    \"\"\"Greatest.\"\"\"\n    while b:\n        a, b = b, a % b\n    return a\n";
        check(
            "library_function",
            source,
            "import math\ndef gcd(a, b):\n    \"\"\"Greatest.\"\"\"\n    return math.gcd(a, b)\n",
        );
        assert!(offers("library_function", source)[0].contains("math.gcd"));
    }

    #[test]
    fn what_does_no_work_is_left_alone() {
        assert!(offers("library_function", "def f(a):\n    return a + 1\n").is_empty());
    }
}
