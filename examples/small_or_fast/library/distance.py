"""How far two words are apart."""


def distance(a, b):
    """Fewest insertions, deletions and replacements that turn one word into the other (Levenshtein 1965)."""
    if a == "":
        return len(b)
    if b == "":
        return len(a)
    if a[0] == b[0]:
        return distance(a[1:], b[1:])
    return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))


def nearest(word, candidates):
    """The candidate with the smallest distance, the first of equals."""
    best = None
    for candidate in candidates:
        if best is None or distance(word, candidate) < distance(word, best):
            best = candidate
    return best
