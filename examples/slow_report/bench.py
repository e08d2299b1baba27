"""A busy day. Prints what it computed, so that a faster program that computes something else is caught."""
import report


def numbers(count, limit, seed=1):
    state = seed
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        yield state % limit


names = ["name%d" % n for n in numbers(6000, 700)]
amounts = list(numbers(3000, 5000, seed=7))
visits = list(numbers(12000, 9, seed=3))

print(report.ways_to_pay(420, (50, 20, 10, 5, 2)))
print(len(report.distinct(names)))
print(report.frequencies(names)[:3])
print(report.matching_pairs(amounts, 5000))
print(report.busiest_hour(visits, 600))
