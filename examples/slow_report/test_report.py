import unittest

import report


class Report(unittest.TestCase):
    def test_ways_to_pay(self):
        self.assertEqual(report.ways_to_pay(0, (1, 2)), 1)
        self.assertEqual(report.ways_to_pay(10, (1, 2, 5)), 10)
        self.assertEqual(report.ways_to_pay(7, (5, 3)), 0)
        self.assertEqual(report.ways_to_pay(-1, (1,)), 0)

    def test_distinct(self):
        self.assertEqual(report.distinct([]), [])
        self.assertEqual(report.distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"])

    def test_frequencies(self):
        self.assertEqual(report.frequencies([]), [])
        self.assertEqual(report.frequencies(["x", "y", "x", "a"]), [(2, "x"), (1, "a"), (1, "y")])

    def test_matching_pairs(self):
        self.assertEqual(report.matching_pairs([], 5), 0)
        self.assertEqual(report.matching_pairs([1, 4, 2, 3, 4], 5), 3)
        self.assertEqual(report.matching_pairs([5, 5, 5], 10), 3)
        self.assertEqual(report.matching_pairs([5], 10), 0)

    def test_busiest_hour(self):
        self.assertEqual(report.busiest_hour([1, 2, 3], 2), 5)
        self.assertEqual(report.busiest_hour([4, 0, 0, 4, 1], 3), 5)
        self.assertEqual(report.busiest_hour([1], 2), 0)


if __name__ == "__main__":
    unittest.main()
