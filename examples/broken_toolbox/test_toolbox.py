import unittest

import toolbox


class Roman(unittest.TestCase):
    def test_numerals(self):
        for number, text in [(1, "I"), (4, "IV"), (9, "IX"), (14, "XIV"), (40, "XL"), (1994, "MCMXCIV"), (3999, "MMMCMXCIX")]:
            with self.subTest(number):
                self.assertEqual(toolbox.to_roman(number), text)


class Find(unittest.TestCase):
    def test_present(self):
        items = [1, 3, 5, 7, 11, 13]
        for index, item in enumerate(items):
            with self.subTest(item):
                self.assertEqual(toolbox.find(items, item), index)

    def test_absent(self):
        for item in [0, 4, 14]:
            with self.subTest(item):
                self.assertEqual(toolbox.find([1, 3, 5, 7, 11, 13], item), -1)

    def test_empty(self):
        self.assertEqual(toolbox.find([], 1), -1)


class Merged(unittest.TestCase):
    def test_apart(self):
        self.assertEqual(toolbox.merged([(5, 6), (1, 2)]), [[1, 2], [5, 6]])

    def test_overlapping(self):
        self.assertEqual(toolbox.merged([(1, 4), (2, 6), (8, 9)]), [[1, 6], [8, 9]])

    def test_contained(self):
        self.assertEqual(toolbox.merged([(1, 9), (2, 3), (4, 10)]), [[1, 10]])


class Balanced(unittest.TestCase):
    def test_balanced(self):
        for text in ["", "()", "([]{})", "a(b)c"]:
            with self.subTest(text):
                self.assertTrue(toolbox.is_balanced(text))

    def test_crossed(self):
        for text in ["(]", "([)]", ")"]:
            with self.subTest(text):
                self.assertFalse(toolbox.is_balanced(text))

    def test_left_open(self):
        for text in ["(", "(()", "[{}"]:
            with self.subTest(text):
                self.assertFalse(toolbox.is_balanced(text))


if __name__ == "__main__":
    unittest.main()
