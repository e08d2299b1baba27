# Row 48: an answer nested deeper than a reader may follow, and one that holds itself.
def square(n):
    deep = []
    for _ in range(100000):
        deep = [deep]
    if n % 2:
        deep.append(deep)
    return deep
