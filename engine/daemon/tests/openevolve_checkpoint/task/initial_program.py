# EVOLVE-BLOCK-START
def total(n):
    result = 0
    for i in range(n):
        result += i
    return result
# EVOLVE-BLOCK-END
