"""Keeps a tank of water at its temperature. The numbers between the marks are guesses that wait to be tuned."""

# EVOLVE-BLOCK-START
GAIN = 1.0
INTEGRAL = 0.05
DERIVATIVE = 0.2
FORGETTING = 0.9
LIMIT = 4.0
# EVOLVE-BLOCK-END


class Controller:
    """A proportional, integral and derivative controller with a forgetting memory."""

    def __init__(self):
        self.memory = 0.0
        self.last = None

    def heat(self, wanted, measured):
        """Heating power for the next second."""
        error = wanted - measured
        self.memory = FORGETTING * self.memory + error
        slope = 0.0 if self.last is None else error - self.last
        self.last = error
        power = GAIN * error + INTEGRAL * self.memory + DERIVATIVE * slope
        return max(0.0, min(LIMIT, power))
