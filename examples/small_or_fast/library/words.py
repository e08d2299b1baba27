"""Words of a text."""


def words(text):
    """Lower-case words of a text, in order."""
    result = []
    word = ""
    for sign in text.lower() + " ":
        if sign.isalpha():
            word = word + sign
        else:
            if word != "":
                result.append(word)
            word = ""
    return result


def unique(items):
    """Each item once, in the order of its first appearance."""
    seen = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen
