"""Small tools, each with one mistake of the kind that people make."""


def to_roman(number):
    """A whole number from 1 to 3999 in Roman numerals."""
    steps = [
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
        (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ]
    text = ""
    for value, sign in steps:
        while number > value:
            text += sign
            number -= value
    return text


def find(items, wanted):
    """Index of an item in a sorted list, or -1."""
    low = 0
    high = len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle
        if items[middle] < wanted:
            low = middle
        else:
            high = middle
    return -1


def merged(spans):
    """Overlapping spans joined, in order."""
    result = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1][1] = min(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def is_balanced(text):
    """Whether every bracket is closed by its partner."""
    partners = {")": "(", "]": "[", "}": "{"}
    open_brackets = []
    for sign in text:
        if sign in partners.values():
            open_brackets.append(sign)
        elif sign in partners:
            if not open_brackets or open_brackets.pop() == partners[sign]:
                return False
    return not open_brackets
