# Row 48: numbers that are none.
def square(n):
    return float("nan") if n % 2 else float("inf")
