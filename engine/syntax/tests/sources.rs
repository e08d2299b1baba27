//! Whole sources: what counts as Python, what the fingerprint is blind to, and that nothing makes the parser panic.

use proptest::prelude::*;
use syntax::{Kind, MAX_SOURCE_BYTES, Module};

#[track_caller]
fn valid(source: &str) {
    let module = Module::parse(source);
    assert!(module.is_valid(), "{source}\n{:?}", module.errors());
}

#[track_caller]
fn invalid(source: &str, line: u32) {
    let module = Module::parse(source);
    let first = module.errors().first().unwrap_or_else(|| panic!("accepted:\n{source}"));
    assert_eq!(first.line, line, "{source}\n{:?}", module.errors());
}

#[track_caller]
fn same(a: &str, b: &str) {
    valid(a);
    valid(b);
    assert_eq!(Module::parse(a).fingerprint(), Module::parse(b).fingerprint(), "{a}\n--- and ---\n{b}");
}

#[track_caller]
fn different(a: &str, b: &str) {
    valid(a);
    valid(b);
    assert_ne!(Module::parse(a).fingerprint(), Module::parse(b).fingerprint(), "{a}\n--- and ---\n{b}");
}

#[test]
fn accepts_python() {
    for source in [
        "",
        "\n\n# only a comment\n",
        "x = 1; y = 2\nif x: y = 3; z = 4\n",
        "def f(a, *, b=1, **k): return (yield a)\n",
        "async def f():\n    async with a as b, c:\n        return await b\n",
        "@d\nclass A(B, metaclass=M):\n    x: int = 1\n    (y): int = 2\n",
        "try:\n    a()\nexcept (B, C) as e:\n    raise D from e\nelse:\n    pass\nfinally:\n    pass\n",
        "for i, (j, *k) in x:\n    continue\nelse:\n    print(i, end='')\n",
        "a = b, *c = d\na[1:2, ::3].x += 4\n",
        "if x:\n  a = 1\nelse:\n        b = 2\n",
        "f(x for x in y)\nf((x for x in y), 1)\nlambda *a: (yield)\n",
        "with (open(a) as b, open(c) as d):\n    pass\n",
        "match x:\n    case [1, *rest] if rest:\n        pass\n    case {'a': b} | A(c=1):\n        pass\n    case (y):\n        pass\n",
        "def f():\n    if x:\n        pass\n    # dedented comment\n# and again\n    return 1\n",
        "x = f'{a!r:>{w}} {b = }'\nprint(x)\n",
        "while (n := f()):\n    pass\n",
        "def f():\r\n    return 1\r\n",
        "del a, (b), c[0]\nfor (x) in y: pass\n",
    ] {
        valid(source);
    }
}

#[test]
fn refuses_what_is_not() {
    invalid("x = \n", 1);
    invalid("def f(:\n    pass\n", 1);
    invalid("x = 1\n    y = 2\n", 2);
    invalid("if x:\n    a = 1\n  b = 2\n", 3);
    invalid("if x:\n    a = 1\n      \n        b = 2\n", 4);
    invalid("if x:\na = 1\n", 1);
    invalid("def f():\n    # nothing\nx = 1\n", 1);
    invalid("return 1\n", 1);
    invalid("class A:\n    return 1\n", 2);
    invalid("if x:\n    break\n", 2);
    invalid("while x:\n    def f():\n        continue\n", 3);
    invalid("f() = 1\n", 1);
    invalid("a + 1 += 1\n", 1);
    invalid("for 1 in x: pass\n", 1);
    invalid("print 'x'\n", 1);
    invalid("f(a=1, 2)\n", 1);
    invalid("f(a=1, a=2)\n", 1);
    invalid("def f(a, a): pass\n", 1);
    invalid("def f(a=1, b): pass\n", 1);
    invalid("f(x for x in y, 1)\n", 1);
    invalid("(\n", 1);
    invalid("x = 'a\n", 1);
    invalid("x = 1\0\n", 1);
    invalid(&"x".repeat(MAX_SOURCE_BYTES + 1), 1);
}

/// CPython's own library, as far as it is installed here, against CPython's own compiler.
#[test]
fn agrees_with_cpython_on_its_own_library() {
    const FILES: usize = 120;
    let script = "import sys,glob,os\nfor p in sorted(glob.glob(os.path.dirname(os.__file__)+'/*.py'))[:int(sys.argv[1])]:\n try:\n  compile(open(p,encoding='utf-8').read(),p,'exec')\n except Exception:\n  continue\n print(p)";
    let listed = std::process::Command::new("python3")
        .args(["-W", "ignore", "-c", script, &FILES.to_string()])
        .output();
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else {
        println!("skipped: no python3 to ask");
        return;
    };
    let mut refused = Vec::new();
    for path in String::from_utf8(listed.stdout).unwrap().lines() {
        let source = std::fs::read_to_string(path).unwrap();
        let module = Module::parse(&source);
        if let Some(fault) = module.errors().first() {
            refused.push(format!("{path}: {fault}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn fingerprint_is_blind_to_layout() {
    same("x=1\n", "# c\n\nx  =  1   # d\n\n");
    same("def f(a):\n  'doc'\n  return a\n", "def f(a):\n        return (a)\n");
    same("def f():\n    'doc'\n", "def f():\n    pass\n");
    same("x = 'a\"b'\n", "x = \"a\\\"b\"\n");
    same("x = r'\\d'\n", "x = '\\\\d'\n");
    same("x = u'a'\n", "x = '''a'''\n");
    same("return_ = (1, 2)\n", "return_ = 1, 2\n");
    same("(a, b) = c\n", "a, b = c\n");
    same("for (i, j) in x: pass\n", "for i, j in x:\n    pass\n");
    same("f(a,\n  b,)\n", "f(a, b)\n");
    same("x = [1,\n]\n", "x = [1]\n");
    same("x = ((a + b)) * c\n", "x = (a + b) * c\n");
    same("x = a + (b * c)\n", "x = a + b * c\n");
    same("a = 1; b = 2\n", "a = 1\nb = 2\n");
    same("x = 1_000\n", "x = 1000\n");
    same("x = a \\\n  + b\n", "x = a + b\n");
    same("if x: pass\nelse: y()\n", "if (x):\n  'nothing'\nelse:\n  y()\n");
    same("x = f'{(a)} b'\n", "x = f\"{a} b\"\n");
    same("x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n");
}

#[test]
fn fingerprint_tells_programs_apart() {
    different("x = 1\n", "x = 2\n");
    different("x = a + b * c\n", "x = (a + b) * c\n");
    different("x = a < b < c\n", "x = (a < b) < c\n");
    different("x = a[1:]\n", "x = a[:1]\n");
    different("x = a[1]\n", "x = a[1,]\n");
    different("x = (a)\n", "x = (a,)\n");
    different("f(a, b)\n", "f((a, b))\n");
    different("assert a, b\n", "assert (a, b)\n");
    different("x = {}\n", "x = set()\n");
    different("x = {a: b}\n", "x = {a, b}\n");
    different("x = 'a'\n", "x = b'a'\n");
    different("x = 'a' 'b'\n", "x = 'a', 'b'\n");
    different("x = '\\d'\n", "x = 'd'\n");
    different("x = '\\N{BULLET}'\n", "x = 'N{BULLET}'\n");
    different("x = f'{a=}'\n", "x = f'{ a=}'\n");
    different("x = f'{a}'\n", "x = '{a}'\n");
    different("if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n");
    different(
        "if a:\n    if b:\n        c()\n    else:\n        d()\n",
        "if a:\n    if b:\n        c()\nelse:\n    d()\n",
    );
    different("x: int = 1\n", "(x): int = 1\n");
    different("match x:\n    case y,:\n        pass\n", "match x:\n    case y:\n        pass\n");
    different("match x:\n    case (y,):\n        pass\n", "match x:\n    case (y):\n        pass\n");
    different("def f():\n    'doc'\nprint(f.__doc__)\n", "def f():\n    pass\nprint(f.__doc__)\n");
    different("x = a if b else c\n", "x = b if a else c\n");
    different("x = not a\n", "x = a\n");
    different("x = a not in b\n", "x = a in b\n");
    different("async def f(): pass\n", "def f(): pass\n");
    different("f(*a)\n", "f(**a)\n");
    different("def f(a, /): pass\n", "def f(a, *, b): pass\n");
    different("x += 1\n", "x = 1\n");
    different("del a, b\n", "del (a, b), c\n");
    different("from a import b\n", "from .a import b\n");
    different("a = b = 1\n", "a = (b, 1)\n");
    different("x = 1 .real\n", "x = 1.0\n");
    different("(a, b)[0]\n", "a[0]\n");
}

#[test]
fn a_fingerprint_is_read_back() {
    let fingerprint = Module::parse("x = 1\n").fingerprint();
    assert_eq!(fingerprint.to_string().len(), 32);
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    assert!("zz".parse::<syntax::Fingerprint>().is_err());
}

#[test]
fn deep_nesting_is_refused_without_overflow() {
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("f(", ")"), ("lambda: ", "")] {
        let depth = 20_000;
        let source = format!("x = {}1{}\n", open.repeat(depth), close.repeat(depth));
        let module = Module::parse(&source);
        assert!(!module.is_valid());
        module.fingerprint();
        module.complexity();
        module.code_size();
        module.names_at(source.len() / 2);
    }
    let module = Module::parse(&"(".repeat(MAX_SOURCE_BYTES / 4));
    assert!(!module.is_valid());
    let depth = 100;
    valid(&format!("x = {}1{}\n", "(".repeat(depth), ")".repeat(depth)));
}

/// Pieces of programs from which sources are put together: statements as lists of tokens, with their indentation.
fn program() -> impl Strategy<Value = Vec<(usize, Vec<&'static str>)>> {
    let simple = prop::sample::select(vec![
        vec!["x", "=", "1"],
        vec!["x", "+=", "y", "*", "2"],
        vec!["f", "(", "a", ",", "b", "=", "1", ")"],
        vec!["y", "=", "[", "i", "for", "i", "in", "x", "if", "i", "]"],
        vec!["s", "=", "'a b'"],
        vec!["t", "=", "x", "if", "not", "y", "else", "z", "[", "1", ":", "]"],
        vec!["d", "=", "{", "'k'", ":", "1", ",", "**", "e", "}"],
        vec!["assert", "x", "<=", "y", "and", "z"],
        vec!["pass"],
    ]);
    let compound = prop::sample::select(vec![
        vec!["if", "x", "<", "y", ":"],
        vec!["while", "x", ":"],
        vec!["for", "i", "in", "x", ":"],
        vec!["def", "f", "(", "a", ",", "b", "=", "2", ")", ":"],
    ]);
    prop::collection::vec((simple, prop::option::of(compound), any::<bool>()), 1..12).prop_map(|lines| {
        let mut depth = 0;
        let mut program = Vec::new();
        for (tokens, header, leave) in lines {
            if let Some(header) = header.filter(|_| depth < 5) {
                program.push((depth, header));
                depth += 1;
            }
            program.push((depth, tokens));
            if leave && depth > 0 {
                depth -= 1;
            }
        }
        program
    })
}

/// Prints a program with layout drawn from `noise`.
fn print(program: &[(usize, Vec<&str>)], width: usize, noise: &[u8]) -> String {
    let mut noise = noise.iter().copied().cycle();
    let mut draw = || noise.next().unwrap_or(0);
    let mut text = String::new();
    for (depth, tokens) in program {
        match draw() % 5 {
            0 => text.push_str("\n   \n"),
            1 => text.push_str("      # a comment: at any column\n"),
            _ => {}
        }
        text.push_str(&" ".repeat(depth * width));
        for token in tokens {
            text.push_str(token);
            text.push_str(&" ".repeat(1 + usize::from(draw() % 3)));
        }
        if draw() % 4 == 0 {
            text.push_str(" # said aside");
        }
        text.push('\n');
    }
    text
}

proptest! {
    #[test]
    fn layout_never_changes_fingerprint_size_or_complexity(
        program in program(), width in 1usize..9, noise in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let plain = Module::parse(&print(&program, 4, &[2]));
        let noisy = Module::parse(&print(&program, width, &noise));
        prop_assert!(plain.is_valid(), "{}\n{:?}", plain.source(), plain.errors());
        prop_assert!(noisy.is_valid(), "{}\n{:?}", noisy.source(), noisy.errors());
        prop_assert_eq!(plain.fingerprint(), noisy.fingerprint());
        prop_assert_eq!(plain.code_size(), noisy.code_size());
        prop_assert_eq!(plain.complexity().cyclomatic, noisy.complexity().cyclomatic);
    }

    #[test]
    fn two_programs_have_one_fingerprint_exactly_when_their_tokens_are_the_same(a in program(), b in program()) {
        let effective = |program: &[(usize, Vec<&'static str>)]| -> Vec<(usize, Vec<&'static str>)> {
            program.iter().filter(|(_, tokens)| tokens != &["pass"]).cloned().collect()
        };
        let (one, two) = (Module::parse(&print(&a, 4, &[2])), Module::parse(&print(&b, 4, &[2])));
        prop_assert_eq!(one.fingerprint() == two.fingerprint(), effective(&a) == effective(&b));
    }

    #[test]
    fn garbage_never_panics(text in "[a-z(){}\\[\\]:=+*'\"\\\\#,.@\n\t \r\0é0-9-]{0,200}") {
        let module = Module::parse(&text);
        module.fingerprint();
        module.complexity();
        module.code_size();
        for node in module.nodes() {
            let _ = (node.text(), node.operator(), node.statement(), node.unwrapped(), node.function());
            prop_assert!(node.parent().is_none_or(|parent| parent.children().any(|child| child == node)));
        }
        for byte in [0, text.len() / 2, text.len()] {
            module.names_at(byte);
            module.function_at(byte);
        }
        let _ = syntax::Blocks::find(&text);
    }

    #[test]
    fn a_walk_by_children_meets_every_node_once(program in program()) {
        let module = Module::parse(&print(&program, 4, &[0, 1, 2]));
        let mut waiting = vec![module.root()];
        let mut met = Vec::new();
        while let Some(node) = waiting.pop() {
            met.push(node.id());
            waiting.extend(node.children());
        }
        met.sort_unstable();
        let all: Vec<u32> = module.nodes().map(syntax::Node::id).collect();
        prop_assert_eq!(met, all);
        prop_assert_eq!(module.root().kind(), Kind::Module);
    }
}
