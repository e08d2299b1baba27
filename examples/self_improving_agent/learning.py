"""How the agent improves itself. It takes a bug that it failed on, looks much longer for a repair than it may when it is
judged, and writes what helped down as a new operator, in code; or it changes how it ranks. Whether that was wise is not
decided here: a broad operator repairs more and crowds out others."""
import ast
import json
import os
import random
import re

import edits
import ranking
import trial

WIDE_TRIES = 4000
FAMILIES = (edits.COMPARISONS, edits.ARITHMETIC, edits.BOOLEAN)


def improve(folder, failed, rng):
    """Edits the agent in `folder`; answers what was done."""
    steps = [learn_operator] * 4 + [change_ranking] * 3 + [change_weight] * 2 + [forget_operator]
    for step in rng.sample(steps, len(steps)):
        done = step(folder, failed, rng)
        if done:
            summary, hypothesis = done
            return {"status": "proposed", "summary": summary, "hypothesis": hypothesis}
    return {"status": "no_change", "summary": "nothing more to learn here"}


def learn_operator(folder, failed, rng):
    """Finds a repair of a bug by trying every edit there is, and writes an operator that would have found it."""
    if not failed:
        return None
    bug = rng.choice(failed)
    words = wide_search("\n".join(bug["source"]), bug["examples"], rng)
    if words is None:
        return None
    body = generalised(words, rng)
    name = name_of(body)
    with open(os.path.join(folder, "operators.py"), encoding="utf-8") as file:
        text = file.read()
    if "def %s(" % name in text:
        return None
    code = 'def %s(node, names):\n    """Learned from %s."""\n%s\n\n\n' % (name, bug["name"], body)
    text = text.replace("OPERATORS = [", code + "OPERATORS = [", 1).rstrip()
    text = text[:-1] + "    %s,\n]\n" % name
    with open(os.path.join(folder, "operators.py"), "w", encoding="utf-8") as file:
        file.write(text)
    return "an operator learned from " + bug["name"], name


def wide_search(source, examples, rng):
    """The words of some edit that makes every example hold."""
    tree = ast.parse(source)
    names = ranking.variables(tree)
    suspicious = ranking.suspicion(source, examples)
    spots = list(ranking.places(tree))
    rng.shuffle(spots)
    spots.sort(key=lambda spot: -suspicious.get(getattr(spot[0], "lineno", 0), 0.0))
    tried = 0
    for node, parent, field, at in spots:
        for changed, words in list(edits.every_edit(node, names)):
            ranking.put(parent, field, at, changed)
            text = ranking.unparsed(tree)
            ranking.put(parent, field, at, node)
            tried += 1
            if text and trial.passes(text, examples):
                return words
            if tried >= WIDE_TRIES:
                return None
    return None


def written(word):
    return "ast.%s" % word.__name__ if isinstance(word, type) else repr(word)


def call(words):
    arguments = "".join(", " + written(word) for word in words[1:])
    return "    yield from edits.%s(node%s)" % (words[0], ", names" if words[0] == "rename" else arguments)


def generalised(words, rng):
    """The edit as the body of an operator: exactly it, both ways, or its whole family."""
    level = rng.choice(["exact", "both", "family"])
    kind = words[0]
    if kind == "token" and level == "family":
        family = next(family for family in FAMILIES if words[1] in family)
        listed = ", ".join(written(member) for member in family)
        return ("    for old in (%s):\n        for new in (%s):\n            if old is not new:\n"
                "                yield from edits.token(node, old, new)" % (listed, listed))
    if kind in ("shift", "offset") and level != "exact":
        return call((kind, 1)) + "\n" + call((kind, -1))
    if kind == "number" and level == "family":
        return call(("shift", 1)) + "\n" + call(("shift", -1))
    if kind in ("token", "number", "function", "method") and level != "exact":
        return call(words) + "\n" + call((kind, words[2], words[1]))
    if kind in ("wrap", "unwrap") and level != "exact":
        return call(("wrap", words[1])) + "\n" + call(("unwrap", words[1]))
    return call(words)


def name_of(body):
    """A name that says what an operator does, the same for the same body."""
    words = re.findall(r"edits\.(\w+)\(node(.*)\)", body)
    parts = [kind + arguments.replace("ast.", "").replace("-", "minus_") for kind, arguments in words]
    text = "_or_".join(parts)
    if "for old in" in body:
        text = "any_token" + "".join(sorted(set(re.findall(r"ast\.(\w+)", body))))
    return re.sub(r"\W+", "_", text).strip("_").lower()


def change_heuristics(folder, change):
    path = os.path.join(folder, "heuristics.json")
    heuristics = ranking.read_heuristics(folder)
    change(heuristics)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(heuristics, file, indent=2, sort_keys=True)
        file.write("\n")


def change_ranking(folder, failed, rng):
    """Trusts suspicion more or less, or repeats an operator more or less."""
    name, values = rng.choice([("suspicion", [0.0, 0.5, 1.0, 2.0, 4.0]), ("repetition", [1.0, 0.9, 0.8, 0.6, 0.4])])
    value = rng.choice([value for value in values if value != ranking.read_heuristics(folder)[name]])
    change_heuristics(folder, lambda heuristics: heuristics.update({name: value}))
    return "%s is %s now" % (name, value), "better changes are tried earlier"


def names_in(folder):
    return [operator.__name__ for operator in ranking.operators_of(folder)]


def change_weight(folder, failed, rng):
    """Prefers an operator, or puts it off."""
    name, factor = rng.choice(names_in(folder)), rng.choice([0.5, 0.8, 1.25, 2.0])

    def change(heuristics):
        heuristics["weights"][name] = round(heuristics["weights"].get(name, 1.0) * factor, 4)

    change_heuristics(folder, change)
    return "%s weighs %s times as much" % (name, factor), "better changes are tried earlier"


def forget_operator(folder, failed, rng):
    """Gives an operator up that crowds out others."""
    names = names_in(folder)
    if len(names) < 4:
        return None
    name = rng.choice(names)
    with open(os.path.join(folder, "operators.py"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace("    %s,\n" % name, "", 1)
    text = re.sub(r"def %s\(.*?\n\n\n" % re.escape(name), "", text, count=1, flags=re.S)
    with open(os.path.join(folder, "operators.py"), "w", encoding="utf-8") as file:
        file.write(text)
    return "without " + name, "its tries are better spent on others"
