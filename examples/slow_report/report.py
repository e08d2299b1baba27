"""A shop's daily report, written the way first versions are: correct, and slow on a busy day."""


def ways_to_pay(amount, coins):
    """In how many ways an amount can be paid in coins of these values, order not counting."""
    if amount == 0:
        return 1
    if amount < 0 or len(coins) == 0:
        return 0
    return ways_to_pay(amount - coins[0], coins) + ways_to_pay(amount, coins[1:])


def distinct(names):
    """Each name once, in the order of its first appearance."""
    result = []
    for name in names:
        if name not in result:
            result.append(name)
    return result


def frequencies(names):
    """How often each name appears, most frequent first, then by name."""
    table = []
    for name in distinct(names):
        table.append((names.count(name), name))
    for i in range(len(table)):
        for j in range(len(table) - 1):
            if (-table[j][0], table[j][1]) > (-table[j + 1][0], table[j + 1][1]):
                table[j], table[j + 1] = table[j + 1], table[j]
    return table


def matching_pairs(amounts, total):
    """How many pairs of receipts add up to the total."""
    count = 0
    for i in range(len(amounts)):
        for j in range(i + 1, len(amounts)):
            if amounts[i] + amounts[j] == total:
                count += 1
    return count


def busiest_hour(visits, width):
    """Largest number of visits in any stretch of so many minutes."""
    best = 0
    for start in range(len(visits) - width + 1):
        best = max(best, sum(visits[start:start + width]))
    return best
